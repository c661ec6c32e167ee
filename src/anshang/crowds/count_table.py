"""Counts of any place from a file, laid on one even grid of time: for back-tests, beside every district.

Long (a row for each sensor and instant: `count`, or `in_count` and `out_count`, which are added) or wide (a
column for each sensor). Nothing is filled in: what was not counted stays a gap, and what could not be read,
came twice or stands for no even step is told in `notes`.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from anshang.crowds import file_values as values
from anshang.crowds.file_tables import FileTable, find_column, open_table
from anshang.crowds.files import COMMON_NAMES, zone_named
from anshang.foundation.errors import BadInput
from anshang.kernels.daygrid import DAY_S, Ints, Reals

MORE_SENSOR_NAMES = ("id", "name", "sensor_name", "counter_id", "camera", "site", "gate", "zone", "segment")
"""Of the column of sensors where there is one of counts: less sure than the common names."""
STEP_MIN_S, STEP_MAX_S = 60, 3_600
ALIKE_MAX_SHARE = 0.7
"""Of the instants of a wide table so many must differ: the changing clocks and some repeats are borne."""
CELLS_MAX = 200_000_000
SENSORS_MAX = 5_000
NO_ZONE = ZoneInfo("UTC")
"""Of instants that bear none when none was told: the clock on the wall is taken as it is."""


@dataclass(slots=True)
class CountTable:
    """Counts (S, T), NaN where nobody counted; step t begins at first_at_ms + t · step_s.

    The first step begins at a local midnight.
    """

    sensors: list[str]
    first_at_ms: int
    step_s: int
    zone: tzinfo
    counts: Reals
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def gap_share(self) -> float:
        """The share of the grid that nobody counted."""
        return float(np.isnan(self.counts).mean())


class _Told(NamedTuple):
    """Readings as they were found, in the order of the file."""

    names: list[str]
    sensor: Ints
    at_ms: Ints
    people: Reals


def read_counts(path: Path, time_zone: str | None = None) -> CountTable:
    """The counts in a CSV or Parquet file; BadInput when it holds none that can be laid on an even grid."""
    zone = zone_named(time_zone)
    notes: Counter[str] = Counter()
    with closing(open_table(path)) as table:
        at = find_column(table.names, None, COMMON_NAMES["at"], "at")
        if at is None:
            raise _refused(path, "no column of times (at, timestamp, …)", "没有时间列（at、timestamp 等）")
        if zone is None and at.lower().endswith("_utc"):
            notes["times in UTC; local days need --time-zone"] = 1
        sensor = _sensor_column(table)
        told = _long(table, at, sensor, zone, notes) if sensor else _wide(table, at, zone, notes)
    if not len(told.at_ms):
        raise _refused(path, "no readable count", "没有可读的计数")
    return _laid_out(path, told, zone or NO_ZONE, notes)


def _sensor_column(table: FileTable) -> str | None:
    """The column that says the sensor, None in a wide table."""
    known = find_column(table.names, None, COMMON_NAMES["sensor"], "sensor")
    if known is not None or not _count_columns(table):
        return known
    return find_column(table.names, None, MORE_SENSOR_NAMES, "sensor")


def _count_columns(table: FileTable) -> list[str]:
    """The columns whose sum is the count: people, or what there is of in and out."""
    found = {
        each: find_column(table.names, None, COMMON_NAMES[each], each) for each in ("people", "in", "out")
    }
    wanted = ("people",) if found["people"] else ("in", "out")
    return [name for each in wanted if (name := found[each])]


def _long(table: FileTable, at: str, sensor: str, zone: ZoneInfo | None, notes: Counter[str]) -> _Told:
    """A row for each sensor and instant."""
    counted = _count_columns(table)
    if not counted:
        raise _refused(table.path, "no column of counts (count, or in_count and out_count)", "没有计数列")
    instants = _Instants(zone, notes)
    places: dict[str, int] = {}
    parts: list[tuple[Ints, Ints, Reals]] = []
    for piece in table.pieces([sensor, at, *counted]):
        notes["lines with another number of columns"] += len(piece.broken)
        named = values.distinct(piece.table[sensor])
        labels = values.labels(named) or [""]
        own = np.array([places.setdefault(label, len(places)) for label in labels], np.int64)
        at_ms, good = instants.read(piece.table[at], labels, named.places)
        count = sum((_numbers(piece.table[name], notes) for name in counted), start=np.zeros(len(at_ms)))
        good &= ~np.isnan(count)
        parts.append((own[named.places][good], at_ms[good], count[good]))
    return _Told(list(places), *(_joined([part[i] for part in parts]) for i in range(3)))


def _wide(table: FileTable, at: str, zone: ZoneInfo | None, notes: Counter[str]) -> _Told:
    """A column for each sensor; columns without any number are left out."""
    names = [name for name in table.names if name != at and not name.startswith("__index")]
    instants = _Instants(zone, notes)
    parts: list[tuple[Ints, Reals]] = []
    text: Counter[str] = Counter()
    for piece in table.pieces([at, *names]):
        notes["lines with another number of columns"] += len(piece.broken)
        one = np.zeros(piece.table.num_rows, np.int64)
        at_ms, good = instants.read(piece.table[at], ["all"], one)
        counts = np.stack([_numbers(piece.table[name], text) for name in names], axis=1)
        parts.append((at_ms[good], counts[good]))
    at_ms = _joined([part[0] for part in parts])
    if len(np.unique(at_ms)) < ALIKE_MAX_SHARE * len(at_ms):
        raise _refused(
            table.path,
            "several rows for one instant, and no column that says the sensor",
            "同一时刻有多行，却没有传感器列",
        )
    counts = np.concatenate([part[1] for part in parts]) if parts else np.zeros((0, len(names)))
    kept = np.flatnonzero(~np.isnan(counts).all(axis=0)) if len(counts) else np.zeros(0, np.int64)
    for i in np.setdiff1d(np.arange(len(names)), kept):
        notes[f"column left out, it holds no number: {names[i]}"] = 1
    row, column = np.nonzero(~np.isnan(counts[:, kept]))
    return _Told([names[i] for i in kept], column.astype(np.int64), at_ms[row], counts[:, kept][row, column])


def _joined(parts: list[Any]) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0)


class _Instants:
    """Reads instants; without a zone told, all must bear one or none may."""

    def __init__(self, zone: ZoneInfo | None, notes: Counter[str]) -> None:
        self._read = values.Instants(zone or NO_ZONE)
        self._zone, self._notes = zone, notes
        self._zoned: bool | None = None

    def read(self, column: pa.ChunkedArray, labels: list[str], sensor: Ints) -> tuple[Ints, Any]:
        stamps = values.distinct(column)
        at_ms, faults = self._read.read(stamps, labels, sensor)
        good = faults == values.FINE
        self._notes["times that cannot be read"] += int((~good).sum())
        if self._zone is None:
            good &= self._alike([values.written_instant(value) for value in stamps.values])[stamps.places]
        return at_ms, good

    def _alike(self, stamps: list[datetime | None]) -> Any:
        """Which stamps bear a zone, or bear none, as the first one does."""
        zoned = [stamp is not None and stamp.tzinfo is not None for stamp in stamps]
        if self._zoned is None and stamps:
            self._zoned = zoned[0]
            word = (
                "times bear a zone; days are counted in UTC"
                if zoned[0]
                else "times without a zone, as they stand"
            )
            self._notes[word] = 1
        alike = np.array([each == self._zoned for each in zoned] or [True], bool)
        self._notes["distinct times with a zone among some without, left out"] += int((~alike).sum())
        return alike


def _numbers(column: pa.ChunkedArray, notes: Counter[str]) -> Reals:
    """A column as numbers, NaN where it says nothing or none that a count can be."""
    found = values.distinct(column)
    read = np.array([values.amount_of(value) for value in found.values] or [np.nan], float)
    wrong = np.array(
        [np.isnan(n) and not values.is_blank(v) for n, v in zip(read, found.values, strict=False)] or [0]
    )
    notes["counts that cannot be read"] += int(wrong[found.places].sum())
    return read[found.places]


def _laid_out(path: Path, told: _Told, zone: tzinfo, notes: Counter[str]) -> CountTable:
    """Readings on the even grid; of two for one step the later in the file counts."""
    order = np.argsort(told.at_ms, kind="stable")
    sensor, at_ms, count = told.sensor[order], told.at_ms[order], told.people[order]
    step_s = _step(path, sensor, at_ms)
    local = datetime.fromtimestamp(int(at_ms[0]) / 1000, UTC).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    first_ms = round(midnight.timestamp() * 1000)
    step = (at_ms - first_ms) // (step_s * 1000)
    cells = len(told.names) * (int(step[-1]) + 1)
    if cells > CELLS_MAX or len(told.names) > SENSORS_MAX:
        raise _refused(
            path, f"{cells:,} cells are more than {CELLS_MAX:,}", f"{cells:,} 个格子，超过 {CELLS_MAX:,}"
        )
    counts = np.full((len(told.names), int(step[-1]) + 1), np.nan)
    place = sensor * counts.shape[1] + step
    notes["readings for a step that has one already; the later in the file counts"] += len(place) - len(
        np.unique(place)
    )
    notes["readings off the even grid, moved to its step"] += int(
        ((at_ms - first_ms) % (step_s * 1000) != 0).sum()
    )
    counts.reshape(-1)[place] = count
    notes["steps without a reading between the first and last of a sensor"] += _gaps(counts)
    return CountTable(told.names, first_ms, step_s, zone, counts, +notes)


def _step(path: Path, sensor: Ints, at_ms: Ints) -> int:
    """The usual time between two readings of a sensor."""
    by_sensor = np.lexsort((at_ms, sensor))
    apart = np.diff(at_ms[by_sensor])[np.diff(sensor[by_sensor]) == 0]
    apart = apart[apart > 0]
    if not len(apart):
        raise _refused(path, "one instant only", "只有一个时刻")
    lengths, number = np.unique(apart, return_counts=True)
    step_s = round(int(lengths[number.argmax()]) / 1000)
    if not STEP_MIN_S <= step_s <= STEP_MAX_S or DAY_S % step_s:
        raise _refused(
            path,
            f"a reading every {step_s} s; it must be 1 min to 1 h and divide a day evenly",
            f"每 {step_s} 秒一个读数；须为 1 分钟至 1 小时且能整除一天",
        )
    return step_s


def _gaps(counts: Reals) -> int:
    total = 0
    for row in counts:
        known = np.flatnonzero(~np.isnan(row))
        total += int(known[-1] - known[0] + 1 - len(known)) if len(known) else 0
    return total


def _refused(path: Path, en: str, zh: str) -> BadInput:
    return BadInput("file.no_counts", en=f"Cannot use {path}: {en}.", zh=f"无法使用 {path}：{zh}。")
