"""What is expected of each zone in the next two hours, anew every minute.

It stands on the minutes of the last day, kept in memory and read from the store once, and on what was usual
in the weeks before as soon as there are two days of them; where a trained model is in use, on what that says
as well. How it came out is kept, quarter by quarter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pkgutil import resolve_name
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection

from anshang.crowds import trained_store
from anshang.crowds.calendars import DAYS_AHEAD, day_grid_known, wall_clock_s
from anshang.crowds.engine import Engine, ZoneFigures
from anshang.crowds.model import Level, PlannedEvent
from anshang.crowds.outcomes import Outcomes
from anshang.crowds.planned_store import list_events
from anshang.crowds.telemetry import MINUTE_MS, MINUTE_S, zone_people
from anshang.crowds.watch import Watch
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.kernels.climate import climate
from anshang.kernels.damped import Ahead, look_ahead
from anshang.kernels.daygrid import DAY_S, Floats, Reals, mean_known
from anshang.kernels.quantiles import LEVELS, MEDIAN, chance_over

STEP_S = 300
HORIZONS_S = (900, 1_800, 2_700, 3_600, 5_400, 7_200)
MEMORY_MINUTES = 26 * 60
HALF_HOUR_S = 1_800
USUAL_STEP_S, USUAL_DAYS, USUAL_MIN_DAYS = 900, 35, 2
TRAINED_DAYS = 120
"""How many days a trained model is shown to say what is usual."""
WATCH_MS = 4 * 3_600_000
LOW, HIGH = LEVELS.index(0.1), LEVELS.index(0.9)
LEARNT = np.array(LEVELS)
LEVELS_TOLD = tuple(level for level in Level if level)

log = structlog.get_logger("crowds.outlook")


@dataclass(frozen=True, slots=True)
class Band:
    """People at each of HORIZONS_S: the middle, and between which the truth lies four times of five."""

    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Because:
    """Why: people there now, how many more than half an hour ago, and how many are usual; None unknown."""

    people: float
    gained: float | None
    usual: float | None


@dataclass(frozen=True, slots=True)
class ZoneOutlook:
    """A zone ahead: people, and for each level of LEVELS_TOLD the chance to be at it at each horizon."""

    zone_id: str
    people: Band
    chances: tuple[tuple[float, ...], ...]
    because: Because
    usable_m2: float


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
    """A district ahead. `basis` says what it stands on: a trained model, weeks, today, or a guess."""

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
        self._outcomes = Outcomes()
        self._living: dict[str, Any] = {}
        """`trained_live.Living` of districts that have a model; what it needs is loaded only then."""
        self._unfit: dict[str, tuple[str, int]] = {}
        """Models that could not be made ready, each with the watch in which that was tried."""

    def find(self, district_id: str) -> Outlook | None:
        """The last outlook, None until there is one."""
        return self._known.get(district_id)

    def density_soon(self, district_id: str, zone_id: str) -> tuple[float, float, float] | None:
        """People per m² expected in a quarter of an hour: middle, low, high; None where nothing is."""
        outlook = self._known.get(district_id)
        zone = next((z for z in outlook.zones if z.zone_id == zone_id), None) if outlook else None
        if zone is None:
            return None
        middle, low, high = (
            round(each[0] / zone.usable_m2, 3)
            for each in (zone.people.middle, zone.people.low, zone.people.high)
        )
        return middle, low, high

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
        living = self._living_of(district_id, engine, past, zone)
        end_ms = past.last_ms + MINUTE_MS
        if living is not None:
            told = replace(told, quantiles=living.quantiles(past.people, end_ms, told.quantiles))
        self._keep_outcomes(district_id, past, steps[:, -1], told, "" if living is None else living.model_id)
        whole = np.where(np.isnan(steps).all(axis=0), np.nan, np.nansum(steps, axis=0))[None]
        all_usual = np.full((1, usual.shape[1]), np.nan) if np.isnan(usual).any() else usual.sum(axis=0)[None]
        basis = _basis(told, past, living is not None)
        reasons = [_because(steps[place], usual[place]) for place in range(len(steps))]
        outlook = _outlook(now, engine, told, look_ahead(whole, all_usual, STEP_S, ahead), basis, reasons)
        self._known[district_id] = outlook
        return outlook

    def _keep_outcomes(
        self, district_id: str, past: _Past, people: Reals, told: Ahead, model_id: str
    ) -> None:
        """At the end of a quarter keep how what was said of now came out."""
        end_ms = past.last_ms + MINUTE_MS
        rows = self._outcomes.compare(
            district_id, past.zone_ids, end_ms, people, told.quantiles, HORIZONS_S, model_id
        )
        if rows:
            self._database.bulk(district_id, partial(trained_store.keep_outcomes, rows=rows))

    def _living_of(self, district_id: str, engine: Engine, past: _Past, zone: ZoneInfo) -> Any:
        """The model in use, made ready anew every four hours; None without one, or when it does not fit."""
        living = self._living.get(district_id)
        with self._database.reading([district_id]) as connection:
            model = trained_store.find_in_use(connection, district_id)
            watch = past.last_ms // WATCH_MS
            if model is None or self._unfit.get(district_id) == (model.id, watch):
                self._living.pop(district_id, None)
                return None
            if living is not None and (living.model_id, living.watch) == (model.id, watch):
                return living
            content = trained_store.read_trees(connection, district_id, model.id) or ""
            midnight = datetime(1970, 1, 1, tzinfo=zone) + timedelta(days=past.made_on - TRAINED_DAYS)
            first_ms = clock.to_ms(midnight)
            steps = (past.last_ms - first_ms) // (USUAL_STEP_S * 1000) + 2 * DAY_S // USUAL_STEP_S
            span = (first_ms, first_ms + steps * USUAL_STEP_S * 1000)
            quarters = zone_people(connection, district_id, past.zone_ids, span, USUAL_STEP_S)
            events = _events(connection, district_id, first_ms)
        grid = day_grid_known(
            first_ms, steps, USUAL_STEP_S, zone, country=engine.place.district.country, events=events
        )
        wake = resolve_name("anshang.crowds.trained_live:wake")
        try:
            woken = wake(model.id, content, past.zone_ids, quarters, grid, first_ms, watch)
        except ValueError:
            woken = None
        if woken is None:
            log.warning("forecast.model_unfit", district=district_id, model=model.id)
            self._unfit[district_id] = (model.id, watch)
            return None
        if living is not None and living.model_id == model.id:
            woken.waiting, woken.outcomes = living.waiting, living.outcomes
        self._living[district_id] = woken
        return woken

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
        grid = day_grid_known(
            first_ms,
            steps,
            USUAL_STEP_S,
            zone,
            country=engine.place.district.country,
            events=_events(connection, district_id, first_ms),
        )
        usual = climate(quarters, grid, steps).usual
    return _Past(zone_ids, last_ms, people, usual, today)


def _events(connection: Connection, district_id: str, first_ms: int) -> list[PlannedEvent]:
    """What was planned from an instant on, and is for the next days."""
    from_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=first_ms)
    return list_events(connection, district_id, from_at, clock.now() + timedelta(days=DAYS_AHEAD))


def _basis(told: Ahead, past: _Past, trained: bool) -> str:
    if trained:
        return "trained"
    if past.usual is not None:
        return "weeks"
    return "today" if told.trusted[0] >= 0.5 else "guess"


def _because(steps: Reals, usual: Reals) -> Because:
    """Of one zone: its steps (T,) and what is usual at them and after."""

    def known(value: float) -> float | None:
        return None if np.isnan(value) else round(float(value), 1)

    now, before = float(steps[-1]), float(steps[-1 - HALF_HOUR_S // STEP_S])
    return Because(round(now, 1), known(now - before), known(float(usual[len(steps) - 1])))


def _outlook(
    now: datetime, engine: Engine, told: Ahead, whole: Ahead, basis: str, reasons: Sequence[Because]
) -> Outlook:
    zones = list(engine.place.zones.values())
    shown = []
    for place, zone in enumerate(zones):
        quantiles = told.quantiles[place]
        if np.isnan(quantiles).any():
            continue
        limits = [rise * zone.usable_m2 for rise in engine.rules[place].rises]
        chances = [chance_over(quantiles, LEARNT, np.full(len(HORIZONS_S), limit)) for limit in limits]
        likely = tuple(tuple(each.round(3).tolist()) for each in chances)
        shown.append(ZoneOutlook(zone.id, _band(quantiles), likely, reasons[place], zone.usable_m2))
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
