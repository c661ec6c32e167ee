"""Counts from files: `anshang crowd import`. Every row is judged as one that is sent; the good ones are kept.

A file that was interrupted goes on where it was: how far it is, is written with the rows themselves. Once
it is through, the same again finds everything there already. Old counts are history: a running engine does
not hear of them.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from anshang.crowds import file_values as values
from anshang.crowds import observations, sealed
from anshang.crowds.file_rows import REASONS, Judge, Judged
from anshang.crowds.file_sensors import define_all
from anshang.crowds.file_tables import FileTable, Piece, find_column, open_table
from anshang.crowds.keeping import keep_rows
from anshang.crowds.model import Observation
from anshang.crowds.telemetry import put_mark, read_mark
from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, StorageFailed
from anshang.foundation.lines import cell

COMMON_NAMES = {
    "sensor": ("sensor", "sensor_id", "counter", "location", "station", "device", "传感器", "计数器"),
    "at": ("at", "timestamp", "datetime", "datetime_utc", "time", "date_time", "时间"),
    "in": ("in", "in_count", "person_in", "people_in", "count_in", "entries", "进"),
    "out": ("out", "out_count", "person_out", "people_out", "count_out", "exits", "出"),
    "people": ("people", "people_count", "count", "occupancy", "persons", "人数"),
}
"""The columns that are found without being told. A name that ends in `_utc` says the zone."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the file does not say itself. Columns left None are found by their common names."""

    sensor_column: str | None = None
    at_column: str | None = None
    in_column: str | None = None
    out_column: str | None = None
    people_column: str | None = None
    drop_when: str | None = None
    """Rows in which this column says yes are left out."""
    time_zone: str | None = None
    """An IANA name, for times without a zone."""
    define_sensors: bool = False
    period_s: float | None = None
    """The time between a sensor's rows; needed to define sensors."""
    sensors_file: Path | None = None
    """A CSV with the columns `sensor` (as in the file), `gate` or `zone`, and `id` if wanted."""
    folder: Path | None = None
    """The sealed counts."""


@dataclass(slots=True)
class ImportReport:
    """What became of a file, in rows; `resumed_count` were read in an earlier, interrupted run."""

    row_count: int = 0
    resumed_count: int = 0
    taken_count: int = 0
    repeated_count: int = 0
    dropped_count: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refused_file: Path | None = None
    defined: dict[str, str] = field(default_factory=dict)
    """The sensors that were defined, each with its gate or zone."""

    @property
    def refused_count(self) -> int:
        """How many rows were refused; `refused` says why, `refused_file` which."""
        return self.refused.total()


def import_file(
    database: Database,
    path: Path,
    *,
    actor: Actor,
    district_id: str,
    options: ImportOptions = ImportOptions(),
    progress: Callable[[float], None] | None = None,
) -> ImportReport:
    """Import a file of counts, one row for each sensor and instant; `progress` is told the share done.

    BadInput when it is no such file. Refused rows are written to `<file>.refused.csv` with their reasons.
    """
    actor.must(Permission.CROWD_CONFIGURE, district_id)
    report = ImportReport()
    zone = zone_named(options.time_zone)
    with closing(open_table(path)) as table:
        columns = _columns(table, options)
        if columns["at"].lower().endswith("_utc"):
            zone = zone or ZoneInfo("UTC")
        told_sensors = options.sensors_file
        if options.define_sensors:
            written = _written_sensors(path, columns["sensor"])
            heads = "in" not in columns
            report.defined = define_all(
                database, actor, district_id, written, told_sensors, options.period_s, heads=heads
            )
        judge = Judge(database, district_id, columns, zone, told_sensors)
        run = _Run(database, district_id, _mark_name(path, options), options.folder, report)
        with closing(_Refused(path, columns, report)) as refused:
            for piece in table.pieces(list(dict.fromkeys(columns.values()))):
                judged, first_row = judge.judge(piece), report.row_count + 1
                run.take(piece, judged)
                refused.add(piece, judged, first_row)
                if progress is not None:
                    progress(piece.share)
        run.finish()
    return report


class _Run:
    """Keeps what is judged good, and how far it is, together; counts what becomes of every row."""

    def __init__(
        self,
        database: Database,
        district_id: str,
        mark: str,
        folder: Path | None,
        report: ImportReport,
    ) -> None:
        self._database, self._district_id, self._mark = database, district_id, mark
        self._folder, self._report = folder, report
        with database.reading([district_id]) as connection:
            self._reached = read_mark(connection, district_id, mark) or 0

    def take(self, piece: Piece, judged: Judged) -> None:
        """Keep the good rows of a piece, unless an earlier run did."""
        report = self._report
        report.row_count += piece.table.num_rows + len(piece.broken)
        report.dropped_count += int(judged.dropped.sum())
        report.repeated_count += judged.repeated_count
        if report.row_count <= self._reached:
            report.resumed_count += len(judged.rows)
            return
        place_of = {row[:2]: place for place, row in judged.rows}
        rows, differing = sealed.set_apart(self._folder, self._district_id, [row for _, row in judged.rows])
        added = self._keep(rows, report.row_count)
        for row in (*differing, *added.differing):
            judged.faults[place_of[row[:2]]] = "observation.differs"
        report.taken_count += len(added.fresh)
        report.repeated_count += len(judged.rows) - len(added.fresh) - len(differing) - len(added.differing)

    def finish(self) -> None:
        """The file is through: the next run begins anew."""
        self._database.bulk(
            self._district_id, lambda connection: put_mark(connection, self._district_id, self._mark, 0)
        )

    def _keep(self, rows: list[Observation], reached: int) -> observations.Added:
        """Keep the rows, and how far the file was read, together."""
        now_ms = clock.to_ms(clock.now())
        mark = partial(put_mark, district_id=self._district_id, name=self._mark, reached=reached)
        return keep_rows(self._database, self._district_id, rows, now_ms, mark)


