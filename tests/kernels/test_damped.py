"""The next two hours from the last day alone."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest
from tests.kernels.forecasts import START_MS

from anshang.crowds.calendars import day_grid
from anshang.kernels.damped import earlier_errors, look_ahead
from anshang.kernels.daygrid import DayGrid
from anshang.kernels.quantiles import LEVELS, MEDIAN

AHEAD = np.array([3, 12, 24])
STEPS = 312
NOTHING_USUAL = np.full((4, STEPS + 24), np.nan)


def evening(noise: float = 0.05, seed: int = 3) -> np.ndarray:
    """Four zones that fill towards ten at night, and what comes after."""
    hours = np.arange(STEPS + 24) / 12
    course = 100 + 900 * np.exp(-(((hours - 27) / 3.5) ** 2))
    rng = np.random.default_rng(seed)
    return course * np.array([0.5, 1, 1.5, 2])[:, None] * np.exp(rng.normal(0, noise, (4, len(hours))))


def test_a_crowd_that_grows_is_expected_to_grow_and_never_without_bound() -> None:
    whole = evening(0.01)
    told = look_ahead(whole[:, :STEPS], NOTHING_USUAL, 300, AHEAD)
    middle = told.quantiles[:, :, MEDIAN]
    now = whole[:, STEPS - 1]
    assert (middle[:, 0] > now).all()
    assert (middle[:, 2] < now * 4).all()


def test_what_is_usual_says_when_it_turns() -> None:
    usual = evening(0.0)
    told = look_ahead(usual[:, :STEPS] * 1.3, usual, 300, AHEAD)
    blind = look_ahead(usual[:, :STEPS] * 1.3, NOTHING_USUAL, 300, AHEAD)
    came = usual[:, STEPS - 1 + AHEAD] * 1.3
    knowing, guessing = (np.abs(t.quantiles[:, :, MEDIAN] - came).mean() for t in (told, blind))
    assert knowing < guessing


def test_intervals_are_those_of_its_own_errors() -> None:
    rng = np.random.default_rng(1)
    people = 1000 * np.exp(rng.normal(0, 0.1, (4, STEPS)))
    told = look_ahead(people, NOTHING_USUAL, 300, AHEAD)
    assert (np.diff(told.quantiles, axis=2) >= 0).all()
    wide = np.log(told.quantiles[0, 0, -2] / told.quantiles[0, 0, 1])
    assert wide == pytest.approx(2 * 1.2816 * 0.1, rel=0.5)


def test_what_is_unknown_now_is_not_forecast_and_holds_nobody_up() -> None:
    people = evening()[:, :STEPS]
    people[1, -12:] = np.nan
    told = look_ahead(people, NOTHING_USUAL, 300, AHEAD)
    assert np.isnan(told.quantiles[1]).all()
    assert np.isfinite(told.quantiles[[0, 2, 3]]).all()


def test_the_first_minutes_stand_on_a_guess_that_widens() -> None:
    people = np.full((4, STEPS), np.nan)
    people[:, -3:] = 800
    told = look_ahead(people, NOTHING_USUAL, 300, AHEAD)
    width = told.quantiles[0, :, LEVELS.index(0.9)] - told.quantiles[0, :, LEVELS.index(0.1)]
    assert (np.diff(width) > 0).all()
    assert told.trusted[0] == 0


def test_an_empty_district_stays_empty() -> None:
    told = look_ahead(np.zeros((4, STEPS)), NOTHING_USUAL, 300, AHEAD)
    assert told.quantiles.max() < 5


def test_a_crowd_that_grew_more_than_forecast_is_not_for_that_forecast_to_grow_on() -> None:
    hours = np.arange(STEPS) / 12
    bursts = 500 * 1.5 ** np.floor(hours[-72:] - hours[-72])  # by half each hour, at once, then quiet
    people = np.concatenate([np.full(STEPS - 72, 500.0), bursts])[None]
    told = look_ahead(people, NOTHING_USUAL[:1], 300, AHEAD)
    assert told.quantiles[0, 0, MEDIAN] == pytest.approx(people[0, -1], rel=0.02)
    falling = look_ahead(people[:, ::-1] + 0.0, NOTHING_USUAL[:1], 300, AHEAD)
    assert falling.quantiles[0, :, MEDIAN].max() <= people[0, 0] * 1.02


def days_of(count: int, width: float, seed: int = 5) -> tuple[np.ndarray, DayGrid]:
    """Quarters of four zones whose evenings come earlier or later."""
    grid = day_grid(START_MS, count * 96, 900, UTC)
    late = np.random.default_rng(seed).normal(0, width, count)
    hours = grid.slot / 4 - late[grid.day]
    course = 100 + 900 * np.exp(-(((hours - 19) / 2) ** 2))
    return course * np.array([0.5, 1, 1.5, 2])[:, None], grid


def test_errors_of_earlier_days_at_this_hour_widen_what_a_quiet_day_has_not_shown_yet() -> None:
    people, grid = days_of(12, 0.7)
    usual = np.repeat(people.reshape(4, 12, 96).mean(axis=1)[:, None], 12, axis=1).reshape(4, -1)
    earlier = earlier_errors(people, usual, grid, 300, AHEAD)
    now = np.repeat(usual[:, 96 : 96 + 104], 3, axis=1)[:, :STEPS]
    known = np.concatenate([now, np.repeat(usual[:, 200:208], 3, axis=1)], axis=1)
    alone, knowing, at_night = (
        look_ahead(now, known, 300, AHEAD, errors).quantiles[:, 1]
        for errors in (None, earlier.at(72), earlier.at(8))
    )
    width = [np.log(each[:, -2] / each[:, 1]).mean() for each in (alone, knowing, at_night)]
    assert width[1] > 3 * width[0]
    assert width[2] < width[1] / 3


def test_without_what_is_usual_earlier_days_tell_when_it_empties() -> None:
    people, grid = days_of(6, 0.1)
    earlier = earlier_errors(people, None, grid, 300, AHEAD)
    now = np.repeat(people[:, -96 - 8 : -12], 3, axis=1)  # until 21:00
    middle = [
        look_ahead(now, np.full((4, now.shape[1] + 24), np.nan), 300, AHEAD, errors).quantiles[:, 2, MEDIAN]
        for errors in (None, earlier.at(83))
    ]
    came = people[:, -12 + 7]
    assert np.abs(middle[1] - came).mean() < np.abs(middle[0] - came).mean() / 2
    assert earlier.at(83).days == pytest.approx(np.full(3, 6), rel=0.2)


def test_a_zone_never_counted_says_nothing_of_errors() -> None:
    people, grid = days_of(3, 0.1)
    people[:] = np.nan
    assert earlier_errors(people, None, grid, 300, AHEAD).at(40).days.tolist() == [0, 0, 0]
