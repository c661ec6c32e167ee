"""What is done at the desk itself: begin a shift, join it, write the log, hand over, take over; services."""

from __future__ import annotations

from typing import Any

from anshang.desk import store
from anshang.desk.model import DeskKind, DutyNote, Service, ServiceRequest, Shift
from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import RuleBroken
from anshang.journal import actions as journal
from anshang.matters import store as matters
from anshang.matters.model import MatterKind


def begin(tx: Transaction, *, actor: Actor, id: str) -> Shift:
    """Take the desk: a new shift when there is none, else join the one that runs.

    RuleBroken while a hand-over waits: it must be read and accepted.
    """
    actor.must(Permission.DESK_WORK, tx.district_id)
    last = store.find_last_shift(tx.connection, tx.district_id)
    if last is not None and last.handed_over_at is not None and last.accepted_at is None:
        raise RuleBroken("shift.waits", en="Accept the hand-over first.", zh="请先阅读并接收上一班的交接。")
    if last is None or last.accepted_at is not None:
        return _new(tx, actor, id)
    after = last.joined(actor.id)
    if after is last:
        return last
    kept = store.shifts.put(tx, after)
    _tell(tx, actor, DeskKind.SHIFT_JOINED, kept.id, {})
    return kept


def write(tx: Transaction, *, actor: Actor, id: str, text: str) -> DutyNote:
    """Write a line into the log of the shift that runs."""
    actor.must(Permission.DESK_WORK, tx.district_id)
    if known := store.notes.find_again(tx.connection, tx.district_id, id, author_id=actor.id, text=text):
        return known
    shift = _running(tx)
    note = DutyNote(id, tx.district_id, shift.id, clock.now(), actor.id, text)
    store.notes.add(tx, note)
    _tell(tx, actor, DeskKind.DUTY_NOTED, id, {"shift": shift.id})
    return note


def hand_over(tx: Transaction, *, actor: Actor, note: str) -> Shift:
    """Hand the desk over: what they must know, and what is open, as it stands now."""
    actor.must(Permission.DESK_WORK, tx.district_id)
    waiting = matters.list_waiting(tx.connection, actor.scope, tx.district_id)
    open_items = {f"p{int(p)}": sum(m.priority is p for m in waiting) for p in {m.priority for m in waiting}}
    if lookouts := sum(matter.kind is MatterKind.LOOKOUT for matter in waiting):
        open_items["lookouts"] = lookouts
    handed = _running(tx).handed_over(actor.id, clock.now(), note, open_items)
    kept = store.shifts.put(tx, handed)
    _tell(tx, actor, DeskKind.SHIFT_HANDED_OVER, kept.id, open_items)
    return kept


def take_over(tx: Transaction, *, actor: Actor, id: str) -> Shift:
    """Accept what was handed over: the next shift begins, and what is open is theirs."""
    actor.must(Permission.DESK_WORK, tx.district_id)
    if known := store.shifts.find(tx.connection, tx.district_id, id):
        return known
    last = store.find_last_shift(tx.connection, tx.district_id)
    if last is None:
        raise RuleBroken("shift.not_waiting", en="Nothing waits to be accepted.", zh="没有待接收的交接。")
    store.shifts.put(tx, last.accepted(actor.id, clock.now()))
    _tell(tx, actor, DeskKind.SHIFT_ACCEPTED, last.id, {})
    return _new(tx, actor, id)


def ask_service(tx: Transaction, *, actor: Actor, id: str, service: Service) -> ServiceRequest:
    """Somebody at the kiosk wants something."""
    actor.must(Permission.DESK_WORK, tx.district_id)
    if known := store.services.find_again(tx.connection, tx.district_id, id, service=service):
        return known
    asked = ServiceRequest(id, tx.district_id, service, clock.now(), actor.id)
    store.services.add(tx, asked)
    _tell(tx, actor, DeskKind.SERVICE_ASKED, id, {"service": str(service)})
    return asked


def serve(tx: Transaction, *, actor: Actor, id: str) -> ServiceRequest:
    """They have got it."""
    actor.must(Permission.DESK_WORK, tx.district_id)
    before = store.services.get(tx.connection, tx.district_id, id)
    after = before.done(actor.id, clock.now())
    if after is before:
        return before
    kept = store.services.put(tx, after)
    waited_s = (clock.now() - kept.asked_at).total_seconds()
    _tell(
        tx, actor, DeskKind.SERVICE_DONE, id, {"service": str(kept.service), "waited_s": round(waited_s, 1)}
    )
    return kept


def _new(tx: Transaction, actor: Actor, id: str) -> Shift:
    shift = Shift(id, tx.district_id, clock.now(), (actor.id,))
    store.shifts.add(tx, shift)
    _tell(tx, actor, DeskKind.SHIFT_BEGUN, id, {})
    return shift


def _running(tx: Transaction) -> Shift:
    last = store.find_last_shift(tx.connection, tx.district_id)
    if last is None or last.accepted_at is not None:
        raise RuleBroken(
            "shift.none", en="Nobody is on the desk; begin a shift.", zh="当前无人值班，请先上班。"
        )
    return last


def _tell(tx: Transaction, actor: Actor, kind: DeskKind, subject_id: str, details: dict[str, Any]) -> None:
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=subject_id, details=details)
