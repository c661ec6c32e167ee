"""Flow through every gate, from the last minutes of its counters; and counters of one gate that contradict
each other.

Flow is people per metre of width and minute, both directions together. Sustained means over five minutes.
Planning stays at 60; above 66 (steps; Green Guide) a gate is over what it carries, and it is over until it
is back at 60.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from anshang.crowds.occupancy import Bools, Floats, Occupancy, Rows
from anshang.places.model import Place

BUCKET_MS = 10_000
BUCKETS = 36
MINUTE_BUCKETS = 6
SUSTAINED_BUCKETS = 30
SUSTAINED_MAX = 66.0
SUSTAINED_OVER = 60.0
CONTRADICTION_SHARE = 0.3
CONTRADICTION_PEOPLE_MIN = 50.0


class Flows:
    """A ring of six minutes in buckets of ten seconds, per sensor (S), for in and out."""

    def __init__(self, place: Place, occupancy: Occupancy) -> None:
        self._occupancy = occupancy
        self._width_m = np.array([gate.width_m for gate in place.gates.values()])
        self._ring = np.zeros((len(occupancy.sensors), BUCKETS, 2))
        self._newest = 0
        self._spread = np.clip(np.ceil(occupancy.period_ms / BUCKET_MS), 1, SUSTAINED_BUCKETS).astype(
            np.int64
        )
        self._over = np.zeros(len(self._width_m), bool)
        self._minute = np.zeros((len(self._width_m), 2))
        self._sustained = np.zeros(len(self._width_m))
        self.disagrees: Bools = np.zeros(len(occupancy.sensors), bool)

    def begin_over(self, gate_ids: Iterable[str]) -> None:
        """Gates that were over their limit before a restart."""
        self._over[
            [self._occupancy.gate_ids.index(id) for id in gate_ids if id in self._occupancy.gate_ids]
        ] = True

    def take(self, rows: Rows) -> None:
        """Put passages into the buckets of the time they were counted in; what is older than the ring is
        left out.
        """
        if not rows.at_ms.size:
            return
        self._advance(int(rows.at_ms.max()) // BUCKET_MS)
        rows = rows.where(np.isnan(rows.people) & (rows.at_ms // BUCKET_MS > self._newest - BUCKETS))
        for width in np.unique(self._spread[rows.sensor]).tolist():
            alike = rows.where(self._spread[rows.sensor] == width)
            passed = np.stack([alike.in_count, alike.out_count], axis=1) / width
            for back in range(width):
                bucket = alike.at_ms // BUCKET_MS - back
                fresh = bucket > self._newest - BUCKETS
                np.add.at(self._ring, (alike.sensor[fresh], bucket[fresh] % BUCKETS), passed[fresh])

    def judge(self) -> None:
        """Reckon the flows of the last minutes before the newest row, and which counters contradict each
        other.
        """
        minute = self._last(MINUTE_BUCKETS)
        sustained = self._last(SUSTAINED_BUCKETS)
        for way in (0, 1):
            self._minute[:, way] = self._occupancy.gate_flows(minute[:, way])
        passed = sustained.sum(axis=1)
        through = self._occupancy.gate_flows(passed)
        self._sustained = through / self._width_m / (SUSTAINED_BUCKETS / MINUTE_BUCKETS)
        self._compare(passed)

    def changes(self) -> list[tuple[int, bool, float]]:
        """Gates whose sustained flow passed the limit or came back: index, over, flow."""
        over = np.where(self._over, self._sustained > SUSTAINED_OVER, self._sustained > SUSTAINED_MAX)
        changed = np.flatnonzero(over != self._over)
        self._over = over
        return [(int(gate), bool(over[gate]), float(self._sustained[gate])) for gate in changed]

    def figures(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What is shown of every gate: flow now, in and out per minute, whether it is over."""
        flow = (self._minute.sum(axis=1) / self._width_m).round(1).tolist()
        into, out = self._minute.round().astype(int).T.tolist()
        counted = np.zeros(len(flow), bool)
        lines = self._occupancy.active & (self._occupancy.sensor_gate >= 0)
        counted[self._occupancy.sensor_gate[lines]] = True
        for index, id in enumerate(self._occupancy.gate_ids):
            known = bool(counted[index])
            yield (
                id,
                {
                    "flow": flow[index] if known else None,
                    "in_per_min": into[index] if known else None,
                    "out_per_min": out[index] if known else None,
                    "over": bool(self._over[index]),
                },
            )

    def _compare(self, passed: Floats) -> None:
        """Two counters of one gate cannot both be right when they differ by a third over five minutes."""
        speaking = np.flatnonzero(self._occupancy.active & (self._occupancy.sensor_gate >= 0))
        gate = self._occupancy.sensor_gate[speaking]
        most, least = np.zeros(len(self._width_m)), np.full(len(self._width_m), np.inf)
        np.maximum.at(most, gate, passed[speaking])
        np.minimum.at(least, gate, passed[speaking])
        apart = (most >= CONTRADICTION_PEOPLE_MIN) & (most - least > CONTRADICTION_SHARE * most)
        self.disagrees[:] = False
        self.disagrees[speaking] = apart[gate]

    def _advance(self, newest: int) -> None:
        gone = newest - self._newest
        if gone >= BUCKETS:
            self._ring[:] = 0
        elif gone > 0:
            self._ring[:, [(self._newest + step) % BUCKETS for step in range(1, gone + 1)]] = 0
        self._newest = max(self._newest, newest)

    def _last(self, buckets: int) -> Floats:
        """Sums (S, 2) over the last complete buckets before the newest row's."""
        columns = [(self._newest - back) % BUCKETS for back in range(buckets)]
        return np.asarray(self._ring[:, columns].sum(axis=1))
