"""What is remembered of a district's zones for looking ahead: the last day by the minute, and what is usual.

It holds nothing that the store does not hold too, and is read from it once a day.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from anshang.crowds import weather_store
from anshang.crowds.ahead import HORIZONS_S, STEP_S
from anshang.crowds.calendars import DAYS_AHEAD, day_grid_known, wall_clock_s
from anshang.crowds.given import ZoneFigures
from anshang.crowds.planned_store import list_events
from anshang.crowds.telemetry import DAY_MS, HOUR_MS, MINUTE_MS, MINUTE_S, empty_hours, zone_people
from anshang.crowds.weather import by_slot
from anshang.foundation import clock
from anshang.kernels.climate import climate
from anshang.kernels.damped import Earlier, Errors, earlier_errors
from anshang.kernels.daygrid import DAY_S, Bools, DayGrid, Floats, Reals, mean_known
from anshang.kernels.faults import DEAD_DAYS, DEAD_ZEROS_SHARE, without_outages
from anshang.places.model import District

MEMORY_MINUTES = 26 * 60
USUAL_STEP_S, USUAL_DAYS, USUAL_MIN_DAYS, WEEK_MIN_DAYS = 900, 35, 2, 7
"""What is usual tells two days ahead after two days; the next hours only once it knows every weekday: before,
they are better told without.
"""
DAY_AHEAD_HOURS = 48
SCORE80 = 1.2816
"""Of a normal distribution: between minus and plus this lie four fifths."""
NOISE_LEAST, NOISE_UNKNOWN = 0.05, 0.4
"""Of the log ratio: no day is quite like another; and before two weeks are known."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of each zone by day and quarter (S, D, K), and by how much days differ from it (root mean
    square of the log ratio with the offset (S,)); days begin USUAL_DAYS before the day it was read.
    """

    people: Floats
    noise: Floats
    offset: Reals
    whole_week: bool
    """Whether every weekday is known, so that the next hours are told by it."""
    earlier: Earlier
    """How the outlook without training erred on these days, by zone."""
    earlier_together: Earlier
    """The same of all zones together."""


@dataclass(frozen=True, slots=True)
class DayAhead:
    """The hours (ms), the zones, and people (S, hours, 3): the middle, and between which four of five days
    lie.
    """

    at_ms: list[int]
    zone_ids: list[str]
    people: Reals


@dataclass(slots=True)
class Past:
    """The last minutes of a district's zones, ending at `last_ms`, and what was usual by day and quarter."""

    zone_ids: list[str]
    last_ms: int
    people: Reals
    usual: Usual | None
    made_on: int
    """In days since 1970 of the wall clock."""
    busy: Mapping[str, Bools] = field(default_factory=dict)
    """At which hours of the day (UTC) each sensor is never at zero; none of one known too shortly."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def snapshot(self) -> Past:
        """A copy that nobody else writes to."""
        with self._lock:
            return replace(self, people=self.people.copy(), _lock=threading.Lock())

    def put(self, minute_ms: int, figures: Sequence[ZoneFigures]) -> None:
        """A minute's figures, from any thread; what lies before the memory is left out."""
        with self._lock:
            self._put(minute_ms, figures)

    def _put(self, minute_ms: int, figures: Sequence[ZoneFigures]) -> None:
        moved = (minute_ms - self.last_ms) // MINUTE_MS
        if moved > 0:
            keep = max(0, MEMORY_MINUTES - moved)
            self.people[:, :keep] = self.people[:, MEMORY_MINUTES - keep :]
            self.people[:, keep:] = np.nan
            self.last_ms = minute_ms
        column = MEMORY_MINUTES - 1 - (self.last_ms - minute_ms) // MINUTE_MS
        if column >= 0:
            told = {id: people for id, people, *_ in figures}
            known = [told.get(id) for id in self.zone_ids]
            self.people[:, column] = [np.nan if people is None else people for people in known]

    def steps(self) -> Reals:
        """The mean people of each step of STEP_S, the last ending now."""
        parts = self.people.reshape(len(self.people), -1, STEP_S // MINUTE_S)
        return mean_known(parts, axis=2)

    def usual_steps(self, steps: int, zone: ZoneInfo) -> Reals:
        """What is usual at each step, and for the longest horizon beyond; NaN where nothing is known."""
        every = steps + HORIZONS_S[-1] // STEP_S
        if self.usual is None or not self.usual.whole_week:
            return np.full((len(self.people), every), np.nan)
        first_s = self.last_ms // 1000 + MINUTE_S - steps * STEP_S
        wall_s = wall_clock_s(first_s, every, STEP_S, zone)
        usual = self.usual.people
        day = np.clip(wall_s // DAY_S - (self.made_on - USUAL_DAYS), 0, usual.shape[1] - 1)
        told: Reals = usual[:, day, (wall_s % DAY_S) // USUAL_STEP_S].astype(float)
        return told

    def earlier(self, zone: ZoneInfo) -> tuple[Errors | None, Errors | None]:
        """How the outlook erred at this time of earlier days, by zone and for all together; None before two
        days are known.
        """
        if self.usual is None:
            return None, None
        wall_s = wall_clock_s(self.last_ms // 1000 + MINUTE_S - USUAL_STEP_S, 1, USUAL_STEP_S, zone)
        slot = int(wall_s[0] % DAY_S) // USUAL_STEP_S
        return self.usual.earlier.at(slot), self.usual.earlier_together.at(slot)

    def day_ahead(self, now_ms: int, zone: ZoneInfo) -> DayAhead | None:
        """The next DAY_AHEAD_HOURS by what is usual at that time of the week; None before that is known."""
        if self.usual is None:
            return None
        first_s = (now_ms // HOUR_MS + 1) * HOUR_MS // 1000
        wall_s = wall_clock_s(first_s, DAY_AHEAD_HOURS, HOUR_MS // 1000, zone)
        day = np.minimum(wall_s // DAY_S - (self.made_on - USUAL_DAYS), self.usual.people.shape[1] - 1)
        slot = (wall_s % DAY_S) // USUAL_STEP_S
        offset = self.usual.offset[:, None]
        middle = self.usual.people[:, day, slot].astype(float)
        noise = np.nan_to_num(self.usual.noise[:, day, slot].astype(float), nan=NOISE_UNKNOWN)
        wide = np.exp(SCORE80 * np.maximum(noise, NOISE_LEAST))
        low, high = (middle + offset) / wide - offset, (middle + offset) * wide - offset
        told = np.stack([middle, np.maximum(low, 0.0), high], axis=-1)
        hours = [first_s * 1000 + hour * HOUR_MS for hour in range(DAY_AHEAD_HOURS)]
        return DayAhead(hours, self.zone_ids, told)


def read_past(
    connection: Connection,
    district: District,
    zone_ids: list[str],
    now: datetime,
    zone: ZoneInfo,
    today: int,
) -> Past:
    """What the store knows of the zones."""
    last_ms = clock.to_ms(now) // MINUTE_MS * MINUTE_MS
    span = (last_ms - (MEMORY_MINUTES - 1) * MINUTE_MS, last_ms + MINUTE_MS)
    people = zone_people(connection, district.id, zone_ids, span, MINUTE_S)
    midnight = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=today - USUAL_DAYS)
    first_ms = clock.to_ms(midnight.replace(tzinfo=zone))
    steps = (last_ms - first_ms) // (USUAL_STEP_S * 1000)
    quarters = read_quarters(
        connection, district.id, zone_ids, (first_ms, first_ms + steps * USUAL_STEP_S * 1000)
    )
    grid = quarters_grid(connection, district, first_ms, steps)
    busy = busy_hours(connection, district.id, (last_ms - USUAL_DAYS * DAY_MS, last_ms))
    return Past(zone_ids, last_ms, people, usual_of(quarters, grid), today, busy)


def busy_hours(connection: Connection, district_id: str, span: tuple[int, int]) -> dict[str, Bools]:
    """At which hours of the day (24, UTC) each sensor has hardly ever been at zero in the span."""
    busy: dict[str, Bools] = {}
    for sensor_id, hour, days, empty in empty_hours(connection, district_id, span):
        hours = busy.setdefault(sensor_id, np.zeros(24, bool))
        hours[hour] = days >= DEAD_DAYS and empty <= DEAD_ZEROS_SHARE * days
    return busy


def read_quarters(
    connection: Connection, district_id: str, zone_ids: Sequence[str], span: tuple[int, int]
) -> Reals:
    """People in zones by the quarter, to learn from: NaN where unknown, and where an outage spoilt them."""
    people = zone_people(connection, district_id, zone_ids, span, USUAL_STEP_S)
    return without_outages(people, DAY_S // USUAL_STEP_S, USUAL_STEP_S)


def usual_of(quarters: Reals, grid: DayGrid) -> Usual | None:
    """What is usual by quarters (S, T), and how the outlook would have erred; None of too few days."""
    known_days = (~np.isnan(quarters)).any(axis=0).sum() * USUAL_STEP_S / DAY_S
    if known_days < USUAL_MIN_DAYS:
        return None
    whole_week = bool(known_days >= WEEK_MIN_DAYS)
    made = climate(quarters, grid, quarters.shape[1])
    ahead = np.array(HORIZONS_S, np.int64) // STEP_S
    then = made.usual[:, grid.day, grid.slot].astype(float) if whole_week else None
    together = None if then is None else then.sum(axis=0)[None]
    return Usual(
        made.usual,
        made.noise,
        made.offset,
        whole_week,
        earlier_errors(quarters, then, grid, STEP_S, ahead),
        earlier_errors(quarters.sum(axis=0)[None], together, grid, STEP_S, ahead),
    )


def quarters_grid(
    connection: Connection,
    district: District,
    first_ms: int,
    steps: int,
    *,
    tried_from: datetime | None = None,
) -> DayGrid:
    """The grid of a district's quarters from an instant on, with its holidays, what was and is planned, and
    its weather (see `with_weather`).
    """
    until_at = clock.now() + timedelta(days=DAYS_AHEAD)
    events = list_events(connection, district.id, clock.from_ms(first_ms), until_at)
    zone = ZoneInfo(district.time_zone)
    grid = day_grid_known(first_ms, steps, USUAL_STEP_S, zone, country=district.country, events=events)
    return with_weather(connection, district, grid, tried_from)


def with_weather(
    connection: Connection,
    district: District,
    grid: DayGrid,
    tried_from: datetime | None = None,
) -> DayGrid:
    """A grid with the weather that is known now; from `tried_from` on only with what was told of
    each hour before it began: a trial knows no more than it would have known.
    """
    zone = ZoneInfo(district.time_zone)
    from_at = datetime.combine(grid.first_on, time(), zone)
    to_at = from_at + timedelta(days=grid.days)
    middle_at = to_at if tried_from is None else tried_from
    hours = weather_store.list_hours(connection, district.id, from_at, middle_at)
    hours += weather_store.list_expected(connection, district.id, middle_at, to_at)
    return by_slot(hours, grid, zone)
