"""People present in every zone: a balance of passages through gates, corrected by head counts, with its
error.

Each zone is a scalar Kalman filter. Passages move the balance and widen its uncertainty twice: by chance,
as each passage may be miscounted, and by bias, as a counter misses a little more in one direction than in
the other all day long. A head count pulls the balance towards what was seen, the more the less certain the
balance is. Corrections add up to the drift. A balance is never negative; what is cut off at zero is drift
too. A head count far outside what both can be is not believed, and three in a row are a disagreement.

Arrays are indexed by zone (Z), gate (G) and sensor (S); instants are milliseconds since 1970. No clock, no
database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anshang.crowds.model import Quality, Sensor, SensorKind
from anshang.foundation import clock
from anshang.places.model import Place

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEVER_MS = -(2**62)
FOREVER_MS = 2**62
MINUTE_MS = 60_000
DISBELIEF_SIGMAS = 4.0
DISBELIEFS_MAX = 3
DRIFT_MEMORY_MS = 3_600_000.0
MISCOUNT_SHARE = 0.02
"""Of passages: the usual error of line counters, by chance in either direction."""
BIAS_SHARE = 0.0002
"""Of passages: what remains when misses in and out nearly cancel, always in the same direction."""
START_SIGMA_PER_M2 = 0.02
GAP_SHARE = 0.5
"""Of the passages a counter would have counted while it was silent: how far they may have moved the
balance.
"""
RATE_MEMORY = 0.05
"""How much a counter's newest row weighs in its usual rate."""


class Columns(NamedTuple):
    """Rows as columns (N): `sensor` indexes `sensor_ids`, `people` is NaN for a passage."""

    sensor_ids: list[str]
    sensor: Ints
    at_ms: Ints
    in_count: Floats
    out_count: Floats
    people: Floats


class Rows(NamedTuple):
    """Rows of the engine's sensors as columns (N): `sensor` by its index, `people` NaN for a passage."""

    at_ms: Ints
    sensor: Ints
    in_count: Floats
    out_count: Floats
    people: Floats

    def where(self, which: slice | Ints | Bools) -> Rows:
        """Some of the rows."""
        at_ms, sensor, in_count, out_count, people = self
        return Rows(at_ms[which], sensor[which], in_count[which], out_count[which], people[which])


