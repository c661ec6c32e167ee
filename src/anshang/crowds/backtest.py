"""How good forecasts and warnings would have been: rolling origins over recorded counts, peers beside ours.

Nothing looks ahead: at each origin a method has what was counted up to it, and what it learnt from steps
before the current fold; thresholds of warnings are chosen on folds before. Counts that no crowd makes
become gaps first.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from anshang.crowds import peers
from anshang.crowds.forecasting import Forecaster, Told
from anshang.crowds.judging import YEAR_DAYS, Alarm, Case, Outcome, Score, judge_alarms, score
from anshang.foundation.errors import BadInput
from anshang.kernels import faults, forecast
from anshang.kernels.climate import climate
from anshang.kernels.daygrid import DayGrid, Ints, Reals, mean_known
from anshang.kernels.forecast import History, Rows

OURS = "anshang"
AHEAD_MAX_S = 23 * 3_600
TRAINING_MIN_DAYS = 10
FOLD_DAYS, FOLDS_MAX = 90, 6
ROWS_MAX = 400_000
"""Of one horizon: with more, origins are every second step, every third …"""
IRREGULAR_SHARE = 0.02

Method = Callable[[History, int, Rows], Told]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try: horizons in seconds, the first step of the test, which peers, and what is over."""

    horizons_s: tuple[int, ...]
    test_from: int
    peers: tuple[str, ...] = tuple(peers.PEERS)
    threshold_quantile: float = 0.98
    threshold_count: float | None = None


@dataclass(slots=True)
class Report:
    """What came out: scores and alarms of each method and horizon, and what it stands on."""

    step_s: int
    sensors: int
    stride: int
    origins: int
    left_out: dict[str, int]
    limits: Reals
    scores: list[Score] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    ours: dict[int, Outcome] = field(default_factory=dict)
    """Our own forecasts by horizon, for the pictures."""


