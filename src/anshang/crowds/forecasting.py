"""The forecast as it is used: trained on what is known, its widths corrected by how recent ones held.

Pure of store and clock: arrays in, arrays out, so that the back-test runs the very same.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from anshang.kernels import conformal, forecast, quantiles
from anshang.kernels.daygrid import Ints, Reals, RunningSums
from anshang.kernels.forecast import History, Model, Rows

LEVELS = np.array([0.025, *np.arange(1, 10) / 10, 0.975])
MIDDLE = 5
WARM_UP_DAYS, HELD_OUT_DAYS = 56, 28
HELD_OUT_SHARE = 0.2
WEEKS_FROM_DAYS = 21
"""With fewer days known the past is halved by days: of weeks there is hardly one in each half."""
REMEMBERED_DAYS, REMEMBERED_ROWS = 28, 20_000
HELD_OUT_ROWS = 60_000
WATCHED_S, PRESENT_S = 3 * 3_600, 900
"""How long it is watched whether trees or the present tell better, and what the present is the mean of."""
EAGER, DOUBT, LOSS_LEAST, GAIN_MOST = 4.0, 3.0, 0.02, 5.0
"""How soon the present is believed, and how little while both are as good: a twentieth. Losses are shares of
a series' mean.
"""
SEED = 7
FEW_DAYS = 0.1
"""Hours of one day err alike: widths learnt on D days are widened by so much over D."""


class Told(NamedTuple):
    """A forecast of n rows: the point (n,), and quantiles (n, 11) at LEVELS, people both."""

    point: Reals
    quantiles: Reals


def learn(past: History, known: int, ahead: Ints, threads: int, *, by_weeks: bool | None = None) -> Model:
    """A model of the first `known` steps for horizons `ahead` (steps); see `halved_by_weeks`."""
    first = min(known // 3, WARM_UP_DAYS * past.grid.slots)
    there_are = len(past.counts) * (known - first) * len(ahead)
    rows = forecast.draw(
        past, first, known, ahead, np.random.default_rng(SEED), min(there_are, forecast.ROWS_MAX)
    )
    by_weeks = halved_by_weeks(past, known) if by_weeks is None else by_weeks
    return forecast.fit(past, rows, by_weeks=by_weeks, threads=threads)


def halved_by_weeks(past: History, known: int) -> bool:
    """Whether a model of the first `known` steps learns its widths on every other week, or day.

    Widths learnt by days are narrower than those learnt by weeks. So the model that shows by how much
    they are wrong must have learnt in the same way as the one in use, though it knows less.
    """
    return known >= WEEKS_FROM_DAYS * past.grid.slots


def held_out(past: History, known: int) -> int:
    """From which step on the known ones are held out to see how wide intervals must be."""
    return known - min(HELD_OUT_DAYS * past.grid.slots, int(known * HELD_OUT_SHARE))


@dataclass(slots=True)
class Outcomes:
    """Forecasts whose outcome is known, in the order of their targets: log ratios (n, L), what came (n,)."""

    target: Ints
    deviation: Reals
    came: Reals

    def factors(self, before: int, slots: int) -> Reals:
        """The widths' factors as they were known before a step."""
        end = int(np.searchsorted(self.target, before))
        begin = int(np.searchsorted(self.target, before - REMEMBERED_DAYS * slots))
        stride = max(1, (end - begin) // REMEMBERED_ROWS)
        found = conformal.factors(self.deviation[begin:end:stride], self.came[begin:end:stride])
        days = float(self.target[end - 1] - self.target[begin]) / slots if end > begin else 1.0
        return np.asarray(found * (1 + FEW_DAYS / max(1.0, days)))


@dataclass(slots=True)
class Forecaster:
    """Our method over folds; for each horizon it remembers how its forecasts came out."""

    threads: int
    outcomes: dict[int, Outcomes] = field(default_factory=dict)

    def tell(self, past: History, known: int, rows: Rows) -> Told:
        """Train on the first `known` steps and forecast rows, sorted by origin, of one fold."""
        ahead = np.unique(rows.ahead)
        if not self.outcomes:
            self._hold_out(past, known, ahead)
        model = learn(past, known, ahead, self.threads)
        told = np.zeros((len(rows.series), len(LEVELS)))
        for each in ahead.tolist():
            mine = rows.ahead == each
            told[mine] = self._one(model, past, rows.taken(mine), each)
        return Told(told[:, MIDDLE], told)

    def _hold_out(self, past: History, known: int, ahead: Ints) -> None:
        """A first look at how wide intervals must be: a model that has not seen the last weeks."""
        begin = held_out(past, known)
        model = learn(past, begin, ahead, self.threads, by_weeks=halved_by_weeks(past, known))
        for each in ahead.tolist():
            rows = _some(past, begin, known, each)
            deviation, came, _, _ = _outcome(model, past, rows, self.threads)
            self.outcomes[each] = Outcomes(rows.origin + rows.ahead, deviation, came)

    def _one(self, model: Model, past: History, rows: Rows, ahead: int) -> Reals:
        """One horizon: each day's widths from what was known when it began."""
        deviation, came, usual, offset = _outcome(model, past, rows, self.threads)
        before, target = self.outcomes[ahead], rows.origin + rows.ahead
        seen = ~np.isnan(came)
        known = Outcomes(
            np.concatenate([before.target, target[seen]]),
            np.concatenate([before.deviation, deviation[seen]]),
            np.concatenate([before.came, came[seen]]),
        )
        wide = deviation.copy()
        slots = past.grid.slots
        for first, end in _days(past.grid.day[rows.origin]):
            begins = int(rows.origin[first])
            factors = known.factors(begins, slots)
            wide[first:end] = conformal.widened(deviation[first:end], factors)
        self.outcomes[ahead] = known
        return quantiles.people(quantiles.at_levels(wide, LEVELS), usual, offset)


def _some(past: History, begin: int, known: int, ahead: int) -> Rows:
    """Rows of origins in [begin, known) whose target was counted before `known`, sorted by origin: all, or
    HELD_OUT_ROWS of them. None comes twice, else later outcomes would weigh less than these.
    """
    series = len(past.counts)
    there_are = series * max(0, known - begin - ahead)
    chosen = np.random.default_rng(SEED).choice(there_are, min(there_are, HELD_OUT_ROWS), replace=False)
    chosen.sort()
    return forecast.counted(
        past, Rows(chosen % series, begin + chosen // series, np.full(len(chosen), ahead, np.int64))
    )


def _outcome(model: Model, past: History, rows: Rows, threads: int) -> tuple[Reals, Reals, Reals, Reals]:
    """Forecasts of one horizon as log ratios, what came as such (NaN where nobody counted), the usual and the
    offset; rows are sorted by origin.
    """
    asked, usual, offset = forecast.features(past, rows)
    came = forecast.outcome(past, rows, usual)
    told = with_present(past, rows, forecast.predict(model, asked, threads), came, (usual, offset))
    return told, came, usual, offset


def with_present(past: History, rows: Rows, told: Reals, came: Reals, ground: tuple[Reals, Reals]) -> Reals:
    """Forecasts of one horizon (n, L) moved towards the present, the more the better that did lately.

    On a day like no other, trees go on telling what they learnt. Of each series the errors of their middle
    and of “it stays as it is” over the last WATCHED_S of targets that were reached decide the share of each:
    an exponentially weighted average of two experts (Cesa-Bianchi and Lugosi, 2006). `ground` is what is
    usual at the targets, and the offset.
    """
    usual, offset = ground
    ahead, every = int(rows.ahead[0]) if len(rows.ahead) else 1, np.arange(past.counts.shape[1])
    now = RunningSums(past.counts).mean_before(past.grid.steps(PRESENT_S), every)[rows.series, rows.origin]
    stays = np.log((now + offset) / (usual + offset))
    people = np.exp(came) * (usual + offset) / np.maximum(past.climate.mean[rows.series], 1e-9)
    origins, place = np.unique(rows.origin, return_inverse=True)
    last = np.searchsorted(origins, origins - ahead, side="right")
    first = np.searchsorted(origins, origins - ahead - past.grid.steps(WATCHED_S), side="right")
    lost = []
    for middle in (told[:, quantiles.MEDIAN], stays):
        errors = np.full((len(past.counts), len(origins)), np.nan)
        errors[rows.series, place] = people * np.abs(came - middle)
        lost.append(RunningSums(errors).mean(first, last)[rows.series, place])
    gain = (lost[0] - lost[1]) / np.maximum(np.minimum(*lost), LOSS_LEAST)
    share = 1 / (1 + np.exp(DOUBT - EAGER * np.clip(gain, -GAIN_MOST, GAIN_MOST)))
    moved = share * (stays - told[:, quantiles.MEDIAN])
    found: Reals = told + np.nan_to_num(moved)[:, None]
    return found


def _days(day: Ints) -> list[tuple[int, int]]:
    """Runs of rows of one day, rows being sorted by it."""
    if not len(day):
        return []
    breaks = np.flatnonzero(np.diff(day)) + 1
    edges = [0, *breaks.tolist(), len(day)]
    return list(itertools.pairwise(edges))
