"""What is done with units: define, retire, give a key to its device, begin and end duty, say what one is
doing; and what is known of members.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken
from anshang.foundation.lines import check_changed_names
from anshang.incidents.categories import Task
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.patrols import store
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import (
    NO_CREW,
    OWN_STATUS,
    Duty,
    Member,
    PatrolKind,
    Reason,
    Unit,
    UnitStatus,
    may_crew,
    unfitness,
)
from anshang.people import store as people
from anshang.people.actions import digest_of
from anshang.people.model import Role
from anshang.places import store as places

CREW_MAX = 12


def define_unit(tx: Transaction, *, actor: Actor, unit: Unit) -> Unit:
    """Enter a unit or change what it is (by its `version`); its status and duty stay."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    if unit.kind_id not in KINDS:
        raise NotFound("unit.no_such_kind", en="There is no such kind of unit.", zh="没有该类单元。")
    if unit.body_id is not None:
        people.bodies.get(tx.connection, EVERYWHERE, unit.body_id)
    known = store.units.find(tx.connection, tx.district_id, ids.checked_code(unit.id))
    check_changed_names(known, unit, "call_sign", "name_zh", "name_en")
    if known is None:
        unit = replace(unit, status=UnitStatus.OFF_DUTY, since_at=clock.now(), version=1)
        store.units.add(tx, unit)
    else:
        kept = {name: getattr(known, name) for name in ("status", "since_at", "duty_id", "device_digest")}
        unit = replace(unit, **kept)
        if replace(known, version=unit.version) == unit:
            return known
        unit = store.units.put(tx, unit)
    _tell(tx, actor, PatrolKind.DEFINED, unit.id, {"kind": unit.kind_id, "call_sign": unit.call_sign})
    return unit


def retire_unit(tx: Transaction, *, actor: Actor, id: str) -> Unit:
    """Use a unit no more; RuleBroken while it is on duty. Retiring it again changes nothing."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    unit = store.units.get(tx.connection, tx.district_id, id)
    if unit.retired_at is not None:
        return unit
    if unit.duty_id is not None:
        raise RuleBroken("unit.on_duty", en="This unit is on duty.", zh="该单元正在岗。")
    retired = store.units.put(tx, replace(unit, retired_at=clock.now(), device_digest=None))
    _tell(tx, actor, PatrolKind.RETIRED, id, {})
    return retired


def give_key(tx: Transaction, *, actor: Actor, id: str) -> str:
    """A new key for the unit's device, returned once and never kept; the old one opens nothing any more."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    unit = store.units.get(tx.connection, tx.district_id, id)
    key = f"asu_{secrets.token_urlsafe(24)}"
    store.units.put(tx, replace(unit, device_digest=digest_of(key)))
    _tell(tx, actor, PatrolKind.KEYED, id, {})
    return key


