"""What the engine finds: one episode is one matter, an alarm of a sensor is none of the crowd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import ENGINE, crossed, kinds, waiting

from anshang.crowds import alarms, store
from anshang.crowds.model import CrowdKind, FaultReason, FlowChange, Level, SensorChange
from anshang.foundation.database import Database
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import Matter, MatterState, Priority

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]


def acknowledged(database: Database, make: Make, id: str) -> None:
    with database.transaction(DISTRICT) as tx:
        matters.acknowledge(tx, actor=make.actor(), id=id)


def test_level_1_asks_nobody_to_act(district: Database) -> None:
    assert crossed(district, 0, 1, density=1.1) is None
    assert waiting(district) == []
    assert kinds(district) == [CrowdKind.LEVEL_CROSSED]


def test_one_episode_is_one_matter_that_follows_the_crowd(
    district: Database, make: Make, night: MoveOn
) -> None:
    opened = crossed(district, 0, 2)
    assert opened is not None
    assert (opened.priority, opened.zone_id) == (Priority.P3, "z1")
    acknowledged(district, make, opened.id)
    for before, after, priority in ((2, 3, Priority.P2), (3, 4, Priority.P1)):
        told = crossed(district, before, after)
        assert told is not None
        assert (told.id, told.priority, told.state) == (opened.id, priority, MatterState.OPEN)
    acknowledged(district, make, opened.id)
    for before, after in ((4, 3), (3, 2)):
        told = crossed(district, before, after)
        assert told is not None
        assert (told.state, told.params["level"]) == (MatterState.ACKNOWLEDGED, after)
    assert len(waiting(district)) == 1
    closed = crossed(district, 2, 1)
    assert closed is not None
    assert (closed.state, closed.outcome) == (MatterState.CLOSED, alarms.OUTCOME_SUBSIDED)
    with district.reading([DISTRICT]) as connection:
        (state,) = store.list_zone_states(connection, DISTRICT)
        clocks = matters_store.list_clocks(connection, DISTRICT, [opened.id])
    assert (state.level, state.since_at) == (Level.ATTENTION, NIGHT)
    assert [(clock.due_at - NIGHT).total_seconds() for clock in clocks] == [60, 300]
    assert all(clock.because == "due.answer" and clock.met_at is not None for clock in clocks)


def test_what_nobody_answered_does_not_close_itself(district: Database) -> None:
    crossed(district, 0, 2)
    told = crossed(district, 2, 1)
    assert told is not None
    assert told.state is MatterState.OPEN


def test_a_level_4_that_waits_for_a_second_source_is_already_urgent(district: Database) -> None:
    told = crossed(district, 2, 3, pending=4)
    assert told is not None
    assert (told.priority, told.params["pending"]) == (Priority.P1, 4)


def test_an_overfull_gate_opens_one_matter_and_closes_it(district: Database) -> None:
    for exceeded in (True, True, False, False):
        with district.transaction(DISTRICT) as tx:
            alarms.change_flow(tx, actor=ENGINE, change=FlowChange("g1", exceeded, 70.0))
    with district.reading([DISTRICT]) as connection:
        (closed,) = matters_store.list_closed(connection, ENGINE.scope, DISTRICT, 10)
    assert (closed.subject, closed.priority) == (alarms.SUBJECT_FLOW, Priority.P3)
    assert waiting(district) == []


def test_a_failed_sensor_opens_a_matter_of_its_own_that_is_no_crowd_alarm(district: Database) -> None:
    silent = SensorChange("g1", ("z1", "z0"), FaultReason.SILENT, True)
    with district.transaction(DISTRICT) as tx:
        opened = alarms.change_sensor(tx, actor=ENGINE, change=silent)
        assert alarms.change_sensor(tx, actor=ENGINE, change=silent) == opened
    assert opened is not None
    assert (str(opened.kind), opened.priority, opened.subject) == (
        "sensor",
        Priority.P4,
        "matter.sensor.silent",
    )
    with district.transaction(DISTRICT) as tx:
        closed = alarms.change_sensor(tx, actor=ENGINE, change=replace(silent, failed=False))
        assert alarms.change_sensor(tx, actor=ENGINE, change=replace(silent, failed=False)) is None
    assert closed is not None
    assert closed.outcome == alarms.OUTCOME_RECOVERED


def silenced(database: Database, number: int, failed: bool = True) -> Matter | None:
    change = SensorChange(f"g{number}", (f"z{number}",), FaultReason.SILENT, failed)
    with database.transaction(DISTRICT) as tx:
        return alarms.change_sensor(tx, actor=ENGINE, change=change)


def test_a_gateway_that_falls_silent_is_one_episode(district: Database, make: Make, night: MoveOn) -> None:
    first = silenced(district, 0)
    assert first is not None
    acknowledged(district, make, first.id)
    for number in range(1, 40):
        night(timedelta(seconds=10))
        silenced(district, number)
    (matter,) = waiting(district)
    assert (matter.id, len(matter.params["sensors"]), matter.state) == (
        first.id,
        40,
        MatterState.ACKNOWLEDGED,
    )
    for number in range(39):
        silenced(district, number, failed=False)
    (matter,) = waiting(district)
    assert (list(matter.params["sensors"]), matter.params["zones"]) == (["g39"], ["z39"])
    closed = silenced(district, 39, failed=False)
    assert closed is not None
    assert (closed.id, closed.state) == (first.id, MatterState.CLOSED)
    assert kinds(district).count(CrowdKind.SENSOR_FAILED) == 40


def test_a_sensor_that_fails_much_later_is_an_episode_of_its_own(district: Database, night: MoveOn) -> None:
    silenced(district, 0)
    night(timedelta(minutes=11))
    silenced(district, 1)
    night(timedelta(minutes=9))
    silenced(district, 2)
    assert [sorted(matter.params["sensors"]) for matter in waiting(district)] == [["g0"], ["g1", "g2"]]


def test_an_episode_becomes_urgent_when_a_sensor_of_a_dense_zone_joins(
    district: Database, make: Make
) -> None:
    opened = silenced(district, 0)
    assert opened is not None
    acknowledged(district, make, opened.id)
    crossed(district, 0, 2)
    joined = silenced(district, 1)
    assert joined is not None
    assert (joined.id, joined.priority, joined.state) == (opened.id, Priority.P3, MatterState.OPEN)


def test_a_failed_sensor_of_a_dense_zone_is_more_urgent(district: Database) -> None:
    crossed(district, 0, 2)
    with district.transaction(DISTRICT) as tx:
        opened = alarms.change_sensor(
            tx, actor=ENGINE, change=SensorChange("h", ("z1",), FaultReason.DISAGREES, True)
        )
    assert opened is not None
    assert opened.priority is Priority.P3
