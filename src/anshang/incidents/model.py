"""An incident is what somebody reports: a matter of its own kind, with a category, a place and the steps of
its life, each with its own instant.

A step is never made up: one that nobody told is missing and stays so; a correction is a new moment that names
the one it corrects. No personal data: whoever calls has no field here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from anshang.foundation.actor import Actor, Permission
from anshang.foundation.errors import BadInput, RuleBroken
from anshang.people.model import Role

CLOCKS_APART = timedelta(seconds=5)
"""How far from ours the clock of a desk may tell a step; a phone's may be wrong by any time."""


class Source(StrEnum):
    """By whom, or what, it came to the desk."""

    PHONE = "phone"
    KIOSK = "kiosk"
    PATROL = "patrol"
    MERCHANT = "merchant"
    SOS = "sos"
    PUBLIC = "public"
    SENSOR = "sensor"


SELF_STARTED = frozenset({Source.PATROL})
"""What our own people found: told apart in every figure, for nobody waited for them."""
FROM_PHONES = frozenset({Source.SOS, Source.PATROL})
"""What a phone stamps: never refused for its time."""


SOURCES_OF: Mapping[Role, frozenset[Source]] = MappingProxyType(
    {
        Role.PATROL: frozenset({Source.PATROL, Source.SOS, Source.PHONE, Source.KIOSK}),
        Role.VOLUNTEER: frozenset({Source.PATROL, Source.SOS}),
        Role.PARTNER: frozenset({Source.MERCHANT}),
        Role.VISITOR: frozenset({Source.PUBLIC}),
    }
)
"""As what each role reports; one that is not named here, as anything."""


def check_source(actor: Actor, district_id: str, source: Source, drill: bool) -> None:
    """BadInput unless the actor's role reports as this, and may say that it is a drill: a true call that is
    marked as one is answered by nobody.
    """
    if source not in SOURCES_OF.get(Role(actor.role), Source):
        raise BadInput(
            "incident.bad_source", en="Your role does not report as this.", zh="您的角色不能以此来源报告。"
        )
    if drill and not actor.may(Permission.INCIDENT_ACT, district_id):
        raise BadInput(
            "incident.no_drill",
            en="Only the desk marks a report as a drill.",
            zh="只有指挥台可将报告标为演练。",
        )


class Step(StrEnum):
    """The steps of an incident's life, in their order."""

    CALL = "call"
    ANSWERED = "answered"
    CLASSIFIED = "classified"
    DISPATCHED = "dispatched"
    ACKNOWLEDGED = "acknowledged"
    MOVING = "moving"
    ON_SCENE = "on_scene"
    CONTROLLED = "controlled"
    CLEARED = "cleared"


ENDS = frozenset({Step.CONTROLLED, Step.CLEARED})


class IncidentKind(StrEnum):
    """What can happen to an incident (journal kinds)."""

    REPORTED = "incident.reported"
    CLASSIFIED = "incident.classified"
    LOCATED = "incident.located"
    QUESTIONED = "incident.questioned"
    MARKED = "incident.marked"
    CANCELLED = "incident.cancelled"
    CLEARED = "incident.cleared"
    LINKED = "incident.linked"
    REPEATED = "incident.repeated"
    OFFERED = "transfer.offered"
    ACCEPTED = "transfer.accepted"
    REFUSED = "transfer.refused"
    DEFINED = "category.defined"
    RETIRED = "category.retired"


class LinkKind(StrEnum):
    """How two incidents belong together."""

    DUPLICATE = "duplicate"
    RELATED = "related"


class Interval(StrEnum):
    """Spans between two steps, as response is measured."""

    ANSWER = "answer"
    CLASSIFICATION = "classification"
    DISPATCH = "dispatch"
    TURNOUT = "turnout"
    TRAVEL = "travel"
    RESPONSE = "response"
    CONTROL = "control"
    TOTAL = "total"


