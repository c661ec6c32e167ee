"""The tables of assignments, of the ladder and its rungs, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    select,
)

from anshang.dispatch.ladder import DEFAULT
from anshang.dispatch.model import STATUS_OF, Assignment, AssignmentState, Because, Ladder, RungRun
from anshang.foundation.columns import Named, UtcTime
from anshang.foundation.database import Transaction, metadata, put_all
from anshang.foundation.shelf import Pair, Shelf
from anshang.incidents.categories import Task
from anshang.patrols.store import units, units_table

assignments_table = Table(
    "assignments",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("incident_id", String(36), nullable=False, index=True),
    Column("unit_id", String(64), nullable=False),
    Column("task", Named(Task), nullable=False),
    Column("state", Named(AssignmentState), nullable=False),
    Column("offered_at", UtcTime, nullable=False),
    Column("offered_by", String(64), nullable=False),
    Column("answer_by", UtcTime, nullable=False),
    Column("expected_s", Float),
    Column("onward", Boolean, nullable=False),
    Column("answered_at", UtcTime),
    Column("moving_at", UtcTime),
    Column("on_scene_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("because", Named(Because), nullable=False),
    Column("words", Text, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_assignments_district_id_state", "district_id", "state"),
)

ladders_table = Table(
    "ladders",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("content", JSON, nullable=False),
)

rung_runs_table = Table(
    "rung_runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("incident_id", String(36), nullable=False, index=True),
    Column("rung_id", String(40), nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("met_at", UtcTime),
    Column("met_by", String(64)),
    Column("missed_at", UtcTime),
    Column("raised_at", UtcTime),
    Column("drill", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
)

assignments = Shelf(assignments_table, Assignment, missing=("There is no such task.", "没有该任务。"))
rung_runs = Shelf(rung_runs_table, RungRun, missing=("There is no such rung.", "没有该级响应。"))
with_unit = Pair(assignments, units, units_table.c.id == assignments_table.c.unit_id)
"""A task and the unit that was asked."""
_OWN_LADDER = select(ladders_table.c.content).where(ladders_table.c.district_id == bindparam("here"))

_RUNS = (
    rung_runs.select()
    .where(
        rung_runs_table.c.district_id == bindparam("here"),
        rung_runs_table.c.incident_id.in_(bindparam("these", expanding=True)),
    )
    .order_by(rung_runs_table.c.due_at)
)
_LIVE = (
    assignments.select()
    .where(
        assignments_table.c.district_id == bindparam("here"),
        assignments_table.c.state.in_(list(STATUS_OF)),
    )
    .order_by(assignments_table.c.offered_at, assignments_table.c.id)
)
_LIVE_OF_UNIT = _LIVE.where(assignments_table.c.unit_id == bindparam("unit"))


def list_live(connection: Connection, district_id: str) -> list[Assignment]:
    """The assignments by which a unit is bound now, oldest first."""
    rows = connection.execute(_LIVE, {"here": district_id})
    return [assignments.read(row) for row in rows]


def list_of_unit(connection: Connection, district_id: str, unit_id: str) -> list[Assignment]:
    """The live assignments of a unit: one or none."""
    rows = connection.execute(_LIVE_OF_UNIT, {"here": district_id, "unit": unit_id})
    return [assignments.read(row) for row in rows]


def list_all_of_unit(
    connection: Connection, district_id: str, unit_id: str, since: datetime
) -> list[Assignment]:
    """What a unit was asked since the instant, whatever became of it."""
    table = assignments_table
    return _list(connection, district_id, (table.c.unit_id == unit_id) & (table.c.offered_at >= since))


def list_of_incidents(
    connection: Connection, district_id: str, incident_ids: Sequence[str]
) -> list[Assignment]:
    """All assignments of the incidents, oldest first."""
    return _list(connection, district_id, assignments_table.c.incident_id.in_(incident_ids))


def list_runs(connection: Connection, district_id: str, incident_ids: Sequence[str]) -> list[RungRun]:
    """The rungs that have begun for the incidents, by when they are due."""
    rows = connection.execute(_RUNS, {"here": district_id, "these": list(incident_ids)})
    return [rung_runs.read(row) for row in rows]


def get_ladder(connection: Connection, district_id: str) -> Ladder:
    """The district's ladder: its own, or the one every district begins with."""
    content = connection.execute(_OWN_LADDER, {"here": district_id}).scalar_one_or_none()
    return DEFAULT if content is None else msgspec.convert(content, Ladder, strict=False)


def put_ladder(tx: Transaction, ladder: Ladder) -> None:
    """Keep a ladder of the district's own."""
    put_all(tx.connection, ladders_table, [(tx.district_id, msgspec.json.encode(ladder).decode())])


def _list(connection: Connection, district_id: str, which: ColumnElement[bool]) -> list[Assignment]:
    query = assignments.select().where(assignments_table.c.district_id == district_id, which)
    order = (assignments_table.c.offered_at, assignments_table.c.id)
    return [assignments.read(row) for row in connection.execute(query.order_by(*order))]
