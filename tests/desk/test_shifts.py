"""The desk through a night: begun, joined, written about, handed over, taken over; and what the kiosk does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT, NIGHT, Make
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.desk import shifts, store
from anshang.desk.model import DeskKind, Service
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed, RuleBroken
from anshang.journal import store as journal
from anshang.people.model import Role

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
HERE = f"?district={DISTRICT}"
app, quarter = app_fixture, quarter_fixture


def act(database: Database, verb: Callable[..., Any], **told: Any) -> Any:
    with database.transaction(DISTRICT) as tx:
        return verb(tx, **told)


def kinds(database: Database) -> list[str]:
    with database.reading([DISTRICT]) as connection:
        return [entry.kind for entry in journal.list_after(connection, DISTRICT, 0)]


def test_a_night_from_shift_to_shift(database: Database, make: Make, night: MoveOn) -> None:
    first, second, third = make.actor(), make.actor(Role.SUPERVISOR), make.actor()
    begun = act(database, shifts.begin, actor=first, id=ids.new_id())
    for _ in range(2):
        assert act(database, shifts.begin, actor=second, id=ids.new_id()).people == (first.id, second.id)
    note = {"id": ids.new_id(), "text": "三号口护栏松动"}
    for _ in range(2):
        act(database, shifts.write, actor=first, **note)
    night(timedelta(hours=8))
    with pytest.raises(BadInput, match="no_note"):
        act(database, shifts.hand_over, actor=first, note="  ")
    with pytest.raises(RuleBroken, match="not_yours"):
        act(database, shifts.hand_over, actor=third, note="x")
    handed = act(database, shifts.hand_over, actor=first, note="看护栏")
    assert (handed.id, handed.handed_over_at) == (begun.id, NIGHT + timedelta(hours=8))
    with pytest.raises(RuleBroken, match="waits"):
        act(database, shifts.begin, actor=third, id=ids.new_id())
    with pytest.raises(RuleBroken, match="same_person"):
        act(database, shifts.take_over, actor=first, id=ids.new_id())
    new_id = ids.new_id()
    for _ in range(2):
        assert act(database, shifts.take_over, actor=third, id=new_id).people == (third.id,)
    with pytest.raises(RuleBroken, match="not_waiting"):
        act(database, shifts.take_over, actor=second, id=ids.new_id())
    assert kinds(database) == [
        DeskKind.SHIFT_BEGUN, DeskKind.SHIFT_JOINED, DeskKind.DUTY_NOTED, DeskKind.SHIFT_HANDED_OVER,
        DeskKind.SHIFT_ACCEPTED, DeskKind.SHIFT_BEGUN,
    ]  # fmt: skip


def test_nobody_writes_or_hands_over_where_nobody_is_on_duty(database: Database, make: Make) -> None:
    for verb, told in (
        (shifts.write, {"id": ids.new_id(), "text": "x"}),
        (shifts.hand_over, {"note": "x"}),
        (shifts.take_over, {"id": ids.new_id()}),
    ):
        with pytest.raises(RuleBroken):
            act(database, verb, actor=make.actor(), **told)
        with pytest.raises(NotAllowed):
            act(database, verb, actor=make.actor(Role.PATROL), **told)
    assert kinds(database) == []


def test_what_is_open_is_carried_over(app: FastAPI, quarter: Database, night: MoveOn) -> None:
    desk, next_one = signed_in(app, Role.DESK, DISTRICT), signed_in(app, Role.SUPERVISOR, DISTRICT)
    assert desk.get(f"/api/shift{HERE}").json() is None
    desk.post(f"/api/shift/begin{HERE}", json={"id": ids.new_id()})
    desk.post(f"/api/matters{HERE}", json={"id": ids.new_id(), "kind": "note", "priority": 3, "text": "x"})
    desk.post(f"/api/shift/log{HERE}", json={"id": ids.new_id(), "text": "交班前已巡看"})
    handed = desk.post(f"/api/shift/hand-over{HERE}", json={"note": "P3 一件"}).json()
    assert handed["open_items"] == {"p3": 1}
    waiting = next_one.get(f"/api/shift{HERE}").json()
    assert (waiting["note"], waiting["accepted_at"], [line["text"] for line in waiting["log"]]) == (
        "P3 一件", None, ["交班前已巡看"],
    )  # fmt: skip
    taken = next_one.post(f"/api/shift/take-over{HERE}", json={"id": ids.new_id()}).json()
    assert taken["handed_over_at"] is None
    assert len(next_one.get(f"/api/matters{HERE}").json()["matters"]) == 1


def test_a_service_is_two_taps_and_counted_with_its_wait(
    app: FastAPI, quarter: Database, night: MoveOn
) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    asked = {"id": ids.new_id(), "service": "wheelchair"}
    for _ in range(2):
        desk.post(f"/api/services{HERE}", json=asked)
    told = desk.post(f"/api/services{HERE}", json={"id": ids.new_id(), "service": "water"}).json()
    assert [one["service"] for one in told["waiting"]] == ["wheelchair", "water"]
    night(timedelta(minutes=4))
    for _ in range(2):
        told = desk.post(f"/api/services/{asked['id']}/done{HERE}").json()
    assert (told["counts"], told["served"], told["median_wait_s"]) == (
        {"water": 1, "wheelchair": 1},
        1,
        240.0,
    )
    assert [one["service"] for one in told["waiting"]] == ["water"]
    assert (
        desk.post(f"/api/services{HERE}", json={"id": ids.new_id(), "service": "massage"}).status_code == 422
    )
    with quarter.reading([DISTRICT]) as connection:
        assert {one.service for one in store.list_services(connection, DISTRICT, NIGHT)} == {
            Service.WATER,
            Service.WHEELCHAIR,
        }
