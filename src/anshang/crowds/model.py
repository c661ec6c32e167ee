"""Sensors and what they deliver, levels and their rules, measures, and what can happen to a crowd.

Units: people are counts, areas square metres, densities people per square metre, periods seconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from anshang.foundation.errors import BadInput

OWN_RULE = "*"
"""The zone of a rule that holds for every zone of its kind of space."""


class SensorKind(StrEnum):
    """What a sensor counts: passages through a gate, or heads in a zone."""

    LINE = "line"
    HEAD = "head"


class CrowdKind(StrEnum):
    """What can happen to a crowd and to those who count it (journal kinds)."""

    LEVEL_CROSSED = "level.crossed"
    LEVEL_CONFIRMED = "level.confirmed"
    LEVEL_LOWERED = "level.lowered"
    LEVEL_HELD = "level.held"
    LEVELS_CHANGED = "levels.changed"
    WARNING_RAISED = "warning.raised"
    WARNING_CLOSED = "warning.closed"
    FLOW_EXCEEDED = "flow.exceeded"
    FLOW_EASED = "flow.eased"
    MEASURE_TAKEN = "measure.taken"
    MEASURE_JUDGED = "measure.judged"
    MEASURE_WITHDRAWN = "measure.withdrawn"
    ZONE_COUNTED = "zone.counted"
    SENSOR_DEFINED = "sensor.defined"
    SENSOR_RETIRED = "sensor.retired"
    SENSOR_FAILED = "sensor.failed"
    SENSOR_RECOVERED = "sensor.recovered"
    FORECAST_TRAINED = "forecast.trained"
    FORECAST_CHOSEN = "forecast.chosen"
    FORECAST_FAILED = "forecast.failed"


class Level(IntEnum):
    """Operational levels of this product, not the government's warnings."""

    NORMAL = 0
    ATTENTION = 1
    CAUTION = 2
    ALERT = 3
    SERIOUS = 4


class Quality(StrEnum):
    """What the number of people in a zone rests on."""

    COUNTED = "counted"
    SEEN = "seen"
    BOTH = "both"
    DISAGREES = "disagrees"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """What a change of density after a measure is put down to, beside what had been expected without it."""

    MEASURE = "measure"
    """Less dense than the interval of what was expected."""
    CLOCK = "clock"
    """As expected: it would have come without the measure as well."""
    DESPITE = "despite"
    """Denser than the interval, although something was done."""


class FaultReason(StrEnum):
    """Why a sensor's counts cannot be trusted."""

    SILENT = "silent"
    DISAGREES = "disagrees"
    DEAD = "dead"
    """Zeros through hours at which it never counted none."""
    BURST = "burst"
    """It sent at once what it kept over an outage."""


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """Something that draws people: the same kind bears the same name each time."""

    name: str
    start_at: datetime
    end_at: datetime
    expected_count: int | None = None


@dataclass(frozen=True, slots=True)
class EventLeftOut:
    """An event of a file that was not entered, and why, in both languages."""

    name: str
    en: str
    zh: str


class ModelState(StrEnum):
    """Of a trained forecast: shown at the desk, shown before, or never better than the one shown then."""

    IN_USE = "in_use"
    REPLACED = "replaced"
    NOT_BETTER = "not_better"


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A trained forecast of a district's zones and how it did on the last week before it was made, which it
    had not seen. `figures` holds, for each horizon, `loss` and `error` of this one (`mine`), of the one in
    use then (`running`) and of the outlook without training (`plain`), and `covered80` of this one.
    """

    id: str
    district_id: str
    trained_at: datetime
    learnt_until_at: datetime
    days_count: int
    zones_count: int
    state: ModelState
    figures: dict[str, dict[str, list[float | None]]]
    version: int = 1

    @property
    def gain_share(self) -> float:
        """By how much its loss is lower than that of the one in use then; 0 where one is not known."""
        mine, running = (
            [x for x in self.figures[name]["loss"] if x is not None] for name in ("mine", "running")
        )
        if not mine or len(mine) != len(running) or len(mine) != len(self.figures["mine"]["loss"]):
            return 0.0
        return 1 - sum(mine) / sum(running) if sum(running) > 0 else 0.0


class Observation(NamedTuple):
    """One accepted row. For a gate between [A, B], `in_count` passed from B into A, `out_count` from A
    into B.

    A line counter has no `people_count`; a head counter has neither in nor out.
    """

    sensor_id: str
    at_ms: int
    in_count: int
    out_count: int
    people_count: int | None


@dataclass(frozen=True, slots=True)
class Sensor:
    """A counter at a gate or over a zone. `share_seen` is the share of the zone that a head counter sees."""

    id: str
    district_id: str
    kind: SensorKind
    gate_id: str | None
    zone_id: str | None
    name_zh: str
    name_en: str
    period_s: float
    share_seen: float = 1.0
    error_share: float = 0.05
    retired_at: datetime | None = None
    version: int = 1

    def check(self) -> None:
        """BadInput unless the sensor can be."""
        fits = (self.gate_id is None) != (self.kind is SensorKind.LINE)
        fits &= (self.zone_id is None) != (self.kind is SensorKind.HEAD)
        if not fits:
            raise BadInput(
                "sensor.misplaced",
                en="A line counter belongs to a gate, a head counter to a zone.",
                zh="过线计数器应属于通道口，区域计数器应属于区域。",
            )
        if not (1 <= self.period_s <= 3600 and 0 < self.share_seen <= 1 and 0 <= self.error_share <= 1):
            raise BadInput(
                "sensor.out_of_range",
                en="Period 1 to 3600 s, share seen above 0 up to 1, error 0 to 1.",
                zh="周期 1 至 3600 秒，可见比例大于 0 且不超过 1，误差 0 至 1。",
            )


@dataclass(frozen=True, slots=True)
class LevelRules:
    """When a zone rises to and falls from each level 1 to 4: densities (people per m²) and how long they
    last (s).
    """

    rises: tuple[float, float, float, float]
    falls: tuple[float, float, float, float]
    rise_after_s: tuple[float, float, float, float] = (60.0, 60.0, 30.0, 0.0)
    fall_after_s: tuple[float, float, float, float] = (300.0, 300.0, 300.0, 600.0)

    @property
    def edition(self) -> str:
        """A word that is another one for other rules."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def check(self) -> None:
        """BadInput unless rises grow and every fall lies below its rise."""
        grows = all(low < high for low, high in zip((0.0, *self.rises), self.rises, strict=False))
        below = all(0 < fall < rise for fall, rise in zip(self.falls, self.rises, strict=True))
        grows_too = all(low < high for low, high in zip(self.falls, self.falls[1:], strict=False))
        waits = all(0 <= wait_s <= 7200 for wait_s in (*self.rise_after_s, *self.fall_after_s))
        if not (grows and below and grows_too and waits and self.rises[-1] <= 12):
            raise BadInput(
                "levels.unsound",
                en="Each level rises above the one before and falls below its rise; waits last 0 to 7200 s.",
                zh="各级上升阈值须递增，下降阈值须低于上升阈值；持续时间为 0 至 7200 秒。",
            )


