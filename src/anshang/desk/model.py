"""Who is on the desk and what the kiosk does for people: shifts and their hand-over, the log, services."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from anshang.foundation.errors import BadInput, RuleBroken


class DeskKind(StrEnum):
    """What can happen at the desk (journal kinds)."""

    SHIFT_BEGUN = "shift.begun"
    SHIFT_JOINED = "shift.joined"
    SHIFT_HANDED_OVER = "shift.handed_over"
    SHIFT_ACCEPTED = "shift.accepted"
    DUTY_NOTED = "duty_note.written"
    SERVICE_ASKED = "service.asked"
    SERVICE_DONE = "service.done"
    FOUND_KEPT = "found.kept"
    FOUND_ENDED = "found.ended"
    ORDER_GIVEN = "order.given"
    ORDER_RAISED = "order.raised"
    ORDER_STOOD_DOWN = "order.stood_down"
    ORDER_UNDONE = "order.undone"


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on the desk, from when; handed over with a note that the next one must accept."""

    id: str
    district_id: str
    began_at: datetime
    people: tuple[str, ...]
    handed_over_at: datetime | None = None
    handed_over_by: str | None = None
    note: str = ""
    open_items: dict[str, int] = field(default_factory=dict)
    accepted_at: datetime | None = None
    accepted_by: str | None = None
    version: int = 1

    def joined(self, by: str) -> Shift:
        """Somebody more is on the desk; RuleBroken once it was handed over."""
        self._must_run()
        return self if by in self.people else replace(self, people=(*self.people, by))

    def handed_over(self, by: str, at: datetime, note: str, open_items: dict[str, int]) -> Shift:
        """Ready for the next shift, with what they must know; BadInput without a word."""
        self._must_run()
        if by not in self.people:
            raise RuleBroken("shift.not_yours", en="You are not in this shift.", zh="您不在当前班次中。")
        if not note.strip():
            raise BadInput("shift.no_note", en="Write what they must know.", zh="请填写交接内容。")
        return replace(self, handed_over_at=at, handed_over_by=by, note=note, open_items=open_items)

    def accepted(self, by: str, at: datetime) -> Shift:
        """Somebody else has read the note and takes over."""
        if self.handed_over_at is None or self.accepted_at is not None:
            raise RuleBroken("shift.not_waiting", en="Nothing waits to be accepted.", zh="没有待接收的交接。")
        if by == self.handed_over_by:
            raise RuleBroken(
                "shift.same_person", en="Somebody else must accept it.", zh="须由接班人员确认接收。"
            )
        return replace(self, accepted_at=at, accepted_by=by)

    def _must_run(self) -> None:
        if self.handed_over_at is not None:
            raise RuleBroken("shift.over", en="This shift was handed over.", zh="该班次已交接。")


@dataclass(frozen=True, slots=True)
class DutyNote:
    """A line of the duty log."""

    id: str
    district_id: str
    shift_id: str
    at: datetime
    author_id: str
    text: str
    version: int = 1


class Service(StrEnum):
    """What a kiosk does for people: aid 救助, advice 咨询, convenience 便民. None asks who it is for."""

    FIRST_AID = "first_aid"
    WHEELCHAIR = "wheelchair"
    SHELTER = "shelter"
    DIRECTIONS = "directions"
    POLICE = "police"
    TRANSPORT = "transport"
    WATER = "water"
    CHARGE = "charge"
    LOST_PROPERTY = "lost_property"


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """Somebody at the kiosk wanted something; counted, with the time they waited."""

    id: str
    district_id: str
    service: Service
    asked_at: datetime
    asked_by: str
    done_at: datetime | None = None
    done_by: str | None = None
    version: int = 1

    def done(self, by: str, at: datetime) -> ServiceRequest:
        """They have got it; saying so twice changes nothing."""
        return self if self.done_at else replace(self, done_at=at, done_by=by)


@dataclass(frozen=True, slots=True)
class Order:
    """What a zone's level asks of units and shops, given at once; stands until it is stood down."""

    id: str
    district_id: str
    zone_id: str
    level: int
    incident_id: str
    notice_id: str
    given_at: datetime
    given_by: str
    stood_down_at: datetime | None = None
    stood_down_by: str | None = None
    drill: bool = False
    version: int = 1

    def stood_down(self, by: str, at: datetime) -> Order:
        """It is over."""
        return replace(self, stood_down_at=at, stood_down_by=by)


class Thing(StrEnum):
    """What sort of thing it is."""

    PHONE = "phone"
    WALLET = "wallet"
    BAG = "bag"
    KEYS = "keys"
    CARD = "card"
    CLOTHES = "clothes"
    GLASSES = "glasses"
    UMBRELLA = "umbrella"
    TOY = "toy"
    JEWELLERY = "jewellery"
    OTHER = "other"


class Outcome(StrEnum):
    """Where it went: to whom it belongs, or to the lost property office."""

    RETURNED = "returned"
    PASSED_ON = "passed_on"


@dataclass(frozen=True, slots=True)
class FoundItem:
    """Something that was handed in; `words` are for the counter alone, to know the owner by."""

    id: str
    district_id: str
    thing: Thing
    zone_id: str | None
    words: str
    kept_at: datetime
    kept_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    outcome: Outcome | None = None
    version: int = 1
