"""A back-test of a table of counts: calendar, plan, run, and the slow peers on a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from anshang.crowds import backtest
from anshang.crowds.backtest import Report
from anshang.crowds.calendars import DAYS_AHEAD, day_grid
from anshang.crowds.count_table import CountTable
from anshang.crowds.event_files import FileOfEvents, read_events
from anshang.crowds.slow_peers import Sample, try_slow
from anshang.crowds.weather import by_slot
from anshang.crowds.weather_files import read_weather
from anshang.kernels.daygrid import DayGrid

SLOW_MAX_S = 60.0
"""CPU for each method that fits anew at each origin; never more than ours took."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a back-test says, and what it stands on."""

    report: Report
    samples: list[Sample]
    grid: DayGrid
    test_from: str
    notes: dict[str, int]


def try_table(
    table: CountTable,
    *,
    horizons_s: Sequence[int],
    test_from: int | None = None,
    country: str | None = None,
    events_file: Path | None = None,
    weather_file: Path | None = None,
    with_peers: bool = True,
    threshold_quantile: float = 0.98,
    threshold_count: float | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Tried:
    """Try the forecast on a table of counts; BadInput when it is too short or its calendar unknown.

    The weather of a target is taken as if it had been forecast rightly; everything else was known before.
    """
    steps = table.counts.shape[1]
    from_at = datetime.fromtimestamp(table.first_at_ms / 1000, UTC)
    window = (from_at, from_at + timedelta(seconds=steps * table.step_s, days=DAYS_AHEAD))
    file = FileOfEvents([], []) if events_file is None else read_events(events_file, table.zone, window)
    events = file.events
    grid = day_grid(table.first_at_ms, steps, table.step_s, table.zone, country=country, events=events)
    if weather_file is not None:
        hours = read_weather(weather_file, table.zone)
        for hour in hours:
            hour.check_figures()
        grid = by_slot(hours, grid, table.zone)
    plan = backtest.plan_from(grid, steps, horizons_s, test_from)
    plan = replace(
        plan,
        peers=plan.peers if with_peers else (),
        threshold_quantile=threshold_quantile,
        threshold_count=threshold_count,
    )
    report = backtest.run(table.counts, grid, plan, progress)
    budget_s = min(SLOW_MAX_S, max(score.cpu_s for score in report.scores if score.method == backtest.OURS))
    slow = try_slow(table.counts, grid, report.ours, budget_s, progress) if with_peers else []
    begin_at = from_at + timedelta(seconds=plan.test_from * table.step_s)
    dropped = Counter(f"event left out: {each.en}" for each in file.left_out) | {
        f"horizon is no whole number of steps: {s // 60} min": 1
        for s in horizons_s
        if s not in plan.horizons_s
    }
    begin_on = begin_at.astimezone(table.zone).date()
    return Tried(report, slow, grid, begin_on.isoformat(), {**table.notes, **dropped})
