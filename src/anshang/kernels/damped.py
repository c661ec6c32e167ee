"""People ahead from the last day alone: what is usual, how far now is from it, and where that is going.

Shapes: S series, T even steps ending now, H horizons. Method: the log ratio to what is usual (to nothing,
where nothing is known of it) keeps part of its height and goes on with its slope, both damped; a crowd is
thought to grow evenly, not by ever more. The intervals are the quantiles of this very method's errors at
earlier steps whose outcome is known: the last hours weigh most, and so do, once some days are known, those
of earlier days at this time of day (`earlier`); before there are enough they are widened by a plain guess.
Errors move the middle, too; where nothing but today is known only down: that a crowd grew more than forecast
does not make it grow on.
Complexity: S × T × H.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from anshang.kernels.daygrid import Bools, DayGrid, Floats, Ints, Reals, mean_known
from anshang.kernels.quantiles import LEVELS, MEDIAN, SCORES

OFFSET_PEOPLE, OFFSET_SHARE = 10.0, 0.02
"""Added before a ratio is taken: people, and a share of the series' mean."""
LEVEL_STEPS, SLOPE_STEPS = 3, 6
"""The present is the mean of that many steps; its slope is over that many."""
HEIGHT_HOURS, SLOPE_HOURS = 4.0, 0.75
SLOPE_MAX = 1.2
"""Log ratio an hour: nothing is thought to grow faster."""
SIGMA_QUARTER = 0.12
"""Before anything is known: the standard deviation of the log ratio a quarter of an hour ahead."""
MANY_STEPS = 48
"""Errors of zones at one moment are alike: it takes as many moments until they are trusted wholly."""
FADE_HOURS, MIDDLE_FADE_HOURS, TODAY_DAYS = 6.0, 2.0, 2.0
"""How soon errors of today weigh half, for the widths and for the middle, and how many earlier days all of
them weigh.
"""
SMALL_SHARE = 0.1
"""Series far below the others' mean say nothing of the intervals: small numbers jump."""
FADE_DAYS, AROUND_SLOTS, EARLIER_SERIES = 14.0, 4, 40
"""Of earlier days: how soon one weighs half, how many slots on both sides are alike, how many series serve
at most.
"""
POINTS = (np.arange(40) + 0.5) / 40
"""The levels at which the errors of earlier days are remembered."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """For each series and horizon: quantiles of people (S, H, L) at LEVELS, NaN where now is unknown."""

    quantiles: Reals
    trusted: Reals
    """(H,) how far earlier errors are trusted, 0 to 1; the rest of the intervals is a guess."""


class Errors(NamedTuple):
    """Log-ratio errors of earlier days at a time of day: their quantiles at POINTS (H, M), and how many days
    they weigh (H,).
    """

    points: Reals
    days: Reals


def look_ahead(people: Reals, usual: Reals, step_s: int, ahead: Ints, earlier: Errors | None = None) -> Ahead:
    """Expect people at `ahead` steps from the last of (S, T) steps.

    `usual` is (S, T + max(ahead)), NaN where nothing is known of it; `earlier` are the errors of earlier days
    at this time of day.
    """
    offset = _offset(people)
    has_usual: Bools = np.asarray(~np.isnan(usual).any(axis=1, keepdims=True))
    ground = np.where(has_usual, np.log(np.nan_to_num(usual) + offset), 0.0)
    steps = people.shape[1]
    away = np.log(people + offset) - ground[:, :steps]
    expected = _expected(away, has_usual, step_s, ahead)  # (S, T, H)
    large, rises = _large(people), earlier is not None or bool(has_usual.any())
    quantiles = np.full((len(people), len(ahead), len(LEVELS)), np.nan)
    trusted = np.zeros(len(ahead))
    for place, steps_ahead in enumerate(ahead.tolist()):
        said = expected[:, :, place]
        errors = (away[:, steps_ahead:] - said[:, : steps - steps_ahead])[large]
        before = None if earlier is None else Errors(earlier.points[place], earlier.days[place])
        spread, trusted[place] = _spread(errors, steps_ahead * step_s, step_s, before, rises)
        target = ground[:, steps - 1 + steps_ahead, None]
        quantiles[:, place] = np.maximum(np.exp(said[:, -1:] + spread + target) - offset, 0)
    return Ahead(quantiles, trusted)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Errors (S, T, H) at the steps of earlier days: the slot of the day and the day of each, and how much
    that day weighs.
    """

    error: Floats
    slots: int
    slot: Ints
    day: Ints
    weight: Reals

    def at(self, slot: int) -> Errors:
        """Those of a slot of the day and the ones around it."""
        apart = np.abs(self.slot - slot)
        near = np.flatnonzero(np.minimum(apart, self.slots - apart) <= AROUND_SLOTS)
        horizons = self.error.shape[2]
        points, days = np.full((horizons, len(POINTS)), np.nan), np.zeros(horizons)
        for place in range(horizons):
            mine = self.error[:, near, place]
            known = ~np.isnan(mine)
            told = near[known.any(axis=0)]
            if len(told):
                _, first = np.unique(self.day[told], return_index=True)
                days[place] = self.weight[told[first]].sum()
                weight = np.broadcast_to(self.weight[near], mine.shape)[known]
                points[place] = _quantiles(mine[known].astype(float), weight, POINTS)
        return Errors(points, days)


