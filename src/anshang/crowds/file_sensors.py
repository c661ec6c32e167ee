"""The sensors that a file of counts names: which of ours they are, or how to enter them as new ones.

A name in the file stands for the sensor of that id, of the id that a sensors file gives it, or of the id made
of it: small letters and digits with dashes (`Ost-Nord total` is `ost-nord-total`).
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path

from anshang.crowds import actions, store
from anshang.crowds.model import Sensor, SensorKind
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput
from anshang.places import store as places

DEFINED_MAX = 2_000
NAME_LENGTH_MAX = 80
Told = dict[str, dict[str, str]]


def sensor_ids_of(known: Collection[str], sensors_file: Path | None) -> Callable[[str], str]:
    """How to get from a name in a file to a sensor's id."""
    told = {} if sensors_file is None else read_sensors_file(sensors_file)

    def id_of(label: str) -> str:
        own = told.get(label, {}).get("id", "")
        return own or (label if label in known else code_of(label))

    return id_of


def define_all(
    database: Database,
    actor: Actor,
    district_id: str,
    labels: Collection[str],
    sensors_file: Path | None,
    period_s: float | None,
    *,
    heads: bool,
) -> dict[str, str]:
    """Enter the sensors that are not known yet; each with its gate or zone.

    Where no sensors file says otherwise, line counters go to the district's gates and head counters to its
    zones in turn: enough to look at the counts, but not where they were counted.
    """
    if period_s is None:
        raise BadInput(
            "import.period_untold",
            en="To define sensors, say --period-s, the seconds between two rows of a sensor.",
            zh="定义传感器时请用 --period-s 指定同一传感器两行之间的秒数。",
        )
    if len(labels) > DEFINED_MAX:
        raise BadInput(
            "import.too_many_sensors",
            en=f"The file names {len(labels):,} sensors; is that the right column?",
            zh=f"文件中有 {len(labels):,} 个传感器名称；传感器列是否正确？",
        )
    told = {} if sensors_file is None else read_sensors_file(sensors_file)
    defined: dict[str, str] = {}
    with database.transaction(district_id) as tx:
        known = {sensor.id for sensor in store.list_sensors(tx.connection, district_id, retired=True)}
        place = places.load(tx.connection, district_id)
        spots = list(place.zones if heads else place.gates)
        id_of = sensor_ids_of(known, sensors_file)
        for number, label in enumerate(sorted(labels)):
            own = told.get(label, {})
            if not (own.get("gate") or own.get("zone")):
                own = {"zone" if heads else "gate": spots[number % len(spots)] if spots else ""}
            sensor = _sensor(district_id, id_of(label), label, own, period_s)
            if sensor.id not in known and sensor.id not in defined:
                actions.define_sensor(tx, actor=actor, sensor=sensor)
                defined[sensor.id] = sensor.gate_id or sensor.zone_id or ""
    return defined


def read_sensors_file(path: Path) -> Told:
    """What a CSV with the columns `sensor` and `gate`, `zone` or `id` says; BadInput if it is none."""
    try:
        rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    except (OSError, UnicodeError, csv.Error) as error:
        rows, reason = [], str(error)
    else:
        reason = "no column “sensor” with “gate”, “zone” or “id”"
    if not rows or "sensor" not in rows[0] or not {"gate", "zone", "id"} & rows[0].keys():
        raise BadInput(
            "import.bad_sensors_file",
            en=f"Cannot use {path}: {reason}.",
            zh=f"无法使用 {path}：应为含 sensor 列以及 gate、zone 或 id 列的 CSV（{reason}）。",
        )
    return {
        (row["sensor"] or "").strip(): {
            name: (row.get(name) or "").strip() for name in ("id", "gate", "zone")
        }
        for row in rows
    }


def code_of(label: str) -> str:
    """An id made of a name: small letters and digits with dashes, or a short hash where none are left."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    code = re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:64]
    return code or f"s-{hashlib.sha256(label.encode()).hexdigest()[:12]}"


def _sensor(district_id: str, id: str, label: str, told: dict[str, str], period_s: float) -> Sensor:
    gate, zone = told.get("gate") or None, told.get("zone") or None
    kind = SensorKind.LINE if gate is not None else SensorKind.HEAD
    name = label[:NAME_LENGTH_MAX]
    return Sensor(id, district_id, kind, gate, zone, name, name, period_s)
