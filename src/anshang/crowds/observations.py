"""Observations as they are kept, and the one way to ask for them, wherever they lie by now.

Raw rows, and what was sealed of them, are the truth; roll-ups are a memory of it. An answer takes roll-ups
where they hold and rows everywhere else. A row is known by its sensor and its instant; the first one wins.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
from sqlalchemy import Connection, Row, TextClause, select, text, tuple_

from anshang.crowds import sealed, sums
from anshang.crowds.model import Observation
from anshang.crowds.occupancy import Columns
from anshang.crowds.sums import Sums
from anshang.crowds.telemetry import (
    HOUR_MS,
    MINUTE_MS,
    MINUTE_S,
    MINUTES_FROM,
    ROLLED,
    STEPS_S,
    late_hours_table,
    list_late_hours,
    observations_table,
    read_mark,
    zone_history_table,
)
from anshang.foundation.database import insert_new, put_all

__all__ = ["MINUTE_MS"]

LATE_MS = 300_000
"""A row that comes later than this after its instant may find its hour rolled up."""
KEYS_ASKED_MAX = 500
BLOCK_BYTES = 1 << 16
TOKEN_BITS = 62
ROW_COLUMNS = ("sensor_id", "at_ms", "in_count", "out_count", "people_count")
Span = tuple[int, int]
"""Half-open, in milliseconds since 1970."""
_memory = pa.system_memory_pool()
"""Arrow's own pool keeps what was freed: 15 MB for an hour of rows every few seconds."""

_NEXT_ROW = text("SELECT min(at_ms) FROM observations WHERE district_id = :district AND at_ms >= :from_ms")
_ROWS = text(
    "SELECT string_agg(sensor_id || ',' || (at_ms - :from_ms) || ',' || in_count || ',' || out_count || ',' "
    "|| coalesce(people_count, -1), '\n') FROM observations "
    "WHERE district_id = :district AND at_ms >= :from_ms AND at_ms < :to_ms"
)
_ROLLUPS = text(
    "SELECT string_agg(sensor_id || ',' || (at_ms - :from_ms) || ',' || (last_ms - :from_ms) || ',' "
    "|| in_count || ',' || out_count || ',' || people_last || ',' || people_max || ',' || people_sum || ',' "
    "|| people_rows || ',' || row_count, '\n') FROM observation_rollups "
    "WHERE district_id = :district AND step_s = :step_s AND at_ms >= :from_ms AND at_ms < :to_ms"
)
_ZONE_HISTORY = text(
    "SELECT at_ms / (:wide * 1000) * (:wide * 1000), avg(people), min(low), max(high), avg(density), "
    "max(level) FROM zone_history WHERE district_id = :district AND zone_id = :zone AND step_s = :step_s "
    "AND at_ms >= :from_ms AND at_ms < :to_ms GROUP BY 1 ORDER BY 1"
)

_DISTRICT_HISTORY = text(
    "SELECT at_ms, sum(people), count(*) - count(people) FROM (SELECT zone_id, "
    "at_ms / (:wide * 1000) * (:wide * 1000) AS at_ms, avg(people) AS people FROM zone_history "
    "WHERE district_id = :district AND step_s = :step_s AND at_ms >= :from_ms AND at_ms < :to_ms "
    "GROUP BY 1, 2) AS zones GROUP BY 1 ORDER BY 1"
)


class SomeKnown(ValueError):
    """Not all rows are new."""


class Added(NamedTuple):
    """The rows that were not there before, and those whose key was there with other counts."""

    fresh: list[Observation]
    differing: list[Observation]


class ZonePoint(NamedTuple):
    """A zone over one step: mean people and density (people per m²), extremes of both, highest level."""

    at_ms: int
    people: float | None
    low: float | None
    high: float | None
    density: float | None
    level: int | None


class DistrictPoint(NamedTuple):
    """A district over one step: people in the zones that were known, and how many zones were unknown."""

    at_ms: int
    people: float | None
    unknown_zones: int


def add_new(connection: Connection, district_id: str, rows: Sequence[Observation], received_ms: int) -> None:
    """Keep rows of which none is there yet; SomeKnown, and nothing may be committed, when one is."""
    told = [(district_id, *row, received_ms) for row in rows]
    if insert_new(connection, observations_table, told) != len(rows):
        raise SomeKnown(district_id)
    _mark_late(connection, district_id, rows, received_ms)


