"""What is done on a board: take or hand over command, say something, read it, call the roll, work alone.

Words stay in the message; the journal knows only that there is one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from anshang.dispatch import board_store as store
from anshang.dispatch.board import BoardKind, Command, LoneTimer, Message, Presence, Receipt, RollCall
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.matters import store as matters
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.patrols.model import Unit
from anshang.people import store as people

ANSWER_S = (15.0, 900.0)
ALONE_MIN = (1, 120)


def take_command(
    tx: Transaction, *, actor: Actor, incident_id: str, commander_id: str, reason: str
) -> Command:
    """Command at an incident is taken, or handed over to somebody with the reason; one person commands."""
    actor.must(Permission.INCIDENT_ACT, tx.district_id)
    matter = matters.get(tx.connection, actor.scope, tx.district_id, incident_id)
    account = people.accounts.get(tx.connection, EVERYWHERE, commander_id)
    if not account.active or tx.district_id not in account.district_ids:
        raise NotFound("accounts.missing", en="There is no such account.", zh="没有该账号。")
    known = store.commands.find(tx.connection, tx.district_id, incident_id)
    if known is not None and known.commander_id == commander_id:
        return known
    if known is None:
        command = Command(incident_id, tx.district_id, commander_id, clock.now(), reason)
        store.commands.add(tx, command)
        kind = BoardKind.TAKEN
    else:
        if not reason.strip():
            raise BadInput("command.no_reason", en="Say why command changes.", zh="请说明移交指挥的理由。")
        changed = replace(known, commander_id=commander_id, since_at=clock.now(), reason=reason)
        command = store.commands.put(tx, changed)
        kind = BoardKind.HANDED_OVER
    before = None if known is None else known.commander_id
    _tell(tx, actor, kind, incident_id, {"from": before, "to": commander_id}, drill=matter.drill)
    return command


def say(tx: Transaction, *, actor: Actor, message: Message) -> Message:
    """Say something on a board; the same id again answers with what is there."""
    unit = _speaker(tx, actor)
    drill = tx.drill
    if message.incident_id is not None:
        drill = matters.matters.get(tx.connection, tx.district_id, message.incident_id).drill
    if message.to_unit_id is not None:
        patrols_store.units.get(tx.connection, tx.district_id, message.to_unit_id)
    said = {"incident_id": message.incident_id, "to_unit_id": message.to_unit_id, "text": message.text}
    if known := store.messages.find_again(tx.connection, tx.district_id, message.id, **said):
        return known
    now = clock.now()
    message.check()
    kept = replace(
        message,
        district_id=tx.district_id,
        from_id=actor.id,
        from_unit_id=None if unit is None else unit.id,
        at=tx.instant(message.at),
        received_at=now,
        drill=drill,
    )
    store.messages.add(tx, kept)
    details = {"incident": kept.incident_id, "to": kept.to_unit_id, "message": str(kept.kind)}
    _tell(tx, actor, BoardKind.SENT, kept.id, details, drill=drill)
    return kept


def read(tx: Transaction, *, actor: Actor, message_id: str, at: datetime | None = None) -> Receipt:
    """Say that one has read a message; reading it again changes nothing."""
    unit = _speaker(tx, actor)
    message = store.messages.get(tx.connection, tx.district_id, message_id)
    if unit is not None and message.to_unit_id not in (None, unit.id) and message.from_id != actor.id:
        raise NotFound("messages.missing", en="There is no such message.", zh="没有该消息。")
    for known in store.list_receipts(tx.connection, tx.district_id, [message_id]):
        if known.reader_id == actor.id:
            return known
    unit_id = None if unit is None else unit.id
    read_at = tx.instant(at, since=message.at)
    receipt = Receipt(ids.new_id(), tx.district_id, message_id, actor.id, unit_id, read_at)
    store.receipts.add(tx, receipt)
    _tell(tx, actor, BoardKind.READ, message_id, {"unit": unit_id}, drill=message.drill)
    return receipt


def call_roll(
    tx: Transaction, *, actor: Actor, id: str, incident_id: str | None, answer_within_s: float, drill: bool
) -> RollCall:
    """Ask every unit on duty whether it is well."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    if known := store.roll_calls.find_again(tx.connection, tx.district_id, id, incident_id=incident_id):
        return known
    if incident_id is not None:
        matters.get(tx.connection, actor.scope, tx.district_id, incident_id)
    if not ANSWER_S[0] <= answer_within_s <= ANSWER_S[1]:
        raise BadInput("rollcall.bad_time", en="Give 15 s to 15 min.", zh="应答时限为 15 秒至 15 分钟。")
    on_duty = tuple(unit.id for unit in patrols_store.list_on_duty(tx.connection, tx.district_id))
    if not on_duty:
        raise RuleBroken("rollcall.nobody", en="No unit is on duty.", zh="当前无单元在岗。")
    now = clock.now()
    answer_by = now + timedelta(seconds=answer_within_s)
    call = RollCall(
        id, tx.district_id, incident_id, now, actor.id, answer_by, on_duty, drill=drill or tx.drill
    )
    store.roll_calls.add(tx, call)
    _tell(tx, actor, BoardKind.CALLED, id, {"units": len(on_duty), "incident": incident_id}, drill=drill)
    return call


