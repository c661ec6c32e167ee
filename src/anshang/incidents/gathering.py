"""An incident that stands for many calls: more came about one thing at one place than a desk can read."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.incidents.model import IncidentKind
from anshang.journal import actions as journal
from anshang.matters import store as matters
from anshang.matters.model import Matter, MatterState

CALLS = "calls"
"""The parameter of the matter that says how many calls there were at least."""


def count_calls(tx: Transaction, *, actor: Actor, id: str, calls: int) -> Matter:
    """Say how many calls the incident stands for, at least."""
    actor.must(Permission.INCIDENT_REPORT, tx.district_id)
    before = matters.matters.get(tx.connection, tx.district_id, id)
    after = matters.matters.put(tx, replace(before, params=before.params | {CALLS: calls}))
    details = {"number": after.number, "calls": calls}
    journal.record(
        tx,
        actor_id=actor.id,
        kind=IncidentKind.REPEATED,
        subject_id=id,
        details=details,
        drill=after.drill,
    )
    return after


def calls_of(matter: Matter) -> dict[str, int]:
    """What the matter says of the number of calls, to be kept when its other words change."""
    return {CALLS: matter.params[CALLS]} if CALLS in matter.params else {}


def is_open(connection: Connection, district_id: str, id: str) -> bool:
    """Whether the incident still waits for its end."""
    matter = matters.matters.find(connection, district_id, id)
    return matter is not None and matter.state is not MatterState.CLOSED
