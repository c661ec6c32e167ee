"""Zeros where there never were any, and what a counter kept over an outage, are faults and no crowd."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from tests.conftest import DISTRICT, NIGHT
from tests.crowds.conftest import LINES, T0_MS, columns, line, passed, people, quiet, run, waiting

from anshang.crowds import actions
from anshang.crowds.engine import Engine
from anshang.crowds.model import Crossing, FaultReason, Observation, SensorChange
from anshang.crowds.outlook import Outlooks
from anshang.crowds.past import busy_hours
from anshang.crowds.telemetry import rollups_table
from anshang.crowds.watch import Watch, sensor_health
from anshang.foundation.database import Database, put_all
from anshang.people.model import operator_actor
from anshang.places.model import Place

PERIOD_S, HOUR_S, HOUR_MS = 600, 3600, 3_600_000
SLOW = [line(f"g{n}", period_s=PERIOD_S) for n in range(4)]
ALWAYS = {sensor.id: np.ones(24, bool) for sensor in SLOW}
DEAD = SensorChange("g0", ("z0",), FaultReason.DEAD, True)
WELL = SensorChange("g0", ("z0",), FaultReason.DEAD, False)


def busy(gates: tuple[str, ...], from_s: int, until_s: int) -> list[Observation]:
    return [passed(gate, at, 3, 3) for at in range(from_s, until_s + 1, PERIOD_S) for gate in gates]


def hours(engine: Engine, rows: list[Observation], from_s: int, until_s: int) -> list[object]:
    return run(engine, rows, until_s, from_s=from_s, every_s=PERIOD_S)


def test_zeros_at_hours_that_are_never_empty_are_a_fault_until_somebody_is_counted(place: Place) -> None:
    engine = Engine(place, SLOW)
    engine.faults.know_busy(ALWAYS)
    rows = busy(("g0",), 600, 600) + busy(("g1", "g2", "g3"), 600, 5 * HOUR_S)
    assert hours(engine, rows, 600, 3 * HOUR_S) == []
    assert hours(engine, rows, 3 * HOUR_S + 600, 4 * HOUR_S) == [DEAD]
    assert engine.frame(full=True)["zones"]["z0"]["quality"] == "unknown", "never normal"
    again = Engine(place, SLOW, faults=[("g0", FaultReason.DEAD)])
    again.rebuild(columns(rows), [], NIGHT + timedelta(hours=4))
    assert hours(again, rows, 4 * HOUR_S + 600, 5 * HOUR_S) == [], "after a restart it is told no second time"
    assert hours(engine, [passed("g0", 4 * HOUR_S + 600, 2), *rows], 4 * HOUR_S + 600, 5 * HOUR_S) == [WELL]
    assert engine.frame(full=True)["zones"]["z0"]["quality"] == "counted"


@pytest.mark.parametrize("counting", [(), ("g3",)])
def test_a_closed_day_is_no_fault_of_its_counters(place: Place, counting: tuple[str, ...]) -> None:
    engine = Engine(place, SLOW)
    engine.faults.know_busy(ALWAYS)
    assert hours(engine, busy(counting, 600, 8 * HOUR_S), 600, 8 * HOUR_S) == []


def test_a_quiet_night_is_no_fault_and_neither_is_a_sensor_of_which_little_is_known(place: Place) -> None:
    engine = Engine(place, SLOW)
    night = np.ones(24, bool)
    night[(T0_MS // HOUR_MS + 2) % 24] = False
    engine.faults.know_busy(ALWAYS | {"g0": night})
    rows = busy(("g1", "g2", "g3"), 600, 5 * HOUR_S)
    assert hours(engine, rows, 600, 5 * HOUR_S) == []
    unknown = Engine(place, SLOW)
    assert hours(unknown, rows, 600, 5 * HOUR_S) == []


def _kept(engine: Engine, count: int) -> list[object]:
    """Five minutes as ever, ten of silence at g0, then `count` people in one row."""
    steady = [passed(gate, second, 5, 5) for second in range(10, 310, 10) for gate in ("g0", "g1")]
    events = run(engine, steady, 300)
    for second in range(310, 901, 10):
        engine.take(quiet(second, ("g1", "g2", "g3")))
        events += engine.step(NIGHT + timedelta(seconds=second))
    return [*events, *run(engine, [passed("g0", 910, count)], 910, from_s=910)]


def test_what_was_kept_over_an_outage_makes_no_level_and_is_recorded(place: Place) -> None:
    engine = Engine(place, LINES)
    events = _kept(engine, 3500)
    assert [event for event in events if isinstance(event, Crossing)] == []
    assert SensorChange("g0", ("z0",), FaultReason.BURST, True) in events
    assert people(engine) == [0, 0, 0]
    assert not engine.frame(full=True)["gates"]["g0"]["over"]
    later = run(engine, [], 2000, from_s=920)
    assert [event for event in later if isinstance(event, SensorChange)] == [
        SensorChange("g0", ("z0",), FaultReason.BURST, False)
    ]


def test_passages_as_ever_after_an_outage_count(place: Place) -> None:
    engine = Engine(place, LINES)
    events = _kept(engine, 25)
    assert people(engine)[0] == 25
    assert not [
        event for event in events if isinstance(event, SensorChange) and event.reason is FaultReason.BURST
    ]


@pytest.mark.postgres
def test_hours_are_never_empty_when_on_seven_days_somebody_was_counted(database: Database) -> None:
    first_ms = T0_MS // HOUR_MS * HOUR_MS - 10 * 24 * HOUR_MS
    rows = []
    for hour in range(10 * 24):
        at_ms = first_ms + hour * HOUR_MS
        passing = {"day": 5 if at_ms // HOUR_MS % 24 < 18 else 0, "new": 5 if hour >= 4 * 24 else None}
        rows += [
            (DISTRICT, HOUR_S, id, at_ms, at_ms, count, 0, -1, -1, 0, 0, 6)
            for id, count in passing.items()
            if count is not None
        ]
    database.bulk(DISTRICT, lambda connection: put_all(connection, rollups_table, rows))
    with database.reading([DISTRICT]) as connection:
        known = busy_hours(connection, DISTRICT, (first_ms, T0_MS))
    assert known["day"].tolist() == [True] * 18 + [False] * 6
    assert not known["new"].any()


@pytest.mark.postgres
@pytest.mark.slow
def test_a_dead_sensor_waits_in_the_queue_and_is_shown_as_such(
    district: Database, night: Callable[[timedelta], None]
) -> None:
    first_ms = T0_MS // HOUR_MS * HOUR_MS - 8 * 24 * HOUR_MS
    rows = [
        (DISTRICT, HOUR_S, sensor.id, at_ms, at_ms, 5, 0, -1, -1, 0, 0, 6)
        for at_ms in range(first_ms, T0_MS, HOUR_MS)
        for sensor in SLOW
    ]
    district.bulk(DISTRICT, lambda connection: put_all(connection, rollups_table, rows))
    with district.transaction(DISTRICT) as tx:
        for sensor in SLOW:
            actions.define_sensor(tx, actor=operator_actor(DISTRICT), sensor=sensor)
    watch = Watch(district)
    watch.load(DISTRICT)
    Outlooks(district, watch).renew(DISTRICT)
    for at_s in range(PERIOD_S, 4 * HOUR_S, PERIOD_S):
        night(timedelta(seconds=PERIOD_S))
        watch.taken(DISTRICT, [passed("g0", at_s, 0), *busy(("g1", "g2", "g3"), at_s, at_s)])
        watch.step(DISTRICT)
    watch.save_changes(DISTRICT)
    assert [(m.subject, list(m.params["sensors"])) for m in waiting(district)] == [
        ("matter.sensor.dead", ["g0"])
    ]
    assert sensor_health(watch.find(DISTRICT), SLOW[0])["state"] == "dead"
