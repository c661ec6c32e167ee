"""The desk's shift, its log, and the kiosk's services over HTTP."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from statistics import median
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import StringConstraints
from sqlalchemy import Connection

from anshang.desk import shifts, store
from anshang.desk.model import Service, Shift
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.people import store as people
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Id, Shown, Words

router = APIRouter(tags=["shift"])
DAY = timedelta(hours=24)
ServiceName = Literal[
    "first_aid", "wheelchair", "shelter", "directions", "police", "transport",
    "water", "charge", "lost_property",
]  # fmt: skip
Text = Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True, pattern=r"^[^\x00]*$")]


class Begin(Body):
    """A shift to begin or take over; the id of it when it is new."""

    id: Id


class Line(Body):
    """A line for the duty log."""

    id: Id
    text: Words


class HandOver(Body):
    """What the next shift must know."""

    note: Text


class Asked(Body):
    """Something somebody at the kiosk wants."""

    id: Id
    service: ServiceName


class LogShown(Shown):
    """A line of the duty log."""

    id: str
    at: datetime
    author: str
    text: str


class ShiftShown(Shown):
    """Who is on the desk since when, the log, and a hand-over that waits to be accepted."""

    id: str
    began_at: datetime
    people: list[str]
    people_ids: list[str]
    handed_over_at: datetime | None
    handed_over_by: str | None
    note: str
    open_items: dict[str, int]
    accepted_at: datetime | None
    log: list[LogShown]


class WaitingShown(Shown):
    """Somebody at the kiosk who waits."""

    id: str
    service: str
    asked_at: datetime


class ServicesShown(Shown):
    """Who waits, and of the last 24 hours: how often each was asked, and the median wait (s) with its n."""

    waiting: list[WaitingShown]
    counts: dict[str, int]
    served: int
    median_wait_s: float | None


@router.get("/api/shift")
def shift(district: DistrictQuery, caller: Caller) -> ShiftShown | None:
    """The shift that runs, or was handed over last; null before the first."""
    caller.actor.must(Permission.DESK_WORK, district)
    with caller.reading(district) as connection:
        last = store.find_last_shift(connection, district)
        return None if last is None else _shown(connection, last)


@router.post("/api/shift/begin")
def begin(body: Begin, district: DistrictQuery, caller: Caller) -> ShiftShown:
    """Take the desk, or join who is on it."""
    with caller.writing(district, body) as tx:
        return _shown(tx.connection, shifts.begin(tx, actor=caller.actor, id=body.id))


@router.post("/api/shift/log")
def write(body: Line, district: DistrictQuery, caller: Caller) -> ShiftShown:
    """Write a line into the duty log."""
    with caller.writing(district, body) as tx:
        note = shifts.write(tx, actor=caller.actor, id=body.id, text=body.text)
        return _shown(tx.connection, store.shifts.get(tx.connection, district, note.shift_id))


@router.post("/api/shift/hand-over")
def hand_over(body: HandOver, district: DistrictQuery, caller: Caller) -> ShiftShown:
    """Hand the desk over."""
    with caller.writing(district) as tx:
        return _shown(tx.connection, shifts.hand_over(tx, actor=caller.actor, note=body.note))


@router.post("/api/shift/take-over")
def take_over(body: Begin, district: DistrictQuery, caller: Caller) -> ShiftShown:
    """Accept what was handed over."""
    with caller.writing(district, body) as tx:
        return _shown(tx.connection, shifts.take_over(tx, actor=caller.actor, id=body.id))


@router.get("/api/services")
def services(district: DistrictQuery, caller: Caller) -> ServicesShown:
    """What is asked of the kiosk, and how long people waited."""
    caller.actor.must(Permission.DESK_WORK, district)
    with caller.reading(district) as connection:
        return _services(connection, district)


@router.post("/api/services")
def ask_service(body: Asked, district: DistrictQuery, caller: Caller) -> ServicesShown:
    """Somebody at the kiosk wants something."""
    with caller.writing(district, body) as tx:
        shifts.ask_service(tx, actor=caller.actor, id=body.id, service=Service(body.service))
        return _services(tx.connection, district)


@router.post("/api/services/{id}/done")
def serve(id: Id, district: DistrictQuery, caller: Caller) -> ServicesShown:
    """They have got it."""
    with caller.writing(district) as tx:
        shifts.serve(tx, actor=caller.actor, id=id)
        return _services(tx.connection, district)


def _services(connection: Connection, district: str) -> ServicesShown:
    lately = store.list_services(connection, district, clock.now() - DAY)
    waits_s = [(one.done_at - one.asked_at).total_seconds() for one in lately if one.done_at is not None]
    return ServicesShown(
        waiting=[WaitingShown.model_validate(one) for one in reversed(lately) if one.done_at is None],
        counts=dict(Counter(str(one.service) for one in lately)),
        served=len(waits_s),
        median_wait_s=round(median(waits_s), 1) if waits_s else None,
    )


def _shown(connection: Connection, shift: Shift) -> ShiftShown:
    log = store.list_duty_notes(connection, shift.district_id, shift.id)
    wanted = {*shift.people, *(one.author_id for one in log), shift.handed_over_by or ""}
    names = people.names_of(connection, sorted(wanted))
    return ShiftShown(
        id=shift.id,
        began_at=shift.began_at,
        people=[names.get(id, id) for id in shift.people],
        people_ids=list(shift.people),
        handed_over_at=shift.handed_over_at,
        handed_over_by=names.get(shift.handed_over_by or ""),
        note=shift.note,
        open_items=shift.open_items,
        accepted_at=shift.accepted_at,
        log=[
            LogShown(id=one.id, at=one.at, author=names.get(one.author_id, ""), text=one.text) for one in log
        ],
    )
