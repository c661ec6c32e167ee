"""The place document: one GeoJSON FeatureCollection in and out.

Reading collects every problem with the line its feature begins on and refuses them together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from anshang.kernels.geometry import LocalFrame, wgs84_from_gcj02
from anshang.places.fields import Fields
from anshang.places.lines import Lined, LinedDocument, read_lined
from anshang.places.model import (
    OUTSIDE,
    Coordinates,
    District,
    Gate,
    Place,
    Post,
    PostType,
    Premises,
    Space,
    Trade,
    Walkway,
    Way,
    Zone,
)
from anshang.places.problems import Problems
from anshang.places.shapes import carried, flattened
from anshang.places.soundness import Draft, check, length_m

FORMAT = 1
_WGS84_NAMES = ("CRS84", "4326")
_AREA_M2_MAX = 1e7
_LENGTH_M_MAX = 1e5
_WIDTH_M_MAX = 1e3


def read_document(document: bytes) -> Place:
    """The place a file describes; BadInput whose `details["problems"]` lists all that is wrong, by line."""
    lined = read_lined(document)
    problems = Problems()
    district, coordinates = _read_district(lined, problems)
    drafts, zone_ids = _read_features(lined.features, problems)
    whole = len(drafts) == len(lined.features)
    if coordinates is Coordinates.GCJ02:
        for draft, lonlat in zip(drafts, carried([d.lonlat for d in drafts], wgs84_from_gcj02), strict=True):
            draft.lonlat = lonlat
    centre_lon, centre_lat = _locate(drafts)
    check(drafts, zone_ids, problems, whole=whole)
    if whole and not zone_ids:
        problems.add(1, None, "document.no_zone")
    problems.refuse()
    return _place(District(**district, centre_lon=centre_lon, centre_lat=centre_lat), drafts)


def write_document(place: Place) -> dict[str, Any]:
    """The document of a place, in WGS-84; reading it gives the same place again."""
    features = [_zone_out(zone) for zone in place.zones.values()]
    features += [_gate_out(gate) for gate in place.gates.values()]
    features += [_walkway_out(walkway) for walkway in place.walkways]
    features += [_premises_out(premises) for premises in place.premises]
    features += [_post_out(post) for post in place.posts]
    return {"type": "FeatureCollection", "anshang": _district_out(place.district), "features": features}


def to_text(document: Mapping[str, Any]) -> str:
    """The document as a file with one feature on each line, so that a problem's line is the feature's."""
    members = {name: value for name, value in document.items() if name != "features"}
    head = ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in members.items())
    features = ",\n".join(map(_json, document["features"]))
    return f'{{{head},\n"features": [\n{features}\n]}}\n'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _read_district(lined: LinedDocument, problems: Problems) -> tuple[dict[str, Any], Coordinates]:
    crs = lined.members.get("crs")
    if crs is not None and crs.value is not None and not str(crs.value).rstrip("'} ").endswith(_WGS84_NAMES):
        problems.add(crs.line, None, "document.crs", crs=str(crs.value))
    head = lined.members.get("anshang")
    if head is None:
        problems.add(1, None, "document.member", field="anshang")
        return {}, Coordinates.WGS84
    if not isinstance(head.value, dict):
        problems.add(head.line, None, "field.object", field="anshang")
        return {}, Coordinates.WGS84
    fields = Fields(head.value, problems, head.line, None)
    if fields.required("format") not in (FORMAT, None):
        fields.wrong("document.format")
    district = fields.inner("district")
    if district is None:
        return {}, Coordinates.WGS84
    values: dict[str, Any] = {"id": district.code("id", district.member("id")), **district.names()}
    values |= {"time_zone": district.time_zone(), "country": district.country()}
    values |= {"schematic": district.flag("schematic"), "day_starts": district.day_starts()}
    values |= district.credit()
    coordinates = district.choice("coordinates", Coordinates, Coordinates.WGS84)
    district.refuse_rest("district")
    fields.refuse_rest("document")
    return values, coordinates


def _read_features(features: list[Lined], problems: Problems) -> tuple[list[Draft], set[str]]:
    """The features without a mistake of their own, and the ids of all zones that the file names."""
    drafts: list[Draft] = []
    lines: dict[str, int] = {}
    zone_ids: set[str] = set()
    for lined in features:
        value = lined.value
        if not isinstance(value, dict) or value.get("type") != "Feature":
            problems.add(lined.line, None, "feature.type")
            continue
        properties, id = value.get("properties"), value.get("id")
        name = id if isinstance(id, str) else None
        if not isinstance(properties, dict):
            problems.add(lined.line, name, "field.object", field="properties")
            zone_ids.add(name or "")
            continue
        fields = Fields(properties, problems, lined.line, name)
        draft = _read_feature(fields, value)
        if draft.kind in {"zone", ""}:  # of an unknown kind: it may be meant as a zone
            zone_ids.add(draft.id)
        if draft.id in lines:
            fields.wrong("id.duplicate", id=draft.id, other=lines[draft.id])
        elif draft.id:
            lines[draft.id] = lined.line
        if fields.clean:
            drafts.append(draft)
    return drafts, zone_ids


def _read_feature(fields: Fields, feature: dict[str, Any]) -> Draft:
    id = fields.code("id", feature.get("id"))
    kind = fields.member("kind")
    if not isinstance(kind, str) or kind not in _READERS:
        fields.wrong("feature.kind", value=str(kind))
        return Draft(fields.line, "", id, (), {})
    read, geometries = _READERS[kind]
    shape = fields.shape(feature.get("geometry"), geometries)
    values = read(fields)
    fields.refuse_rest(kind)
    return Draft(fields.line, kind, id, shape, values)


def _read_zone(fields: Fields) -> dict[str, Any]:
    values: dict[str, Any] = {**fields.names(), "space": fields.choice("space", Space)}
    usable_m2 = fields.number("usable_m2", most=_AREA_M2_MAX)
    return values | {"usable_m2": usable_m2, "thresholds": fields.thresholds()}


def _read_gate(fields: Fields) -> dict[str, Any]:
    values: dict[str, Any] = {**fields.names(), "width_m": fields.number("width_m", most=_WIDTH_M_MAX)}
    between = fields.required("between")
    sides = [side for side in between if isinstance(side, str)] if isinstance(between, list) else []
    if between is not None and not (len(sides) == len(set(sides)) == 2 and len(between) == 2):
        fields.wrong("gate.between")
    inside = [side for side in sides if side != OUTSIDE] or [""]
    return values | {"zone_a": inside[0], "zone_b": inside[1] if len(inside) > 1 else None}


def _read_walkway(fields: Fields) -> dict[str, Any]:
    given = fields.member("length_m") is not None
    return {
        "from_node": fields.node("from"),
        "to_node": fields.node("to"),
        "length_m": fields.number("length_m", most=_LENGTH_M_MAX) if given else None,
        "width_m": fields.number("width_m", most=_WIDTH_M_MAX),
        "way": fields.choice("way", Way),
    }


def _read_premises(fields: Fields) -> dict[str, Any]:
    return {**fields.names(), "trade": fields.choice("trade", Trade), "zone_id": fields.zone()}


def _read_post(fields: Fields) -> dict[str, Any]:
    return {**fields.names(), "post_kind": fields.choice("post_kind", PostType), "zone_id": fields.zone()}


_READERS: dict[str, tuple[Callable[[Fields], dict[str, Any]], tuple[str, ...]]] = {
    "zone": (_read_zone, ("Polygon",)),
    "gate": (_read_gate, ("LineString", "Point")),
    "walkway": (_read_walkway, ("LineString",)),
    "premises": (_read_premises, ("Point",)),
    "post": (_read_post, ("Point",)),
}


def _locate(drafts: list[Draft]) -> tuple[float, float]:
    """Set the local metres of every draft and return the centre, which a few stray features cannot move."""
    shapes = [draft.lonlat for draft in drafts]
    if not shapes:
        return 0.0, 0.0
    lon, lat = (round(float(middle), 6) for middle in np.median(flattened(shapes), axis=0))
    for draft, metres in zip(drafts, carried(shapes, LocalFrame(lon, lat).to_metres), strict=True):
        draft.metres = metres
    return lon, lat


def _place(district: District, drafts: list[Draft]) -> Place:
    kinds: dict[str, list[Draft]] = {kind: [] for kind in _READERS}
    for draft in sorted(drafts, key=lambda draft: draft.id):
        kinds[draft.kind].append(draft)
    return Place(
        district=district,
        zones={
            d.id: Zone(d.id, **d.values, polygon=d.metres, polygon_lonlat=d.lonlat) for d in kinds["zone"]
        },
        gates={
            d.id: Gate(d.id, **d.values, line=d.metres[0], line_lonlat=d.lonlat[0]) for d in kinds["gate"]
        },
        walkways=tuple(_walkway(d) for d in kinds["walkway"]),
        premises=tuple(Premises(d.id, **d.values, **_point(d)) for d in kinds["premises"]),
        posts=tuple(Post(d.id, **d.values, **_point(d)) for d in kinds["post"]),
    )


def _walkway(draft: Draft) -> Walkway:
    line, line_lonlat = draft.metres[0], draft.lonlat[0]
    values = draft.values | {"length_m": draft.values["length_m"] or round(length_m(line), 2)}
    return Walkway(draft.id, **values, line=line, line_lonlat=line_lonlat)


def _point(draft: Draft) -> dict[str, Any]:
    return {"point": draft.metres[0][0], "point_lonlat": draft.lonlat[0][0]}


def _district_out(district: District) -> dict[str, Any]:
    owed = district.credit_zh is not None
    values = {
        "id": district.id,
        "name": {"zh": district.name_zh, "en": district.name_en},
        "time_zone": district.time_zone,
        "country": district.country,
        "schematic": district.schematic,
        "credit": {"zh": district.credit_zh, "en": district.credit_en} if owed else None,
        "coordinates": str(Coordinates.WGS84),
        "day_starts": district.day_starts.strftime("%H:%M"),
    }
    return {"format": FORMAT, "district": values}


def _feature(id: str, geometry: str, coordinates: object, properties: dict[str, Any]) -> dict[str, Any]:
    shape = {"type": geometry, "coordinates": coordinates}
    return {"type": "Feature", "id": id, "geometry": shape, "properties": properties}


def _name(named: Zone | Gate | Premises | Post) -> dict[str, str]:
    return {"zh": named.name_zh, "en": named.name_en}


def _zone_out(zone: Zone) -> dict[str, Any]:
    own = zone.thresholds
    thresholds = None if own is None else {"rises": list(own.rises), "falls": list(own.falls)}
    properties = {"kind": "zone", "name": _name(zone), "space": str(zone.space), "usable_m2": zone.usable_m2}
    rings = [list(map(list, ring)) for ring in zone.polygon_lonlat]
    return _feature(zone.id, "Polygon", rings, properties | {"thresholds": thresholds})


def _gate_out(gate: Gate) -> dict[str, Any]:
    between = [gate.zone_a, gate.zone_b or OUTSIDE]
    properties = {"kind": "gate", "name": _name(gate), "between": between, "width_m": gate.width_m}
    line = [list(position) for position in gate.line_lonlat]
    single = len(line) == 1
    return _feature(gate.id, "Point" if single else "LineString", line[0] if single else line, properties)


def _walkway_out(walkway: Walkway) -> dict[str, Any]:
    properties = {
        "kind": "walkway",
        "from": walkway.from_node,
        "to": walkway.to_node,
        "length_m": walkway.length_m,
        "width_m": walkway.width_m,
        "way": str(walkway.way),
    }
    return _feature(walkway.id, "LineString", list(map(list, walkway.line_lonlat)), properties)


def _premises_out(premises: Premises) -> dict[str, Any]:
    properties = {"kind": "premises", "name": _name(premises), "trade": str(premises.trade)}
    return _feature(
        premises.id, "Point", list(premises.point_lonlat), properties | {"zone": premises.zone_id}
    )


def _post_out(post: Post) -> dict[str, Any]:
    properties = {"kind": "post", "name": _name(post), "post_kind": str(post.post_kind), "zone": post.zone_id}
    return _feature(post.id, "Point", list(post.point_lonlat), properties)
