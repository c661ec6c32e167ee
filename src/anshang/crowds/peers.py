"""What a forecast is measured against: simple and well-known methods, on the same origins in the same run.

Each learns from the first `known` steps and, for a row, from what was seen up to its origin; it answers a
point and quantiles at `LEVELS`. Where a method says nothing of its uncertainty, the spread of its own past
errors is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from anshang.crowds.forecasting import LEVELS, MIDDLE, Told
from anshang.kernels.daygrid import DAY_S, HOUR_S, WEEK_DAYS, Floats, Ints, Reals, RunningSums, mean_known
from anshang.kernels.forecast import History, Rows, draw, target_of
from anshang.kernels.trees import lightgbm as lgb

WEEKS = 8
ERROR_ROWS, PLAIN_ROWS, PLAIN_ROUNDS = 60_000, 200_000, 100


class Peer(Protocol):
    """(history, known steps, rows, threads) → what it says of the rows."""

    def __call__(self, past: History, known: int, rows: Rows, threads: int) -> Told: ...


def historical_mean(past: History, known: int, rows: Rows, threads: int) -> Told:
    """The mean of all earlier weeks at this time of the week; the quantiles are theirs."""
    grid = past.grid
    weekly = np.full((len(past.counts), grid.days // WEEK_DAYS + 2, WEEK_DAYS * grid.slots), np.nan)
    monday = grid.day[:known] - grid.weekday[grid.day[:known]] + WEEK_DAYS
    slot = grid.weekday[grid.day[:known]] * grid.slots + grid.slot[:known]
    weekly[:, monday // WEEK_DAYS, slot] = past.counts[:, :known]
    with np.errstate(all="ignore"):
        mean = np.nanmean(weekly, axis=1)
        quantiles = np.nanquantile(weekly, LEVELS, axis=1)
    overall = np.nan_to_num(mean_known(mean, axis=1))
    day, at = target_of(past.grid, rows)
    place = grid.weekday[day] * grid.slots + at
    point = mean[rows.series, place]
    told = quantiles[:, rows.series, place].T
    missing = np.isnan(point)
    point[missing] = overall[rows.series[missing]]
    told[missing] = point[missing, None]
    return Told(point, told)


def last_weeks(past: History, known: int, rows: Rows, threads: int) -> Told:
    """Quantiles of the last eight weeks at this time of the week."""
    weeks = np.stack([_ago(past, rows, WEEK_DAYS * back) for back in range(1, WEEKS + 1)], axis=1)
    usual = np.nan_to_num(past.climate.usual[rows.series, *target_of(past.grid, rows)])
    weeks[np.isnan(weeks).all(axis=1), 0] = usual[np.isnan(weeks).all(axis=1)]
    quantiles = np.nanquantile(weeks, LEVELS, axis=1).T
    return Told(quantiles[:, MIDDLE], quantiles)


def seasonal_naive(past: History, known: int, rows: Rows, threads: int) -> Told:
    """The count a week before."""
    return _with_errors(past, known, rows, lambda asked: _ago(past, asked, WEEK_DAYS))


def persistence(past: History, known: int, rows: Rows, threads: int) -> Told:
    """The last count."""
    return _with_errors(past, known, rows, lambda asked: past.counts[asked.series, asked.origin])


def plain_lightgbm(past: History, known: int, rows: Rows, threads: int) -> Told:
    """LightGBM on counts: lags and calendar, its own settings, a model for each level."""
    rng = np.random.default_rng(0)
    first = min(known // 3, WEEK_DAYS * past.grid.slots)
    learn = draw(past, first, known, np.unique(rows.ahead), rng, PLAIN_ROWS)
    sums, every = RunningSums(past.counts), np.arange(past.counts.shape[1])
    hour, day = (sums.mean_before(past.grid.steps(seconds), every) for seconds in (HOUR_S, DAY_S))
    asked, wanted = (_plain_features(past, each, hour, day) for each in (learn, rows))
    count = past.counts[learn.series, learn.origin + learn.ahead]
    series = asked.shape[1] - 2
    table = lgb.Dataset(asked, count, categorical_feature=[series], free_raw_data=False)
    told = []
    for level in LEVELS:
        settings = {"objective": "quantile", "alpha": level, "verbose": -1, "num_threads": threads}
        tree = lgb.train(settings, table, PLAIN_ROUNDS)
        told.append(np.asarray(tree.predict(wanted, num_threads=threads)))
    quantiles = np.maximum(np.sort(np.stack(told, axis=1), axis=1), 0)
    return Told(quantiles[:, MIDDLE], quantiles)


def _plain_features(past: History, rows: Rows, hour: Reals, day: Reals) -> Floats:
    on, slot = target_of(past.grid, rows)
    lags = [_at(past, rows.series, rows.origin - back) for back in range(6)]
    lags += [_ago(past, rows, days) for days in (1, 2, 7, 14)]
    means = [hour[rows.series, rows.origin], day[rows.series, rows.origin]]
    calendar = [slot, past.grid.weekday[on], past.grid.holiday[on]]
    return np.stack([*lags, *means, *calendar, rows.series, rows.ahead], axis=1).astype(np.float32)


def _with_errors(past: History, known: int, rows: Rows, point_of: Callable[[Rows], Reals]) -> Told:
    """A point forecast with the spread of its errors so far, by series."""
    point = _or_usual(past, rows, point_of(rows))
    tried = draw(past, 0, known, np.unique(rows.ahead), np.random.default_rng(0), ERROR_ROWS)
    error = past.counts[tried.series, tried.origin + tried.ahead] - _or_usual(past, tried, point_of(tried))
    quantiles = np.zeros((len(point), len(LEVELS)))
    for series in np.unique(rows.series):
        own = error[tried.series == series]
        spread = np.quantile(own, LEVELS) if len(own) else np.zeros(len(LEVELS))
        mine = rows.series == series
        quantiles[mine] = np.maximum(point[mine, None] + spread, 0)
    return Told(point, quantiles)


def _or_usual(past: History, rows: Rows, point: Reals) -> Reals:
    usual = np.nan_to_num(past.climate.usual[rows.series, *target_of(past.grid, rows)])
    return np.where(np.isnan(point), usual, point)


def _at(past: History, series: Ints, step: Ints) -> Reals:
    return np.where(step >= 0, past.counts[series, np.maximum(step, 0)], np.nan)


def _ago(past: History, rows: Rows, days: int) -> Reals:
    """The count at the wanted time of day, days before."""
    return _at(past, rows.series, rows.origin + rows.ahead - days * past.grid.slots)


PEERS: dict[str, Peer] = {
    "historical_mean": historical_mean,
    "last_8_weeks": last_weeks,
    "seasonal_naive": seasonal_naive,
    "persistence": persistence,
    "lightgbm_plain": plain_lightgbm,
}
