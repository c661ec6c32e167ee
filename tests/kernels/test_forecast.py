"""What a forecast may know, what it promises, and that it learns what is there to be learnt."""

from __future__ import annotations

import itertools
from statistics import NormalDist

import numpy as np
import pytest
from tests.kernels.forecasts import street

from anshang.crowds.forecasting import LEVELS, MIDDLE, Forecaster
from anshang.kernels import forecast, quantiles
from anshang.kernels.climate import climate
from anshang.kernels.daygrid import DayGrid, Reals
from anshang.kernels.forecast import History, Rows
from anshang.kernels.quantiles import chance_over

KNOWN = 30 * 24


def past(counts: Reals, grid: DayGrid, known: int) -> History:
    """Counts with their climate."""
    return forecast.history(counts, grid, climate(counts, grid, known))


def rows_of(sensors: int, first: int, end: int, ahead: int) -> Rows:
    origin = np.arange(first, end - ahead)
    return Rows(
        np.tile(np.arange(sensors), len(origin)),
        np.repeat(origin, sensors),
        np.full(sensors * len(origin), ahead),
    )


@pytest.mark.parametrize("ahead", [1, 2, 12])
def test_nothing_that_comes_later_changes_what_is_said(ahead: int) -> None:
    counts, grid = street()
    rng = np.random.default_rng(5)
    at = 33 * 24 + 10
    shuffled = counts.copy()
    shuffled[:, at + 1 :] = rng.permutation(counts[:, at + 1 :], axis=1) * 3
    cut = counts.copy()
    cut[:, at + 1 :] = np.nan
    rows = rows_of(3, at - 40, at + 1 + ahead, ahead)
    told = [forecast.features(past(each, grid, KNOWN), rows)[:2] for each in (counts, shuffled, cut)]
    for asked, usual in told[1:]:
        np.testing.assert_array_equal(asked, told[0][0])
        np.testing.assert_array_equal(usual, told[0][1])


def test_a_forecast_of_a_later_fold_does_not_change_one_before() -> None:
    counts, grid = street(44)
    changed = counts.copy()
    changed[:, 38 * 24 :] = 9_999
    told = []
    for each in (counts, changed):
        seen = past(each, grid, KNOWN)
        forecaster = Forecaster(threads=1)
        told.append(forecaster.tell(seen, KNOWN, rows_of(3, KNOWN - 1, 38 * 24, 2)).quantiles)
    np.testing.assert_array_equal(told[0], told[1])


def test_the_present_says_more_than_the_usual() -> None:
    counts, grid = street(60)
    known = 45 * 24
    seen = past(counts, grid, known)
    rows = forecast.counted(seen, rows_of(3, known - 1, counts.shape[1], 1))
    told = Forecaster(threads=1).tell(seen, known, rows)
    came = counts[rows.series, rows.origin + 1]
    usual = seen.climate.usual[rows.series, grid.day[rows.origin + 1], grid.slot[rows.origin + 1]]
    assert np.abs(told.point - came).mean() < 0.8 * np.abs(usual - came).mean()
    assert (np.diff(told.quantiles, axis=1) >= 0).all()
    assert (told.quantiles >= 0).all()


def test_intervals_hold_what_they_promise() -> None:
    counts, grid = street(90, sensors=6)
    known = 50 * 24
    seen = past(counts, grid, known)
    rows = forecast.counted(seen, rows_of(6, known - 1, counts.shape[1], 2))
    told = Forecaster(threads=1).tell(seen, known, rows)
    came = counts[rows.series, rows.origin + 2]
    inside = np.mean((came >= told.quantiles[:, 1]) & (came <= told.quantiles[:, -2]))
    assert 0.75 <= inside <= 0.85
    assert 0.45 <= np.mean(came <= told.quantiles[:, MIDDLE]) <= 0.55


def test_the_chance_of_a_limit_agrees_with_the_quantiles() -> None:
    quantiles = np.array([[10.0, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]])
    for level, limit in ((0.1, 20.0), (0.5, 60.0), (0.9, 100.0)):
        told = chance_over(quantiles, LEVELS, np.array([limit]))
        assert told[0] == pytest.approx(1 - level, abs=1e-6)
    rising = [chance_over(quantiles, LEVELS, np.array([float(limit)]))[0] for limit in range(0, 200, 5)]
    assert all(a >= b for a, b in itertools.pairwise(rising))
    assert rising[0] > 0.99
    assert rising[-1] < 0.01


def test_a_year_of_zeros_is_forecast_as_nobody() -> None:
    counts, grid = street(40)
    counts[0] = 0
    seen = past(counts, grid, KNOWN)
    rows = rows_of(3, KNOWN - 1, 33 * 24, 1)
    told = Forecaster(threads=1).tell(seen, KNOWN, rows)
    assert told.quantiles[rows.series == 0].max() < 1.0


def test_a_sensor_that_was_silent_for_a_month_is_forecast_from_what_is_usual() -> None:
    counts, grid = street(75)
    counts[1, 40 * 24 : 70 * 24] = np.nan
    seen = past(counts, grid, 60 * 24)
    rows = rows_of(3, 71 * 24, 74 * 24, 1)
    told = Forecaster(threads=1).tell(seen, 60 * 24, rows)
    mine = rows.series == 1
    came = counts[1, rows.origin[mine] + 1]
    assert np.isfinite(told.quantiles).all()
    assert np.abs(told.point[mine] - came).mean() < 0.5 * came.mean()


def test_the_normal_distribution_is_exact_far_out_too() -> None:
    """What an approximation gets wrong first is the chance that matters here: that of a rare evening."""
    scores = np.array([-8.0, -5.0, -3.0, -1.0, 0.0, 0.5, 2.0, 6.0])
    exact = [NormalDist().cdf(each) for each in scores.tolist()]
    assert quantiles._normal_cdf(scores) == pytest.approx(exact, rel=1e-12)
