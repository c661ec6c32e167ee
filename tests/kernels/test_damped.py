"""The next two hours from the last day alone."""

from __future__ import annotations

import numpy as np
import pytest

from anshang.kernels.damped import look_ahead
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
    assert (told.error < told.error_still).all()


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
    inside = [told.covered80[0], told.covered80[1]]
    assert all(0.7 <= share <= 0.9 for share in inside)
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
    assert told.outcomes[0] == 0
    assert np.isnan(told.covered80).all()


def test_an_empty_district_stays_empty() -> None:
    told = look_ahead(np.zeros((4, STEPS)), NOTHING_USUAL, 300, AHEAD)
    assert told.quantiles.max() < 5


def test_who_asks_for_no_judgement_hears_the_same_of_what_comes() -> None:
    people = evening()[:, :STEPS]
    judged = look_ahead(people, NOTHING_USUAL, 300, AHEAD)
    told = look_ahead(people, NOTHING_USUAL, 300, AHEAD, judged=False)
    assert (told.quantiles == judged.quantiles).all()
    assert judged.outcomes.min() > 0
    assert told.outcomes.tolist() == [0, 0, 0]
    assert np.isnan(told.covered80).all()