def plan_from(grid: DayGrid, steps: int, horizons_s: Sequence[int], test_from: int | None) -> Plan:
    """A plan that these counts can bear; BadInput says what is too short."""
    whole = sorted({each for each in horizons_s if each % grid.step_s == 0 and 0 < each <= AHEAD_MAX_S})
    if not whole:
        raise BadInput(
            "backtest.no_horizon",
            en=f"No horizon is a whole number of steps of {grid.step_s / 60:g} min, up to 23 h.",
            zh=f"没有任何预测时长是 {grid.step_s / 60:g} 分钟步长的整数倍（且不超过 23 小时）。",
        )
    usual = max(steps * 3 // 4, steps - YEAR_DAYS * grid.slots, TRAINING_MIN_DAYS * grid.slots)
    begin = usual if test_from is None else test_from
    if begin < steps:
        begin = int(np.searchsorted(grid.day, grid.day[begin]))
    if begin < TRAINING_MIN_DAYS * grid.slots or steps - begin <= whole[-1] // grid.step_s:
        raise BadInput(
            "backtest.too_short",
            en=f"{begin / grid.slots:.0f} days to learn from and {max(0, steps - begin) / grid.slots:.1f} "
            f"to test on: at least {TRAINING_MIN_DAYS} and 1 are needed.",
            zh=f"可供学习 {begin / grid.slots:.0f} 天、测试 {max(0, steps - begin) / grid.slots:.1f} 天："
            f"至少需要 {TRAINING_MIN_DAYS} 天和 1 天。",
        )
    return Plan(tuple(whole), begin)


def run(counts: Reals, grid: DayGrid, plan: Plan, progress: Progress | None = None) -> Report:
    """Try our method and the peers on counts (S, T)."""
    threads = os.cpu_count() or 1
    clean, left_out = cleaned(counts, grid, plan.test_from)
    past = forecast.history(clean, grid, climate(clean, grid, plan.test_from))
    ahead = np.array([each // grid.step_s for each in plan.horizons_s], np.int64)
    stride = max(1, round(len(clean) * (clean.shape[1] - plan.test_from) / ROWS_MAX + 0.5))
    case = Case(
        past, plan.test_from, stride, limits(clean, grid, plan), irregular(clean, grid, plan.test_from)
    )
    forecaster = Forecaster(threads)
    methods: dict[str, Method] = {OURS: forecaster.tell}
    for name in plan.peers:
        methods[name] = partial(peers.PEERS[name], threads=threads)
    report = Report(
        grid.step_s,
        len(clean),
        stride,
        len(range(plan.test_from, clean.shape[1], stride)),
        left_out,
        case.limits,
    )
    for done, (name, method) in enumerate(methods.items()):
        share = partial(_part, progress, name, done, len(methods))
        share(0.0)
        _try(name, method, case, ahead, report, share)
    return report


def _part(progress: Progress | None, name: str, done: int, total: int, share: float) -> None:
    if progress is not None:
        progress(name, (done + share) / total)


def _try(
    name: str,
    method: Method,
    case: Case,
    ahead: Ints,
    report: Report,
    progress: Callable[[float], None],
) -> None:
    """One method over all folds, scored."""
    begun_s = time.process_time()
    parts: dict[int, list[Outcome]] = {each: [] for each in ahead.tolist()}
    folds = list(_folds(case))
    for place, (known, end) in enumerate(folds):
        rows = _rows(case, known, end, ahead)
        told = method(case.past, known, rows)
        for each, outcomes in parts.items():
            mine = rows.ahead == each
            outcomes.append(
                Outcome(
                    rows.series[mine],
                    rows.origin[mine],
                    told.point[mine],
                    told.quantiles[mine].astype(np.float32),
                )
            )
        progress((place + 1) / len(folds))
    cpu_s = time.process_time() - begun_s
    wholes = {each: Outcome.joined(parts.pop(each)) for each in ahead.tolist()}
    for each, whole in wholes.items():
        report.scores += score(name, case, each, whole, cpu_s)
        report.alarms.append(judge_alarms(name, case, each, wholes, [known for known, _ in folds]))
    if name == OURS:
        report.ours = wholes


def _folds(case: Case) -> Iterator[tuple[int, int]]:
    """[known, end): each is forecast by what was learnt before it."""
    steps = case.past.counts.shape[1] - case.begin
    days = steps / case.past.grid.slots
    number = min(FOLDS_MAX, max(1, round(days / FOLD_DAYS)))
    edges = np.linspace(case.begin, case.begin + steps, number + 1).astype(int).tolist()
    yield from itertools.pairwise(edges)


def _rows(case: Case, known: int, end: int, ahead: Ints) -> Rows:
    """Every origin of a fold whose target was counted, by horizon and then by time.

    The last origin before `known` is the first whose targets lie in the fold.
    """
    offset = (known - case.begin) % case.stride
    origin = np.arange(known - 1 + (case.stride - offset) % case.stride, end - 1, case.stride)
    series = len(case.past.counts)
    each = len(origin) * series
    rows = Rows(
        np.tile(np.tile(np.arange(series), len(origin)), len(ahead)),
        np.tile(np.repeat(origin, series), len(ahead)),
        np.repeat(ahead, each),
    )
    return forecast.counted(case.past, rows)


def cleaned(counts: Reals, grid: DayGrid, known: int) -> tuple[Reals, dict[str, int]]:
    """Counts without what no crowd makes, and how much that was."""
    wrong = {
        "impossible": faults.impossible(counts, known),
        "stuck": faults.stuck(counts, grid.step_s),
        **faults.outages(counts, grid.slots, grid.step_s),
    }
    clean = np.where(np.any(list(wrong.values()), axis=0), np.nan, counts)
    return clean, {name: int((found & ~np.isnan(counts)).sum()) for name, found in wrong.items()}


def limits(counts: Reals, grid: DayGrid, plan: Plan) -> Reals:
    """From which count on (S,) a step is over: told, or a quantile of the year before the test."""
    if plan.threshold_count is not None:
        return np.full(len(counts), plan.threshold_count)
    year = counts[:, max(0, plan.test_from - YEAR_DAYS * grid.slots) : plan.test_from]
    found = [
        np.quantile(row[~np.isnan(row)], plan.threshold_quantile) if (~np.isnan(row)).any() else np.inf
        for row in year
    ]
    least: Reals = np.maximum(np.array(found, float), 1.0)
    return least


def irregular(counts: Reals, grid: DayGrid, begin: int) -> Ints:
    """The days of the test that are not like others: holidays, events, and the busiest 2 %."""
    days = np.arange(grid.day[begin], grid.day[-1] + 1)
    size = np.nan_to_num(mean_known(counts, axis=1))[:, None]
    share = np.where(np.isnan(counts), 0, counts / np.maximum(size, 1e-9)).sum(axis=0)
    seen = (~np.isnan(counts)).sum(axis=0)
    busy = np.bincount(grid.day, share, grid.days)[days] / np.maximum(
        np.bincount(grid.day, seen, grid.days)[days], 1
    )
    top = np.argsort(-busy)[: max(1, round(IRREGULAR_SHARE * len(days)))]
    special = days[grid.special[days] > 0]
    return np.unique(np.concatenate([special, days[top]]))
