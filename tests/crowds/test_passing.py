"""What is expected of counters and gates, from the rows that came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from tests.conftest import DISTRICT, NIGHT
from tests.crowds.conftest import head, line

from anshang.crowds import actions
from anshang.crowds.passing import Passing
from anshang.crowds.telemetry import observations_table
from anshang.foundation import clock
from anshang.foundation.database import Database, insert_new
from anshang.people.model import operator_actor

pytestmark = pytest.mark.postgres
MoveOn = Callable[[timedelta], None]


def rows(begin: int, end: int, passing: Callable[[int], int], sensor: str) -> list[tuple[object, ...]]:
    """One row a minute of a line counter; minutes count from NIGHT."""
    at_ms = clock.to_ms(NIGHT)
    return [
        (
            DISTRICT,
            sensor,
            at_ms + minute * 60_000 + 10_000,
            passing(minute),
            0,
            None,
            at_ms + minute * 60_000,
        )
        for minute in range(begin, end)
    ]


@pytest.fixture
def counted(district: Database) -> Database:
    """Two counters at one gate, one at another, and a head counter."""
    with district.transaction(DISTRICT) as tx:
        for sensor in (line("g1", "a"), line("g1", "b"), line("g2", "c"), head("z1")):
            actions.define_sensor(tx, actor=operator_actor(DISTRICT), sensor=sensor)
    return district


def test_counters_and_gates_that_speak_are_expected_and_silent_ones_are_not(
    counted: Database, night: MoveOn
) -> None:
    rng = np.random.default_rng(2)
    told = [
        *rows(-240, 0, lambda minute: int(rng.poisson(60)), "a"),
        *rows(-240, 0, lambda minute: int(rng.poisson(80)), "b"),
        *rows(-240, -60, lambda minute: 50, "c"),
    ]
    counted.bulk(DISTRICT, lambda connection: insert_new(connection, observations_table, told))
    seen = Passing(counted).renew(DISTRICT)
    assert set(seen.lines) == {"a", "b"}
    assert set(seen.gates) == {"g1"}
    assert seen.heads == {}
    for name, band, usual in (
        ("a", seen.lines["a"], 60),
        ("b", seen.lines["b"], 80),
        ("g1", seen.gates["g1"], 70),
    ):
        for low, middle, high in zip(band.low, band.middle, band.high, strict=True):
            assert low <= middle <= high, name
            assert middle == pytest.approx(usual, rel=0.25), name


def test_what_comes_late_is_taken_up_and_a_minute_later_the_same_comes_of_less_reading(
    counted: Database, night: MoveOn
) -> None:
    passing = Passing(counted)
    assert passing.find(DISTRICT) is None
    counted.bulk(
        DISTRICT, lambda c: insert_new(c, observations_table, rows(-240, -2, lambda minute: 60, "a"))
    )
    passing.renew(DISTRICT)
    late = rows(-2, 2, lambda minute: 60, "a")
    counted.bulk(DISTRICT, lambda connection: insert_new(connection, observations_table, late))
    night(timedelta(minutes=2))
    went_on, anew = passing.renew(DISTRICT), Passing(counted).renew(DISTRICT)
    assert passing.find(DISTRICT) is went_on
    assert went_on.lines == anew.lines
    assert went_on.lines["a"].middle[0] == pytest.approx(60, abs=1)
