"""Alarms: put aside with an end, and the record of those that nobody needed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.matters.test_matters import MoveOn, kinds, opened

from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed, Refusal, RuleBroken
from anshang.matters import actions, store
from anshang.matters.model import Matter, MatterEvent, MatterKind, Priority
from anshang.matters.record import record_of
from anshang.people.model import Role

pytestmark = pytest.mark.postgres
LATER = timedelta(hours=1)


def shelved(
    database: Database,
    make: Make,
    matter: Matter,
    until: timedelta = LATER,
    role: Role = Role.DESK,
    note_id: str = "",
) -> Matter:
    with database.transaction(DISTRICT) as tx:
        return actions.shelve(
            tx,
            actor=make.actor(role),
            id=matter.id,
            until=clock.now() + until,
            note_id=note_id or ids.new_id(),
            reason="施工围挡，已派人看守",
        )


def waiting_count(database: Database, make: Make) -> int:
    with database.reading([DISTRICT]) as connection:
        return sum(store.count_waiting(connection, make.actor().scope, DISTRICT, clock.now()).values())


def test_an_alarm_put_aside_does_not_count_until_its_end(
    database: Database, make: Make, night: MoveOn
) -> None:
    matter = opened(database, make.actor(), Priority.P3)
    note_id = ids.new_id()
    assert shelved(database, make, matter, note_id=note_id).shelved_until == NIGHT + LATER
    shelved(database, make, matter, note_id=note_id)
    assert waiting_count(database, make) == 0
    assert kinds(database) == [MatterEvent.OPENED, MatterEvent.NOTED, MatterEvent.SHELVED]
    with database.reading([DISTRICT]) as connection:
        (note,) = store.list_notes(connection, DISTRICT, matter.id)
    assert note.text == "施工围挡，已派人看守"
    night(LATER)
    assert waiting_count(database, make) == 1


def test_it_counts_again_when_somebody_says_so_or_it_becomes_more_urgent(
    database: Database, make: Make, night: MoveOn
) -> None:
    desk = make.actor()
    first, second, third = (opened(database, desk, Priority.P3) for _ in range(3))
    for matter in (first, second, third):
        shelved(database, make, matter)
    with database.transaction(DISTRICT) as tx:
        for _ in range(2):
            assert actions.unshelve(tx, actor=desk, id=first.id).shelved_until is None
        told = actions.retell(
            tx, actor=desk, id=second.id, subject=second.subject, params={}, priority=Priority.P2, due=[]
        )
        calmer = actions.retell(
            tx, actor=desk, id=third.id, subject=third.subject, params={}, priority=Priority.P4, due=[]
        )
    assert told.shelved_until is None
    assert calmer.shelved_until is not None
    assert waiting_count(database, make) == 2
    assert kinds(database).count(MatterEvent.UNSHELVED) == 1


@pytest.mark.parametrize(
    ("kind", "priority", "until", "role", "refusal"),
    [
        (MatterKind.CROWD, Priority.P1, LATER, Role.DESK, RuleBroken),
        (MatterKind.REQUEST, Priority.P3, LATER, Role.DESK, RuleBroken),
        (MatterKind.SENSOR, Priority.P4, timedelta(hours=9), Role.DESK, BadInput),
        (MatterKind.SENSOR, Priority.P4, timedelta(0), Role.DESK, BadInput),
        (MatterKind.SENSOR, Priority.P4, LATER, Role.PATROL, NotAllowed),
    ],
)
def test_what_is_no_alarm_or_threatens_life_is_never_put_aside_nor_anything_without_end(
    database: Database,
    make: Make,
    night: MoveOn,
    kind: MatterKind,
    priority: Priority,
    until: timedelta,
    role: Role,
    refusal: type[Refusal],
) -> None:
    matter = opened(database, make.actor(), priority, kind=kind)
    before = kinds(database)
    with pytest.raises(refusal):
        shelved(database, make, matter, until, role)
    assert kinds(database) == before
    assert waiting_count(database, make) == 1


def test_the_record_names_alarms_that_end_before_anybody_answers(
    database: Database, make: Make, night: MoveOn
) -> None:
    desk = make.actor()
    for number in range(12):
        needed = number % 3 == 0
        matter = opened(database, desk, Priority.P3, zone_id="z2" if needed else "z1")
        night(timedelta(seconds=30))
        with database.transaction(DISTRICT) as tx:
            if needed:
                actions.acknowledge(tx, actor=desk, id=matter.id)
            actions.close(tx, actor=desk, id=matter.id, outcome="outcome.subsided")
    opened(database, desk, Priority.P3, drill=True)
    opened(database, desk, Priority.P3, kind=MatterKind.REQUEST)
    with database.reading([DISTRICT]) as connection:
        alarms = store.list_alarms(connection, desk.scope, DISTRICT, NIGHT)
    record = record_of(alarms)
    assert (record.count, record.over_budget, record.floods) == (12, 1, 1)
    assert [
        (line.zone_id, line.count, line.answered, line.unneeded, line.useless) for line in record.lines
    ] == [
        ("z1", 8, 0, 8, True),
        ("z2", 4, 4, 0, False),
    ]
    assert record.lines[0].lasted_s == 30.0
