"""The tables of look-outs and of looks that found nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Boolean, Column, Connection, Float, Index, Integer, String, Table, or_

from anshang.foundation.columns import Codes, Named, UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Shelf
from anshang.lookouts.model import AgeBand, Look, LookKind, Lookout, Sort, State

lookouts_table = Table(
    "lookouts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("sort", Named(Sort), nullable=False),
    Column("age_band", Named(AgeBand), nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("lon", Float, nullable=False),
    Column("lat", Float, nullable=False),
    Column("zone_id", String(64)),
    Column("premises_id", String(64)),
    Column("opened_at", UtcTime, nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("notice_id", String(36), nullable=False, index=True),
    Column("state", Named(State), nullable=False),
    Column("steps", Codes, nullable=False),
    Column("found_at", UtcTime),
    Column("found_by", String(64)),
    Column("vouchers", Codes, nullable=False),
    Column("closed_at", UtcTime),
    Column("drill", Boolean, nullable=False),
    Column("origin_district", String(64)),
    Column("origin_id", String(36)),
    Column("version", Integer, nullable=False),
    Index("ix_lookouts_district_id_state", "district_id", "state"),
)

looks_table = Table(
    "lookout_looks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("lookout_id", String(36), nullable=False, index=True),
    Column("place_id", String(64), nullable=False),
    Column("kind", Named(LookKind), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", String(64), nullable=False),
    Column("unit_id", String(64)),
    Column("version", Integer, nullable=False),
)

lookouts = Shelf(lookouts_table, Lookout, missing=("There is no such look-out.", "没有该协查。"))
looks = Shelf(looks_table, Look, missing=("There is no such look.", "没有该查看记录。"))


def list_live(
    connection: Connection, district_id: str, closed_since: datetime | None = None
) -> list[Lookout]:
    """The look-outs that are not closed, and those closed since the instant, newest first."""
    t = lookouts_table.c
    wanted = t.state != State.CLOSED
    if closed_since is not None:
        wanted = or_(wanted, t.closed_at >= closed_since)
    query = lookouts.select().where(t.district_id == district_id, wanted)
    return [lookouts.read(row) for row in connection.execute(query.order_by(t.opened_at.desc()))]


def find_by_notice(connection: Connection, district_id: str, notice_id: str) -> Lookout | None:
    """The look-out that a notice belongs to, or None."""
    t = lookouts_table.c
    query = lookouts.select().where(t.district_id == district_id, t.notice_id == notice_id)
    row = connection.execute(query).first()
    return None if row is None else lookouts.read(row)


def list_looks(connection: Connection, district_id: str, lookout_ids: Sequence[str]) -> list[Look]:
    """The looks of the look-outs, oldest first."""
    t = looks_table.c
    query = looks.select().where(t.district_id == district_id, t.lookout_id.in_(lookout_ids))
    return [looks.read(row) for row in connection.execute(query.order_by(t.at))]
