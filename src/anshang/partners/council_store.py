"""The tables of the council, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import JSON, Column, Connection, Date, String, Table, Text
from sqlalchemy import Integer as Whole

from anshang.foundation.columns import Codes, Named, UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Shelf
from anshang.partners.council import Meeting, Motion, MotionState, Resolution

meetings_table = Table(
    "council_meetings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("title", String(120), nullable=False),
    Column("starts_at", UtcTime, nullable=False),
    Column("place", String(120), nullable=False),
    Column("agenda", JSON, nullable=False),
    Column("attended", Codes, nullable=False),
    Column("closed_at", UtcTime),
    Column("version", Whole, nullable=False),
)

motions_table = Table(
    "council_motions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("meeting_id", String(36), nullable=False),
    Column("text", Text, nullable=False),
    Column("moved_by", String(64)),
    Column("state", Named(MotionState), nullable=False),
    Column("votes", JSON, nullable=False),
    Column("version", Whole, nullable=False),
)

resolutions_table = Table(
    "council_resolutions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("motion_id", String(36), nullable=False),
    Column("text", Text, nullable=False),
    Column("owner_id", String(64), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("matter_id", String(36)),
    Column("done_at", UtcTime),
    Column("version", Whole, nullable=False),
)

meetings = Shelf(meetings_table, Meeting, missing=("There is no such meeting.", "没有该会议。"))
motions = Shelf(motions_table, Motion, missing=("There is no such motion.", "没有该议案。"))
resolutions = Shelf(resolutions_table, Resolution, missing=("There is no such resolution.", "没有该决议。"))


def list_meetings(connection: Connection, district_id: str, limit: int = 50) -> list[Meeting]:
    """The meetings, the latest first."""
    query = meetings.select().where(meetings_table.c.district_id == district_id)
    rows = connection.execute(query.order_by(meetings_table.c.starts_at.desc()).limit(limit))
    return [meetings.read(row) for row in rows]


def list_motions(connection: Connection, district_id: str, meeting_ids: Sequence[str]) -> list[Motion]:
    """What was moved at the meetings, in the order in which it was."""
    query = motions.select().where(
        motions_table.c.district_id == district_id, motions_table.c.meeting_id.in_(meeting_ids)
    )
    return [motions.read(row) for row in connection.execute(query.order_by(motions_table.c.id))]


def list_resolutions(connection: Connection, district_id: str) -> list[Resolution]:
    """Every resolution, the one due first before the others."""
    query = resolutions.select().where(resolutions_table.c.district_id == district_id)
    order = (resolutions_table.c.due_on, resolutions_table.c.id)
    return [resolutions.read(row) for row in connection.execute(query.order_by(*order))]


def list_due(connection: Connection, district_id: str, on: date) -> list[Resolution]:
    """Resolutions whose day has come, that are not done and have not come back yet."""
    query = resolutions.select().where(
        resolutions_table.c.district_id == district_id,
        resolutions_table.c.due_on <= on,
        resolutions_table.c.done_at.is_(None),
        resolutions_table.c.matter_id.is_(None),
    )
    return [resolutions.read(row) for row in connection.execute(query.order_by(resolutions_table.c.id))]
