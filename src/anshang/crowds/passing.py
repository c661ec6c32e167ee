"""What is expected of every counter and gate in the next two hours: people passing a minute, heads in view.

Anew every minute, from the last day's minutes in the store; by today's course alone, as the outlook of zones
of which nothing is usual. A counter that tells less often than every five minutes says too little for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from anshang.crowds.ahead import HORIZONS_S, STEP_S, Band, band
from anshang.crowds.model import Sensor, SensorKind
from anshang.crowds.observations import minute_sums
from anshang.crowds.occupancy import Columns
from anshang.crowds.past import MEMORY_MINUTES
from anshang.crowds.store import list_sensors
from anshang.crowds.telemetry import MINUTE_MS, MINUTE_S
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.kernels.damped import look_ahead
from anshang.kernels.daygrid import Reals, mean_known

LATE_MINUTES = 5
"""Minutes that are read again: rows may still come for them."""
PIECE_MS = 2 * 3_600_000
"""Read at once, so that a start does not need much memory."""


@dataclass(frozen=True, slots=True)
class PassingAhead:
    """Of counters and gates by id: people a minute, both ways together; of head counters people in view."""

    at: datetime
    lines: dict[str, Band]
    gates: dict[str, Band]
    heads: dict[str, Band]


@dataclass(slots=True)
class _Minutes:
    """The last minutes of a district's sensors (S, MEMORY_MINUTES), ending before `end_ms`."""

    sensors: list[Sensor]
    end_ms: int
    values: Reals


class Passing:
    """What is expected of every watched district's counters."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._minutes: dict[str, _Minutes] = {}
        self._known: dict[str, PassingAhead] = {}

    def find(self, district_id: str) -> PassingAhead | None:
        """As it was last reckoned; None until it was."""
        return self._known.get(district_id)

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._minutes.pop(district_id, None)
        self._known.pop(district_id, None)

    def renew(self, district_id: str) -> PassingAhead:
        """Look ahead from the last whole minute."""
        end_ms = clock.to_ms(clock.now()) // MINUTE_MS * MINUTE_MS
        minutes = self._read(district_id, end_ms)
        line = [place for place, s in enumerate(minutes.sensors) if s.kind is SensorKind.LINE]
        head = [place for place, s in enumerate(minutes.sensors) if s.kind is SensorKind.HEAD]
        gates: dict[str, list[int]] = {}
        for place in line:
            gates.setdefault(minutes.sensors[place].gate_id or "", []).append(place)
        through = [mean_known(minutes.values[places], axis=0) for places in gates.values()]
        told = PassingAhead(
            clock.now(),
            _bands([minutes.sensors[place].id for place in line], minutes.values[line]),
            _bands(list(gates), np.stack(through) if through else minutes.values[:0]),
            _bands([minutes.sensors[place].id for place in head], minutes.values[head]),
        )
        self._known[district_id] = told
        return told

    def _read(self, district_id: str, end_ms: int) -> _Minutes:
        """The minutes up to `end_ms`: those that are known, and what came since."""
        known = self._minutes.get(district_id)
        with self._database.reading([district_id]) as connection:
            sensors = list_sensors(connection, district_id)
            if known is None or known.sensors != sensors or known.end_ms > end_ms:
                known = _Minutes(
                    sensors,
                    end_ms - MEMORY_MINUTES * MINUTE_MS,
                    np.full((len(sensors), MEMORY_MINUTES), np.nan),
                )
            gone = min(MEMORY_MINUTES, (end_ms - known.end_ms) // MINUTE_MS)
            values = np.full_like(known.values, np.nan)
            values[:, : MEMORY_MINUTES - gone] = known.values[:, gone:]
            fresh = min(MEMORY_MINUTES, gone + LATE_MINUTES)
            values[:, MEMORY_MINUTES - fresh :] = np.nan
            begin_ms = end_ms - MEMORY_MINUTES * MINUTE_MS
            for from_ms in range(end_ms - fresh * MINUTE_MS, end_ms, PIECE_MS):
                to_ms = min(end_ms, from_ms + PIECE_MS)
                _put(values, sensors, minute_sums(connection, district_id, from_ms, to_ms), begin_ms)
        self._minutes[district_id] = _Minutes(sensors, end_ms, values)
        return self._minutes[district_id]


def _put(values: Reals, sensors: Sequence[Sensor], columns: Columns, begin_ms: int) -> None:
    """Put rows into minutes (S, MEMORY_MINUTES) that begin at an instant."""
    if not len(columns.sensor):
        return
    place_of = {sensor.id: place for place, sensor in enumerate(sensors)}
    row = np.array([place_of.get(id, -1) for id in columns.sensor_ids], np.int64)[columns.sensor]
    minute = (columns.at_ms - begin_ms) // MINUTE_MS
    scale = np.array([MINUTE_S / max(MINUTE_S, sensor.period_s) for sensor in sensors])
    passed = (columns.in_count + columns.out_count) * scale[row]
    told = np.where(np.isnan(columns.people), passed, columns.people)
    kept = (row >= 0) & (minute >= 0) & (minute < MEMORY_MINUTES)
    values[row[kept], minute[kept]] = told[kept]


def _bands(ids: Sequence[str], minutes: Reals) -> dict[str, Band]:
    """What is expected of each series of minutes (n, MEMORY_MINUTES); one that is silent now is left out."""
    if not ids:
        return {}
    steps = mean_known(minutes.reshape(len(minutes), -1, STEP_S // MINUTE_S), axis=2)
    ahead = np.array(HORIZONS_S, np.int64) // STEP_S
    usual = np.full((len(steps), steps.shape[1] + int(ahead[-1])), np.nan)
    quantiles = look_ahead(steps, usual, STEP_S, ahead).quantiles
    return {
        id: band(quantiles[place]) for place, id in enumerate(ids) if not np.isnan(quantiles[place]).any()
    }
