"""The live crowd of one district, in memory: takes observations, steps once a second, and says what changed.

It holds nothing that the store does not hold too: after a restart it is rebuilt from the observations since
the day began and from the decided zone states. It knows no clock (the present is told to it) and no
database.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np

from anshang.crowds.clocks import SKEW_MS, Clocks
from anshang.crowds.flows import Flows
from anshang.crowds.given import Given, SensorFigures, ZoneFigures
from anshang.crowds.levels import rules_of, state_of
from anshang.crowds.model import (
    Crossing,
    EngineEvent,
    FaultReason,
    FlowChange,
    LevelRules,
    Observation,
    PersonCount,
    Quality,
    Sensor,
    ZoneState,
)
from anshang.crowds.occupancy import MINUTE_MS, Bools, Columns, Floats, Ints, Occupancy, Rows
from anshang.crowds.sensor_faults import SensorFaults
from anshang.foundation import clock
from anshang.places.model import Place

SIGMAS_95 = 1.96
TREND_MS = 300_000
MINUTES_MAX = 1440
FLOWS_MS = 10 * MINUTE_MS
"""Of a replay what flows need, and more."""


class Engine:
    """One district's live crowd. From any thread: `take`, and what gives out the last whole step
    (`zone_figures`, `density_of`, `sensor_health`, `given`). Everything else from one at a time.
    """

    def __init__(
        self,
        place: Place,
        sensors: Sequence[Sensor],
        *,
        rules: Mapping[str, LevelRules] | None = None,
        states: Iterable[ZoneState] = (),
        faults: Iterable[tuple[str, FaultReason]] = (),
        over_gates: Iterable[str] = (),
        grace_s: float = 3.0,
    ) -> None:
        self.place = place
        self.sensors = list(sensors)
        self.occupancy = Occupancy(place, self.sensors)
        self.flows = Flows(place, self.occupancy)
        self._grace_ms = grace_s * 1000
        self._waiting: list[Observation] = []
        self._lock = threading.Lock()
        self.rules = [rules_of(zone, rules or {}) for zone in place.zones.values()]
        decided = {state.id: state for state in states}
        self.levels = [state_of(decided.get(id)) for id in self.occupancy.zone_ids]
        self._clocks = Clocks(self.occupancy.period_ms, self._grace_ms)
        self.faults = SensorFaults(place, self.occupancy, self.flows, faults)
        self.flows.begin_over(over_gates)
        self._densities: deque[tuple[int, Floats]] = deque()
        self._shown: dict[str, tuple[Any, ...]] = {}
        self._minutes: deque[tuple[int, Floats, Floats, Bools]] = deque(maxlen=MINUTES_MAX)
        self._minute_ms = 0
        self._day_on: date | None = None
        self._day_ms = 0
        self._now_ms = 0
        self._trend = np.zeros(len(self.levels))
        self._qualities: list[Quality] = [Quality.UNKNOWN] * len(self.levels)
        self._round()
        self._give_out()

    def take(self, rows: Sequence[Observation]) -> None:
        """Accept rows that are on disk; they count from the next step on."""
        with self._lock:
            self._waiting.extend(rows)

    def count_by_person(self, count: PersonCount) -> None:
        """Correct a balance by a count made by eye."""
        zone = self.occupancy.zone_index[count.zone_id]
        self.occupancy.anchor(zone, clock.to_ms(count.at), count.people_count, count.error_share)

    def decide(self, state: ZoneState) -> None:
        """Follow what a person decided about a zone's level 4: that it is so, or that it may fall."""
        zone = self.occupancy.zone_index[state.id]
        before = self.levels[zone]
        self.levels[zone] = replace(before, confirmed=state.confirmed, may_fall=state.may_fall)
        self._give_out()

    def rebuild(self, day: Columns, counts: Iterable[PersonCount], now: datetime) -> None:
        """Replay the rows since the day began, and the counts by eye where they fell.

        Who shared a gate then is judged minute by minute, so a sensor that was retired, or that fell silent
        beside another, leaves its counts where they were. A row ahead of `now` is one of the present.
        """
        told = ~self._not_yet(day.at_ms, day.people, clock.to_ms(now))
        day = day._replace(at_ms=np.minimum(day.at_ms, clock.to_ms(now)))
        mine = np.array([self.occupancy.sensor_index.get(id, -1) for id in day.sensor_ids], np.int64)
        sensor = mine[day.sensor] if len(mine) else day.sensor
        rows = Rows(day.at_ms, sensor, day.in_count, day.out_count, day.people).where((sensor >= 0) & told)
        rows = rows.where(np.argsort(rows.at_ms, kind="stable"))
        begin = 0
        for count in sorted(counts, key=lambda count: count.at):
            end = int(np.searchsorted(rows.at_ms, clock.to_ms(count.at)))
            self._replay(rows.where(slice(begin, end)))
            if count.zone_id in self.occupancy.zone_index:
                self.count_by_person(count)
            begin = end
        self._replay(rows.where(slice(begin, None)))

    def _replay(self, rows: Rows) -> None:
        flows_from_ms = int(rows.at_ms[-1]) - FLOWS_MS if len(rows.at_ms) else 0
        for minute in _runs(rows.at_ms // MINUTE_MS):
            together = rows.where(minute)
            ends_ms = (int(together.at_ms[0]) // MINUTE_MS + 1) * MINUTE_MS
            self._remember_minute(int(together.at_ms[0]))  # as it was judged then
            self.occupancy.judge_minute(ends_ms, together)
            together = self.faults.take(together)
            self._balance(together)
            if ends_ms > flows_from_ms:
                self.flows.take(together)
        if len(rows.at_ms):
            self.occupancy.correct(int(rows.at_ms[-1]))

    def step(self, now: datetime) -> list[EngineEvent]:
        """Count what has come, judge sensors and levels at `now`, and return what changed."""
        self._settle(now)
        events = [
            *self._cross(self._densities_now()),
            *self._exceed(),
            *self.faults.judge(self._now_ms, self._grace_ms),
        ]
        self._give_out()
        return events

    def settle(self, now: datetime) -> None:
        """Count what has come and judge what it rests on at `now`, without deciding anything."""
        self._settle(now)
        self._give_out()

    def _settle(self, now: datetime) -> None:
        with self._lock:
            rows, self._waiting = self._waiting, []
        self._now_ms = clock.to_ms(now)
        self._begin_day(now)
        if rows:
            self._apply_rows(rows)
        self.occupancy.judge_sensors(self._now_ms, self._grace_ms)
        self.occupancy.correct(self._now_ms)
        self._qualities = self.occupancy.qualities()
        self.flows.judge()
        self._follow_trend(self._densities_now())
        self._round()

    def _give_out(self) -> None:
        """What other threads are shown until the next step: nothing of it is written to again."""
        zones = {id: self._zone(index) for index, id in enumerate(self.occupancy.zone_ids)}
        now = self.occupancy
        sensors = SensorFigures(
            last_ms=now.last_ms.copy(),
            skew_s=self._clocks.skew_s(self._now_ms),
            active=now.active.copy(),
            disagrees=now.disagrees | self.flows.disagrees,
            dead=now.dead.copy(),
        )
        self.given = Given(zones, self._densities_now(), self._total(), sensors)

    def _densities_now(self) -> Floats:
        """People per square metre of every zone (Z), NaN where unknown."""
        known = np.array([quality is not Quality.UNKNOWN for quality in self._qualities], bool)
        return np.where(known, self.occupancy.people / self.occupancy.usable_m2, np.nan)

    def density_of(self, zone_id: str) -> float | None:
        """The zone's density now, None when unknown or when there is no such zone."""
        zone = self.occupancy.zone_index.get(zone_id)
        density = np.nan if zone is None else float(self.given.densities[zone])
        return None if np.isnan(density) else density

    def sensor_health(self, sensor_id: str) -> dict[str, Any]:
        """How a sensor was at the last step, by `SensorFigures.of`; empty when it is not known here."""
        index = self.occupancy.sensor_index.get(sensor_id)
        return {} if index is None else self.given.sensors.of(index)

    def frame(self, *, full: bool) -> dict[str, Any]:
        """The present state: every zone and gate when full, else only those that changed since the last
        frame.
        """
        return {
            "at": clock.from_ms(self._now_ms).isoformat(),
            "speed": clock.speed(),
            "full": full,
            **self.given.total,
            "unknown_zones": sum(quality is Quality.UNKNOWN for quality in self._qualities),
            "zones": self._zones(full),
            "gates": self._gates(full),
        }

    def drain_minutes(self) -> list[tuple[int, list[ZoneFigures]]]:
        """The minutes that have ended since this was asked last: start (ms) and figures of every zone, no
        level.
        """
        minutes = [self._minutes.popleft() for _ in range(len(self._minutes))]
        return [(minute[0], self._past_figures(*minute[1:])) for minute in minutes]

    def _past_figures(self, people: Floats, sigma: Floats, known: Bools) -> list[ZoneFigures]:
        low, high = np.maximum(0, people - SIGMAS_95 * sigma), people + SIGMAS_95 * sigma
        columns = (people, low, high, people / self.occupancy.usable_m2)
        figures = np.round(np.stack(columns, axis=1), 3).tolist()
        return [
            (id, four[0], four[1], four[2], four[3], None)
            for id, four, was_known in zip(self.occupancy.zone_ids, figures, known.tolist(), strict=True)
            if was_known
        ]

    def zone_figures(self) -> list[ZoneFigures]:
        """What is kept each minute: zone id, people, low, high, density, level; None where unknown."""
        return self.given.zone_figures()

    def _apply_rows(self, rows: Sequence[Observation]) -> None:
        """Apply rows of sensors that are known here; column by column, which is thrice as fast as by row.

        Rows of an earlier operational day are history and change no balance. A row from the future is one of
        the present with a clock that is ahead: it must not make the others look old.
        """
        ids, at_ms, in_count, out_count, people = zip(*rows, strict=True)
        sensor = np.array([self.occupancy.sensor_index.get(id, -1) for id in ids], np.int64)
        told_ms = np.array(at_ms, np.int64)
        self._clocks.hear(self._now_ms, sensor[sensor >= 0], told_ms[sensor >= 0])
        counts = [np.array(column, float) for column in (in_count, out_count, people)]  # None becomes NaN
        mine = (sensor >= 0) & (told_ms >= self._day_ms) & ~self._not_yet(told_ms, counts[2], self._now_ms)
        self._apply(Rows(np.minimum(told_ms, self._now_ms), sensor, *counts).where(mine))

    def _not_yet(self, at_ms: Ints, people: Floats, now_ms: int) -> Bools:
        """Head counts (N) of a time that has not come say nothing of the present; passages count whenever."""
        return ~np.isnan(people) & (at_ms > now_ms + SKEW_MS + self._grace_ms)

    def _apply(self, rows: Rows) -> None:
        """Apply rows in the order of their own time."""
        rows = self.faults.take(rows.where(np.argsort(rows.at_ms, kind="stable")))
        self._balance(rows)
        self.flows.take(rows)

    def _balance(self, rows: Rows) -> None:
        """Move the balances, instant by instant."""
        for now in _runs(rows.at_ms):
            instant_ms = int(rows.at_ms[now.start])
            self._remember_minute(instant_ms)
            self.occupancy.apply(instant_ms, rows.where(now))

    def _begin_day(self, now: datetime) -> None:
        day_on = self.place.district.day_of(now)
        if day_on != self._day_on:
            self._day_ms = clock.to_ms(self.place.district.day_begins(day_on))
        if self._day_on is not None and day_on > self._day_on:
            self.occupancy.begin_day()
        self._day_on = day_on

    def _remember_minute(self, at_ms: int) -> None:
        """Keep the balances as each minute ends, so that a replayed day has a history too."""
        minute_ms = at_ms // MINUTE_MS * MINUTE_MS
        if minute_ms > self._minute_ms and self._minute_ms:
            self.occupancy.correct(self._minute_ms + MINUTE_MS)
            now = self.occupancy
            self._minutes.append((self._minute_ms, now.people.copy(), now.sigma, now.counted | now.seen))
        self._minute_ms = max(self._minute_ms, minute_ms)

    def _follow_trend(self, densities: Floats) -> None:
        while self._densities and self._densities[0][0] < self._now_ms - TREND_MS:
            self._densities.popleft()
        if not self._densities or self._now_ms - self._densities[-1][0] >= 10_000:
            self._densities.append((self._now_ms, densities))
        then_ms, then = self._densities[0]
        lasted_ms = max(self._now_ms - then_ms, 10_000)
        self._trend = np.nan_to_num((densities - then) * (TREND_MS / lasted_ms))

    def _cross(self, densities: Floats) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        now_s = self._now_ms / 1000
        seen = self.occupancy.seen_people / self.occupancy.usable_m2
        for index, (density, before) in enumerate(zip(densities.tolist(), self.levels, strict=True)):
            rules = self.rules[index]
            both = self._qualities[index] is Quality.BOTH and seen[index] >= rules.rises[3]
            known = None if np.isnan(density) else density
            after = before.after(known, now_s, rules, second_source=both)
            self.levels[index] = after
            lapsed = before.may_fall and not after.may_fall
            if after.known and (lapsed or (after.level, after.pending) != (before.level, before.pending)):
                people = int(self.occupancy.people[index])
                id = self.occupancy.zone_ids[index]
                events.append(
                    Crossing(id, before.level, after.level, after.pending, round(density, 3), people)
                )
        return events

    def _exceed(self) -> list[EngineEvent]:
        changed = self.flows.changes()
        return [
            FlowChange(self.occupancy.gate_ids[gate], over, round(flow, 1)) for gate, over, flow in changed
        ]

    def _total(self) -> dict[str, int | None]:
        """People in all zones that are known, with their interval: errors of neighbours partly cancel."""
        known = np.array([quality is not Quality.UNKNOWN for quality in self._qualities], bool)
        if not known.any():
            return {"people": None, "low": None, "high": None}
        people = float(self.occupancy.people[known].sum())
        spread = SIGMAS_95 * self.occupancy.sigma_of_sum(known)
        return {
            "people": round(people),
            "low": round(max(0.0, people - spread)),
            "high": round(people + spread),
        }

    def _zones(self, full: bool) -> dict[str, dict[str, Any]]:
        shown: dict[str, dict[str, Any]] = {}
        for id, figures in self.given.zones.items():
            key = tuple(figures.values())
            if full or self._shown.get(id) != key:
                shown[id] = figures
            if not full:
                self._shown[id] = key
        return shown

    def _zone(self, index: int) -> dict[str, Any]:
        quality, state = self._qualities[index], self.levels[index]
        unknown = quality is Quality.UNKNOWN
        people, low, high, density, trend, drift = self._numbers[index]
        silent_ms = self.occupancy.silent_since_ms(index) if unknown else None
        return {
            "people": None if unknown else int(people),
            "low": None if unknown else int(low),
            "high": None if unknown else int(high),
            "density": None if unknown else density,
            "trend": None if unknown else trend,
            "level": None if unknown else int(state.level),
            "since": clock.from_ms(round(state.since_s * 1000)).isoformat() if state.since_s else None,
            "pending": None if unknown or state.pending is None else int(state.pending),
            "quality": str(quality),
            "silent_since": None if silent_ms is None else clock.from_ms(silent_ms).isoformat(),
            "drift_people_per_h": int(drift),
            "confirmed": state.confirmed,
            "may_fall": state.may_fall,
        }

    def _round(self) -> None:
        """What is shown of each zone, of all at once: people, low, high, density, trend, drift."""
        people, spread = self.occupancy.people, SIGMAS_95 * self.occupancy.sigma
        whole = (people, np.maximum(0.0, people - spread), people + spread)
        drift = self.occupancy.drift_people_per_h().round()
        two_places = (people / self.occupancy.usable_m2, self._trend)
        columns = [*(each.round() for each in whole), *(each.round(2) for each in two_places), drift]
        self._numbers: list[list[float]] = np.stack(columns, axis=1).tolist()

    def _gates(self, full: bool) -> dict[str, dict[str, Any]]:
        shown: dict[str, dict[str, Any]] = {}
        for id, figures in self.flows.figures():
            key = tuple(figures.values())
            if full or self._shown.get(f"gate {id}") != key:
                shown[id] = figures
            if not full:
                self._shown[f"gate {id}"] = key
        return shown


def _runs(values: Ints) -> Iterator[slice]:
    """The runs of equal values in sorted `values` (N), as slices."""
    ends = [*np.flatnonzero(np.diff(values)).tolist(), len(values) - 1]
    begin = 0
    for end in ends if len(values) else ():
        yield slice(begin, end + 1)
        begin = end + 1
