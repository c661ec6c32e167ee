"""Rows out of their time: late ones, yesterday's, and those of a clock that is ahead."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import NIGHT
from tests.crowds.conftest import LINES, T0_MS, head, passed, people, quiet, run, seen

from anshang.crowds.engine import Engine
from anshang.crowds.model import FlowChange, Observation
from anshang.places.model import Place


def test_a_late_row_still_counts(place: Place) -> None:
    engine = Engine(place, LINES)
    run(engine, [passed("g0", 10, 100)], 300)
    engine.take([passed("g0", 60, 40)])
    engine.step(NIGHT + timedelta(seconds=301))
    assert people(engine)[0] == 140


def test_one_clock_that_is_far_ahead_blinds_nobody(place: Place) -> None:
    """Its row counts, at the present: the others are not made to look old, nor it to speak for ever."""
    engine = Engine(place, LINES)
    busy = [passed("g0", s, 200) for s in range(10, 610, 10)]
    run(engine, busy[:30], 300)
    assert engine.frame(full=True)["gates"]["g0"]["over"]
    engine.take([Observation("g3", T0_MS + 2_100_000, 0, 1, None)])
    events = run(engine, busy[30:], 400, from_s=310)
    assert [e for e in events if isinstance(e, FlowChange)] == []
    assert engine.frame(full=True)["gates"]["g0"]["flow"] > 66
    for second in range(410, 480, 10):  # the others go on, the one with the wrong clock is mute
        engine.take([row for row in quiet(second) if row.sensor_id != "g3"])
        engine.step(NIGHT + timedelta(seconds=second))
    assert engine.frame(full=True)["zones"]["z2"]["level"] is None


def test_yesterdays_late_rows_change_nothing_today(place: Place) -> None:
    engine = Engine(place, LINES)
    run(engine, [passed("g0", 10, 100)], 100)
    engine.take([Observation("g0", T0_MS - 20 * 3_600_000, 3000, 0, None)])
    engine.step(NIGHT + timedelta(seconds=101))
    assert people(engine)[0] == 100


def test_a_head_count_that_comes_late_says_nothing_about_the_present(place: Place) -> None:
    engine = Engine(place, [head("z0")])
    for second in range(10, 310, 10):
        engine.take([seen("z0", second, 3000)])
        engine.step(NIGHT + timedelta(seconds=second))
    before = people(engine)[0]
    engine.take([seen("z0", second, 300) for second in range(11, 61, 10)])
    engine.step(NIGHT + timedelta(seconds=301))
    assert people(engine)[0] == before
