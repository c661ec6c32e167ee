"""Which sensors cannot be trusted, and why: silent, at odds with another, zeros through hours that are never
empty, or a row that holds what was kept over an outage.

A quiet night has been quiet before, and on a closed day most counters are at zero together: neither is a
fault. Arrays are indexed by sensor (S); instants are milliseconds since 1970. No clock, no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from anshang.crowds.flows import Flows
from anshang.crowds.model import FaultReason, SensorChange, SensorKind
from anshang.crowds.occupancy import FOREVER_MS, MINUTE_MS, NEVER_MS, Bools, Ints, Occupancy, Rows
from anshang.crowds.telemetry import HOUR_MS
from anshang.kernels.faults import DEAD_S
from anshang.places.model import Place

SILENCE_ALARM_MS = 300_000.0
BURST_TOLD_MS = 900_000
"""How long a sensor that sent a burst stays in the queue."""
DAY_HOURS = 24


class SensorFaults:
    """The sensors of one engine that are in trouble. `know_busy` from any thread, the rest from one."""

    def __init__(
        self, place: Place, occupancy: Occupancy, flows: Flows, known: Iterable[tuple[str, FaultReason]]
    ) -> None:
        self._place, self._occupancy, self._flows = place, occupancy, flows
        count = len(occupancy.sensors)
        self._now: dict[FaultReason, set[int]] = {reason: set() for reason in FaultReason}
        for id, reason in known:
            if id in occupancy.sensor_index:
                self._now[reason].add(occupancy.sensor_index[id])
        self._alive_ms = np.full(count, FOREVER_MS, np.int64)
        """When each counted somebody last, or sent its first row."""
        self._alive_ms[list(self._now[FaultReason.DEAD])] = NEVER_MS
        self._burst_ms = np.full(count, NEVER_MS, np.int64)
        self._busy: Bools = np.zeros((count, DAY_HOURS), bool)
        self._busy_of: Mapping[str, Bools] = {}
        self._minute = 0

    def know_busy(self, busy: Mapping[str, Bools]) -> None:
        """At which hours of the day (UTC) each sensor is never at zero."""
        if busy is not self._busy_of:
            never = np.zeros(DAY_HOURS, bool)
            told = [busy.get(sensor.id, never) for sensor in self._occupancy.sensors]
            self._busy_of, self._busy = busy, np.array(told, bool).reshape(-1, DAY_HOURS)

    def take(self, rows: Rows) -> Rows:
        """Hear rows in the order of their time; the same, with no passages where a row is a burst."""
        new = self._alive_ms[rows.sensor] == FOREVER_MS
        np.minimum.at(self._alive_ms, rows.sensor[new], rows.at_ms[new])
        some = (rows.in_count + rows.out_count + np.nan_to_num(rows.people)) > 0
        np.maximum.at(self._alive_ms, rows.sensor[some], rows.at_ms[some])
        burst = self._occupancy.bursts(rows)
        if not burst.any():
            return rows
        np.maximum.at(self._burst_ms, rows.sensor[burst], rows.at_ms[burst])
        into, out = (np.where(burst, 0.0, each) for each in (rows.in_count, rows.out_count))
        return rows._replace(in_count=into, out_count=out)

    def judge(self, now_ms: int, grace_ms: float) -> list[SensorChange]:
        """What has changed since this was asked last."""
        occupancy = self._occupancy
        quiet_ms = np.maximum(2 * occupancy.period_ms, SILENCE_ALARM_MS) + grace_ms
        heard = (occupancy.last_ms > NEVER_MS) & occupancy.in_use
        silent = heard & (occupancy.last_ms < now_ms - quiet_ms)
        silent[list(self._now[FaultReason.SILENT])] |= self._mute(self._now[FaultReason.SILENT])
        if now_ms // MINUTE_MS != self._minute:
            self._minute = now_ms // MINUTE_MS
            occupancy.dead = self._dead(now_ms, occupancy.in_use & ~silent)
        now = {
            FaultReason.SILENT: silent,
            FaultReason.DISAGREES: occupancy.disagrees | self._flows.disagrees,
            FaultReason.DEAD: occupancy.dead,
            FaultReason.BURST: occupancy.in_use & (self._burst_ms > now_ms - BURST_TOLD_MS),
        }
        return [change for reason, failed in now.items() for change in self._changes(reason, failed)]

    def _mute(self, sensors: Iterable[int]) -> Bools:
        """Which of some sensors still do not speak."""
        occupancy = self._occupancy
        mute: Bools = ~occupancy.active & occupancy.in_use & ~occupancy.dead
        return mute[list(sensors)]

    def _dead(self, now_ms: int, speaking: Bools) -> Bools:
        """Who has sent zeros for longer than DEAD_S through hours that are never empty, until it counts."""
        hours: Ints = now_ms // HOUR_MS - np.arange(DEAD_S * 1000 // HOUR_MS + 1)
        busy = self._busy[:, hours % DAY_HOURS].all(axis=1) & speaking & (self._alive_ms < FOREVER_MS)
        zeros: Bools = now_ms - self._alive_ms > DEAD_S * 1000
        found = busy & zeros
        if busy.sum() > 1 and 2 * found.sum() > busy.sum():
            found = np.zeros(len(found), bool)
        found[list(self._now[FaultReason.DEAD])] = True
        return found & zeros & speaking

    def _changes(self, reason: FaultReason, failed: Bools) -> list[SensorChange]:
        before, now = self._now[reason], set(np.flatnonzero(failed).tolist())
        self._now[reason] = now
        ids = [sensor.id for sensor in self._occupancy.sensors] if before != now else []
        return [
            SensorChange(ids[index], self._zones_of(index), reason, index in now)
            for index in sorted(before ^ now)
        ]

    def _zones_of(self, sensor: int) -> tuple[str, ...]:
        of = self._occupancy.sensors[sensor]
        if of.kind is SensorKind.HEAD:
            return (of.zone_id or "",)
        gate = self._place.gates.get(of.gate_id or "")
        return () if gate is None else tuple(id for id in (gate.zone_a, gate.zone_b) if id)
