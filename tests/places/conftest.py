"""A small sound place document: two zones that touch, two gates, three walkways, a shop and a kiosk."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

LON, LAT = 112.97, 28.19
STEP = 0.001
"""About 98 m east, 111 m north."""


def position(east: float, north: float) -> list[float]:
    """A place so many steps from the corner of the sample."""
    return [round(LON + east * STEP, 8), round(LAT + north * STEP, 8)]


def square(east: float, north: float, size: float = 1.0) -> dict[str, Any]:
    """A square polygon whose south-west corner is so many steps from the corner of the sample."""
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    ring = [position(east + x * size, north + y * size) for x, y in corners]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(id: str, geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature."""
    return {"type": "Feature", "id": id, "geometry": geometry, "properties": properties}


def named(zh: str, en: str) -> dict[str, str]:
    """A name in both languages."""
    return {"zh": zh, "en": en}


def point(east: float, north: float) -> dict[str, Any]:
    """A GeoJSON point."""
    return {"type": "Point", "coordinates": position(east, north)}


def line(*steps: tuple[float, float]) -> dict[str, Any]:
    """A GeoJSON line."""
    return {"type": "LineString", "coordinates": [position(*step) for step in steps]}


def zone(id: str, geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """A zone feature."""
    values = {"kind": "zone", "name": named("甲区", "Zone A"), "space": "moving", "usable_m2": 9000.0}
    return feature(id, geometry, **(values | {"thresholds": None} | properties))


def walkway(id: str, start: str, end: str, *steps: tuple[float, float]) -> dict[str, Any]:
    """A walkway feature."""
    values = {"kind": "walkway", "from": start, "to": end, "length_m": 98.0, "width_m": 4.0, "way": "street"}
    return feature(id, line(*steps), **values)


SAMPLE: dict[str, Any] = {
    "type": "FeatureCollection",
    "anshang": {
        "format": 1,
        "district": {
            "id": "wuyi",
            "name": named("五一商圈（示意）", "Wuyi (schematic)"),
            "time_zone": "Asia/Shanghai",
            "country": "CN",
            "schematic": True,
            "credit": None,
            "coordinates": "WGS84",
            "day_starts": "05:00",
        },
    },
    "features": [
        zone("z01", square(0, 0)),
        zone(
            "z02",
            square(1, 0),
            name=named("乙区", "Zone B"),
            space="standing",
            thresholds={"rises": [1.0, 2.0, 3.0, 4.0], "falls": [0.8, 1.6, 2.5, 3.0]},
        ),
        feature(
            "g01",
            line((1, 0.4), (1, 0.6)),
            kind="gate",
            name=named("中门", "Middle gate"),
            between=["z01", "z02"],
            width_m=8.0,
        ),
        feature(
            "g02",
            point(0, 0.5),
            kind="gate",
            name=named("西门", "West gate"),
            between=["z01", "outside"],
            width_m=5.5,
        ),
        walkway("w01", "n1", "n2", (0, 0.5), (1, 0.5)),
        walkway("w02", "n2", "n3", (1, 0.5), (2, 0.5)),
        walkway("w03", "n3", "n4", (2, 0.5), (2.5, 0.7), (3, 0.5)),
        feature("p01", point(0.5, 0.9), kind="premises", name=named("茶馆", "Tea"), trade="food", zone="z01"),
        feature(
            "k01", point(1.5, 0.1), kind="post", name=named("岗亭", "Kiosk"), post_kind="kiosk", zone=None
        ),
    ],
}


@pytest.fixture
def sample() -> dict[str, Any]:
    """A copy of the sample to change."""
    return copy.deepcopy(SAMPLE)


@pytest.fixture
def grid() -> Callable[[int], dict[str, Any]]:
    """A sound document of so many zones in a row, joined by gates and walkways."""

    def build(zones: int) -> dict[str, Any]:
        document = copy.deepcopy(SAMPLE)
        features = [zone(f"z{n}", square(n % 100 * 2, n // 100 * 2)) for n in range(zones)]
        features += [
            walkway(f"w{n}", f"n{n}", f"n{n + 1}", (n % 100, n // 100), (n % 100 + 1, n // 100))
            for n in range(zones)
        ]
        document["features"] = features
        return document

    return build
