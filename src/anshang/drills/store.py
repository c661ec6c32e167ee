"""The table of drills, and the questions asked of it."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Connection, Integer, String, Table, Text

from anshang.drills.model import Drill
from anshang.foundation.columns import UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Shelf

drills_table = Table(
    "drills",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("name_zh", String(500), nullable=False),
    Column("name_en", String(500), nullable=False),
    Column("scenario", Text, nullable=False),
    Column("begun_at", UtcTime, nullable=False),
    Column("begun_by", String(36), nullable=False),
    Column("ended_at", UtcTime),
    Column("score", JSON),
    Column("version", Integer, nullable=False),
)

drills = Shelf(drills_table, Drill, missing=("There is no such drill.", "没有该演练。"))


def list_drills(connection: Connection, district_id: str, limit: int = 50) -> list[Drill]:
    """The drills of a district, the latest first."""
    query = drills.select().where(drills_table.c.district_id == district_id)
    rows = connection.execute(query.order_by(drills_table.c.begun_at.desc()).limit(limit))
    return [drills.read(row) for row in rows]


def find_running(connection: Connection, district_id: str) -> Drill | None:
    """The drill that goes on in a district, None when none does."""
    query = drills.select().where(
        drills_table.c.district_id == district_id, drills_table.c.ended_at.is_(None)
    )
    row = connection.execute(query).first()
    return None if row is None else drills.read(row)
