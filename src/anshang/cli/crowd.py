"""Counts of people: files in, older ones sealed away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from anshang.cli.backtest import backtest
from anshang.cli.forecast import models, train
from anshang.cli.terminal import DataFolder, District, district_meant, installation, progress_bar, say
from anshang.crowds.files import ImportOptions, import_file
from anshang.crowds.rolling import roll_up
from anshang.crowds.sealing import seal
from anshang.foundation import clock
from anshang.people.model import operator_actor

app = typer.Typer(no_args_is_help=True, help="Counts of people: files in, older ones sealed away.")
app.command("backtest")(backtest)
app.command("train")(train)
app.command("models")(models)
Column = Annotated[str | None, typer.Option(help="Its column, if its name is unusual.")]


@app.command("import")
def import_counts(
    file: Annotated[
        Path, typer.Argument(help="CSV or Parquet, also .gz; a row for each sensor and instant.")
    ],
    district: District = "",
    sensor_column: Column = None,
    at_column: Column = None,
    in_column: Column = None,
    out_column: Column = None,
    people_column: Column = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Of times that bear no zone, as Europe/Zurich.")
    ] = None,
    drop_when: Annotated[
        str | None, typer.Option(help="Leave out rows in which this column says yes.")
    ] = None,
    define_sensors: Annotated[bool, typer.Option(help="Enter the sensors that are not known yet.")] = False,
    period_s: Annotated[float | None, typer.Option(help="Seconds between two rows of a sensor.")] = None,
    sensors: Annotated[Path | None, typer.Option(help="CSV: sensor, gate or zone, and id.")] = None,
    data: DataFolder = None,
) -> None:
    """Import recorded counts; interrupted, it goes on where it was when run again."""
    with installation(data) as (settings, database), progress_bar() as progress:
        task = progress.add_task(file.name, total=1.0)
        district_id = district_meant(database, district)
        report = import_file(
            database,
            file,
            actor=operator_actor(district_id),
            district_id=district_id,
            options=ImportOptions(
                sensor_column=sensor_column,
                at_column=at_column,
                in_column=in_column,
                out_column=out_column,
                people_column=people_column,
                drop_when=drop_when,
                time_zone=time_zone,
                define_sensors=define_sensors,
                period_s=period_s,
                sensors_file=sensors,
                folder=settings.sealed_folder,
            ),
            progress=lambda share: progress.update(task, completed=share),
        )
    say(
        f"{report.row_count:,} rows: {report.taken_count:,} taken, {report.repeated_count:,} repeated, "
        f"{report.dropped_count:,} left out, {report.refused_count:,} refused"
    )
    for reason, count in report.refused.most_common():
        say(f"  {reason}: {count:,}")
    if report.refused_file is not None:
        say(f"  {report.refused_file}")


@app.command("seal")
def seal_counts(district: District = "", data: DataFolder = None) -> None:
    """Move raw rows that are old enough into Parquet files, day by day."""
    with installation(data) as (settings, database), progress_bar() as progress:
        task = progress.add_task("seal", total=1.0)
        district_id = district_meant(database, district)
        before_at = clock.now() - timedelta(hours=settings.raw_hours)
        roll_up(database, district_id, before_at, settings.sealed_folder)
        count = seal(
            database,
            district_id,
            before_at,
            settings.sealed_folder,
            lambda share: progress.update(task, completed=share),
        )
    say(f"{count:,} rows sealed in {settings.sealed_folder}")
