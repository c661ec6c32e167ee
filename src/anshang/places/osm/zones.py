"""Zones and gates from streets and squares, in local metres.

Squares keep their outline; streets are cut into pieces of at most 150 m and widened by half their width to
both sides. Where zones would overlap the earlier one keeps the ground: squares first, then streets from wide
to narrow. Zones that touch along at least a metre are joined by a gate; where a walkway leaves a zone into no
other zone there is a gate to the outside. Complexity: O(n log n) by spatial index.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import shapely
from shapely import LineString, Point, Polygon, STRtree
from shapely.geometry.base import BaseGeometry
from shapely.ops import linemerge, substring

from anshang.places.model import Rings, Space
from anshang.places.osm.graph import Edge
from anshang.places.osm.tags import STREET_NAMES, ZONE_NAMES, Tags, names_of, width_m

PIECE_LENGTH_M_MAX = 150.0
ZONE_AREA_M2_MIN = 50.0
GATE_WIDTH_M_MIN = 1.0
GATES_APART_M_MIN = 8.0
TOUCH_M = 0.2
"""Outlines closer than this touch."""
ROUND_SHARE_MIN = 0.35
"""A square whose area is at least this share of a circle with its perimeter is for standing, not a street."""


@dataclass(frozen=True, slots=True)
class OsmZone:
    """A zone to be."""

    id: str
    names: tuple[str, str]
    space: Space
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class OsmGate:
    """A gate to be: a line where two zones touch, or the point where a walkway leaves for the outside."""

    names: tuple[str, str]
    between: tuple[str, str | None]
    width_m: float
    shape: LineString | Point


@dataclass(frozen=True, slots=True)
class _Ground:
    """A piece of ground that wants to be a zone."""

    names: tuple[str, str]
    space: Space
    polygon: BaseGeometry


def square_grounds(squares: Sequence[tuple[Tags, Rings]]) -> list[_Ground]:
    """The ground of squares, largest first; broken outlines are mended."""
    grounds = []
    for tags, rings in squares:
        polygon = Polygon(rings[0], rings[1:]).buffer(0)
        is_round = polygon.area >= ROUND_SHARE_MIN * polygon.length**2 / (4 * math.pi)
        stands = is_round or tags.get("place") == "square"
        names = names_of(tags, ZONE_NAMES["square" if stands else "pedestrian"])
        grounds.append(_Ground(names, Space.STANDING if stands else Space.MOVING, polygon))
    return sorted(grounds, key=lambda ground: -ground.polygon.area)


def street_grounds(edges: Sequence[Edge]) -> list[_Ground]:
    """The ground of streets, wide ones first: edges of one name and width are joined, then cut to size."""
    streets: dict[tuple[float, tuple[str, str]], list[Edge]] = defaultdict(list)
    for edge in edges:
        kind = ZONE_NAMES.get(edge.tags.get("highway", ""), STREET_NAMES)
        streets[width_m(edge.tags), names_of(edge.tags, kind)].append(edge)
    grounds = []
    for (wide_m, names), parts in sorted(streets.items(), key=lambda street: (-street[0][0], street[0][1])):
        for piece in _pieces(parts):
            outline = piece.buffer(wide_m / 2, cap_style="flat", join_style="mitre", mitre_limit=2.0)
            grounds.append(_Ground(names, Space.MOVING, outline))
    return grounds


def _pieces(edges: Sequence[Edge]) -> Iterator[LineString]:
    """The lines of the edges joined and cut into equal pieces of at most 150 m, longest lines first."""
    joined = linemerge([LineString(edge.line) for edge in edges])
    lines = list(getattr(joined, "geoms", [joined]))
    for line in sorted(lines, key=lambda line: -line.length):
        count = math.ceil(line.length / PIECE_LENGTH_M_MAX)
        for number in range(count):
            yield substring(line, number / count, (number + 1) / count, normalized=True)


def make_zones(grounds: Sequence[_Ground]) -> list[OsmZone]:
    """Zones that do not overlap; what is left of a ground in small parts is dropped."""
    tree = STRtree([ground.polygon for ground in grounds])
    taken: list[BaseGeometry] = []
    zones: list[tuple[_Ground, Polygon]] = []
    for number, ground in enumerate(grounds):
        near = [other for other in tree.query(ground.polygon) if other < number]
        left = ground.polygon.difference(shapely.union_all([taken[other] for other in near]))
        parts = [part for part in _polygons(left) if part.area >= ZONE_AREA_M2_MIN]
        taken.append(shapely.union_all(parts))
        zones += [(ground, part) for part in parts]
    return _numbered(zones)


def _polygons(shape: BaseGeometry) -> Iterator[Polygon]:
    """The sound polygons of a shape, 2 cm smaller all round, without necks and slits so thin that rounding
    would turn them into crossings.
    """
    opened = shape.buffer(-0.07, join_style="mitre").buffer(0.05, join_style="mitre", mitre_limit=1.5)
    for part in getattr(opened, "geoms", [opened]):
        if isinstance(part, Polygon) and not part.is_empty:
            yield shapely.simplify(part, 0.02)


def _numbered(zones: Sequence[tuple[_Ground, Polygon]]) -> list[OsmZone]:
    """Zones with ids in order; those of one name are told apart by a number."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for ground, _ in zones:
        totals[ground.names] += 1
    seen: dict[tuple[str, str], int] = defaultdict(int)
    found = []
    for number, (ground, polygon) in enumerate(zones, 1):
        seen[ground.names] += 1
        mark = f" {seen[ground.names]}" if totals[ground.names] > 1 else ""
        names = (f"{ground.names[0][:190]}{mark}", f"{ground.names[1][:190]}{mark}")
        found.append(OsmZone(f"z{number:03}", names, ground.space, polygon))
    return found


