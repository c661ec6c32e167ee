"""From an OpenStreetMap extract to a place document that passes our own checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import Point, Polygon, STRtree

from anshang.foundation.errors import BadInput
from anshang.kernels.geometry import LocalFrame
from anshang.places.model import OUTSIDE
from anshang.places.osm.extract import Box, Extract, Spot, read_extract
from anshang.places.osm.graph import Edge, Graph, build_graph
from anshang.places.osm.hints import as_option
from anshang.places.osm.tags import TRADE_NAMES, is_area, names_of, trade_of, way_of, width_m
from anshang.places.osm.zones import OsmGate, OsmZone, make_gates, make_zones, square_grounds, street_grounds
from anshang.places.shapes import carried, flattened

USABLE_SHARE = 0.9
"""Of a zone's ground; the rest is street furniture, trees and shop fronts."""
PREMISES_DISTANCE_M_MAX = 15.0
"""How far from a zone premises may be and still belong to it."""
STREET_KINDS = (
    {"pedestrian", "living_street"},
    {"footway", "path"},
    {"residential", "service", "unclassified"},
)
"""Streets that become zones: the first of these sets that gives any, squares apart."""
CREDIT = {"zh": "© OpenStreetMap 贡献者（ODbL 1.0）", "en": "© OpenStreetMap contributors (ODbL 1.0)"}
Progress = Callable[[str, float], None]


