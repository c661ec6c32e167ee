"""The tables of sensors, zone states, level rules, measures and counts by eye, and the questions asked of
them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    false,
    insert,
    or_,
    select,
)

from anshang.crowds.model import Level, LevelRules, Measure, PersonCount, Sensor, SensorKind, ZoneState
from anshang.foundation.columns import Named, Numbered, UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.shelf import Shelf

sensors_table = Table(
    "sensors",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("kind", Named(SensorKind), nullable=False),
    Column("gate_id", String(64)),
    Column("zone_id", String(64)),
    Column("name_zh", String(80), nullable=False),
    Column("name_en", String(80), nullable=False),
    Column("period_s", Float, nullable=False),
    Column("share_seen", Float, nullable=False),
    Column("error_share", Float, nullable=False),
    Column("retired_at", UtcTime),
    Column("version", Integer, nullable=False),
)

zone_states_table = Table(
    "zone_states",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("level", Numbered(Level), nullable=False),
    Column("since_at", UtcTime, nullable=False),
    Column("pending", Numbered(Level)),
    Column("confirmed", Boolean, nullable=False),
    Column("may_fall", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
)

level_rules_table = Table(
    "level_rules",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("applies_to", String(64), primary_key=True),
    Column("numbers", JSON, nullable=False),
)

measures_table = Table(
    "measures",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("zone_id", String(64), nullable=False),
    Column("matter_id", String(36)),
    Column("step", String(40)),
    Column("note", Text, nullable=False),
    Column("taken_at", UtcTime, nullable=False),
    Column("taken_by", String(64), nullable=False),
    Column("density_before", Float),
    Column("density_after", Float),
    Column("judged_at", UtcTime),
    Column("density_expected", Float),
    Column("density_expected_low", Float),
    Column("density_expected_high", Float),
    Column("version", Integer, nullable=False),
    Index("ix_measures_district_id_zone_id", "district_id", "zone_id", "taken_at"),
)

person_counts_table = Table(
    "person_counts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("zone_id", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("people_count", Integer, nullable=False),
    Column("error_share", Float, nullable=False),
    Column("counted_by", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_person_counts_district_id_at", "district_id", "at"),
)

sensors = Shelf(sensors_table, Sensor, missing=("There is no such sensor.", "没有该传感器。"))
zone_states = Shelf(
    zone_states_table, ZoneState, missing=("Nothing was decided here yet.", "该区域尚无记录。")
)
measures = Shelf(measures_table, Measure, missing=("There is no such measure.", "没有该措施。"))
person_counts = Shelf(person_counts_table, PersonCount, missing=("There is no such count.", "没有该计数。"))


def list_sensors(
    connection: Connection, district_id: str, *, retired: bool = False, retired_since: datetime | None = None
) -> list[Sensor]:
    """The district's sensors by id; the retired ones only when asked for, or those retired since then."""
    query = sensors.select().where(sensors_table.c.district_id == district_id)
    if not retired:
        in_use = sensors_table.c.retired_at.is_(None)
        since = sensors_table.c.retired_at >= retired_since if retired_since else false()
        query = query.where(or_(in_use, since))
    return [sensors.read(row) for row in connection.execute(query.order_by(sensors_table.c.id))]


def list_zone_states(connection: Connection, district_id: str) -> list[ZoneState]:
    """What was decided about the district's zones."""
    query = zone_states.select().where(zone_states_table.c.district_id == district_id)
    return [zone_states.read(row) for row in connection.execute(query)]


def list_rules(connection: Connection, district_id: str) -> dict[str, LevelRules]:
    """The district's own level rules, by zone id or `*moving` and `*standing`."""
    query = select(level_rules_table.c.applies_to, level_rules_table.c.numbers)
    rows = connection.execute(query.where(level_rules_table.c.district_id == district_id))
    return {applies_to: _rules(numbers) for applies_to, numbers in rows}


def put_rules(tx: Transaction, applies_to: str, rules: LevelRules | None) -> None:
    """Keep a rule, or with None go back to the default."""
    mine = level_rules_table.c.district_id == tx.district_id
    tx.connection.execute(delete(level_rules_table).where(mine, level_rules_table.c.applies_to == applies_to))
    if rules is not None:
        numbers = {
            "rises": rules.rises,
            "falls": rules.falls,
            "rise_after_s": rules.rise_after_s,
            "fall_after_s": rules.fall_after_s,
        }
        row = {"district_id": tx.district_id, "applies_to": applies_to, "numbers": numbers}
        tx.connection.execute(insert(level_rules_table).values(row))


def remove_measure(tx: Transaction, id: str) -> None:
    """Keep a measure no longer."""
    t = measures_table.c
    tx.connection.execute(delete(measures_table).where(t.district_id == tx.district_id, t.id == id))


def list_measures(connection: Connection, district_id: str, zone_id: str, limit: int = 50) -> list[Measure]:
    """The measures taken in the zone, newest first."""
    query = measures.select().where(
        measures_table.c.district_id == district_id, measures_table.c.zone_id == zone_id
    )
    rows = connection.execute(query.order_by(measures_table.c.taken_at.desc()).limit(limit))
    return [measures.read(row) for row in rows]


def list_measure_times(
    connection: Connection, district_id: str, since: datetime
) -> dict[str, list[datetime]]:
    """When measures were taken since the instant, by zone, oldest first."""
    query = select(measures_table.c.zone_id, measures_table.c.taken_at).where(
        measures_table.c.district_id == district_id, measures_table.c.taken_at >= since
    )
    found: dict[str, list[datetime]] = {}
    for zone_id, taken_at in connection.execute(query.order_by(measures_table.c.taken_at)):
        found.setdefault(zone_id, []).append(taken_at)
    return found


def list_measures_to_judge(connection: Connection, district_id: str, taken_before: datetime) -> list[Measure]:
    """Measures taken before the instant whose effect has not been read yet."""
    query = measures.select().where(
        measures_table.c.district_id == district_id,
        measures_table.c.judged_at.is_(None),
        measures_table.c.taken_at <= taken_before,
    )
    return [measures.read(row) for row in connection.execute(query)]


def list_person_counts(connection: Connection, district_id: str, since: datetime) -> list[PersonCount]:
    """Counts by eye since the instant, oldest first."""
    query = person_counts.select().where(
        person_counts_table.c.district_id == district_id, person_counts_table.c.at >= since
    )
    return [person_counts.read(row) for row in connection.execute(query.order_by(person_counts_table.c.at))]


def _rules(numbers: dict[str, Any]) -> LevelRules:
    return LevelRules(**{name: tuple(values) for name, values in numbers.items()})
