"""Reads the streets, squares and spots of an OpenStreetMap extract: `.osm`, `.osm.gz`, `.osm.bz2` or `.pbf`.

Uses osmium alone: it reads every format, puts multipolygons together and needs no other package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium

from anshang.foundation.errors import BadInput
from anshang.places.model import Line, Position, Rings
from anshang.places.osm.tags import is_square, is_walkable, trade_of

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
Tags = dict[str, str]


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
    """What a file holds within the box that was asked for, or else within its own."""

    streets: list[Street]
    squares: list[Square]
    spots: list[Spot]


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
        box = bbox or _own_box(reader.header().box())
    streets: list[Street] = []
    squares: list[Square] = []
    spots: list[Spot] = []
    things: Iterator[Any] = iter(osmium.FileProcessor(str(path)).with_locations().with_areas())
    for thing in things:
        tags = {tag.k: tag.v for tag in thing.tags}
        if not tags:
            continue
        if thing.is_way() and is_walkable(tags):
            streets.extend(_parts(thing, tags, box))
        elif thing.is_area():
            squares.extend(_squares(thing, tags, box))
            spots.extend(_area_spots(thing, tags, box))
        elif thing.is_node() and trade_of(tags):
            position = (thing.location.lon, thing.location.lat)
            spots += [Spot(f"n{thing.id}", tags, position)] if _within(position, box) else []
    return Extract(streets, squares, spots)


def _own_box(box: Any) -> Box | None:
    if not box.valid():
        return None
    south_west, north_east = box.bottom_left, box.top_right
    return south_west.lon, south_west.lat, north_east.lon, north_east.lat


def _within(position: Position, box: Box | None) -> bool:
    return box is None or (box[0] <= position[0] <= box[2] and box[1] <= position[1] <= box[3])


def _parts(way: Any, tags: Tags, box: Box | None) -> Iterator[Street]:
    """The runs of at least two neighbouring nodes that are in the file and in the box."""
    run: list[tuple[int, Position]] = []
    part = 0
    for node in [*way.nodes, None]:
        known = node is not None and node.location.valid()
        position = (node.location.lon, node.location.lat) if known else (0.0, 0.0)
        if known and _within(position, box):
            run.append((node.ref, position))
            continue
        if len(run) > 1:
            yield Street(way.id, part, tags, tuple(ref for ref, _ in run), tuple(spot for _, spot in run))
            part += 1
        run = []


def _area_id(area: Any) -> str:
    return f"{'w' if area.from_way() else 'r'}{area.orig_id()}"


def _squares(area: Any, tags: Tags, box: Box | None) -> Iterator[Square]:
    if not is_square(tags):
        return
    polygons = []
    for outer in area.outer_rings():
        rings = (_ring(outer), *map(_ring, area.inner_rings(outer)))
        if all(_within(position, box) for position in rings[0]):
            polygons.append(rings)
    if polygons:
        yield Square(_area_id(area), tags, tuple(polygons))


def _ring(ring: Any) -> Line:
    return tuple((node.location.lon, node.location.lat) for node in ring)


def _area_spots(area: Any, tags: Tags, box: Box | None) -> Iterator[Spot]:
    if not trade_of(tags):
        return
    ring = _ring(next(iter(area.outer_rings())))[:-1]
    middle = (sum(lon for lon, _ in ring) / len(ring), sum(lat for _, lat in ring) / len(ring))
    if _within(middle, box):
        yield Spot(_area_id(area), tags, middle)
