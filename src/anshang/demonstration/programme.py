"""The programme of a demonstration: which sensors there are, and the rows that each of them sends, when.

A row's `at` is the end of the 10 seconds it counts. Recorded local hours are played as the same local hours
of the district. Rows of the silent sensor come late and all at once, as from a device that lost its network.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from anshang.demonstration.night import DAY_SLOTS, SLOT_S, Day, days
from anshang.demonstration.scenes import Scene

DAY_STARTS = time(5)
SILENT_FROM = timedelta(hours=15, minutes=10)
SILENT_FOR = timedelta(minutes=45)
"""After the first day's start: from 20:10 to 20:55."""

Row = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class SensorPlan:
    """A sensor to define: `gate_id` for a line counter, `zone_id` for a head counter."""

    id: str
    gate_id: str | None
    zone_id: str | None
    name_zh: str
    name_en: str


class Programme:
    """The rows of one demonstration by slot number; slot n covers the 10 s from `started_at` + n · 10 s.

    Slots must be asked for in order; asking again for slots of the present day is possible. BadInput when the
    first day has no full record.
    """

    def __init__(self, scene: Scene, first_on: date, *, seed: int = 1) -> None:
        scene.records.position_of(first_on)  # the day is made when its first rows are asked for
        self.scene = scene
        self.zone_info = ZoneInfo(scene.place.district.time_zone)
        self.started_at = self._instant(first_on, DAY_STARTS)
        self._first_on = first_on
        self._days = days(scene.staging, scene.records, first_on, seed=seed)
        self._day_number = -1
        self._day: Day | None = None
        staging = scene.staging
        self._heads = [f"h{staging.zone_ids[head].lstrip('z')}" for head in staging.heads]
        self._silent_from, self._silent_to = (
            int(span.total_seconds()) // SLOT_S for span in (SILENT_FROM, SILENT_FROM + SILENT_FOR)
        )

    @property
    def sensors(self) -> list[SensorPlan]:
        """Every sensor that sends rows."""
        place, staging = self.scene.place, self.scene.staging
        lines = [place.gates[gate] for gate in staging.gate_ids]
        zones = [place.zones[staging.zone_ids[head]] for head in staging.heads]
        return [
            *(SensorPlan(gate.id, gate.id, None, gate.name_zh, gate.name_en) for gate in lines),
            *(
                SensorPlan(id, None, zone.id, zone.name_zh, zone.name_en)
                for id, zone in zip(self._heads, zones, strict=True)
            ),
        ]

    def instant_of(self, wall_clock: time) -> datetime:
        """The instant of a wall-clock time of the first day; before 05:00 it is the night at its end."""
        day_on = self._first_on + timedelta(days=1 if wall_clock < DAY_STARTS else 0)
        return self._instant(day_on, wall_clock)

    def slots_until(self, at: datetime) -> int:
        """How many slots have ended by the instant."""
        return max(0, int((at - self.started_at).total_seconds() // SLOT_S))

    def ends_at(self, slot: int) -> datetime:
        """When the slot ends and its rows fall due."""
        return self.started_at + timedelta(seconds=(slot + 1) * SLOT_S)

    def rows(self, slot: int) -> list[Row]:
        """The rows that are sent when the slot has ended."""
        day_number, within = divmod(slot, DAY_SLOTS)
        day = self._day_of(day_number)
        silent = self.scene.staging.silent_gate if self._is_silent(slot) else -1
        at = self._at(slot)
        both = zip(
            self.scene.staging.gate_ids,
            day.passed_in[:, within].tolist(),
            day.passed_out[:, within].tolist(),
            strict=True,
        )
        rows: list[Row] = [
            {"sensor": gate, "at": at, "in": entered, "out": left}
            for number, (gate, entered, left) in enumerate(both)
            if number != silent
        ]
        seen = day.seen[:, within].tolist()
        rows += [
            {"sensor": head, "at": at, "people": people}
            for head, people in zip(self._heads, seen, strict=True)
        ]
        return rows + (self._late_rows(day) if slot == self._silent_to else [])

    def people(self, slot: int) -> int:
        """How many people there really are at the end of the slot."""
        day_number, within = divmod(slot, DAY_SLOTS)
        return int(self._day_of(day_number).people[:, within].sum())

    def _is_silent(self, slot: int) -> bool:
        return self._silent_from <= slot < self._silent_to

    def _late_rows(self, day: Day) -> list[Row]:
        gate = self.scene.staging.silent_gate
        slots = range(self._silent_from, self._silent_to)
        return [
            {
                "sensor": self.scene.staging.gate_ids[gate],
                "at": self._at(slot),
                "in": int(day.passed_in[gate, slot]),
                "out": int(day.passed_out[gate, slot]),
            }
            for slot in slots
        ]

    def _day_of(self, number: int) -> Day:
        if number < self._day_number:
            raise ValueError(f"day {number} of the programme is over")
        if number > self._day_number or self._day is None:
            self._day = next(islice(self._days, number - self._day_number - 1, None))
            self._day_number = number
        return self._day

    def _at(self, slot: int) -> str:
        return f"{self.ends_at(slot):%Y-%m-%dT%H:%M:%SZ}"

    def _instant(self, day_on: date, wall_clock: time) -> datetime:
        return datetime.combine(day_on, wall_clock, self.zone_info).astimezone(UTC)