def import_osm(
    path: Path,
    *,
    name_en: str,
    name_zh: str,
    district_id: str,
    time_zone: str,
    country: str | None = None,
    bbox: Box | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The document of what lies within `bbox` (west, south, east, north), or else within the file's own box.

    `country` is the ISO 3166 code whose public holidays the forecast knows. The document's member `left_out`
    counts what was left out and why (`hints` says it in words); reading the document ignores it. `progress`
    is told the step and the share done. BadInput when the file cannot be read or has no street to walk.
    """
    tell = progress or (lambda step, share: None)
    tell("read", 0.0)
    extract = read_extract(path, bbox)
    if not extract.streets:
        raise _no_streets(path, extract)
    tell("streets", 0.2)
    frame = _frame(extract)
    graph = build_graph(
        extract.streets, carried([(street.lonlat,) for street in extract.streets], frame.to_metres)
    )
    tell("zones", 0.4)
    zones = _zones(extract, graph, frame)
    if not zones:
        raise _no_streets(path, extract)
    tell("gates", 0.7)
    gates = make_gates(zones, graph.edges)
    tell("premises", 0.9)
    features = [_zone(zone, frame) for zone in zones]
    features += [_gate(gate, number, frame) for number, gate in enumerate(gates, 1)]
    features += [_walkway(edge) for edge in graph.edges]
    features += _premises(extract.spots, zones, frame)
    tell("done", 1.0)
    name = {"zh": name_zh, "en": name_en}
    district = {"id": district_id, "name": name, "time_zone": time_zone, "country": country}
    return {
        "type": "FeatureCollection",
        "anshang": {"format": 1, "district": district | {"credit": CREDIT}},
        "left_out": _left_out(graph, extract),
        "features": features,
    }


def _no_streets(path: Path, extract: Extract) -> BadInput:
    box, extent = (as_option(each) if each else "–" for each in (extract.box, extract.extent))
    return BadInput(
        "osm.no_streets",
        en=f"{path.name} has no street, square or footway people can walk within the box {box}; "
        f"its streets lie within {extent} (west,south,east,north).",
        zh=f"{path.name} 在范围 {box} 内没有可步行的街道、广场或步道；"
        f"文件中的街道位于 {extent}（西,南,东,北）。",
    )


def _left_out(graph: Graph, extract: Extract) -> dict[str, Any]:
    return {
        "street_pieces": graph.pieces_left_out,
        "walkways": graph.edges_left_out,
        "length_m": round(graph.length_left_out_m),
        "cut": {kind: extract.cut[kind] for kind in ("streets", "squares", "premises", "incomplete")},
        "box": extract.box,
        "extent": extract.extent,
    }


def _frame(extract: Extract) -> LocalFrame:
    middle = np.median(flattened([(street.lonlat,) for street in extract.streets]), axis=0)
    return LocalFrame(round(float(middle[0]), 6), round(float(middle[1]), 6))


def _zones(extract: Extract, graph: Graph, frame: LocalFrame) -> list[OsmZone]:
    outlines = [(square.tags, rings) for square in extract.squares for rings in square.polygons]
    shapes = carried([rings for _, rings in outlines], frame.to_metres)
    squares = square_grounds([(tags, rings) for (tags, _), rings in zip(outlines, shapes, strict=True)])
    for kinds in STREET_KINDS:
        lines = [edge for edge in graph.edges if edge.tags["highway"] in kinds and not is_area(edge.tags)]
        if zones := make_zones(squares + street_grounds(lines)):
            return zones
    return []


def _degrees(shape: Any, frame: LocalFrame) -> list[list[float]]:
    """The positions of a line, ring or point in degrees, to a millimetre."""
    return [[round(lon, 8), round(lat, 8)] for lon, lat in frame.to_degrees(shapely.get_coordinates(shape))]


def _feature(id: str, geometry: str, coordinates: object, **properties: object) -> dict[str, Any]:
    shape = {"type": geometry, "coordinates": coordinates}
    return {"type": "Feature", "id": id, "geometry": shape, "properties": properties}


def _name(names: tuple[str, str]) -> dict[str, str]:
    return {"zh": names[0], "en": names[1]}


def _zone(zone: OsmZone, frame: LocalFrame) -> dict[str, Any]:
    polygon: Polygon = zone.polygon
    rings = [_degrees(ring, frame) for ring in (polygon.exterior, *polygon.interiors)]
    usable_m2 = round(polygon.area * USABLE_SHARE, 1)
    properties = {"name": _name(zone.names), "space": str(zone.space), "usable_m2": usable_m2}
    return _feature(zone.id, "Polygon", rings, kind="zone", **properties, thresholds=None)


def _gate(gate: OsmGate, number: int, frame: LocalFrame) -> dict[str, Any]:
    positions = _degrees(gate.shape, frame)
    is_point = isinstance(gate.shape, Point)
    between = [gate.between[0], gate.between[1] or OUTSIDE]
    properties = {"name": _name(gate.names), "between": between, "width_m": gate.width_m}
    geometry, coordinates = ("Point", positions[0]) if is_point else ("LineString", positions)
    return _feature(f"g{number:03}", geometry, coordinates, kind="gate", **properties)


def _walkway(edge: Edge) -> dict[str, Any]:
    ends = {"from": f"n{edge.nodes[0]}", "to": f"n{edge.nodes[1]}"}
    figures = {"length_m": round(edge.length_m, 2) or 0.01, "width_m": width_m(edge.tags)}
    properties = {"kind": "walkway", **ends, **figures, "way": str(way_of(edge.tags))}
    return _feature(edge.id, "LineString", list(map(list, edge.lonlat)), **properties)


def _premises(spots: Sequence[Spot], zones: Sequence[OsmZone], frame: LocalFrame) -> list[dict[str, Any]]:
    tree = STRtree([zone.polygon for zone in zones])
    points = [Point(rings[0][0]) for rings in carried([((spot.lonlat,),) for spot in spots], frame.to_metres)]
    nearest = dict(
        tree.query_nearest(points, max_distance=PREMISES_DISTANCE_M_MAX, all_matches=False).T.tolist()
    )
    features = []
    for number, spot in enumerate(spots):
        trade = trade_of(spot.tags)
        assert trade is not None, "an extract holds only spots with a trade"
        zone = zones[nearest[number]].id if number in nearest else None
        properties = {
            "name": _name(names_of(spot.tags, TRADE_NAMES[trade])),
            "trade": str(trade),
            "zone": zone,
        }
        features.append(_feature(f"p-{spot.id}", "Point", list(spot.lonlat), kind="premises", **properties))
    return features
