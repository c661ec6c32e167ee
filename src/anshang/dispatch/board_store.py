"""The tables of boards, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, Boolean, Column, Connection, Index, Integer, String, Table, Text, or_

from anshang.dispatch.board import Command, LoneTimer, Message, MessageKind, Presence, Receipt, RollCall
from anshang.foundation.columns import Codes, Named, UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Shelf

commands_table = Table(
    "commands",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("commander_id", String(36), nullable=False),
    Column("since_at", UtcTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

messages_table = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("incident_id", String(36), index=True),
    Column("from_id", String(36), nullable=False),
    Column("from_unit_id", String(64)),
    Column("to_unit_id", String(64)),
    Column("kind", Named(MessageKind), nullable=False),
    Column("text", Text, nullable=False),
    Column("report", JSON, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_messages_district_id_received_at", "district_id", "received_at"),
)

receipts_table = Table(
    "message_receipts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("message_id", String(36), nullable=False, index=True),
    Column("reader_id", String(36), nullable=False),
    Column("unit_id", String(64)),
    Column("at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False),
)

roll_calls_table = Table(
    "roll_calls",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("incident_id", String(36)),
    Column("asked_at", UtcTime, nullable=False),
    Column("asked_by", String(36), nullable=False),
    Column("answer_by", UtcTime, nullable=False),
    Column("unit_ids", Codes, nullable=False),
    Column("silent_at", UtcTime),
    Column("drill", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
)

presences_table = Table(
    "roll_call_answers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("roll_call_id", String(36), nullable=False, index=True),
    Column("unit_id", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("words", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

lone_timers_table = Table(
    "lone_timers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("unit_id", String(64), nullable=False),
    Column("begun_by", String(36), nullable=False),
    Column("begun_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("overdue_at", UtcTime),
    Column("version", Integer, nullable=False),
)

commands = Shelf(commands_table, Command, missing=("Nobody commands here yet.", "尚无指挥员。"))
messages = Shelf(messages_table, Message, missing=("There is no such message.", "没有该消息。"))
receipts = Shelf(receipts_table, Receipt, missing=("There is no such receipt.", "没有该回执。"))
roll_calls = Shelf(roll_calls_table, RollCall, missing=("There is no such roll-call.", "没有该点名。"))
presences = Shelf(presences_table, Presence, missing=("There is no such answer.", "没有该应答。"))
lone_timers = Shelf(lone_timers_table, LoneTimer, missing=("There is no such timer.", "没有该计时。"))


def list_messages(
    connection: Connection, district_id: str, *, incident_id: str | None = None, since: datetime | None = None
) -> list[Message]:
    """The messages of an incident, or all of a district since an instant, oldest first."""
    table = messages_table
    query = messages.select().where(table.c.district_id == district_id)
    if incident_id is not None:
        query = query.where(table.c.incident_id == incident_id)
    if since is not None:
        query = query.where(table.c.received_at >= since)
    return [messages.read(row) for row in connection.execute(query.order_by(table.c.received_at, table.c.id))]


def list_messages_to(
    connection: Connection, district_id: str, unit_id: str, account_id: str, since: datetime
) -> list[Message]:
    """What was said since the instant to everybody, to this unit, or by this account."""
    table = messages_table
    theirs = or_(table.c.to_unit_id.is_(None), table.c.to_unit_id == unit_id, table.c.from_id == account_id)
    query = messages.select().where(table.c.district_id == district_id, table.c.received_at >= since, theirs)
    return [messages.read(row) for row in connection.execute(query.order_by(table.c.received_at, table.c.id))]


def list_receipts(connection: Connection, district_id: str, message_ids: Sequence[str]) -> list[Receipt]:
    """Who has read the messages, in the order in which they did."""
    table = receipts_table
    query = receipts.select().where(table.c.district_id == district_id, table.c.message_id.in_(message_ids))
    return [receipts.read(row) for row in connection.execute(query.order_by(table.c.at))]


def list_roll_calls(connection: Connection, district_id: str, since: datetime) -> list[RollCall]:
    """The roll-calls since the instant, newest first."""
    table = roll_calls_table
    query = roll_calls.select().where(table.c.district_id == district_id, table.c.asked_at >= since)
    return [roll_calls.read(row) for row in connection.execute(query.order_by(table.c.asked_at.desc()))]


def list_presences(connection: Connection, district_id: str, call_ids: Sequence[str]) -> list[Presence]:
    """The answers to the roll-calls."""
    table = presences_table
    query = presences.select().where(table.c.district_id == district_id, table.c.roll_call_id.in_(call_ids))
    return [presences.read(row) for row in connection.execute(query.order_by(table.c.at))]


def list_running_timers(connection: Connection, district_id: str) -> list[LoneTimer]:
    """The timers of those who work alone now."""
    table = lone_timers_table
    query = lone_timers.select().where(table.c.district_id == district_id, table.c.ended_at.is_(None))
    return [lone_timers.read(row) for row in connection.execute(query.order_by(table.c.due_at))]
