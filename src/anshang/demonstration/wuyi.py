"""Draws the invented quarter: bends the plan's rectangles, and adds gates, walk graph, premises and posts.

Two rectangles that touch along at least 6 m are joined by a gate. Since one continuous bend is applied to
everything, what touches in the plan touches on the map.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from anshang.demonstration import wuyi_plan as plan
from anshang.demonstration.wuyi_plan import Ground
from anshang.kernels.geometry import LocalFrame, Points

DISTRICT_ID = "wuyi"
NAME = {"zh": "五一商圈（示意）", "en": "Wuyi (schematic)"}
TOUCH_M_MIN = 6.0
GATE_WIDTH_M_MAX = 26.0
"""A longer open side is thought to be fenced to this width, so that it can be counted."""
NODES_APART_M = 34.0
BROAD_M = 44.0
"""Ground broader than this gets a net of walkways instead of one line along its middle."""
SHOPS_APART_M = 14.0
SHOP_DEPTH_M = 3.0

Spot = tuple[float, float]


def draw_wuyi() -> dict[str, Any]:
    """The quarter's place document: the same every time."""
    gates = [*_inner_gates(), *_outer_gates()]
    features = [_zone(ground) for ground in plan.GROUNDS]
    features += [
        _feature(f"g{number:02}", "LineString", line, kind="gate", **properties)
        for number, (line, properties) in enumerate(gates, 1)
    ]
    features += _walkways(gates)
    features += _premises()
    features += [
        _feature(
            f"k{number:02}",
            "Point",
            [(post.x, post.y)],
            kind="post",
            name=_name(post.zh, post.en),
            post_kind=post.kind,
            zone=post.zone,
        )
        for number, post in enumerate(plan.STATIONS, 1)
    ]
    district = {
        "id": DISTRICT_ID,
        "name": NAME,
        "time_zone": "Asia/Shanghai",
        "country": "CN",
        "schematic": True,
        "credit": {
            "zh": "示意图：分区、名称与几何均为虚构",
            "en": "Schematic: zones, names and geometry are invented",
        },
        "coordinates": "WGS84",
        "day_starts": "05:00",
    }
    return {
        "type": "FeatureCollection",
        "anshang": {"format": 1, "district": district},
        "features": features,
    }


def draws() -> dict[str, float]:
    """How crowded each zone gets beside the others (see the plan)."""
    return {ground.id: ground.draw for ground in plan.GROUNDS}


def bend(x_y_m: Points) -> Points:
    """The quarter's irregularity, (n, 2) metres in and out: turned by 6°, swaying streets, uneven fronts."""
    x, y = x_y_m.T
    swayed_x = x + 15 * np.sin(y / 165 + 0.6) + 5 * np.sin(y / 58 + x / 190) + 1.2 * np.sin(y / 8 + x / 11)
    swayed_y = y + 12 * np.sin(x / 125) + 5 * np.sin(x / 47 + y / 210) + 1.2 * np.sin(x / 9 - y / 12)
    turn = math.radians(6)
    east = swayed_x * math.cos(turn) - swayed_y * math.sin(turn)
    north = swayed_x * math.sin(turn) + swayed_y * math.cos(turn)
    return np.column_stack([east, north])


