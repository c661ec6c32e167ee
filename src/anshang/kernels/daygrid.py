"""Steps of time laid out as local days and slots, and the sums over them that a forecast is made of.

Shapes: S series, T steps, D local days, K slots a day. Counts are people per step, NaN where nobody counted.
A day of 23 hours leaves slots empty; in one of 25 the repeated hour is kept as the later reading.
Complexity: linear in the steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HOUR_S, DAY_S = 3_600, 86_400
WEEK_DAYS = 7
PLAIN = 0
"""Of `special`: a day like others."""


@dataclass(frozen=True, slots=True)
class DayGrid:
    """Which local day and slot each step is, and what kind each day is; days may lie ahead of the steps."""

    step_s: int
    first_on: date
    """Of the days."""
    day: Ints
    """(T,) of each step; days count from 0."""
    slot: Ints
    """(T,) of each step; 0 … K − 1."""
    weekday: Ints
    """(D,) Monday is 0."""
    free: Bools
    """(D,) no working day."""
    holiday: Bools
    """(D,) a public holiday."""
    special: Ints
    """(D,) PLAIN, or the number of a holiday or of a kind of event: the same one bears the same number."""
    season: Ints
    """(D,) day of the year."""
    weather: Floats | None = None
    """(D, K, 2) rain of the hour in mm, and how many °C it is warmer than usual; NaN where nobody told. None
    when nothing was told at all.
    """

    @property
    def slots(self) -> int:
        """K, slots a day."""
        return DAY_S // self.step_s

    @property
    def days(self) -> int:
        """D, days of the grid."""
        return len(self.weekday)

    def later(self, day: int, step: int) -> DayGrid:
        """The grid without the days before one and the steps before one of it."""
        return replace(
            self,
            first_on=self.first_on + timedelta(days=day),
            day=self.day[step:] - day,
            slot=self.slot[step:],
            weekday=self.weekday[day:],
            free=self.free[day:],
            holiday=self.holiday[day:],
            special=self.special[day:],
            season=self.season[day:],
            weather=None if self.weather is None else self.weather[day:],
        )

    def steps(self, seconds: float) -> int:
        """How many steps are nearest to a time; at least one."""
        return max(1, round(seconds / self.step_s))

    def fold(self, counts: Reals) -> Reals:
        """Counts (S, T) as (S, D, K), NaN where there is none."""
        folded = np.full((len(counts), self.days, self.slots), np.nan)
        folded[:, self.day, self.slot] = counts
        return folded


def mean_around(folded: Reals, width: int) -> Reals:
    """The mean over `width` (odd) slots around each, through midnight; NaN where none of them was counted."""
    if width <= 1:
        return folded
    flat = folded.reshape(len(folded), -1)
    at = np.arange(flat.shape[1])
    first, last = np.maximum(at - width // 2, 0), np.minimum(at + width // 2 + 1, flat.shape[1])
    return RunningSums(flat).mean(first, last).reshape(folded.shape)


def mean_known(values: Reals, axis: int) -> Reals:
    """The mean along an axis of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    number = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    found: Reals = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return found


class RunningSums:
    """Counts (S, T) summed from the first step on, so that the mean of any run is two differences."""

    def __init__(self, counts: Reals) -> None:
        counted = ~np.isnan(counts)
        self._total = np.pad(np.cumsum(np.where(counted, counts, 0.0), axis=1), ((0, 0), (1, 0)))
        self._number = np.pad(np.cumsum(counted, axis=1, dtype=np.int32), ((0, 0), (1, 0)))

    def mean(self, first: Ints, end: Ints) -> Reals:
        """Means over [first, end) of each row; NaN where none was counted."""
        n = (self._number[:, end] - self._number[:, first]).astype(float)
        total = self._total[:, end] - self._total[:, first]
        found: Reals = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
        return found

    def mean_before(self, steps: int, at: Ints) -> Reals:
        """The mean of the last `steps` steps up to each of `at`, with it. (S, len(at))"""
        return self.mean(np.maximum(at + 1 - steps, 0), at + 1)


def fading_mean(folded: Reals, group: Ints, half_days: float, lag: int = 1) -> Floats:
    """What earlier days of its group say of each day and slot (S, D, K).

    A day is weighed half after `half_days` days of the same group; only days at least `lag` before are used,
    so that day d knows nothing of itself. NaN until there is one. A count far above what is remembered is
    taken as LIFT_MAX times as much: one great night, or a burst after an outage, does not become usual.
    """
    fade = 0.5 ** (1 / half_days)
    told = np.full(folded.shape, np.nan, np.float32)
    sums: dict[int, tuple[Reals, Reals]] = {}
    nothing = np.zeros((folded.shape[0], folded.shape[2]))
    room = LIFT_MAX * _middle(folded) + LIFT_COUNT
    for day in range(folded.shape[1]):
        if day >= lag:
            seen = folded[:, day - lag]
            total, weight = sums.get(int(group[day - lag]), (nothing, nothing))
            highest = LIFT_MAX * total / np.maximum(weight, 1e-9) + room[:, day - lag, None]
            seen = np.where(weight > REMEMBERED_MIN, np.minimum(seen, highest), seen)
            counted = ~np.isnan(seen)
            sums[int(group[day - lag])] = (
                fade * total + np.where(counted, seen, 0.0),
                fade * weight + counted,
            )
        if int(group[day]) in sums:
            total, weight = sums[int(group[day])]
            told[:, day] = np.divide(
                total, weight, out=np.full(total.shape, np.nan), where=weight > MEMORY_MIN
            )
    return told


def _middle(folded: Reals) -> Reals:
    """The mean count of each series up to each day (S, D), that day left out."""
    counted = ~np.isnan(folded)
    total = np.cumsum(np.where(counted, folded, 0).sum(axis=2), axis=1)
    number = np.cumsum(counted.sum(axis=2), axis=1)
    found: Reals = np.pad(total / np.maximum(number, 1), ((0, 0), (1, 0)))[:, :-1]
    return found


MEMORY_MIN, REMEMBERED_MIN = 0.05, 1.2
"""Below the first weight a mean is forgotten; from the second on it can judge what comes."""
LIFT_MAX, LIFT_COUNT = 3.0, 5.0
