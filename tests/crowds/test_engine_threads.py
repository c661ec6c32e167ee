"""The crowd as other threads see it: the last whole step, and minutes that lie where they belong."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta

import numpy as np
import pytest
from tests.conftest import NIGHT
from tests.crowds.conftest import LINES, T0_MS, columns, head, passed, people, quiet, run, seen

from anshang.crowds.ahead import Band
from anshang.crowds.engine import Engine
from anshang.crowds.given import ZoneFigures
from anshang.crowds.model import Observation
from anshang.crowds.occupancy import Rows
from anshang.crowds.past import MEMORY_MINUTES, Past
from anshang.places.model import Place

MINUTE_MS = 60_000


def test_another_thread_never_sees_half_a_step(place: Place) -> None:
    engine = Engine(place, LINES)
    run(engine, [passed("g0", 10, 500)], 20)
    before, density = engine.zone_figures(), engine.density_of("z0")
    one = np.array([1.0])
    rows = Rows(np.array([T0_MS + 30_000]), np.array([0]), 700 * one, 0 * one, np.nan * one)
    engine.occupancy.apply(T0_MS + 30_000, rows)  # the step that is under way elsewhere
    assert (engine.zone_figures(), engine.density_of("z0")) == (before, density)
    engine.take(quiet(30))
    engine.step(NIGHT + timedelta(seconds=30))
    assert engine.zone_figures()[0][1] == 1200


@pytest.mark.slow
def test_a_minute_that_two_threads_keep_at_once_lies_where_it_belongs() -> None:
    zones = [f"z{n}" for n in range(40)]
    past = Past(zones, 0, np.full((len(zones), MEMORY_MINUTES), np.nan), None, 0)
    minutes, both = MEMORY_MINUTES + 200, threading.Barrier(2)

    def keep() -> None:
        for minute in range(1, minutes + 1):
            figures: list[ZoneFigures] = [(id, float(minute), None, None, None, None) for id in zones]
            both.wait()
            past.put(minute * MINUTE_MS, figures)
            both.wait()

    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=keep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before_s)
    expected = np.arange(minutes - MEMORY_MINUTES + 1, minutes + 1, dtype=float)
    assert (past.people == expected).all()


def test_a_minute_that_was_unknown_stays_unknown_after_a_restart(place: Place) -> None:
    rows = [row for second in range(10, 301, 10) for row in quiet(second)]
    rows += [row for second in range(310, 601, 10) for row in quiet(second, ("g1", "g2", "g3"))]
    rows += [row for second in range(610, 901, 10) for row in quiet(second)]
    engine = Engine(place, LINES)
    engine.rebuild(columns(rows), [], NIGHT + timedelta(seconds=900))
    engine.settle(NIGHT + timedelta(seconds=900))
    assert people(engine)[0] is not None, "known now"
    kept = {
        (at_ms - T0_MS) // MINUTE_MS: {each[0] for each in zones} for at_ms, zones in engine.drain_minutes()
    }
    assert "z0" in kept[3]
    assert not any("z0" in kept[minute] for minute in (6, 7, 8, 9)), "its gate was silent"
    assert "z2" in kept[7]


@pytest.mark.parametrize("sensors", [LINES, []])
def test_a_head_count_from_the_future_says_nothing_of_the_present(place: Place, sensors: list) -> None:  # type: ignore[type-arg]
    engine = Engine(place, [*sensors, head("z1")])
    run(engine, [seen("z1", second, 200) for second in range(10, 61, 10)], 60)
    before = people(engine)[1]
    ahead = Observation("hz1", T0_MS + 59 * MINUTE_MS, 0, 0, 9_999)
    engine.take([*quiet(70), ahead])
    engine.step(NIGHT + timedelta(seconds=70))
    assert people(engine)[1] == pytest.approx(before, abs=2)
    again = Engine(place, [*sensors, head("z1")])
    again.rebuild(columns([*quiet(70), seen("z1", 70, 20), ahead]), [], NIGHT + timedelta(seconds=70))
    again.settle(NIGHT + timedelta(seconds=70))
    assert people(again)[1] is not None
    assert people(again)[1] < 50


def test_nobody_stands_at_ninety_two_people_a_square_metre(place: Place) -> None:
    engine = Engine(place, [head("z1")])
    run(engine, [seen("z1", second, 200) for second in range(10, 61, 10)], 60)
    run(engine, [seen("z1", second, 92_000) for second in range(70, 91, 10)], 80, from_s=70)
    assert people(engine)[1] == pytest.approx(200, abs=5)
    events = run(engine, [seen("z1", second, 92_000) for second in range(90, 121, 10)], 120, from_s=90)
    assert people(engine)[1] is None, "what shows what cannot be is not believed"
    assert [getattr(event, "sensor_id", None) for event in events] == ["hz1"]


def test_what_is_ahead_is_never_shown_as_better_known_than_the_present() -> None:
    band = Band(middle=(210.0, 250.0), low=(200.0, 150.0), high=(220.0, 400.0))
    shown = band.beside(85.0)
    assert shown.high[0] - shown.low[0] >= 2 * 85.0
    assert shown.low[1] < 150.0 < 400.0 < shown.high[1]
    assert band.beside(0.0) == band
