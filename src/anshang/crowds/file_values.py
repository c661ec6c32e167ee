"""Written values as numbers: counts, instants in a zone with its changes of clocks, yes and no.

Columns hold few distinct values, so each is read once and the rest is numpy. A value that cannot be read
becomes a fault, a code of the reasons; nothing is guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anshang.crowds.carrying import COUNT_MAX
from anshang.crowds.file_tables import FileTable
from anshang.foundation.errors import BadInput

Ints = npt.NDArray[np.int64]

NOTHING = -1
FINE = ""
MEMORY_MAX = 1_000_000
"""Distinct values remembered from piece to piece."""
ROWS_MOST = 20_000
"""Of a small file."""
_BLANK = {"", "nan", "na", "n/a", "null", "none", "-"}
_YES = {"true", "t", "yes", "y", "1", "1.0", "是"}
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(\.0*)?")
_EPOCH = re.compile(r"[0-9]{10}([0-9]{3})?")
_FORMS = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M")
"""Written besides ISO 8601: by spreadsheets in China, and in Central Europe."""


class Instant(NamedTuple):
    """Milliseconds since 1970; in an hour that the clocks repeat those of its second time, too; the fault."""

    at_ms: int
    again_ms: int = 0
    fault: str = FINE


class Distinct(NamedTuple):
    """A column as its distinct values, and the place of each row's value among them."""

    values: list[Any]
    places: Ints


def distinct(column: pa.ChunkedArray) -> Distinct:
    """A column's distinct values; bytes become text, null becomes None."""
    if pa.types.is_nested(column.type):
        raise BadInput(
            "file.bad_column",
            en=f"A column holds {column.type}, not values.",
            zh=f"某列为 {column.type}，不是单值。",
        )
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    encoded = column.combine_chunks()
    encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    encoded = encoded.dictionary_encode("encode")
    values = [_plain(value) for value in encoded.dictionary]
    return Distinct(values, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))


def _plain(value: pa.Scalar) -> Any:
    """A value as Python has it; a time that Python cannot hold as text."""
    try:
        plain = value.as_py()
    except (ValueError, OverflowError):
        return str(value.value)
    return plain.decode("utf-8", "replace") if isinstance(plain, bytes) else plain


