"""People ahead from the last day alone: what is usual, how far now is from it, and where that is going.

Shapes: S series, T even steps ending now, H horizons. Method: the log ratio to what is usual (to nothing,
where nothing is known of it) keeps part of its height and goes on with its slope, both damped; the
intervals are the quantiles of this very method's errors at earlier steps whose outcome is known, the last
hours weighing most; before there are enough they are widened by a plain guess. Complexity: S × T × H.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anshang.kernels.daygrid import Bools, Ints, Reals, mean_known
from anshang.kernels.quantiles import LEVELS, SCORES

OFFSET_PEOPLE, OFFSET_SHARE = 10.0, 0.02
"""Added before a ratio is taken: people, and a share of the series' mean."""
LEVEL_STEPS, SLOPE_STEPS = 3, 6
"""The present is the mean of that many steps; its slope is over that many."""
HEIGHT_HOURS, SLOPE_HOURS = 4.0, 0.75
SLOPE_MAX = 1.2
"""Log ratio an hour: nothing is thought to grow faster."""
SIGMA_QUARTER = 0.12
"""Before anything is known: the standard deviation of the log ratio a quarter of an hour ahead."""
ENOUGH, MANY_STEPS = 200, 48
"""Errors of zones at one moment are alike: it takes as many moments until they are trusted wholly."""
FADE_HOURS, TRIED_HOURS = 2.0, 8
SMALL_SHARE = 0.1
"""Series far below the others' mean say nothing of the intervals: small numbers jump."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """For each series and horizon: quantiles of people (S, H, L) at LEVELS, NaN where now is unknown."""

    quantiles: Reals
    outcomes: Ints
    """(H,) how many earlier forecasts the intervals rest on."""
    trusted: Reals
    """(H,) how far they are trusted, 0 to 1; the rest is a guess."""
    covered80: Reals
    """(H,) the share of the last ones inside their interval of 80 %, NaN without enough."""
    error: Reals
    """(H,) mean error in people of the last ones."""
    error_still: Reals
    """(H,) the same, had one said that nothing changes."""


def look_ahead(people: Reals, usual: Reals, step_s: int, ahead: Ints, *, judged: bool = True) -> Ahead:
    """Expect people at `ahead` steps from the last of (S, T) steps.

    `usual` is (S, T + max(ahead)), NaN where nothing is known of it. Unless `judged` nothing is said of how
    the last forecasts came out, which takes most of the time.
    """
    mean = np.nan_to_num(mean_known(people, axis=1))
    offset = (OFFSET_PEOPLE + OFFSET_SHARE * mean)[:, None]
    has_usual: Bools = np.asarray(~np.isnan(usual).any(axis=1, keepdims=True))
    ground = np.where(has_usual, np.log(np.nan_to_num(usual) + offset), 0.0)
    steps = people.shape[1]
    away = np.log(people + offset) - ground[:, :steps]
    expected = _expected(away, has_usual, step_s, ahead)  # (S, T, H)
    large = mean >= SMALL_SHARE * mean.max(initial=0.0)
    shape = (len(people), len(ahead))
    quantiles = np.full((*shape, len(LEVELS)), np.nan)
    figures, trusted = np.full((4, len(ahead)), np.nan), np.zeros(len(ahead))
    for place, steps_ahead in enumerate(ahead.tolist()):
        said = expected[:, :, place]
        errors = (away[:, steps_ahead:] - said[:, : steps - steps_ahead])[large]
        trusted[place] = min(1.0, int((~np.isnan(errors)).any(axis=0).sum()) / MANY_STEPS)
        spread = _spread(errors, steps_ahead * step_s, step_s, trusted[place])
        target = ground[:, steps - 1 + steps_ahead, None]
        quantiles[:, place] = np.maximum(np.exp(said[:, -1:] + spread + target) - offset, 0)
        if judged:
            figures[:, place] = _record(people, said, ground, offset, (steps_ahead, step_s), large)
    outcomes = np.nan_to_num(figures[0]).astype(np.int64)
    return Ahead(quantiles, outcomes, trusted, figures[1], figures[2], figures[3])


def _expected(away: Reals, has_usual: Bools, step_s: int, ahead: Ints) -> Reals:
    """The median log ratio at each step for each horizon (S, T, H)."""
    height = _mean_back(away, 0, LEVEL_STEPS)
    before = _mean_back(away, SLOPE_STEPS, LEVEL_STEPS)
    slope = np.nan_to_num(height - before) / (SLOPE_STEPS * step_s / 3600)
    slope = np.clip(slope, -SLOPE_MAX, SLOPE_MAX)
    hours = (ahead + (LEVEL_STEPS - 1) / 2) * step_s / 3600
    gained = SLOPE_HOURS * (1 - np.exp(-hours / SLOPE_HOURS))
    kept = np.where(has_usual, np.exp(-hours / HEIGHT_HOURS), 1.0)
    found: Reals = height[:, :, None] * kept[:, None, :] + slope[:, :, None] * gained
    return found


def _mean_back(values: Reals, back: int, width: int) -> Reals:
    """The mean of `width` steps ending `back` steps before each; NaN where none is known."""
    moved = [np.roll(values, back + each, axis=1) for each in range(width)]
    for each, column in enumerate(moved):
        column[:, : back + each] = np.nan
    return mean_known(np.stack(moved), axis=0)


def _spread(errors: Reals, ahead_s: int, step_s: int, trust: float) -> Reals:
    """How far from the median each level lies (L,): what was, and a guess as long as little is known."""
    guess: Reals = SIGMA_QUARTER * float(np.sqrt(ahead_s / 900)) * SCORES
    if trust <= 0:
        return guess
    found: Reals = np.asarray(trust * _recent_quantiles(errors, step_s) + (1 - trust) * guess)
    return found


def _recent_quantiles(errors: Reals, step_s: int) -> Reals:
    """The quantiles at LEVELS of errors (S, n steps), those of hours ago weighed less."""
    known = ~np.isnan(errors)
    age_hours = np.arange(errors.shape[1])[::-1] * step_s / 3600
    weight = np.broadcast_to(0.5 ** (age_hours / FADE_HOURS), errors.shape)[known]
    order = np.argsort(errors[known])
    seen, share = errors[known][order], np.cumsum(weight[order])
    place = np.searchsorted(share, np.array(LEVELS) * share[-1])
    found: Reals = seen[np.minimum(place, len(seen) - 1)]
    return found


def _record(
    people: Reals, said: Reals, ground: Reals, offset: Reals, ahead: tuple[int, int], large: Bools
) -> tuple[float, float, float, float]:
    """How the last forecasts came out: number, share inside 80 %, error, error had nothing changed.

    Inside is judged at every hour of the last TRIED_HOURS, by the interval of the errors known by then.
    """
    (steps_ahead, step_s), steps = ahead, people.shape[1]
    median = np.exp(said[:, : steps - steps_ahead] + ground[:, steps_ahead:steps]) - offset
    came, now = people[:, steps_ahead:], people[:, : steps - steps_ahead]
    known = ~np.isnan(median) & ~np.isnan(came) & ~np.isnan(now) & large[:, None]
    number = int(known.sum())
    if number < ENOUGH:
        return number, np.nan, np.nan, np.nan
    error = np.where(known, np.log(came + offset) - np.log(np.maximum(median, 0) + offset), np.nan)
    hour, inside = round(3600 / step_s), []
    for end in range(error.shape[1] - hour, 0, -hour)[:TRIED_HOURS]:
        before = error[:, : max(0, end - steps_ahead)]
        if int((~np.isnan(before)).any(axis=0).sum()) >= MANY_STEPS:
            quantiles = _recent_quantiles(before, step_s)
            then = error[:, end : end + hour]
            inside.append(((then >= quantiles[1]) & (then <= quantiles[-2]))[~np.isnan(then)])
    judged = np.concatenate(inside) if inside else np.empty(0)
    covered = float(judged.mean()) if len(judged) else np.nan
    return (
        number,
        covered,
        float(np.abs(median - came)[known].mean()),
        float(np.abs(now - came)[known].mean()),
    )
