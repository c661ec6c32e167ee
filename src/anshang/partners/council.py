"""The council of the district (物业议事会): meetings, who came, motions and votes, resolutions.

A vote is that of a partner, one each, and only of those who were there. A resolution has an owner and a day;
it comes back into the queue when the day has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from anshang.foundation.errors import BadInput, RuleBroken


class CouncilEvent(StrEnum):
    """What can happen in the council (journal kinds)."""

    CONVENED = "meeting.convened"
    CHANGED = "meeting.changed"
    CLOSED = "meeting.closed"
    MOVED = "motion.moved"
    VOTED = "motion.voted"
    DECIDED = "motion.decided"
    RESOLVED = "resolution.made"
    DUE = "resolution.due"
    DONE = "resolution.done"


class Vote(StrEnum):
    """What a partner says to a motion."""

    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


class MotionState(StrEnum):
    """Where a motion stands."""

    OPEN = "open"
    CARRIED = "carried"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting: when and where, what is on the agenda, and which partners came."""

    id: str
    district_id: str
    title: str
    starts_at: datetime
    place: str
    agenda: list[str]
    attended: tuple[str, ...] = ()
    closed_at: datetime | None = None
    version: int = 1

    def changed(self, title: str, starts_at: datetime, place: str, agenda: list[str]) -> Meeting:
        """Called for another time or with another agenda; RuleBroken when it is over."""
        self.must_be_open()
        return replace(self, title=title, starts_at=starts_at, place=place, agenda=agenda)

    def attended_by(self, partner_ids: tuple[str, ...]) -> Meeting:
        """These partners are there; RuleBroken when it is over."""
        self.must_be_open()
        return replace(self, attended=tuple(sorted(set(partner_ids))))

    def closed(self, at: datetime) -> Meeting:
        """It is over; RuleBroken when nobody came, or it was over before."""
        self.must_be_open()
        if not self.attended:
            raise RuleBroken(
                "meeting.nobody", en="Say who came before the meeting is closed.", zh="请先登记到会单位。"
            )
        return replace(self, closed_at=at)

    def must_be_open(self) -> None:
        """RuleBroken when it is over."""
        if self.closed_at is not None:
            raise RuleBroken("meeting.closed", en="This meeting is over.", zh="会议已结束。")


@dataclass(frozen=True, slots=True)
class Motion:
    """What was moved at a meeting, and the votes by partner."""

    id: str
    district_id: str
    meeting_id: str
    text: str
    moved_by: str | None
    state: MotionState = MotionState.OPEN
    votes: dict[str, str] = field(default_factory=dict)
    version: int = 1

    def voted(self, votes: Mapping[str, Vote], attended: tuple[str, ...]) -> Motion:
        """These partners' votes, instead of what they had said; RuleBroken for one who was not there."""
        self._must_be_open()
        if not set(votes) <= set(attended):
            raise RuleBroken(
                "motion.absent", en="Only those who are there vote.", zh="只有到会单位可以表决。"
            )
        return replace(self, votes=self.votes | {id: str(vote) for id, vote in votes.items()})

    def decided(self) -> Motion:
        """Carried by more votes for than against; RuleBroken without any vote for or against."""
        self._must_be_open()
        count = self.count
        if count[Vote.FOR] + count[Vote.AGAINST] == 0:
            raise RuleBroken("motion.unvoted", en="Nobody has voted yet.", zh="尚无人表决。")
        carried = count[Vote.FOR] > count[Vote.AGAINST]
        return replace(self, state=MotionState.CARRIED if carried else MotionState.REJECTED)

    @property
    def count(self) -> dict[Vote, int]:
        """How many votes of each sort."""
        return {vote: sum(each == vote for each in self.votes.values()) for vote in Vote}

    def _must_be_open(self) -> None:
        if self.state is not MotionState.OPEN:
            raise RuleBroken("motion.decided", en="This motion is decided.", zh="该议案已有结果。")


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a carried motion asks for: who does it, by when, and the matter with which it came back."""

    id: str
    district_id: str
    motion_id: str
    text: str
    owner_id: str
    due_on: date
    matter_id: str | None = None
    done_at: datetime | None = None
    version: int = 1

    def check(self, today: date) -> None:
        """BadInput for a day that is over."""
        if self.due_on < today:
            raise BadInput("resolution.past", en="That day is over.", zh="期限已过。")

    def returned(self, matter_id: str) -> Resolution:
        """Its day has come: it waits in the queue."""
        return replace(self, matter_id=matter_id)

    def done(self, at: datetime) -> Resolution:
        """It is carried out; RuleBroken when it was before."""
        if self.done_at is not None:
            raise RuleBroken("resolution.done", en="This is done already.", zh="该决议已完成。")
        return replace(self, done_at=at)
