"""One second of the crowd engine in a district of 1,000 zones and 10,000 sensors, in milliseconds.

Measured is what a second costs beside the database: taking the thousand rows that fall due (every sensor
reports each 10 s), the step, and both frames, what changed and everything, encoded; the median of 60 seconds.
The peer takes the same rows and steps the same zones as objects in plain Python loops: balances, silence,
quality, flows, trend, levels, both frames; the people in every zone are the same at the end, but for the
instants at which errors are widened.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from anshang.crowds.engine import Engine
from anshang.crowds.model import Observation, Sensor, SensorKind
from anshang.places.document import read_document
from anshang.places.model import Place
from benchmarks import percentile, report
from benchmarks._plain_engine import PlainEngine

WIDE, DEEP = 40, 25
SENSORS = 10_000
PERIOD_S = 10
SECONDS = 60
BEGIN = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
DISTRICT = "grid"
LON, LAT, STEP_DEG = 112.9, 28.1, 0.0004
Batch = tuple[datetime, list[Observation]]


def grid() -> Place:
    """WIDE × DEEP zones that touch, with a gate between neighbours and one to the outside at both ends."""
    names = {"zh": "格", "en": "grid"}
    features = []
    for n in range(WIDE * DEEP):
        x, y = n % WIDE, n // WIDE
        west, south = LON + x * STEP_DEG, LAT + y * STEP_DEG
        east, north = west + STEP_DEG, south + STEP_DEG
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        zone = {"kind": "zone", "name": names, "space": "moving", "usable_m2": 1200.0, "thresholds": None}
        features.append(_feature(f"z{n}", "Polygon", [ring], zone))
        beside = [("e", n + 1 if x < WIDE - 1 else None, [east, south + STEP_DEG / 2])]
        beside += [("w", None, [west, south + STEP_DEG / 2])] if x == 0 else []
        beside += [("n", n + WIDE, [west + STEP_DEG / 2, north])] if y < DEEP - 1 else []
        for way, other, spot in beside:
            between = [f"z{n}", "outside" if other is None else f"z{other}"]
            gate = {"kind": "gate", "name": names, "between": between, "width_m": 8.0}
            features.append(_feature(f"g{n}{way}", "Point", spot, gate))
    district = {"id": DISTRICT, "name": names, "time_zone": "Asia/Shanghai", "country": None, "credit": None}
    district |= {"schematic": True, "coordinates": "WGS84", "day_starts": "05:00"}
    head = {"format": 1, "district": district}
    return read_document(
        json.dumps({"type": "FeatureCollection", "anshang": head, "features": features}).encode()
    )


def sensors_of(place: Place) -> list[Sensor]:
    """A head counter over every zone, all others line counters, several at a gate."""
    sensors = [_sensor(SensorKind.HEAD, f"h{zone}", zone) for zone in place.zones]
    gates = list(place.gates)
    lines = range(SENSORS - len(sensors))
    return sensors + [_sensor(SensorKind.LINE, f"l{number}", gates[number % len(gates)]) for number in lines]


def batches(sensors: list[Sensor], seconds: int) -> list[Batch]:
    """What arrives in each second: a tenth of the sensors with 10 s of passages or the heads they see."""
    rng = Random(1)
    made = []
    for second in range(seconds):
        now = BEGIN + timedelta(seconds=second)
        at_ms = int(now.timestamp() * 1000)
        due = sensors[second % PERIOD_S :: PERIOD_S]
        made.append((now, [_row(sensor, at_ms, rng) for sensor in due]))
    return made


def measure(engine: Engine | PlainEngine, days: list[Batch]) -> list[float]:
    """Seconds of each step after the first ten, in which every sensor speaks for the first time."""
    took_s = []
    for now, rows in days:
        began_s = time.perf_counter()
        engine.take(rows)
        engine.step(now)
        msgspec.json.encode(engine.frame(full=True))
        msgspec.json.encode(engine.frame(full=False))
        took_s.append(time.perf_counter() - began_s)
    return took_s[PERIOD_S:]


def _row(sensor: Sensor, at_ms: int, rng: Random) -> Observation:
    if sensor.kind is SensorKind.HEAD:
        return Observation(sensor.id, at_ms, 0, 0, rng.randint(550, 650))
    return Observation(sensor.id, at_ms, rng.randint(2, 12), rng.randint(2, 12), None)


def _sensor(kind: SensorKind, id: str, where: str) -> Sensor:
    gate, zone = (where, None) if kind is SensorKind.LINE else (None, where)
    return Sensor(id, DISTRICT, kind, gate, zone, id, id, float(PERIOD_S))


def _feature(id: str, kind: str, coordinates: object, properties: object) -> dict[str, object]:
    shape = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": id, "geometry": shape, "properties": properties}


def main() -> None:
    """Measure both, compare what they found, report."""
    place = grid()
    sensors = sensors_of(place)
    ours, plain = Engine(place, sensors), PlainEngine(place, sensors)
    told = batches(sensors, PERIOD_S + SECONDS)
    step_s, peer_s = percentile(measure(ours, told), 0.5), percentile(measure(plain, told), 0.5)
    for id, people in zip(ours.occupancy.zone_ids, ours.occupancy.people.tolist(), strict=True):
        assert abs(people - plain.people_in(id)) < 0.1, (id, people, plain.people_in(id))
    report(
        "engine.step_1000_zones_10000_sensors",
        step_s * 1000,
        "ms",
        must="<= 100 ms",
        ok=step_s <= 0.1,
        peer="the same step over objects in plain Python loops",
        peer_value=peer_s * 1000,
    )


if __name__ == "__main__":
    main()
