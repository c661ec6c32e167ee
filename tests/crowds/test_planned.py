"""Planned events: entered, imported from a calendar, withdrawn, and known to the forecast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import kinds

from anshang.crowds import planned_actions as actions
from anshang.crowds import planned_store as store
from anshang.crowds.calendars import day_grid_known
from anshang.crowds.model import PlannedEvent
from anshang.crowds.planned import PlannedKind
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, RuleBroken
from anshang.people.model import Role

pytestmark = pytest.mark.postgres
BEGINS, ENDS = NIGHT + timedelta(hours=2), NIGHT + timedelta(hours=5)


def enter(database: Database, make: Make, role: Role = Role.SUPERVISOR, **changes: Any) -> Any:
    told = {
        "id": ids.new_id(),
        "name": "跨年音乐会",
        "zone_id": "z1",
        "start_at": BEGINS,
        "end_at": ENDS,
        "expected_count": 8000,
    }
    with database.transaction(DISTRICT) as tx:
        return actions.enter(tx, actor=make.actor(role), **(told | changes))


def plans(database: Database) -> list[str]:
    with database.reading([DISTRICT]) as connection:
        return [p.name for p in store.list_plans(connection, DISTRICT, NIGHT, NIGHT + timedelta(days=400))]


def test_an_event_is_entered_once_and_withdrawn(district: Database, make: Make) -> None:
    id = ids.new_id()
    for _ in range(2):
        enter(district, make, id=id, name=" 跨年音乐会 ")
    enter(district, make, name="灯会", zone_id=None, start_at=NIGHT, end_at=BEGINS)
    assert plans(district) == ["灯会", "跨年音乐会"]
    with district.transaction(DISTRICT) as tx:
        actions.withdraw(tx, actor=make.actor(Role.ADMIN), id=id)
    assert plans(district) == ["灯会"]
    with pytest.raises(RuleBroken), district.transaction(DISTRICT) as tx:
        actions.withdraw(tx, actor=make.actor(Role.ADMIN), id=id)
    assert kinds(district) == [PlannedKind.ENTERED, PlannedKind.ENTERED, PlannedKind.WITHDRAWN]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"name": "  "}, BadInput),
        ({"end_at": BEGINS}, BadInput),
        ({"end_at": BEGINS + timedelta(days=32)}, BadInput),
        ({"expected_count": -1}, BadInput),
        ({"zone_id": "elsewhere"}, NotFound),
        ({"role": Role.DESK}, NotAllowed),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    district: Database, make: Make, changes: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        enter(district, make, **changes)
    assert plans(district) == []
    assert kinds(district) == []


def test_a_file_is_read_again_without_doubling_and_one_bad_event_costs_no_other(
    district: Database, make: Make
) -> None:
    found = [PlannedEvent("灯会", BEGINS, ENDS, 500), PlannedEvent("晚会", BEGINS, ENDS, None)]

    def read(*events: PlannedEvent) -> tuple[int, int, list[str]]:
        with district.transaction(DISTRICT) as tx:
            imported = actions.import_events(tx, actor=make.actor(Role.SUPERVISOR), events=events)
        return imported.new, imported.known, [f"{each.name}: {each.en}" for each in imported.left_out]

    assert read(*found) == (2, 0, [])
    next_day = PlannedEvent("晚会", BEGINS + timedelta(days=1), ENDS + timedelta(days=1), 1)
    assert read(*found, next_day) == (1, 2, [])
    bad = [PlannedEvent("坏", ENDS, BEGINS), PlannedEvent("展览", BEGINS, ENDS + timedelta(days=60))]
    new, known, left_out = read(*bad, PlannedEvent("新", BEGINS, ENDS))
    assert (new, known) == (1, 0)
    assert [each.split(":")[0] for each in left_out] == ["坏", "展览"]
    assert read(*bad)[:2] == (0, 0)
    assert sorted(plans(district)) == ["新", "晚会", "晚会", "灯会"]
    assert kinds(district) == [PlannedKind.IMPORTED] * 3


def test_the_forecast_knows_the_day_and_that_the_last_one_was_of_the_same_kind(
    district: Database, make: Make
) -> None:
    for days in (0, 7):
        enter(district, make, start_at=BEGINS + timedelta(days=days), end_at=ENDS + timedelta(days=days))
    with district.reading([DISTRICT]) as connection:
        events = store.list_events(connection, DISTRICT, NIGHT, NIGHT + timedelta(days=30))
    first_ms = round(datetime(NIGHT.year, NIGHT.month, NIGHT.day, tzinfo=UTC).timestamp() * 1000)
    grid = day_grid_known(first_ms, 96 * 8, 900, UTC, country=None, events=events)
    begun = [(at.date() - NIGHT.date()).days for at in (BEGINS, ENDS)]
    days = {day + week for day in begun for week in (0, 7)}
    assert {day for day, kind in enumerate(grid.special.tolist()) if kind} == days
    assert len({int(grid.special[day]) for day in days}) == 1
