"""What is done with planned events: entered, imported, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from anshang.crowds import planned_store as store
from anshang.crowds.model import EventLeftOut, PlannedEvent
from anshang.crowds.planned import Plan, PlannedKind, id_of
from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput
from anshang.journal import actions as journal
from anshang.places import store as places

NAME_MOST = 120


def enter(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    name: str,
    zone_id: str | None,
    start_at: datetime,
    end_at: datetime,
    expected_count: int | None,
) -> Plan:
    """Enter an event; the same id answers with the first."""
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    said = {"name": name.strip(), "zone_id": zone_id, "start_at": start_at, "end_at": end_at}
    if known := store.plans.find_again(tx.connection, tx.district_id, id, **said):
        return known
    plan = Plan(id, tx.district_id, name.strip(), zone_id, start_at, end_at, expected_count)
    plan.check()
    places.check_zone(tx.connection, tx.district_id, zone_id)
    store.plans.add(tx, plan)
    _tell(tx, actor, PlannedKind.ENTERED, plan)
    return plan


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the events of a file: how many are new, how many were known, what was left out."""

    new: int
    known: int
    left_out: list[EventLeftOut]


def import_events(tx: Transaction, *, actor: Actor, events: Sequence[PlannedEvent]) -> Imported:
    """Enter the events of a file; one that cannot be is left out with its reason."""
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    new = known = 0
    left_out: list[EventLeftOut] = []
    for event in events:
        id = id_of(tx.district_id, event)
        if store.plans.find(tx.connection, tx.district_id, id) is not None:
            known += 1
            continue
        name = event.name.strip()[:NAME_MOST]
        plan = Plan(id, tx.district_id, name, None, event.start_at, event.end_at, event.expected_count)
        try:
            plan.check()
        except BadInput as refusal:
            left_out.append(EventLeftOut(name, refusal.en, refusal.zh))
            continue
        store.plans.add(tx, plan)
        new += 1
    if new:
        details = {"new": new, "known": known}
        journal.record(
            tx, actor_id=actor.id, kind=PlannedKind.IMPORTED, subject_id=tx.district_id, details=details
        )
    return Imported(new, known, left_out)


def withdraw(tx: Transaction, *, actor: Actor, id: str) -> Plan:
    """It does not take place, or never did."""
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    plan = store.plans.get(tx.connection, tx.district_id, id)
    after = store.plans.put(tx, plan.withdrawn(clock.now()))
    _tell(tx, actor, PlannedKind.WITHDRAWN, after)
    return after


def _tell(tx: Transaction, actor: Actor, kind: PlannedKind, plan: Plan) -> None:
    details = {
        "zone": plan.zone_id,
        "start": plan.start_at.isoformat(),
        "end": plan.end_at.isoformat(),
        "expected": plan.expected_count,
    }
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=plan.id, details=details)
