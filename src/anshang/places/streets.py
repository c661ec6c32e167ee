"""A district's walkways as the graph that travel times are asked of; prepared once for each version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anshang.foundation.errors import RuleBroken
from anshang.kernels import routing
from anshang.kernels.geometry import holds
from anshang.kernels.reach import Stretches, people_on_edges
from anshang.kernels.routing import EdgeTimes, StreetGraph
from anshang.kernels.snapping import Numbers, Reals, Spots, StreetIndex, index_streets, snap
from anshang.places.model import Line, Place, Way, Zone

CAR_WIDTH_M = 4.0
"""A fire engine's lane: narrower streets are not driven."""
STAIRS_EASE = 0.5
"""Share of the speed on the level (Weidmann: 0.61 to 0.69 m/s)."""
LIFT_WAIT_S = 60.0


@dataclass(frozen=True)
class Streets:
    """The graph of a place and what names its parts: e walkways, n nodes, z zones, all in its order."""

    version: int
    graph: StreetGraph
    index: StreetIndex
    walkway_ids: tuple[str, ...]
    node_ids: tuple[str, ...]
    zone_ids: tuple[str, ...]
    zone_of_edge: Numbers
    lines_lonlat: tuple[Line, ...]
    ease: Reals
    wait_s: Reals

    def times(self, density_per_m2: Mapping[str, float | None]) -> EdgeTimes:
        """Seconds over every walkway at these densities by zone; a zone that is missing or None is unknown,
        and ground outside all zones is free.
        """
        told = (density_per_m2.get(zone_id) for zone_id in self.zone_ids)
        by_zone = np.array([np.nan if density is None else density for density in told] + [0.0])
        density = by_zone[self.zone_of_edge]
        length_m = self.graph.length_m
        return EdgeTimes(
            routing.walking_s(length_m, density, self.ease, self.wait_s),
            routing.driving_s(length_m, density, self.graph.wide),
        )

    @cached_property
    def empty_times(self) -> EdgeTimes:
        """Seconds over every walkway with nobody else on it."""
        return self.times(dict.fromkeys(self.zone_ids, 0.0))

    def spots(self, x_y_m: Reals) -> Spots:
        """Where positions (p, 2) in local metres are on the walkways."""
        return snap(self.index, x_y_m)

    def people(self, people: Mapping[str, float]) -> Reals:
        """People of the zones, spread over their walkways (e)."""
        by_zone = np.array([people.get(zone_id, 0.0) for zone_id in self.zone_ids], dtype=float)
        return people_on_edges(by_zone, self.graph.length_m, self.zone_of_edge)

    def drawn(self, stretches: Stretches) -> list[Line]:
        """Stretches as lines (degrees), each as far as it goes."""
        told = zip(stretches.edge.tolist(), stretches.begin.tolist(), stretches.end.tolist(), strict=True)
        return [_cut(self.lines_lonlat[edge], begin, end) for edge, begin, end in told]


def prepare_streets(place: Place) -> Streets:
    """The streets of a place; RuleBroken when it has none."""
    walkways = place.walkways
    if not walkways:
        raise RuleBroken(
            "place.no_walkways",
            en="The district has no walkways, so no way to an incident can be found.",
            zh="该商圈没有步行通道，无法计算到达路线。",
        )
    node_ids = tuple(sorted({node for way in walkways for node in (way.from_node, way.to_node)}))
    number = {node: n for n, node in enumerate(node_ids)}
    ends = np.array([(number[way.from_node], number[way.to_node]) for way in walkways], dtype=np.intp)
    wide = np.array([way.way is Way.STREET and way.width_m >= CAR_WIDTH_M for way in walkways])
    length_m = np.array([way.length_m for way in walkways])
    first = np.cumsum([0, *(len(way.line) for way in walkways)])
    return Streets(
        version=place.district.version,
        graph=routing.street_graph(len(node_ids), ends, length_m, wide),
        index=index_streets(np.array([point for way in walkways for point in way.line]), first),
        walkway_ids=tuple(way.id for way in walkways),
        node_ids=node_ids,
        zone_ids=tuple(place.zones),
        zone_of_edge=_zones_of([_middle(way.line) for way in walkways], list(place.zones.values())),
        lines_lonlat=tuple(way.line_lonlat for way in walkways),
        ease=np.array([STAIRS_EASE if way.way is Way.STAIRS else 1.0 for way in walkways]),
        wait_s=np.array([LIFT_WAIT_S if way.way is Way.LIFT else 0.0 for way in walkways]),
    )


def _middle(line: Line) -> tuple[float, float]:
    """The point halfway along a line."""
    points = np.array(line)
    until_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    x, y = (float(np.interp(until_m[-1] / 2, until_m, points[:, axis])) for axis in (0, 1))
    return x, y


def _cut(line: Line, begin: float, end: float) -> Line:
    """The part of a line between two shares of its length."""
    if begin <= 0 and end >= 1:
        return line
    points = np.array(line)
    until = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    inner = (until > begin * until[-1]) & (until < end * until[-1])
    at = np.concatenate([[begin * until[-1]], until[inner], [end * until[-1]]])
    cut = np.column_stack([np.interp(at, until, points[:, axis]) for axis in (0, 1)])
    return tuple((lon, lat) for lon, lat in np.round(cut, 6).tolist())


def _zones_of(middles: list[tuple[float, float]], zones: list[Zone]) -> Numbers:
    """The zone (its number) that holds each point, the first where zones overlap; -1 outside them all."""
    points = np.array(middles)
    found = np.full(len(points), -1, dtype=np.intp)
    for number, zone in enumerate(zones):
        corners = np.array(zone.polygon[0])
        within = (points >= corners.min(axis=0)).all(axis=1) & (points <= corners.max(axis=0)).all(axis=1)
        for point in np.flatnonzero(within & (found < 0)):
            if holds(zone.polygon, *points[point]):
                found[point] = number
    return found
