"""What is done with shifts: call for them, sign up, swap, come and go, and confirm the hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken
from anshang.journal import actions as journal
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Member, Reason, unfitness
from anshang.places import store as places
from anshang.volunteers import store
from anshang.volunteers.model import PLACES_MOST, TASK_OF, SignUp, TeamShift, VolunteerKind

TEAM = "volunteer"
"""The kind of unit whose rules hold for volunteers in shifts."""


def call_shift(tx: Transaction, *, actor: Actor, shift: TeamShift) -> TeamShift:
    """Look for volunteers for a shift; the same id again answers with what is there."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    said = {
        name: getattr(shift, name) for name in ("work", "place", "starts_at", "ends_at", "wanted", "skill")
    }
    if known := store.shifts.find_again(tx.connection, tx.district_id, shift.id, **said):
        return known
    shift.check(clock.now())
    if not 1 <= shift.wanted <= PLACES_MOST:
        raise BadInput("team_shift.places", en="A shift has 1 to 60 places.", zh="班次名额应为 1 至 60 人。")
    store.shifts.add(tx, shift)
    _tell(tx, actor, VolunteerKind.CALLED, shift.id, {"work": str(shift.work), "wanted": shift.wanted})
    return shift


def cancel(tx: Transaction, *, actor: Actor, id: str) -> TeamShift:
    """Call a shift off; doing it again changes nothing."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    shift = store.shifts.get(tx.connection, tx.district_id, id)
    if shift.cancelled_at is not None:
        return shift
    cancelled = store.shifts.put(tx, replace(shift, cancelled_at=clock.now()))
    _tell(tx, actor, VolunteerKind.CANCELLED, id, {})
    return cancelled


def sign_up(tx: Transaction, *, actor: Actor, id: str, shift_id: str) -> SignUp:
    """Take a free place in a shift that one is fit for; the same id again answers with what is there."""
    _must_be_member(tx, actor)
    said = {"shift_id": shift_id, "account_id": actor.id}
    if known := store.sign_ups.find_again(tx.connection, tx.district_id, id, **said):
        return known
    shift = store.shifts.get(tx.connection, tx.district_id, shift_id)
    _must_fit(tx, actor, shift)
    if len(store.list_sign_ups(tx.connection, tx.district_id, [shift_id])) >= shift.wanted:
        raise RuleBroken("team_shift.full", en="This shift is full.", zh="该班次名额已满。")
    made = SignUp(id, tx.district_id, shift_id, actor.id, clock.now())
    store.sign_ups.add(tx, made)
    _tell(tx, actor, VolunteerKind.SIGNED, shift_id, {})
    return made


def withdraw(tx: Transaction, *, actor: Actor, id: str) -> SignUp:
    """Give a place back before the shift begins."""
    sign_up, shift = _own(tx, actor, id)
    after = store.sign_ups.put(tx, sign_up.withdrawn(shift, clock.now()))
    _tell(tx, actor, VolunteerKind.WITHDRAWN, shift.id, {})
    return after


def offer(tx: Transaction, *, actor: Actor, id: str, offered: bool) -> SignUp:
    """Look for somebody to take one's place, or no longer; it stays one's own until somebody does."""
    sign_up, shift = _own(tx, actor, id)
    after = store.sign_ups.put(tx, sign_up.offering(offered, shift, clock.now()))
    _tell(tx, actor, VolunteerKind.OFFERED, shift.id, {"offered": offered})
    return after


def take(tx: Transaction, *, actor: Actor, id: str) -> SignUp:
    """Take a place that its holder offers. Two who swap take each other's."""
    _must_be_member(tx, actor)
    sign_up = store.sign_ups.get(tx.connection, tx.district_id, id)
    shift = store.shifts.get(tx.connection, tx.district_id, sign_up.shift_id)
    _must_fit(tx, actor, shift)
    after = store.sign_ups.put(tx, sign_up.taken(actor.id, shift, clock.now()))
    _tell(tx, actor, VolunteerKind.TAKEN, shift.id, {"from": sign_up.account_id})
    return after


