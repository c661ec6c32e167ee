"""`anshang crowd train` and `anshang crowd models`: the trained forecast, made, compared and chosen."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from anshang.cli.terminal import DataFolder, District, district_meant, installation, progress_bar, say, tool
from anshang.crowds import trained_actions as actions
from anshang.crowds import trained_store as store
from anshang.crowds.model import ModelState, TrainedModel
from anshang.foundation.errors import BadInput
from anshang.people.model import engine_actor, operator_actor
from anshang.places import store as places

WIDTH = 120
NIGHTLY_NICENESS = 10
WORDS = {
    ModelState.IN_USE: "in use 使用中",
    ModelState.REPLACED: "replaced 已替换",
    ModelState.NOT_BETTER: "not better 未优于",
}


def train(
    district: District = "",
    nightly: Annotated[
        bool, typer.Option("--nightly", help="As the server does it: gently, and content with too few days.")
    ] = False,
    data: DataFolder = None,
) -> None:
    """Train the forecast on the district's counts; it is shown when it was better on the last week."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait in a loop starve each other
    if nightly:
        os.nice(NIGHTLY_NICENESS)
    with installation(data) as (_settings, database), progress_bar() as bar:
        district_id = district_meant(database, district)
        task = bar.add_task(district_id, total=1.0)
        try:
            model = tool("anshang.crowds.training:train_district")(
                database,
                district_id,
                actor=engine_actor(district_id) if nightly else operator_actor(district_id),
                threads=1 if nightly else os.cpu_count() or 1,
                progress=lambda share: bar.update(task, completed=share),
            )
        except BadInput as refusal:
            if not nightly or refusal.code != "forecast.too_short":
                raise
            say(f"{refusal.en}\n{refusal.zh}")
            return
    say(
        f"{model.id}: {WORDS[model.state]}, {model.days_count} days, {model.zones_count} zones, "
        f"loss {-model.gain_share:+.1%} against the one in use"
    )


def models(
    district: District = "",
    use: Annotated[
        str | None,
        typer.Option(help="Show this model's forecast from now on: the first digits of its id, or plain."),
    ] = None,
    data: DataFolder = None,
) -> None:
    """List the trained models beside what was shown when each was made, or choose one of them."""
    with installation(data) as (_settings, database):
        district_id = district_meant(database, district)
        with database.reading([district_id]) as connection:
            places.get_district(connection, district_id)
            wanted = None if use is None else _meant(connection, district_id, use)
        if wanted is not None:
            with database.transaction(district_id) as tx:
                actions.choose(tx, actor=operator_actor(district_id), id=wanted)
        with database.reading([district_id]) as connection:
            known = store.list_trained(connection, district_id)
    if not any(model.state is ModelState.IN_USE for model in known):
        say("In use: the outlook without training 使用中：无需训练的预测")
    if known:
        Console(width=WIDTH).print(_table(known))


def _meant(connection: Connection, district_id: str, told: str) -> str:
    """The id that begins so, or that of the outlook without training."""
    if told == "plain":
        return actions.PLAIN
    found = [
        m.id
        for m in store.list_trained(connection, district_id)
        if m.id.endswith(told) or m.id.startswith(told)
    ]
    if len(found) != 1:
        raise BadInput(
            "forecast.unclear",
            en=f"{len(found)} models have an id that begins or ends with “{told}”.",
            zh=f"编号以“{told}”开头或结尾的模型有 {len(found)} 个。",
        )
    return found[0]


def _table(known: list[TrainedModel]) -> Table:
    table = Table(
        "model 模型", "trained 训练", "days 天", "state 状态", "loss 损失", "in use then", "plain", "80 %"
    )
    for model in known:
        mine, running, plain = (model.figures[name] for name in ("mine", "running", "plain"))
        table.add_row(
            model.id[-8:],
            f"{model.trained_at:%Y-%m-%d %H:%M} UTC",
            str(model.days_count),
            WORDS[model.state],
            *(_mean(each["loss"]) for each in (mine, running, plain)),
            _mean(mine["covered80"]),
        )
    return table


def _mean(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.4f}" if known else "–"
