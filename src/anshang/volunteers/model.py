"""Volunteers, the shifts they sign up for, and certificates of their hours.

Nobody is rated: a volunteer is fit for a shift or not, with the rule that says so, and hours are hours. Who
somebody is stands in the vault; here only what joining and a shift need.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from anshang.foundation.errors import BadInput, RuleBroken
from anshang.incidents.categories import Task
from anshang.patrols.model import Skill


class VolunteerState(StrEnum):
    """How far somebody has come: asked to join, was looked at, takes part; or was refused, or left."""

    APPLIED = "applied"
    VETTED = "vetted"
    MEMBER = "member"
    REFUSED = "refused"
    LEFT = "left"


class Check(StrEnum):
    """What is looked at before somebody takes part; all of it, by one person, and another takes them in."""

    IDENTITY = "identity"
    RECORD = "record"
    TALK = "talk"
    RULES = "rules"


class Work(StrEnum):
    """What a shift is for."""

    PATROL = "patrol"
    INFORMATION = "information"
    CROWD = "crowd"
    AID = "aid"
    MEDIATION = "mediation"


TASK_OF: dict[Work, Task] = {
    Work.PATROL: Task.PATROL,
    Work.INFORMATION: Task.LOOK,
    Work.CROWD: Task.CROWD,
    Work.AID: Task.AID,
    Work.MEDIATION: Task.CALM,
}
"""What each work asks of a crew: never to search, detain or take documents (保安服务管理条例 Art. 30)."""


class VolunteerKind(StrEnum):
    """What can happen to volunteers, shifts and certificates (journal kinds)."""

    APPLIED = "volunteer.applied"
    VETTED = "volunteer.vetted"
    ACCEPTED = "volunteer.accepted"
    REFUSED = "volunteer.refused"
    LEFT = "volunteer.left"
    CALLED = "team_shift.called"
    CANCELLED = "team_shift.cancelled"
    SIGNED = "sign_up.made"
    WITHDRAWN = "sign_up.withdrawn"
    OFFERED = "sign_up.offered"
    TAKEN = "sign_up.taken"
    CAME = "sign_up.came"
    WENT = "sign_up.went"
    CONFIRMED = "sign_up.confirmed"
    ISSUED = "certificate.issued"
    REVOKED = "certificate.revoked"


@dataclass(frozen=True, slots=True)
class Volunteer:
    """Somebody who wants to take part, or does; `account_id` once they do. Name and telephone are in the
    vault, under this id.
    """

    id: str
    district_id: str
    body_id: str | None
    applied_at: datetime
    entered_by: str
    state: VolunteerState = VolunteerState.APPLIED
    vetted_by: str | None = None
    vetted_at: datetime | None = None
    account_id: str | None = None
    accepted_by: str | None = None
    ended_at: datetime | None = None
    version: int = 1

    def vetted(self, checks: Collection[Check], by: str, at: datetime) -> Volunteer:
        """Everything was looked at; BadInput while something was not."""
        self._must_be(VolunteerState.APPLIED)
        if set(checks) != set(Check):
            raise BadInput(
                "volunteer.unchecked", en="Every check must be made first.", zh="须完成全部核查项目。"
            )
        return replace(self, state=VolunteerState.VETTED, vetted_by=by, vetted_at=at)

    def accepted(self, account_id: str, by: str) -> Volunteer:
        """Taken in by somebody other than who vetted them."""
        self._must_be(VolunteerState.VETTED)
        if by == self.vetted_by:
            raise RuleBroken(
                "volunteer.same_person",
                en="Somebody other than who vetted them takes them in.",
                zh="须由核查人以外的人员批准加入。",
            )
        return replace(self, state=VolunteerState.MEMBER, account_id=account_id, accepted_by=by)

    def ended(self, at: datetime) -> Volunteer:
        """Not taken in, or takes part no longer."""
        self._must_be(VolunteerState.APPLIED, VolunteerState.VETTED, VolunteerState.MEMBER)
        was_in = self.state is VolunteerState.MEMBER
        return replace(self, state=VolunteerState.LEFT if was_in else VolunteerState.REFUSED, ended_at=at)

    def _must_be(self, *states: VolunteerState) -> None:
        if self.state not in states:
            raise RuleBroken(
                "volunteer.state",
                en="That does not fit how far this volunteer has come.",
                zh="与该志愿者当前状态不符。",
            )


LONGEST = timedelta(hours=12)
EARLY = timedelta(minutes=30)
LATE = timedelta(hours=2)
PLACES_MOST = 60


@dataclass(frozen=True, slots=True)
class TeamShift:
    """A shift that volunteers sign up for: what is done, where, from when to when, by how many."""

    id: str
    district_id: str
    work: Work
    place: str
    starts_at: datetime
    ends_at: datetime
    wanted: int
    post_id: str | None = None
    skill: Skill | None = None
    cancelled_at: datetime | None = None
    version: int = 1

    def check(self, now: datetime) -> None:
        """BadInput for a shift that is over, ends before it begins, or is longer than twelve hours."""
        if not now < self.ends_at or not timedelta() < self.ends_at - self.starts_at <= LONGEST:
            raise BadInput(
                "team_shift.times",
                en="A shift ends after it begins, within twelve hours, and not in the past.",
                zh="班次须在开始后 12 小时内结束，且不得早于现在。",
            )

    def must_stand(self) -> None:
        """RuleBroken once it was called off."""
        if self.cancelled_at is not None:
            raise RuleBroken("team_shift.cancelled", en="This shift was called off.", zh="该班次已取消。")

    def overlaps(self, other: TeamShift) -> bool:
        """Whether nobody can do both."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class SignUp:
    """A volunteer's place in a shift, from signing up to the hours that somebody else confirmed.
    `account_id` is whose it is now; `offered` while its holder looks for somebody to take it.
    """

    id: str
    district_id: str
    shift_id: str
    account_id: str
    signed_at: datetime
    offered: bool = False
    withdrawn_at: datetime | None = None
    came_at: datetime | None = None
    went_at: datetime | None = None
    confirmed_by: str | None = None
    version: int = 1

    def withdrawn(self, shift: TeamShift, at: datetime) -> SignUp:
        """No longer; until the shift begins."""
        self._must_be_ahead(shift, at)
        return replace(self, withdrawn_at=at, offered=False)

    def offering(self, offered: bool, shift: TeamShift, at: datetime) -> SignUp:
        """Its holder looks for somebody to take it, or does no longer; until the shift begins."""
        self._must_be_ahead(shift, at)
        return replace(self, offered=offered)

    def taken(self, account_id: str, shift: TeamShift, at: datetime) -> SignUp:
        """Somebody else's from now on; RuleBroken when it is not offered."""
        self._must_be_ahead(shift, at)
        if not self.offered:
            raise RuleBroken("sign_up.not_offered", en="This place is not offered.", zh="该名额未在转让。")
        return replace(self, account_id=account_id, offered=False)

    def came(self, shift: TeamShift, at: datetime) -> SignUp:
        """There, from half an hour before the shift until its end."""
        shift.must_stand()
        if not shift.starts_at - EARLY <= at < shift.ends_at:
            raise RuleBroken(
                "sign_up.not_now",
                en="One signs in from half an hour before the shift until its end.",
                zh="班次开始前 30 分钟至结束前可签到。",
            )
        return self if self.came_at else replace(self, came_at=at, offered=False)

    def went(self, at: datetime) -> SignUp:
        """Gone again; RuleBroken for one who never came."""
        if self.came_at is None:
            raise RuleBroken("sign_up.never_came", en="Sign in first.", zh="请先签到。")
        return self if self.went_at else replace(self, went_at=at)

    def confirmed(self, shift: TeamShift, came_at: datetime, went_at: datetime, by: str) -> SignUp:
        """Somebody else says how long it truly was; BadInput outside the shift's time with its margins."""
        if by == self.account_id:
            raise RuleBroken(
                "sign_up.own_hours", en="Nobody confirms their own hours.", zh="不得确认本人的服务时长。"
            )
        if not shift.starts_at - EARLY <= came_at < went_at <= shift.ends_at + LATE:
            raise BadInput(
                "sign_up.bad_hours",
                en="Hours lie between 30 minutes before the shift and two hours after it.",
                zh="时长须在班次开始前 30 分钟至结束后 2 小时之间。",
            )
        return replace(self, came_at=came_at, went_at=went_at, confirmed_by=by)

    def _must_be_ahead(self, shift: TeamShift, at: datetime) -> None:
        shift.must_stand()
        if at >= shift.starts_at:
            raise RuleBroken("sign_up.begun", en="This shift has begun.", zh="班次已开始。")


