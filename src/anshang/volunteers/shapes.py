"""The answers of the routes of volunteer teams."""

from __future__ import annotations

from datetime import date, datetime

from anshang.web.shapes import Shown


class VolunteerShown(Shown):
    """Somebody who asked to join, or takes part; `name` is their account's, seconds those of the year."""

    id: str
    body_id: str | None
    applied_at: datetime
    state: str
    vetted_by: str | None
    account_id: str | None
    name: str | None
    served_s: float


class SignUpShown(Shown):
    """Somebody's place in a shift, and when they came and went."""

    id: str
    name: str
    offered: bool
    came_at: datetime | None
    went_at: datetime | None
    confirmed: bool


class TeamShiftShown(Shown):
    """A shift and who has signed up for it."""

    id: str
    work: str
    place: str
    starts_at: datetime
    ends_at: datetime
    wanted: int
    post_id: str | None
    skill: str | None
    cancelled_at: datetime | None
    taken: list[SignUpShown]


class CertificateShown(Shown):
    """Hours certified; `code` is printed on the paper."""

    code: str
    name: str
    from_on: date
    until_on: date
    served_s: float
    times: int
    issued_at: datetime
    revoked_at: datetime | None


class TeamShown(Shown):
    """Everybody, every shift from a month ago on, and every certificate."""

    volunteers: list[VolunteerShown]
    shifts: list[TeamShiftShown]
    certificates: list[CertificateShown]


class WhyNot(Shown):
    """Why a shift is not for somebody, with the rule."""

    zh: str
    en: str
    rule: str


class MyShift(Shown):
    """A shift as a volunteer sees it: free places, their own, places that others offer, and why not."""

    id: str
    work: str
    place: str
    starts_at: datetime
    ends_at: datetime
    wanted: int
    skill: str | None
    free: int
    mine: SignUpShown | None
    offers: list[str]
    why_not: list[WhyNot]


class MyTeam(Shown):
    """A volunteer's own page; `member` false for who is in no team. Seconds are those of the year."""

    member: bool
    trusted: bool
    shifts: list[MyShift]
    served_s: float
    certificates: list[CertificateShown]


class ContactShown(Shown):
    """Who somebody is."""

    name: str
    telephone: str
