"""What is expected of each zone in the next two hours, anew every minute.

It stands on the minutes of the last day, kept in memory and read from the store once, and on what was usual
in the weeks before as soon as there are two days of them; where a trained model is in use, on what that says
as well. How it came out is kept, quarter by quarter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pkgutil import resolve_name
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from anshang.crowds import trained_store
from anshang.crowds.ahead import (
    CHANCE_MIN,
    HORIZONS_S,
    LEVELS_TOLD,
    STEP_S,
    Outlook,
    Quality,
    WeatherUse,
    ZoneOutlook,
    because,
    outlook_of,
)
from anshang.crowds.bounds import most_people
from anshang.crowds.calendars import wall_clock_s
from anshang.crowds.engine import Engine
from anshang.crowds.given import ZoneFigures
from anshang.crowds.model import Level
from anshang.crowds.outcomes import Outcomes
from anshang.crowds.passing import Passing
from anshang.crowds.past import (
    USUAL_STEP_S,
    DayAhead,
    Past,
    quarters_grid,
    read_past,
    read_quarters,
    with_weather,
)
from anshang.crowds.quality import horizons
from anshang.crowds.telemetry import MINUTE_MS, QUARTER_MS
from anshang.crowds.thresholds import WARNED_FROM, Thresholds
from anshang.crowds.watch import Watch
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.kernels.damped import Ahead, Errors, look_ahead
from anshang.kernels.daygrid import DAY_S, Ints, Reals
from anshang.places.model import District

TRAINED_DAYS = 120
"""How many days a trained model is shown to say what is usual."""
WATCH_MS = 4 * 3_600_000
LATE_MS = 3 * MINUTE_MS

log = structlog.get_logger("crowds.outlook")


class Outlooks:
    """The outlook of every district that is watched."""

    def __init__(self, database: Database, watch: Watch) -> None:
        self._database, self._watch = database, watch
        watch.on_gone.append(self._forget)
        self._past: dict[str, Past] = {}
        self._known: dict[str, Outlook] = {}
        self._quarter_ms: dict[str, int] = {}
        """The last quarter whose outcomes were kept."""
        self._outcomes = Outcomes()
        self._thresholds = Thresholds(database)
        self.passing = Passing(database)
        """The same of counters and gates."""
        self._living: dict[str, Any] = {}
        """`trained_live.Living` of districts that have a model; what it needs is loaded only then."""
        self._unfit: dict[str, tuple[str, int]] = {}
        """Models that could not be made ready, each with the watch in which that was tried."""

    def _forget(self, district_id: str) -> None:
        for kept in (self._past, self._known, self._quarter_ms, self._living, self._unfit):
            kept.pop(district_id, None)
        for room in (self.passing, self._outcomes, self._thresholds):
            room.forget(district_id)

    def find(self, district_id: str) -> Outlook | None:
        """The last outlook, None until there is one."""
        return self._known.get(district_id)

    def day_ahead(self, district_id: str) -> DayAhead | None:
        """The next two days of every zone by the hour; None before anything is usual."""
        past, engine = self._past.get(district_id), self._watch.find(district_id)
        if past is None or engine is None:
            return None
        zone = ZoneInfo(engine.place.district.time_zone)
        return past.day_ahead(clock.to_ms(clock.now()), zone)

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
        past = self._past_of(district_id, engine, figures, now, zone)
        steps = past.steps()
        usual = past.usual_steps(steps.shape[1], zone)
        ahead = np.array(HORIZONS_S, np.int64) // STEP_S
        earlier, earlier_together = past.earlier(zone)
        told = look_ahead(steps, usual, STEP_S, ahead, earlier)
        living = self._living_of(district_id, engine, past, zone)
        end_ms = past.last_ms + MINUTE_MS
        quarter_ms = self._quarter_over(district_id, end_ms)
        if living is not None:
            told = self._mixed(living, engine.place.district, past, told, quarter_ms)
        most, most_together = most_people(engine.place, engine.rules, steps[:, -1])
        told = replace(told, quantiles=np.minimum(told.quantiles, most[:, :, None]))
        outlook = outlook_of(
            now,
            list(engine.place.zones.values()),
            engine.rules,
            told,
            _together(steps, usual, ahead, earlier_together),
            _basis(told, past, living is not None),
            [because(steps[place], usual[place]) for place in range(len(steps))],
            self._quality_of(district_id, now, trained=living is not None),
            most_together,
        )
        weather = WeatherUse.NONE if living is None else living.weather_use(end_ms)
        outlook = _beside_present(outlook, figures, engine.given.unsure)
        outlook = replace(outlook, zones=self._with_thresholds(district_id, outlook), weather=weather)
        self._known[district_id] = outlook
        self.passing.renew(district_id)
        self._remember_chances(district_id, outlook, figures, end_ms, quarter_ms)
        if quarter_ms is not None:
            model_id = "" if living is None else living.model_id
            self._keep_outcomes(district_id, past, quarter_ms, steps[:, -1], told, model_id)
        return outlook

    def _mixed(
        self, living: Any, district: District, past: Past, told: Ahead, quarter_ms: int | None
    ) -> Ahead:
        """What a trained model makes of the outlook without it."""
        if quarter_ms is not None and living.trained.learnt_weather:
            self._look_at_weather(living, district)
        end_ms = past.last_ms + MINUTE_MS
        return replace(told, quantiles=living.quantiles(past.people, end_ms, told.quantiles, quarter_ms))

    def _with_thresholds(self, district_id: str, outlook: Outlook) -> tuple[ZoneOutlook, ...]:
        at = self._thresholds.of(district_id)
        return tuple(replace(zone, warns_at=at.get(zone.zone_id, CHANCE_MIN)) for zone in outlook.zones)

    def _quarter_over(self, district_id: str, end_ms: int) -> int | None:
        """The end of a quarter, once, when it has just passed: a busy or a fast clock may step over it."""
        quarter_ms = end_ms // QUARTER_MS * QUARTER_MS
        if end_ms - quarter_ms > LATE_MS or quarter_ms <= self._quarter_ms.get(district_id, 0):
            return None
        self._quarter_ms[district_id] = quarter_ms
        return quarter_ms

    def _quality_of(self, district_id: str, now: datetime, *, trained: bool) -> tuple[Quality, ...]:
        """How forecasts of the last day came out, those of a trained model or those without."""
        with self._database.reading([district_id]) as connection:
            found = horizons(connection, district_id, now - timedelta(days=1), now)
        return tuple(
            Quality(each.horizon_s, each.forecasts_count, each.covered80, each.error, each.error_still)
            for each in found
            if each.trained is trained
        )

    def _remember_chances(
        self,
        district_id: str,
        outlook: Outlook,
        figures: Sequence[ZoneFigures],
        end_ms: int,
        quarter_ms: int | None,
    ) -> None:
        """The chances of alerts, for choosing thresholds."""
        levels = {id: None if level is None else Level(level) for id, *_, level in figures}
        alert = LEVELS_TOLD.index(WARNED_FROM)
        chances = {zone.zone_id: zone.chances_by[alert][-1] for zone in outlook.zones}
        self._thresholds.see(district_id, end_ms, levels)
        if quarter_ms is not None:
            self._thresholds.remember(district_id, quarter_ms, chances)

    def _keep_outcomes(
        self, district_id: str, past: Past, at_ms: int, people: Reals, told: Ahead, model_id: str
    ) -> None:
        """At the end of a quarter keep how what was said of now came out."""
        rows = self._outcomes.compare(district_id, past.zone_ids, at_ms, people, told.quantiles, model_id)
        if rows:
            self._database.bulk(
                district_id, partial(trained_store.keep_outcomes, district_id=district_id, rows=rows)
            )

    def _living_of(self, district_id: str, engine: Engine, past: Past, zone: ZoneInfo) -> Any:
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
            quarters = read_quarters(connection, district_id, past.zone_ids, span)
            grid = quarters_grid(connection, engine.place.district, first_ms, steps)
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

    def _look_at_weather(self, living: Any, district: District) -> None:
        """Show a model the weather as it is told now."""
        with self._database.reading([district.id]) as connection:
            living.grid = with_weather(connection, district, living.grid)

    def _past_of(
        self, district_id: str, engine: Engine, figures: Sequence[ZoneFigures], now: datetime, zone: ZoneInfo
    ) -> Past:
        """What is remembered, with the present minute; read anew when the zones are others, or the day is. A
        copy, as minutes are kept by another thread meanwhile.
        """
        zone_ids = [id for id, *_ in figures]
        today = int(wall_clock_s(clock.to_ms(now) // 1000, 1, STEP_S, zone)[0] // DAY_S)
        past = self._past.get(district_id)
        if past is None or past.zone_ids != zone_ids or past.made_on != today:
            with self._database.reading([district_id]) as connection:
                past = read_past(connection, engine.place.district, zone_ids, now, zone, today)
            self._past[district_id] = past
        past.put(clock.to_ms(now) // MINUTE_MS * MINUTE_MS, figures)
        engine.faults.know_busy(past.busy)
        return past.snapshot()


def _together(steps: Reals, usual: Reals, ahead: Ints, earlier: Errors | None) -> Ahead:
    """All zones together; without what is usual where it is unknown of one."""
    whole = np.where(np.isnan(steps).all(axis=0), np.nan, np.nansum(steps, axis=0))[None]
    all_usual = np.full((1, usual.shape[1]), np.nan) if np.isnan(usual).any() else usual.sum(axis=0)[None]
    return look_ahead(whole, all_usual, STEP_S, ahead, earlier)


def _beside_present(outlook: Outlook, figures: Sequence[ZoneFigures], together: float) -> Outlook:
    """With how well the present is known of each zone, and of all together."""
    unsure = {
        id: high - people for id, people, _, high, *_ in figures if people is not None and high is not None
    }
    zones = tuple(replace(zone, unsure=unsure.get(zone.zone_id, 0.0)) for zone in outlook.zones)
    district = None if outlook.district is None else outlook.district.beside(together)
    return replace(outlook, zones=zones, district=district)


def _basis(told: Ahead, past: Past, trained: bool) -> str:
    if trained:
        return "trained"
    if past.usual is not None and past.usual.whole_week:
        return "weeks"
    return "today" if told.trusted[0] >= 0.5 else "guess"
