"""People present in every zone: a balance of passages through gates, corrected by head counts, with its
error.

Passages move the balances at once. Their errors are followed together (`covariance`): by chance, as each
passage may be miscounted, and by bias, as a counter, and most of a camera's error, is off by the same share
all evening. A head count pulls the balances towards what was seen, the more the less certain they are.
Corrections add up to the drift. A balance is never negative; what is cut off at zero is drift too. A head
count far outside what both can be is not believed, and three in a row are a disagreement.

Arrays are indexed by zone (Z), gate (G) and sensor (S); instants are milliseconds since 1970. No clock, no
database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anshang.crowds.covariance import JointErrors
from anshang.crowds.model import Quality, Sensor, SensorKind
from anshang.foundation import clock
from anshang.kernels.faults import BURST_COUNT, BURST_STEPS, BURST_TIMES
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
MISCOUNT_SHARE = 0.015
"""Of passages: what any line counter gets wrong by chance; who is off by a share is so by chance, too."""
GATE_BIAS_SHARE = 0.2
"""Of a line counter's stated error: what stays the same all evening and differs from gate to gate."""
FRESH_SHARE, FRESH_AFTER_MS = 0.3, MINUTE_MS
"""Of a head counter's stated error: what is another one after a minute. Six counts within it weigh as one."""
SPREAD_MS = 10_000
"""How often passages widen the errors at least."""
START_SIGMA_PER_M2, MOST_PER_M2 = 0.007, 12.0
"""Uncounted when a day starts (streets recorded at 05:00 seldom hold more), and the most that anybody saw."""
GAP_SHARE = 0.5
"""Of the passages a counter would have counted while it was silent: how far they may have moved the
balance.
"""
RATE_MEMORY = 0.05
"""How much a counter's newest row weighs in its usual rate."""
RATE_ROWS = 20
"""So many rows a rate rests on before a burst is judged by it."""


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
        self._miscount_share = MISCOUNT_SHARE + GATE_BIAS_SHARE * self._error_share
        self.people = np.zeros(zone_count)
        self._set_heads()
        self._errors = self.start_errors()
        self._spread_ms = 0
        self.seen_people = np.full(zone_count, np.nan)
        self._corrections = np.zeros(zone_count)
        self._corrected_ms = 0
        self._rate_per_ms = np.zeros(sensor_count)
        self._rate_rows = np.zeros(sensor_count, np.int64)
        self._row_ms = self.period_ms  # what a row holds at least: in a replay, a minute
        self.last_ms = np.full(sensor_count, NEVER_MS, np.int64)
        self._disbeliefs = np.zeros(sensor_count, np.int64)
        self.disagrees = np.zeros(sensor_count, bool)
        self.active = np.zeros(sensor_count, bool)
        self.dead = np.zeros(sensor_count, bool)  # who sends zeros only is not counted with
        self.counted = np.zeros(zone_count, bool)
        self.seen = np.zeros(zone_count, bool)
        self._weights = self._equal_weights(self.is_line & (self.sensor_gate >= 0))

    def _set_heads(self) -> None:
        """Head counters have arrays of their own (H)."""
        self._heads = np.flatnonzero(~self.is_line & (self.sensor_zone >= 0))
        self._head_of = np.full(len(self.sensors), -1, np.int64)
        self._head_of[self._heads] = np.arange(len(self._heads))
        self._reading = np.full(len(self._heads), np.nan)
        """What they showed last, in people of the zone."""
        self._read_ms = np.full(len(self._heads), NEVER_MS, np.int64)
        self._learnt_ms = self._read_ms.copy()
        self._new_reading = np.zeros(len(self._heads), bool)

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
        heads = self._head_of[sensor[seeing]]
        self._reading[heads] = people[seeing] / self._share_seen[sensor[seeing]]
        self._new_reading[heads], self._read_ms[heads] = True, at_ms

    def bursts(self, rows: Rows) -> Bools:
        """Rows (N), in the order of their time, that come after a silence and say far more passages than
        their counter has of late: what it kept meanwhile.
        """
        last_ms, row_ms = self.last_ms[rows.sensor], self._row_ms[rows.sensor]
        late: Bools = (last_ms > NEVER_MS) & (rows.at_ms - last_ms > (BURST_STEPS + 1) * row_ms)
        late &= np.isnan(rows.people) & (self._rate_rows[rows.sensor] >= RATE_ROWS)
        if not late.any():
            return late
        first = np.zeros(len(late), bool)
        first[np.unique(rows.sensor, return_index=True)[1]] = True
        usual = self._rate_per_ms[rows.sensor] * row_ms
        late &= first & (rows.in_count + rows.out_count > BURST_TIMES * usual + BURST_COUNT)
        return late

    def correct(self, at_ms: int) -> None:
        """Let passages widen the errors, and learn from the head counts that came since the last time."""
        heads = np.flatnonzero(self._new_reading)
        if at_ms - self._spread_ms >= SPREAD_MS:
            self._spread(at_ms)
        if heads.size:
            self._new_reading[heads] = False
            self._see(heads)

    def anchor(self, zone: int, at_ms: int, people: float, error_share: float) -> None:
        """Believe a person's count of the zone as far as its stated error allows.

        Where it lies far outside what the balance can be, the balance is wrong: somebody looked.
        """
        self._forget_drift(at_ms)
        self._spread(at_ms)
        surprise, noise = people - self.people[zone], (error_share * people) ** 2 + 1.0
        if abs(surprise) > DISBELIEF_SIGMAS * np.sqrt(self._errors.variance[zone] + noise):
            self._errors.doubt(np.array([zone]), np.array([surprise**2]))
        self._move(self._errors.count(zone, surprise, noise))
        for index in np.flatnonzero(self.sensor_zone == zone):
            self._disbeliefs[index] = 0
            self.disagrees[index] = False

    def begin_day(self) -> None:
        """A new operational day: what no head counter sees counts as empty again, so that errors end with
        the day.
        """
        self.people = np.where(self.seen, self.people, 0.0)
        self._errors.reset()
        zones = np.flatnonzero(self.seen)
        self._errors.doubt(zones, self.people[zones] ** 2)
        self._new_reading = ~np.isnan(self._reading) & self.seen[self.sensor_zone[self._heads]]

    def judge_sensors(self, now_ms: int, grace_ms: float) -> None:
        """Which sensors still speak, and so which zones are counted at every gate, seen by a head counter,
        or neither.

        A sensor is silent when nothing came for two of its periods and the time a row may take to arrive
        (`grace_ms`), and from the instant it was retired.
        """
        self._row_ms = self.period_ms
        self._judge(now_ms, self.last_ms >= now_ms - 2 * self.period_ms - grace_ms)

    def judge_minute(self, ends_ms: int, rows: Rows) -> None:
        """Which sensors spoke in a minute of the past, by the rows it is about to be replayed with.

        Those rows are sums of up to a minute, so a sensor spoke when it did in this minute, or in the last
        two of its periods where these are longer.
        """
        self._row_ms = np.maximum(self.period_ms, MINUTE_MS)
        heard_ms = self.last_ms.copy()
        np.maximum.at(heard_ms, rows.sensor, rows.at_ms)
        self._judge(ends_ms, heard_ms >= ends_ms - np.maximum(2 * self.period_ms, MINUTE_MS))

    def _judge(self, now_ms: int, speaking: Bools) -> None:
        self.active = speaking & (self.ends_ms > now_ms) & ~self.dead
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
        return np.sqrt(self._errors.variance)

    def sigma_of_sum(self, zones: Bools) -> float:
        """The standard error of the people in some zones (Z) together."""
        return float(np.sqrt(self._errors.variance_of_sum(zones)))

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
        self.people += change[:-1]
        self._errors.passed(gate, gained, passed, self._miscount_share[sensor] * passed)
        self._cut_off()

    def _doubt_gaps(self, at_ms: int, sensor: Ints, passed: Floats) -> None:
        """Widen the balances beside a counter that was silent, by what it would usually have counted
        meanwhile.
        """
        silent_ms = at_ms - self.last_ms[sensor]
        gap = (silent_ms > 2 * self._row_ms[sensor]) & (self.last_ms[sensor] > NEVER_MS)
        if gap.any():
            missed = GAP_SHARE * self._rate_per_ms[sensor[gap]] * silent_ms[gap]
            nothing = np.zeros(len(missed))
            self._errors.passed(self.sensor_gate[sensor[gap]], nothing, nothing, missed**2)
        self._rate_rows[sensor] += 1
        weight = np.maximum(RATE_MEMORY, 1 / self._rate_rows[sensor])
        newest = passed / self._row_ms[sensor]
        self._rate_per_ms[sensor] += weight * (newest - self._rate_per_ms[sensor])

    def _weight_of(self, sensor: Ints) -> Floats:
        """A counter that just spoke again counts alone until the next judgement."""
        weight = self._weights[sensor]
        return np.where(weight > 0, weight, 1.0)

    def _see(self, heads: Ints) -> None:
        """Learn from the readings of some head counters."""
        sensors, readings = self._heads[heads], self._reading[heads]
        zone, share = self.sensor_zone[sensors], self._share_seen[sensors]
        fresh = (FRESH_SHARE * self._error_share[sensors] * readings) ** 2
        since_ms = np.clip(self._read_ms[heads] - self._learnt_ms[heads], 1, FRESH_AFTER_MS)
        noise = (fresh + readings * (1 - share) / share + 4.0) * (FRESH_AFTER_MS / since_ms)
        expected, variance = self._errors.expected(heads, self.people[zone])
        far = np.abs(readings - expected) > DISBELIEF_SIGMAS * np.sqrt(variance + noise)
        beyond = readings > MOST_PER_M2 * self.usable_m2[zone]
        step = np.where((far & self.counted[zone]) | beyond, 1, -1)
        self._disbeliefs[sensors] = np.clip(self._disbeliefs[sensors] + step, 0, DISBELIEFS_MAX)
        self.disagrees |= self._disbeliefs == DISBELIEFS_MAX
        self.disagrees &= self._disbeliefs > 0
        believed = self._disbeliefs[sensors] == 0
        heads, zone = heads[believed], zone[believed]
        self._learnt_ms[heads] = self._read_ms[heads]
        if not heads.size:
            return
        self.seen_people[zone] = readings[believed]
        blind = np.unique(zone[~self.counted[zone]])
        # a balance that misses gates says nothing against what is seen
        self._errors.doubt(blind, self.seen_people[blind] ** 2)
        surprise = (readings - expected)[believed]
        self._move(self._errors.see(heads, self.people[zone], surprise, noise[believed]))

    def _spread(self, at_ms: int) -> None:
        self._move(self._errors.spread(at_ms))
        self._spread_ms = max(self._spread_ms, at_ms)

    def _move(self, corrections: Floats) -> None:
        self.people += corrections
        self._corrections += corrections
        self._cut_off()

    def _cut_off(self) -> None:
        below = np.minimum(self.people, 0.0)
        self._corrections -= below
        self.people -= below

    def start_errors(self) -> JointErrors:
        """What is known before anything was counted: an empty place, and what is stated of its sensors."""
        at_gates = np.flatnonzero(self.is_line & (self.sensor_gate >= 0))
        gates = self.sensor_gate[at_gates]
        counters = np.maximum(np.bincount(gates, minlength=len(self.gate_ids)), 1)
        stated = np.bincount(gates, self._error_share[at_gates], len(self.gate_ids)) / counters
        return JointErrors(
            self.gate_a,
            self.gate_b,
            self.sensor_zone[self._heads],
            start_sigma=START_SIGMA_PER_M2 * self.usable_m2,
            gate_bias=GATE_BIAS_SHARE * stated,
            head_bias=self._error_share[self._heads],
        )

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
