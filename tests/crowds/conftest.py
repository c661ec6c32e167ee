"""A small place: three zones in a row, two gates between them, one to the outside at each end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pytest
from tests.conftest import DISTRICT, NIGHT

from anshang.crowds import alarms
from anshang.crowds.engine import Engine
from anshang.crowds.model import Crossing, Level, Observation, Sensor, SensorKind
from anshang.crowds.occupancy import Columns
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.journal import store as journal
from anshang.matters import store as matters_store
from anshang.matters.model import Matter
from anshang.people.model import engine_actor, operator_actor
from anshang.places import actions as places
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


LINES = [line(f"g{n}") for n in range(4)]
T0_MS = clock.to_ms(NIGHT)


def passed(gate: str, second: float, into: int, out: int = 0) -> Observation:
    return Observation(gate, T0_MS + round(second * 1000), into, out, None)


def seen(zone: str, second: float, people: int) -> Observation:
    return Observation(f"h{zone}", T0_MS + round(second * 1000), 0, 0, people)


def quiet(second: float, gates: Iterable[str] = ("g0", "g1", "g2", "g3")) -> list[Observation]:
    return [passed(gate, second, 0) for gate in gates]


def run(
    engine: Engine, rows: list[Observation], until_s: int, from_s: int = 10, every_s: int = 10
) -> list[object]:
    """Step every ten seconds, with a quiet word from every other line counter; the events on the way."""
    events: list[object] = []
    for second in range(from_s, until_s + 1, every_s):
        due = [row for row in rows if T0_MS + (second - every_s) * 1000 < row.at_ms <= T0_MS + second * 1000]
        told = {row.sensor_id for row in due}
        engine.take([*due, *(row for row in quiet(second) if row.sensor_id not in told)])
        events += engine.step(NIGHT + timedelta(seconds=second))
    return events


def people(engine: Engine) -> list[int]:
    return [zone["people"] for zone in engine.frame(full=True)["zones"].values()]


def columns(rows: list[Observation]) -> Columns:
    """Rows as the store would give them back."""
    ids = sorted({row.sensor_id for row in rows})
    return Columns(
        ids,
        np.array([ids.index(row.sensor_id) for row in rows], np.int64),
        np.array([row.at_ms for row in rows], np.int64),
        np.array([row.in_count for row in rows], float),
        np.array([row.out_count for row in rows], float),
        np.array([np.nan if row.people_count is None else row.people_count for row in rows], float),
    )


ENGINE = engine_actor(DISTRICT)


@pytest.fixture
def district(database: Database) -> Database:
    """A database with three zones in a row."""
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=row_of_zones())
    return database


def kinds(database: Database) -> list[str]:
    with database.reading([DISTRICT]) as connection:
        return [e.kind for e in journal.list_after(connection, DISTRICT, 0) if e.kind != "place.imported"]


def crossed(
    database: Database, before: int, after: int, pending: int | None = None, density: float = 3.0
) -> Matter | None:
    crossing = Crossing(
        "z1", Level(before), Level(after), None if pending is None else Level(pending), density, 3000
    )
    with database.transaction(DISTRICT) as tx:
        return alarms.cross_level(tx, actor=ENGINE, crossing=crossing)


def waiting(database: Database) -> list[Matter]:
    with database.reading([DISTRICT]) as connection:
        return matters_store.list_waiting(connection, ENGINE.scope, DISTRICT)