Stretch = tuple[datetime, datetime]
"""From when to when somebody served."""


def served_s(stretches: Iterable[Stretch], from_at: datetime, until_at: datetime) -> float:
    """Seconds between two instants that at least one stretch covers: nobody serves twice at once."""
    total, reached = 0.0, from_at
    for began, ended in sorted(stretches):
        start, stop = max(began, reached), min(ended, until_at)
        if stop > start:
            total += (stop - start).total_seconds()
            reached = stop
    return total


@dataclass(frozen=True, slots=True)
class Certificate:
    """Hours served between two days, both counted. `id` is the code printed on it; whoever holds the paper
    can have it confirmed with the name on it, of which only a digest with the code is kept.
    """

    id: str
    district_id: str
    account_id: str
    from_on: date
    until_on: date
    served_s: float
    times: int
    digest: str
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None = None
    version: int = 1

    def is_of(self, name: str) -> bool:
        """Whether it was issued to somebody of this name, and stands."""
        return self.revoked_at is None and self.digest == digest_of(self.id, name)


def digest_of(code: str, name: str) -> str:
    """The digest of a name with a certificate's secret code; blanks and case do not matter."""
    told = f"{code}\n{''.join(name.split()).casefold()}"
    return hashlib.sha256(told.encode()).hexdigest()
