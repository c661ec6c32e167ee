"""What is done with matters: open, retell, acknowledge, release, note, reprioritise, entrust, close,
reopen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, RuleBroken, StaleVersion
from anshang.journal import actions as journal
from anshang.matters import store
from anshang.matters.model import (
    ClockKind,
    Due,
    Matter,
    MatterEvent,
    MatterKind,
    MatterState,
    Note,
    Priority,
    started,
)


def open_matter(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    kind: MatterKind,
    priority: Priority,
    subject: str,
    params: dict[str, Any] | None = None,
    text: str = "",
    zone_id: str | None = None,
    body_id: str | None = None,
    due: Sequence[Due] = (),
    drill: bool = False,
) -> Matter:
    """Put something into the queue; the same id again answers with what is there."""
    actor.must(Permission.MATTER_ACT, tx.district_id)
    said = {"kind": kind, "text": text, "opened_by": actor.id}
    if known := store.matters.find_again(tx.connection, tx.district_id, id, **said):
        return known
    matter = Matter(
        id=id,
        district_id=tx.district_id,
        number=store.next_number(tx),
        kind=kind,
        priority=priority,
        subject=subject,
        params=params or {},
        text=text,
        zone_id=zone_id,
        body_id=body_id,
        state=MatterState.OPEN,
        opened_at=clock.now(),
        opened_by=actor.id,
        drill=drill or tx.drill,
    )
    store.matters.add(tx, matter)
    _start(tx, matter, due)
    _tell(
        tx,
        actor,
        MatterEvent.OPENED,
        matter,
        {"kind": str(kind), "priority": int(priority), "subject": subject},
    )
    return matter


def retell(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    subject: str,
    params: dict[str, Any],
    priority: Priority,
    due: Sequence[Due] = (),
) -> Matter:
    """The matter has changed by itself: say it anew; when it became more urgent it must be acknowledged
    anew.
    """
    actor.must(Permission.MATTER_ACT, tx.district_id)
    before = store.matters.get(tx.connection, tx.district_id, id)
    after = store.matters.put(tx, before.retold(subject, params, priority))
    if priority < before.priority:
        _hurry(tx, after, due)
    _tell(tx, actor, MatterEvent.REPRIORITISED, after, {"from": int(before.priority), "to": int(priority)})
    return after


def acknowledge(tx: Transaction, *, actor: Actor, id: str, read: Matter | None = None) -> Matter:
    """Say that one has seen it and takes care; saying it twice changes nothing. `read` is the matter where
    the transaction has it at hand.
    """
    before = _mine(tx, actor, id, read)
    if before.state is MatterState.ACKNOWLEDGED:
        return before
    after = store.matters.put(tx, before.acknowledged(actor.id, clock.now()))
    store.meet_clocks(tx, id, [ClockKind.ACKNOWLEDGE], clock.now())
    waited_s = (clock.now() - before.opened_at).total_seconds()
    _tell(tx, actor, MatterEvent.ACKNOWLEDGED, after, {"waited_s": round(waited_s, 1)})
    return after


def shelve(tx: Transaction, *, actor: Actor, id: str, until: datetime, note_id: str, reason: str) -> Matter:
    """Put an alarm aside until an instant, with the reason as a note; until then it does not count.

    It comes back by itself, and at once when it becomes more urgent.
    """
    before = _mine(tx, actor, id)
    if store.notes.find_again(tx.connection, tx.district_id, note_id, matter_id=id, text=reason):
        return before
    after = store.matters.put(tx, before.shelved(until, clock.now()))
    add_note(tx, actor=actor, id=id, note_id=note_id, text=reason)
    _tell(tx, actor, MatterEvent.SHELVED, after, {"until": until.isoformat()})
    return after


def unshelve(tx: Transaction, *, actor: Actor, id: str) -> Matter:
    """Let an alarm that was put aside count again; saying it twice changes nothing."""
    before = _mine(tx, actor, id)
    if not before.is_shelved(clock.now()):
        return before
    after = store.matters.put(tx, before.unshelved())
    _tell(tx, actor, MatterEvent.UNSHELVED, after, {})
    return after


def release(tx: Transaction, *, actor: Actor, id: str, of: str | None = None) -> Matter:
    """Give a matter that one had, or that was `of` somebody whose act one undoes, back to the queue: it waits
    again, by the clock that was met.
    """
    before = _mine(tx, actor, id)
    released = before.released()
    if before.acknowledged_by != (of or actor.id):
        raise RuleBroken("matter.not_yours", en="Somebody else takes care of this.", zh="该事项由他人负责。")
    after = store.matters.put(tx, released)
    _run_on(tx, id)
    _tell(tx, actor, MatterEvent.RELEASED, after, {})
    return after


def add_note(tx: Transaction, *, actor: Actor, id: str, note_id: str, text: str) -> Note:
    """Write something about a matter; the words stay in the note, the journal knows only that there is
    one.
    """
    matter = _mine(tx, actor, id)
    said = {"matter_id": id, "author_id": actor.id, "text": text}
    if known := store.notes.find_again(tx.connection, tx.district_id, note_id, **said):
        return known
    note = Note(note_id, tx.district_id, matter.id, clock.now(), actor.id, text)
    store.notes.add(tx, note)
    _tell(tx, actor, MatterEvent.NOTED, matter, {"note": note_id})
    return note


def change_priority(tx: Transaction, *, actor: Actor, id: str, priority: Priority, version: int) -> Matter:
    """A person judges it more or less urgent."""
    before = replace(_mine(tx, actor, id), version=version)
    after = store.matters.put(tx, before.reprioritised(priority))
    _tell(tx, actor, MatterEvent.REPRIORITISED, after, {"from": int(before.priority), "to": int(priority)})
    return after


def entrust(tx: Transaction, *, actor: Actor, id: str, body_id: str) -> Matter:
    """Let another body take care of it; it was asked and agreed."""
    before = _mine(tx, actor, id)
    after = store.matters.put(tx, before.entrusted(body_id))
    _tell(tx, actor, MatterEvent.ENTRUSTED, after, {"body": body_id})
    return after


def move(tx: Transaction, *, actor: Actor, id: str, zone_id: str | None) -> Matter:
    """It lies in another zone than thought; told by who says where it is."""
    return store.matters.put(tx, replace(_mine(tx, actor, id), zone_id=zone_id))


def close(tx: Transaction, *, actor: Actor, id: str, outcome: str, version: int | None = None) -> Matter:
    """Settle a matter; with `version`, only when nobody changed it since it was read."""
    before = _mine(tx, actor, id)
    if version is not None and version != before.version:
        raise StaleVersion(
            "matters.stale",
            en="Somebody else changed this in the meantime; look again.",
            zh="期间已有他人修改，请刷新后重试。",
        )
    if not outcome.strip():
        raise BadInput("matter.no_outcome", en="Say how it ended.", zh="请填写处置结果。")
    now = clock.now()
    after = store.matters.put(tx, before.closed(actor.id, now, outcome))
    store.meet_clocks(tx, id, [ClockKind.ACKNOWLEDGE], now)  # to be there or found, nobody was by that
    lasted_s = (now - before.opened_at).total_seconds()
    _tell(tx, actor, MatterEvent.CLOSED, after, {"lasted_s": round(lasted_s, 1)})
    return after


def settle(tx: Transaction, *, actor: Actor, id: str, outcome: str, version: int) -> Matter:
    """Close a matter from the queue; RuleBroken for a sort that ends by a verb of its own."""
    _must_end_here(_mine(tx, actor, id))
    return close(tx, actor=actor, id=id, outcome=outcome, version=version)


def unsettle(tx: Transaction, *, actor: Actor, id: str) -> Matter:
    """Open a closed matter again from the queue; RuleBroken for a sort that does so by a verb of its own."""
    _must_end_here(_mine(tx, actor, id))
    return reopen(tx, actor=actor, id=id)


def _must_end_here(matter: Matter) -> None:
    """RuleBroken for an incident, whose steps and duplicates end with it, and a look-out, which would go on
    unseen: its notices, its search and what the vault keeps of it.
    """
    if matter.kind is MatterKind.INCIDENT:
        raise RuleBroken(
            "matter.incident",
            en="Close and reopen an incident as an incident: its steps and its duplicates go with it.",
            zh="警情须按警情办结或重开：其环节与重复警情一并处理。",
        )
    if matter.kind is MatterKind.LOOKOUT:
        raise RuleBroken(
            "matter.lookout",
            en="End a look-out as a look-out; one that has ended is not opened again: begin a new one.",
            zh="协查须按协查结束；已结束的协查不能重开，请重新发起。",
        )


def reopen(tx: Transaction, *, actor: Actor, id: str) -> Matter:
    """A closed matter was not settled after all: it waits to be acknowledged again."""
    before = _mine(tx, actor, id)
    after = store.matters.put(tx, before.reopened())
    _run_on(tx, id)
    _tell(tx, actor, MatterEvent.REOPENED, after, {})
    return after


def _mine(tx: Transaction, actor: Actor, id: str, read: Matter | None = None) -> Matter:
    actor.must(Permission.MATTER_ACT, tx.district_id)
    if read is not None:
        return store.seen(actor.scope, read)
    return store.get(tx.connection, actor.scope, tx.district_id, id)


def _start(tx: Transaction, matter: Matter, due: Sequence[Due]) -> None:
    store.clocks.add_all(tx, [started(each, matter, ids.new_id(), clock.now()) for each in due])


def _run_on(tx: Transaction, id: str) -> None:
    """Let the clock to acknowledge run on."""
    for each in store.list_clocks(tx.connection, tx.district_id, [id]):
        if each.met_at is not None and each.kind is ClockKind.ACKNOWLEDGE:
            store.clocks.put(tx, replace(each, met_at=None))


def _hurry(tx: Transaction, matter: Matter, due: Sequence[Due]) -> None:
    """Bring the running clocks forward; one that had been met, or was never there, starts anew."""
    clocks = store.list_clocks(tx.connection, tx.district_id, [matter.id])
    running = {each.kind: each for each in clocks if each.met_at is None}
    for each in due:
        fresh = started(each, matter, ids.new_id(), clock.now())
        if (old := running.get(each.kind)) is None:
            store.clocks.add(tx, fresh)
        else:
            earlier = min(old.due_at, fresh.due_at)
            store.clocks.put(tx, replace(old, due_at=earlier, because=fresh.because, params=fresh.params))


def _tell(tx: Transaction, actor: Actor, kind: MatterEvent, matter: Matter, details: dict[str, Any]) -> None:
    told = {"number": matter.number, **details}
    if matter.zone_id is not None:
        told["zone"] = matter.zone_id
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=matter.id, details=told, drill=matter.drill)
