"""The answers of the partners' and notices' routes."""

from __future__ import annotations

from datetime import date, datetime

from anshang.web.shapes import BothLanguages, Shown


class PartnerShown(Shown):
    """A partner."""

    id: str
    body_id: str
    name_zh: str
    name_en: str
    side: str
    premises_id: str | None
    group_id: str
    opens: str
    closes: str
    languages: list[str]
    sees: list[str]
    version: int


class CheckState(Shown):
    """How a partner stands with one list: due or gone through in this period, and what was not right."""

    list_id: str
    due: bool
    period_on: date
    made_at: datetime | None
    not_in_order: list[str]
    spot_at: datetime | None


class PartnerLine(PartnerShown):
    """A partner in the register, with its duties and whether it has a contact."""

    duties: list[CheckState]
    has_contact: bool


class ContactShown(Shown):
    """Whom to call."""

    name: str
    phone: str
    stand_in: str
    stand_in_phone: str


class DutyItemShown(Shown):
    """One thing to look at."""

    id: str
    zh: str
    en: str


class DutyListShown(Shown):
    """What one side looks at, how often."""

    id: str
    side: str
    every: str
    name_zh: str
    name_en: str
    items: list[DutyItemShown]


class TallyShown(Shown):
    """How far a notice has come."""

    sent: int
    opened: int
    answers: dict[str, int]


class NoticeLine(Shown):
    """A notice without the words that are in the vault."""

    id: str
    kind: str
    subject_id: str | None
    words: BothLanguages | None
    asks: bool
    sent_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    drill: bool
    tally: TallyShown


class DeliveryShown(Shown):
    """What became of a notice at one partner; `call` when it should be telephoned."""

    partner_id: str
    name: BothLanguages
    sent_at: datetime
    opened_at: datetime | None
    reminded_at: datetime | None
    answer: str | None
    looked: list[str]
    answered_at: datetime | None
    call: bool


class NoticePage(NoticeLine):
    """A notice and what became of it everywhere."""

    deliveries: list[DeliveryShown]


class AnswerShown(Shown):
    """What a partner answered."""

    notice_id: str
    partner_id: str
    answer: str | None
    looked: list[str]
    answered_at: datetime | None