SPANS: Mapping[Interval, tuple[Step, Step]] = MappingProxyType(
    {
        Interval.ANSWER: (Step.CALL, Step.ANSWERED),
        Interval.CLASSIFICATION: (Step.ANSWERED, Step.CLASSIFIED),
        Interval.DISPATCH: (Step.CLASSIFIED, Step.DISPATCHED),
        Interval.TURNOUT: (Step.DISPATCHED, Step.MOVING),
        Interval.TRAVEL: (Step.MOVING, Step.ON_SCENE),
        Interval.RESPONSE: (Step.CALL, Step.ON_SCENE),
        Interval.CONTROL: (Step.ON_SCENE, Step.CONTROLLED),
        Interval.TOTAL: (Step.CALL, Step.CLEARED),
    }
)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where it is: degrees (WGS-84) when they are known, a zone, premises, and words for the rest."""

    lon: float | None = None
    lat: float | None = None
    zone_id: str | None = None
    premises_id: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """What was reported; number, priority, text, state and body are those of the matter with the same id."""

    id: str
    district_id: str
    category_id: str | None
    suggested_id: str | None
    source: Source
    called_at: datetime
    lon: float | None
    lat: float | None
    zone_id: str | None
    premises_id: str | None
    place_words: str
    answers: dict[str, str] = field(default_factory=dict)
    cancelled: bool = False
    drill: bool = False
    version: int = 1

    def classified(self, category_id: str) -> Incident:
        """A person says what it is; a suggestion never overwrites that."""
        return replace(self, category_id=category_id)

    def located(self, spot: Spot) -> Incident:
        """A person says where it is."""
        return replace(
            self,
            lon=spot.lon,
            lat=spot.lat,
            zone_id=spot.zone_id,
            premises_id=spot.premises_id,
            place_words=spot.words,
        )


def not_before(start: datetime, at: datetime) -> datetime:
    """The instant, but `start` where it is at most CLOCKS_APART before that: another clock told it, or one
    that tells whole seconds.
    """
    return max(at, start) if at >= start - CLOCKS_APART else at


@dataclass(frozen=True, slots=True)
class Moment:
    """Somebody told when a step happened; `corrects` names an earlier moment that was wrong."""

    id: str
    district_id: str
    incident_id: str
    step: Step
    at: datetime
    recorded_at: datetime
    recorded_by: str
    unit_id: str | None = None
    corrects: str | None = None
    version: int = 1

    def check(self, called_at: datetime) -> None:
        """BadInput for a step before the call or in the future; the call itself may be set earlier."""
        if self.at > self.recorded_at + CLOCKS_APART:
            raise BadInput("moment.ahead", en="This has not happened yet.", zh="该时刻尚未到来。")
        if self.step is not Step.CALL and self.at < called_at:
            raise BadInput(
                "moment.before_call", en="Nothing happens before the call.", zh="时刻不得早于报警时间。"
            )


@dataclass(frozen=True, slots=True)
class Life:
    """The steps of an incident as they are known now: the first time of each, those that nobody told, and
    those told earlier than a step before them.
    """

    at: Mapping[Step, datetime]
    missing: tuple[Step, ...]
    out_of_order: tuple[Step, ...]

    def span_s(self, interval: Interval) -> float | None:
        """How long it lasted (s); None when one end is missing, or they are out of order."""
        begin, end = SPANS[interval]
        if begin not in self.at or end not in self.at or self.at[end] < self.at[begin]:
            return None
        return (self.at[end] - self.at[begin]).total_seconds()


def life_of(moments: Iterable[Moment], *, over: bool) -> Life:
    """What the moments tell: corrected ones are left out; of several units the first counts, of several ends,
    as after a reopening, the last. While the incident is not `over`, nothing is cleared, and the steps after
    the last one told are not missing yet.
    """
    told = list(moments)
    wrong = {moment.corrects for moment in told if moment.corrects is not None}
    valid = [moment for moment in told if moment.id not in wrong]
    first = {
        step: (max if step in ENDS else min)(moment.at for moment in valid if moment.step is step)
        for step in Step
        if any(moment.step is step for moment in valid) and (over or step is not Step.CLEARED)
    }
    order = list(Step)
    last = order[-1] if over else max(first, key=order.index, default=order[0])
    due = order[: order.index(last) + 1]
    known = [step for step in order if step in first]
    early = tuple(after for before, after in pairwise(known) if first[after] < first[before])
    return Life(MappingProxyType(first), tuple(step for step in due if step not in first), early)


@dataclass(frozen=True, slots=True)
class Transfer:
    """An incident offered to another body; open until it answers."""

    id: str
    district_id: str
    incident_id: str
    to_body_id: str
    reason: str
    offered_at: datetime
    offered_by: str
    accepted: bool | None = None
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str | None = None
    version: int = 1

    def answered(self, accepted: bool, words: str, by: str, at: datetime) -> Transfer:
        """The body takes it, or says why not; RuleBroken when it has answered already."""
        if self.accepted is not None:
            raise RuleBroken("transfer.answered", en="This was answered already.", zh="该移交已有答复。")
        if not accepted and not words.strip():
            raise BadInput("transfer.no_reason", en="Say why it is refused.", zh="请说明不接收的理由。")
        return replace(self, accepted=accepted, answer=words, answered_by=by, answered_at=at)


@dataclass(frozen=True, slots=True)
class Link:
    """Two incidents that belong together; a duplicate is told by `incident_id` of the one in `other_id`."""

    id: str
    district_id: str
    incident_id: str
    other_id: str
    kind: LinkKind
    linked_at: datetime
    linked_by: str
    version: int = 1
