"""The queue's tables and the questions asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    bindparam,
    func,
    or_,
    select,
    update,
)

from anshang.foundation.actor import Scope
from anshang.foundation.columns import Named, Numbered, UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.shelf import Shelf
from anshang.matters.model import ALARMS, Clock, ClockKind, Matter, MatterKind, MatterState, Note, Priority

matters_table = Table(
    "matters",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Named(MatterKind), nullable=False),
    Column("priority", Numbered(Priority), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("params", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("zone_id", String(64)),
    Column("body_id", String(36)),
    Column("state", Named(MatterState), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("acknowledged_at", UtcTime),
    Column("acknowledged_by", String(64)),
    Column("closed_at", UtcTime),
    Column("closed_by", String(64)),
    Column("outcome", Text, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("shelved_until", UtcTime),
    Column("version", Integer, nullable=False),
    Index("uq_matters_district_id_number", "district_id", "number", unique=True),
    Index("ix_matters_district_id_state", "district_id", "state"),
)

clocks_table = Table(
    "matter_clocks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("matter_id", String(36), nullable=False, index=True),
    Column("kind", Named(ClockKind), nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("because", String(80), nullable=False),
    Column("params", JSON, nullable=False),
    Column("met_at", UtcTime),
    Column("version", Integer, nullable=False),
)

notes_table = Table(
    "matter_notes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("matter_id", String(36), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("author_id", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

matters = Shelf(matters_table, Matter, missing=("There is no such matter.", "没有该事项。"))
clocks = Shelf(clocks_table, Clock, missing=("There is no such clock.", "没有该时限。"))
notes = Shelf(notes_table, Note, missing=("There is no such note.", "没有该备注。"))


_BY_URGENCY = (matters_table.c.priority, matters_table.c.opened_at)
_LAST_NUMBER = select(func.max(matters_table.c.number)).where(
    matters_table.c.district_id == bindparam("here")
)
_MEET = update(clocks_table).where(
    clocks_table.c.district_id == bindparam("here"),
    clocks_table.c.matter_id == bindparam("this"),
    clocks_table.c.kind.in_(bindparam("these", expanding=True)),
    clocks_table.c.met_at.is_(None),
)


def get(connection: Connection, scope: Scope, district_id: str, id: str) -> Matter:
    """The matter; NotFound when it is not within the scope."""
    return seen(scope, matters.get(connection, district_id, id))


def seen(scope: Scope, matter: Matter) -> Matter:
    """The matter that was read; NotFound when it is not within the scope, as if there were none."""
    if matter.district_id not in scope.district_ids or scope.body_id not in (None, matter.body_id):
        raise matters.missing()
    return matter


def list_these(connection: Connection, district_id: str, ids: Sequence[str]) -> dict[str, Matter]:
    """These matters by id, whoever may see them."""
    query = matters.select().where(matters_table.c.district_id == district_id, matters_table.c.id.in_(ids))
    return {row.id: matters.read(row) for row in connection.execute(query)}


def list_waiting(
    connection: Connection, scope: Scope, district_id: str, kind: MatterKind | None = None
) -> list[Matter]:
    """Everything not closed, or all of one kind, most urgent first, then oldest first."""
    query = _waiting(scope, district_id)
    if kind is not None:
        query = query.where(matters_table.c.kind == kind)
    return [matters.read(row) for row in connection.execute(query.order_by(*_BY_URGENCY))]


def list_first_waiting(connection: Connection, scope: Scope, district_id: str, count: int) -> list[Matter]:
    """The beginning of the queue, never more than `count`: of P1 and P2 those nobody has answered, then
    whatever else waits, most urgent first, then oldest first.
    """
    answered = (matters_table.c.priority > Priority.P2) | (matters_table.c.state != MatterState.OPEN)
    query = _waiting(scope, district_id).order_by(answered, *_BY_URGENCY).limit(count)
    return [matters.read(row) for row in connection.execute(query)]


def count_all_waiting(connection: Connection, scope: Scope, district_id: str) -> dict[Priority, int]:
    """How many are not closed, those put aside included, by priority."""
    return _by_priority(connection, _waiting(scope, district_id))


def list_closed(connection: Connection, scope: Scope, district_id: str, limit: int) -> list[Matter]:
    """The matters closed last, newest first."""
    query = _within(scope, district_id).where(matters_table.c.state == MatterState.CLOSED)
    return [
        matters.read(row)
        for row in connection.execute(query.order_by(matters_table.c.closed_at.desc()).limit(limit))
    ]


def count_waiting(
    connection: Connection, scope: Scope, district_id: str, now: datetime
) -> dict[Priority, int]:
    """How many wait and are not put aside, by priority; every priority is named."""
    waits = or_(matters_table.c.shelved_until.is_(None), matters_table.c.shelved_until <= now)
    return _by_priority(connection, _waiting(scope, district_id).where(waits))


def summarise_open(
    connection: Connection, district_ids: Sequence[str]
) -> list[tuple[str, Priority, int, datetime]]:
    """For each district and priority with open matters, those of drills left out: how many, and since when
    the oldest is open.
    """
    t = matters_table.c
    query = (
        select(t.district_id, t.priority, func.count(), func.min(t.opened_at))
        .where(t.district_id.in_(district_ids), t.state != MatterState.CLOSED, t.drill.is_(False))
        .group_by(t.district_id, t.priority)
        .order_by(t.district_id, t.priority)
    )
    return [(id, Priority(p), count, at) for id, p, count, at in connection.execute(query)]


def count_opened_since(connection: Connection, scope: Scope, district_id: str, at: datetime) -> int:
    """How many matters of priority P1 to P3 were opened since the instant: the alarms an operator had."""
    alarms = _within(scope, district_id).where(
        matters_table.c.opened_at >= at, matters_table.c.priority <= Priority.P3
    )
    return connection.execute(select(func.count()).select_from(alarms.subquery())).scalar_one()


def list_alarms(connection: Connection, scope: Scope, district_id: str, since: datetime) -> list[Matter]:
    """The alarms opened since the instant, oldest first."""
    query = _within(scope, district_id).where(
        matters_table.c.kind.in_(ALARMS), matters_table.c.opened_at >= since
    )
    return [matters.read(row) for row in connection.execute(query.order_by(matters_table.c.opened_at))]


def find_waiting_of(
    connection: Connection, district_id: str, kind: MatterKind, subjects: Sequence[str], place: str
) -> Matter | None:
    """The open matter of this kind about one of these subjects at the zone or gate `place`, or None."""
    query = matters.select().where(
        matters_table.c.district_id == district_id,
        matters_table.c.kind == kind,
        matters_table.c.state != MatterState.CLOSED,
        matters_table.c.subject.in_(subjects),
    )
    at_gate = matters_table.c.params["gate"].as_string() == place
    here = or_(matters_table.c.zone_id == place, at_gate)
    row = connection.execute(query.where(here).limit(1)).one_or_none()
    return None if row is None else matters.read(row)


def list_waiting_about(connection: Connection, district_id: str, subject: str) -> list[Matter]:
    """The open matters about a subject, newest first, whoever they belong to."""
    query = matters.select().where(
        matters_table.c.district_id == district_id,
        matters_table.c.state != MatterState.CLOSED,
        matters_table.c.subject == subject,
    )
    return [matters.read(row) for row in connection.execute(query.order_by(matters_table.c.number.desc()))]


def list_opened_by(
    connection: Connection, district_id: str, opened_by: str, kind: MatterKind, since: datetime
) -> list[Matter]:
    """What somebody has put into the queue since the instant, newest first."""
    query = matters.select().where(
        matters_table.c.district_id == district_id,
        matters_table.c.opened_at >= since,
        matters_table.c.opened_by == opened_by,
        matters_table.c.kind == kind,
    )
    return [matters.read(row) for row in connection.execute(query.order_by(matters_table.c.number.desc()))]


def next_number(tx: Transaction) -> int:
    """The number of the district's next matter."""
    return (tx.connection.execute(_LAST_NUMBER, {"here": tx.district_id}).scalar() or 0) + 1


