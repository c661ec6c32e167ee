"""Sending units: what a policy would achieve."""

from __future__ import annotations

import json
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated

import typer
from rich.table import Table

from anshang.cli.terminal import (
    DataFolder,
    District,
    complain,
    district_meant,
    installation,
    progress_bar,
    say,
)
from anshang.dispatch import simulation, store
from anshang.dispatch.simulation import Base, Plan, Result
from anshang.foundation.errors import BadInput
from anshang.patrols import store as patrols
from anshang.people.model import operator_actor
from anshang.places import store as places
from anshang.places.model import Place

app = typer.Typer(no_args_is_help=True, help="Sending units: what a policy would achieve.")


@app.callback()
def _several() -> None:
    """Sending units."""


@app.command()
def simulate(
    district: District = "",
    calls: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="CSV: at, lon, lat, perhaps priority.")
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Calls an hour, evenly along the streets, without a file.")
    ] = 10.0,
    hours: Annotated[float, typer.Option(help="How long a run lasts.")] = 6.0,
    units: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV: unit, lon, lat; else the units at posts."),
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option(help="nearest or cover; several are compared with the first.")
    ] = None,
    runs: Annotated[int, typer.Option(help="How many nights.")] = 20,
    density: Annotated[float, typer.Option(help="People per square metre everywhere.")] = 0.5,
    work_min: Annotated[float, typer.Option(help="How long somebody works there, on average (min).")] = 10.0,
    seed: Annotated[int, typer.Option(help="The same one gives the same nights.")] = 1,
    png: Annotated[Path | None, typer.Option(help="Draw the distributions into this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object on standard output.")] = False,
    data: DataFolder = None,
) -> None:
    """Play nights of calls under policies: how soon somebody is there, with intervals and differences."""
    with installation(data) as (_settings, database), progress_bar() as progress:
        task = progress.add_task("simulate", total=1.0)
        district_id = district_meant(database, district)
        with database.reading([district_id]) as connection:
            place = places.load(connection, district_id)
            ladder = store.get_ladder(connection, district_id)
            known = patrols.list_units(connection, operator_actor(district_id).scope, district_id)
        stationed = [unit.post_id for unit in known if unit.post_id]
        bases = simulation.read_bases(units) if units else _at_posts(place, stationed)
        plan = Plan(hours, rate, work_min * 60, density, runs, seed)
        result = simulation.run(
            place,
            bases,
            ladder,
            policy or ["nearest", "cover"],
            plan,
            given=simulation.read_calls(calls) if calls else None,
            progress=lambda share: progress.update(task, completed=share),
        )
    if png is not None:
        _draw(result, png)
    say(json.dumps(_plain(result), allow_nan=False)) if as_json else _table(result)


def _at_posts(place: Place, post_ids: list[str]) -> list[Base]:
    """The units of the register at their posts; without any, one at every post."""
    posts = {post.id: post for post in place.posts}
    wanted = [id for id in post_ids if id in posts] or list(posts)
    if not wanted:
        raise BadInput(
            "simulation.no_units",
            en="No unit has a post here; name a file with --units.",
            zh="没有设在岗位上的单元；请用 --units 指定文件。",
        )
    return [Base(id, *posts[id].point_lonlat) for id in wanted]


def _table(result: Result) -> None:
    table = Table(title="响应 / response")
    table.add_column("policy")
    for name in ("n", "lost", "utilisation", "median s", "p90 s"):
        table.add_column(name, justify="right")
    for target_s in result.targets_s:
        table.add_column(f"≤ {target_s:.0f} s (95 %)", justify="right", overflow="fold")
    for one in result.figures:
        shares = [f"{s.value:.1%} ({s.low:.1%}–{s.high:.1%})" for s in one.within]
        figures = (
            str(one.n),
            str(one.lost),
            f"{one.utilisation:.0%}",
            f"{one.median_s:.0f}",
            f"{one.p90_s:.0f}",
        )
        table.add_row(one.policy, *figures, *shares)
    for policy, tiers in result.differences.items():
        told = [f"{mean:+.1%} ({low:+.1%}…{high:+.1%})" for mean, low, high in tiers]
        table.add_row(f"{policy} − {result.figures[0].policy}", "", "", "", "", "", *told)
    say(table)
    for one in result.figures:
        if words := simulation.overload(one, result.unit_count):
            complain(f"[red]{words[1]}[/red]\n{words[0]}")


def _plain(result: Result) -> dict[str, object]:
    """The result as JSON; an interval that is not known is null."""

    def number(value: float) -> float | None:
        return round(value, 6) if abs(value) != float("inf") else None

    return {
        "targets_s": list(result.targets_s),
        "policies": [
            {
                "policy": one.policy,
                "n": one.n,
                "lost": one.lost,
                "utilisation": number(one.utilisation),
                "overload": dict(zip(("zh", "en"), words, strict=True))
                if (words := simulation.overload(one, result.unit_count))
                else None,
                "median_s": number(one.median_s),
                "p90_s": number(one.p90_s),
                "within": [[number(s.value), number(s.low), number(s.high)] for s in one.within],
            }
            for one in result.figures
        ],
        "differences": {
            policy: [[number(value) for value in tier] for tier in tiers]
            for policy, tiers in result.differences.items()
        },
    }


def _draw(result: Result, path: Path) -> None:
    """The distributions of response as curves; matplotlib is loaded for this alone."""
    figure = resolve_name("matplotlib.figure:Figure")(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for one in result.figures:
        axes.ecdf(one.response_s[one.response_s < float("inf")], label=f"{one.policy} (n = {one.n})")
    for target_s in result.targets_s:
        axes.axvline(target_s, color="grey", linestyle=":", linewidth=1)
    axes.set(xlabel="seconds until somebody is there", ylabel="share of calls", ylim=(0, 1))
    axes.set_xlim(0, max(result.targets_s) * 3)
    axes.legend()
    figure.savefig(path)
