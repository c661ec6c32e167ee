"""The queue over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.journal import store as journal
from anshang.matters import actions, store
from anshang.matters.model import ACCOUNT, ACCOUNT_NAME, Matter, MatterKind, Priority
from anshang.matters.record import FLOOD_COUNT, WINDOW, record_of
from anshang.people import store as people
from anshang.web.budgets import Budget
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Code, Id, Instant, Shown, Words

router = APIRouter(prefix="/api/matters", tags=["matters"])
NEW_MATTERS = Budget("matter.open", most=60)
QUEUE_FIRST = 200
"""More than anybody reads at once; a console asks for the rest when its officer does."""
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ClockShown(Shown):
    """A clock of a matter and the dictionary key of why it is due."""

    kind: str
    due_at: datetime
    because: str
    params: dict[str, Any]
    met_at: datetime | None


class MatterShown(Shown):
    """A matter in the queue."""

    id: str
    number: int
    kind: str
    priority: int
    subject: str
    params: dict[str, Any]
    text: str
    zone_id: str | None
    body_id: str | None
    state: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    outcome: str
    drill: bool
    shelved_until: datetime | None
    version: int
    clocks: Annotated[list[ClockShown], Field(default_factory=list)]


class LastClosed(Shown):
    """The matter closed last, for the empty queue."""

    number: int
    closed_at: datetime


class Queue(Shown):
    """Matters, and which one was closed last."""

    matters: list[MatterShown]
    more: int
    """How many wait besides these."""
    more_urgent: int
    """How many of those are P1 or P2."""
    last_closed: LastClosed | None


class Counts(Shown):
    """How many wait by priority, and how many alarms there were in the last ten minutes."""

    waiting: dict[str, int]
    alarms_10min: int
    flood: bool


class NoteShown(Shown):
    """A note."""

    id: str
    at: datetime
    author_id: str
    author_name: str
    text: str


class EntryShown(Shown):
    """A line of the timeline."""

    seq: int
    at: datetime
    actor_id: str
    actor_name: str
    kind: str
    details: dict[str, Any]


class MatterPage(MatterShown):
    """A matter with everything said and done about it."""

    notes: list[NoteShown]
    timeline: list[EntryShown]


class NewMatter(Body):
    """Something a person puts into the queue."""

    id: Id
    kind: Literal["request", "note"]
    priority: Literal[1, 2, 3, 4]
    text: Words
    zone_id: Code | None = None


class NewNote(Body):
    """A note to add."""

    id: Id
    text: Words


class NewPriority(Body):
    """A priority to set."""

    priority: Literal[1, 2, 3, 4]
    version: Version


class Shelving(Body):
    """Until when an alarm is put aside, and why."""

    note_id: Id
    until: Instant = Field(strict=False)
    reason: Words


class AlarmLineShown(Shown):
    """Alarms of one sort at one place; `unneeded` ended by themselves before anybody answered."""

    subject: str
    zone_id: str | None
    count: int
    answered: int
    unneeded: int
    lasted_s: float | None
    useless: bool


class AlarmRecordShown(Shown):
    """The alarms of a span; `over_budget` and `floods` are windows of ten minutes."""

    count: int
    over_budget: int
    floods: int
    lines: list[AlarmLineShown]


class Closing(Body):
    """How it ended."""

    outcome: Words
    version: Version


@router.get("")
def queue(
    district: DistrictQuery,
    caller: Caller,
    state: Literal["open", "closed"] = "open",
    limit: Annotated[int, Query(ge=1, le=20_000)] = QUEUE_FIRST,
) -> Queue:
    """The first `limit` of the matters that wait, urgent ones that nobody has answered first, then the most
    urgent; or of those closed last.
    """
    caller.actor.must(Permission.MATTER_READ, district)
    with caller.reading(district) as connection:
        scope = caller.actor.scope
        closed = store.list_closed(connection, scope, district, limit if state == "closed" else 1)
        listed, more, more_urgent = closed, 0, 0
        if state == "open":
            listed = store.list_first_waiting(connection, scope, district, limit)
            waiting = store.count_all_waiting(connection, scope, district)
            more, urgent = sum(waiting.values()) - len(listed), waiting[Priority.P1] + waiting[Priority.P2]
            more_urgent = urgent - sum(one.priority <= Priority.P2 for one in listed)
        shown = _shown(connection, district, listed)
    last = LastClosed.model_validate(closed[0]) if closed else None
    return Queue(matters=shown, more=more, more_urgent=more_urgent, last_closed=last)


@router.get("/counts")
def counts(district: DistrictQuery, caller: Caller) -> Counts:
    """How many matters wait, and whether alarms come faster than a person can answer them."""
    caller.actor.must(Permission.MATTER_COUNT, district)
    with caller.reading(district) as connection:
        now = clock.now()
        waiting = store.count_waiting(connection, caller.actor.scope, district, now)
        since = now - WINDOW
        alarms = store.count_opened_since(connection, caller.actor.scope, district, since)
    return Counts(
        waiting={str(int(p)): n for p, n in waiting.items()},
        alarms_10min=alarms,
        flood=alarms > FLOOD_COUNT,
    )


@router.get("/alarms")
def alarms(
    district: DistrictQuery, caller: Caller, days: Annotated[int, Query(ge=1, le=90)] = 30
) -> AlarmRecordShown:
    """What alarms there were in the last days and what became of them; the useless ones first."""
    caller.actor.must(Permission.MATTER_READ, district)
    with caller.reading(district) as connection:
        since = clock.now() - timedelta(days=days)
        found = store.list_alarms(connection, caller.actor.scope, district, since)
    return AlarmRecordShown.model_validate(record_of(found))


@router.get("/{id}")
def page(id: Id, district: DistrictQuery, caller: Caller) -> MatterPage:
    """One matter with its notes and its timeline."""
    caller.actor.must(Permission.MATTER_READ, district)
    with caller.reading(district) as connection:
        return _page(connection, store.get(connection, caller.actor.scope, district, id))


@router.post("")
def open_matter(body: NewMatter, district: DistrictQuery, caller: Caller) -> MatterShown:
    """Put something into the queue."""
    caller.spend(NEW_MATTERS)
    with caller.writing(district, body) as tx:
        matter = actions.open_matter(
            tx,
            actor=caller.actor,
            id=body.id,
            kind=MatterKind(body.kind),
            priority=Priority(body.priority),
            subject=f"matter.{body.kind}",
            text=body.text,
            zone_id=body.zone_id,
        )
        return _shown(tx.connection, district, [matter])[0]


@router.post("/{id}/acknowledge")
def acknowledge(id: Id, district: DistrictQuery, caller: Caller) -> MatterShown:
    """Say that one takes care."""
    with caller.writing(district) as tx:
        return _shown(tx.connection, district, [actions.acknowledge(tx, actor=caller.actor, id=id)])[0]


@router.post("/{id}/release")
def release(id: Id, district: DistrictQuery, caller: Caller) -> MatterShown:
    """Give it back to the queue."""
    with caller.writing(district) as tx:
        return _shown(tx.connection, district, [actions.release(tx, actor=caller.actor, id=id)])[0]


@router.post("/{id}/shelve")
def shelve(id: Id, body: Shelving, district: DistrictQuery, caller: Caller) -> MatterShown:
    """Put an alarm aside for a time."""
    with caller.writing(district, body) as tx:
        matter = actions.shelve(
            tx, actor=caller.actor, id=id, until=body.until, note_id=body.note_id, reason=body.reason
        )
        return _shown(tx.connection, district, [matter])[0]


@router.post("/{id}/unshelve")
def unshelve(id: Id, district: DistrictQuery, caller: Caller) -> MatterShown:
    """Let it count again."""
    with caller.writing(district) as tx:
        return _shown(tx.connection, district, [actions.unshelve(tx, actor=caller.actor, id=id)])[0]


@router.post("/{id}/notes")
def add_note(id: Id, body: NewNote, district: DistrictQuery, caller: Caller) -> MatterPage:
    """Write something about the matter."""
    with caller.writing(district, body) as tx:
        actions.add_note(tx, actor=caller.actor, id=id, note_id=body.id, text=body.text)
        return _page(tx.connection, store.get(tx.connection, caller.actor.scope, district, id))


@router.post("/{id}/priority")
def change_priority(id: Id, body: NewPriority, district: DistrictQuery, caller: Caller) -> MatterShown:
    """Judge it more or less urgent."""
    with caller.writing(district) as tx:
        priority = Priority(body.priority)
        matter = actions.change_priority(
            tx, actor=caller.actor, id=id, priority=priority, version=body.version
        )
        return _shown(tx.connection, district, [matter])[0]


@router.post("/{id}/close")
def close(id: Id, body: Closing, district: DistrictQuery, caller: Caller) -> MatterShown:
    """Settle it; an incident and a look-out have verbs of their own."""
    with caller.writing(district) as tx:
        matter = actions.settle(tx, actor=caller.actor, id=id, outcome=body.outcome, version=body.version)
        return _shown(tx.connection, district, [matter])[0]


@router.post("/{id}/reopen")
def reopen(id: Id, district: DistrictQuery, caller: Caller) -> MatterShown:
    """It was not settled after all; an incident and a look-out have verbs of their own."""
    with caller.writing(district) as tx:
        return _shown(tx.connection, district, [actions.unsettle(tx, actor=caller.actor, id=id)])[0]


def _shown(connection: Connection, district_id: str, matters: list[Matter]) -> list[MatterShown]:
    clocks: dict[str, list[ClockShown]] = {matter.id: [] for matter in matters}
    for one in store.list_clocks(connection, district_id, list(clocks)):
        clocks[one.matter_id].append(ClockShown.model_validate(one))
    names = people.names_of(connection, [one.params[ACCOUNT] for one in matters if ACCOUNT in one.params])
    return [
        MatterShown.model_validate(matter).model_copy(
            update={"clocks": clocks[matter.id], "params": _named(matter.params, names)}
        )
        for matter in matters
    ]


def _named(params: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return params | {ACCOUNT_NAME: names[params[ACCOUNT]]} if ACCOUNT in params else params


def _page(connection: Connection, matter: Matter) -> MatterPage:
    notes = store.list_notes(connection, matter.district_id, matter.id)
    entries = journal.list_of_subject(connection, matter.district_id, [matter.id])
    names = people.names_of(connection, [*(n.author_id for n in notes), *(e.actor_id for e in entries)])
    shown = _shown(connection, matter.district_id, [matter])[0]
    said = [
        NoteShown(id=n.id, at=n.at, author_id=n.author_id, author_name=names[n.author_id], text=n.text)
        for n in notes
    ]
    done = [
        EntryShown(
            seq=e.seq,
            at=e.at,
            actor_id=e.actor_id,
            actor_name=names[e.actor_id],
            kind=e.kind,
            details=e.details,
        )
        for e in entries
    ]
    return MatterPage(**shown.model_dump(), notes=said, timeline=done)