class Occupancy:
    """The balances of one district's zones and the trust in its sensors."""

    def __init__(self, place: Place, sensors: Sequence[Sensor]) -> None:
        self.zone_ids = list(place.zones)
        self.gate_ids = list(place.gates)
        self.sensors = list(sensors)
        self.zone_index = {id: index for index, id in enumerate(self.zone_ids)}
        gate_index = {id: index for index, id in enumerate(self.gate_ids)}
        self.sensor_index = {sensor.id: index for index, sensor in enumerate(self.sensors)}
        zone_count, sensor_count = len(self.zone_ids), len(self.sensors)
        self.usable_m2 = np.array([zone.usable_m2 for zone in place.zones.values()])
        self.gate_a, self.gate_b = _sides(place, self.zone_index)
        self.is_line = np.array([sensor.kind is SensorKind.LINE for sensor in self.sensors], bool)
        self.sensor_gate = np.array(
            [gate_index.get(sensor.gate_id or "", -1) for sensor in self.sensors], np.int64
        )
        self.sensor_zone = np.array(
            [self.zone_index.get(sensor.zone_id or "", -1) for sensor in self.sensors], np.int64
        )
        self.period_ms = np.array([sensor.period_s * 1000 for sensor in self.sensors])
        self.ends_ms = np.array([_ends_ms(sensor) for sensor in self.sensors], np.int64)
        self._share_seen = np.array([sensor.share_seen for sensor in self.sensors])
        self._error_share = np.array([sensor.error_share for sensor in self.sensors])
        self.people = np.zeros(zone_count)
        self._chance = (START_SIGMA_PER_M2 * self.usable_m2) ** 2
        self._bias = np.zeros(zone_count)
        self.seen_people = np.full(zone_count, np.nan)
        self._corrections = np.zeros(zone_count)
        self._corrected_ms = 0
        self._rate_per_ms = np.zeros(sensor_count)
        self.last_ms = np.full(sensor_count, NEVER_MS, np.int64)
        self._disbeliefs = np.zeros(sensor_count, np.int64)
        self.disagrees = np.zeros(sensor_count, bool)
        self.active = np.zeros(sensor_count, bool)
        self.counted = np.zeros(zone_count, bool)
        self.seen = np.zeros(zone_count, bool)
        self._weights = self._equal_weights(self.is_line & (self.sensor_gate >= 0))

    def apply(self, at_ms: int, rows: Rows) -> None:
        """Take the rows of one instant: first the passages, then the head counts. A passage counts whenever
        it comes; a head count older than the sensor's last says nothing.
        """
        _, sensor, in_count, out_count, people = rows
        self._forget_drift(at_ms)
        passing = np.isnan(people) & (self.sensor_gate[sensor] >= 0)
        if passing.any():
            self._doubt_gaps(at_ms, sensor[passing], in_count[passing] + out_count[passing])
            self._pass(sensor[passing], in_count[passing], out_count[passing])
        seeing = ~np.isnan(people) & (self.sensor_zone[sensor] >= 0) & (at_ms >= self.last_ms[sensor])
        np.maximum.at(self.last_ms, sensor, at_ms)
        for index, count in zip(sensor[seeing].tolist(), people[seeing].tolist(), strict=True):
            self._see(index, count)

    def anchor(self, zone: int, at_ms: int, people: float, error_share: float) -> None:
        """Believe a person's count of the zone as far as its stated error allows.

        Where it lies far outside what the balance can be, the balance is wrong: somebody looked.
        """
        self._forget_drift(at_ms)
        variance = (error_share * people) ** 2 + 1.0
        if abs(people - self.people[zone]) > self._believable(zone, variance):
            self._chance[zone] += (people - self.people[zone]) ** 2
        self._correct(zone, people, variance)
        for index in np.flatnonzero(self.sensor_zone == zone):
            self._disbeliefs[index] = 0
            self.disagrees[index] = False

    def begin_day(self) -> None:
        """A new operational day: what no head counter sees counts as empty again, so that errors end with
        the day.
        """
        start = (START_SIGMA_PER_M2 * self.usable_m2) ** 2
        self.people = np.where(self.seen, self.people, 0.0)
        self._chance = np.where(self.seen, self._chance, start)
        self._bias = np.where(self.seen, self._bias, 0.0)

    def judge_sensors(self, now_ms: int, grace_ms: float) -> None:
        """Which sensors still speak, and so which zones are counted at every gate, seen by a head counter,
        or neither.

        A sensor is silent when nothing came for two of its periods and the time a row may take to arrive
        (`grace_ms`), and from the instant it was retired.
        """
        self._judge(now_ms, self.last_ms >= now_ms - 2 * self.period_ms - grace_ms)

    def judge_minute(self, ends_ms: int, rows: Rows) -> None:
        """Which sensors spoke in a minute of the past, by the rows it is about to be replayed with.

        Those rows are sums of up to a minute, so a sensor spoke when it did in this minute, or in the last
        two of its periods where these are longer.
        """
        heard_ms = self.last_ms.copy()
        np.maximum.at(heard_ms, rows.sensor, rows.at_ms)
        self._judge(ends_ms, heard_ms >= ends_ms - np.maximum(2 * self.period_ms, MINUTE_MS))

    def _judge(self, now_ms: int, speaking: Bools) -> None:
        self.active = speaking & (self.ends_ms > now_ms)
        lines = self.active & self.is_line & (self.sensor_gate >= 0)
        self._weights = self._equal_weights(lines)
        gate_count = len(self.gate_ids)
        gate_counted = np.bincount(self.sensor_gate[lines], minlength=gate_count)[:gate_count] > 0
        zone_count = len(self.zone_ids)
        gates_of = np.bincount(self.gate_a, minlength=zone_count + 1) + np.bincount(
            self.gate_b, minlength=zone_count + 1
        )
        counted_gates = np.bincount(self.gate_a[gate_counted], minlength=zone_count + 1)
        counted_gates = counted_gates + np.bincount(self.gate_b[gate_counted], minlength=zone_count + 1)
        self.counted = (counted_gates == gates_of)[:zone_count] & (gates_of[:zone_count] > 0)
        heads = self.active & ~self.is_line & ~self.disagrees & (self.sensor_zone >= 0)
        self.seen = np.bincount(self.sensor_zone[heads], minlength=zone_count)[:zone_count] > 0

    @property
    def in_use(self) -> Bools:
        """The sensors that are not retired (S)."""
        return np.asarray(self.ends_ms == FOREVER_MS)

    @property
    def sigma(self) -> Floats:
        """The standard error of each balance, in people (Z)."""
        return np.sqrt(self._chance + self._bias**2)

    def qualities(self) -> list[Quality]:
        """What each zone's number rests on."""
        disputed = np.zeros(len(self.zone_ids), bool)
        disputed[self.sensor_zone[self.active & self.disagrees & (self.sensor_zone >= 0)]] = True
        names = np.select(
            [self.counted & disputed, self.counted & self.seen, self.counted, self.seen],
            [Quality.DISAGREES, Quality.BOTH, Quality.COUNTED, Quality.SEEN],
            Quality.UNKNOWN,
        )
        return [Quality(name) for name in names.tolist()]

    def drift_people_per_h(self) -> Floats:
        """What each balance was corrected by, as an hourly rate over about the last hour."""
        return self._corrections * (3_600_000.0 / DRIFT_MEMORY_MS)

    def silent_since_ms(self, zone: int) -> int | None:
        """Since when the zone lacks a sensor it needs: the last word of the one silent longest; None when
        none is.
        """
        at_gates = (self.sensor_gate >= 0) & (
            (self.gate_a[self.sensor_gate] == zone) | (self.gate_b[self.sensor_gate] == zone)
        )
        mute = ~self.active & self.in_use & (at_gates | (self.sensor_zone == zone))
        heard = self.last_ms[mute & (self.last_ms > NEVER_MS)]
        return int(heard.min()) if heard.size else None

    def gate_flows(self, sensor_values: Floats) -> Floats:
        """Per-sensor values (S) as per-gate values (G): the mean of a gate's speaking counters."""
        lines = self._weights > 0
        weighted = sensor_values[lines] * self._weights[lines]
        return np.bincount(self.sensor_gate[lines], weighted, len(self.gate_ids)).astype(np.float64)

    def _pass(self, sensor: Ints, in_count: Floats, out_count: Floats) -> None:
        gate, weight = self.sensor_gate[sensor], self._weight_of(sensor)
        gained = (in_count - out_count) * weight
        passed = (in_count + out_count) * weight
        size = len(self.zone_ids) + 1
        a, b = self.gate_a[gate], self.gate_b[gate]
        change = np.bincount(a, gained, size) - np.bincount(b, gained, size)
        passages = np.bincount(a, passed, size) + np.bincount(b, passed, size)
        self.people += change[:-1]
        self._chance += MISCOUNT_SHARE * passages[:-1]
        self._bias += BIAS_SHARE * passages[:-1]
        below = np.minimum(self.people, 0.0)
        self._corrections -= below
        self.people -= below

    def _doubt_gaps(self, at_ms: int, sensor: Ints, passed: Floats) -> None:
        """Widen the balances beside a counter that was silent, by what it would usually have counted
        meanwhile.
        """
        silent_ms = at_ms - self.last_ms[sensor]
        gap = (silent_ms > 2 * self.period_ms[sensor]) & (self.last_ms[sensor] > NEVER_MS)
        if gap.any():
            missed = GAP_SHARE * self._rate_per_ms[sensor[gap]] * silent_ms[gap]
            gate, size = self.sensor_gate[sensor[gap]], len(self.zone_ids) + 1
            doubt = np.bincount(self.gate_a[gate], missed**2, size)
            doubt = doubt + np.bincount(self.gate_b[gate], missed**2, size)
            self._chance += doubt[:-1]
        newest = passed / self.period_ms[sensor]
        self._rate_per_ms[sensor] += RATE_MEMORY * (newest - self._rate_per_ms[sensor])

    def _weight_of(self, sensor: Ints) -> Floats:
        """A counter that just spoke again counts alone until the next judgement."""
        weight = self._weights[sensor]
        return np.where(weight > 0, weight, 1.0)

    def _see(self, index: int, count: float) -> None:
        zone, share = int(self.sensor_zone[index]), self._share_seen[index]
        people = count / share
        variance = (self._error_share[index] * people) ** 2 + people * (1 - share) / share + 4.0
        if self.counted[zone] and abs(people - self.people[zone]) > self._believable(zone, variance):
            self._disbeliefs[index] = min(self._disbeliefs[index] + 1, DISBELIEFS_MAX)
        else:
            self._disbeliefs[index] = max(self._disbeliefs[index] - 1, 0)
        if self._disbeliefs[index] == DISBELIEFS_MAX:
            self.disagrees[index] = True
        elif self._disbeliefs[index] == 0:
            self.disagrees[index] = False
        if self._disbeliefs[index] == 0:
            self.seen_people[zone] = people
            if not self.counted[zone]:
                self._chance[zone] += (
                    people**2
                )  # a balance that misses gates says nothing against what is seen
            self._correct(zone, people, variance)

    def _believable(self, zone: int, variance: float) -> float:
        """How far a count with this variance may lie from the balance."""
        return float(DISBELIEF_SIGMAS * np.sqrt(self._chance[zone] + self._bias[zone] ** 2 + variance))

    def _correct(self, zone: int, people: float, variance: float) -> None:
        before = self._chance[zone] + self._bias[zone] ** 2
        gain = before / (before + variance)
        correction = gain * (people - self.people[zone])
        self.people[zone] += correction
        self._chance[zone], self._bias[zone] = (1 - gain) * before, 0.0
        self._corrections[zone] += correction

    def _forget_drift(self, at_ms: int) -> None:
        if at_ms > self._corrected_ms:
            if self._corrected_ms:
                self._corrections *= np.exp((self._corrected_ms - at_ms) / DRIFT_MEMORY_MS)
            self._corrected_ms = at_ms

    def _equal_weights(self, lines: Bools) -> Floats:
        """One over the number of speaking counters at the same gate, 0 for all other sensors."""
        weights = np.zeros(len(self.sensors))
        gates = self.sensor_gate[lines]
        at_gate = np.bincount(gates, minlength=max(1, len(self.gate_ids)))
        weights[lines] = 1.0 / at_gate[gates]
        return weights


def _sides(place: Place, zone_index: dict[str, int]) -> tuple[Ints, Ints]:
    """The zones on both sides of every gate (G); the outside is one past the last zone."""
    outside = len(zone_index)
    gates = place.gates.values()
    near = [zone_index[gate.zone_a] for gate in gates]
    far = [outside if gate.zone_b is None else zone_index[gate.zone_b] for gate in gates]
    return np.array(near, np.int64), np.array(far, np.int64)


def _ends_ms(sensor: Sensor) -> int:
    """Until when a sensor counts; what it counted before stays in the balance."""
    return FOREVER_MS if sensor.retired_at is None else clock.to_ms(sensor.retired_at)
