"""The tables of places and what is asked of them. A document replaces a whole place, never a part of it.

Shapes are kept as the WGS-84 degrees they were given in; local metres are reckoned when a place is loaded.
Other rooms name zones and gates by id without a foreign key: their rows outlive a document that drops a zone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import time
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.schema import SchemaItem

from anshang.foundation import ids
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.errors import NotFound
from anshang.kernels.geometry import LocalFrame, holds
from anshang.places.model import (
    NAME_LENGTH_MAX,
    District,
    Gate,
    Place,
    Position,
    Post,
    PostType,
    Premises,
    Rings,
    Space,
    Thresholds,
    Trade,
    Walkway,
    Way,
    Zone,
)
from anshang.places.shapes import carried


def _names() -> list[SchemaItem]:
    return [
        Column("name_zh", String(NAME_LENGTH_MAX), nullable=False),
        Column("name_en", String(NAME_LENGTH_MAX), nullable=False),
    ]


def _features(name: str, *columns: SchemaItem) -> Table:
    return Table(
        name,
        metadata,
        Column("district_id", String(64), primary_key=True),
        Column("id", String(64), primary_key=True),
        *columns,
        Column("shape", Text, nullable=False),
    )


districts = Table(
    "districts",
    metadata,
    Column("district_id", String(64), primary_key=True),
    *_names(),
    Column("time_zone", String(64), nullable=False),
    Column("country", String(2)),
    Column("schematic", Boolean, nullable=False),
    Column("credit_zh", String(NAME_LENGTH_MAX)),
    Column("credit_en", String(NAME_LENGTH_MAX)),
    Column("day_starts", String(5), nullable=False),
    Column("centre_lon", Float, nullable=False),
    Column("centre_lat", Float, nullable=False),
    Column("version", Integer, nullable=False),
)
zones = _features(
    "zones",
    *_names(),
    Column("space", String(16), nullable=False),
    Column("usable_m2", Float, nullable=False),
    Column("thresholds", Text),
)
gates = _features(
    "gates",
    *_names(),
    Column("zone_a", String(64), nullable=False),
    Column("zone_b", String(64)),
    Column("width_m", Float, nullable=False),
)
walkways = _features(
    "walkways",
    Column("from_node", String(64), nullable=False),
    Column("to_node", String(64), nullable=False),
    Column("length_m", Float, nullable=False),
    Column("width_m", Float, nullable=False),
    Column("way", String(16), nullable=False),
)
premises = _features(
    "premises",
    *_names(),
    Column("trade", String(16), nullable=False),
    Column("zone_id", String(64)),
)
posts = _features(
    "posts",
    *_names(),
    Column("post_kind", String(16), nullable=False),
    Column("zone_id", String(64)),
)

_ONE = select(districts).where(districts.c.district_id == bindparam("here"))
_ZONE = select(zones.c.id).where(zones.c.district_id == bindparam("here"), zones.c.id == bindparam("this"))

_to_json = msgspec.json.Encoder().encode
_to_rings = msgspec.json.Decoder(Rings).decode
_to_thresholds = msgspec.json.Decoder(Thresholds).decode


def list_districts(connection: Connection, district_ids: Sequence[str]) -> list[District]:
    """Those of the districts that exist, in the order of their ids."""
    rows = connection.execute(select(districts).where(districts.c.district_id.in_(district_ids)))
    return sorted((_district(row) for row in rows), key=lambda district: district.id)


def list_district_ids(connection: Connection) -> list[str]:
    """The ids of every district there is, for the wiring of an installation."""
    return sorted(connection.execute(select(districts.c.district_id)).scalars())


def list_real_district_ids(connection: Connection) -> list[str]:
    """All districts but the copies on which drills play."""
    return [id for id in list_district_ids(connection) if not ids.is_drill(id)]


def find_district(connection: Connection, district_id: str) -> District | None:
    """The district without its features, or None."""
    row = connection.execute(_ONE, {"here": district_id}).one_or_none()
    return None if row is None else _district(row)


def get_district(connection: Connection, district_id: str) -> District:
    """The district without its features; NotFound when there is none."""
    district = find_district(connection, district_id)
    if district is None:
        raise NotFound(
            "place.missing", en="There is no such district. Import one first.", zh="没有该商圈，请先导入。"
        )
    return district


def load(connection: Connection, district_id: str) -> Place:
    """The whole place in local metres; NotFound when the district does not exist."""
    district = get_district(connection, district_id)
    frame = LocalFrame(district.centre_lon, district.centre_lat)
    tables = [zones, gates, walkways, premises, posts]
    rows = [_rows(connection, table, district_id) for table in tables]
    lonlat = [_to_rings(row.shape) for kind in rows for row in kind]
    shapes = iter(zip(carried(lonlat, frame.to_metres), lonlat, strict=True))
    found_zones = [_zone(row, *next(shapes)) for row in rows[0]]
    found_gates = [_gate(row, *next(shapes)) for row in rows[1]]
    return Place(
        district=district,
        zones={zone.id: zone for zone in found_zones},
        gates={gate.id: gate for gate in found_gates},
        walkways=tuple(_walkway(row, *next(shapes)) for row in rows[2]),
        premises=tuple(_premises(row, *next(shapes)) for row in rows[3]),
        posts=tuple(_post(row, *next(shapes)) for row in rows[4]),
    )


def find_zone_at(connection: Connection, district_id: str, lon: float, lat: float) -> str | None:
    """The zone that holds the point (WGS-84 degrees), None when it lies in none."""
    query = select(zones.c.id, zones.c.shape).where(zones.c.district_id == district_id)
    rows = connection.execute(query.order_by(zones.c.id))
    return next((row.id for row in rows if holds(_to_rings(row.shape), lon, lat)), None)


def has_zone(connection: Connection, district_id: str, zone_id: str) -> bool:
    """Whether the district has the zone."""
    return connection.execute(_ZONE, {"here": district_id, "this": zone_id}).first() is not None


def find_zone_name(connection: Connection, district_id: str, zone_id: str | None) -> dict[str, str] | None:
    """The zone's name by language, "zh" and "en"; None for a zone that the district has not."""
    here = (zones.c.district_id == district_id) & (zones.c.id == zone_id)
    row = connection.execute(select(zones.c.name_zh, zones.c.name_en).where(here)).first()
    return None if row is None else {"zh": row.name_zh, "en": row.name_en}


