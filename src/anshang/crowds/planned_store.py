"""The table of planned events, and the questions asked of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Connection, Index, Integer, String, Table

from anshang.crowds.model import PlannedEvent
from anshang.crowds.planned import Plan
from anshang.foundation.columns import UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Shelf

plans_table = Table(
    "planned_events",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("name", String(120), nullable=False),
    Column("zone_id", String(64)),
    Column("start_at", UtcTime, nullable=False),
    Column("end_at", UtcTime, nullable=False),
    Column("expected_count", Integer),
    Column("withdrawn_at", UtcTime),
    Column("version", Integer, nullable=False),
    Index("ix_planned_events_district_id_start_at", "district_id", "start_at"),
)

plans = Shelf(plans_table, Plan, missing=("There is no such event.", "没有该活动。"))


def list_plans(connection: Connection, district_id: str, from_at: datetime, to_at: datetime) -> list[Plan]:
    """What takes place in [from_at, to_at), by its beginning; withdrawn events left out."""
    query = plans.select().where(
        plans_table.c.district_id == district_id,
        plans_table.c.withdrawn_at.is_(None),
        plans_table.c.end_at > from_at,
        plans_table.c.start_at < to_at,
    )
    return [plans.read(row) for row in connection.execute(query.order_by(plans_table.c.start_at))]


def list_events(
    connection: Connection, district_id: str, from_at: datetime, to_at: datetime
) -> list[PlannedEvent]:
    """The same, as the forecast knows them."""
    return [plan.event for plan in list_plans(connection, district_id, from_at, to_at)]
