"""Planned events from files: a table (name, start, end, perhaps expected) or an iCalendar file."""

from __future__ import annotations

import math
from contextlib import closing
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import icalendar

from anshang.crowds.file_tables import find_column, open_table
from anshang.crowds.file_values import amount_of, rows, written_instant
from anshang.crowds.model import PlannedEvent
from anshang.foundation.errors import BadInput

ICALENDAR = b"BEGIN:VCALENDAR"
COLUMNS = {
    "name": ("name", "event", "title", "summary", "名称", "活动"),
    "start": ("start", "start_at", "from", "begin", "date", "开始"),
    "end": ("end", "end_at", "to", "until", "结束"),
    "expected": ("expected", "expected_count", "people", "attendance", "人数"),
}


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
        told = rows(table, wanted)
    found = []
    for line, row in enumerate(told, 2):
        begins, ends = (_instant(row.get(each), zone) if each else None for each in (start, end))
        if begins is None:
            raise _unusable(path, f"line {line} has no time", f"第 {line} 行没有时间")
        amount = amount_of(row.get(expected)) if expected else float("nan")
        title = str(row.get(name) or "event") if name else "event"
        found.append(PlannedEvent(title, begins, ends or begins, None if math.isnan(amount) else int(amount)))
    return found


def _instant(told: Any, zone: tzinfo) -> datetime | None:
    if isinstance(told, str) and len(told.strip()) == len("2024-12-31"):
        told += "T00:00"
    at = written_instant(told) if isinstance(told, str) else told
    return None if at is None else _at(at, zone)


def _at(told: date | datetime, zone: tzinfo) -> datetime:
    """An instant; a bare day begins at its local midnight, a bare time is local."""
    at = told if isinstance(told, datetime) else datetime(told.year, told.month, told.day)  # noqa: DTZ001 - below
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _unusable(path: Path, en: str, zh: str) -> BadInput:
    name = path.name
    return BadInput("events.unreadable", en=f"Cannot use {name}: {en}.", zh=f"无法使用 {name}：{zh}。")
