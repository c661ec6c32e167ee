"""Sealed observations: one sorted Parquet file for each day (UTC) of a district, asked through DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from anshang.crowds.model import Observation
from anshang.crowds.sums import NOBODY, Sums

SCHEMA = pa.schema(
    [
        pa.field("sensor_id", pa.dictionary(pa.int32(), pa.string())),
        pa.field("at_ms", pa.int64()),
        pa.field("in_count", pa.int32()),
        pa.field("out_count", pa.int32()),
        pa.field("people_count", pa.int32()),
    ]
)
"""The columns of a file; `people_count` is null for a passage."""

_SUMS = """
    WITH sealed AS (
        SELECT sensor_id, at_ms, in_count, out_count, people_count FROM read_parquet($files)
        WHERE at_ms >= $from_ms AND at_ms < $to_ms
    ), every_row AS (
        SELECT * FROM sealed
        UNION ALL
        SELECT * FROM waiting ANTI JOIN sealed USING (sensor_id, at_ms)
    )
    SELECT sensor_id, at_ms // $step_ms * $step_ms AS begin_ms, max(at_ms), sum(in_count)::BIGINT,
        sum(out_count)::BIGINT, coalesce(arg_max(people_count, at_ms), -1), coalesce(max(people_count), -1),
        coalesce(sum(people_count), 0)::BIGINT, count(people_count), count(*)
    FROM every_row WHERE $sensor_ids IS NULL OR list_contains($sensor_ids::VARCHAR[], sensor_id)
    GROUP BY sensor_id, begin_ms
"""
_WAITING = """
    CREATE TEMP VIEW waiting AS
    SELECT sensor_id::VARCHAR AS sensor_id, at_ms, in_count, out_count, people_count FROM unsealed
"""


def day_of(at_ms: int) -> date:
    """The UTC day of an instant."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def file_of(folder: Path, district_id: str, day: date) -> Path:
    """Where a day of a district is sealed."""
    return folder / district_id / f"{day.isoformat()}.parquet"


def files_of(folder: Path, district_id: str, from_ms: int, to_ms: int) -> list[Path]:
    """The files of the days in [from_ms, to_ms)."""
    first, last = day_of(from_ms).isoformat(), day_of(max(from_ms, to_ms - 1)).isoformat()
    files = (folder / district_id).glob("[0-9]*.parquet")
    return sorted(file for file in files if first <= file.stem <= last)


def read_sums(
    files: Sequence[Path],
    unsealed: pa.Table,
    from_ms: int,
    to_ms: int,
    step_ms: int,
    sensor_ids: Sequence[str] | None,
) -> Sums:
    """What the files and those unsealed rows that are not in them add up to, in buckets of `step_ms`."""
    told: dict[str, Any] = {
        "files": [str(file) for file in files],
        "from_ms": from_ms,
        "to_ms": to_ms,
        "step_ms": step_ms,
        "sensor_ids": None if sensor_ids is None else list(sensor_ids),
    }
    with duckdb.connect() as asking:
        asking.register("unsealed", unsealed)
        asking.execute(_WAITING)
        columns = asking.execute(_SUMS, told).fetchnumpy()
    names, *rest = columns.values()
    known, sensor = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    numbers = [np.asarray(column, dtype=np.int64) for column in rest]
    return Sums(known.tolist(), sensor.astype(np.int64), *numbers)


def set_apart(
    folder: Path | None, district_id: str, rows: Sequence[Observation]
) -> tuple[list[Observation], list[Observation]]:
    """The rows that no sealed file has, and those that one has with other counts."""
    if folder is None or not rows:
        return list(rows), []
    span = min(row.at_ms for row in rows), max(row.at_ms for row in rows) + 1
    files = files_of(folder, district_id, *span)
    if not files:
        return list(rows), []
    held = read_sums(files, SCHEMA.empty_table(), *span, 1, sorted({row.sensor_id for row in rows}))
    names = (held.sensor_ids[place] for place in held.sensor.tolist())
    columns = (held.at_ms, held.in_count, held.out_count, held.people_last)
    known = {row[:2]: row for row in zip(names, *(column.tolist() for column in columns), strict=True)}
    missing = [row for row in rows if row[:2] not in known]
    return missing, [row for row in rows if known.get(row[:2], _plain(row)) != _plain(row)]


def _plain(row: Observation) -> tuple[str, int, int, int, int]:
    return (*row[:4], NOBODY if row.people_count is None else row.people_count)