def earlier_errors(people: Reals, usual: Reals | None, grid: DayGrid, step_s: int, ahead: Ints) -> Earlier:
    """How this method would have erred, asked at the end of each step of the grid, of `ahead` steps of
    `step_s`, a whole part of the grid's.

    `people` and what was `usual` (None: it goes without) are (S, T) on the grid's steps; some of the larger
    series serve. Nothing of a day may be in what was usual on it.
    """
    series = np.flatnonzero(_large(people))
    series = series[:: -(-len(series) // EARLIER_SERIES) or 1]
    people, parts = people[series], grid.step_s // step_s
    offset = _offset(people)
    away = np.log(_between(people, parts) + offset)
    if usual is not None:
        away -= np.log(np.repeat(usual[series], parts, axis=1) + offset)
    asked = np.arange(people.shape[1]) * parts + parts - 1
    has_usual = np.full((len(series), 1), usual is not None)
    expected = _expected(away, has_usual, step_s, ahead, asked)
    came = np.pad(away, ((0, 0), (0, int(ahead.max()))), constant_values=np.nan)
    error = came[:, asked[:, None] + ahead] - expected
    day, slot = grid.day[: len(asked)], grid.slot[: len(asked)]
    weight = 0.5 ** ((day[-1:] - day) / FADE_DAYS)
    return Earlier(error.astype(np.float32), grid.slots, slot, day, weight)


def _between(people: Reals, parts: int) -> Reals:
    """Steps (S, T) as `parts` finer ones each, along straight lines between their middles."""
    last = people.shape[1] - 1
    at = (np.arange(people.shape[1] * parts) + 0.5) / parts - 0.5
    left = np.clip(np.floor(at), 0, max(0, last - 1)).astype(np.int64)
    share = np.clip(at - left, 0, 1)
    found: Reals = people[:, left] * (1 - share) + people[:, np.minimum(left + 1, last)] * share
    return found


def _offset(people: Reals) -> Reals:
    found: Reals = (OFFSET_PEOPLE + OFFSET_SHARE * np.nan_to_num(mean_known(people, axis=1)))[:, None]
    return found


def _large(people: Reals) -> Bools:
    """The series (S,) whose errors say something of the intervals."""
    mean = np.nan_to_num(mean_known(people, axis=1))
    return np.asarray(mean >= SMALL_SHARE * mean.max(initial=0.0))


def _expected(
    away: Reals, has_usual: Bools, step_s: int, ahead: Ints, asked: Ints | slice = slice(None)
) -> Reals:
    """The median log ratio, asked at some steps for each horizon (S, T, H)."""
    height = _mean_back(away, 0, LEVEL_STEPS)[:, asked]
    before = _mean_back(away, SLOPE_STEPS, LEVEL_STEPS)[:, asked]
    slope = np.nan_to_num(height - before) / (SLOPE_STEPS * step_s / 3600)
    slope = np.clip(slope, -SLOPE_MAX, SLOPE_MAX)
    hours = (ahead + (LEVEL_STEPS - 1) / 2) * step_s / 3600
    gained = SLOPE_HOURS * (1 - np.exp(-hours / SLOPE_HOURS))
    kept = np.where(has_usual, np.exp(-hours / HEIGHT_HOURS), 1.0)
    moved = slope[:, :, None] * gained
    moved = np.where(moved > 0, np.log1p(np.maximum(moved, 0)), moved)
    found: Reals = height[:, :, None] * kept[:, None, :] + moved
    return found


def _mean_back(values: Reals, back: int, width: int) -> Reals:
    """The mean of `width` steps ending `back` steps before each; NaN where none is known."""
    moved = [np.roll(values, back + each, axis=1) for each in range(width)]
    for each, column in enumerate(moved):
        column[:, : back + each] = np.nan
    return mean_known(np.stack(moved), axis=0)


def _spread(
    errors: Reals, ahead_s: int, step_s: int, earlier: Errors | None, rises: bool
) -> tuple[Reals, float]:
    """How far from what is expected each level lies (L,), and how far errors are trusted: those of today
    (S, n steps) and of earlier days, and a guess as long as little is known. Unless it `rises` the middle is
    only moved down.
    """
    guess: Reals = SIGMA_QUARTER * float(np.sqrt(ahead_s / 900)) * SCORES
    known = ~np.isnan(errors)
    today = min(1.0, int(known.any(axis=0).sum()) / MANY_STEPS)
    days = 0.0 if earlier is None else float(earlier.days)
    trust = min(1.0, max(today, days))
    if trust <= 0:
        return guess, trust
    age_hours = np.broadcast_to(np.arange(errors.shape[1])[::-1] * step_s / 3600, errors.shape)[known]
    seen = errors[known]
    weights = [0.5 ** (age_hours / fade) for fade in (FADE_HOURS, MIDDLE_FADE_HOURS)]
    weights = [each * today * TODAY_DAYS / max(each.sum(), 1e-9) for each in weights]
    if earlier is not None and days > 0:
        seen = np.concatenate([seen, earlier.points])
        more = np.full(len(POINTS), days / len(POINTS))
        weights = [np.concatenate([each, more]) for each in weights]
    wide, middle = (_quantiles(seen, each, np.array(LEVELS)) for each in weights)
    moved = float(middle[MEDIAN])
    found: Reals = wide - wide[MEDIAN] + (moved if rises else min(0.0, moved))
    return trust * found + (1 - trust) * guess, trust


def _quantiles(values: Reals, weight: Reals, levels: Reals) -> Reals:
    """Of weighed values (n,) at levels."""
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    place = np.searchsorted(share, levels * share[-1])
    found: Reals = values[order][np.minimum(place, len(values) - 1)]
    return found
