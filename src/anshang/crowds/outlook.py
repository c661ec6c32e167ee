"""What is expected of each zone in the next two hours, anew every minute.

It stands on the minutes of the last day, kept in memory and read from the store once, and on what was usual
in the weeks before as soon as there are two days of them. It holds nothing that the store does not hold
too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from anshang.crowds.calendars import day_grid, wall_clock_s
from anshang.crowds.engine import Engine, ZoneFigures
from anshang.crowds.model import Level
from anshang.crowds.telemetry import MINUTE_MS, MINUTE_S, zone_people
from anshang.crowds.watch import Watch
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput
from anshang.kernels.climate import climate
from anshang.kernels.damped import Ahead, look_ahead
from anshang.kernels.daygrid import DAY_S, DayGrid, Floats, Reals, mean_known
from anshang.kernels.quantiles import LEVELS, MEDIAN, chance_over

STEP_S = 300
HORIZONS_S = (900, 1_800, 2_700, 3_600, 5_400, 7_200)
MEMORY_MINUTES = 26 * 60
USUAL_STEP_S, USUAL_DAYS, USUAL_MIN_DAYS = 900, 35, 2
LOW, HIGH = LEVELS.index(0.1), LEVELS.index(0.9)
LEARNT = np.array(LEVELS)
LEVELS_TOLD = tuple(level for level in Level if level)


@dataclass(frozen=True, slots=True)
class Band:
    """People at each of HORIZONS_S: the middle, and between which the truth lies four times of five."""

    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ZoneOutlook:
    """A zone ahead: people, and for each level of LEVELS_TOLD the chance to be at it at each horizon."""

    zone_id: str
    people: Band
    chances: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How forecasts of one horizon came out over the last day; None where too few did."""

    horizon_s: int
    outcomes: int
    covered80: float | None
    error: float | None
    error_still: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """A district ahead. `basis` says what it stands on: weeks, today, or a guess."""

    at: datetime
    basis: str
    zones: tuple[ZoneOutlook, ...]
    district: Band | None
    quality: tuple[Quality, ...]


