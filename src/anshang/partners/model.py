"""Partners, what each of the three sides looks after, and notices with what was answered to them.

A partner is premises with people in charge: a shop, a property company's counter, a market office. Nothing
here rates anybody: an answer says what was looked at, and is worth the same whoever gave it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from anshang.foundation.errors import BadInput, RuleBroken


class Side(StrEnum):
    """The three sides of 三位一体: the police guide and supervise, property manages, shops look after
    themselves.
    """

    POLICE = "police"
    PROPERTY = "property"
    SHOP = "shop"


class Sight(StrEnum):
    """What a partner can see; nothing of who it is."""

    ENTRANCE = "entrance"
    TILL = "till"
    STREET_CAMERA = "street_camera"


class NoticeKind(StrEnum):
    """What a notice is for."""

    LOOKOUT = "lookout"
    REMINDER = "reminder"
    REQUEST = "request"


class Answer(StrEnum):
    """What a partner answers: seen, not here, or not sure and wants to be called."""

    SEEN = "seen"
    NOT_HERE = "not_here"
    UNSURE = "unsure"


class Looked(StrEnum):
    """Where a partner looked before it answered."""

    FLOOR = "floor"
    TILL = "till"
    FITTING_ROOMS = "fitting_rooms"
    TOILETS = "toilets"
    STORE_ROOM = "store_room"
    OUTSIDE = "outside"


class Every(StrEnum):
    """How often a duty is checked."""

    DAY = "day"
    WEEK = "week"


class PartnerEvent(StrEnum):
    """What can happen to partners and notices (journal kinds)."""

    ENTERED = "partner.entered"
    CHANGED = "partner.changed"
    RETIRED = "partner.retired"
    CHECKED = "duty_check.made"
    SENT = "notice.sent"
    WIDENED = "notice.widened"
    REMINDED = "notice.reminded"
    ILLUSTRATED = "notice.illustrated"
    OPENED = "notice.opened"
    ANSWERED = "notice.answered"
    WITHDRAWN = "notice.withdrawn"


@dataclass(frozen=True, slots=True)
class Partner:
    """Premises with people in charge. `body_id` is the organisation whose accounts speak for it; partners of
    one `group_id` help each other.
    """

    id: str
    district_id: str
    body_id: str
    name_zh: str
    name_en: str
    side: Side
    premises_id: str | None = None
    group_id: str = ""
    opens: str = ""
    closes: str = ""
    languages: tuple[str, ...] = ("zh",)
    sees: tuple[str, ...] = ()
    retired_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that partners are told. Words about a person are in the vault (`record_id`), others here."""

    id: str
    district_id: str
    kind: NoticeKind
    subject_id: str | None
    words_zh: str
    words_en: str
    record_id: str | None
    photo_id: str | None
    asks: bool
    sent_at: datetime
    sent_by: str
    expires_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    drill: bool = False
    public: bool = False
    """Whether the public page shows it, too."""
    version: int = 1

    def check_open(self, at: datetime) -> None:
        """RuleBroken once it was withdrawn, or is over."""
        if not self.open_at(at):
            raise RuleBroken("notice.over", en="This notice is over.", zh="该通知已结束。")

    def open_at(self, at: datetime) -> bool:
        """Whether it is shown."""
        return self.withdrawn_at is None and at < self.expires_at

    def withdrawn(self, by: str, at: datetime) -> Notice:
        """It is shown nowhere from now on; withdrawing it again changes nothing."""
        return self if self.withdrawn_at else replace(self, withdrawn_at=at, withdrawn_by=by)


REMIND_AFTER = timedelta(minutes=3)
HOUR_PATTERN = r"([01]\d|2[0-3]):[0-5]\d"
LANGUAGE_PATTERN = r"[a-z]{2,3}"
CALL_AFTER = timedelta(minutes=6)
"""Whoever has not answered by then is called by telephone."""
NOTICE_LASTS = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a notice at one partner."""

    id: str
    district_id: str
    notice_id: str
    partner_id: str
    sent_at: datetime
    opened_at: datetime | None = None
    reminded_at: datetime | None = None
    answer: Answer | None = None
    looked: tuple[str, ...] = ()
    answered_at: datetime | None = None
    answered_by: str | None = None
    version: int = 1

    def answered(self, answer: Answer, looked: Collection[Looked], by: str, at: datetime) -> Delivery:
        """What was answered; it may be changed. BadInput for “not here” without having looked anywhere."""
        if answer is Answer.NOT_HERE and not looked:
            raise BadInput("answer.nowhere", en="Say where you have looked.", zh="请选择已查看的位置。")
        told = tuple(sorted(str(one) for one in looked))
        return replace(self, answer=answer, looked=told, answered_at=at, answered_by=by)

    def waits(self) -> bool:
        """Whether it was not answered, or the answer was to call."""
        return self.answer in (None, Answer.UNSURE)


def week_of(on: date) -> date:
    """The Monday of a day's week: the longest period of a duty begins there."""
    return on - timedelta(days=on.weekday())


@dataclass(frozen=True, slots=True)
class DutyItem:
    """One thing to look at."""

    id: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class DutyList:
    """What one side looks at, how often."""

    id: str
    side: Side
    every: Every
    name_zh: str
    name_en: str
    items: tuple[DutyItem, ...]

    def period(self, on: date) -> date:
        """The first day of the period that a day is in."""
        return on if self.every is Every.DAY else week_of(on)


@dataclass(frozen=True, slots=True)
class DutyCheck:
    """A list gone through: which items were not in order. A spot check is somebody else's look."""

    id: str
    district_id: str
    partner_id: str
    list_id: str
    period_on: date
    not_in_order: tuple[str, ...]
    spot: bool
    made_at: datetime
    made_by: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Addressed:
    """Whom a notice is for: all partners when nothing is named, else those that fit everything named."""

    zone_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    trades: tuple[str, ...] = ()
    within_m: float | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Premised:
    """Where a partner is: zone, trade, metres to walk from the point that was asked about (None: unknown)."""

    zone_id: str | None = None
    trade: str = ""
    walk_m: float | None = None


def addressed(told: Addressed, partners: Collection[Partner], where: Mapping[str, Premised]) -> list[str]:
    """The partners (ids) that a notice is for; `where` by premises."""
    unknown = Premised()
    chosen = []
    for partner in partners:
        place = where.get(partner.premises_id or "", unknown)
        fits = (
            (not told.zone_ids or place.zone_id in told.zone_ids)
            and (not told.group_ids or partner.group_id in told.group_ids)
            and (not told.trades or place.trade in told.trades)
            and (told.within_m is None or (place.walk_m is not None and place.walk_m <= told.within_m))
        )
        if fits:
            chosen.append(partner.id)
    return chosen


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a notice has come."""

    sent: int = 0
    opened: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)


def tally(deliveries: Collection[Delivery]) -> Tally:
    """The deliveries, counted."""
    answers = {str(kind): sum(one.answer is kind for one in deliveries) for kind in Answer}
    return Tally(len(deliveries), sum(one.opened_at is not None for one in deliveries), answers)
