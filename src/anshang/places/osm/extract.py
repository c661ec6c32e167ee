"""Reads the streets, squares and spots of an OpenStreetMap extract: `.osm`, `.osm.gz`, `.osm.bz2` or `.pbf`.

Uses osmium alone: it reads every format, puts multipolygons together and needs no other package.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium

from anshang.foundation.errors import BadInput
from anshang.places.model import Line, Position, Rings
from anshang.places.osm.tags import is_area, is_square, is_walkable, trade_of

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
Tags = dict[str, str]
Point = tuple[int, Position] | None
"""A node of a way and where it is; None when the file does not hold it."""


@dataclass(frozen=True, slots=True)
class Street:
    """A way people may walk, or the part of one that lies within the extract; `part` counts those parts."""

    id: int
    part: int
    tags: Tags
    nodes: tuple[int, ...]
    lonlat: Line


@dataclass(frozen=True, slots=True)
class Square:
    """An area people may walk on."""

    id: str
    tags: Tags
    polygons: tuple[Rings, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A shop or amenity; of a building or an area, its middle."""

    id: str
    tags: Tags
    lonlat: Position


@dataclass(frozen=True, slots=True)
class Extract:
    """What a file holds within the box that was asked for, or else within its own.

    `cut` counts the streets, squares and premises that the box cut or left out, and as `incomplete` the
    streets with points that are not in the file. `box` is the box that applied, `extent` that of all streets.
    """

    streets: list[Street]
    squares: list[Square]
    spots: list[Spot]
    cut: Counter[str]
    box: Box | None
    extent: Box | None


def read_extract(path: Path, bbox: Box | None = None) -> Extract:
    """Read the file; BadInput when it is not there, not whole, or not OpenStreetMap."""
    if not path.is_file():
        raise BadInput("osm.no_file", en=f"There is no file {path}.", zh=f"文件不存在：{path}。")
    try:
        return _read(path, bbox)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise BadInput(
            "osm.unreadable",
            en=f"{path.name} is not a whole OpenStreetMap file (.osm, .osm.gz, .osm.pbf): {error}.",
            zh=f"{path.name} 不是完整的 OpenStreetMap 文件（.osm、.osm.gz、.osm.pbf）：{error}。",
        ) from error


def _read(path: Path, bbox: Box | None) -> Extract:
    with osmium.io.Reader(str(path)) as reader:
        box = bbox or _box_of(reader.header().box())
    streets: list[Street] = []
    squares: list[Square] = []
    spots: list[Spot] = []
    cut: Counter[str] = Counter()
    extent: Box | None = None
    things: Iterator[Any] = iter(osmium.FileProcessor(str(path)).with_locations().with_areas())
    for thing in things:
        tags = {tag.k: tag.v for tag in thing.tags}
        if not tags:
            continue
        if thing.is_way() and is_walkable(tags):
            points = _points(thing)
            streets.extend(_parts(thing.id, tags, points, box, cut))
            extent = _grown(extent, points)
        elif thing.is_area():
            squares.extend(_squares(thing, tags, box, cut))
            spots.extend(_area_spots(thing, tags, box, cut))
        elif thing.is_node() and trade_of(tags):
            position = (thing.location.lon, thing.location.lat)
            spots.extend(_spots(f"n{thing.id}", tags, position, box, cut))
    return Extract(streets, squares, spots, cut, box, extent)


def _box_of(box: Any) -> Box | None:
    if not box.valid():
        return None
    south_west, north_east = box.bottom_left, box.top_right
    return south_west.lon, south_west.lat, north_east.lon, north_east.lat


def _within(position: Position, box: Box | None) -> bool:
    return box is None or (box[0] <= position[0] <= box[2] and box[1] <= position[1] <= box[3])


def _grown(box: Box | None, points: Sequence[Point]) -> Box | None:
    corners = [point[1] for point in points if point] + ([box[:2], box[2:]] if box else [])
    if not corners:
        return None
    lons, lats = zip(*corners, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


def _points(way: Any) -> list[Point]:
    return [
        (node.ref, (node.location.lon, node.location.lat)) if node.location.valid() else None
        for node in way.nodes
    ]


def _parts(
    id: int, tags: Tags, points: Sequence[Point], box: Box | None, cut: Counter[str]
) -> Iterator[Street]:
    """The runs of at least two neighbouring nodes that are in the file and in the box."""
    cut["incomplete"] += None in points
    cut["streets"] += not is_area(tags) and not all(_within(point[1], box) for point in points if point)
    run: list[tuple[int, Position]] = []
    part = 0
    for point in [*points, None]:
        if point and _within(point[1], box):
            run.append(point)
            continue
        if len(run) > 1:
            yield Street(id, part, tags, tuple(ref for ref, _ in run), tuple(spot for _, spot in run))
            part += 1
        run = []


def _area_id(area: Any) -> str:
    return f"{'w' if area.from_way() else 'r'}{area.orig_id()}"


def _squares(area: Any, tags: Tags, box: Box | None, cut: Counter[str]) -> Iterator[Square]:
    if not is_square(tags):
        return
    polygons = []
    for outer in area.outer_rings():
        rings = (_ring(outer), *map(_ring, area.inner_rings(outer)))
        if all(_within(position, box) for position in rings[0]):
            polygons.append(rings)
        else:
            cut["squares"] += 1
    if polygons:
        yield Square(_area_id(area), tags, tuple(polygons))


def _ring(ring: Any) -> Line:
    return tuple((node.location.lon, node.location.lat) for node in ring)


def _area_spots(area: Any, tags: Tags, box: Box | None, cut: Counter[str]) -> Iterator[Spot]:
    if trade_of(tags):
        ring = _ring(next(iter(area.outer_rings())))[:-1]
        middle = (sum(lon for lon, _ in ring) / len(ring), sum(lat for _, lat in ring) / len(ring))
        yield from _spots(_area_id(area), tags, middle, box, cut)


def _spots(id: str, tags: Tags, position: Position, box: Box | None, cut: Counter[str]) -> Iterator[Spot]:
    if _within(position, box):
        yield Spot(id, tags, position)
    else:
        cut["premises"] += 1