def answer_roll(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    roll_call_id: str,
    unit_id: str | None = None,
    at: datetime | None = None,
    words: str = "",
) -> Presence:
    """A unit says that it is well; the desk may say so for one that it has heard by radio."""
    unit = _spoken_for(tx, actor, unit_id)
    if known := store.presences.find_again(tx.connection, tx.district_id, id, roll_call_id=roll_call_id):
        return known
    call = store.roll_calls.get(tx.connection, tx.district_id, roll_call_id)
    if unit.id not in call.unit_ids:
        raise RuleBroken("rollcall.not_asked", en="This unit was not asked.", zh="该单元不在点名之列。")
    for known in store.list_presences(tx.connection, tx.district_id, [roll_call_id]):
        if known.unit_id == unit.id:
            return known
    presence = Presence(id, tx.district_id, roll_call_id, unit.id, tx.instant(at, since=call.asked_at), words)
    store.presences.add(tx, presence)
    late = presence.at > call.answer_by
    _tell(tx, actor, BoardKind.PRESENT, roll_call_id, {"unit": unit.id, "late": late}, drill=call.drill)
    return presence


def tell_silent(tx: Transaction, *, actor: Actor, call: RollCall, unit_ids: tuple[str, ...]) -> RollCall:
    """Keep which units have not answered in time: a person looks for them."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    kept = store.roll_calls.put(tx, replace(call, silent_at=clock.now()))
    if unit_ids:
        details = {"units": list(unit_ids), "incident": call.incident_id}
        _tell(tx, actor, BoardKind.SILENT, call.id, details, drill=call.drill)
    return kept


def go_alone(
    tx: Transaction, *, actor: Actor, id: str, minutes: int, unit_id: str | None = None
) -> LoneTimer:
    """Say that one works alone for some minutes; a new timer takes the place of the running one."""
    unit = _spoken_for(tx, actor, unit_id)
    if known := store.lone_timers.find_again(tx.connection, tx.district_id, id, unit_id=unit.id):
        return known
    if not ALONE_MIN[0] <= minutes <= ALONE_MIN[1]:
        raise BadInput("lone.bad_time", en="Give 1 to 120 minutes.", zh="时长为 1 至 120 分钟。")
    now = clock.now()
    for running in store.list_running_timers(tx.connection, tx.district_id):
        if running.unit_id == unit.id:
            store.lone_timers.put(tx, running.ended(now))
    timer = LoneTimer(id, tx.district_id, unit.id, actor.id, now, now + timedelta(minutes=minutes))
    store.lone_timers.add(tx, timer)
    _tell(tx, actor, BoardKind.ALONE, id, {"unit": unit.id, "minutes": minutes})
    return timer


def come_back(tx: Transaction, *, actor: Actor, id: str, at: datetime | None = None) -> LoneTimer:
    """Say that one is well and no longer alone; saying it again changes nothing."""
    patrols.must_serve(actor, tx.district_id)
    timer = store.lone_timers.get(tx.connection, tx.district_id, id)
    _spoken_for(tx, actor, timer.unit_id)
    if timer.ended_at is not None:
        return timer
    ended = store.lone_timers.put(tx, timer.ended(tx.instant(at, since=timer.begun_at)))
    _tell(tx, actor, BoardKind.BACK, id, {"unit": timer.unit_id})
    return ended


def tell_overdue(tx: Transaction, *, actor: Actor, timer: LoneTimer) -> LoneTimer:
    """Keep that somebody who works alone has not come back: a person looks for them."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    kept = store.lone_timers.put(tx, replace(timer, overdue_at=clock.now()))
    _tell(tx, actor, BoardKind.OVERDUE, timer.id, {"unit": timer.unit_id})
    return kept


def _speaker(tx: Transaction, actor: Actor) -> Unit | None:
    """The unit for which the actor speaks; None for the desk, RuleBroken for others who are on no duty."""
    patrols.must_serve(actor, tx.district_id)
    unit = _unit_of(tx, actor)
    if unit is None and not actor.may(Permission.UNIT_DIRECT, tx.district_id):
        raise RuleBroken("duty.none", en="You are on no duty.", zh="您未在值勤。")
    return unit


def _spoken_for(tx: Transaction, actor: Actor, unit_id: str | None) -> Unit:
    """The unit meant: the actor's own, or one that the actor may speak for."""
    patrols.must_serve(actor, tx.district_id)
    unit = (
        _unit_of(tx, actor)
        if unit_id is None
        else patrols_store.units.get(tx.connection, tx.district_id, unit_id)
    )
    if unit is None:
        raise RuleBroken("duty.none", en="You are on no duty.", zh="您未在值勤。")
    patrols.must_serve_with(tx, actor, unit)
    return unit


def _unit_of(tx: Transaction, actor: Actor) -> Unit | None:
    """The unit in whose crew the actor is on duty, None when they are in none."""
    found = patrols.serving_with(tx.connection, actor, tx.district_id)
    return None if found is None else found[1]


def _tell(
    tx: Transaction,
    actor: Actor,
    kind: BoardKind,
    subject_id: str,
    details: dict[str, Any],
    *,
    drill: bool = False,
) -> None:
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=subject_id, details=details, drill=drill)