def list_clocks(connection: Connection, district_id: str, matter_ids: Sequence[str]) -> list[Clock]:
    """The clocks of the matters, by when they are due."""
    query = clocks.select().where(
        clocks_table.c.district_id == district_id, clocks_table.c.matter_id.in_(matter_ids)
    )
    return [clocks.read(row) for row in connection.execute(query.order_by(clocks_table.c.due_at))]


def meet_clocks(tx: Transaction, matter_id: str, kinds: Sequence[ClockKind], at: datetime) -> None:
    """Stop the matter's running clocks of these kinds."""
    told = {"here": tx.district_id, "this": matter_id, "these": list(kinds), "met_at": at}
    tx.connection.execute(_MEET, told)


def move_met(tx: Transaction, matter_id: str, kind: ClockKind, wrong: datetime, at: datetime) -> None:
    """What met the matter's clocks of this kind at the wrong instant did so at another."""
    for each in list_clocks(tx.connection, tx.district_id, [matter_id]):
        if each.kind is kind and each.met_at == wrong:
            clocks.put(tx, replace(each, met_at=at))


def list_notes(connection: Connection, district_id: str, matter_id: str) -> list[Note]:
    """The notes of the matter, oldest first."""
    query = notes.select().where(
        notes_table.c.district_id == district_id, notes_table.c.matter_id == matter_id
    )
    return [notes.read(row) for row in connection.execute(query.order_by(notes_table.c.at))]


def visible(id_column: ColumnElement[str], scope: Scope, district_id: str) -> ColumnElement[bool]:
    """Whether the matter of a row in another room, which bears its id, lies within the scope."""
    within = _within(scope, district_id).with_only_columns(matters_table.c.id)
    return id_column.in_(within)


def _by_priority(connection: Connection, query: Select[Any]) -> dict[Priority, int]:
    queue = query.subquery()
    counted = connection.execute(select(queue.c.priority, func.count()).group_by(queue.c.priority))
    found = {Priority(priority): count for priority, count in counted}
    return {priority: found.get(priority, 0) for priority in Priority}


def _waiting(scope: Scope, district_id: str) -> Select[Any]:
    return _within(scope, district_id).where(matters_table.c.state != MatterState.CLOSED)


def _within(scope: Scope, district_id: str) -> Select[Any]:
    query = matters.select().where(
        matters_table.c.district_id == district_id, matters_table.c.district_id.in_(scope.district_ids)
    )
    return query if scope.body_id is None else query.where(matters_table.c.body_id == scope.body_id)
