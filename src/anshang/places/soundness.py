"""Whether the parts of a place fit together: outlines, overlaps, gates that join, streets that hang together.

Works on drafts: features that were read without a mistake of their own, with their shapes in both units.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import shapely

from anshang.places.model import Line, Rings
from anshang.places.problems import Problems

FAR_KM_MAX = 50
"""How far from the middle of the district a feature may lie: local metres stay true within it."""
GATE_DISTANCE_M_MAX = 15.0
"""How far a gate may lie from the zones it joins."""
AREA_M2_MIN = 1.0
OVERLAP_SHARE_MAX = 0.005
"""Of the smaller zone: outlines that were rounded to centimetres overlap a little where they touch."""


@dataclass(slots=True)
class Draft:
    """A feature that was read without a mistake of its own; `metres` is set once the centre is known."""

    line: int
    kind: str
    id: str
    lonlat: Rings
    values: dict[str, Any]
    metres: Rings = ()


def check(drafts: Sequence[Draft], zone_ids: set[str], problems: Problems, *, whole: bool) -> None:
    """Note every misfit. `zone_ids` are all that the file has; `whole` says that no feature was left out."""
    near = [draft for draft in drafts if not _is_far(draft, problems)]
    zones = {draft.id: draft for draft in near if draft.kind == "zone"}
    outlines = {draft.id: shapely.Polygon(draft.metres[0], draft.metres[1:]) for draft in zones.values()}
    sound = {id: outline for id, outline in outlines.items() if _is_sound(zones[id], outline, problems)}
    _check_overlaps(zones, sound, problems)
    for draft in near:
        _check_zones_named(draft, zone_ids, problems)
        if draft.kind == "gate":
            _check_gate(draft, sound, problems)
    walkways = [draft for draft in near if draft.kind == "walkway"]
    for draft in walkways:
        _check_walkway(draft, problems)
    if whole and walkways and len(near) == len(drafts):
        _check_connected(walkways, problems)


def length_m(line: Line) -> float:
    """The length of a line in local metres."""
    return sum(math.dist(a, b) for a, b in pairwise(line))


def pieces_of(edges: Sequence[tuple[str, str]]) -> list[int]:
    """For each edge of an undirected graph the number of the connected piece it belongs to (union-find)."""
    parents: dict[str, str] = {}

    def root(node: str) -> str:
        while (parent := parents.setdefault(node, node)) != node:
            parents[node] = node = parents[parent]
        return node

    for a, b in edges:
        parents[root(a)] = root(b)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(root(a), len(numbers)) for a, _ in edges]


def _is_far(draft: Draft, problems: Problems) -> bool:
    farthest_km = max(math.hypot(x, y) for line in draft.metres for x, y in line) / 1000
    if farthest_km <= FAR_KM_MAX:
        return False
    shown = round(farthest_km) if math.isfinite(farthest_km) else "> 10000"
    problems.add(draft.line, draft.id, "geometry.far", distance_km=shown, most_km=FAR_KM_MAX)
    return True


def _is_sound(draft: Draft, outline: shapely.Polygon, problems: Problems) -> bool:
    """Note what is wrong with the outline of a zone by itself."""
    if outline.convex_hull.area < AREA_M2_MIN or (outline.is_valid and outline.area < AREA_M2_MIN):
        problems.add(draft.line, draft.id, "zone.area")
        return False
    if not outline.is_valid:
        reason = shapely.is_valid_reason(shapely.Polygon(draft.lonlat[0], draft.lonlat[1:]))
        found = re.search(r"\[(.+) (.+)\]", reason)
        where = f"{float(found[1]):.6f}, {float(found[2]):.6f}" if found else "?"
        problems.add(draft.line, draft.id, "zone.crossing", where=where)
        return False
    usable_m2 = draft.values["usable_m2"]
    if usable_m2 > outline.area * 1.005 + 0.5:  # both may have been rounded
        figures = {"usable_m2": f"{usable_m2:.1f}", "area_m2": f"{outline.area:.1f}"}
        problems.add(draft.line, draft.id, "zone.usable", **figures)
    return True


def _check_overlaps(zones: dict[str, Draft], sound: dict[str, shapely.Polygon], problems: Problems) -> None:
    ids = list(sound)
    outlines = list(sound.values())
    tree = shapely.STRtree(outlines)
    for number, outline in enumerate(outlines):
        if problems.full:
            return
        for other in tree.query(outline, predicate="intersects"):
            if other >= number:
                continue
            shared_m2 = outline.intersection(outlines[other]).area
            smaller_m2 = min(outline.area, outlines[other].area)
            if shared_m2 > max(AREA_M2_MIN, OVERLAP_SHARE_MAX * smaller_m2):
                draft, first = zones[ids[number]], zones[ids[other]]
                where = {"other": first.id, "other_line": first.line, "area_m2": f"{shared_m2:.1f}"}
                problems.add(draft.line, draft.id, "zone.overlap", **where)


def _check_zones_named(draft: Draft, zone_ids: set[str], problems: Problems) -> None:
    for name in ("zone_a", "zone_b", "zone_id"):
        zone = draft.values.get(name)
        if zone is not None and zone not in zone_ids:
            problems.add(draft.line, draft.id, "zone.unknown", zone=zone)


def _check_gate(draft: Draft, sound: dict[str, shapely.Polygon], problems: Problems) -> None:
    (line,) = draft.metres
    where = shapely.Point(line[0]) if len(line) == 1 else shapely.LineString(line)
    for zone in (draft.values["zone_a"], draft.values["zone_b"]):
        if zone in sound and (distance_m := sound[zone].distance(where)) > GATE_DISTANCE_M_MAX:
            figures = {"distance_m": f"{distance_m:.1f}", "most_m": GATE_DISTANCE_M_MAX}
            problems.add(draft.line, draft.id, "gate.far", zone=zone, **figures)


def _check_walkway(draft: Draft, problems: Problems) -> None:
    if draft.values["from_node"] == draft.values["to_node"]:
        problems.add(draft.line, draft.id, "walkway.loop")
    if draft.values["length_m"] is None and length_m(draft.metres[0]) == 0:
        problems.add(draft.line, draft.id, "walkway.no_length")


def _check_connected(walkways: Sequence[Draft], problems: Problems) -> None:
    """Every piece of the walk graph but the one with the most edges is a problem, noted on its first edge."""
    pieces = pieces_of([(draft.values["from_node"], draft.values["to_node"]) for draft in walkways])
    sizes = Counter(pieces)
    noted = {max(sizes, key=lambda piece: sizes[piece])}
    for draft, piece in zip(walkways, pieces, strict=True):
        if piece not in noted:
            noted.add(piece)
            problems.add(draft.line, draft.id, "walkway.isolated", others=sizes[piece] - 1)
