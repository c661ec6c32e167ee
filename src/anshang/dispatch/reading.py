"""The board of an incident as it was known at an instant; the present one is that of now.

Rows keep the instant of every step, and the journal when each became known: what became known later is taken
off again, so that nothing has to be guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from anshang.dispatch import board_store as boards
from anshang.dispatch import store
from anshang.dispatch.board import BoardKind, Message
from anshang.dispatch.model import Assignment, AssignmentKind, AssignmentState, Because, RungRun
from anshang.dispatch.shapes import (
    AssignmentShown,
    BoardShown,
    LogLine,
    MessageShown,
    MomentKnown,
    PositionKnown,
    ReadBy,
    RungRunShown,
)
from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.incidents import store as incidents_store
from anshang.incidents.model import IncidentKind
from anshang.journal import store as journal
from anshang.journal.model import Entry
from anshang.matters.model import MatterEvent
from anshang.patrols import positions
from anshang.people import store as people

TRACE_MS = 3_600_000
COMMAND = (BoardKind.TAKEN, BoardKind.HANDED_OVER)
STEPS = {
    AssignmentKind.ACCEPTED: "answered_at",
    AssignmentKind.REFUSED: "answered_at",
    AssignmentKind.MOVING: "moving_at",
    AssignmentKind.ON_SCENE: "on_scene_at",
}
"""Which instant of an assignment became known with an entry."""


def board(
    connection: Connection, actor: Actor, district_id: str, id: str, at: datetime | None = None
) -> BoardShown:
    """The board of an incident the actor may see, as it was known at the instant."""
    matter, incident = incidents_store.get(connection, actor.scope, district_id, id)
    at = min(at or clock.now(), clock.now())
    assignments = store.list_of_incidents(connection, district_id, [id])
    runs = store.list_runs(connection, district_id, [id])
    said = [
        one
        for one in boards.list_messages(connection, district_id, incident_id=id)
        if one.received_at is not None and one.received_at <= at
    ]
    subjects = [id, *(a.id for a in assignments), *(r.id for r in runs), *(m.id for m in said)]
    entries = journal.list_of_subject(connection, district_id, subjects)
    known = [entry for entry in entries if entry.at <= at]
    later = [entry for entry in entries if entry.at > at]
    command = boards.commands.find(connection, district_id, id)
    commander_id = as_of(None if command is None else command.commander_id, later, *COMMAND)
    names = people.names_of(connection, [commander_id or "", *(entry.actor_id for entry in known)])
    sent = [known_of(one, known) for one in assignments if one.offered_at <= at]
    moments = incidents_store.list_moments(connection, district_id, [id])
    return BoardShown(
        at=at,
        priority=int(as_of(int(matter.priority), later, MatterEvent.REPRIORITISED)),
        category_id=as_of(incident.category_id, later, IncidentKind.CLASSIFIED),
        commander_id=commander_id,
        commander_name=names.get(commander_id or ""),
        since_at=max((entry.at for entry in known if entry.kind in COMMAND), default=None),
        moments=[MomentKnown.model_validate(one) for one in moments if one.recorded_at <= at],
        assignments=[AssignmentShown.model_validate(one) for one in sent],
        rungs=[RungRunShown.model_validate(one) for one in runs_known(runs, known)],
        messages=shown_messages(connection, actor, district_id, said, at),
        positions=_positions(connection, district_id, {one.unit_id for one in sent}, at),
        log=[_line(entry, names) for entry in known],
    )


def as_of(present: Any, later: Sequence[Entry], *kinds: str) -> Any:
    """What a value was before the first later change that tells what it was `from`; else the present one."""
    return next((entry.details["from"] for entry in later if entry.kind in kinds), present)


def known_of(assignment: Assignment, known: Sequence[Entry]) -> Assignment:
    """An assignment with what the known entries tell of it, and nothing more: one entry is one version."""
    theirs = [entry for entry in known if entry.subject_id == assignment.id]
    if len(theirs) == assignment.version:
        return assignment
    told = [entry.kind for entry in theirs]
    unknown: dict[str, Any] = dict.fromkeys(set(STEPS.values()) - _named(told))
    steps = [kind for kind in told if kind != AssignmentKind.NOBODY_LEFT]
    return replace(
        assignment,
        state=AssignmentState(steps[-1].split(".")[1]),
        onward=theirs[0].details["onward"] and len(steps) == len(told),
        because=Because.NONE,
        words="",
        ended_at=None,
        version=len(theirs),
        **unknown,
    )


def _named(told: Sequence[str]) -> set[str]:
    """The instants that these kinds of entry tell."""
    return {name for kind, name in STEPS.items() if kind in told}


def runs_known(runs: Sequence[RungRun], known: Sequence[Entry]) -> list[RungRun]:
    """The rungs that had begun, with what was known of them."""
    told = {(entry.subject_id, entry.kind) for entry in known}
    return [
        replace(
            run,
            met_at=run.met_at if (run.id, AssignmentKind.MET) in told else None,
            met_by=run.met_by if (run.id, AssignmentKind.MET) in told else None,
            missed_at=run.missed_at if (run.id, AssignmentKind.MISSED) in told else None,
            raised_at=run.raised_at if (run.id, AssignmentKind.RAISED) in told else None,
        )
        for run in runs
        if (run.id, AssignmentKind.BEGUN) in told
    ]


def shown_messages(
    connection: Connection, actor: Actor, district_id: str, said: Sequence[Message], at: datetime
) -> list[MessageShown]:
    """Messages with who wrote and who has read them until the instant."""
    receipts = boards.list_receipts(connection, district_id, [one.id for one in said])
    receipts = [one for one in receipts if one.at <= at]
    writers = {one.from_id for one in said} | {one.reader_id for one in receipts}
    names = people.names_of(connection, writers)
    return [
        MessageShown(
            **{name: getattr(one, name) for name in _PLAIN},
            from_name=names[one.from_id],
            mine=one.from_id == actor.id,
            read_at=next(
                (each.at for each in receipts if each.message_id == one.id and each.reader_id == actor.id),
                None,
            ),
            read_by=[
                ReadBy(name=names[each.reader_id], unit_id=each.unit_id, at=each.at)
                for each in receipts
                if each.message_id == one.id
            ],
        )
        for one in said
    ]


_PLAIN = (
    "id", "incident_id", "from_unit_id", "to_unit_id", "kind", "text", "report", "at", "received_at",
)  # fmt: skip


def _positions(
    connection: Connection, district_id: str, unit_ids: set[str], at: datetime
) -> list[PositionKnown]:
    """Where the units were last known to be then; traces older than a week are gone."""
    at_ms = clock.to_ms(at)
    found = positions.list_latest(connection, district_id, at_ms - TRACE_MS, until_ms=at_ms)
    return [
        PositionKnown(unit_id=fix.unit_id, lon=fix.lon, lat=fix.lat, at=clock.from_ms(fix.at_ms))
        for id, fix in sorted(found.items())
        if id in unit_ids
    ]


def _line(entry: Entry, names: dict[str, str]) -> LogLine:
    return LogLine(
        seq=entry.seq,
        at=entry.at,
        kind=entry.kind,
        actor_name=names[entry.actor_id],
        subject_id=entry.subject_id,
        details=entry.details,
    )
