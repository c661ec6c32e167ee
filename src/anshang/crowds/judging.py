"""Judging forecasts and warnings of a back-test: one row of figures for each method and horizon."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from anshang.crowds.forecasting import LEVELS
from anshang.kernels import skill
from anshang.kernels.daygrid import DAY_S, WEEK_DAYS, Bools, Ints, Reals, mean_known
from anshang.kernels.forecast import History
from anshang.kernels.quantiles import chance_over
from anshang.kernels.skill import Tally

FALSE_MAX_A_DAY = 0.05
"""The budget: false episodes for each sensor and day."""
CHANCES = np.arange(1, 48) / 50
CHOSEN_DAYS, CHOSEN_SHARE = 14, 4
"""The chance to warn at is chosen anew after so many days at most; sooner while a quarter of what is known is
less, for few days tell little.
"""
CHANCE_FIRST, SURE = 0.5, 1.0
"""The first chance of all, and how many standard deviations of a count of false episodes it keeps from the
budget: of one more than were seen, for none seen in few days is no proof that none come.
"""
MERGED_S, SLACK_S = 10_800, 7_200
"""Runs closer than that are one episode; an onset may miss a warning's times by that much, so that
forecasts of so much later warn, too.
"""
YEAR_DAYS = 364


@dataclass(frozen=True, slots=True)
class Case:
    """What is tried on: counts with their history, the first step of the test, how far origins are apart."""

    past: History
    begin: int
    stride: int
    limits: Reals
    """(S,) from which count on a step is over."""
    irregular: Ints
    """Days of the grid that are not like others."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Forecasts of one horizon: (n,) series, origin and point, (n, 11) quantiles at LEVELS."""

    series: Ints
    origin: Ints
    point: Reals
    quantiles: np.ndarray  # float32: there are many

    @staticmethod
    def joined(parts: Sequence[Outcome]) -> Outcome:
        """Several, one after the other."""
        return Outcome(
            np.concatenate([part.series for part in parts]),
            np.concatenate([part.origin for part in parts]),
            np.concatenate([part.point for part in parts]),
            np.concatenate([part.quantiles for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of a method at a horizon, on all days or on the irregular ones."""

    method: str
    horizon_s: int
    days: str
    n: int
    mae: float
    mae_over_mean: float
    mase: float
    wql: float
    cover80: float
    cover95: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """Warnings of a method at a lead, the chance to warn at being chosen on what came before; `brier` and
    `average_precision` are of the forecast at the lead alone.
    """

    method: str
    lead_s: int
    threshold_prob: float
    onsets: int
    onset_recall: float
    precision: float
    false_episodes_per_sensor_day: float
    times_budget: float
    """Those over FALSE_MAX_A_DAY: what came of a budget kept on the past alone."""
    median_lead_s: float
    brier: float
    average_precision: float


def score(name: str, case: Case, ahead: int, told: Outcome, cpu_s: float) -> list[Score]:
    """The figures of all days, and of the irregular ones when there are any."""
    past = case.past
    target = told.origin + ahead
    odd = np.isin(past.grid.day[target], case.irregular)
    scale = _naive_error(past, case.begin)
    found = []
    for days, mine in (("all", np.ones(len(odd), bool)), ("irregular", odd)):
        if not mine.any():
            continue
        outcome, quantiles = past.counts[told.series[mine], target[mine]], told.quantiles[mine].astype(float)
        error = np.abs(told.point[mine] - outcome)
        found.append(
            Score(
                name,
                ahead * past.grid.step_s,
                days,
                int(mine.sum()),
                float(error.mean()),
                float(error.sum() / max(outcome.sum(), 1e-9)),
                skill.mean_absolute_scaled_error(error, scale, told.series[mine]),
                skill.weighted_quantile_loss(quantiles[:, 1:-1], outcome),
                skill.covered(quantiles[:, 1], quantiles[:, -2], outcome),
                skill.covered(quantiles[:, 0], quantiles[:, -1], outcome),
                cpu_s,
            )
        )
    return found


def _naive_error(past: History, known: int) -> Reals:
    """Each series' mean error of the count a week before, on what was known."""
    week = WEEK_DAYS * past.grid.slots
    error = np.abs(past.counts[:, week:known] - past.counts[:, : max(known - week, 0)])
    return np.nan_to_num(mean_known(error, axis=1))


def judge_alarms(
    name: str, case: Case, ahead: int, told: Mapping[int, Outcome], folds: Sequence[int]
) -> Alarm:
    """Warnings by episode, at least `ahead` steps before, of forecasts `told` by how far they look ahead;
    the chance to warn at is chosen anew on what came before (`_choices`), the first half of the first fold
    only serves to choose it.
    """
    own = told[ahead]
    chance = _chance(case, own)
    came = case.past.counts[own.series, own.origin + ahead] >= case.limits[own.series]
    grid = _Grid.of(case, ahead, told, came)
    end = case.past.counts.shape[1]
    first = case.begin + ((folds[1] if len(folds) > 1 else end) - case.begin) // 2
    first = int(np.searchsorted(case.past.grid.day, case.past.grid.day[first]))
    tallies, chosen = [], CHANCE_FIRST
    for begin, until in itertools.pairwise([*_choices(case, first), end]):
        chosen = grid.choose(max(case.begin, begin - YEAR_DAYS * case.past.grid.slots), begin, chosen)
        tallies.append(grid.tally(chosen, begin, until))
    total = reduce(Tally.plus, tallies)
    days = grid.sensor_days(first, end)
    false = total.false / days if days else float("nan")
    leads = np.array(total.leads) * case.past.grid.step_s * case.stride
    return Alarm(
        name,
        ahead * case.past.grid.step_s,
        float(chosen),
        total.onsets,
        total.warned / total.onsets if total.onsets else float("nan"),
        1 - total.false / total.episodes if total.episodes else float("nan"),
        false,
        false / FALSE_MAX_A_DAY,
        float(np.median(leads)) if len(leads) else float("nan"),
        skill.brier(chance, came),
        skill.average_precision(chance, came),
    )


def _choices(case: Case, first: int) -> Iterator[int]:
    """The steps from `first` on at which the chance to warn at is chosen anew."""
    slots = case.past.grid.slots
    while first < case.past.counts.shape[1]:
        yield first
        known = (first - case.begin) // slots
        first += slots * min(CHOSEN_DAYS, max(1, known // CHOSEN_SHARE))


def _chance(case: Case, told: Outcome) -> Reals:
    return chance_over(told.quantiles.astype(float), LEVELS, case.limits[told.series])


@dataclass(frozen=True, slots=True)
class _Grid:
    """Chances and what came on the origins' own steps: (S, O) of origins, `came` at their targets. A chance
    is the highest of those from `ahead` on, as far as an onset may come later than warned of.
    """

    chance: Reals
    came: Bools
    known: Bools
    begin: int
    stride: int
    ahead: int
    step_s: int

    @classmethod
    def of(cls, case: Case, ahead: int, told: Mapping[int, Outcome], came: Bools) -> _Grid:
        step_s, own, begin = case.past.grid.step_s, told[ahead], case.begin - 1
        width = (case.past.counts.shape[1] - begin) // case.stride + 1
        shape = (len(case.past.counts), width)
        chances, over, known = np.full(shape, np.nan), np.zeros(shape, bool), np.zeros(shape, bool)
        at = own.series, (own.origin - begin) // case.stride
        over[at], known[at] = came, True
        for later, outcome in told.items():
            if ahead <= later <= ahead + SLACK_S // step_s:
                place = outcome.series, (outcome.origin - begin) // case.stride
                chances[place] = np.fmax(chances[place], _chance(case, outcome))
        chances[~known] = np.nan
        return cls(chances, over, known, begin, case.stride, ahead, step_s)

    def _columns(self, first: int, end: int) -> slice:
        return slice(max(0, (first - self.begin) // self.stride), max(0, (end - self.begin) // self.stride))

    def sensor_days(self, first: int, end: int) -> float:
        """How many sensors × days were counted."""
        return float(self.known[:, self._columns(first, end)].sum()) * self.stride * self.step_s / DAY_S

    def tally(self, threshold: float, first: int, end: int, *, decided: bool = False) -> Tally:
        """All series between two steps. Chance and outcome stand at the origin, so leads count from it. Only
        warnings whose outcome is `decided` by `end`, if so wanted.
        """
        apart_s = self.step_s * self.stride
        gap, slack = round(MERGED_S / apart_s), round(SLACK_S / apart_s)
        span = self._columns(first, end)
        total = skill.NOTHING
        shift = max(1, round(self.ahead / self.stride))
        late = shift + slack
        for chance, came in zip(self.chance[:, span], self.came[:, span], strict=True):
            # `came` is told at the origin; at its own time it is `shift` later
            own = np.concatenate([np.zeros(shift, bool), came])
            warned = np.concatenate([chance >= threshold, np.zeros(shift, bool)])
            if decided:
                warned[max(0, len(came) - late) :] = False
                own, warned = own[: len(came)], warned[: len(came)]
            total = total.plus(skill.tally(warned, own, shift, gap, slack))
        return total

    def choose(self, first: int, end: int, before: float) -> float:
        """The lowest chance, step by step from the one before, whose false episodes stay within the budget
        by as much as they may have been few by chance.
        """
        days = self.sensor_days(first, end)
        place = int(np.searchsorted(CHANCES, before))

        def fits(place: int) -> bool:
            false = self.tally(float(CHANCES[place]), first, end, decided=True).false
            return bool(false + SURE * (false + 1) ** 0.5 <= FALSE_MAX_A_DAY * days)

        if not days:
            return before
        while place < len(CHANCES) - 1 and not fits(place):
            place += 1
        while place > 0 and fits(place - 1):
            place -= 1
        return float(CHANCES[place])
