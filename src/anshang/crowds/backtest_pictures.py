"""The pictures of a back-test: skill by horizon, reliability, worst days, warnings through a week, sensors.

Each takes what was tried and draws into a figure; where a picture has nothing to show it is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure

from anshang.crowds.backtest import OURS
from anshang.crowds.backtesting import Tried
from anshang.crowds.count_table import CountTable
from anshang.crowds.file_tables import find_column, open_table
from anshang.crowds.file_values import rows
from anshang.crowds.forecasting import LEVELS
from anshang.foundation.errors import BadInput
from anshang.kernels.quantiles import chance_over

SIZE_INCHES = (8.5, 4.6)
WORST_DAYS = 8
CHINESE = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "SimHei")
INK, OURS_INK, ALARM_INK = "#5b6670", "#0b6bcb", "#c62828"
NAMES = {
    "sensor": ("sensor", "name", "id", "传感器"),
    "lon": ("lon", "lng", "longitude"),
    "lat": ("lat", "latitude"),
}

Picture = tuple[str, str, Figure]
"""Its title in English and Chinese, and itself."""


def pictures(tried: Tried, table: CountTable, locations: Path | None) -> Iterator[Picture]:
    """All that can be drawn."""
    yield "Error by horizon", "各预测时长的误差", _skill(tried)
    yield "Reliability of our quantiles", "分位数的可靠性", _reliability(tried, table)
    yield "Days with the largest error", "误差最大的日子", _worst(tried, table)
    week = _week(tried, table)
    if week is not None:
        yield "Warnings through the busiest week", "最繁忙一周的预警", week
    if locations is not None:
        yield "Where the error is", "误差的分布", _map(tried, table, locations)


def chinese_font() -> list[str]:
    """A font of this machine that holds Chinese, if any."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in CHINESE if name in known][:1]


def _figure() -> tuple[Figure, Any]:
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    return figure, figure.subplots()


def _skill(tried: Tried) -> Figure:
    figure, axes = _figure()
    whole = [each for each in tried.report.scores if each.days == "all"]
    for method in dict.fromkeys(each.method for each in whole):
        own = sorted((each.horizon_s / 60, each.wql) for each in whole if each.method == method)
        ours = {"color": OURS_INK, "linewidth": 2.5} if method == OURS else {"linewidth": 1.2, "alpha": 0.8}
        axes.plot(*zip(*own, strict=True), marker="o", label=method, **ours)
    axes.set(xlabel="minutes ahead", ylabel="weighted quantile loss (lower is better)", ylim=(0, None))
    axes.legend()
    return figure


def _came(tried: Tried, table: CountTable, ahead: int) -> Any:
    told = tried.report.ours[ahead]
    return table.counts[told.series, told.origin + ahead]


def _reliability(tried: Tried, table: CountTable) -> Figure:
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1)
    for ahead, told in tried.report.ours.items():
        below = (_came(tried, table, ahead)[:, None] <= told.quantiles).mean(axis=0)
        axes.plot(LEVELS, below, marker="o", label=f"{ahead * tried.report.step_s / 60:g} min")
    axes.set(xlabel="promised share below", ylabel="share below that came")
    axes.legend()
    return figure


def _worst(tried: Tried, table: CountTable) -> Figure:
    figure, axes = _figure()
    ahead = max(tried.report.ours)
    told = tried.report.ours[ahead]
    came = _came(tried, table, ahead)
    day = tried.grid.day[told.origin + ahead]
    error = np.bincount(day, np.abs(told.point - came), tried.grid.days)
    total = np.bincount(day, came, tried.grid.days)
    share = np.divide(error, total, out=np.zeros(len(total)), where=total > np.median(total[total > 0]) / 10)
    worst = np.argsort(-share)[:WORST_DAYS]
    labels = [
        _local(tried, table, int(np.searchsorted(tried.grid.day, each))).date().isoformat() for each in worst
    ]
    axes.barh(labels[::-1], share[worst][::-1], color=OURS_INK)
    axes.set(xlabel=f"mean error over mean count, {ahead * tried.report.step_s / 60:g} min ahead")
    return figure


