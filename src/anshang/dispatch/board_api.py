"""Boards over HTTP: an incident's board now or at any instant, command, messages, roll-calls, work alone, and
all that a phone shows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints

from anshang.dispatch import board_actions as actions
from anshang.dispatch import board_store as store
from anshang.dispatch import reading
from anshang.dispatch.board import Message, MessageKind
from anshang.dispatch.field import field
from anshang.dispatch.shapes import (
    BoardShown,
    DutyRoom,
    FieldShown,
    LoneShown,
    RollCallShown,
)
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.patrols.calls import Positions
from anshang.web.session import Caller, DistrictQuery, nudged
from anshang.web.shapes import Body, Code, Id, Instant

router = APIRouter(tags=["boards"])
Text = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Short = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Point = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}$")]
Told = Annotated[Instant | None, Field(strict=False)]
ROOM = timedelta(hours=12)
FOR_PHONES = ("assignment.", "message.", "rollcall.", "lone.", "duty.", "matter.", "lookout.")
"""After which journal kinds a phone may have something new to show."""


class NewCommand(Body):
    """Who commands from now on, and why."""

    commander_id: Id
    reason: Short = ""


class NewMessage(Body):
    """Something to say: to everybody, to everybody at an incident, or to one unit."""

    id: Id
    incident_id: Id | None = None
    to_unit_id: Code | None = None
    kind: Literal["message", "ethane", "decision"] = "message"
    text: Text = ""
    report: Annotated[dict[Point, Short], Field(max_length=10)] | None = None
    at: Told = None


class Read(Body):
    """When it was read."""

    at: Told = None


class NewRollCall(Body):
    """Ask every unit on duty whether it is well."""

    id: Id
    incident_id: Id | None = None
    answer_within_s: Annotated[float, Field(ge=15, le=900)] = 120.0
    drill: bool = False


class Here(Body):
    """A unit is well; the desk names the unit that it has heard by radio."""

    id: Id
    unit_id: Code | None = None
    at: Told = None
    words: Short = ""


class NewLone(Body):
    """How long somebody works alone."""

    id: Id
    minutes: Annotated[int, Field(ge=1, le=120)]
    unit_id: Code | None = None


@router.get("/api/incidents/{id}/board")
def board(
    id: Id,
    district: DistrictQuery,
    caller: Caller,
    at: Annotated[Instant | None, Query()] = None,
) -> BoardShown:
    """The board of an incident as it is, or as it was known at an instant."""
    caller.actor.must(Permission.UNIT_READ, district)
    with caller.reading(district) as connection:
        return reading.board(connection, caller.actor, district, id, at)


@router.post("/api/incidents/{id}/command", status_code=204)
def command(id: Id, body: NewCommand, district: DistrictQuery, caller: Caller) -> None:
    """Take command, or hand it over."""
    with caller.writing(district) as tx:
        actions.take_command(
            tx, actor=caller.actor, incident_id=id, commander_id=body.commander_id, reason=body.reason
        )


@router.post("/api/messages", status_code=204)
def say(body: NewMessage, district: DistrictQuery, caller: Caller) -> None:
    """Say something on a board."""
    message = Message(
        id=body.id,
        district_id=district,
        incident_id=body.incident_id,
        from_id=caller.actor.id,
        from_unit_id=None,
        to_unit_id=body.to_unit_id,
        kind=MessageKind(body.kind),
        text=body.text,
        report=body.report or {},
        at=body.at,
    )
    with caller.writing(district, body) as tx:
        actions.say(tx, actor=caller.actor, message=message)


@router.post("/api/messages/{id}/read", status_code=204)
def read(id: Id, body: Read, district: DistrictQuery, caller: Caller) -> None:
    """Say that one has read it."""
    with caller.writing(district) as tx:
        actions.read(tx, actor=caller.actor, message_id=id, at=body.at)


@router.post("/api/roll-calls", status_code=204)
def call_roll(body: NewRollCall, district: DistrictQuery, caller: Caller) -> None:
    """Ask every unit on duty whether it is well."""
    with caller.writing(district, body) as tx:
        actions.call_roll(
            tx,
            actor=caller.actor,
            id=body.id,
            incident_id=body.incident_id,
            answer_within_s=body.answer_within_s,
            drill=body.drill,
        )


@router.post("/api/roll-calls/{id}/answer", status_code=204)
def answer_roll(id: Id, body: Here, district: DistrictQuery, caller: Caller) -> None:
    """A unit is well."""
    with caller.writing(district, body) as tx:
        actions.answer_roll(
            tx,
            actor=caller.actor,
            id=body.id,
            roll_call_id=id,
            unit_id=body.unit_id,
            at=body.at,
            words=body.words,
        )


@router.post("/api/lone")
def go_alone(body: NewLone, district: DistrictQuery, caller: Caller) -> LoneShown:
    """Somebody works alone for some minutes."""
    with caller.writing(district, body) as tx:
        timer = actions.go_alone(
            tx, actor=caller.actor, id=body.id, minutes=body.minutes, unit_id=body.unit_id
        )
    return LoneShown.model_validate(timer)


@router.post("/api/lone/{id}/end")
def come_back(id: Id, body: Read, district: DistrictQuery, caller: Caller) -> LoneShown:
    """They are back and well."""
    with caller.writing(district) as tx:
        return LoneShown.model_validate(actions.come_back(tx, actor=caller.actor, id=id, at=body.at))


@router.get("/api/duty-room")
def duty_room(district: DistrictQuery, caller: Caller) -> DutyRoom:
    """Roll-calls, who works alone, and what was said in the last hours."""
    caller.actor.must(Permission.UNIT_READ, district)
    now = clock.now()
    with caller.reading(district) as connection:
        calls = store.list_roll_calls(connection, district, now - ROOM)
        answers = store.list_presences(connection, district, [call.id for call in calls])
        timers = store.list_running_timers(connection, district)
        said = store.list_messages(connection, district, since=now - ROOM)
        messages = reading.shown_messages(connection, caller.actor, district, said, now)
    plain = ("id", "incident_id", "asked_at", "answer_by", "unit_ids", "silent_at")
    return DutyRoom(
        at=now,
        roll_calls=[
            RollCallShown(
                **{name: getattr(call, name) for name in plain},
                present={one.unit_id: one.at for one in answers if one.roll_call_id == call.id},
            )
            for call in calls
        ],
        lone=[LoneShown.model_validate(timer) for timer in timers],
        messages=messages,
    )


@router.get("/api/field")
def phone(district: DistrictQuery, caller: Caller, positions: Positions) -> FieldShown:
    """Everything the phone of whoever asks shows."""
    caller.actor.must(Permission.UNIT_DUTY, district)
    with caller.reading(district) as connection:
        return field(connection, caller.actor, district, positions)


@router.get(
    "/api/field/live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
def nudges(district: DistrictQuery, caller: Caller) -> StreamingResponse:
    """Server-sent events without a word in them: `nudge` when it is worth asking for the phone's state anew.
    It ends within 10 s after the session did, or the right to it.
    """
    return nudged(caller, Permission.UNIT_DUTY, district, FOR_PHONES)