def come(tx: Transaction, *, actor: Actor, id: str) -> SignUp:
    """Say that one is there; saying it twice changes nothing."""
    before, shift = _own(tx, actor, id)
    after = before.came(shift, clock.now())
    if after == before:
        return before
    _tell(tx, actor, VolunteerKind.CAME, shift.id, {})
    return store.sign_ups.put(tx, after)


def go(tx: Transaction, *, actor: Actor, id: str) -> SignUp:
    """Say that one has finished; saying it twice changes nothing."""
    before, shift = _own(tx, actor, id)
    after = before.went(clock.now())
    if after == before:
        return before
    _tell(tx, actor, VolunteerKind.WENT, shift.id, {})
    return store.sign_ups.put(tx, after)


def confirm(tx: Transaction, *, actor: Actor, id: str, came_at: datetime, went_at: datetime) -> SignUp:
    """Say from when to when somebody truly served; until then their hours do not count."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    sign_up = store.sign_ups.get(tx.connection, tx.district_id, id)
    shift = store.shifts.get(tx.connection, tx.district_id, sign_up.shift_id)
    if went_at > clock.now():
        raise BadInput(
            "sign_up.not_over", en="Hours are confirmed afterwards.", zh="服务结束后方可确认时长。"
        )
    after = sign_up.confirmed(shift, came_at, went_at, actor.id)
    details = {"of": sign_up.account_id, "served_s": round((went_at - came_at).total_seconds())}
    _tell(tx, actor, VolunteerKind.CONFIRMED, shift.id, details)
    return store.sign_ups.put(tx, after)


def unfit_for(connection: Connection, shift: TeamShift, member: Member | None) -> tuple[Reason, ...]:
    """Why a volunteer may not do the shift on its day; empty when they may."""
    ends_on = places.get_district(connection, shift.district_id).local(shift.ends_at).date()
    reasons = unfitness(KINDS[TEAM], (member,), TASK_OF[shift.work], ends_on)
    if shift.skill is not None and (member is None or shift.skill not in member.skills):
        reasons += (
            Reason(
                "skill", "该班次需要的技能尚未登记。", "This shift needs a skill.", "志愿服务条例 Art. 15"
            ),
        )
    return reasons


def _must_be_member(tx: Transaction, actor: Actor) -> None:
    actor.must(Permission.UNIT_DUTY, tx.district_id)
    if store.find_member(tx.connection, tx.district_id, actor.id) is None:
        raise NotFound("volunteers.missing", en="You are in no volunteer team.", zh="您未加入志愿者队伍。")


def _must_fit(tx: Transaction, actor: Actor, shift: TeamShift) -> None:
    """RuleBroken for a shift one may not do, or while one does another."""
    shift.must_stand()
    if clock.now() >= shift.ends_at:
        raise RuleBroken("team_shift.over", en="This shift is over.", zh="该班次已结束。")
    (member,) = patrols_store.list_members(tx.connection, tx.district_id, (actor.id,))
    if reasons := unfit_for(tx.connection, shift, member):
        raise patrols.unfit(reasons)
    for other in store.list_of_account(tx.connection, tx.district_id, actor.id):
        its = store.shifts.get(tx.connection, tx.district_id, other.shift_id)
        if its.cancelled_at is None and its.overlaps(shift):
            raise RuleBroken(
                "sign_up.overlaps", en="You have another shift at that time.", zh="您在该时段已有其他班次。"
            )


def _own(tx: Transaction, actor: Actor, id: str) -> tuple[SignUp, TeamShift]:
    """One's own place in a shift; of others one need not even know that they are."""
    actor.must(Permission.UNIT_DUTY, tx.district_id)
    sign_up = store.sign_ups.get(tx.connection, tx.district_id, id)
    if sign_up.account_id != actor.id or sign_up.withdrawn_at is not None:
        raise NotFound("sign_ups.missing", en="You have not signed up so.", zh="您没有该报名。")
    return sign_up, store.shifts.get(tx.connection, tx.district_id, sign_up.shift_id)


def _tell(tx: Transaction, actor: Actor, kind: VolunteerKind, id: str, details: dict[str, Any]) -> None:
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=id, details=details)
