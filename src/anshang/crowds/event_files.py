"""Planned events from files: a table (name, start, end, perhaps expected) or an iCalendar file.

One event that cannot be read costs no other; what is left out is returned with its reason.
"""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from anshang.crowds.event_calendar import CalendarReader, Window, moment
from anshang.crowds.file_tables import find_column, open_table
from anshang.crowds.file_values import amount_of, rows, written_instant
from anshang.crowds.model import EventLeftOut, PlannedEvent
from anshang.foundation import clock
from anshang.foundation.errors import BadInput

ICALENDAR = b"BEGIN:VCALENDAR"
COLUMNS = {
    "name": ("name", "event", "title", "summary", "名称", "活动"),
    "start": ("start", "start_at", "from", "begin", "date", "开始"),
    "end": ("end", "end_at", "to", "until", "结束"),
    "expected": ("expected", "expected_count", "people", "attendance", "人数"),
}


BACK, AHEAD = timedelta(days=400), timedelta(days=400)
"""Where series are expanded, from now."""
EVENTS_MOST = 10_000
"""Of one file."""


@dataclass(frozen=True, slots=True)
class FileOfEvents:
    """What a file plans, and what was left out of it."""

    events: list[PlannedEvent]
    left_out: list[EventLeftOut]


def read_events(path: Path, zone: tzinfo, window: Window | None = None) -> FileOfEvents:
    """The events of a table (name, start, end, perhaps expected) or an iCalendar file.

    `window` (400 days to both sides of now) is where repeating events are expanded. BadInput when nothing in
    the file can be used.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(path, str(error.strerror), str(error.strerror)) from None
    if content[:200].lstrip(b"\xef\xbb\xbf \r\n").startswith(ICALENDAR):
        file = _of_calendar(path, content, zone, window or (clock.now() - BACK, clock.now() + AHEAD))
    else:
        file = _of_table(path, zone)
    if file.left_out and not file.events:
        first = file.left_out[0]
        raise _unusable(
            path, f"{first.name}: {first.en.rstrip('.')}", f"{first.name}：{first.zh.rstrip('。')}"
        )
    if not file.events:
        raise _unusable(path, "it holds no event", "其中没有活动")
    if (over := len(file.events) - EVENTS_MOST) > 0:
        file.left_out.append(
            EventLeftOut(
                file.events[EVENTS_MOST].name,
                f"The file has {over} dates more than the {EVENTS_MOST} that are read.",
                f"文件超出上限 {EVENTS_MOST} 项，其后的 {over} 项未读入。",
            )
        )
    return FileOfEvents(file.events[:EVENTS_MOST], file.left_out)


def _of_calendar(path: Path, content: bytes, zone: tzinfo, window: Window) -> FileOfEvents:
    try:
        reader = CalendarReader(content, zone, window)
    except ValueError:
        raise _unusable(path, "it is not a whole iCalendar file", "不是完整的 iCalendar 文件") from None
    return FileOfEvents(reader.events, reader.left_out)


def _of_table(path: Path, zone: tzinfo) -> FileOfEvents:
    with closing(open_table(path)) as table:
        columns = {key: find_column(table.names, None, names, key) for key, names in COLUMNS.items()}
        name, start, end, expected = (columns[key] for key in COLUMNS)
        if start is None:
            raise _unusable(path, "no column “start” or “date”", "没有 start 或 date 列")
        wanted = [each for each in (name, start, end, expected) if each is not None]
        lines = rows(table, wanted)
    file = FileOfEvents([], [])
    for line, row in enumerate(lines, 2):
        title = str(row.get(name) or "event") if name else "event"
        begins, ends = (_instant(row.get(each), zone) if each else None for each in (start, end))
        if begins is None:
            file.left_out.append(
                EventLeftOut(
                    title, f"Line {line} has no time that can be read.", f"第 {line} 行没有可读的时间。"
                )
            )
            continue
        amount = amount_of(row.get(expected)) if expected else float("nan")
        file.events.append(
            PlannedEvent(title, begins, ends or begins, None if math.isnan(amount) else int(amount))
        )
    return file


def _instant(told: Any, zone: tzinfo) -> datetime | None:
    if isinstance(told, str) and len(told.strip()) == len("2024-12-31"):
        told += "T00:00"
    at = written_instant(told) if isinstance(told, str) else told
    return None if at is None else moment(at, zone)


def _unusable(path: Path, en: str, zh: str) -> BadInput:
    name = path.name
    return BadInput("events.unreadable", en=f"Cannot use {name}: {en}.", zh=f"无法使用 {name}：{zh}。")
