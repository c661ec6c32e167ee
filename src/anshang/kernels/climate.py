"""What is usual: of every series, day and slot, from earlier days alone. The ground a forecast stands on.

Shapes as in `daygrid`. Counts in people per step; deviations are log ratios to `usual`. Nothing of a day is
in what is told of it, so a forecast up to 23 hours ahead may use all of it. Complexity: linear in days ×
slots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anshang.kernels.daygrid import (
    HOUR_S,
    PLAIN,
    WEEK_DAYS,
    DayGrid,
    Floats,
    Ints,
    Reals,
    fading_mean,
    mean_around,
    mean_known,
)

SMOOTH_S = 900
HOLIDAY_GROUP = WEEK_DAYS
OFFSET_COUNT, OFFSET_SHARE = 1.0, 0.02
"""Added to counts before a ratio is taken: people, and a share of the series' mean."""
DEVIATION_MAX = 2.0
NOISE_HALF_DAYS = 6.0
SPECIAL_FADE = 0.8


@dataclass(frozen=True, slots=True)
class Climate:
    """What earlier days say of each day and slot: arrays (S, D, K) but for `mean` and `offset` (S,)."""

    mean: Reals
    offset: Reals
    usual: Floats
    """The best plain guess: of the same weekday, or of free days on holidays."""
    week_fast: Floats
    week_slow: Floats
    week_sharp: Floats
    """Not smoothed over neighbouring slots."""
    kind_fast: Floats
    """Of working days, or free ones."""
    yesterday: Floats
    noise: Floats
    """Root mean square of the deviation on this weekday."""
    special_all: Floats
    """Mean deviation on earlier special days."""
    special_same: Floats
    """Mean deviation when the same one came before."""
    smooth: Floats
    """The counts themselves, smoothed: for what lies whole days back."""

    def ratio(self, counts: Reals | Floats, series: Ints, usual: Reals | Floats) -> Reals:
        """The log ratio of counts (n,) of these series to what is usual."""
        offset = self.offset[series]
        found: Reals = np.log((counts + offset) / (usual + offset))
        return found


def climate(counts: Reals, grid: DayGrid, known: int) -> Climate:
    """The climate of counts (S, T); the first `known` steps say how large a series is."""
    mean = np.nan_to_num(mean_known(counts[:, :known], axis=1))
    offset = OFFSET_COUNT + OFFSET_SHARE * mean
    folded = grid.fold(counts)
    width = _odd(SMOOTH_S // grid.step_s)
    smooth = mean_around(folded, width)
    week = np.where(grid.holiday, HOLIDAY_GROUP, grid.weekday)
    fast, slow = fading_mean(smooth, week, 2), fading_mean(smooth, week, 8)
    kind = fading_mean(smooth, grid.free.astype(np.int64), 3)
    yesterday = fading_mean(smooth, np.zeros(grid.days, np.int64), 1)
    usual = np.where(grid.holiday[None, :, None], np.float32(np.nan), (fast + slow) / 2)
    usual = np.where(np.isnan(usual), kind, usual)
    usual = np.where(np.isnan(usual), yesterday, usual)
    deviation = _deviation(folded, usual, offset, grid)
    every, same = _special(deviation, grid)
    return Climate(
        mean=mean,
        offset=offset,
        usual=usual,
        week_fast=fast,
        week_slow=slow,
        week_sharp=fading_mean(folded, week, 6) if width > 1 else slow,
        kind_fast=kind,
        yesterday=yesterday,
        noise=np.sqrt(fading_mean(np.minimum(deviation**2, DEVIATION_MAX**2), grid.weekday, NOISE_HALF_DAYS)),
        special_all=every,
        special_same=same,
        smooth=smooth.astype(np.float32),
    )


def _odd(width: int) -> int:
    return max(1, width | 1 if width > 1 else 1)


def _deviation(folded: Reals, usual: Floats, offset: Reals, grid: DayGrid) -> Reals:
    """Log ratios of an hour around each slot to what was usual then."""
    width = max(3, _odd(HOUR_S // grid.step_s))
    seen = mean_around(folded, width)
    expected = mean_around(np.where(np.isnan(folded), np.nan, usual.astype(float)), width)
    found: Reals = np.log((seen + offset[:, None, None]) / (expected + offset[:, None, None]))
    return found


def _special(deviation: Reals, grid: DayGrid) -> tuple[Floats, Floats]:
    """How earlier special days, and earlier ones of the same number, deviated: both (S, D, K)."""
    every = np.full(deviation.shape, np.nan, np.float32)
    same = every.copy()
    total = weight = np.zeros((deviation.shape[0], deviation.shape[2]))
    last: dict[int, Reals] = {}
    for day in np.flatnonzero(grid.special != PLAIN).tolist():
        every[:, day] = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0)
        number = int(grid.special[day])
        if number in last:
            same[:, day] = last[number]
        seen = deviation[:, day]
        counted = ~np.isnan(seen)
        total = SPECIAL_FADE * total + np.where(counted, seen, 0.0)
        weight = SPECIAL_FADE * weight + counted
        before = last.get(number, seen)
        mixed = np.where(np.isnan(before), seen, (before + seen) / 2)
        last[number] = np.where(counted, mixed, before)
    return every, same