def qualify(tx: Transaction, *, actor: Actor, member: Member) -> Member:
    """Say until when somebody is insured and trained, and whether they are of age."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    account = people.accounts.get(tx.connection, EVERYWHERE, member.id)
    if tx.district_id not in account.district_ids:
        raise NotFound("accounts.missing", en="There is no such account.", zh="没有该账号。")
    known = store.members.find(tx.connection, tx.district_id, member.id)
    if known is None:
        member = replace(member, version=1)
        store.members.add(tx, member)
    else:
        member = store.members.put(tx, member)
    _tell(tx, actor, PatrolKind.QUALIFIED, member.id, {})
    return member


def begin_duty(tx: Transaction, *, actor: Actor, id: str, unit_id: str, crew: Sequence[str]) -> Duty:
    """Go on duty with a crew that is fit for it; the same id again answers with what is there. Others than
    the actor are put in a crew by who directs duty.
    """
    must_serve(actor, tx.district_id)
    crew = tuple(dict.fromkeys(crew))
    named = actor.may(Permission.UNIT_DIRECT, tx.district_id)
    if not named and crew != (actor.id,):
        raise RuleBroken(
            "duty.others",
            en="The desk puts others in a crew; go on duty for yourself alone.",
            zh="其他成员须由指挥台编入；请仅为本人上岗。",
        )
    if known := store.duties.find_again(tx.connection, tx.district_id, id, unit_id=unit_id, crew=crew):
        return known
    unit = store.units.get(tx.connection, tx.district_id, unit_id)
    if not 1 <= len(crew) <= CREW_MAX:
        raise BadInput("duty.no_crew", en="A crew has one to twelve members.", zh="值勤须有 1 至 12 名成员。")
    roles = people.roles_in(tx.connection, tx.district_id, crew)
    if None in roles:
        raise NotFound("accounts.missing", en="There is no such account.", zh="没有该账号。")
    if not all(may_crew(KINDS[unit.kind_id], role, named=named) for role in roles):
        raise unfit([NO_CREW])
    for other in store.list_open_duties(tx.connection, tx.district_id):
        if set(other.crew) & set(crew):
            raise RuleBroken(
                "duty.elsewhere",
                en=f"Somebody of the crew is on duty with {other.unit_id}.",
                zh=f"有成员正在 {other.unit_id} 值勤。",
            )
    if reasons := fitness(tx, unit, crew, Task.LOOK):  # every unit looks
        raise unfit(reasons)
    duty = Duty(id, tx.district_id, unit_id, crew, clock.now())
    store.duties.add(tx, duty)
    store.units.put(tx, unit.begun(id, duty.began_at))
    _tell(tx, actor, PatrolKind.BEGUN, unit_id, {"crew": len(crew)})
    return duty


def end_duty(tx: Transaction, *, actor: Actor, id: str) -> Duty:
    """Go off duty; ending it again changes nothing."""
    must_serve(actor, tx.district_id)
    duty = store.duties.get(tx.connection, tx.district_id, id)
    _must_be_own(actor, tx.district_id, duty.crew)
    if duty.ended_at is not None:
        return duty
    ended = store.duties.put(tx, replace(duty, ended_at=clock.now()))
    store.units.put(tx, store.units.get(tx.connection, tx.district_id, duty.unit_id).ended(clock.now()))
    lasted_s = (clock.now() - duty.began_at).total_seconds()
    _tell(tx, actor, PatrolKind.ENDED, duty.unit_id, {"lasted_s": round(lasted_s)})
    return ended


def relieve(tx: Transaction, *, actor: Actor, duty: Duty, staying: Sequence[str]) -> None:
    """Of the crew only these may go on: the duty ends, for hours are kept by it, and they begin one of their
    own with the unit as it is. With nobody left the unit goes off duty; RuleBroken while it is sent.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    now = clock.now()
    unit = store.units.get(tx.connection, tx.district_id, duty.unit_id)
    ended = store.duties.put(tx, replace(duty, ended_at=now))
    details = {
        "lasted_s": round((now - ended.began_at).total_seconds()),
        "relieved": len(duty.crew) - len(staying),
    }
    _tell(tx, actor, PatrolKind.ENDED, unit.id, details)
    if not staying:
        store.units.put(tx, unit.ended(now))
        return
    onward = Duty(ids.new_id(), tx.district_id, unit.id, tuple(staying), now)
    store.duties.add(tx, onward)
    store.units.put(tx, replace(unit, duty_id=onward.id))
    _tell(tx, actor, PatrolKind.BEGUN, unit.id, {"crew": len(staying)})


def tell_status(tx: Transaction, *, actor: Actor, unit_id: str, status: UnitStatus, version: int) -> Unit:
    """Say what the unit is doing; saying the same changes nothing."""
    must_serve(actor, tx.district_id)
    unit = store.units.get(tx.connection, tx.district_id, unit_id)
    must_serve_with(tx, actor, unit)
    if status not in OWN_STATUS:
        raise BadInput(
            "unit.bad_status", en="A crew is free, busy or on a break.", zh="状态须为空闲、忙碌或休整。"
        )
    told = unit.told(status, clock.now())
    if told is unit:
        return unit
    told = store.units.put(tx, replace(told, version=version))
    _tell(tx, actor, PatrolKind.STATUS_SET, unit_id, {"from": str(unit.status), "to": str(status)})
    return told