def _name(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _feature(id: str, geometry: str, line: Sequence[Spot], **properties: object) -> dict[str, Any]:
    lonlat = LocalFrame(plan.CENTRE_LON, plan.CENTRE_LAT).to_degrees(bend(np.array(line, float)))
    positions = [[round(lon, 7), round(lat, 7)] for lon, lat in lonlat.tolist()]
    coordinates = {"Polygon": [positions], "LineString": positions, "Point": positions[0]}[geometry]
    shape = {"type": geometry, "coordinates": coordinates}
    return {"type": "Feature", "id": id, "geometry": shape, "properties": properties}


def _zone(ground: Ground) -> dict[str, Any]:
    corners = [
        (ground.west, ground.south),
        (ground.east, ground.south),
        (ground.east, ground.north),
        (ground.west, ground.north),
    ]
    ring = [spot for a, b in pairwise([*corners, corners[0]]) for spot in _steps(a, b)] + [corners[0]]
    bent = bend(np.array(ring))
    cross = bent[:-1, 0] * bent[1:, 1] - bent[1:, 0] * bent[:-1, 1]
    return _feature(
        ground.id,
        "Polygon",
        ring,
        kind="zone",
        name=_name(ground.zh, ground.en),
        space=ground.space,
        usable_m2=round(abs(float(cross.sum())) / 2 * ground.usable_share, 1),
        thresholds=None,
    )


def _steps(a: Spot, b: Spot, apart_m: float = 4.0) -> Iterator[Spot]:
    """`a` and the spots before `b` at multiples of 4 m: the same on every rectangle that touches here."""
    along = 0 if a[1] == b[1] else 1
    low, high = sorted((a[along], b[along]))
    stops = [apart_m * n for n in range(math.floor(low / apart_m) + 1, math.ceil(high / apart_m))]
    yield a
    for stop in stops if a[along] < b[along] else reversed(stops):
        yield (stop, a[1]) if along == 0 else (a[0], stop)


def _inner_gates() -> Iterator[tuple[list[Spot], dict[str, Any]]]:
    for a, b in combinations(plan.GROUNDS, 2):
        shared = _shared_side(a, b)
        if shared is None:
            continue
        (x0, y0), (x1, y1) = shared
        length_m = math.dist(*shared)
        wide_m = min(length_m, GATE_WIDTH_M_MAX)
        inset = (1 - wide_m / length_m) / 2
        line = [(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part) for part in (inset, 0.5, 1 - inset)]
        name = _name(f"{a.zh}—{b.zh}", f"{a.en} – {b.en}")
        yield line, {"name": name, "between": [a.id, b.id], "width_m": round(wide_m, 1)}


def _shared_side(a: Ground, b: Ground) -> tuple[Spot, Spot] | None:
    """The stretch along which two rectangles touch, if it is long enough for a gate."""
    west, east = max(a.west, b.west), min(a.east, b.east)
    south, north = max(a.south, b.south), min(a.north, b.north)
    if west == east and north - south >= TOUCH_M_MIN:
        return (west, south), (west, north)
    if south == north and east - west >= TOUCH_M_MIN:
        return (west, south), (east, south)
    return None


def _outer_gates() -> Iterator[tuple[list[Spot], dict[str, Any]]]:
    grounds = {ground.id: ground for ground in plan.GROUNDS}
    for edge in plan.EDGES:
        ground, half_m = grounds[edge.zone], edge.width_m / 2
        upright = edge.x in (ground.west, ground.east)
        ends = [(0.0, -half_m), (0.0, 0.0), (0.0, half_m)] if upright else [(-half_m, 0), (0, 0), (half_m, 0)]
        line = [(edge.x + dx, edge.y + dy) for dx, dy in ends]
        properties = {"between": [edge.zone, "outside"], "width_m": float(edge.width_m)}
        yield line, {"name": _name(edge.zh, edge.en), **properties}


class _Net:
    """The walk graph in the making: named spots in each zone, and the ways between them."""

    def __init__(self) -> None:
        self.spots: dict[str, Spot] = {}
        self.within: dict[str, list[str]] = {}
        self.features: list[dict[str, Any]] = []

    def node(self, zone: str | None, spot: Spot) -> str:
        """A new node at the spot, found again by `nearest` when it is a zone's."""
        name = f"n{len(self.spots) + 1}"
        self.spots[name] = spot
        if zone is not None:
            self.within.setdefault(zone, []).append(name)
        return name

    def nearest(self, zone: str, spot: Spot) -> str:
        """The zone's node nearest to the spot."""
        return min(self.within[zone], key=lambda name: math.dist(self.spots[name], spot))

    def join(self, a: str, b: str, way: str, wide_m: float, line: Sequence[Spot] = ()) -> None:
        """A walkway from `a` to `b`, straight in the plan unless its line is given."""
        line = line or _straight(self.spots[a], self.spots[b])
        length_m = float(np.hypot(*np.diff(bend(np.array(line, float)), axis=0).T).sum())
        self.features.append(
            _feature(
                f"w{len(self.features) + 1:03}",
                "LineString",
                line,
                kind="walkway",
                **{"from": a, "to": b},
                length_m=max(round(length_m, 1), 0.1),
                width_m=wide_m,
                way=way,
            )
        )


def _straight(a: Spot, b: Spot) -> list[Spot]:
    """The line between two spots with a bend every 12 m, so that it sways as the street does."""
    parts = max(1, round(math.dist(a, b) / 12))
    return [(a[0] + (b[0] - a[0]) * n / parts, a[1] + (b[1] - a[1]) * n / parts) for n in range(parts + 1)]


def _walkways(gates: Sequence[tuple[list[Spot], dict[str, Any]]]) -> list[dict[str, Any]]:
    net = _Net()
    for ground in plan.GROUNDS:
        _spin(net, ground)
    for line, properties in gates:
        zones = [zone for zone in properties["between"] if zone != "outside"]
        ends = [net.nearest(zone, line[1]) for zone in zones]
        middle = net.node(None, line[1])
        for end in ends:
            net.join(end, middle, "street", min(properties["width_m"], 12.0))
    for passage in plan.PASSAGES:
        a, b = (net.node(None, spot) for spot in (passage.line[0], passage.line[-1]))
        net.join(a, b, passage.way, float(passage.width_m), passage.line)
        for zone, end in zip(passage.zones, (a, b), strict=True):
            net.join(net.nearest(zone, net.spots[end]), end, "street", float(passage.width_m))
    return net.features


def _spin(net: _Net, ground: Ground) -> None:
    """The nodes and walkways within one rectangle: a line along its middle, or a net."""
    columns = _stops(ground.west, ground.east)
    rows = _stops(ground.south, ground.north)
    nodes = {(i, j): net.node(ground.id, (x, y)) for i, x in enumerate(columns) for j, y in enumerate(rows)}
    wide_m = min(12.0, ground.east - ground.west, ground.north - ground.south)
    for (i, j), name in nodes.items():
        for neighbour in ((i + 1, j), (i, j + 1)):
            if neighbour in nodes:
                net.join(name, nodes[neighbour], "street", wide_m)


def _stops(low: float, high: float) -> list[float]:
    count = 1 if high - low <= BROAD_M else max(2, round((high - low) / NODES_APART_M))
    return [low + (high - low) * (n + 0.5) / count for n in range(count)]


def _premises() -> list[dict[str, Any]]:
    """Shops along the fronts of the quarter, and the facilities that the plan names."""
    doors = list(_doors())
    count = len(plan.BRANDS) * len(plan.TRADES)
    features = []
    for number in range(count):
        zone, spot = doors[number * len(doors) // count]
        brand, (trade, zh, en) = (
            plan.BRANDS[number % len(plan.BRANDS)],
            plan.TRADES[number % len(plan.TRADES)],
        )
        name = _name(f"{brand[0]}{zh}", f"{brand[1]} {en}")
        features.append(
            _feature(f"p{number + 1:03}", "Point", [spot], kind="premises", name=name, trade=trade, zone=zone)
        )
    for number, (trade, zone, zh, en, x, y) in enumerate(plan.FACILITIES, count + 1):
        name = _name(zh, en)
        features.append(
            _feature(f"p{number:03}", "Point", [(x, y)], kind="premises", name=name, trade=trade, zone=zone)
        )
    return features


def _doors() -> Iterator[tuple[str, Spot]]:
    """Spots in the buildings along every zone, a few metres behind the front, where no other zone is."""
    for ground in plan.GROUNDS:
        for x in np.arange(ground.west + 8, ground.east - 4, SHOPS_APART_M).tolist():
            for y in (ground.south - SHOP_DEPTH_M, ground.north + SHOP_DEPTH_M):
                if _is_built(x, y):
                    yield ground.id, (x, y)
        for y in np.arange(ground.south + 8, ground.north - 4, SHOPS_APART_M).tolist():
            for x in (ground.west - SHOP_DEPTH_M, ground.east + SHOP_DEPTH_M):
                if _is_built(x, y):
                    yield ground.id, (x, y)


def _is_built(x: float, y: float) -> bool:
    """Whether a spot lies among the buildings: between the river and the ring, and in no zone."""
    if not (-362 < x < 365 and -505 < y < 505):
        return False
    inside = (g.west <= x <= g.east and g.south <= y <= g.north for g in plan.GROUNDS)
    return not any(inside)
