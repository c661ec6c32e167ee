"""Reading, checking and locating a district of 10,000 features; the peer only parses the same JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from anshang.places.document import read_document
from benchmarks import report

SIDE = 70
STEP_DEG = 0.0004


def grid() -> bytes:
    """SIDE × SIDE zones in a net of as many walkways."""
    head = {
        "format": 1,
        "district": {
            "id": "grid", "name": {"zh": "格", "en": "grid"}, "time_zone": "Asia/Shanghai", "country": None,
            "schematic": True, "credit": None, "coordinates": "WGS84", "day_starts": "05:00",
        },
    }  # fmt: skip
    features = []
    for number in range(SIDE * SIDE):
        west, south = 112.9 + number % SIDE * STEP_DEG, 28.1 + number // SIDE * STEP_DEG
        east, north = west + STEP_DEG / 2, south + STEP_DEG / 2
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        zone = {"kind": "zone", "name": {"zh": f"区{number}", "en": f"zone {number}"}, "space": "moving"}
        zone |= {"usable_m2": 300.0, "thresholds": None}
        features.append(_feature(f"z{number}", "Polygon", [ring], zone))
        way = {
            "kind": "walkway",
            "from": f"n{number}",
            "to": f"n{number + 1}",
            "width_m": 3.0,
            "way": "street",
        }
        features.append(_feature(f"w{number}", "LineString", [[west, south], [east, north]], way))
    return json.dumps({"type": "FeatureCollection", "anshang": head, "features": features}).encode()


def _feature(id: str, kind: str, coordinates: object, properties: object) -> dict[str, object]:
    shape = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": id, "geometry": shape, "properties": properties}


def seconds(work: Callable[[], object]) -> float:
    """The best of three runs."""
    took_s = []
    for _ in range(3):
        began_s = time.perf_counter()
        work()
        took_s.append(time.perf_counter() - began_s)
    return min(took_s)


def main() -> None:
    """Measure both, report."""
    content = grid()
    ours_s, peer_s = seconds(lambda: read_document(content)), seconds(lambda: json.loads(content))
    report(
        "place.read_10k_features",
        ours_s,
        "s",
        must="<= 2 s",
        ok=ours_s <= 2,
        peer="json.loads alone",
        peer_value=peer_s,
    )


if __name__ == "__main__":
    main()
