"""Counts of people ahead, as quantiles: boosted trees over what is usual and how far today is from it.

One model serves all series of a district and all horizons. It learns the log ratio of a count to what is
usual at that time (`climate`), weighed so that the error it lowers is in people. First the middle, twice,
each time on every other week; then how far off it is on weeks that it had not learnt from, at seven levels,
those between following on normal scores. Shapes: n rows, F features, L levels. Sources of the form: Ke et
al., LightGBM, 2017; the quantile loss of Koenker and Bassett, 1978; the loss "fair" of Fair, 1974, which one
great night cannot pull far; the middle crossed over as in Chernozhukov et al., 2018. Complexity: trees ×
depth for each row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from anshang.kernels.climate import Climate
from anshang.kernels.daygrid import DAY_S, HOUR_S, WEEK_DAYS, Bools, DayGrid, Floats, Ints, Reals, RunningSums
from anshang.kernels.quantiles import LEVELS
from anshang.kernels.trees import lightgbm as lgb

SIX_HOURS_S = 6 * HOUR_S
WINDOWS_S = (900, 1_800, HOUR_S, 7_200, SIX_HOURS_S, DAY_S, WEEK_DAYS * DAY_S)
ROWS_MAX, MIDDLE_ROUNDS, PATIENCE = 400_000, 800, 20
"""Of the middle: rows, rounds at most, and after how many that are no better on the other weeks it stops."""
AROUND_ROWS, AROUND_ROUNDS = 200_000, 60
WEATHER_COLUMNS = 3
"""The last of all, where anybody told the weather."""
SETTINGS = {
    "learning_rate": 0.06,
    "num_leaves": 31,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "max_bin": 127,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
}
MIDDLE = SETTINGS | {"objective": "fair", "fair_c": 0.15}
AROUND = SETTINGS | {"objective": "quantile"}


@dataclass(frozen=True, slots=True)
class Rows:
    """What is asked: for each of n, a series, the step that is now, and how many steps ahead."""

    series: Ints
    origin: Ints
    ahead: Ints

    def taken(self, which: Bools | Ints) -> Rows:
        """Some of them, by their numbers or a mask."""
        return Rows(self.series[which], self.origin[which], self.ahead[which])


@dataclass(frozen=True, slots=True)
class History:
    """Counts (S, T) with their grid and climate, and what is seen at each step kept ready."""

    counts: Reals
    grid: DayGrid
    climate: Climate
    seen: Floats
    """(S, len(at), F₁) features of the present, at the steps `at`."""
    at: Ints
    hourly: Floats
    """(S, T) how far the hour up to each step is from what was usual."""


class Model(NamedTuple):
    """Trees for the middle, of either half of the past, and for each of LEVELS around it."""

    middle: tuple[lgb.Booster, ...]
    around: tuple[lgb.Booster, ...]


def history(counts: Reals, grid: DayGrid, found: Climate, at: Ints | None = None) -> History:
    """Counts with what is seen at the steps `at` (all when left out)."""
    every = np.arange(counts.shape[1])
    at = every if at is None else at
    usual = np.where(np.isnan(counts), np.nan, found.usual[:, grid.day, grid.slot])
    offset = found.offset[:, None]
    seen, expected = RunningSums(counts), RunningSums(usual)

    def away(steps: int, at: Ints) -> Reals:
        ratio: Reals = np.log(
            (seen.mean_before(steps, at) + offset) / (expected.mean_before(steps, at) + offset)
        )
        return ratio

    hour = grid.steps(HOUR_S)
    ratios = {steps: away(steps, at) for steps in (1, *(grid.steps(window) for window in WINDOWS_S))}
    columns = list(ratios.values())
    columns.append(np.log((seen.mean_before(hour, at) + offset) / (found.mean[:, None] + offset)))
    weight = np.sqrt(found.mean)[:, None]
    columns += [_everywhere(ratios[steps], weight) for steps in (hour, grid.steps(SIX_HOURS_S))]
    present = np.stack(columns, axis=-1).astype(np.float32)
    hourly = ratios[hour] if at is every else away(hour, every)
    return History(counts, grid, found, present, at, hourly.astype(np.float32))


def _everywhere(ratio: Reals, weight: Reals) -> Reals:
    """The mean over all series, at each."""
    known = ~np.isnan(ratio)
    total = (np.where(known, ratio, 0) * weight).sum(0) / np.maximum((known * weight).sum(0), 1e-9)
    return np.broadcast_to(total, ratio.shape)


def features(past: History, rows: Rows) -> tuple[Floats, Reals, Reals]:
    """Features (n, F), and (n,) what is usual then and the offset of the ratio.

    Rows must lie inside the grid; their origins among `past.at`.
    """
    grid, found, series = past.grid, past.climate, rows.series
    day, slot = target_of(grid, rows)
    usual = found.usual[series, day, slot]
    now = found.usual[series, grid.day[rows.origin], grid.slot[rows.origin]]
    ahead_min = rows.ahead * grid.step_s / 60

    def ratio(values: Floats) -> Reals:
        return found.ratio(values[series, day, slot], series, usual)

    def away(at: Ints) -> Reals:
        return np.where(at >= 0, past.hourly[series, np.maximum(at, 0)], np.nan)

    def moved(days: int) -> Reals:
        """How the deviation went on from this time, days ago."""
        ago = rows.origin - days * grid.slots
        return away(ago + rows.ahead) - away(ago)

    def days_ago(days: int) -> Reals:
        values = found.smooth[series, np.maximum(day - days, 0), slot]
        return np.where(day >= days, found.ratio(values, series, usual), np.nan)

    columns = [
        found.ratio(usual, series, found.mean[series].astype(np.float32)),
        np.log1p(found.mean[series]),
        found.ratio(usual, series, now),
        *map(ratio, (found.week_fast, found.week_slow, found.week_sharp, found.kind_fast, found.yesterday)),
        *(away(rows.origin - back * grid.steps(HOUR_S)) for back in range(1, 4)),
        *map(moved, (1, WEEK_DAYS)),
        *map(days_ago, (1, *range(WEEK_DAYS, 5 * WEEK_DAYS, WEEK_DAYS))),
        *(values[series, day, slot] for values in (found.noise, found.special_all, found.special_same)),
        slot,
        *_kinds(grid, day),
        series,
        ahead_min,
        *_weather(grid, (day, slot), (grid.day[rows.origin], grid.slot[rows.origin])),
    ]
    seen = past.seen[series, np.searchsorted(past.at, rows.origin)]
    told = np.stack([np.asarray(column, np.float32) for column in columns], axis=-1)
    return np.concatenate([seen, told], axis=1), usual.astype(float), found.offset[series]


def _kinds(grid: DayGrid, day: Ints) -> list[Ints | Bools]:
    """What kind of day it is, and those before and after."""
    before, after = np.maximum(day - 1, 0), np.minimum(day + 1, grid.days - 1)
    kinds = [each[on] for each in (grid.free, grid.holiday) for on in (day, before, after)]
    return [grid.weekday[day], *kinds, grid.special[day] > 0, grid.season[day]]


def _weather(grid: DayGrid, then: tuple[Ints, Ints], now: tuple[Ints, Ints]) -> list[Floats]:
    """The weather then, and the rain now; nothing when nobody told any. These columns come last."""
    if grid.weather is None:
        return []
    return [grid.weather[*then, 0], grid.weather[*then, 1], grid.weather[*now, 0]]


def target_of(grid: DayGrid, rows: Rows) -> tuple[Ints, Ints]:
    """Day and slot of what is asked; steps beyond those of the grid follow by the clock."""
    target = rows.origin + rows.ahead
    last = len(grid.day) - 1
    beyond = np.maximum(target - last, 0)
    inside = np.minimum(target, last)
    slot = grid.slot[inside] + beyond
    return grid.day[inside] + slot // grid.slots, slot % grid.slots


def draw(
    past: History, first: int, end: int, ahead: Ints, rng: np.random.Generator, count: int = ROWS_MAX
) -> Rows:
    """Rows at random to learn from: origins in [first, end), targets that were counted before `end`."""
    series = rng.integers(0, len(past.counts), count)
    origin = rng.integers(first, max(end, first + 1), count)
    steps = rng.choice(ahead, count)
    rows = Rows(series, origin, steps)
    return counted(past, rows.taken(origin + steps < end))


def counted(past: History, rows: Rows) -> Rows:
    """The rows whose target was counted, and for whose time something is usual."""
    day, slot = target_of(past.grid, rows)
    inside = rows.origin + rows.ahead < past.counts.shape[1]
    target = np.minimum(rows.origin + rows.ahead, past.counts.shape[1] - 1)
    kept = inside & ~np.isnan(past.counts[rows.series, target])
    kept &= ~np.isnan(past.climate.usual[rows.series, day, slot])
    return rows.taken(kept)


def fit(past: History, rows: Rows, *, by_weeks: bool = True, threads: int = 2) -> Model:
    """Learn from counted rows in random order (see `draw`): the levels around the middle from the first of
    them. The halves of the past are every other week, or every other day: models of one are as wide as
    models of the other are not.
    """
    asked, usual, offset = features(past, rows)
    deviation = outcome(past, rows, usual)
    weight = usual + offset
    weight /= weight.mean()
    second = _second_half(past.grid, rows, by_weeks=by_weeks)
    middle = tuple(_middle(asked, deviation, weight, mine, threads) for mine in (~second, second))
    some = slice(AROUND_ROWS)
    unseen = np.where(second[some], *(_says(trees, asked[some], threads) for trees in middle))
    learnt = lgb.Dataset(
        _with_middle(unseen, asked[some]),
        deviation[some] - unseen,
        weight=weight[some],
        free_raw_data=False,
    )
    around = tuple(
        lgb.train(AROUND | {"alpha": level, "num_threads": threads}, learnt, AROUND_ROUNDS)
        for level in LEVELS
    )
    return Model(middle, around)


def _middle(asked: Floats, deviation: Reals, weight: Reals, mine: Bools, threads: int) -> lgb.Booster:
    """Trees for the middle, learnt from some rows for as long as that is better for the others."""
    learnt = lgb.Dataset(asked[mine], deviation[mine], weight=weight[mine])
    others = learnt.create_valid(asked[~mine], deviation[~mine], weight=weight[~mine])
    return lgb.train(
        MIDDLE | {"num_threads": threads},
        learnt,
        MIDDLE_ROUNDS,
        valid_sets=[others],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )


def _says(trees: lgb.Booster, asked: Floats, threads: int) -> Reals:
    return np.asarray(trees.predict(asked, num_threads=threads))


def _second_half(grid: DayGrid, rows: Rows, *, by_weeks: bool) -> Bools:
    """Every other week, where asked; every other day, or row at last, where a half would be less than a
    third.
    """
    day = grid.day[rows.origin]
    weeks, days = day // WEEK_DAYS % 2 == 1, day % 2 == 1
    ways = (weeks, days) if by_weeks else (days,)
    even = (second for second in ways if 1 / 3 <= second.mean() <= 2 / 3)
    return next(even, np.arange(len(day)) % 2 == 1)


def _with_middle(middle: Reals, asked: Floats) -> Floats:
    """The features and before them what the middle is thought to be."""
    return np.column_stack([middle.astype(np.float32), asked])


def outcome(past: History, rows: Rows, usual: Reals) -> Reals:
    """What came of rows (n,), as log ratios to what is usual; NaN where nobody counted."""
    return past.climate.ratio(past.counts[rows.series, rows.origin + rows.ahead], rows.series, usual)


def predict(model: Model, asked: Floats, threads: int = 1) -> Reals:
    """Log ratios to what is usual (n, L) at LEVELS, ascending."""
    asked = _as_learnt(model, asked)
    middle: Reals = np.mean([_says(trees, asked, threads) for trees in model.middle], axis=0)
    seen = _with_middle(middle, asked)
    told: Reals = np.stack([middle + _says(trees, seen, threads) for trees in model.around], axis=-1)
    told.sort(axis=-1)
    return told


def _as_learnt(model: Model, asked: Floats) -> Floats:
    """The columns that the trees know: weather that they never saw is left out, and unknown where they had
    it and nobody tells it now. ValueError when they learnt from other columns altogether.
    """
    more = asked.shape[1] - model.middle[0].num_feature()
    if more not in (0, WEATHER_COLUMNS, -WEATHER_COLUMNS):
        raise ValueError(f"the trees learnt from {asked.shape[1] - more} columns, not {asked.shape[1]}")
    if more < 0:
        return np.pad(asked, ((0, 0), (0, -more)), constant_values=np.nan)
    return asked[:, : asked.shape[1] - more]


def asks_weather(model: Model) -> bool:
    """Whether trees that were given the weather make anything of it."""
    return any(tree.feature_importance()[-WEATHER_COLUMNS:].any() for trees in model for tree in trees)
