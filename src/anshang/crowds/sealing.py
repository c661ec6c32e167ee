"""Sealing: raw rows of whole days (UTC) that are old enough go into sorted Parquet files.

A file is complete, flushed and checked before it takes its name, and rows leave the database only after
that, only as many as were read. So a run that is killed at any point leaves every row in the file, in the
database, or in both, which the readers count once; the next run goes on from there. Rows that come late
are merged into their day's file by the next run. Two runs take turns: the command line beside the worker.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import structlog
from sqlalchemy import Connection, delete, text

from anshang.crowds import observations, sealed
from anshang.crowds.telemetry import (
    DAY_MS,
    HOUR_MS,
    MINUTE_S,
    MINUTES_FROM,
    ROLLED,
    put_mark,
    read_mark,
    rollups_table,
    zone_history_table,
)
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.errors import StorageFailed

MINUTES_KEPT = timedelta(days=35)
"""How long roll-ups by minute are kept; quarters and hours stay."""

log = structlog.get_logger("crowds.sealing")

_MERGED = """
    SELECT sensor_id::VARCHAR AS sensor_id, at_ms, in_count, out_count, people_count FROM unsealed
    {without} ORDER BY sensor_id, at_ms
"""
_WITHOUT = """
    ANTI JOIN read_parquet(getvariable('file')) USING (sensor_id, at_ms)
    UNION ALL SELECT * FROM read_parquet(getvariable('file'))
"""
_CHECK = """
    SELECT count(*), coalesce(sum(in_count), 0), coalesce(sum(out_count), 0), coalesce(sum(people_count), 0),
        coalesce(bit_xor(hash(sensor_id, at_ms)), 0) FROM {rows}
"""
_DELETE = text(
    "DELETE FROM observations WHERE district_id = :district AND at_ms >= :from_ms AND at_ms < :to_ms"
)


class GrownMeanwhile(ValueError):
    """More rows came into an hour after it was read; it waits for the next run."""


def seal(
    database: Database,
    district_id: str,
    before_at: datetime,
    folder: Path,
    progress: Callable[[float], None] | None = None,
) -> int:
    """Seal the days that were over before `before_at`; number of rows that left the database.

    `progress` is told the share done. StorageFailed when a file cannot be written.
    """
    end_ms = clock.to_ms(before_at) // DAY_MS * DAY_MS
    sealed_count = 0
    with _turn(folder):
        first_ms = day_ms = _next_day(database, district_id, 0)
        while day_ms is not None and first_ms is not None and day_ms < end_ms:
            sealed_count += _seal_day(database, district_id, day_ms, folder)
            if progress is not None:
                progress((day_ms + DAY_MS - first_ms) / (end_ms - first_ms))
            day_ms = _next_day(database, district_id, day_ms + DAY_MS)
    _forget_minutes(database, district_id, end_ms - int(MINUTES_KEPT.total_seconds()) * 1000)
    return sealed_count


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait until nobody else seals here, in this process or another; a killed one lets go by itself."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        turn = (folder / ".turn").open("w")
    except OSError as error:
        raise _failed(folder, error) from error
    with turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _next_day(database: Database, district_id: str, from_ms: int) -> int | None:
    with database.reading([district_id]) as connection:
        row_ms = observations.next_row_ms(connection, district_id, from_ms)
    return None if row_ms is None else row_ms - row_ms % DAY_MS


def _seal_day(database: Database, district_id: str, day_ms: int, folder: Path) -> int:
    """Write or rewrite a day's file, then let its rows go, hour by hour."""
    with database.reading([district_id]) as connection:
        hours = list(observations.raw_tables(connection, district_id, day_ms, day_ms + DAY_MS))
    unsealed = pa.concat_tables([observations.as_sealed(hour) for hour in hours]).unify_dictionaries()
    write_file(sealed.file_of(folder, district_id, sealed.day_of(day_ms)), unsealed)
    left_count = 0
    for hour in hours:
        at_ms = int(np.asarray(hour["at_ms"])[0])
        try:
            let_go = partial(_let_go, district_id=district_id, at_ms=at_ms, row_count=hour.num_rows)
            left_count += database.bulk(district_id, let_go)
        except GrownMeanwhile:
            log.info("sealing.hour_grown", district=district_id, hour=clock.from_ms(at_ms).isoformat())
    return left_count


def write_file(file: Path, unsealed: pa.Table) -> None:
    """Put rows into a day's file beside what it holds: in place at once or not at all, and on disk after.

    StorageFailed when the disk cannot take it, or does not give back what it took.
    """
    written = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not _write(file, written, unsealed):
            raise OSError("it does not read back as it was written")
        _flush(written)
        written.replace(file)
        _flush(file.parent)
    except (OSError, duckdb.Error) as error:
        raise _failed(file, error) from error


def _failed(path: Path, error: Exception) -> StorageFailed:
    return StorageFailed(
        "sealing.failed",
        en=f"{path} cannot be written: {error}. No row was removed.",
        zh=f"无法写入 {path}：{error}。未删除任何数据。",
    )


def _write(file: Path, written: Path, unsealed: pa.Table) -> bool:
    """Write what `file` holds and the unsealed rows to `written`; whether it reads back the same."""
    with duckdb.connect() as writing:
        writing.register("unsealed", unsealed)
        writing.execute("SET VARIABLE file = $file", {"file": str(file)})
        merged = _MERGED.format(without=_WITHOUT if file.is_file() else "")
        writing.execute(f"CREATE TEMP TABLE merged AS {merged}")
        told = str(written).replace("'", "''")
        writing.execute(f"COPY merged TO '{told}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)")
        writing.execute("SET VARIABLE file = $file", {"file": str(written)})
        meant = writing.execute(_CHECK.format(rows="merged")).fetchone()
        found = writing.execute(_CHECK.format(rows="read_parquet(getvariable('file'))")).fetchone()
    return bool(meant == found)


def _let_go(connection: Connection, district_id: str, at_ms: int, row_count: int) -> int:
    """Remove the rows of an hour, exactly those that were read: rows are added, never changed."""
    begin_ms = at_ms - at_ms % HOUR_MS
    told = {"district": district_id, "from_ms": begin_ms, "to_ms": begin_ms + HOUR_MS}
    if connection.execute(_DELETE, told).rowcount != row_count:
        raise GrownMeanwhile(district_id)
    return row_count


def _forget_minutes(database: Database, district_id: str, before_ms: int) -> None:
    """Let go of roll-ups by minute that are old; from now on those minutes are answered from rows."""

    def forget(connection: Connection) -> None:
        if before_ms > (read_mark(connection, district_id, ROLLED) or 0):
            return
        put_mark(connection, district_id, MINUTES_FROM, before_ms)
        for table in (rollups_table, zone_history_table):
            mine = (table.c.district_id == district_id) & (table.c.step_s == MINUTE_S)
            connection.execute(delete(table).where(mine, table.c.at_ms < before_ms))

    database.bulk(district_id, forget)


def _flush(path: Path) -> None:
    """On disk for good: a file's content, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(PermissionError):  # some systems do not open folders
            os.fsync(handle)
    finally:
        os.close(handle)
