"""The tables of incidents, their moments, links and transfers, and the district's own categories."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    or_,
    select,
)

from anshang.foundation.actor import Scope
from anshang.foundation.columns import Named, UtcTime
from anshang.foundation.database import Transaction, metadata, put_all
from anshang.foundation.shelf import Pair, Shelf
from anshang.incidents.catalogue import BUILT_IN
from anshang.incidents.categories import Category
from anshang.incidents.model import Incident, Link, LinkKind, Moment, Source, Step, Transfer
from anshang.matters.model import Matter, MatterState
from anshang.matters.store import matters, matters_table, seen, visible

incidents_table = Table(
    "incidents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("category_id", String(40)),
    Column("suggested_id", String(40)),
    Column("source", Named(Source), nullable=False),
    Column("called_at", UtcTime, nullable=False),
    Column("lon", Float),
    Column("lat", Float),
    Column("zone_id", String(64)),
    Column("premises_id", String(64), index=True),
    Column("place_words", Text, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
)

moments_table = Table(
    "incident_moments",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("incident_id", String(36), nullable=False, index=True),
    Column("step", Named(Step), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("recorded_by", String(64), nullable=False),
    Column("unit_id", String(64)),
    Column("corrects", String(36)),
    Column("version", Integer, nullable=False),
)

links_table = Table(
    "incident_links",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("incident_id", String(36), nullable=False, index=True),
    Column("other_id", String(36), nullable=False, index=True),
    Column("kind", Named(LinkKind), nullable=False),
    Column("linked_at", UtcTime, nullable=False),
    Column("linked_by", String(64), nullable=False),
    Column("version", Integer, nullable=False),
)

transfers_table = Table(
    "incident_transfers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("incident_id", String(36), nullable=False, index=True),
    Column("to_body_id", String(36), nullable=False),
    Column("reason", Text, nullable=False),
    Column("offered_at", UtcTime, nullable=False),
    Column("offered_by", String(64), nullable=False),
    Column("accepted", Boolean),
    Column("answer", Text, nullable=False),
    Column("answered_at", UtcTime),
    Column("answered_by", String(64)),
    Column("version", Integer, nullable=False),
)

categories_table = Table(
    "incident_categories",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("content", JSON, nullable=False),
)

incidents = Shelf(incidents_table, Incident, missing=("There is no such incident.", "没有该警情。"))
moments = Shelf(moments_table, Moment, missing=("There is no such moment.", "没有该时刻。"))
links = Shelf(links_table, Link, missing=("There is no such link.", "没有该关联。"))
transfers = Shelf(transfers_table, Transfer, missing=("There is no such transfer.", "没有该移交。"))

_BOTH = Pair(matters, incidents, incidents_table.c.id == matters_table.c.id)
_OWN_CATEGORIES = select(categories_table.c.content).where(
    categories_table.c.district_id == bindparam("here")
)


def get(connection: Connection, scope: Scope, district_id: str, id: str) -> tuple[Matter, Incident]:
    """The incident and its matter; NotFound when that is not within the scope."""
    matter, incident = _BOTH.get(connection, district_id, id)
    seen(scope, matter)
    if incident is None:
        raise incidents.missing()
    return matter, incident


def list_moments(connection: Connection, district_id: str, incident_ids: Sequence[str]) -> list[Moment]:
    """What was told of the incidents, in the order in which it was recorded."""
    query = moments.select().where(
        moments_table.c.district_id == district_id, moments_table.c.incident_id.in_(incident_ids)
    )
    order = (moments_table.c.recorded_at, moments_table.c.id)
    return [moments.read(row) for row in connection.execute(query.order_by(*order))]


def list_these(connection: Connection, district_id: str, ids: Sequence[str]) -> dict[str, Incident]:
    """The incidents of these matters by id."""
    query = incidents.select().where(
        incidents_table.c.district_id == district_id, incidents_table.c.id.in_(ids)
    )
    return {row.id: incidents.read(row) for row in connection.execute(query)}


def list_since(connection: Connection, scope: Scope, district_id: str, since: datetime) -> list[Incident]:
    """The incidents called since the instant that the scope may see, newest first."""
    query = incidents.select().where(
        incidents_table.c.called_at >= since, visible(incidents_table.c.id, scope, district_id)
    )
    return [
        incidents.read(row) for row in connection.execute(query.order_by(incidents_table.c.called_at.desc()))
    ]


def list_open_of(
    connection: Connection, district_id: str, source: Source, category_ids: Collection[str]
) -> list[str]:
    """The ids of the open incidents of the categories that came from the source."""
    query = (
        select(incidents_table.c.id)
        .join(matters_table, matters_table.c.id == incidents_table.c.id)
        .where(
            matters_table.c.district_id == district_id,
            matters_table.c.state != MatterState.CLOSED,
            incidents_table.c.source == source,
            incidents_table.c.category_id.in_(category_ids),
        )
    )
    return list(connection.execute(query).scalars())


def list_at_premises(
    connection: Connection, scope: Scope, district_id: str, premises_id: str, since: datetime
) -> list[Incident]:
    """The incidents at the premises since the instant that the scope may see, newest first."""
    query = incidents.select().where(
        incidents_table.c.premises_id == premises_id,
        incidents_table.c.called_at >= since,
        visible(incidents_table.c.id, scope, district_id),
    )
    rows = connection.execute(query.order_by(incidents_table.c.called_at.desc()))
    return [incidents.read(row) for row in rows]


def list_links(connection: Connection, district_id: str, incident_id: str) -> list[Link]:
    """The links of the incident, whichever end it is."""
    ends = or_(links_table.c.incident_id == incident_id, links_table.c.other_id == incident_id)
    query = links.select().where(links_table.c.district_id == district_id, ends)
    return [links.read(row) for row in connection.execute(query.order_by(links_table.c.linked_at))]


def list_transfers(connection: Connection, district_id: str, incident_id: str) -> list[Transfer]:
    """The incident's transfers, oldest first."""
    query = transfers.select().where(
        transfers_table.c.district_id == district_id, transfers_table.c.incident_id == incident_id
    )
    return [transfers.read(row) for row in connection.execute(query.order_by(transfers_table.c.offered_at))]


def list_categories(connection: Connection, district_id: str) -> dict[str, Category]:
    """The district's categories by id: the built-in ones, changed and added to by its own."""
    contents = connection.execute(_OWN_CATEGORIES, {"here": district_id}).scalars()
    own = [msgspec.convert(content, Category) for content in contents]
    return {**BUILT_IN, **{category.id: category for category in sorted(own, key=lambda one: one.id)}}


def put_category(tx: Transaction, category: Category) -> None:
    """Keep a category of the district's own."""
    content = msgspec.json.encode(category).decode()
    put_all(tx.connection, categories_table, [(tx.district_id, category.id, content)])
