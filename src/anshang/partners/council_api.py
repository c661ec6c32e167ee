"""The council over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from sqlalchemy import Connection

from anshang.foundation.actor import Permission
from anshang.partners import council_actions as actions
from anshang.partners import council_store as store
from anshang.partners.council import Motion, Vote
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Code, Id, Instant, Shown, Title, Words

router = APIRouter(prefix="/api/council", tags=["partners"])
Item = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")]


class ResolutionShown(Shown):
    """What is to be done, by whom and by when; `matter_id` once it came back into the queue."""

    id: str
    motion_id: str
    text: str
    owner_id: str
    due_on: date
    matter_id: str | None
    done_at: datetime | None


class MotionShown(Shown):
    """A motion with its votes by partner, and how many there are of each sort."""

    id: str
    text: str
    moved_by: str | None
    state: str
    votes: dict[str, str]
    count: dict[str, int]


class MeetingShown(Shown):
    """A meeting with what was moved."""

    id: str
    title: str
    starts_at: datetime
    place: str
    agenda: list[str]
    attended: list[str]
    closed_at: datetime | None
    motions: list[MotionShown]


class CouncilShown(Shown):
    """The meetings, the latest first, and every resolution, the first due before the others."""

    meetings: list[MeetingShown]
    resolutions: list[ResolutionShown]


class NewMeeting(Body):
    """A meeting to call, or to call for another time."""

    title: Title
    starts_at: Instant = Field(strict=False)
    place: Item = ""
    agenda: Annotated[list[Item], Field(min_length=1, max_length=30)]


class Attendance(Body):
    """The partners that are there."""

    partner_ids: Annotated[list[Code], Field(max_length=500)]


class NewMotion(Body):
    """What is moved, and by which partner."""

    id: Id
    text: Words
    moved_by: Code | None = None


class Votes(Body):
    """How partners vote."""

    votes: dict[Code, Literal["for", "against", "abstain"]]


class NewResolution(Body):
    """What a carried motion asks for."""

    id: Id
    text: Words
    owner_id: Code
    due_on: date = Field(strict=False)


@router.get("")
def council(district: DistrictQuery, caller: Caller) -> CouncilShown:
    """The council: meetings and resolutions."""
    caller.actor.must(Permission.PARTNER_READ, district)
    with caller.reading(district) as connection:
        return _shown(connection, district)


@router.put("/meetings/{id}")
def convene(id: Id, body: NewMeeting, district: DistrictQuery, caller: Caller) -> CouncilShown:
    """Call a meeting, or change it."""
    with caller.writing(district) as tx:
        actions.convene(tx, actor=caller.actor, id=id, **body.model_dump())
        return _shown(tx.connection, district)


@router.post("/meetings/{id}/attendance")
def attend(id: Id, body: Attendance, district: DistrictQuery, caller: Caller) -> CouncilShown:
    """Say who is there."""
    with caller.writing(district) as tx:
        actions.note_attendance(tx, actor=caller.actor, id=id, partner_ids=body.partner_ids)
        return _shown(tx.connection, district)


@router.post("/meetings/{id}/close")
def close(id: Id, district: DistrictQuery, caller: Caller) -> CouncilShown:
    """The meeting is over."""
    with caller.writing(district) as tx:
        actions.close(tx, actor=caller.actor, id=id)
        return _shown(tx.connection, district)


@router.post("/meetings/{id}/motions")
def move(id: Id, body: NewMotion, district: DistrictQuery, caller: Caller) -> CouncilShown:
    """Put a motion before the meeting."""
    with caller.writing(district, body) as tx:
        actions.move(
            tx, actor=caller.actor, id=body.id, meeting_id=id, text=body.text, moved_by=body.moved_by
        )
        return _shown(tx.connection, district)


@router.post("/motions/{id}/votes")
def vote(id: Id, body: Votes, district: DistrictQuery, caller: Caller) -> CouncilShown:
    """Note how partners vote."""
    with caller.writing(district) as tx:
        votes = {partner_id: Vote(said) for partner_id, said in body.votes.items()}
        actions.vote(tx, actor=caller.actor, id=id, votes=votes)
        return _shown(tx.connection, district)


@router.post("/motions/{id}/decide")
def decide(id: Id, district: DistrictQuery, caller: Caller) -> CouncilShown:
    """Close the vote."""
    with caller.writing(district) as tx:
        actions.decide(tx, actor=caller.actor, id=id)
        return _shown(tx.connection, district)


@router.post("/motions/{id}/resolutions")
def resolve(id: Id, body: NewResolution, district: DistrictQuery, caller: Caller) -> CouncilShown:
    """Say what a carried motion asks for."""
    told = body.model_dump(exclude={"id"})
    with caller.writing(district, body) as tx:
        actions.resolve(tx, actor=caller.actor, id=body.id, motion_id=id, **told)
        return _shown(tx.connection, district)


@router.post("/resolutions/{id}/done")
def carry_out(id: Id, district: DistrictQuery, caller: Caller) -> CouncilShown:
    """It is done."""
    with caller.writing(district) as tx:
        actions.carry_out(tx, actor=caller.actor, id=id)
        return _shown(tx.connection, district)


def _shown(connection: Connection, district_id: str) -> CouncilShown:
    meetings = store.list_meetings(connection, district_id)
    motions = store.list_motions(connection, district_id, [meeting.id for meeting in meetings])
    return CouncilShown(
        meetings=[
            MeetingShown(
                id=meeting.id,
                title=meeting.title,
                starts_at=meeting.starts_at,
                place=meeting.place,
                agenda=meeting.agenda,
                attended=list(meeting.attended),
                closed_at=meeting.closed_at,
                motions=[_motion(motion) for motion in motions if motion.meeting_id == meeting.id],
            )
            for meeting in meetings
        ],
        resolutions=[
            ResolutionShown.model_validate(each) for each in store.list_resolutions(connection, district_id)
        ],
    )


def _motion(motion: Motion) -> MotionShown:
    return MotionShown(
        id=motion.id,
        text=motion.text,
        moved_by=motion.moved_by,
        state=str(motion.state),
        votes=motion.votes,
        count={str(vote): count for vote, count in motion.count.items()},
    )
