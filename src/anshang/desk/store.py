"""The tables of the desk: shifts, the duty log, services of the kiosk."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, Column, Connection, Index, Integer, String, Table, Text

from anshang.desk.model import DutyNote, FoundItem, Order, Outcome, Service, ServiceRequest, Shift, Thing
from anshang.foundation.columns import Codes, Named, UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Shelf

shifts_table = Table(
    "shifts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("began_at", UtcTime, nullable=False),
    Column("people", Codes, nullable=False),
    Column("handed_over_at", UtcTime),
    Column("handed_over_by", String(64)),
    Column("note", Text, nullable=False),
    Column("open_items", JSON, nullable=False),
    Column("accepted_at", UtcTime),
    Column("accepted_by", String(64)),
    Column("version", Integer, nullable=False),
    Index("ix_shifts_district_id_began_at", "district_id", "began_at"),
)

notes_table = Table(
    "duty_notes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("shift_id", String(36), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("author_id", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

services_table = Table(
    "service_requests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("service", Named(Service), nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("done_at", UtcTime),
    Column("done_by", String(64)),
    Column("version", Integer, nullable=False),
    Index("ix_service_requests_district_id_asked_at", "district_id", "asked_at"),
)

orders_table = Table(
    "zone_orders",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("zone_id", String(64), nullable=False),
    Column("level", Integer, nullable=False),
    Column("incident_id", String(36), nullable=False),
    Column("notice_id", String(36), nullable=False),
    Column("given_at", UtcTime, nullable=False),
    Column("given_by", String(36), nullable=False),
    Column("stood_down_at", UtcTime),
    Column("stood_down_by", String(36)),
    Column("drill", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_zone_orders_district_id_given_at", "district_id", "given_at"),
)

found_table = Table(
    "found_items",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("thing", Named(Thing), nullable=False),
    Column("zone_id", String(64)),
    Column("words", Text, nullable=False),
    Column("kept_at", UtcTime, nullable=False),
    Column("kept_by", String(36), nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", String(36)),
    Column("outcome", Named(Outcome)),
    Column("version", Integer, nullable=False),
    Index("ix_found_items_district_id_kept_at", "district_id", "kept_at"),
)

shifts = Shelf(shifts_table, Shift, missing=("There is no such shift.", "没有该班次。"))
notes = Shelf(notes_table, DutyNote, missing=("There is no such note.", "没有该记录。"))
services = Shelf(services_table, ServiceRequest, missing=("There is no such request.", "没有该服务请求。"))
found = Shelf(found_table, FoundItem, missing=("There is no such thing.", "没有该物品。"))
orders = Shelf(orders_table, Order, missing=("There is no such order.", "没有该处置令。"))


def find_last_shift(connection: Connection, district_id: str) -> Shift | None:
    """The shift that began last, or None before the first."""
    t = shifts_table.c
    query = shifts.select().where(t.district_id == district_id).order_by(t.began_at.desc(), t.id.desc())
    row = connection.execute(query.limit(1)).first()
    return None if row is None else shifts.read(row)


def list_duty_notes(connection: Connection, district_id: str, shift_id: str) -> list[DutyNote]:
    """The log of a shift, oldest first."""
    t = notes_table.c
    query = notes.select().where(t.district_id == district_id, t.shift_id == shift_id)
    return [notes.read(row) for row in connection.execute(query.order_by(t.at, t.id))]


def list_services(connection: Connection, district_id: str, since: datetime) -> list[ServiceRequest]:
    """What was asked of the kiosk since the instant, newest first."""
    t = services_table.c
    query = services.select().where(t.district_id == district_id, t.asked_at >= since)
    return [services.read(row) for row in connection.execute(query.order_by(t.asked_at.desc()))]


def find_open_order(connection: Connection, district_id: str, zone_id: str) -> Order | None:
    """The order that stands in the zone, None when none does."""
    t = orders_table.c
    query = orders.select().where(
        t.district_id == district_id, t.zone_id == zone_id, t.stood_down_at.is_(None)
    )
    row = connection.execute(query).first()
    return None if row is None else orders.read(row)


def list_orders(connection: Connection, district_id: str, since: datetime) -> list[Order]:
    """The orders that stand, and those given since the instant, newest first."""
    t = orders_table.c
    query = orders.select().where(
        t.district_id == district_id, (t.given_at >= since) | t.stood_down_at.is_(None)
    )
    return [orders.read(row) for row in connection.execute(query.order_by(t.given_at.desc(), t.id))]


def list_kept(connection: Connection, district_id: str, since: datetime | None = None) -> list[FoundItem]:
    """What is at the kiosk, handed in since the instant, the latest first."""
    t = found_table.c
    query = found.select().where(t.district_id == district_id, t.ended_at.is_(None))
    if since is not None:
        query = query.where(t.kept_at >= since)
    return [found.read(row) for row in connection.execute(query.order_by(t.kept_at.desc(), t.id))]