class _Refused:
    """The file of refused rows, made when there is one: beside the file, or else in the current folder."""

    def __init__(self, path: Path, columns: dict[str, str], report: ImportReport) -> None:
        self._name = f"{path.name}.refused.csv"
        self._folders = (path.parent, Path.cwd())
        self._columns, self._report = columns, report
        self._file: IO[str] | None = None

    def add(self, piece: Piece, judged: Judged, first_row: int) -> None:
        """Write the rows of a piece that were refused, and count them."""
        places = np.flatnonzero((judged.faults != values.FINE) & ~judged.dropped)
        chosen = piece.table.select([self._columns[name] for name in self._columns if name != "drop"])
        told = [[_text(value.as_py()) for value in column] for column in chosen.take(places).columns]
        for place, *row in zip(places.tolist(), *told, strict=True):
            self._write(str(first_row + place), str(judged.faults[place]), row)
        for line in piece.broken:
            self._write("", "row.broken", [line])

    def close(self) -> None:
        """Put it on disk."""
        if self._file is not None:
            with _to_disk():
                self._file.close()

    def _write(self, row: str, fault: str, told: Sequence[str]) -> None:
        self._report.refused[fault] += 1
        if self._file is None:
            self._file = self._open()
            names = [name for name in self._columns if name != "drop"]
            csv.writer(self._file).writerow(["row", "error", "en", "zh", *map(cell, names)])
        with _to_disk():
            csv.writer(self._file).writerow([row, fault, *REASONS[fault], *map(cell, told)])

    def _open(self) -> IO[str]:
        for folder in self._folders:
            with suppress(OSError):
                opened = (folder / self._name).open("w", encoding="utf-8-sig", newline="")
                self._report.refused_file = folder / self._name
                return opened
        raise BadInput(
            "import.nowhere",
            en=f"Rows were refused, but {self._name} cannot be written here nor beside the file.",
            zh=f"有行被拒绝，但无法在此处或文件旁写入 {self._name}。",
        )


@contextmanager
def _to_disk() -> Iterator[None]:
    """Say in words when refused rows cannot be written down."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(
            "import.not_written",
            en=f"Refused rows cannot be written: {error.strerror}. What was taken so far is kept.",
            zh=f"无法写入被拒绝的行：{error.strerror}。此前已接收的数据已保存。",
        ) from error


def _columns(table: FileTable, options: ImportOptions) -> dict[str, str]:
    """The file's columns by what they mean; BadInput when it lacks what a count needs."""
    told = {
        "sensor": options.sensor_column,
        "at": options.at_column,
        "in": options.in_column,
        "out": options.out_column,
        "people": options.people_column,
    }
    found = {name: find_column(table.names, told[name], COMMON_NAMES[name], name) for name in told}
    found["drop"] = find_column(table.names, options.drop_when, (), "drop")
    columns = {name: column for name, column in found.items() if column is not None}
    counts = {"in", "out"} <= columns.keys() or "people" in columns
    if not (counts and {"sensor", "at"} <= columns.keys()):
        missing = [name for name in ("sensor", "at") if name not in columns] + (
            [] if counts else ["in/out | people"]
        )
        listed = ", ".join(table.names)[:300]
        raise BadInput(
            "file.columns_missing",
            en=f"Cannot tell the columns for {', '.join(missing)}; there are: {listed}. Use --…-column.",
            zh=f"无法识别 {'、'.join(missing)} 对应的列；现有列：{listed}。请用 --…-column 指定。",
        )
    return columns


def _written_sensors(path: Path, column: str) -> set[str]:
    """The names that the sensor column holds."""
    with closing(open_table(path)) as table:
        pieces = table.pieces([column])
        return {
            label
            for piece in pieces
            for label in values.labels(values.distinct(piece.table[column]))
            if label
        }


def zone_named(name: str | None) -> ZoneInfo | None:
    """The IANA zone of a name, None for none; BadInput when there is none of that name."""
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            "time_zone.unknown",
            en=f"“{name}” is no time zone; say for example Asia/Shanghai.",
            zh=f"“{name}”不是有效时区；例如 Asia/Shanghai。",
        ) from None


def _mark_name(path: Path, options: ImportOptions) -> str:
    """The mark of this very file read in this very way."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr(options).encode())
    return f"import {digest.hexdigest()}"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)
