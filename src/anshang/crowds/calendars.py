"""What kind of day each day is: public holidays with their make-up working days, and planned events.

Holidays are those of a country in the package `holidays`; a country it does not know is refused. Nothing
here is of the past: whatever is in the calendar was known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import holidays
import numpy as np

from anshang.crowds.model import PlannedEvent
from anshang.foundation.errors import BadInput
from anshang.kernels.daygrid import DAY_S, PLAIN, DayGrid, Ints

SATURDAY = 5
DAYS_AHEAD = 9
QUARTER_S = 900


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
    local_s = wall_clock_s(first_at_ms // 1000, steps, step_s, zone)
    first = date(1970, 1, 1) + timedelta(days=int(local_s[0] // DAY_S))
    day = local_s // DAY_S - local_s[0] // DAY_S
    days = [first + timedelta(days=each) for each in range(int(day[-1]) + 1 + DAYS_AHEAD)]
    named, working = _holidays(country, days)
    special = dict(named)
    for event in events:
        start_on, end_on = (at.astimezone(zone).date() for at in (event.start_at, event.end_at))
        for after in range((end_on - start_on).days + 1):
            special[start_on + timedelta(days=after)] = event.name
    number = {name: place for place, name in enumerate(sorted(set(special.values())), PLAIN + 1)}
    weekday = np.array([each.weekday() for each in days], np.int64)
    holiday = np.array([each in named for each in days], bool)
    return DayGrid(
        step_s=step_s,
        first_on=first,
        day=day,
        slot=(local_s % DAY_S) // step_s,
        weekday=weekday,
        free=holiday | ((weekday >= SATURDAY) & np.array([each not in working for each in days], bool)),
        holiday=holiday,
        special=np.array([number.get(special.get(each, ""), PLAIN) for each in days], np.int64),
        season=np.array([each.timetuple().tm_yday for each in days], np.int64),
    )


def day_grid_known(
    first_at_ms: int,
    steps: int,
    step_s: int,
    zone: tzinfo,
    *,
    country: str | None,
    events: Iterable[PlannedEvent],
) -> DayGrid:
    """The grid with the events and the holidays of a country; without these where nobody knows any."""
    known = list(events)
    try:
        return day_grid(first_at_ms, steps, step_s, zone, country=country, events=known)
    except BadInput:
        return day_grid(first_at_ms, steps, step_s, zone, events=known)


def wall_clock_s(first_s: int, steps: int, step_s: int, zone: tzinfo) -> Ints:
    """The wall clock at each step from an instant on, in seconds since 1970 of a clock without a zone."""
    at_s = first_s + np.arange(steps, dtype=np.int64) * step_s
    quarters, place = np.unique(at_s // QUARTER_S, return_inverse=True)  # clocks change on one, if at all
    offsets = [
        datetime.fromtimestamp(int(quarter) * QUARTER_S, UTC).astimezone(zone).utcoffset() or timedelta()
        for quarter in quarters
    ]
    return at_s + np.array([round(each.total_seconds()) for each in offsets], np.int64)[place]


def check_country(country: str) -> None:
    """BadInput when the holidays of a country (FI, or of a region, CH-ZH) are not known."""
    _holidays(country, [date(2024, 1, 1)])


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
