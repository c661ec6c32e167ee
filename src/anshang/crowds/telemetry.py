"""The tables of what sensors and engines deliver: rows, roll-ups, zones by the minute, how far things are.

Telemetry is written in bulk and never journalled. Rows are kept in the order of their time: a batch of many
sensors then changes a few pages of the database instead of one for each sensor, which makes durable writing
about five times as fast (`benchmarks/ingest_throughput.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    delete,
    select,
    text,
)

from anshang.foundation.database import metadata, put_all

MINUTE_MS: Final = 60_000
QUARTER_MS: Final = 900_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
MINUTE_S: Final = 60
STEPS_S: Final = (MINUTE_S, 900, 3600)
"""The steps that roll-ups are kept for; each divides the next."""
ROLLED = "rolled"
"""Everything before is rolled up, except the late hours."""
MINUTES_FROM = "minutes_from"
"""Roll-ups by minute are kept from here on; before, minutes are answered from rows."""

observations_table = Table(
    "observations",
    metadata,
    Column("district_id", String(64), nullable=False),
    Column("sensor_id", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("in_count", Integer, nullable=False),
    Column("out_count", Integer, nullable=False),
    Column("people_count", Integer),
    Column("received_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("district_id", "at_ms", "sensor_id"),
    sqlite_with_rowid=False,
)

rollups_table = Table(
    "observation_rollups",
    metadata,
    Column("district_id", String(64), nullable=False),
    Column("step_s", Integer, nullable=False),
    Column("sensor_id", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("in_count", BigInteger, nullable=False),
    Column("out_count", BigInteger, nullable=False),
    Column("people_last", Integer, nullable=False),
    Column("people_max", Integer, nullable=False),
    Column("people_sum", BigInteger, nullable=False),
    Column("people_rows", Integer, nullable=False),
    Column("row_count", Integer, nullable=False),
    PrimaryKeyConstraint("district_id", "step_s", "at_ms", "sensor_id"),
    sqlite_with_rowid=False,
)
"""As `sums.Sums`: -1 in `people_last` and `people_max` where no head was counted."""

late_hours_table = Table(
    "late_hours",
    metadata,
    Column("district_id", String(64), nullable=False),
    Column("hour_ms", BigInteger, nullable=False),
    Column("token", BigInteger, nullable=False),
    PrimaryKeyConstraint("district_id", "hour_ms"),
)
"""Hours whose roll-ups miss a row that came late; the token tells one late batch from the next."""

marks_table = Table(
    "telemetry_marks",
    metadata,
    Column("district_id", String(64), nullable=False),
    Column("name", String(120), nullable=False),
    Column("reached", BigInteger, nullable=False),
    PrimaryKeyConstraint("district_id", "name"),
)
"""How far things are: ROLLED and MINUTES_FROM in milliseconds since 1970, an import in rows."""

zone_history_table = Table(
    "zone_history",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("zone_id", String(64), primary_key=True),
    Column("step_s", Integer, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("people", Float),
    Column("low", Float),
    Column("high", Float),
    Column("density", Float),
    Column("level", Integer),
    Index("ix_zone_history_district_id_step_s", "district_id", "step_s", "at_ms"),
    sqlite_with_rowid=False,
)


_ZONE_PEOPLE = text(
    "SELECT zone_id, at_ms, people FROM zone_history WHERE district_id = :district AND step_s = :step_s "
    "AND at_ms >= :from_ms AND at_ms < :to_ms AND people IS NOT NULL"
)


_EMPTY_HOURS = text(
    "SELECT sensor_id, at_ms / 3600000 % 24, count(*), "
    "sum(CASE WHEN in_count + out_count + people_sum = 0 THEN 1 ELSE 0 END) FROM observation_rollups "
    "WHERE district_id = :district AND step_s = 3600 AND at_ms >= :from_ms AND at_ms < :to_ms "
    "GROUP BY sensor_id, at_ms / 3600000 % 24"
)


def empty_hours(
    connection: Connection, district_id: str, span: tuple[int, int]
) -> list[tuple[str, int, int, int]]:
    """Of each sensor by hour of the day (UTC): how many were counted in the span, and how many at zero."""
    told = {"district": district_id, "from_ms": span[0], "to_ms": span[1]}
    return [
        (id, hour, count, int(empty)) for id, hour, count, empty in connection.execute(_EMPTY_HOURS, told)
    ]


def read_mark(connection: Connection, district_id: str, name: str) -> int | None:
    """How far something is, None when it has not begun."""
    mine = (marks_table.c.district_id == district_id) & (marks_table.c.name == name)
    return connection.execute(select(marks_table.c.reached).where(mine)).scalar()


def put_mark(connection: Connection, district_id: str, name: str, reached: int) -> None:
    """Say how far something is."""
    put_all(connection, marks_table, [(district_id, name, reached)])


def list_late_hours(connection: Connection, district_id: str) -> dict[int, int]:
    """The hours whose roll-ups miss a late row (ms since 1970), in order, each with its token."""
    mine = late_hours_table.c.district_id == district_id
    query = select(late_hours_table.c.hour_ms, late_hours_table.c.token).where(mine)
    return {
        hour_ms: token for hour_ms, token in connection.execute(query.order_by(late_hours_table.c.hour_ms))
    }


def settle_late_hour(connection: Connection, district_id: str, hour_ms: int, token: int) -> None:
    """The hour is rolled up again, unless one more late row fell into it since the token was read."""
    mine = (late_hours_table.c.district_id == district_id) & (late_hours_table.c.hour_ms == hour_ms)
    connection.execute(delete(late_hours_table).where(mine, late_hours_table.c.token == token))


def zone_people(
    connection: Connection, district_id: str, zone_ids: Sequence[str], span: tuple[int, int], step_s: int
) -> npt.NDArray[np.float64]:
    """People in zones (len(zone_ids), steps) over a span by steps that are kept, NaN where unknown."""
    from_ms, to_ms = span
    place = {id: row for row, id in enumerate(zone_ids)}
    people = np.full((len(zone_ids), max(0, (to_ms - from_ms) // (step_s * 1000))), np.nan)
    told = {"district": district_id, "step_s": step_s, "from_ms": from_ms, "to_ms": to_ms}
    for zone_id, at_ms, count in connection.execute(_ZONE_PEOPLE, told):
        step = (at_ms - from_ms) // (step_s * 1000)
        if zone_id in place and step < people.shape[1]:
            people[place[zone_id], step] = count
    return people
