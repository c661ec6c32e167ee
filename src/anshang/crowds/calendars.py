"""What kind of day each day is: public holidays with their make-up working days, and planned events.

Holidays are those of a country in the package `holidays`; a country it does not know is refused. Events
come from a table or an iCalendar file. Nothing here is of the past: whatever is in the calendar was known
beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import holidays
import icalendar
import numpy as np

from anshang.crowds.file_tables import find_column, open_table
from anshang.crowds.file_values import amount_of, written_instant
from anshang.foundation.errors import BadInput
from anshang.kernels.daygrid import PLAIN, DayGrid, Ints

SATURDAY = 5

DAYS_AHEAD = 9
ICALENDAR = b"BEGIN:VCALENDAR"
COLUMNS = {
    "name": ("name", "event", "title", "summary", "名称", "活动"),
    "start": ("start", "start_at", "from", "begin", "date", "开始"),
    "end": ("end", "end_at", "to", "until", "结束"),
    "expected": ("expected", "expected_count", "people", "attendance", "人数"),
}


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """Something that draws people: the same kind bears the same name each time."""

    name: str
    start_at: datetime
    end_at: datetime
    expected_count: int | None = None


def day_grid(
    first_at_ms: int,
    steps: int,
    step_s: int,
    zone: tzinfo,
    *,
    country: str | None = None,
    events: Iterable[PlannedEvent] = (),
) -> DayGrid:
    """The grid of `steps` steps from an instant on, with DAYS_AHEAD days after them."""
    local_s = _local_seconds(first_at_ms // 1000, steps, step_s, zone)
    first = date(1970, 1, 1) + timedelta(days=int(local_s[0] // 86_400))
    day = local_s // 86_400 - local_s[0] // 86_400
    days = [first + timedelta(days=each) for each in range(int(day[-1]) + 1 + DAYS_AHEAD)]
    named, working = _holidays(country, days)
    special = {each: name for each, name in named.items()}
    for event in events:
        start_on, end_on = (at.astimezone(zone).date() for at in (event.start_at, event.end_at))
        for after in range((end_on - start_on).days + 1):
            special[start_on + timedelta(days=after)] = event.name
    number = {name: place for place, name in enumerate(sorted(set(special.values())), PLAIN + 1)}
    weekday = np.array([each.weekday() for each in days], np.int64)
    holiday = np.array([each in named for each in days], bool)
    return DayGrid(
        step_s=step_s,
        day=day,
        slot=(local_s % 86_400) // step_s,
        weekday=weekday,
        free=holiday | ((weekday >= SATURDAY) & np.array([each not in working for each in days], bool)),
        holiday=holiday,
        special=np.array([number.get(special.get(each, ""), PLAIN) for each in days], np.int64),
        season=np.array([each.timetuple().tm_yday for each in days], np.int64),
    )


def _local_seconds(first_s: int, steps: int, step_s: int, zone: tzinfo) -> Ints:
    """The wall clock of each step, as seconds since 1970 of a clock without a zone."""
    at_s = first_s + np.arange(steps, dtype=np.int64) * step_s
    hours, place = np.unique(at_s // 900, return_inverse=True)  # offsets change on the quarter hour at most
    offsets = [
        datetime.fromtimestamp(int(hour) * 900, UTC).astimezone(zone).utcoffset() or timedelta()
        for hour in hours
    ]
    return at_s + np.array([round(each.total_seconds()) for each in offsets], np.int64)[place]


def _holidays(country: str | None, days: list[date]) -> tuple[dict[date, str], set[date]]:
    """Public holidays by day with their names, and the weekend days worked in return."""
    if not country:
        return {}, set()
    code, _, region = country.upper().partition("-")
    years = range(days[0].year, days[-1].year + 1)
    try:
        found: Any = holidays.country_holidays(code, subdiv=region or None, years=years)
    except (NotImplementedError, KeyError):
        raise BadInput(
            "calendar.unknown_country",
            en=f"No holidays are known for “{country}”; say a code as CN, NZ or CH-ZH.",
            zh=f"没有“{country}”的节假日；请用 CN、NZ 或 CH-ZH 这样的代码。",
        ) from None
    wanted = set(days)
    working = set(getattr(found, "weekend_workdays", ()) or ())
    return {each: str(name) for each, name in found.items() if each in wanted}, working


def read_events(path: Path, zone: tzinfo) -> list[PlannedEvent]:
    """Planned events from a table (name, start, end, perhaps expected) or an iCalendar file."""
    try:
        is_calendar = path.read_bytes()[:200].lstrip(b"\xef\xbb\xbf \r\n").startswith(ICALENDAR)
    except OSError as error:
        raise _unusable(path, str(error.strerror), str(error.strerror)) from None
    return _of_calendar(path, zone) if is_calendar else _of_table(path, zone)


def _of_calendar(path: Path, zone: tzinfo) -> list[PlannedEvent]:
    try:
        calendar = icalendar.Calendar.from_ical(path.read_bytes())
    except ValueError as error:
        raise _unusable(path, str(error)[:200], str(error)[:200]) from None
    found = []
    for each in calendar.walk("VEVENT"):
        start = each.get("DTSTART")
        if start is None:
            continue
        end = each.get("DTEND") or start
        start_at, end_at = _at(start.dt, zone), _at(end.dt, zone)
        if not isinstance(end.dt, datetime) and end is not start:
            end_at -= timedelta(seconds=1)  # a whole day ends where the next begins
        found.append(PlannedEvent(str(each.get("SUMMARY", "event")), start_at, max(start_at, end_at)))
    return found


def _of_table(path: Path, zone: tzinfo) -> list[PlannedEvent]:
    with closing(open_table(path)) as table:
        columns = {key: find_column(table.names, None, names, key) for key, names in COLUMNS.items()}
        name, start, end, expected = (columns[key] for key in COLUMNS)
        if start is None:
            raise _unusable(path, "no column “start” or “date”", "没有 start 或 date 列")
        wanted = [each for each in (name, start, end, expected) if each is not None]
        rows = [row for piece in table.pieces(wanted) for row in piece.table.to_pylist()]
    found = []
    for line, row in enumerate(rows, 2):
        begins, ends = (_instant(row.get(each), zone) if each else None for each in (start, end))
        if begins is None:
            raise _unusable(path, f"line {line} has no time", f"第 {line} 行没有时间")
        amount = amount_of(_text(row.get(expected))) if expected else float("nan")
        title = str(_text(row.get(name)) or "event") if name else "event"
        found.append(PlannedEvent(title, begins, ends or begins, None if math.isnan(amount) else int(amount)))
    return found


def _text(told: Any) -> Any:
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else told


def _instant(told: Any, zone: tzinfo) -> datetime | None:
    told = _text(told)
    if isinstance(told, str) and len(told.strip()) == len("2024-12-31"):
        told += "T00:00"
    at = written_instant(told) if isinstance(told, str) else told
    return None if at is None else _at(at, zone)


def _at(told: date | datetime, zone: tzinfo) -> datetime:
    """An instant; a bare day begins at its local midnight, a bare time is local."""
    at = told if isinstance(told, datetime) else datetime(told.year, told.month, told.day)  # noqa: DTZ001 - below
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _unusable(path: Path, en: str, zh: str) -> BadInput:
    return BadInput("events.unreadable", en=f"Cannot use {path}: {en}.", zh=f"无法使用 {path}：{zh}。")
