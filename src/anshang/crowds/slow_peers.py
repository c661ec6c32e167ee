"""Statistical models that fit each series anew at each origin: tried on a sample, beside ours on the same
rows.

MSTL takes the day and the week out; AutoETS or AutoARIMA goes on with what is left. They come from the
package `statsforecast`, which an installation need not have: without it nothing is tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any

import numpy as np

from anshang.crowds.judging import Outcome
from anshang.kernels import skill
from anshang.kernels.daygrid import WEEK_DAYS, DayGrid, Reals

SLOTS_MAX = 144
"""A finer day than ten-minute steps takes minutes for one fit."""
HISTORY_WEEKS, GAPS_MAX_SHARE = 4, 0.5
ORIGINS_MAX = 100
SEED = 11


@dataclass(frozen=True, slots=True)
class Sample:
    """A slow method on n rows, and ours on the same rows."""

    method: str
    horizon_s: int
    n: int
    mae: float
    wql: float
    wql_ours: float
    cpu_s: float


def try_slow(
    counts: Reals,
    grid: DayGrid,
    ours: dict[int, Outcome],
    budget_s: float,
    progress: Callable[[str, float], None] | None = None,
) -> list[Sample]:
    """Each method at random origins, at most budget_s of CPU; none without the package or on a finer day."""
    if find_spec("statsforecast") is None or not ours or grid.slots > SLOTS_MAX:
        return []
    found = []
    for name in ("mstl_autoets", "mstl_autoarima"):
        if progress is not None:
            progress(name, 1.0)
        found += _try(name, counts, grid, ours, budget_s)
    return found


def _try(name: str, counts: Reals, grid: DayGrid, ours: dict[int, Outcome], budget_s: float) -> list[Sample]:
    rng = np.random.default_rng(SEED)
    first = next(iter(ours.values()))
    picks = rng.permutation(len(first.origin))
    told: dict[int, list[tuple[Reals, float, Reals]]] = {each: [] for each in ours}
    begun_s, done = time.process_time(), 0
    for pick in picks.tolist():
        series, origin = int(first.series[pick]), int(first.origin[pick])
        window = counts[series, max(0, origin + 1 - HISTORY_WEEKS * WEEK_DAYS * grid.slots) : origin + 1]
        if len(window) <= 2 * WEEK_DAYS * grid.slots or np.isnan(window).mean() > GAPS_MAX_SHARE:
            continue
        quantiles = _forecast(name, window, grid, max(ours))
        for each, mine in ours.items():
            for row in np.flatnonzero((mine.series == series) & (mine.origin == origin)):
                told[each].append(
                    (quantiles[each - 1], float(counts[series, origin + each]), mine.quantiles[row])
                )
        done += 1
        if done >= ORIGINS_MAX or time.process_time() - begun_s > budget_s:
            break
    cpu_s = time.process_time() - begun_s
    return [_sampled(name, each * grid.step_s, rows, cpu_s) for each, rows in told.items() if rows]


def _forecast(name: str, window: Reals, grid: DayGrid, ahead: int) -> Reals:
    """Nine quantiles (ahead, 9) of one series."""
    models: Any = resolve_name("statsforecast.models")
    trend = models.AutoETS(model="ZZN") if name == "mstl_autoets" else models.AutoARIMA(seasonal=False)
    known = np.flatnonzero(~np.isnan(window))
    whole = np.interp(np.arange(len(window)), known, window[known])  # they cannot do with gaps
    model = models.MSTL(season_length=[grid.slots, WEEK_DAYS * grid.slots], trend_forecaster=trend)
    told = model.forecast(y=whole, h=ahead, level=[20, 40, 60, 80])
    columns = [told[f"lo-{level}"] for level in (80, 60, 40, 20)]
    columns += [told["mean"], *(told[f"hi-{level}"] for level in (20, 40, 60, 80))]
    found: Reals = np.maximum(np.stack([np.asarray(each, float) for each in columns], axis=1), 0)
    return found


def _sampled(name: str, horizon_s: int, rows: list[tuple[Reals, float, Reals]], cpu_s: float) -> Sample:
    quantiles, came = np.stack([row[0] for row in rows]), np.array([row[1] for row in rows])
    mine = np.stack([row[2] for row in rows]).astype(float)[:, 1:-1]
    return Sample(
        name,
        horizon_s,
        len(rows),
        float(np.abs(quantiles[:, 4] - came).mean()),
        skill.weighted_quantile_loss(quantiles, came),
        skill.weighted_quantile_loss(mine, came),
        cpu_s,
    )