def _local(tried: Tried, table: CountTable, step: int) -> datetime:
    return datetime.fromtimestamp(table.first_at_ms / 1000 + step * tried.report.step_s, UTC).astimezone(
        table.zone
    )


def _week(tried: Tried, table: CountTable) -> Figure | None:
    """The sensor and week with the most steps over the limit."""
    ahead = max(tried.report.ours)
    told, limit = tried.report.ours[ahead], tried.report.limits
    target = told.origin + ahead
    over = _came(tried, table, ahead) >= limit[told.series]
    if not over.any():
        return None
    series = int(np.bincount(told.series, over).argmax())
    mine = told.series == series
    weeks = tried.grid.day[target[mine]] // 7
    shown = weeks == np.bincount(weeks, over[mine]).argmax()
    at = [_local(tried, table, int(step)).replace(tzinfo=None) for step in target[mine][shown]]
    quantiles = told.quantiles[mine][shown].astype(float)
    figure, axes = _figure()
    axes.fill_between(at, quantiles[:, 1], quantiles[:, -2], color=OURS_INK, alpha=0.2, label="80 %")
    axes.plot(at, table.counts[series, target[mine][shown]], color="black", linewidth=1, label="came")
    axes.axhline(limit[series], color=ALARM_INK, linewidth=1, linestyle="--", label="limit")
    chance = chance_over(quantiles, LEVELS, np.full(len(at), limit[series]))
    warn = next(
        each.threshold_prob
        for each in tried.report.alarms
        if each.method == OURS and each.lead_s == ahead * tried.report.step_s
    )
    hit = chance >= warn
    axes.plot(np.array(at)[hit], np.full(hit.sum(), limit[series]), "v", color=ALARM_INK, label="warned")
    axes.set(
        title=f"{table.sensors[series]}, {ahead * tried.report.step_s / 60:g} min ahead",
        ylabel="people a step",
        ylim=(0, None),
    )
    axes.legend()
    figure.autofmt_xdate()
    return figure


def _map(tried: Tried, table: CountTable, locations: Path) -> Figure:
    places = _places(locations)
    ahead = min(tried.report.ours)
    told = tried.report.ours[ahead]
    error = np.bincount(told.series, np.abs(told.point - _came(tried, table, ahead)), len(table.sensors))
    total = np.bincount(told.series, _came(tried, table, ahead), len(table.sensors))
    shown = [(i, *places[name]) for i, name in enumerate(table.sensors) if name in places]
    figure, axes = _figure()
    if shown:
        index, lon, lat = (np.array(each) for each in zip(*shown, strict=True))
        share = error[index.astype(int)] / np.maximum(total[index.astype(int)], 1)
        drawn = axes.scatter(lon, lat, c=share, s=60, cmap="viridis_r")
        figure.colorbar(drawn, label=f"mean error over mean count, {ahead * tried.report.step_s / 60:g} min")
        axes.set_aspect(1 / max(0.1, np.cos(np.radians(lat.mean()))))
    axes.set(xlabel="lon", ylabel="lat", title=f"{len(shown)} of {len(table.sensors)} sensors have a place")
    return figure


def _places(path: Path) -> dict[str, tuple[float, float]]:
    with closing(open_table(path)) as table:
        sensor, lon, lat = (find_column(table.names, None, names, key) for key, names in NAMES.items())
        if sensor is None or lon is None or lat is None:
            raise BadInput(
                "locations.columns",
                en=f"{path} needs the columns sensor, lon and lat.",
                zh=f"{path} 需要 sensor、lon、lat 三列。",
            )
        told = rows(table, [sensor, lon, lat])
    return {str(row[sensor]): (_degrees(row[lon]), _degrees(row[lat])) for row in told}


def _degrees(told: Any) -> float:
    try:
        return float(told)
    except (TypeError, ValueError):
        return math.nan
