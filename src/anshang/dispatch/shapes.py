"""The answers of the dispatch routes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anshang.patrols.shapes import DutyShown, UnitShown
from anshang.web.shapes import BothLanguages, Shown


class ReasonShown(Shown):
    """Why a unit is not thought of, with the rule."""

    code: str
    zh: str
    en: str
    rule: str


class CandidateShown(Shown):
    """A unit that could go: travel time (s), one deviation of it, the time over empty streets, and the share
    of people still covered. `kept_for` is the incident that needs it more, `declined` when it was
    asked and did not go.
    """

    unit_id: str
    seconds: float
    spread_s: float
    cover_after: float
    empty_s: float | None
    kept_for: int | None
    declined: bool


class LeftOutShown(Shown):
    """A unit that is not thought of."""

    unit_id: str
    reasons: list[ReasonShown]


class AdviceShown(Shown):
    """Every unit of the district once: the candidates, the soonest first, and the others with why not.
    `advised` is the one to send, if anybody is left. `target_s` are the seconds left; `placed`
    says how well the place is known: "point", "zone", "nowhere", or "no_streets" where no way can be found.
    """

    incident_id: str
    placed: str
    target_s: float = 0.0
    task: str = "look"
    advised: str | None = None
    candidates: tuple[CandidateShown, ...] = ()
    left_out: tuple[LeftOutShown, ...] = ()
    cover_before: float = 1.0
    at: datetime


class AssignmentShown(Shown):
    """A unit asked to go to an incident."""

    id: str
    incident_id: str
    unit_id: str
    task: str
    state: str
    offered_at: datetime
    offered_by: str
    answer_by: datetime
    expected_s: float | None
    onward: bool
    answered_at: datetime | None
    moving_at: datetime | None
    on_scene_at: datetime | None
    ended_at: datetime | None
    because: str
    words: str
    drill: bool
    version: int


class WithinShown(Shown):
    """A unit on duty near an incident: metres as the crow flies."""

    unit_id: str
    apart_m: float
    status: str


class RungShown(Shown):
    """A rung of the district's ladder."""

    id: str
    name_zh: str
    name_en: str
    place_class: str
    kinds: list[str]
    starts: str
    target_s: float
    met_by: str


class LadderShown(Shown):
    """The district's ladder."""

    priorities: list[int]
    rungs: list[RungShown]
    raise_after_s: float
    notice_s: float
    answer_within_s: list[float]


class RungRunShown(Shown):
    """A rung of an incident."""

    rung_id: str
    due_at: datetime
    met_at: datetime | None
    met_by: str | None
    missed_at: datetime | None
    raised_at: datetime | None


class TierShown(Shown):
    """What a rung's units reach in time now: how many units, people, and the streets (lines of degrees)."""

    rung_id: str
    target_s: float
    units: int
    people: float
    lines: list[list[list[float]]]


class ReachShown(Shown):
    """The live reach; `total` are the people in the zones that are known."""

    at: datetime
    total: float
    unknown_zones: int
    tiers: list[TierShown]


class ReadBy(Shown):
    """Who has read a message."""

    name: str
    unit_id: str | None
    at: datetime


class MessageShown(Shown):
    """Something said on a board."""

    id: str
    incident_id: str | None
    from_name: str
    from_unit_id: str | None
    to_unit_id: str | None
    kind: str
    text: str
    report: dict[str, str]
    at: datetime
    received_at: datetime
    mine: bool
    read_at: datetime | None
    read_by: list[ReadBy]


class LogLine(Shown):
    """A line of the board's log."""

    seq: int
    at: datetime
    kind: str
    actor_name: str
    subject_id: str
    details: dict[str, Any]


class MomentKnown(Shown):
    """A step of the incident that was known."""

    step: str
    at: datetime
    recorded_at: datetime
    unit_id: str | None


class PositionKnown(Shown):
    """Where a unit was last known to be."""

    unit_id: str
    lon: float
    lat: float
    at: datetime


class BoardShown(Shown):
    """The board of an incident as it was known at `at`."""

    at: datetime
    priority: int
    category_id: str | None
    commander_id: str | None
    commander_name: str | None
    since_at: datetime | None
    moments: list[MomentKnown]
    assignments: list[AssignmentShown]
    rungs: list[RungRunShown]
    messages: list[MessageShown]
    positions: list[PositionKnown]
    log: list[LogLine]


class RollCallShown(Shown):
    """A roll-call and who has answered."""

    id: str
    incident_id: str | None
    asked_at: datetime
    answer_by: datetime
    unit_ids: list[str]
    present: dict[str, datetime]
    silent_at: datetime | None


class LoneShown(Shown):
    """Somebody who works alone."""

    id: str
    unit_id: str
    begun_at: datetime
    due_at: datetime
    ended_at: datetime | None
    overdue_at: datetime | None


class DutyRoom(Shown):
    """What the duty has in common: roll-calls, who works alone, and what was said."""

    at: datetime
    roll_calls: list[RollCallShown]
    lone: list[LoneShown]
    messages: list[MessageShown]


class UnitChoice(Shown):
    """A unit that one may begin duty with."""

    id: str
    kind_id: str
    call_sign: str
    name_zh: str
    name_en: str


class TaskShown(Shown):
    """A task of one's own unit, with the steps that this unit may do."""

    id: str
    incident_id: str
    number: int
    priority: int
    state: str
    offered_at: datetime
    answer_by: datetime
    expected_s: float | None
    goal_at: datetime | None
    category_zh: str | None
    category_en: str | None
    text: str
    place_words: str
    zone_id: str | None
    zone: BothLanguages | None
    lon: float | None
    lat: float | None
    steps: list[BothLanguages]
    call_back: bool
    """Whether there is a number to call back that may still be read."""
    drill: bool
    version: int


class AskedShown(Shown):
    """A roll-call that asks one's own unit."""

    id: str
    asked_at: datetime
    answer_by: datetime
    answered_at: datetime | None


class CallShown(Shown):
    """Something one has reported, and who at the desk has seen it."""

    id: str
    number: int
    text: str
    called_at: datetime
    seen_at: datetime | None
    seen_by: str | None
    closed: bool


class FieldShown(Shown):
    """Everything the phone shows."""

    at: datetime
    duty: DutyShown | None
    unit: UnitShown | None
    units: list[UnitChoice]
    tasks: list[TaskShown]
    messages: list[MessageShown]
    roll_calls: list[AskedShown]
    lone: LoneShown | None
    calls: list[CallShown]
