"""From which chance on a zone is warned of: chosen on what came, within a budget of false warnings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from tests.conftest import DISTRICT

from anshang.crowds import store as crowd_store
from anshang.crowds import trained_store as store
from anshang.crowds.model import Level, Measure
from anshang.crowds.thresholds import (
    CANDIDATES,
    CHANCE_MIN,
    QUARTER_MS,
    Chance,
    Thresholds,
    chosen,
    false_count,
)
from anshang.foundation import clock, ids
from anshang.foundation.database import Database

DAY_MS = 86_400_000


def evening(day: int, chance: float, came: bool) -> list[Chance]:
    """Three quarters of one evening."""
    return [(day * DAY_MS + step * QUARTER_MS, chance, came and step == 1) for step in range(3)]


def test_chances_near_in_time_are_one_warning_and_false_only_when_none_came() -> None:
    chances = [*evening(0, 0.6, True), *evening(1, 0.6, False), *evening(2, 0.4, False)]
    assert (false_count(chances, 0.5), false_count(chances, 0.3), false_count(chances, 0.7)) == (1, 2, 0)


def test_the_lowest_threshold_within_the_budget_is_chosen() -> None:
    crying = [each for day in range(20) for each in evening(day, 0.55, False)]
    right = [each for day in range(20) for each in evening(day, 0.7, True)]
    assert chosen(crying, 20) == 0.6
    assert chosen(right, 20) == CANDIDATES[0]
    assert chosen([(at, 1.0, False) for at, *_ in crying], 20) == CANDIDATES[-1]


def test_with_few_days_it_stays_at_more_likely_than_not() -> None:
    assert chosen(evening(0, 0.9, False), 13.9) == CHANCE_MIN


@pytest.mark.postgres
def test_chances_are_kept_beside_what_came_within_the_hour(
    database: Database, night: Callable[[timedelta], None]
) -> None:
    thresholds = Thresholds(database)
    begun_ms = clock.to_ms(clock.now()) // QUARTER_MS * QUARTER_MS
    for minute in range(0, 136):
        end_ms = begun_ms + minute * 60_000
        level = Level.ALERT if 70 <= minute < 80 else Level.CAUTION
        levels = {"z1": level, "z2": Level.NORMAL, "z3": None}
        thresholds.see(DISTRICT, end_ms, levels)
        if minute % 15 == 0:
            thresholds.remember(DISTRICT, end_ms, {"z1": 0.6, "z2": 0.01, "z3": 0.2})
    with database.reading([DISTRICT]) as connection:
        kept = store.list_chances(connection, DISTRICT, 0)
    told = {zone: [((at - begun_ms) // 60_000, came) for at, _, came in each] for zone, each in kept.items()}
    assert told == {
        "z1": [(0, False), (15, True), (30, True), (45, True), (60, True)],
        "z3": [(minute, False) for minute in (0, 15, 30, 45, 60, 75)],
    }
    assert set(thresholds.of(DISTRICT).values()) == {CHANCE_MIN}


@pytest.mark.postgres
@pytest.mark.parametrize(("acted_on", "threshold"), [(0, CANDIDATES[-1]), (2, 0.3), (4, 0.3), (20, 0.3)])
def test_dangers_that_the_desk_averts_never_make_it_warned_later(
    database: Database, night: Callable[[timedelta], None], acted_on: int, threshold: float
) -> None:
    """Two false evenings in 59 days are within the budget; of four, those that were averted are not false."""
    now_ms = clock.to_ms(clock.now())
    first_ms = now_ms - 59 * DAY_MS
    evenings = max(4, acted_on)
    chances = [
        ("z1", first_ms + at, chance, came)
        for day in range(evenings)
        for at, chance, came in evening(day, 0.85, False)
    ]
    outcome = (first_ms, 900, "", 3, 1.0, 1.0, 1.0, 1.0, 3, 3)

    def keep(connection) -> None:  # type: ignore[no-untyped-def]
        store.keep_chances(connection, DISTRICT, chances)
        store.keep_outcomes(connection, DISTRICT, [outcome])

    database.bulk(DISTRICT, keep)
    with database.transaction(DISTRICT) as tx:
        for day in range(acted_on):
            at = clock.from_ms(first_ms + day * DAY_MS + 40 * 60_000)
            crowd_store.measures.add(tx, measure("z1", at))
        crowd_store.measures.add(tx, measure("z2", clock.from_ms(first_ms)))
    assert dict(Thresholds(database).of(DISTRICT)) == {"z1": threshold}


def measure(zone_id: str, at: datetime) -> Measure:
    return Measure(ids.new_id(), DISTRICT, zone_id, None, "staff.to_zone", "", at, "desk", 2.0)


@pytest.mark.postgres
def test_a_zone_that_cried_too_often_is_warned_of_later_from_the_next_day_on(
    database: Database, night: Callable[[timedelta], None]
) -> None:
    now_ms = clock.to_ms(clock.now())
    first_ms = now_ms - 30 * DAY_MS
    crying = [
        ("z1", first_ms + at, chance, came)
        for day in range(20)
        for at, chance, came in evening(day, 0.55, False)
    ]
    outcome = (first_ms, 900, "", 3, 1.0, 1.0, 1.0, 1.0, 3, 3)

    def keep(connection) -> None:  # type: ignore[no-untyped-def]
        store.keep_chances(connection, DISTRICT, crying)
        store.keep_outcomes(connection, DISTRICT, [outcome])

    thresholds = Thresholds(database)
    assert dict(thresholds.of(DISTRICT)) == {}
    database.bulk(DISTRICT, keep)
    assert dict(thresholds.of(DISTRICT)) == {}
    night(timedelta(days=1))
    assert dict(thresholds.of(DISTRICT)) == {"z1": 0.6}
    with database.reading([DISTRICT]) as connection:
        assert store.first_outcome_ms(connection, DISTRICT, now_ms) is None