def check_zone(connection: Connection, district_id: str, zone_id: str | None) -> None:
    """NotFound for a zone that the district has not; none at all is well."""
    if zone_id is not None and not has_zone(connection, district_id, zone_id):
        raise NotFound("zone.missing", en="There is no such zone.", zh="没有该区域。")


def count_zones_and_gates(connection: Connection, district_id: str) -> tuple[int, int]:
    """How many the district has; none of either when there is no such district."""
    queries = (select(func.count()).where(table.c.district_id == district_id) for table in (zones, gates))
    zone_count, gate_count = (connection.execute(query).scalar_one() for query in queries)
    return zone_count, gate_count


def gate_widths(connection: Connection, district_id: str) -> dict[str, float]:
    """The width (m) of every gate by its id."""
    query = select(gates.c.id, gates.c.width_m).where(gates.c.district_id == district_id)
    return {id: width_m for id, width_m in connection.execute(query)}


def has_walkways(connection: Connection, district_id: str) -> bool:
    """Whether the district has a walk graph."""
    query = select(walkways.c.id).where(walkways.c.district_id == district_id).limit(1)
    return connection.execute(query).first() is not None


class Door(NamedTuple):
    """Premises by what is asked of them most: their zone, point (WGS-84 degrees) and names."""

    zone_id: str | None
    lon: float
    lat: float
    name_zh: str
    name_en: str