def employ(tx: Transaction, *, actor: Actor, unit: Unit, status: UnitStatus) -> Unit:
    """What the unit is doing follows from what it was sent to; whoever sends it has asked whether the actor
    may speak for it, and tells the journal why.
    """
    must_serve(actor, tx.district_id)
    employed = unit.employed(status, clock.now())
    return unit if employed is unit else store.units.put(tx, employed)


def must_serve(actor: Actor, district_id: str) -> None:
    """Who neither directs duty nor does any has no say in it."""
    actor.must_either(Permission.UNIT_DIRECT, Permission.UNIT_DUTY, district_id)


def must_serve_with(tx: Transaction, actor: Actor, unit: Unit) -> None:
    """Whoever directs duty may speak for every unit, others for the one in whose crew they are on duty, and
    still may be.
    """
    must_serve(actor, tx.district_id)
    if not actor.may(Permission.UNIT_DIRECT, tx.district_id):
        _must_be_own(actor, tx.district_id, crew_of(tx, unit))
        if not may_crew(KINDS[unit.kind_id], Role(actor.role), named=True):
            raise unfit([NO_CREW])


def serving_with(connection: Connection, actor: Actor, district_id: str) -> tuple[Duty, Unit] | None:
    """The duty that the actor is on, and its unit; None when on none, or with a kind of unit that they may
    not crew any more.
    """
    duty = store.find_duty_of(connection, district_id, actor.id)
    if duty is None:
        return None
    unit = store.units.get(connection, district_id, duty.unit_id)
    return (duty, unit) if may_crew(KINDS[unit.kind_id], Role(actor.role), named=True) else None


def crew_of(tx: Transaction, unit: Unit) -> tuple[str, ...]:
    """Who is on duty with the unit now."""
    if unit.duty_id is None:
        return ()
    return store.duties.get(tx.connection, tx.district_id, unit.duty_id).crew


def fitness(tx: Transaction, unit: Unit, crew: Sequence[str], task: Task) -> tuple[Reason, ...]:
    """Why the unit with this crew may not do the task today; empty when it may."""
    kind = KINDS[unit.kind_id]
    roles = people.roles_in(tx.connection, tx.district_id, crew)
    if kind.police:  # of whose crews nothing more is asked
        return unfitness(kind, (), task, date.min, roles)
    members = store.list_members(tx.connection, tx.district_id, tuple(crew))
    today = places.get_district(tx.connection, tx.district_id).local(clock.now()).date()
    return unfitness(kind, members, task, today, roles)


def _must_be_own(actor: Actor, district_id: str, crew: Sequence[str]) -> None:
    """Whoever directs duty may do it for everybody, others for a crew they are in."""
    must_serve(actor, district_id)
    if not actor.may(Permission.UNIT_DIRECT, district_id) and actor.id not in crew:
        raise RuleBroken("duty.not_own", en="You are not in this crew.", zh="您不在该值勤成员中。")


def unfit(reasons: Sequence[Reason]) -> RuleBroken:
    """The refusal that says why a unit may not do something, with the rules."""
    return RuleBroken(
        "duty.unfit",
        en=" ".join(f"{reason.en} ({reason.rule})" if reason.rule else reason.en for reason in reasons),
        zh="".join(f"{reason.zh}（{reason.rule}）" if reason.rule else reason.zh for reason in reasons),
        details={"reasons": [reason.code for reason in reasons]},
    )


def _tell(tx: Transaction, actor: Actor, kind: PatrolKind, subject_id: str, details: dict[str, Any]) -> None:
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=subject_id, details=details)
