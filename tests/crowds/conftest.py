"""A small place: three zones in a row, two gates between them, one to the outside at each end."""

from __future__ import annotations

import json

import pytest
from tests.conftest import DISTRICT

from anshang.crowds.model import Sensor, SensorKind
from anshang.places.document import read_document
from anshang.places.model import Place


def _names(name: str) -> dict[str, str]:
    return {"zh": name, "en": name}


def row_of_zones(count: int = 3, space: str = "moving", usable_m2: float = 1000.0) -> bytes:
    """The document of `count` zones of about 40 m × 50 m in a row from west to east, with gates g0 …
    g<count>.
    """
    width, height, lon, lat = 0.0004, 0.00045, 112.97, 28.19
    features = []
    for n in range(count):
        west, east = lon + n * width, lon + (n + 1) * width
        ring = [[west, lat], [east, lat], [east, lat + height], [west, lat + height], [west, lat]]
        features.append(
            {
                "type": "Feature",
                "id": f"z{n}",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {
                    "kind": "zone",
                    "name": _names(f"z{n}"),
                    "space": space,
                    "usable_m2": usable_m2,
                    "thresholds": None,
                },
            }
        )
    for n in range(count + 1):
        between = [f"z{n}", f"z{n - 1}" if n else "outside"] if n < count else [f"z{count - 1}", "outside"]
        features.append(
            {
                "type": "Feature",
                "id": f"g{n}",
                "geometry": {"type": "Point", "coordinates": [lon + n * width, lat + height / 2]},
                "properties": {"kind": "gate", "name": _names(f"g{n}"), "between": between, "width_m": 10.0},
            }
        )
    head = {
        "format": 1,
        "district": {
            "id": DISTRICT, "name": _names(DISTRICT), "time_zone": "Asia/Shanghai", "country": "CN", "schematic": True,
            "credit": None, "coordinates": "WGS84", "day_starts": "05:00",
        },
    }  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "anshang": head, "features": features}).encode()


def line(gate: str, id: str = "", period_s: float = 10.0) -> Sensor:
    """A line counter at a gate."""
    return Sensor(id or gate, DISTRICT, SensorKind.LINE, gate, None, gate, gate, period_s)


def head(zone: str, id: str = "", period_s: float = 10.0, error_share: float = 0.05) -> Sensor:
    """A head counter over a zone."""
    return Sensor(
        id or f"h{zone}", DISTRICT, SensorKind.HEAD, None, zone, zone, zone, period_s, error_share=error_share
    )


@pytest.fixture
def place() -> Place:
    """Three zones of 1,000 m² in a row."""
    return read_document(row_of_zones())