def find_premises(connection: Connection, district_id: str, premises_id: str) -> Door | None:
    """The premises, None when there are none of that id."""
    t = premises.c
    query = select(t.zone_id, t.shape, t.name_zh, t.name_en).where(
        t.district_id == district_id, t.id == premises_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    ((point,),) = _to_rings(row.shape)
    return Door(row.zone_id, point[0], point[1], row.name_zh, row.name_en)


def replace(tx: Transaction, place: Place) -> Place:
    """Keep the place instead of the one before and return it with its next version; may be a new district."""
    before = find_district(tx.connection, place.district.id)
    district = dataclasses.replace(place.district, version=1 if before is None else before.version + 1)
    values = _fields(district) | {"day_starts": district.day_starts.strftime("%H:%M")}
    values["district_id"] = values.pop("id")
    if before is None:
        tx.connection.execute(insert(districts).values(**values))
    else:
        here = districts.c.district_id == district.id
        tx.connection.execute(update(districts).where(here).values(**values))
    _refill(tx, zones, district.id, [_zone_row(zone) for zone in place.zones.values()])
    _refill(tx, gates, district.id, [_row(gate, (gate.line_lonlat,)) for gate in place.gates.values()])
    _refill(tx, walkways, district.id, [_row(walkway, (walkway.line_lonlat,)) for walkway in place.walkways])
    _refill(tx, premises, district.id, [_row(shop, ((shop.point_lonlat,),)) for shop in place.premises])
    _refill(tx, posts, district.id, [_row(post, ((post.point_lonlat,),)) for post in place.posts])
    return dataclasses.replace(place, district=district)


def _rows(connection: Connection, table: Table, district_id: str) -> list[Row[Any]]:
    rows = connection.execute(select(table).where(table.c.district_id == district_id)).all()
    return sorted(rows, key=lambda row: row.id)  # here, because databases disagree on the order of letters


def _refill(tx: Transaction, table: Table, district_id: str, rows: list[dict[str, Any]]) -> None:
    tx.connection.execute(delete(table).where(table.c.district_id == district_id))
    if rows:
        tx.connection.execute(insert(table), [row | {"district_id": district_id} for row in rows])


_SHAPES = {"polygon", "polygon_lonlat", "line", "line_lonlat", "point", "point_lonlat"}


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _row(value: Any, lonlat: Rings) -> dict[str, Any]:
    kept = {name: content for name, content in _fields(value).items() if name not in _SHAPES}
    return kept | {"shape": _to_json(lonlat).decode()}


def _zone_row(zone: Zone) -> dict[str, Any]:
    thresholds = None if zone.thresholds is None else _to_json(zone.thresholds).decode()
    return _row(zone, zone.polygon_lonlat) | {"thresholds": thresholds}


def _district(row: Row[Any]) -> District:
    values = dict(row._mapping)
    values["id"] = values.pop("district_id")
    return District(**values | {"day_starts": time.fromisoformat(row.day_starts)})


def _zone(row: Row[Any], metres: Rings, lonlat: Rings) -> Zone:
    thresholds = None if row.thresholds is None else _to_thresholds(row.thresholds)
    space = Space(row.space)
    return Zone(row.id, row.name_zh, row.name_en, space, row.usable_m2, thresholds, metres, lonlat)


def _gate(row: Row[Any], metres: Rings, lonlat: Rings) -> Gate:
    names = (row.name_zh, row.name_en)
    line, line_lonlat = metres[0], lonlat[0]
    return Gate(row.id, *names, row.zone_a, row.zone_b, row.width_m, line, line_lonlat)


def _walkway(row: Row[Any], metres: Rings, lonlat: Rings) -> Walkway:
    nodes, way = (row.from_node, row.to_node), Way(row.way)
    return Walkway(row.id, *nodes, row.length_m, row.width_m, way, metres[0], lonlat[0])


def _spot(metres: Rings, lonlat: Rings) -> tuple[Position, Position]:
    (line,), (line_lonlat,) = metres, lonlat
    return line[0], line_lonlat[0]


def _premises(row: Row[Any], metres: Rings, lonlat: Rings) -> Premises:
    point, point_lonlat = _spot(metres, lonlat)
    return Premises(row.id, row.name_zh, row.name_en, Trade(row.trade), row.zone_id, point, point_lonlat)


def _post(row: Row[Any], metres: Rings, lonlat: Rings) -> Post:
    point, point_lonlat = _spot(metres, lonlat)
    return Post(row.id, row.name_zh, row.name_en, PostType(row.post_kind), row.zone_id, point, point_lonlat)
