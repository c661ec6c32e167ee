"""What alarms a district had, and what became of them: too many at once, and those that nobody needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from anshang.matters.model import Matter

WINDOW = timedelta(minutes=10)
BUDGET_COUNT, FLOOD_COUNT = 1, 10
"""Alarms that one operator can answer in a window; more than the second are a flood (ISA-18.2:
one in ten minutes is acceptable, more than ten are a flood)."""
USELESS_COUNT, USELESS_SHARE = 3, 0.5
"""From so many on, and when so large a part was never answered, an alarm of one place is called useless."""


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """Alarms of one sort at one place: how many, how many a person answered, how many ended with no answer,
    how long they lasted (s, the middle one), and whether they are useless as they are.
    """

    subject: str
    zone_id: str | None
    count: int
    answered: int
    unneeded: int
    lasted_s: float | None
    useless: bool


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """The alarms of a span; how many windows had more than one operator's budget, and how many a flood."""

    count: int
    over_budget: int
    floods: int
    lines: tuple[AlarmLine, ...]


def record_of(alarms: Sequence[Matter]) -> AlarmRecord:
    """The record of alarms; drills are left out."""
    real = [alarm for alarm in alarms if not alarm.drill]
    windows = Counter(alarm.opened_at.timestamp() // WINDOW.total_seconds() for alarm in real)
    groups: dict[tuple[str, str | None], list[Matter]] = {}
    for alarm in real:
        groups.setdefault((alarm.subject, alarm.zone_id), []).append(alarm)
    lines = [_line(*key, each) for key, each in groups.items()]
    return AlarmRecord(
        len(real),
        sum(count > BUDGET_COUNT for count in windows.values()),
        sum(count > FLOOD_COUNT for count in windows.values()),
        tuple(sorted(lines, key=lambda line: (not line.useless, -line.unneeded, -line.count, line.subject))),
    )


def _line(subject: str, zone_id: str | None, alarms: list[Matter]) -> AlarmLine:
    answered = sum(alarm.acknowledged_at is not None for alarm in alarms)
    unneeded = sum(alarm.acknowledged_at is None and alarm.closed_at is not None for alarm in alarms)
    return AlarmLine(
        subject,
        zone_id,
        len(alarms),
        answered,
        unneeded,
        _middle_s((a.opened_at, a.closed_at) for a in alarms),
        unneeded >= USELESS_COUNT and unneeded >= USELESS_SHARE * len(alarms),
    )


def _middle_s(spans: Iterable[tuple[datetime, datetime | None]]) -> float | None:
    lasted = [(end - begin).total_seconds() for begin, end in spans if end is not None]
    return round(median(lasted), 1) if lasted else None
