"""The tables of trained forecasts and of how forecasts came out, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)

from anshang.crowds.model import ModelState, TrainedModel
from anshang.foundation.columns import Named, UtcTime
from anshang.foundation.database import Transaction, insert_new, metadata
from anshang.foundation.shelf import Shelf

trained_table = Table(
    "trained_models",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("trained_at", UtcTime, nullable=False),
    Column("learnt_until_at", UtcTime, nullable=False),
    Column("days_count", Integer, nullable=False),
    Column("zones_count", Integer, nullable=False),
    Column("state", Named(ModelState), nullable=False),
    Column("figures", JSON, nullable=False),
    Column("version", Integer, nullable=False),
)

trees_table = Table(
    "trained_trees",
    metadata,
    Column("model_id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("content", Text, nullable=False),
)

outcomes_table = Table(
    "forecast_outcomes",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("horizon_s", Integer, primary_key=True),
    Column("model_id", String(36), nullable=False),
    Column("zones_count", Integer, nullable=False),
    Column("people_sum", Float, nullable=False),
    Column("error_sum", Float, nullable=False),
    Column("still_sum", Float, nullable=False),
    Column("loss_sum", Float, nullable=False),
    Column("inside80_count", Integer, nullable=False),
    Column("inside95_count", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How the forecasts for an instant came out, all zones together; `model_id` is empty without training."""

chances_table = Table(
    "warning_chances",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("zone_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("chance", Float, nullable=False),
    Column("came", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""The chance of an alert within the hour, where it was worth a thought, and whether it came."""

SUMS: Final = (
    "zones_count",
    "people_sum",
    "error_sum",
    "still_sum",
    "loss_sum",
    "inside80_count",
    "inside95_count",
)

trained_models = Shelf(
    trained_table, TrainedModel, missing=("There is no such forecast model.", "没有该预测模型。")
)


def list_trained(connection: Connection, district_id: str) -> list[TrainedModel]:
    """The district's models, the newest first."""
    query = trained_models.select().where(trained_table.c.district_id == district_id)
    rows = connection.execute(query.order_by(trained_table.c.trained_at.desc(), trained_table.c.id.desc()))
    return [trained_models.read(row) for row in rows]


def find_in_use(connection: Connection, district_id: str) -> TrainedModel | None:
    """The model that the desk's forecast stands on; None without one."""
    query = trained_models.select().where(
        trained_table.c.district_id == district_id, trained_table.c.state == ModelState.IN_USE
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else trained_models.read(row)


def read_trees(connection: Connection, district_id: str, model_id: str) -> str | None:
    """What a model learnt; None when it is not kept any more."""
    mine = (trees_table.c.district_id == district_id) & (trees_table.c.model_id == model_id)
    return connection.execute(select(trees_table.c.content).where(mine)).scalar()


def add_trees(tx: Transaction, model_id: str, content: str) -> None:
    """Keep what a model learnt."""
    row = {"model_id": model_id, "district_id": tx.district_id, "content": content}
    tx.connection.execute(insert(trees_table).values(row))


def drop_models(tx: Transaction, model_ids: Sequence[str]) -> None:
    """Forget models and what they learnt."""
    for table, column in ((trees_table, trees_table.c.model_id), (trained_table, trained_table.c.id)):
        tx.connection.execute(
            delete(table).where(table.c.district_id == tx.district_id, column.in_(model_ids))
        )


def keep_outcomes(connection: Connection, district_id: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Keep rows of `forecast_outcomes`, in the order of its columns after the district."""
    insert_new(connection, outcomes_table, [(district_id, *row) for row in rows])


def forget_outcomes(connection: Connection, district_id: str, before_ms: int) -> None:
    """Forget how forecasts for instants before came out, and what chances there were."""
    for table in (outcomes_table, chances_table):
        mine = table.c.district_id == district_id
        connection.execute(delete(table).where(mine, table.c.at_ms < before_ms))


def first_outcome_ms(connection: Connection, district_id: str, since_ms: int) -> int | None:
    """When the first forecast since then came out; None when none did."""
    query = select(func.min(outcomes_table.c.at_ms)).where(
        outcomes_table.c.district_id == district_id, outcomes_table.c.at_ms >= since_ms
    )
    return connection.execute(query).scalar()


def keep_chances(connection: Connection, district_id: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Keep rows of `warning_chances`, in the order of its columns after the district."""
    insert_new(connection, chances_table, [(district_id, *row) for row in rows])


def list_chances(
    connection: Connection, district_id: str, since_ms: int
) -> dict[str, list[tuple[int, float, bool]]]:
    """By zone: when, how likely, and whether it came, oldest first."""
    query = select(
        chances_table.c.zone_id, chances_table.c.at_ms, chances_table.c.chance, chances_table.c.came
    ).where(chances_table.c.district_id == district_id, chances_table.c.at_ms >= since_ms)
    found: dict[str, list[tuple[int, float, bool]]] = {}
    for zone_id, at_ms, chance, came in connection.execute(query.order_by(chances_table.c.at_ms)):
        found.setdefault(zone_id, []).append((at_ms, chance, came))
    return found


def sum_outcomes(
    connection: Connection, district_id: str, from_ms: int, to_ms: int
) -> dict[tuple[int, bool], dict[str, float]]:
    """The SUMS of a span, and the number of `instants`, by horizon and whether a trained model spoke."""
    trained = (outcomes_table.c.model_id != "").label("trained")
    columns = [func.sum(outcomes_table.c[name]).label(name) for name in SUMS]
    query = (
        select(outcomes_table.c.horizon_s, trained, func.count().label("instants"), *columns)
        .where(outcomes_table.c.district_id == district_id)
        .where(outcomes_table.c.at_ms >= from_ms, outcomes_table.c.at_ms < to_ms)
        .group_by(outcomes_table.c.horizon_s, trained)
        .order_by(outcomes_table.c.horizon_s)
    )
    return {
        (row.horizon_s, bool(row.trained)): {name: float(getattr(row, name)) for name in ("instants", *SUMS)}
        for row in connection.execute(query)
    }