MOVING = LevelRules(rises=(1.0, 2.0, 3.0, 4.0), falls=(0.8, 1.6, 2.5, 3.0))
STANDING = LevelRules(rises=(1.5, 3.0, 4.0, 5.0), falls=(1.2, 2.5, 3.5, 4.0))
"""The defaults of a new district: Fruin, Still and Seoul's practice, as the level's rule on screen says."""


@dataclass(frozen=True, slots=True)
class ZoneState:
    """What was decided about a zone and outlives a restart: its level, whether level 4 waits to be confirmed
    (`pending`), and what a person said about level 4.
    """

    id: str
    district_id: str
    level: Level
    since_at: datetime
    pending: Level | None = None
    confirmed: bool = False
    may_fall: bool = False
    version: int = 1

    def crossed(self, crossing: Crossing, at: datetime) -> ZoneState:
        """The state after its level changed, or what waits to be confirmed did; what a person had said ends
        with what they said it about.
        """
        serious = crossing.after is Level.SERIOUS
        return replace(
            self,
            level=crossing.after,
            since_at=self.since_at if crossing.after is self.level else at,
            pending=crossing.pending,
            confirmed=self.confirmed and (serious or crossing.pending is not None),
            may_fall=False,
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """Something done about a crowd, and the density before and a quarter of an hour after, beside what was
    expected for then: the middle, and between which it lies four times of five.
    """

    id: str
    district_id: str
    zone_id: str
    matter_id: str | None
    step: str | None
    note: str
    taken_at: datetime
    taken_by: str
    density_before: float | None
    density_after: float | None = None
    judged_at: datetime | None = None
    density_expected: float | None = None
    density_expected_low: float | None = None
    density_expected_high: float | None = None
    version: int = 1

    @property
    def cause(self) -> Cause | None:
        """Was it the measure or the clock? None until it is judged, or where nothing had been expected."""
        low, high, after = self.density_expected_low, self.density_expected_high, self.density_after
        if after is None or low is None or high is None:
            return None
        return Cause.MEASURE if after < low else Cause.DESPITE if after > high else Cause.CLOCK


@dataclass(frozen=True, slots=True)
class PersonCount:
    """A count by eye: the people in a zone at an instant, with the error the person states."""

    id: str
    district_id: str
    zone_id: str
    at: datetime
    people_count: int
    error_share: float
    counted_by: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Crossing:
    """A zone's level changed, or level 4 waits for a second source or a person (`pending`), or it rose again
    before it fell (`before` and `after` are 4): what a person allowed is over.
    """

    zone_id: str
    before: Level
    after: Level
    pending: Level | None
    density: float
    people_count: int

    @property
    def subject_id(self) -> str:
        """What it is about."""
        return self.zone_id


@dataclass(frozen=True, slots=True)
class FlowChange:
    """A gate's sustained flow passed what a gate can carry, or came back below it (people per metre and
    minute).
    """

    gate_id: str
    exceeded: bool
    flow: float

    @property
    def subject_id(self) -> str:
        """What it is about."""
        return self.gate_id


@dataclass(frozen=True, slots=True)
class SensorChange:
    """A sensor's counts cannot be trusted for a reason, or can again (`failed` False)."""

    sensor_id: str
    zone_ids: tuple[str, ...]
    reason: FaultReason
    failed: bool

    @property
    def subject_id(self) -> str:
        """What it is about."""
        return self.sensor_id


EngineEvent = Crossing | FlowChange | SensorChange
