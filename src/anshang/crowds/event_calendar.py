"""Planned events from an iCalendar file (RFC 5545): series are expanded, moved and cancelled dates respected.

Each event is read on its own, so that one that cannot be read costs no other; what is left out says why. The
work is bounded: a rule may have DATES_MOST dates up to the end of the window, and once the series of a file
have cost CPU_S_MOST the others are left out. (A rule without any date is tried up to the year 9999, for 3 s.)
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice, takewhile
from math import prod
from typing import Any

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

from anshang.crowds.model import EventLeftOut, PlannedEvent

Window = tuple[datetime, datetime]
"""Where series are expanded: from and to, aware."""
LOOK_ON = timedelta(days=366)
"""How far beyond the window a series is followed, to say that it goes on."""
CPU_S_MOST = 6.0
DATES_MOST = 50_000
"""Of a rule: a date on each day since 1890."""
A_DAY_MOST = 24
"""Dates that a series may have on one day."""
_PERIODS = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_SERIES = {"RRULE", "RDATE", "RECURRENCE-ID"}
_BROKEN = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""What the libraries raise for a property that is not what it should be."""


class _Unusable(ValueError):
    """An event that cannot be entered, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


class CalendarReader:
    """Reads one file: `events` are what it plans, `left_out` what was left out and why.

    Times without a zone are those of `zone`. ValueError when the content is no calendar.
    """

    def __init__(self, content: bytes, zone: tzinfo, window: Window) -> None:
        self.events: list[PlannedEvent] = []
        self.left_out: list[EventLeftOut] = []
        self._zone, self._window = zone, window
        self._cpu_s_left = CPU_S_MOST
        for calendar, components in _groups(content):
            self._read(calendar, components)

    def _read(self, calendar: Any, components: list[Any]) -> None:
        name = _name(components[0])
        try:
            _check_calendar(calendar)
            is_series = any(key in each for each in components for key in _SERIES)
            for each in self._dates(calendar, components, name) if is_series else components:
                self._take(each)
        except _Unusable as reason:
            self._leave_out(name, reason)
        except _BROKEN:
            self._leave_out(name, _unreadable())

    def _take(self, component: Any) -> None:
        try:
            if str(component.get("STATUS", "")).upper() == "CANCELLED":
                raise _cancelled()
            start, end = _span(component)
        except _Unusable as reason:
            self._leave_out(_name(component), reason)
            return
        start_at, end_at = moment(start, self._zone), moment(end, self._zone)
        if not isinstance(end, datetime):
            end_at -= timedelta(seconds=1)  # a whole day ends where the next begins
        self.events.append(PlannedEvent(_name(component), start_at, max(start_at, end_at)))

    def _leave_out(self, name: str, reason: _Unusable) -> None:
        self.left_out.append(EventLeftOut(name, reason.en, reason.zh))

    def _dates(self, calendar: Any, components: list[Any], name: str) -> list[Any]:
        """The dates of a series within the window, each with its own start and end."""
        from_at, to_at = self._window
        if self._cpu_s_left < 0:
            raise _Unusable(
                "The file repeats too much to read all of it.", "文件中的重复活动过多，未能全部读入。"
            )
        began_s = time.thread_time()
        try:
            dates = _expanded(calendar, components, from_at, to_at + LOOK_ON)
        finally:
            self._cpu_s_left -= time.thread_time() - began_s
        within = [each for each in dates if moment(each["DTSTART"].dt, self._zone) < to_at]
        if len(within) < len(dates):
            day = to_at.date().isoformat()
            goes_on = _Unusable(
                f"It goes on after {day}; read the calendar again for the dates after that.",
                f"该活动在 {day} 之后仍会重复；之后的日期请届时重新导入日历。",
            )
            self._leave_out(name, goes_on)
        return within


def _groups(content: bytes) -> Iterator[tuple[Any, list[Any]]]:
    """The calendars of a file, and in each the components of one event: a series and its changed dates."""
    calendars = icalendar.Calendar.from_ical(content, multiple=True)
    if not calendars:
        raise ValueError("it holds no calendar")
    for calendar in calendars:
        groups: dict[object, list[Any]] = defaultdict(list)
        for number, component in enumerate(calendar.walk("VEVENT")):
            groups[str(component.get("UID") or number)].append(component)
        for components in groups.values():
            yield calendar, components


def _check_calendar(calendar: Any) -> None:
    if str(calendar.get("METHOD", "")).upper() == "CANCEL":
        raise _cancelled()


def _cancelled() -> _Unusable:
    return _Unusable(
        "Cancelled in the calendar; withdraw it here if it was entered before.",
        "日历中已取消；如先前已录入，请在此撤销。",
    )


def _list(component: Any, key: str) -> list[Any]:
    value = component.get(key)
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(component: Any) -> str:
    return next((str(name).strip() for name in _list(component, "SUMMARY")), "") or "event"


def _span(component: Any) -> tuple[date, date]:
    """The start and end; of an event without an end its day, or no time at all when it begins at an hour."""
    start = _value(component, "DTSTART", date, ("Its start cannot be read.", "开始时间无法读取。"))
    if start is None:
        raise _Unusable("Its start is missing.", "缺少开始时间。")
    end = _value(component, "DTEND", date, ("Its end cannot be read.", "结束时间无法读取。"))
    if end is None:
        words = ("Its duration cannot be read.", "持续时间无法读取。")
        end = start + (_value(component, "DURATION", timedelta, words) or timedelta())
    if not isinstance(start, datetime) and not isinstance(end, datetime):
        end = max(end, start + timedelta(days=1))
    return start, end


def _value(component: Any, key: str, kind: type[Any], words: tuple[str, str]) -> Any:
    for value in _list(component, key)[:1]:
        try:
            found = value.dt
        except _BROKEN:
            found = None
        if not isinstance(found, kind):
            raise _Unusable(*words)
        return found
    return None


def _expanded(calendar: Any, components: list[Any], from_at: datetime, last_at: datetime) -> list[Any]:
    """The dates of a series from one instant to another."""
    alone = icalendar.Calendar({key: calendar[key] for key in ("X-WR-TIMEZONE",) if key in calendar})
    for component in components:
        if "EXRULE" in component:
            raise _Unusable("It has a rule of exceptions (EXRULE): not supported.", "不支持例外规则 EXRULE。")
        start, _ = _span(component)
        for rule in _list(component, "RRULE"):
            _check_rule(rule, _day(start), last_at.date())
            _end_rule(rule, start, last_at)
        component.subcomponents = []  # alarms would be copied to each date
        alone.add_component(component)
    dates: list[Any] = recurring_ical_events.of(alone).between(from_at, last_at)
    return dates


def _check_rule(rule: Any, start_on: date, last_on: date) -> None:
    times = prod(len(_list(rule, key)) or 1 for key in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    period = str(rule["FREQ"][0]).upper()
    if period in {"SECONDLY", "MINUTELY", "HOURLY"} or times > A_DAY_MOST:
        raise _Unusable("It repeats more than once a day, too often to plan.", "一天内重复过多，无法录入。")
    if period not in _PERIODS or any(interval < 1 for interval in _list(rule, "INTERVAL")):
        raise _unreadable()
    if (last_on - start_on).days * times > DATES_MOST:
        raise _Unusable("It began too long ago to follow.", "重复开始的时间过早，无法推算。")


def _end_rule(rule: Any, start: date, last_at: datetime) -> None:
    """End a rule at the last instant at the latest; a COUNT becomes the UNTIL that it means.

    (With both, or with COUNT alone, a rule could not be stopped at an instant.)
    """
    count = rule.pop("COUNT", [None])[0]
    ends = [_day(until) for until in _list(rule, "UNTIL")]
    if not ends or ends[0] > last_at.date():
        rule["UNTIL"] = [_like(start, last_at)]
    plain = icalendar.vRecur({key: value for key, value in rule.items() if key != "UNTIL"})
    first = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)  # noqa: DTZ001
    until = last_at.replace(tzinfo=None) if first.tzinfo is None else last_at
    text: bytes = plain.to_ical()  # type: ignore[no-untyped-call]
    dates = takewhile(lambda at: at <= until, rrulestr(text.decode(), dtstart=first))
    known = list(islice(dates, 1 if count is None else max(count, 1)))
    if not known:
        raise _Unusable("Its repetition gives no date.", "重复规则不产生任何日期。")
    if count is not None:
        rule["UNTIL"] = [_like(start, known[-1])]


def _unreadable() -> _Unusable:
    return _Unusable("Its repetition cannot be read.", "重复规则无法读取。")


def _day(at: date) -> date:
    return at.date() if isinstance(at, datetime) else at


def _like(start: date, at: datetime) -> date:
    """An instant as UNTIL must be: of the same sort as the start."""
    if not isinstance(start, datetime):
        return at.date()
    return at.replace(tzinfo=None) if start.tzinfo is None else at.astimezone(UTC)


def moment(told: date | datetime, zone: tzinfo) -> datetime:
    """An instant; a bare day begins at its local midnight, a bare time is local."""
    at = told if isinstance(told, datetime) else datetime(told.year, told.month, told.day)  # noqa: DTZ001 - below
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)
