"""The live crowd: people are conserved, silence is unknown, sensors that contradict each other are no
crowd.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import DISTRICT, NIGHT
from tests.crowds.conftest import (
    LINES,
    T0_MS,
    columns,
    head,
    line,
    passed,
    people,
    quiet,
    row_of_zones,
    run,
    seen,
)

from anshang.crowds.covariance import JointErrors
from anshang.crowds.engine import Engine
from anshang.crowds.model import (
    Crossing,
    FaultReason,
    FlowChange,
    Level,
    Observation,
    PersonCount,
    SensorChange,
)
from anshang.places.document import read_document
from anshang.places.model import Place


def test_passages_move_people_from_zone_to_zone(place: Place) -> None:
    engine = Engine(place, LINES)
    run(
        engine,
        [passed("g0", 10, 500), passed("g1", 20, 200), passed("g2", 30, 50, 20), passed("g3", 30, 0, 10)],
        30,
    )
    assert people(engine) == [300, 170, 20]
    assert engine.frame(full=True)["people"] == 490


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 500)), max_size=60))
def test_people_are_conserved_whatever_the_order_of_rows(moves: list[tuple[int, int, int]]) -> None:
    """With nothing cut off at zero, the sum of the zones is what came in minus what went out."""
    engine = Engine(read_document(row_of_zones()), LINES)
    rows = [
        Observation(f"g{gate}", T0_MS + 100 + number, count, 0, None)
        for number, (gate, _, count) in enumerate(moves)
    ]
    start = [
        Observation("g0", T0_MS, 100_000, 0, None),
        Observation("g1", T0_MS + 1, 60_000, 0, None),
        Observation("g2", T0_MS + 2, 30_000, 0, None),
    ]
    engine.take([*start, *sorted(rows, key=lambda row: (row.in_count, row.at_ms))])
    engine.step(NIGHT + timedelta(seconds=1))
    entered = (
        100_000
        + sum(count for gate, _, count in moves if gate == 0)
        + sum(count for gate, _, count in moves if gate == 3)
    )
    assert engine.occupancy.people.sum() == pytest.approx(entered)


def test_a_balance_is_never_negative_and_what_is_cut_off_is_drift(place: Place) -> None:
    engine = Engine(place, LINES)
    run(engine, [passed("g0", 10, 10), passed("g0", 20, 0, 110)], 20)
    zone = engine.frame(full=True)["zones"]["z0"]
    assert zone["people"] == 0
    assert zone["drift_people_per_h"] == 100


def test_a_silent_gate_makes_both_its_zones_unknown_never_normal(place: Place) -> None:
    engine = Engine(place, LINES, grace_s=3)
    run(engine, [passed("g0", 10, 500)], 10)
    for second in range(20, 60, 10):
        engine.take(quiet(second, ("g0", "g2", "g3")))
        engine.step(NIGHT + timedelta(seconds=second))
        zones = engine.frame(full=True)["zones"]
        expected = "counted" if second <= 30 else "unknown"  # two periods and three seconds after second 10
        assert [zones[id]["quality"] for id in ("z0", "z1", "z2")] == [expected, expected, "counted"]
    assert (zones["z0"]["level"], zones["z0"]["people"], zones["z0"]["density"]) == (None, None, None)
    assert zones["z0"]["silent_since"] == (NIGHT + timedelta(seconds=10)).isoformat()
    assert engine.frame(full=True)["unknown_zones"] == 2


def test_a_zone_with_a_head_counter_is_still_seen_when_a_gate_is_silent(place: Place) -> None:
    engine = Engine(place, [*LINES, head("z0")])
    for second in range(10, 130, 10):
        engine.take([*quiet(second, ("g0", "g2", "g3")), seen("z0", second, 300)])
        engine.step(NIGHT + timedelta(seconds=second))
    zone = engine.frame(full=True)["zones"]["z0"]
    assert zone["quality"] == "seen"
    assert abs(zone["people"] - 300) <= 3


def test_a_head_counter_pulls_a_balance_that_drifts(place: Place) -> None:
    engine = Engine(place, [*LINES, head("z0")])
    rows = [
        row
        for second in range(10, 1810, 10)
        for row in (passed("g0", second, 101, 100), seen("z0", second, 400))
    ]
    run(engine, [passed("g0", 5, 400), *rows], 1800)
    zone = engine.frame(full=True)["zones"]["z0"]
    assert zone["quality"] == "both"
    assert abs(zone["people"] - 400) < 20  # without correction it would be 580
    assert -400 < zone["drift_people_per_h"] < -50
    assert zone["low"] < 400 < zone["high"]


def test_a_zone_rises_to_serious_and_comes_back(place: Place) -> None:
    engine = Engine(place, [*LINES, head("z1")])
    curve = [*range(0, 4600, 100), *[4600] * 30, *range(4600, 0, -100), *[0] * 400]
    rows: list[Observation] = []
    before = 0
    for number, count in enumerate(curve):
        second = 10 * (number + 1)
        rows += [
            passed("g1", second, max(0, count - before), max(0, before - count)),
            seen("z1", second, count),
        ]
        rows += [passed("g0", second, max(0, count - before), max(0, before - count))]
        before = count
    events: list[Crossing] = []
    for second in range(10, 10 * len(curve) + 10, 10):
        due = [row for row in rows if row.at_ms == T0_MS + second * 1000]
        engine.take([*due, *quiet(second, ("g2", "g3"))])
        events += [
            e
            for e in engine.step(NIGHT + timedelta(seconds=second))
            if isinstance(e, Crossing) and e.zone_id == "z1"
        ]
        if events and events[-1].after is Level.SERIOUS:
            engine.levels[1] = type(engine.levels[1])(
                **{name: getattr(engine.levels[1], name) for name in engine.levels[1].__slots__}
                | {"may_fall": True}
            )
    assert [int(event.after) for event in events] == [1, 2, 3, 4, 3, 2, 1, 0]


def test_a_head_counter_that_cannot_be_right_is_an_alarm_of_the_sensor_not_of_the_crowd(place: Place) -> None:
    engine = Engine(place, [*LINES, head("z0")])
    calm = [
        row for second in range(10, 310, 10) for row in (passed("g0", second, 5, 5), seen("z0", second, 100))
    ]
    run(engine, [passed("g0", 5, 100), *calm], 300)
    mad = [seen("z0", second, 9000) for second in range(310, 400, 10)]
    events = run(engine, mad, 400, from_s=310)
    assert [e for e in events if isinstance(e, Crossing)] == []
    assert SensorChange("hz0", ("z0",), FaultReason.DISAGREES, True) in events
    zone = engine.frame(full=True)["zones"]["z0"]
    assert (zone["quality"], zone["level"]) == ("disagrees", 0)
    assert abs(zone["people"] - 100) < 15
    sane = [seen("z0", second, 100) for second in range(410, 500, 10)]
    assert SensorChange("hz0", ("z0",), FaultReason.DISAGREES, False) in run(engine, sane, 500, from_s=410)


def test_a_count_by_eye_settles_what_a_head_counter_and_the_balance_disagreed_about(place: Place) -> None:
    engine = Engine(place, [*LINES, head("z0")])
    calm = [row for s in range(10, 310, 10) for row in (passed("g0", s, 5, 5), seen("z0", s, 100))]
    run(engine, [passed("g0", 5, 100), *calm], 300)
    run(engine, [seen("z0", second, 3000) for second in range(310, 400, 10)], 400, from_s=310)
    assert engine.frame(full=True)["zones"]["z0"]["quality"] == "disagrees"
    at = NIGHT + timedelta(seconds=401)
    engine.count_by_person(PersonCount("id", DISTRICT, "z0", at, 3000, 0.05, "lin"))
    events = run(engine, [seen("z0", second, 3000) for second in range(410, 440, 10)], 440, from_s=410)
    assert SensorChange("hz0", ("z0",), FaultReason.DISAGREES, False) in events
    assert abs(people(engine)[0] - 3000) < 300


def test_two_counters_of_one_gate_that_contradict_each_other_are_told(place: Place) -> None:
    engine = Engine(place, [*LINES, line("g0", "twin")])
    rows = [
        row
        for s in range(10, 310, 10)
        for row in (passed("g0", s, 10), Observation("twin", T0_MS + s * 1000, 20, 0, None))
    ]
    events = run(engine, rows, 300)
    assert {e.sensor_id for e in events if isinstance(e, SensorChange)} == {"g0", "twin"}


def test_two_counters_of_one_gate_count_once(place: Place) -> None:
    engine = Engine(place, [*LINES, line("g0", "twin")])
    both = [
        row
        for s in range(10, 110, 10)
        for row in (passed("g0", s, 10), Observation("twin", T0_MS + s * 1000, 10, 0, None))
    ]
    run(engine, [*quiet(1), Observation("twin", T0_MS + 1000, 0, 0, None)], 1, from_s=1)
    run(engine, both, 100)
    assert people(engine)[0] == 100


def test_a_count_by_eye_corrects_the_balance(place: Place) -> None:
    engine = Engine(place, LINES)
    run(engine, [passed("g0", s, 1000, 1000) for s in range(10, 3610, 10)], 3600)
    at = NIGHT + timedelta(seconds=3600)
    engine.count_by_person(PersonCount("id", DISTRICT, "z0", at, 800, 0.1, "lin"))
    engine.step(at + timedelta(seconds=1))
    zone = engine.frame(full=True)["zones"]["z0"]
    assert 500 < zone["people"] < 801
    assert zone["low"] < 800 < zone["high"]


def test_an_overfull_gate_is_told_once_and_when_it_is_well_again(place: Place) -> None:
    engine = Engine(place, LINES)
    rows = [passed("g0", s, 120) for s in range(10, 600, 10)] + [
        passed("g0", s, 50) for s in range(600, 1300, 10)
    ]
    changes = [e for e in run(engine, rows, 1200) if isinstance(e, FlowChange)]
    assert [(change.gate_id, change.exceeded) for change in changes] == [("g0", True), ("g0", False)]
    assert 66 < changes[0].flow <= 72


def test_the_flow_of_a_gate_is_people_per_metre_and_minute(place: Place) -> None:
    engine = Engine(place, LINES)
    run(engine, [passed("g0", s, 40, 20) for s in range(10, 310, 10)], 300)
    assert engine.frame(full=True)["gates"]["g0"] == {
        "flow": 36.0,
        "in_per_min": 240,
        "out_per_min": 120,
        "over": False,
    }


def test_a_slow_counter_gives_the_same_flow(place: Place) -> None:
    engine = Engine(place, [line("g0", period_s=300.0), *LINES[1:]])
    engine.take([passed("g0", 300, 1200, 600), *quiet(300, ("g1", "g2", "g3"))])
    engine.step(NIGHT + timedelta(seconds=300))
    assert engine.frame(full=True)["gates"]["g0"]["flow"] == 36.0


def test_a_frame_names_only_what_changed(place: Place) -> None:
    engine = Engine(place, LINES)
    run(engine, [passed("g0", 10, 100)], 10)
    assert set(engine.frame(full=False)["zones"]) == {"z0", "z1", "z2"}
    engine.take([passed("g0", 20, 10), *quiet(20, ("g1", "g2", "g3"))])
    engine.step(NIGHT + timedelta(seconds=20))
    changed = engine.frame(full=False)
    assert set(changed["zones"]) == {"z0"}
    assert set(engine.frame(full=True)["zones"]) == {"z0", "z1", "z2"}


def test_a_sensor_of_another_place_is_left_alone(place: Place) -> None:
    engine = Engine(place, LINES)
    engine.take([Observation("gone", T0_MS, 5, 0, None)])
    assert engine.step(NIGHT) == []


def test_a_rebuilt_engine_knows_what_the_old_one_knew(place: Place) -> None:
    rng = np.random.default_rng(7)
    rows = [passed("g0", 5, 2000)]
    for second in range(10, 7210, 10):
        rows += [
            passed(f"g{n}", second, int(rng.poisson(30 - 5 * n)), int(rng.poisson(28 - 5 * n)))
            for n in range(4)
        ]
        inside = sum(r.in_count - r.out_count for r in rows if r.sensor_id == "g0")
        inside -= sum(r.in_count - r.out_count for r in rows if r.sensor_id == "g1")
        rows += [seen("z0", second, max(0, inside))]
    sensors = [*LINES, head("z0")]
    old, new = Engine(place, sensors), Engine(place, sensors)
    run(old, rows, 7200)
    new.rebuild(columns(rows), [], NIGHT + timedelta(seconds=7200))
    new.settle(NIGHT + timedelta(seconds=7200))
    assert people(new) == people(old)
    assert [zone["quality"] for zone in new.frame(full=True)["zones"].values()] == [
        "both",
        "counted",
        "counted",
    ]
    assert len(new.drain_minutes()) == 120


def test_a_replay_widens_the_errors_once_a_minute(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    spread, widened = JointErrors.spread, []

    def counted(errors: JointErrors, at_ms: int) -> np.ndarray:
        widened.append(at_ms)
        return spread(errors, at_ms)

    monkeypatch.setattr(JointErrors, "spread", counted)
    rows = [row for second in range(10, 600, 20) for row in quiet(second)]
    Engine(place, LINES).rebuild(columns(rows), [], NIGHT + timedelta(seconds=600))
    assert len(widened) == 10


def test_a_rebuilt_engine_remembers_counts_by_eye_where_they_fell(place: Place) -> None:
    engine = Engine(place, LINES)
    rows = [
        passed("g0", 10, 5000, 5000),
        *quiet(20),
        passed("g0", 3600, 100),
        *quiet(3600, ("g1", "g2", "g3")),
    ]
    count = PersonCount("id", DISTRICT, "z0", NIGHT + timedelta(seconds=1800), 900, 0.01, "lin")
    engine.rebuild(columns(rows), [count], NIGHT + timedelta(seconds=3600))
    engine.settle(NIGHT + timedelta(seconds=3600))
    assert 700 < people(engine)[0] <= 1000


def test_a_fault_that_was_known_before_a_restart_is_told_when_it_ends_and_not_again(place: Place) -> None:
    engine = Engine(place, LINES, faults=[("g0", FaultReason.SILENT)], over_gates=["g1"])
    events = run(engine, [], 20)
    assert SensorChange("g0", ("z0",), FaultReason.SILENT, False) in events
    assert FlowChange("g1", False, 0.0) in events


def test_a_long_silence_is_told_and_its_end(place: Place) -> None:
    engine = Engine(place, LINES)
    run(engine, [], 60)
    events: list[object] = []
    for second in range(70, 700, 10):
        engine.take(quiet(second, ("g1", "g2", "g3")))
        events += engine.step(NIGHT + timedelta(seconds=second))
    assert events == [SensorChange("g0", ("z0",), FaultReason.SILENT, True)]
    assert run(engine, [], 710, from_s=700) == [SensorChange("g0", ("z0",), FaultReason.SILENT, False)]


def test_a_gap_in_a_counter_widens_the_interval_and_a_late_delivery_does_not(place: Place) -> None:
    def spread(rows: list[Observation], until_s: int) -> float:
        engine = Engine(place, LINES)
        engine.take(rows)
        engine.step(NIGHT + timedelta(seconds=until_s))
        zone = engine.frame(full=True)["zones"]["z0"]
        return float(zone["high"] - zone["low"])

    others = [row for s in range(10, 1210, 10) for row in quiet(s, ("g1", "g2", "g3"))]
    whole = [passed("g0", s, 50, 48) for s in range(10, 1210, 10)]
    gap = [row for row in whole if not 300_000 < row.at_ms - T0_MS <= 900_000]
    assert spread([*others, *whole], 1200) == spread([*others, *whole[60:], *whole[:60]], 1200)
    assert spread([*others, *gap], 1200) > 10 * spread([*others, *whole], 1200)


def test_a_new_day_begins_empty_where_no_head_counter_sees(place: Place) -> None:
    engine = Engine(place, [*LINES, head("z1")])
    before, dawn_s = 8 * 3600, 9 * 3600 + 60  # NIGHT is 20:00 in Shanghai, the day begins at 05:00
    engine.take([passed("g0", 10, 700), passed("g1", 10, 300), seen("z1", 20, 300)])
    engine.step(NIGHT + timedelta(seconds=30))
    rows = [*quiet(before), seen("z1", before, 300)]
    engine.take(rows)
    engine.step(NIGHT + timedelta(seconds=before))
    assert people(engine)[:2] == [400, 300]
    engine.take([*quiet(dawn_s), seen("z1", dawn_s, 300)])
    engine.step(NIGHT + timedelta(seconds=dawn_s))
    assert people(engine)[:2] == [0, 300]
