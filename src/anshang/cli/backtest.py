"""`anshang crowd backtest`: forecasts and warnings tried on anybody's counts, with peers in the same run."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from anshang.cli.terminal import complain, err, in_words, progress_bar, say, tool
from anshang.crowds.count_table import CountTable, read_counts
from anshang.foundation.errors import BadInput

HORIZONS = "15,30,60,120"
TABLE_WIDTH = 130


def backtest(
    counts: Annotated[Path, typer.Argument(help="CSV or Parquet: long (sensor, at, count) or wide (at, …).")],
    locations: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV: sensor, lon, lat; drawn in the report."),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Known events: CSV (name, start, end) or iCalendar."),
    ] = None,
    weather: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="CSV: at, rain_mm, temperature_c by the hour; taken as if it had been forecast rightly.",
        ),
    ] = None,
    holidays: Annotated[str | None, typer.Option(help="Country of public holidays: CN, NZ, CH-ZH …")] = None,
    horizons: Annotated[str, typer.Option(help="Minutes ahead, with commas.")] = HORIZONS,
    test_from: Annotated[str | None, typer.Option(help="First local day of the test, as 2024-01-01.")] = None,
    threshold_quantile: Annotated[
        float,
        typer.Option(min=0.5, max=0.9999, help="Over is what is above this share of a sensor's last year."),
    ] = 0.98,
    threshold: Annotated[float | None, typer.Option(min=0, help="Over is this count and more.")] = None,
    peers: Annotated[str, typer.Option(help="all or none.")] = "all",
    time_zone: Annotated[str | None, typer.Option(help="Of the days, and of times that bear none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object on standard output.")] = False,
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="Write report.html and report.pdf here.")
    ] = None,
) -> None:
    """Try the forecast on recorded counts, and say how good it and its warnings would have been."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait in a loop starve each other
    with in_words(), progress_bar() as bar:
        task = bar.add_task(counts.name, total=1.0)
        table = read_counts(counts, time_zone)
        result = tool("anshang.crowds.backtesting:try_table")(
            table,
            horizons_s=_horizons(horizons),
            test_from=None if test_from is None else _day(test_from, table),
            country=holidays,
            events_file=events,
            weather_file=weather,
            with_peers=_with_peers(peers),
            threshold_quantile=threshold_quantile,
            threshold_count=threshold,
            progress=lambda name, share: bar.update(task, completed=share, description=name or counts.name),
        )
        if out is not None:
            tool("anshang.crowds.backtest_report:write")(result, table, out, locations)
    if as_json:
        say(json.dumps(_plain(result), allow_nan=False))
    else:
        _show(table, result)
    if out is not None:
        complain(f"{out / 'report.html'}\n{out / 'report.pdf'}")


def _horizons(told: str) -> list[int]:
    try:
        found = [round(float(each) * 60) for each in told.split(",") if each.strip()]
    except ValueError:
        found = []
    if not found or min(found) <= 0:
        raise BadInput(
            "backtest.horizons",
            en=f"“{told}” are no minutes; say for example {HORIZONS}.",
            zh=f"“{told}”不是分钟数；例如 {HORIZONS}。",
        )
    return found


def _day(told: str, table: CountTable) -> int:
    """The step at which a local day begins."""
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise BadInput(
            "backtest.day",
            en=f"“{told}” is no day; say for example 2024-01-01.",
            zh=f"“{told}”不是日期；例如 2024-01-01。",
        ) from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=table.zone)
    return max(0, round((at.timestamp() * 1000 - table.first_at_ms) / (table.step_s * 1000)))


def _with_peers(told: str) -> bool:
    if told not in ("all", "none"):
        raise BadInput("backtest.peers", en="--peers is all or none.", zh="--peers 只能是 all 或 none。")
    return told == "all"


def _figures(row: Any) -> dict[str, Any]:
    return {key: _figure(value) for key, value in asdict(row).items()}


def _figure(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.6g}")
    return value


def _plain(result: Any) -> dict[str, Any]:
    """The result as JSON; a figure that a method does not give is null."""
    return {
        "step_s": result.report.step_s,
        "sensors": result.report.sensors,
        "results": [_figures(each) for each in result.report.scores],
        "warnings": [_figures(each) for each in result.report.alarms],
        "samples": [_figures(each) for each in result.samples],
        "origins": result.report.origins,
        "every_steps": result.report.stride,
        "test_from": result.test_from,
        "left_out": result.report.left_out,
        "notes": result.notes,
    }


def _show(table: CountTable, result: Any) -> None:
    say(
        f"{result.report.sensors} sensors, a count every {result.report.step_s / 60:g} min, "
        f"{table.gap_share:.1%} of the steps not counted; "
        f"test from {result.test_from}, {result.report.origins:,} origins, every {result.report.stride} steps"
    )
    for note, count in {**result.notes, **result.report.left_out}.items():
        say(f"  {note}: {count:,}")
    wide = Console(width=max(TABLE_WIDTH, err.width))
    wide.print(_errors(result))
    wide.print(_warnings(result))
    for sample in result.samples:
        say(
            f"{sample.method}, {sample.horizon_s / 60:g} min, on a sample of {sample.n:,} rows: "
            f"WQL {_short(sample.wql)}, ours on the same {_short(sample.wql_ours)} ({sample.cpu_s:.0f} CPU s)"
        )


def _errors(result: Any) -> Table:
    shown = Table(title="误差 / errors")
    for name in ("min", "days", "method", "n", "MAE", "MAE/mean", "MASE", "WQL", "80 %", "95 %", "CPU s"):
        shown.add_column(name, justify="left" if name in ("days", "method") else "right")
    for each in sorted(result.report.scores, key=lambda one: (one.horizon_s, one.days, one.wql)):
        numbers = (each.mae, each.mae_over_mean, each.mase, each.wql, each.cover80, each.cover95)
        head = (f"{each.horizon_s / 60:g}", each.days, each.method, f"{each.n:,}")
        shown.add_row(*head, *map(_short, numbers), f"{each.cpu_s:.0f}")
    return shown


def _warnings(result: Any) -> Table:
    shown = Table(title="预警 / warnings")
    for name in (
        "min",
        "method",
        "p ≥",
        "onsets",
        "recall",
        "precision",
        "false/day",
        "lead min",
        "Brier",
        "AP",
    ):
        shown.add_column(name, justify="left" if name == "method" else "right")
    for each in sorted(result.report.alarms, key=lambda one: (one.lead_s, -one.average_precision)):
        numbers = (
            each.onset_recall,
            each.precision,
            each.false_episodes_per_sensor_day,
            each.median_lead_s / 60,
            each.brier,
            each.average_precision,
        )
        head = (f"{each.lead_s / 60:g}", each.method, f"{each.threshold_prob:.2f}", f"{each.onsets:,}")
        shown.add_row(*head, *map(_short, numbers))
    return shown


def _short(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"
