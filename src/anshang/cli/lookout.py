"""Finding somebody who is lost: what a strategy would achieve."""

from __future__ import annotations

import json
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any

import typer
from rich.table import Table

from anshang.cli.terminal import (
    DataFolder,
    district_meant,
    in_words,
    installation,
    progress_bar,
    say,
)
from anshang.lookouts.simulation import TARGET_S, Achieved, quarter, simulate
from anshang.places import store as places
from anshang.places.document import read_document
from anshang.places.model import Place

app = typer.Typer(no_args_is_help=True, help="Finding somebody who is lost: what a strategy would achieve.")
SCENES = ("wuyi", "helsinki")


@app.callback()
def _several() -> None:
    """Finding somebody who is lost."""


@app.command("simulate")
def simulate_losses(
    district: Annotated[
        str,
        typer.Option(
            help="wuyi (schematic), helsinki (real streets), a document, or one of the installation."
        ),
    ] = SCENES[0],
    runs: Annotated[int, typer.Option(help="How many losses.")] = 2_000,
    density: Annotated[float, typer.Option(min=0, max=6, help="People per square metre everywhere.")] = 0.5,
    seed: Annotated[int, typer.Option(help="The same one gives the same losses.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One object on standard output.")] = False,
    data: DataFolder = None,
) -> None:
    """Lose people on a district, by a model of how they stray, and search by three strategies."""
    with in_words(), progress_bar() as bar:
        task = bar.add_task("simulate", total=1.0)
        meant = _place(district, data)
        ground = quarter(meant, density)
        achieved = simulate(ground, runs, seed, lambda share: bar.update(task, completed=share))
    if as_json:
        say(json.dumps({"strategies": [_plain(each) for each in achieved], "runs": runs, "seed": seed}))
    else:
        say(_table(achieved))


def _place(told: str, data: Path | None) -> Place:
    """One of the scenes, a document, or a district of the installation."""
    if told in SCENES and data is None:
        scene: Any = resolve_name(f"anshang.demonstration.scenes:{told}_scene")()
        found: Place = scene.place
        return found
    if Path(told).is_file():
        return read_document(Path(told).read_bytes())
    with installation(data) as (_settings, database):
        district_id = district_meant(database, told)
        with database.reading([district_id]) as connection:
            return places.load(connection, district_id)


def _plain(one: Achieved) -> dict[str, Any]:
    return {
        "name": one.name,
        "median_s": round(one.median_s, 1),
        "p90_s": round(one.p90_s, 1),
        "found_within_20_min_share": round(one.within_share, 4),
        "messages": round(float(one.messages.mean()), 2),
        "person_minutes": round(float(one.person_minutes.mean()), 2),
    }


def _table(achieved: list[Achieved]) -> Table:
    shown = Table(title="走失协查 / look-outs (a model of how people stray)")
    shown.add_column("strategy")
    for name in ("median s", "P90 s", f"< {TARGET_S / 60:.0f} min", "messages", "person-minutes"):
        shown.add_column(name, justify="right")
    for one in achieved:
        shown.add_row(
            one.name,
            f"{one.median_s:.0f}",
            f"{one.p90_s:.0f}",
            f"{one.within_share:.1%}",
            f"{one.messages.mean():.1f}",
            f"{one.person_minutes.mean():.1f}",
        )
    return shown
