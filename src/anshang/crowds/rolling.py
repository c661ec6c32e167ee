"""Rolling up: rows into minutes, quarters and hours, for sensors and for zones.

Rows are read in a snapshot and roll-ups written in pieces, so that sensors need not wait long. What comes
late meanwhile marks its hour, and a marked hour is rolled up again. Rolling up twice gives the same. Nothing
is known here alone: a roll-up can always be made again from the rows, raw or sealed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from anshang.crowds import observations, sums
from anshang.crowds.sums import Sums
from anshang.crowds.telemetry import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    MINUTE_S,
    ROLLED,
    STEPS_S,
    list_late_hours,
    put_mark,
    read_mark,
    rollups_table,
    settle_late_hour,
    zone_history_table,
)
from anshang.foundation import clock
from anshang.foundation.database import Database, put_all

DELAY = timedelta(minutes=10)
"""How long after its end a minute is rolled up: twice the time after which a row counts as late."""
ROWS_AT_ONCE = 5_000
"""Written in one go: as columns of numbers the others take a tenth of the memory that records do."""
Record = tuple[Any, ...]

_NEXT_ZONE_MINUTE = text(
    "SELECT min(at_ms) FROM zone_history "
    "WHERE district_id = :district AND step_s = :step_s AND at_ms >= :from_ms"
)
_ZONE_STEPS = text(
    "SELECT zone_id, at_ms / (:wide * 1000) * (:wide * 1000), avg(people), min(low), max(high), "
    "avg(density), max(level) FROM zone_history WHERE district_id = :district AND step_s = :step_s "
    "AND at_ms >= :from_ms AND at_ms < :to_ms GROUP BY 1, 2"
)


def roll_up(database: Database, district_id: str, until_at: datetime, folder: Path | None = None) -> int:
    """Roll up what lies before `until_at`, which is at least DELAY ago, and what came late; number of spans.

    `folder` holds the sealed rows: late rows may fall into their days.
    """
    until_ms = clock.to_ms(until_at) // MINUTE_MS * MINUTE_MS
    count = 0
    while (span := _next_span(database, district_id, until_ms)) is not None:
        _roll_span(database, district_id, *span, folder, reached_ms=span[1])
        count += 1
    with database.reading([district_id]) as connection:
        rolled_ms = read_mark(connection, district_id, ROLLED) or 0
        late = [hour_ms for hour_ms in list_late_hours(connection, district_id) if hour_ms < rolled_ms]
    for hour_ms in late:
        _roll_span(database, district_id, hour_ms, min(hour_ms + HOUR_MS, rolled_ms), folder)
    return count + len(late)


def _next_span(database: Database, district_id: str, until_ms: int) -> tuple[int, int] | None:
    """What is to be rolled up next for the first time, at most a day; a stretch without rows is one span."""
    told = {"district": district_id, "step_s": MINUTE_S}
    with database.reading([district_id]) as connection:
        rolled_ms = read_mark(connection, district_id, ROLLED)
        from_ms = rolled_ms or 0
        row_ms = observations.next_row_ms(connection, district_id, from_ms)
        zone_ms = connection.execute(_NEXT_ZONE_MINUTE, told | {"from_ms": from_ms}).scalar()
    next_ms = min((ms for ms in (row_ms, zone_ms, until_ms) if ms is not None), default=until_ms)
    hour_ms = next_ms - next_ms % HOUR_MS
    if from_ms >= until_ms or (rolled_ms is None and next_ms >= until_ms):
        return None
    if rolled_ms is None or hour_ms >= rolled_ms + DAY_MS:
        return max(from_ms, hour_ms), min(hour_ms + DAY_MS, until_ms)
    return from_ms, min(from_ms - from_ms % HOUR_MS + DAY_MS, until_ms)


def _roll_span(
    database: Database,
    district_id: str,
    from_ms: int,
    to_ms: int,
    folder: Path | None,
    *,
    reached_ms: int | None = None,
) -> None:
    """Roll up the minutes of [from_ms, to_ms) and every quarter and hour that they complete.

    Until the last piece is written nobody looks at the first: the span lies beyond the mark, or is late.
    """
    with database.reading([district_id]) as connection:
        late = list_late_hours(connection, district_id)
        rollups = list(_rollups(connection, district_id, from_ms, to_ms, folder))
        zones = list(_zone_steps(connection, district_id, from_ms, to_ms))
    settled = {ms: token for ms, token in late.items() if from_ms <= ms and ms + HOUR_MS <= to_ms}
    if reached_ms is None:
        settled |= {from_ms: late[from_ms]} if from_ms in late else {}

    def finish(connection: Connection) -> None:
        put_all(connection, zone_history_table, zones)
        for hour_ms, token in settled.items():
            settle_late_hour(connection, district_id, hour_ms, token)
        if reached_ms is not None:
            put_mark(connection, district_id, ROLLED, reached_ms)

    for step_s, steps in rollups:
        for begin in range(0, len(steps.at_ms), ROWS_AT_ONCE):
            piece = list(_records(district_id, step_s, sums.cut(steps, begin, begin + ROWS_AT_ONCE)))
            database.bulk(district_id, partial(put_all, table=rollups_table, rows=piece))
    database.bulk(district_id, finish)


def _rollups(
    connection: Connection, district_id: str, from_ms: int, to_ms: int, folder: Path | None
) -> Iterator[tuple[int, Sums]]:
    """The span's minutes, quarters and hours, each with its step in seconds."""
    minutes = observations.row_sums(connection, district_id, (from_ms, to_ms), MINUTE_MS, folder=folder)
    hour_ms = from_ms - from_ms % HOUR_MS
    before = observations.read_rollups(connection, district_id, MINUTE_S, (hour_ms, from_ms))
    every = sums.join([before, minutes])
    for step_s in STEPS_S:
        step_ms = step_s * 1000
        steps = minutes if step_s == MINUTE_S else sums.fold(every, step_ms)
        whole = (steps.at_ms >= from_ms - from_ms % step_ms) & (steps.at_ms + step_ms <= to_ms)
        yield step_s, sums.pick(steps, whole)


def _records(district_id: str, step_s: int, steps: Sums) -> Iterator[Record]:
    """The columns as rows of the table, in the order of its columns."""
    columns: dict[str, list[Any]] = {
        column.name: getattr(steps, column.name).tolist()
        for column in rollups_table.c
        if column.name in Sums._fields
    }
    sensors = [steps.sensor_ids[place] for place in steps.sensor.tolist()]
    told = columns | {"sensor_id": sensors}
    names = [column.name for column in rollups_table.c][2:]
    return ((district_id, step_s, *row) for row in zip(*(told[name] for name in names), strict=True))


def _zone_steps(connection: Connection, district_id: str, from_ms: int, to_ms: int) -> Iterator[Record]:
    """The records of the zones' quarters and hours that the span completes."""
    for step_s in STEPS_S[1:]:
        step_ms = step_s * 1000
        told = {
            "district": district_id,
            "step_s": MINUTE_S,
            "wide": step_s,
            "from_ms": from_ms - from_ms % step_ms,
            "to_ms": to_ms - to_ms % step_ms,
        }
        for zone_id, *figures in connection.execute(_ZONE_STEPS, told):
            yield district_id, zone_id, step_s, *figures
