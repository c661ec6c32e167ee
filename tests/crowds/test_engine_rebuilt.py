"""An engine built anew, in the middle of a day on which sensors came and went."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import NIGHT
from tests.crowds.conftest import LINES, T0_MS, columns, head, line, passed, people, quiet, seen

from anshang.crowds.engine import Engine
from anshang.crowds.model import Observation, Sensor, SensorChange
from anshang.places.model import Place

HOUR_S = 3600


def hour(gate: str, begin_s: int, into: int) -> list[Observation]:
    """A word every ten seconds of an hour."""
    return [passed(gate, second, into) for second in range(begin_s + 10, begin_s + HOUR_S + 1, 10)]


def still(begin_s: int) -> list[Observation]:
    """The other gates, where nobody passes."""
    return [row for gate in ("g1", "g2", "g3") for row in hour(gate, begin_s, 0)]


def built(place: Place, sensors: list[Sensor], rows: list[Observation], until_s: int) -> Engine:
    engine = Engine(place, sensors)
    now = NIGHT + timedelta(seconds=until_s)
    engine.rebuild(columns(rows), [], now)
    engine.settle(now)
    return engine


def test_a_counter_that_was_retired_leaves_its_counts_in_the_balance(place: Place) -> None:
    retired = replace(line("g0"), retired_at=NIGHT + timedelta(seconds=HOUR_S))
    rows = [*hour("g0", 0, 5), *still(0), *still(HOUR_S)]
    engine = built(place, [retired, *LINES[1:]], rows, 2 * HOUR_S)
    assert engine.occupancy.people[0] == 1800
    assert people(engine)[0] is None, "nothing counts at g0 any more"
    assert engine.occupancy.silent_since_ms(0) is None, "and nothing is silent there"
    events = engine.step(NIGHT + timedelta(seconds=2 * HOUR_S + 600))
    told = {event.sensor_id for event in events if isinstance(event, SensorChange)}
    assert told == {"g1", "g2", "g3"}, "what was taken down is no fault when it is mute"


def test_a_counter_that_replaces_another_goes_on_from_its_balance(place: Place) -> None:
    retired = replace(line("g0"), retired_at=NIGHT + timedelta(seconds=HOUR_S))
    rows = [*hour("g0", 0, 5), *hour("new", HOUR_S, 5), *still(0), *still(HOUR_S)]
    engine = built(place, [retired, line("g0", "new"), *LINES[1:]], rows, 2 * HOUR_S)
    assert people(engine)[0] == 3600


@pytest.mark.parametrize("until_s", [HOUR_S, 2 * HOUR_S])
def test_a_twin_that_never_spoke_halves_nothing(place: Place, until_s: int) -> None:
    rows = [*hour("g0", 0, 5), *still(0)] + (
        [*hour("g0", HOUR_S, 5), *still(HOUR_S)] if until_s > HOUR_S else []
    )
    engine = built(place, [*LINES, line("g0", "mute")], rows, until_s)
    assert people(engine)[0] == until_s // 2


def test_two_counters_of_a_gate_count_once_also_when_one_spoke_only_for_a_while(place: Place) -> None:
    rows = [*hour("g0", 0, 5), *still(0), *hour("g0", HOUR_S, 5), *still(HOUR_S), *hour("twin", HOUR_S, 5)]
    rows += [*hour("g0", 2 * HOUR_S, 5), *still(2 * HOUR_S)]
    engine = built(place, [*LINES, line("g0", "twin")], rows, 3 * HOUR_S)
    assert people(engine)[0] == pytest.approx(5400, abs=30), "to the minute in which it fell silent"


def test_a_slow_twin_shares_its_gate_between_its_words_too(place: Place) -> None:
    slow = [passed("slow", second, 150) for second in range(300, HOUR_S + 1, 300)]
    engine = built(place, [*LINES, line("g0", "slow", 300.0)], [*hour("g0", 0, 5), *slow, *still(0)], HOUR_S)
    assert people(engine)[0] == pytest.approx(1800, abs=160), "but for the minutes before its first word"


def test_a_head_counter_corrects_a_replayed_balance_as_it_did_when_it_was_live(place: Place) -> None:
    rows = sorted(
        [
            *hour("g0", 0, 5),
            *still(0),
            *(seen("z0", s, 5 * s // 10 + 200) for s in range(10, HOUR_S + 1, 10)),
        ],
        key=lambda row: row.at_ms,
    )
    live = Engine(place, [*LINES, head("z0")])
    for second in range(10, HOUR_S + 1, 10):
        live.take([row for row in rows if row.at_ms == T0_MS + second * 1000])
        live.settle(NIGHT + timedelta(seconds=second))
    again = built(place, [*LINES, head("z0")], rows, HOUR_S)
    assert people(again)[0] == pytest.approx(people(live)[0], rel=0.01)
    assert again.occupancy.sigma[0] == pytest.approx(live.occupancy.sigma[0], rel=0.25)


def test_a_row_ahead_of_now_is_one_of_the_present(place: Place) -> None:
    rows = [*hour("g0", 0, 5), *still(0), passed("g0", HOUR_S + 3000, 7), *quiet(HOUR_S, ("g1",))]
    engine = built(place, list(LINES), rows, HOUR_S)
    assert engine.occupancy.last_ms.max() == T0_MS + HOUR_S * 1000
    assert people(engine)[0] == 1807


def test_a_restart_doubts_no_more_than_before(place: Place) -> None:
    """The store gives back sums of minutes: a minute between two of them is no silence of the counter."""
    live = Engine(place, list(LINES))
    sums = []
    for minute in range(15):
        for second in range(60 * minute + 10, 60 * minute + 61, 10):
            live.take([passed("g0", second, 9, 6), *quiet(second, ("g1", "g2", "g3"))])
            live.settle(NIGHT + timedelta(seconds=second))
        sums += [passed("g0", 60 * minute + 59, 54, 36), *quiet(60 * minute + 59, ("g1", "g2", "g3"))]
    again = built(place, list(LINES), sums, 900)
    assert people(again) == people(live)
    assert again.occupancy.sigma == pytest.approx(live.occupancy.sigma, rel=0.1)