def make_gates(zones: Sequence[OsmZone], edges: Sequence[Edge]) -> list[OsmGate]:
    """Every gate between two zones and between a zone and the outside."""
    tree = STRtree([zone.polygon for zone in zones])
    gates = list(_inner_gates(zones, tree))
    walks = [LineString(edge.line) for edge in edges]
    walk_tree = STRtree(walks)
    for zone in zones:
        near = tree.query(zone.polygon, predicate="dwithin", distance=1.0)
        others = shapely.union_all([zones[other].polygon for other in near if zones[other] is not zone])
        rim = zone.polygon.buffer(0.1, join_style="mitre").boundary
        spots = [
            (width_m(edges[walk].tags), spot)
            for walk in walk_tree.query(rim, predicate="intersects")
            for spot in _points(walks[walk].intersection(rim))
            if others.distance(spot) > 0.5 or others.is_empty
        ]
        gates += _outer_gates(zone, spots)
    return gates


def _inner_gates(zones: Sequence[OsmZone], tree: STRtree) -> Iterator[OsmGate]:
    for number, zone in enumerate(zones):
        for other in sorted(tree.query(zone.polygon, predicate="dwithin", distance=TOUCH_M)):
            if other <= number:
                continue
            shared = zone.polygon.boundary.intersection(zones[other].polygon.buffer(TOUCH_M))
            for line in _lines(shared):
                wide_m = line.length - 2 * TOUCH_M  # the widened neighbour overhangs at both ends
                if wide_m >= GATE_WIDTH_M_MIN:
                    names = zip(zone.names, zones[other].names, strict=True)
                    zh, en = (f"{a[:95]} – {b[:95]}" for a, b in names)
                    shape = shapely.simplify(line, 0.1)
                    yield OsmGate((zh, en), (zone.id, zones[other].id), round(wide_m, 1), shape)


def _outer_gates(zone: OsmZone, spots: Sequence[tuple[float, Point]]) -> Iterator[OsmGate]:
    """One gate where several walkways leave close to each other; the widest of them counts."""
    kept: list[tuple[float, Point]] = []
    for wide_m, spot in sorted(spots, key=lambda found: (-found[0], found[1].x, found[1].y)):
        if all(spot.distance(other) >= GATES_APART_M_MIN for _, other in kept):
            kept.append((wide_m, spot))
    for number, (wide_m, spot) in enumerate(kept, 1):
        names = (f"{zone.names[0][:180]} 出入口 {number}", f"{zone.names[1][:180]} gate {number}")
        yield OsmGate(names, (zone.id, None), wide_m, spot)


def _lines(shape: BaseGeometry) -> Iterator[LineString]:
    lines = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, LineString)]
    joined = linemerge(lines) if lines else LineString()
    yield from (part for part in getattr(joined, "geoms", [joined]) if not part.is_empty)


def _points(shape: BaseGeometry) -> Iterator[Point]:
    """The points where a walkway crosses an outline; of a stretch along it, the middle."""
    for part in getattr(shape, "geoms", [shape]):
        if not part.is_empty:
            yield part if isinstance(part, Point) else part.interpolate(0.5, normalized=True)
