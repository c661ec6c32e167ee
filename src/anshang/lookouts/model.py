"""Who is looked for, what draws people, how well a look finds somebody who is there, and how a look-out goes
on by the minute until somebody is handed over.

Nothing here says who it is: that is in the vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from anshang.foundation.errors import BadInput, RuleBroken
from anshang.places.model import Trade


class AgeBand(StrEnum):
    """How old somebody is, as far as a search needs it."""

    SMALL = "small"
    CHILD = "child"
    YOUTH = "youth"
    ELDERLY = "elderly"


PACE = {AgeBand.SMALL: 0.45, AgeBand.CHILD: 0.6, AgeBand.YOUTH: 0.85, AgeBand.ELDERLY: 0.5}
"""Speed over that of a grown-up in the same crowd, with pauses."""

ATTRACTION = {
    Trade.SHOP: 1.0,
    Trade.FOOD: 1.2,
    Trade.HOTEL: 0.5,
    Trade.TRANSPORT: 1.5,
    Trade.TOILET: 1.0,
    Trade.SERVICE: 0.4,
    Trade.CULTURE: 1.5,
    Trade.OTHER: 0.4,
}
"""How much premises draw somebody who strays; an exit draws EXIT_ATTRACTION."""
EXIT_ATTRACTION = 1.0


@dataclass(frozen=True, slots=True)
class Detection:
    """How well somebody is found by those who know whom to look for."""

    inside: float = 0.85
    """By a merchant who was asked, when she is in the premises."""
    door: float = 0.5
    """By the same, when she stands outside the door."""
    passing: float = 0.12
    """By the same, when she only goes by."""
    patrol: float = 0.8
    """By a unit at the same place, outside."""
    patrol_inside: float = 0.3
    """By the same, when she is in the premises."""
    answer_median_s: float = 60.0
    answer_spread: float = 0.5
    """Of the logarithm: how long after the notice a merchant looks."""


DETECTION = Detection()


class Sort(StrEnum):
    """What is looked for."""

    CHILD = "child"
    ELDERLY = "elderly"
    GROUP = "group"
    ITEM = "item"


HANDED_OVER = frozenset({Sort.CHILD, Sort.ELDERLY})
"""Whoever cannot speak for themselves is given only to somebody who was checked by two people."""
VOUCHERS = 2


class State(StrEnum):
    """Where a look-out stands."""

    OPEN = "open"
    FOUND = "found"
    CLOSED = "closed"


class LookKind(StrEnum):
    """How somebody looked."""

    SWEEP = "sweep"
    WATCH = "watch"
    SENT = "sent"
    """A unit is on its way to look."""


class LookoutKind(StrEnum):
    """What can happen to a look-out (journal kinds)."""

    OPENED = "lookout.opened"
    LOOKED = "lookout.looked"
    SEEN = "lookout.seen"
    STEPPED = "lookout.stepped"
    FOUND = "lookout.found"
    LOST_AGAIN = "lookout.lost_again"
    VOUCHED = "lookout.vouched"
    REFUSED = "lookout.refused"
    RELEASED = "lookout.released"
    CLOSED = "lookout.closed"
    ERASED = "lookout.erased"


class Step(StrEnum):
    """What is to be done by which minute."""

    INTAKE = "intake"
    EXITS = "exits"
    NEAREST = "nearest"
    SECTORS = "sectors"
    WIDER = "wider"
    SUPERVISOR = "supervisor"
    MISSING = "missing"


PLAN: Mapping[Step, float] = {
    Step.INTAKE: 60.0,
    Step.EXITS: 120.0,
    Step.NEAREST: 300.0,
    Step.SECTORS: 600.0,
    Step.WIDER: 600.0,
    Step.SUPERVISOR: 900.0,
    Step.MISSING: 1_200.0,
}
"""Seconds after the look-out was opened by which each step is to be done."""

BY_ITSELF = (Step.WIDER, Step.SUPERVISOR, Step.MISSING)
"""What the clock does when nobody was faster."""

ERASE_AFTER = timedelta(hours=24)
UNSURE_S = 60.0
"""Nobody knows to the minute when she was last seen."""
ITEM_STRAYS_S = 300.0
"""A thing does not walk; whoever picked it up brought it about so far."""


@dataclass(frozen=True, slots=True)
class Lookout:
    """Somebody, or something, that is looked for; number, priority and queue are those of the matter with the
    same id. `steps` are those that were done, `vouchers` who has checked the guardian, `origin_…` that
    of a neighbouring district which this one was passed on from.
    """

    id: str
    district_id: str
    sort: Sort
    age_band: AgeBand
    seen_at: datetime
    lon: float
    lat: float
    zone_id: str | None
    premises_id: str | None
    opened_at: datetime
    opened_by: str
    notice_id: str
    state: State = State.OPEN
    steps: tuple[str, ...] = ()
    found_at: datetime | None = None
    found_by: str | None = None
    vouchers: tuple[str, ...] = ()
    closed_at: datetime | None = None
    drill: bool = False
    origin_district: str | None = None
    origin_id: str | None = None
    version: int = 1

    def elapsed_s(self, at: datetime) -> float:
        """How long ago she was last seen; of a thing, as far as it may have been brought."""
        if self.sort is Sort.ITEM:
            return ITEM_STRAYS_S
        return max(UNSURE_S, (at - self.seen_at).total_seconds())

    @property
    def pace(self) -> float:
        """Her speed over that of a grown-up in the same crowd."""
        return 1.0 if self.sort in (Sort.ITEM, Sort.GROUP) else PACE[self.age_band]

    def stepped(self, step: Step) -> Lookout:
        """A step of the plan is done."""
        return self if step in self.steps else replace(self, steps=(*self.steps, str(step)))

    def due_by_itself(self, at: datetime) -> tuple[Step, ...]:
        """The steps that the clock takes now."""
        age_s = (at - self.opened_at).total_seconds()
        return tuple(step for step in BY_ITSELF if age_s >= PLAN[step] and step not in self.steps)

    def found(self, by: str, at: datetime) -> Lookout:
        """Somebody has her: RuleBroken unless she was looked for."""
        self.must_be(State.OPEN)
        return replace(self, state=State.FOUND, found_at=at, found_by=by)

    def lost_again(self) -> Lookout:
        """It was somebody else, or she is gone again: the neighbours must look again, too."""
        self.must_be(State.FOUND)
        steps = tuple(step for step in self.steps if step != Step.WIDER)
        return replace(self, state=State.OPEN, steps=steps, found_at=None, found_by=None, vouchers=())

    def vouched(self, by: str, *, answered: bool, document_seen: bool) -> Lookout:
        """One of two people has checked the guardian: RuleBroken for the same person twice, BadInput unless
        the question was answered and a document seen.
        """
        self.must_be(State.FOUND)
        if by in self.vouchers:
            raise RuleBroken(
                "lookout.same_voucher",
                en="A second person must check as well, not the same one again.",
                zh="须由另一名工作人员复核，不能由同一人重复确认。",
            )
        if not (answered and document_seen):
            raise BadInput(
                "lookout.not_shown",
                en="Hand her over only when the question was answered and a document seen; else refuse.",
                zh="须答对监护人问题并查看证件后方可确认；否则请选择拒绝移交。",
            )
        return replace(self, vouchers=(*self.vouchers, by))

    def refused(self) -> Lookout:
        """Whoever came for her could not show that they may: checks begin anew."""
        self.must_be(State.FOUND)
        return replace(self, vouchers=())

    def released(self, at: datetime) -> Lookout:
        """She was handed over: RuleBroken before two people have checked, where that is needed."""
        self.must_be(State.FOUND)
        if self.sort in HANDED_OVER and len(self.vouchers) < VOUCHERS:
            raise RuleBroken(
                "lookout.not_vouched",
                en="Two people must have checked the guardian first.",
                zh="须先由两名工作人员完成监护人核验。",
            )
        return self.closed(at)

    def closed(self, at: datetime) -> Lookout:
        """It is over here, found or not."""
        if self.state is State.CLOSED:
            raise RuleBroken("lookout.closed", en="This look-out is closed.", zh="该协查已结束。")
        return replace(self, state=State.CLOSED, closed_at=at)

    def must_be(self, state: State) -> None:
        """RuleBroken when it stands elsewhere."""
        if self.state is not state:
            raise RuleBroken(
                "lookout.other_state",
                en=f"This look-out is {self.state}, not {state}.",
                zh="该协查当前状态不允许此操作。",
                details={"state": str(self.state)},
            )


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at a place (premises or gate) and found nobody; a watch goes on."""

    id: str
    district_id: str
    lookout_id: str
    place_id: str
    kind: LookKind
    at: datetime
    by: str
    unit_id: str | None = None
    version: int = 1


def check_words(name: str, *words: str) -> None:
    """BadInput when the name of whom is looked for stands in what merchants will read."""
    if name and any(name.casefold() in text.casefold() for text in words):
        raise BadInput(
            "lookout.name_in_notice",
            en="The name does not belong into the notice for merchants.",
            zh="通知商户的内容不得包含走失人员姓名。",
        )
