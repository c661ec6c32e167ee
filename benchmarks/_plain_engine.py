"""The peer of the engine: the same rules over one object for each zone, gate and sensor, in plain loops. Only
the joint errors are the engine's own: as objects they would be another filter.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from anshang.crowds import flows, occupancy
from anshang.crowds.levels import LevelState
from anshang.crowds.model import MOVING, Level, Observation, Quality, Sensor
from anshang.foundation import clock
from anshang.places.model import Place

GRACE_MS = 3000.0
SIGMAS_95 = 1.96
TREND_MS = 300_000


@dataclass
class PlainZone:
    """A balance, what it rests on, its level."""

    id: str
    usable_m2: float
    number: int
    people: float = 0.0
    sigma: float = 0.0
    seen_people: float = math.nan
    corrections: float = 0.0
    gates: list[PlainGate] = field(default_factory=list)
    heads: list[PlainSensor] = field(default_factory=list)
    counted: bool = False
    quality: Quality = Quality.UNKNOWN
    trend: float = 0.0
    densities: deque[tuple[int, float]] = field(default_factory=deque)
    level: LevelState = field(default_factory=lambda: LevelState(Level.NORMAL, 0.0))

    def floor(self) -> None:
        """Never negative."""
        if self.people < 0:
            self.corrections -= self.people
            self.people = 0.0


@dataclass
class PlainGate:
    """A gate between two zones or to the outside."""

    id: str
    width_m: float
    near: PlainZone
    far: PlainZone | None
    lines: list[PlainSensor] = field(default_factory=list)
    over: bool = False
    into: float = 0.0
    out: float = 0.0
    sustained: float = 0.0

    def judge(self) -> None:
        """Flows of the last minutes, and whether counters contradict each other."""
        speaking = [line for line in self.lines if line.active]
        share = 1.0 / len(speaking) if speaking else 0.0
        minutes = [line.last(flows.MINUTE_BUCKETS) for line in speaking]
        through = [sum(line.last(flows.SUSTAINED_BUCKETS)) for line in speaking]
        self.into, self.out = (share * sum(minute[way] for minute in minutes) for way in (0, 1))
        self.sustained = share * sum(through) / self.width_m / 5
        limit = flows.SUSTAINED_OVER if self.over else flows.SUSTAINED_MAX
        self.over = self.sustained > limit
        for line in self.lines:
            line.contradicts = False
        if len(through) > 1 and max(through) >= flows.CONTRADICTION_PEOPLE_MIN:
            for line in speaking:
                line.contradicts = max(through) - min(through) > flows.CONTRADICTION_SHARE * max(through)

    def figures(self) -> dict[str, Any]:
        """What is shown."""
        known = any(line.active for line in self.lines)
        flow = round((self.into + self.out) / self.width_m, 1)
        return {
            "flow": flow if known else None,
            "in_per_min": round(self.into) if known else None,
            "out_per_min": round(self.out) if known else None,
            "over": self.over,
        }


@dataclass
class PlainSensor:
    """A counter: when it spoke last, its usual rate, its last six minutes."""

    of: Sensor
    gate: PlainGate | None
    zone: PlainZone | None
    last_ms: int = occupancy.NEVER_MS
    learnt_ms: int = occupancy.NEVER_MS
    rate_per_ms: float = 0.0
    disbeliefs: int = 0
    disagrees: bool = False
    contradicts: bool = False
    active: bool = False
    weight: float = 1.0
    newest: int = 0
    ring: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0] for _ in range(flows.BUCKETS)])

    def keep(self, bucket: int, passed: tuple[int, int]) -> None:
        """Put passages into their bucket."""
        self.forget(bucket)
        self.ring[bucket % flows.BUCKETS][0] += passed[0]
        self.ring[bucket % flows.BUCKETS][1] += passed[1]

    def forget(self, bucket: int) -> None:
        """Empty the buckets that the ring comes back to."""
        for step in range(max(self.newest + 1, bucket - flows.BUCKETS + 1), bucket + 1):
            self.ring[step % flows.BUCKETS] = [0.0, 0.0]
        self.newest = max(self.newest, bucket)

    def last(self, buckets: int) -> tuple[float, float]:
        """Sums of the last buckets."""
        chosen = [self.ring[(self.newest - back) % flows.BUCKETS] for back in range(buckets)]
        return sum(each[0] for each in chosen), sum(each[1] for each in chosen)


class PlainEngine:
    """Takes rows, steps, shows frames."""

    def __init__(self, place: Place, sensors: Sequence[Sensor]) -> None:
        self.zones = {
            id: PlainZone(id, zone.usable_m2, number) for number, (id, zone) in enumerate(place.zones.items())
        }
        self.gates = {
            id: PlainGate(id, gate.width_m, self.zones[gate.zone_a], self.zones.get(gate.zone_b or ""))
            for id, gate in place.gates.items()
        }
        self.sensors: dict[str, PlainSensor] = {}
        for of in sensors:
            sensor = PlainSensor(of, self.gates.get(of.gate_id or ""), self.zones.get(of.zone_id or ""))
            self.sensors[of.id] = sensor
            if sensor.gate is not None:
                sensor.gate.lines.append(sensor)
            if sensor.zone is not None:
                sensor.zone.heads.append(sensor)
        for gate in self.gates.values():
            for line in gate.lines:
                line.weight = 1.0 / len(gate.lines)
            gate.near.gates.append(gate)
            if gate.far is not None:
                gate.far.gates.append(gate)
        self._waiting: list[Observation] = []
        self._errors = occupancy.Occupancy(place, sensors).start_errors()
        self._gate_number = {id: number for number, id in enumerate(place.gates)}
        self._head_number = {id: n for n, id in enumerate(s.id for s in sensors if s.zone_id is not None)}
        self._passed: list[tuple[int, float, float, float]] = []
        self._spread_ms = 0
        self._corrected_ms = 0
        self._now_ms = 0
        self._shown: dict[str, tuple[Any, ...]] = {}

    def people_in(self, zone_id: str) -> float:
        """The balance of a zone."""
        return self.zones[zone_id].people

    def take(self, rows: Sequence[Observation]) -> None:
        """Accept rows."""
        self._waiting.extend(rows)

    def step(self, now: datetime) -> None:
        """Count what has come and judge at `now`."""
        rows, self._waiting = sorted(self._waiting, key=lambda row: row.at_ms), []
        for row in rows:
            self._forget_drift(row.at_ms)
            if row.people_count is None:
                self._pass(self.sensors[row.sensor_id], row)
        for zone in self.zones.values():
            zone.floor()
        for row in rows:
            sensor = self.sensors[row.sensor_id]
            sensor.last_ms = max(sensor.last_ms, row.at_ms)
        self._now_ms = clock.to_ms(now)
        newest = max((sensor.newest for sensor in self.sensors.values()), default=0)
        for sensor in self.sensors.values():
            sensor.forget(newest)
            sensor.active = sensor.last_ms >= self._now_ms - 2000 * sensor.of.period_s - GRACE_MS
        for gate in self.gates.values():
            speaking = [line for line in gate.lines if line.active]
            for line in gate.lines:
                line.weight = 1.0 / len(speaking) if line.active else 1.0
            gate.judge()
        for zone in self.zones.values():
            _judge_gates(zone)
        self._correct([row for row in rows if row.people_count is not None])
        variance = self._errors.variance.tolist()
        for zone in self.zones.values():
            zone.sigma = math.sqrt(variance[zone.number])
            self._judge(zone)

    def frame(self, *, full: bool) -> dict[str, Any]:
        """All zones and gates, or those that changed."""
        zones = {id: _figures(zone) for id, zone in self.zones.items()}
        gates = {f"gate {id}": gate.figures() for id, gate in self.gates.items()}
        return {
            "at": clock.from_ms(self._now_ms).isoformat(),
            "people": round(sum(z.people for z in self.zones.values() if z.quality is not Quality.UNKNOWN)),
            "zones": zones if full else self._changed(zones),
            "gates": gates if full else self._changed(gates),
        }

    def _changed(self, shown: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        changed = {id: each for id, each in shown.items() if self._shown.get(id) != tuple(each.values())}
        self._shown |= {id: tuple(each.values()) for id, each in changed.items()}
        return changed

    def _pass(self, sensor: PlainSensor, row: Observation) -> None:
        assert sensor.gate is not None
        passed = row.in_count + row.out_count
        silent_ms, period_ms = row.at_ms - sensor.last_ms, sensor.of.period_s * 1000
        sides = [zone for zone in (sensor.gate.near, sensor.gate.far) if zone is not None]
        share = occupancy.MISCOUNT_SHARE + occupancy.GATE_BIAS_SHARE * sensor.of.error_share
        chance = share * passed * sensor.weight
        if silent_ms > 2 * period_ms and sensor.last_ms > occupancy.NEVER_MS:
            chance += (occupancy.GAP_SHARE * sensor.rate_per_ms * silent_ms) ** 2
        sensor.rate_per_ms += occupancy.RATE_MEMORY * (passed / period_ms - sensor.rate_per_ms)
        gained = (row.in_count - row.out_count) * sensor.weight
        for zone, sign in zip(sides, (1, -1), strict=False):
            zone.people += sign * gained
        self._passed.append((self._gate_number[sensor.gate.id], gained, passed * sensor.weight, chance))
        sensor.keep(row.at_ms // flows.BUCKET_MS, (row.in_count, row.out_count))

    def _forget_drift(self, at_ms: int) -> None:
        if at_ms > self._corrected_ms:
            for zone in self.zones.values() if self._corrected_ms else ():
                zone.corrections *= math.exp((self._corrected_ms - at_ms) / occupancy.DRIFT_MEMORY_MS)
            self._corrected_ms = at_ms

    def _correct(self, rows: list[Observation]) -> None:
        """Widen the errors by what passed, then learn from the head counts."""
        if self._passed:
            gate, *told = zip(*self._passed, strict=True)
            self._errors.passed(np.array(gate), *(np.array(each) for each in told))
            self._passed = []
        if self._now_ms - self._spread_ms >= occupancy.SPREAD_MS:
            self._move(self._errors.spread(self._now_ms).tolist())
            self._spread_ms = self._now_ms
        heads, told_people, surprises, noises = [], [], [], []
        for row in rows:
            sensor, head = self.sensors[row.sensor_id], self._head_number[row.sensor_id]
            assert sensor.zone is not None and row.people_count is not None
            expected, variance = self._errors.expected(np.array([head]), np.array([sensor.zone.people]))
            noise = _noise(sensor, row.people_count, row.at_ms)
            if _believe(sensor, row, float(expected[0]), float(variance[0]) + noise):
                if not sensor.zone.counted:
                    self._errors.doubt(np.array([sensor.zone.number]), np.array([sensor.zone.seen_people**2]))
                heads.append(head)
                told_people.append(sensor.zone.people)
                surprises.append(row.people_count / sensor.of.share_seen - float(expected[0]))
                noises.append(noise)
        if heads:
            told = (np.array(told_people), np.array(surprises), np.array(noises))
            self._move(self._errors.see(np.array(heads), *told).tolist())

    def _move(self, corrections: list[float]) -> None:
        for zone in self.zones.values():
            zone.people += corrections[zone.number]
            zone.corrections += corrections[zone.number]
            zone.floor()

    def _judge(self, zone: PlainZone) -> None:
        seen = any(head.active and not head.disagrees for head in zone.heads)
        disputed = any(head.active and head.disagrees for head in zone.heads)
        quality = Quality.BOTH if seen else Quality.DISAGREES if disputed else Quality.COUNTED
        zone.quality = quality if zone.counted else Quality.SEEN if seen else Quality.UNKNOWN
        density = math.nan if zone.quality is Quality.UNKNOWN else zone.people / zone.usable_m2
        while zone.densities and zone.densities[0][0] < self._now_ms - TREND_MS:
            zone.densities.popleft()
        if not zone.densities or self._now_ms - zone.densities[-1][0] >= 10_000:
            zone.densities.append((self._now_ms, density))
        then_ms, then = zone.densities[0]
        trend = (density - then) * TREND_MS / max(self._now_ms - then_ms, 10_000)
        zone.trend = 0.0 if math.isnan(trend) else trend
        both = zone.quality is Quality.BOTH and zone.seen_people / zone.usable_m2 >= MOVING.rises[3]
        known = None if math.isnan(density) else density
        zone.level = zone.level.after(known, self._now_ms / 1000, MOVING, second_source=both)


def _judge_gates(zone: PlainZone) -> None:
    zone.counted = bool(zone.gates) and all(any(line.active for line in gate.lines) for gate in zone.gates)


def _noise(sensor: PlainSensor, count: int, at_ms: int) -> float:
    share = sensor.of.share_seen
    people = count / share
    since_ms = min(max(at_ms - sensor.learnt_ms, 1), occupancy.FRESH_AFTER_MS)
    fresh = (occupancy.FRESH_SHARE * sensor.of.error_share * people) ** 2
    return (fresh + people * (1 - share) / share + 4.0) * (occupancy.FRESH_AFTER_MS / since_ms)


def _believe(sensor: PlainSensor, row: Observation, expected: float, variance: float) -> bool:
    assert sensor.zone is not None and row.people_count is not None
    people = row.people_count / sensor.of.share_seen
    far = abs(people - expected) > occupancy.DISBELIEF_SIGMAS * math.sqrt(variance)
    step = 1 if far and sensor.zone.counted else -1
    sensor.disbeliefs = min(max(sensor.disbeliefs + step, 0), occupancy.DISBELIEFS_MAX)
    if sensor.disbeliefs == occupancy.DISBELIEFS_MAX:
        sensor.disagrees = True
    if sensor.disbeliefs:
        return False
    sensor.disagrees = False
    sensor.zone.seen_people, sensor.learnt_ms = people, row.at_ms
    return True


def _figures(zone: PlainZone) -> dict[str, Any]:
    unknown = zone.quality is Quality.UNKNOWN
    spread = SIGMAS_95 * zone.sigma
    since_s, pending = zone.level.since_s, zone.level.pending
    return {
        "people": None if unknown else round(zone.people),
        "low": None if unknown else round(max(0.0, zone.people - spread)),
        "high": None if unknown else round(zone.people + spread),
        "density": None if unknown else round(zone.people / zone.usable_m2, 2),
        "trend": None if unknown else round(zone.trend, 2),
        "level": None if unknown else int(zone.level.level),
        "since": clock.from_ms(round(since_s * 1000)).isoformat() if since_s else None,
        "pending": None if pending is None else int(pending),
        "quality": str(zone.quality),
        "drift_people_per_h": round(zone.corrections),
    }
