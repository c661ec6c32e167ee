"""Judging the rows of a file: what can be kept, and why the rest cannot. The rules are those of `ingest`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from anshang.crowds import file_values as values
from anshang.crowds import ingest
from anshang.crowds.carrying import BEYOND_GATE, read_passed_max
from anshang.crowds.file_sensors import sensor_ids_of
from anshang.crowds.file_tables import Piece
from anshang.crowds.model import Observation
from anshang.foundation import clock
from anshang.foundation.database import Database

REASONS = ingest.REASONS | {
    "row.broken": ("The line has more or fewer columns than the head of the file.", "该行列数与表头不一致。"),
    "at.skipped": (
        "The clocks leave this time out: they go from standard to summer time.",
        "该时刻不存在：当地时钟在此时由标准时拨快为夏令时。",
    ),
}
"""Why a row is refused, in both languages."""


@dataclass(slots=True)
class Judged:
    """Rows of one piece: those to keep with their places, and the fault of each (empty for none)."""

    rows: list[tuple[int, Observation]]
    faults: npt.NDArray[np.str_]
    dropped: npt.NDArray[np.bool_]
    repeated_count: int


class Judge:
    """Judges the rows of a file, a piece at a time, in order."""

    def __init__(
        self,
        database: Database,
        district_id: str,
        columns: dict[str, str],
        zone: ZoneInfo | None,
        sensors_file: Path | None,
    ) -> None:
        with database.reading([district_id]) as connection:
            self._passed_max = read_passed_max(connection, district_id)
        self._id_of = sensor_ids_of(self._passed_max, sensors_file)
        self._columns = columns
        self._instants = values.Instants(zone)
        self._latest_ms = clock.to_ms(clock.now()) + ingest.AHEAD_MAX_MS

    def judge(self, piece: Piece) -> Judged:
        """What can be kept of a piece, and why the rest cannot."""
        table, columns = piece.table, self._columns
        named = values.distinct(table[columns["sensor"]])
        labels = values.labels(named) or [""]
        at_ms, at_faults = self._instants.read(values.distinct(table[columns["at"]]), labels, named.places)
        faults = np.zeros(len(at_ms), "<U24")
        ids = [self._id_of(label) for label in labels]
        known = np.array([id in self._passed_max for id in ids], bool)[named.places]
        most = [self._passed_max.get(id) for id in ids]
        is_line = np.array([each is not None for each in most], bool)[named.places]
        passed_max = np.array([each or 0 for each in most], np.int64)[named.places]
        _blame(faults, ~known, "sensor.unknown")
        _blame(faults, at_faults != values.FINE, at_faults)
        _blame(faults, at_ms < ingest.OLDEST_MS, "at.too_old")
        _blame(faults, at_ms > self._latest_ms, "at.future")
        told = {name: self._counts(table, name, faults, len(at_ms)) for name in ("in", "out", "people")}
        of_line = (told["in"] >= 0) & (told["out"] >= 0) & ("people" not in columns or told["people"] < 0)
        of_head = (told["people"] >= 0) & (told["in"] < 0) & (told["out"] < 0)
        _blame(faults, ~np.where(is_line, of_line, of_head), "sensor.wrong_fields")
        _blame(faults, is_line & (told["in"] + told["out"] > passed_max), BEYOND_GATE)
        dropped = np.zeros(len(at_ms), bool)
        if "drop" in columns:
            dropped = values.yes(values.distinct(table[columns["drop"]]))
        places = np.flatnonzero((faults == values.FINE) & ~dropped)
        numbers = (at_ms, *(np.maximum(told[name], 0) for name in ("in", "out")), told["people"])
        chosen = (column[places].tolist() for column in (named.places, *numbers))
        rows = (
            Observation(ids[sensor], at_ms, passed, out, None if people < 0 else people)
            for sensor, at_ms, passed, out, people in zip(*chosen, strict=True)
        )
        return _once(places.tolist(), rows, faults, dropped)

    def _counts(self, table: Any, name: str, faults: npt.NDArray[np.str_], count: int) -> values.Ints:
        """A column of counts, NOTHING where the file has none."""
        if name not in self._columns:
            return np.full(count, values.NOTHING, np.int64)
        numbers, count_faults = values.counts(values.distinct(table[self._columns[name]]))
        _blame(faults, count_faults != values.FINE, count_faults)
        return numbers


def _once(
    places: list[int],
    rows: Iterator[Observation],
    faults: npt.NDArray[np.str_],
    dropped: npt.NDArray[np.bool_],
) -> Judged:
    """Each key once: the first word on it stays."""
    first: dict[tuple[str, int], tuple[int, Observation]] = {}
    repeated_count = 0
    for place, row in zip(places, rows, strict=True):
        held = first.setdefault(row[:2], (place, row))
        if held[0] == place:
            continue
        if held[1] == row:
            repeated_count += 1
        else:
            faults[place] = "observation.differs"
    return Judged(list(first.values()), faults, dropped, repeated_count)


def _blame(
    faults: npt.NDArray[np.str_], where: npt.NDArray[np.bool_], fault: str | npt.NDArray[np.str_]
) -> None:
    """The first fault of a row stays."""
    where = where & (faults == values.FINE)
    faults[where] = fault if isinstance(fault, str) else fault[where]