@dataclass(slots=True)
class _Past:
    """The last minutes of a district's zones, ending at `last_ms`, and what was usual by day and quarter."""

    zone_ids: list[str]
    last_ms: int
    people: Reals
    usual: Floats | None
    """Its days begin USUAL_DAYS before `made_on`."""
    made_on: int
    """In days since 1970 of the wall clock."""

    def put(self, minute_ms: int, figures: Sequence[ZoneFigures]) -> None:
        """A minute's figures; what lies before the memory is left out."""
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
        if self.usual is None:
            return np.full((len(self.people), every), np.nan)
        first_s = self.last_ms // 1000 + MINUTE_S - steps * STEP_S
        wall_s = wall_clock_s(first_s, every, STEP_S, zone)
        day = np.clip(wall_s // DAY_S - (self.made_on - USUAL_DAYS), 0, self.usual.shape[1] - 1)
        return self.usual[:, day, (wall_s % DAY_S) // USUAL_STEP_S].astype(float)


class Outlooks:
    """The outlook of every district that is watched."""

    def __init__(self, database: Database, watch: Watch) -> None:
        self._database, self._watch = database, watch
        self._past: dict[str, _Past] = {}
        self._known: dict[str, Outlook] = {}

    def find(self, district_id: str) -> Outlook | None:
        """The last outlook, None until there is one."""
        return self._known.get(district_id)

    def keep(self, district_id: str, minutes: Sequence[tuple[int, Sequence[ZoneFigures]]]) -> None:
        """Minutes that are in the store now: remember them, too, unless they are still to be read."""
        past = self._past.get(district_id)
        if past is not None:
            for minute_ms, figures in minutes:
                past.put(minute_ms, figures)

    def renew(self, district_id: str) -> Outlook | None:
        """Look ahead from now; None while the district is not watched."""
        engine = self._watch.find(district_id)
        if engine is None:
            return None
        now = clock.now()
        zone = ZoneInfo(engine.place.district.time_zone)
        figures = engine.zone_figures()
        past = self._past_of(district_id, engine, [id for id, *_ in figures], now, zone)
        past.put(clock.to_ms(now) // MINUTE_MS * MINUTE_MS, figures)
        steps = past.steps()
        usual = past.usual_steps(steps.shape[1], zone)
        ahead = np.array(HORIZONS_S, np.int64) // STEP_S
        told = look_ahead(steps, usual, STEP_S, ahead)
        whole = np.where(np.isnan(steps).all(axis=0), np.nan, np.nansum(steps, axis=0))[None]
        all_usual = np.full((1, usual.shape[1]), np.nan) if np.isnan(usual).any() else usual.sum(axis=0)[None]
        outlook = _outlook(
            now, engine, told, look_ahead(whole, all_usual, STEP_S, ahead), past.usual is not None
        )
        self._known[district_id] = outlook
        return outlook

    def _past_of(
        self, district_id: str, engine: Engine, zone_ids: list[str], now: datetime, zone: ZoneInfo
    ) -> _Past:
        """What is remembered; read anew when the zones are others, or the day is."""
        today = int(wall_clock_s(clock.to_ms(now) // 1000, 1, STEP_S, zone)[0] // DAY_S)
        past = self._past.get(district_id)
        if past is None or past.zone_ids != zone_ids or past.made_on != today:
            with self._database.reading([district_id]) as connection:
                past = _read(connection, engine, district_id, zone_ids, now, zone, today)
            self._past[district_id] = past
        return past


def _read(
    connection: Connection,
    engine: Engine,
    district_id: str,
    zone_ids: list[str],
    now: datetime,
    zone: ZoneInfo,
    today: int,
) -> _Past:
    last_ms = clock.to_ms(now) // MINUTE_MS * MINUTE_MS
    span = (last_ms - (MEMORY_MINUTES - 1) * MINUTE_MS, last_ms + MINUTE_MS)
    people = zone_people(connection, district_id, zone_ids, span, MINUTE_S)
    midnight = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=today - USUAL_DAYS)
    first_ms = clock.to_ms(midnight.replace(tzinfo=zone))
    steps = (last_ms - first_ms) // (USUAL_STEP_S * 1000)
    quarters = zone_people(
        connection, district_id, zone_ids, (first_ms, first_ms + steps * USUAL_STEP_S * 1000), USUAL_STEP_S
    )
    usual = None
    if (~np.isnan(quarters)).any(axis=0).sum() >= USUAL_MIN_DAYS * DAY_S // USUAL_STEP_S:
        usual = climate(quarters, _grid(engine, first_ms, steps, zone), steps).usual
    return _Past(zone_ids, last_ms, people, usual, today)


def _grid(engine: Engine, first_ms: int, steps: int, zone: ZoneInfo) -> DayGrid:
    """The days with the holidays of the district's country; without them where nobody knows any."""
    try:
        return day_grid(first_ms, steps, USUAL_STEP_S, zone, country=engine.place.district.country)
    except BadInput:
        return day_grid(first_ms, steps, USUAL_STEP_S, zone)


def _outlook(now: datetime, engine: Engine, told: Ahead, whole: Ahead, knows_usual: bool) -> Outlook:
    zones = list(engine.place.zones.values())
    shown = []
    for place, zone in enumerate(zones):
        quantiles = told.quantiles[place]
        if np.isnan(quantiles).any():
            continue
        limits = [rise * zone.usable_m2 for rise in engine.rules[place].rises]
        chances = [chance_over(quantiles, LEARNT, np.full(len(HORIZONS_S), limit)) for limit in limits]
        shown.append(
            ZoneOutlook(zone.id, _band(quantiles), tuple(tuple(each.round(3).tolist()) for each in chances))
        )
    basis = "weeks" if knows_usual else "today" if told.trusted[0] >= 0.5 else "guess"
    return Outlook(now, basis, tuple(shown), _together(shown, whole), _quality(told))


def _band(quantiles: Reals) -> Band:
    columns = quantiles.round(1)
    return Band(*(tuple(columns[:, level].tolist()) for level in (MEDIAN, LOW, HIGH)))


def _together(zones: list[ZoneOutlook], whole: Ahead) -> Band | None:
    """The district: its middle is the sum of its zones', its width that of its own past errors."""
    quantiles = whole.quantiles[0]
    if not zones or np.isnan(quantiles).any():
        return None
    middle = np.sum([zone.people.middle for zone in zones], axis=0)
    own = quantiles[:, MEDIAN]
    low, high = (np.maximum(middle + quantiles[:, level] - own, 0) for level in (LOW, HIGH))
    return Band(*(tuple(each.round(1).tolist()) for each in (middle, low, high)))


def _quality(told: Ahead) -> tuple[Quality, ...]:
    def known(value: float) -> float | None:
        return None if np.isnan(value) else round(float(value), 3)

    return tuple(
        Quality(
            horizon_s,
            int(told.outcomes[i]),
            *(known(c[i]) for c in (told.covered80, told.error, told.error_still)),
        )
        for i, horizon_s in enumerate(HORIZONS_S)
    )