def add_missing(
    connection: Connection, district_id: str, rows: Sequence[Observation], received_ms: int
) -> Added:
    """Keep those of the rows that are not there yet; the keys among `rows` are distinct."""
    known = _find_known(connection, district_id, rows)
    fresh = [row for row in rows if row[:2] not in known]
    if fresh:
        add_new(connection, district_id, fresh, received_ms)
    differing = [row for row in rows if known.get(row[:2], row) != row]
    return Added(fresh, differing)


def raw_tables(connection: Connection, district_id: str, from_ms: int, to_ms: int) -> Iterator[pa.Table]:
    """Raw rows in [from_ms, to_ms), at most an hour at a time: ROW_COLUMNS, `people_count` -1 for a passage.

    The database joins the rows of an hour into one text that Arrow parses, on both databases: three times as
    fast as fetching them row by row.
    """
    while (begin_ms := next_row_ms(connection, district_id, from_ms)) is not None and begin_ms < to_ms:
        from_ms = min(begin_ms - begin_ms % HOUR_MS + HOUR_MS, to_ms)
        told = {"district": district_id, "from_ms": begin_ms, "to_ms": from_ms}
        table = _parse(connection.execute(_ROWS, told).scalar() or "", ROW_COLUMNS)
        yield table.set_column(1, "at_ms", _column(_ints(table["at_ms"]) + begin_ms))


def next_row_ms(connection: Connection, district_id: str, from_ms: int) -> int | None:
    """The instant of the first raw row at or after `from_ms`, None when there is none."""
    return connection.execute(_NEXT_ROW, {"district": district_id, "from_ms": from_ms}).scalar()


def row_sums(
    connection: Connection,
    district_id: str,
    span: Span,
    step_ms: int,
    *,
    sensor_ids: Sequence[str] | None = None,
    folder: Path | None = None,
) -> Sums:
    """What the rows of the span add up to, in buckets of `step_ms`: raw and sealed ones, none twice.

    Raw rows are read before the folder: a file is in place before the rows that it holds go.
    """
    tables: Iterable[pa.Table] = raw_tables(connection, district_id, *span)
    if folder is not None:
        tables = list(tables)
        if files := sealed.files_of(folder, district_id, *span):
            shaped = [sealed.SCHEMA.empty_table(), *map(as_sealed, tables)]
            unsealed = pa.concat_tables(shaped).unify_dictionaries()
            return sealed.read_sums(files, unsealed, *span, step_ms, sensor_ids)
    parts = [sums.fold(_as_rows(table, sensor_ids), step_ms) for table in tables]
    return sums.fold(sums.join(parts), step_ms)


def read_counts(
    connection: Connection,
    district_id: str,
    sensor_ids: Sequence[str] | None,
    from_ms: int,
    to_ms: int,
    step_s: int,
    folder: Path | None = None,
) -> Sums:
    """The counts of the sensors (None: of all) in [from_ms, to_ms), in buckets of `step_s` counted from 1970.

    A step of 0 gives the rows themselves. Roll-ups, raw rows and the sealed files in `folder` answer
    together: the same numbers wherever the rows lie by now, whether they are rolled up yet or not.
    """
    span = (from_ms, to_ms)
    if step_s == 0:
        return row_sums(connection, district_id, span, 1, sensor_ids=sensor_ids, folder=folder)
    rolled_s = max((step for step in STEPS_S if step_s % step == 0), default=0)
    held = _held(connection, district_id, rolled_s, span) if rolled_s else []
    parts = [read_rollups(connection, district_id, rolled_s, part, sensor_ids) for part in held]
    parts += [
        row_sums(connection, district_id, part, step_s * 1000, sensor_ids=sensor_ids, folder=folder)
        for part in _gaps(span, held)
    ]
    return sums.fold(sums.join(parts), step_s * 1000)


def read_rollups(
    connection: Connection,
    district_id: str,
    step_s: int,
    span: Span,
    sensor_ids: Sequence[str] | None = None,
) -> Sums:
    """The roll-ups of one step in the span, whether they hold or not."""
    told = {"district": district_id, "step_s": step_s, "from_ms": span[0], "to_ms": span[1]}
    table = _parse(connection.execute(_ROLLUPS, told).scalar() or "", ("sensor_id", *Sums._fields[2:]))
    numbers = [_ints(table[name]) for name in Sums._fields[2:]]
    numbers[:2] = numbers[0] + span[0], numbers[1] + span[0]
    return _only(Sums(*_numbered(table), *numbers), sensor_ids)