def rows(table: FileTable, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a small file as Python has their values; BadInput with more than ROWS_MOST."""
    found: list[dict[str, Any]] = []
    for piece in table.pieces(columns):
        if len(found) + piece.table.num_rows > ROWS_MOST:
            raise BadInput(
                "file.too_long",
                en=f"At most {ROWS_MOST:,} rows at once.",
                zh=f"一次最多 {ROWS_MOST} 行。",
            )
        found += [
            {name: _plain(value) for name, value in zip(columns, values, strict=True)}
            for values in zip(*(piece.table[name] for name in columns), strict=True)
        ]
    return found


def labels(column: Distinct) -> list[str]:
    """Names as text, empty for null."""
    return ["" if value is None else str(value).strip() for value in column.values]


def counts(column: Distinct) -> tuple[Ints, npt.NDArray[np.str_]]:
    """Counts, NOTHING where there is none, and the fault of each row."""
    read = [count_of(value) for value in column.values] or [0]
    numbers = np.array([NOTHING if not isinstance(each, int) else each for each in read], np.int64)
    faults = np.array([each if isinstance(each, str) else FINE for each in read], np.str_)
    return numbers[column.places], faults[column.places]


def yes(column: Distinct) -> npt.NDArray[np.bool_]:
    """Whether each row says yes: true, 1, y, yes."""
    read = [value is not None and str(value).strip().lower() in _YES for value in column.values] or [False]
    return np.array(read, bool)[column.places]


def count_of(told: Any) -> int | str | None:
    """A count, None when nothing is told, or the fault."""
    number = _number(told) if isinstance(told, str) else told
    if number is None or (
        isinstance(number, float) and math.isnan(number)
    ):  # a data frame's way to say nothing
        return None
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return "count.malformed"
    if not 0 <= number <= COUNT_MAX:
        return "count.impossible"
    return int(number) if number == int(number) else "count.malformed"


def is_blank(told: Any) -> bool:
    """Whether a value says nothing."""
    return (
        told is None
        or (isinstance(told, float) and math.isnan(told))
        or (isinstance(told, str) and told.strip().lower() in _BLANK)
    )


def amount_of(told: Any) -> float:
    """A count that need not be whole, as averages are; NaN when it is none."""
    number = _number(told) if isinstance(told, str) else told
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return math.nan
    return float(number) if 0 <= number <= COUNT_MAX else math.nan


def _number(text: str) -> int | float | str | None:
    """What a text says as a number, None when it says nothing, the text itself when it is no number."""
    text = text.strip()
    if text.lower() in _BLANK:
        return None
    if _WHOLE.fullmatch(text):
        return int(text.partition(".")[0])
    try:
        return float(text)
    except ValueError:
        return text


class Instants:
    """Reads instants; those that bear no zone are in `zone`. Which of two repeated hours, the order tells."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._known: dict[Any, Instant] = {}
        self._passing: dict[str, _Passage] = {}

    def read(self, column: Distinct, sensors: list[str], sensor: Ints) -> tuple[Ints, npt.NDArray[np.str_]]:
        """Milliseconds since 1970 and the fault of each row, in the order of the file."""
        if len(self._known) > MEMORY_MAX:
            self._known.clear()
        read = [self._read(value) for value in column.values] or [Instant(0)]
        at_ms = np.array([each.at_ms for each in read], np.int64)[column.places]
        again_ms = np.array([each.again_ms for each in read], np.int64)[column.places]
        faults = np.array([each.fault for each in read], np.str_)[column.places]
        for row in np.flatnonzero(again_ms).tolist():
            passage = self._passing.setdefault(sensors[sensor[row]], _Passage())
            if passage.is_second(int(at_ms[row])):
                at_ms[row] = again_ms[row]
        return at_ms, faults

    def _read(self, told: Any) -> Instant:
        known = self._known.get(told)
        if known is None:
            known = self._known[told] = self._instant(told)
        return known

    def _instant(self, told: Any) -> Instant:
        at = written_instant(told)
        if at is None:
            return Instant(0, fault="at.malformed")
        if at.tzinfo is not None:
            return Instant(_ms(at))
        if self._zone is None:
            raise BadInput(
                "file.no_time_zone",
                en=f"“{told}” bears no time zone; say --time-zone, for example Asia/Shanghai.",
                zh=f"“{told}”没有时区；请用 --time-zone 指定，例如 Asia/Shanghai。",
            )
        first_ms, second_ms = (_ms(at.replace(tzinfo=self._zone, fold=fold)) for fold in (0, 1))
        if first_ms > second_ms:  # an hour that the clocks leave out
            return Instant(0, fault="at.skipped")
        return Instant(first_ms, second_ms if second_ms > first_ms else 0)


class _Passage:
    """How far one sensor is within an hour that the clocks repeat."""

    def __init__(self) -> None:
        self._last_ms = 0
        self._seen_ms: set[int] = set()
        self._second = False

    def is_second(self, first_ms: int) -> bool:
        """Whether this is the second time round: a time went back in the file, or comes twice."""
        if abs(first_ms - self._last_ms) > 2 * 3_600_000:
            self._seen_ms, self._second = set(), False
        elif first_ms < self._last_ms:
            self._second = True
        second = self._second or first_ms in self._seen_ms
        self._seen_ms.add(first_ms)
        self._last_ms = first_ms
        return second


def written_instant(told: Any) -> datetime | None:
    """A datetime, perhaps without a zone, from ISO 8601, (milli)seconds since 1970, or a usual form."""
    if isinstance(told, datetime):
        return told
    if isinstance(told, bool) or not isinstance(told, str | int):
        return None
    text = str(told).strip()
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)
    readers: list[Callable[[str], datetime]] = [datetime.fromisoformat] if len(text) > 10 else []
    readers += [partial(_in_form, form=form) for form in _FORMS]
    for read in readers:
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _in_form(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)  # noqa: DTZ007 - its zone is told apart


def _ms(at: datetime) -> int:
    """Milliseconds since 1970; before that 0, which is too old anyway."""
    return round(at.timestamp() * 1000) if at.year >= 1970 else 0