def minute_sums(connection: Connection, district_id: str, from_ms: int, to_ms: int) -> Columns:
    """Every sensor's minutes in [from_ms, to_ms): sums at the instant of the last row, and its head count."""
    minutes = read_counts(connection, district_id, None, from_ms, to_ms, MINUTE_S)
    return Columns(
        minutes.sensor_ids,
        minutes.sensor,
        minutes.last_ms,
        minutes.in_count.astype(float),
        minutes.out_count.astype(float),
        np.where(minutes.people_last >= 0, minutes.people_last, np.nan),
    )


def keep_zone_minutes(
    connection: Connection,
    district_id: str,
    minute_ms: int,
    zones: Iterable[tuple[str, float | None, float | None, float | None, float | None, int | None]],
) -> None:
    """Keep zone id, people, low, high, density and level of one minute; a later word on it wins, but for one
    that knows no level: it only fills what is missing.
    """
    rows = [(district_id, id, MINUTE_S, minute_ms, *figures) for id, *figures in zones]
    insert_new(connection, zone_history_table, [row for row in rows if row[-1] is None])
    put_all(connection, zone_history_table, [row for row in rows if row[-1] is not None])
    if minute_ms < (read_mark(connection, district_id, ROLLED) or minute_ms):
        _mark_hours(connection, district_id, {minute_ms // HOUR_MS})


def zone_history(
    connection: Connection, district_id: str, zone_id: str, from_ms: int, to_ms: int, step_s: int
) -> list[ZonePoint]:
    """A zone in [from_ms, to_ms) by steps of `step_s`, a multiple of 60 counted from 1970, where kept."""
    told = {"district": district_id, "zone": zone_id}
    return [
        ZonePoint._make(row) for row in _history(connection, _ZONE_HISTORY, told, (from_ms, to_ms), step_s)
    ]


def district_history(
    connection: Connection, district_id: str, from_ms: int, to_ms: int, step_s: int
) -> list[DistrictPoint]:
    """All zones of a district together, as `zone_history`."""
    told = {"district": district_id}
    rows = _history(connection, _DISTRICT_HISTORY, told, (from_ms, to_ms), step_s)
    return [DistrictPoint._make(row) for row in rows]


def _history(
    connection: Connection, question: TextClause, told: dict[str, str], span: Span, step_s: int
) -> Iterator[Row[Any]]:
    """What is rolled up comes from the coarsest steps that are fine enough, the rest from minutes."""
    from_ms, to_ms = span
    step_ms = step_s * 1000
    seam_ms = _rolled_until(connection, told["district"], from_ms, to_ms) // step_ms * step_ms
    rolled_s = max(step for step in STEPS_S if step_s % step == 0)
    parts = (
        {"step_s": rolled_s, "from_ms": from_ms, "to_ms": seam_ms},
        {"step_s": MINUTE_S, "from_ms": max(from_ms, seam_ms), "to_ms": to_ms},
    )
    for part in parts:
        yield from connection.execute(question, told | {"wide": step_s} | part)


def as_sealed(table: pa.Table) -> pa.Table:
    """Raw rows in the shape of a sealed file."""
    people = _ints(table["people_count"])
    known = np.packbits(people >= 0, bitorder="little")
    return table.set_column(4, "people_count", _column(people, known)).cast(sealed.SCHEMA)


def _find_known(
    connection: Connection, district_id: str, rows: Sequence[Observation]
) -> dict[tuple[str, int], Observation]:
    """The kept rows that have the key of one of `rows`."""
    table = observations_table
    key = tuple_(table.c.at_ms, table.c.sensor_id)
    query = select(*(table.c[name] for name in ROW_COLUMNS)).where(table.c.district_id == district_id)
    known = {}
    for begin in range(0, len(rows), KEYS_ASKED_MAX):
        keys = [(row.at_ms, row.sensor_id) for row in rows[begin : begin + KEYS_ASKED_MAX]]
        for row in connection.execute(query.where(key.in_(keys))):
            known[row.sensor_id, row.at_ms] = Observation(*row)
    return known


def _mark_late(
    connection: Connection, district_id: str, rows: Sequence[Observation], received_ms: int
) -> None:
    late_ms = received_ms - LATE_MS
    instants = {row.at_ms for row in rows}
    _mark_hours(connection, district_id, {at_ms // HOUR_MS for at_ms in instants if at_ms < late_ms})


def _mark_hours(connection: Connection, district_id: str, hours: set[int]) -> None:
    token = secrets.randbits(TOKEN_BITS)
    put_all(connection, late_hours_table, [(district_id, hour * HOUR_MS, token) for hour in sorted(hours)])


def _held(connection: Connection, district_id: str, step_s: int, span: Span) -> list[Span]:
    """The parts of the span, in whole steps, for which roll-ups hold."""
    step_ms = step_s * 1000
    kept_ms = read_mark(connection, district_id, MINUTES_FROM) if step_s == MINUTE_S else None
    begin_ms = -(-max(span[0], kept_ms or span[0]) // step_ms) * step_ms
    end_ms = min(span[1], read_mark(connection, district_id, ROLLED) or begin_ms) // step_ms * step_ms
    late = [(hour_ms, hour_ms + HOUR_MS) for hour_ms in list_late_hours(connection, district_id)]
    return list(_gaps((begin_ms, end_ms), late))


def _gaps(span: Span, taken: Iterable[Span]) -> Iterator[Span]:
    """What of the span the taken spans, in order, leave over."""
    begin_ms, end_ms = span
    for taken_begin_ms, taken_end_ms in taken:
        if begin_ms < min(taken_begin_ms, end_ms):
            yield begin_ms, min(taken_begin_ms, end_ms)
        begin_ms = max(begin_ms, taken_end_ms)
    if begin_ms < end_ms:
        yield begin_ms, end_ms


def _rolled_until(connection: Connection, district_id: str, from_ms: int, to_ms: int) -> int:
    """Where in [from_ms, to_ms] roll-ups stop to hold."""
    rolled_ms = read_mark(connection, district_id, ROLLED) or from_ms
    late = [hour_ms for hour_ms in list_late_hours(connection, district_id) if hour_ms + HOUR_MS > from_ms]
    return max(from_ms, min(to_ms, rolled_ms, *late[:1]))


def _parse(joined: str, names: Sequence[str]) -> pa.Table:
    """Lines of a sensor's id and whole numbers."""
    types = {name: pa.int64() for name in names} | {"sensor_id": pa.dictionary(pa.int32(), pa.string())}
    if not joined:
        return pa.Table.from_batches([], schema=pa.schema(list(types.items())))
    content = pa.py_buffer(joined.encode())
    return pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(
            column_names=list(names), block_size=max(BLOCK_BYTES, content.size), use_threads=False
        ),
        convert_options=pacsv.ConvertOptions(column_types=types),
        memory_pool=_memory,
    )


def _as_rows(table: pa.Table, sensor_ids: Sequence[str] | None) -> Sums:
    at_ms, in_count, out_count, people = (_ints(table[name]) for name in ROW_COLUMNS[1:])
    return _only(sums.of_rows(*_numbered(table), at_ms, in_count, out_count, people), sensor_ids)


def _numbered(table: pa.Table) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The distinct ids of a table's sensors, and the place of each row's sensor among them."""
    named = table["sensor_id"].unify_dictionaries()
    ids = named.chunk(0).dictionary.to_pylist() if named.num_chunks else []
    places = [np.from_dlpack(chunk.indices) for chunk in named.chunks]
    return ids, np.concatenate([np.zeros(0, np.int64), *places]).astype(np.int64)


def _ints(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A column's numbers, -1 for null."""
    whole = column.fill_null(sums.NOBODY) if column.null_count else column
    return np.concatenate([np.zeros(0, np.int64), *map(np.from_dlpack, whole.chunks)]).astype(np.int64)


def _column(values: npt.NDArray[np.int64], known: npt.NDArray[np.uint8] | None = None) -> pa.Array:
    """Numbers as a column, null where the bit in `known` is 0.

    Made from buffers, as numbers are taken from them by DLPack: Arrow's own conversions load pandas where it
    is installed, 20 MB for nothing.
    """
    bits = None if known is None else pa.py_buffer(known)
    return pa.Array.from_buffers(pa.int64(), len(values), [bits, pa.py_buffer(values)])


def _only(rows: Sums, sensor_ids: Sequence[str] | None) -> Sums:
    """The rows of the sensors, all when None."""
    if sensor_ids is None or not len(rows.at_ms):
        return rows
    wanted = set(sensor_ids)
    return sums.pick(rows, np.array([id in wanted for id in rows.sensor_ids], bool)[rows.sensor])
