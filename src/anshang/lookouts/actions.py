"""What is done in a look-out: open it, look, widen it as the clock runs, hear what was seen, find, check who
comes for her, hand over, close, erase.

A look-out and its matter share an id, and change in one transaction. Who it is stands in the vault alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken
from anshang.journal import actions as journal
from anshang.lookouts import parties, store
from anshang.lookouts.intake import DUE, check
from anshang.lookouts.model import (
    ERASE_AFTER,
    Look,
    LookKind,
    Lookout,
    LookoutKind,
    Sort,
    State,
    Step,
)
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import ClockKind, Due, MatterKind, MatterState, Priority
from anshang.partners import actions as partners
from anshang.partners import store as partners_store
from anshang.partners.model import NoticeKind
from anshang.patrols import actions as patrols_actions
from anshang.patrols import store as patrols
from anshang.vault import actions as vault
from anshang.vault import store as vault_store
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose, RecordKind

SUBJECT = "matter.lookout"
OUTCOME = {"released": "outcome.handed_over", "closed": "outcome.lookout_closed"}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of whom is looked for: `who` (name, height, clothes, shoes, language, needs, with whom),
    `contact` (who looks, a telephone, a question that only the guardian can answer, and its answer), and the
    words for merchants.
    """

    who: Mapping[str, str]
    contact: Mapping[str, str]
    words_zh: str
    words_en: str


def record_id(lookout_id: str, part: str) -> str:
    """The record of the vault that holds a part of what was told: who, contact, words."""
    return ids.derived(lookout_id, part)


def open_lookout(
    tx: Transaction,
    keyring: Keyring,
    *,
    actor: Actor,
    lookout: Lookout,
    told: Told,
    ask: Sequence[str],
    insist: bool = False,
) -> Lookout:
    """Begin to look for somebody: into the queue, what was told into the vault, the notice to the partners
    `ask`. RuleBroken when somebody like her was lost there minutes ago, unless one insists.
    """
    actor.must(Permission.LOOKOUT_OPEN, tx.district_id)
    said = {"sort": lookout.sort, "age_band": lookout.age_band, "seen_at": lookout.seen_at}
    if known := store.lookouts.find_again(tx.connection, tx.district_id, lookout.id, **said):
        _keep_all(tx, keyring, actor, lookout.id, told)
        return known
    check(tx, lookout, told.who.get("name", ""), (told.words_zh, told.words_en), insist)
    helper = _widened(actor)
    matter = matters.open_matter(
        tx,
        actor=helper,
        id=lookout.id,
        kind=MatterKind.LOOKOUT,
        priority=Priority.P4 if lookout.sort is Sort.ITEM else Priority.P2,
        subject=SUBJECT,
        params={"sort": str(lookout.sort)},
        zone_id=lookout.zone_id,
        due=DUE,
        drill=lookout.drill,
    )
    if actor.may(Permission.MATTER_ACT, tx.district_id):  # the desk, not a patrol that asks for one
        matters.acknowledge(tx, actor=actor, id=lookout.id)
    store.lookouts.add(tx, replace(lookout.stepped(Step.INTAKE), drill=matter.drill))
    _keep_all(tx, keyring, actor, lookout.id, told)
    _tell(tx, actor, LookoutKind.OPENED, lookout, {"sort": str(lookout.sort), "age": str(lookout.age_band)})
    partners.send(
        tx,
        actor=helper,
        id=lookout.notice_id,
        kind=NoticeKind.LOOKOUT,
        partner_ids=ask,
        record_id=record_id(lookout.id, "words"),
        subject_id=lookout.id,
        asks=True,
        drill=lookout.drill,
    )
    return store.lookouts.get(tx.connection, tx.district_id, lookout.id)


def words(tx: Transaction, keyring: Keyring, *, actor: Actor, id: str) -> Mapping[str, str]:
    """The words for merchants, for a trusted volunteer who is on duty; that one has looked is journalled."""
    actor.must(Permission.UNIT_DUTY, tx.district_id)
    (member,) = patrols.list_members(tx.connection, tx.district_id, (actor.id,))
    trusted = member is not None and member.trusted
    if not trusted or patrols_actions.serving_with(tx.connection, actor, tx.district_id) is None:
        raise RuleBroken(
            "lookout.not_trusted",
            en="Only trusted volunteers on duty are told whom this is for.",
            zh="仅向值勤中的受信任志愿者告知协查内容。",
        )
    store.lookouts.get(tx.connection, tx.district_id, id).must_be(State.OPEN)
    reader = actor.lent(Permission.PERSON_READ)
    content = vault.read(tx, keyring, actor=reader, id=record_id(id, "words"), purpose=Purpose.LOOKOUT)
    told: dict[str, str] = msgspec.json.decode(content)
    return told


def look(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    lookout_id: str,
    place_id: str,
    kind: LookKind,
    unit_id: str | None = None,
) -> Look:
    """Somebody looked at a place and found nobody, or watches an exit from now on."""
    lookout = _mine(tx, actor, lookout_id)
    said = {"lookout_id": lookout_id, "place_id": place_id, "kind": kind}
    if known := store.looks.find_again(tx.connection, tx.district_id, id, **said):
        return known
    lookout.must_be(State.OPEN)
    unit_id = unit_id or parties.unit_of(tx, actor)
    made = Look(id, tx.district_id, lookout_id, place_id, kind, clock.now(), actor.id, unit_id)
    if kind is not LookKind.SENT:
        parties.come_back(tx, actor, lookout, unit_id)
        _step(tx, lookout, Step.EXITS if kind is LookKind.WATCH else Step.SECTORS)
    store.looks.add(tx, made)
    _tell(tx, actor, LookoutKind.LOOKED, lookout, {"place": place_id, "kind": str(kind), "unit": unit_id})
    return made


def illustrate(tx: Transaction, *, actor: Actor, id: str, photo_id: str) -> Lookout:
    """Show a photograph of her with the notice: one that was kept of her, and for that."""
    lookout = _mine(tx, actor, id)
    lookout.must_be(State.OPEN)
    record = vault_store.records.get(tx.connection, tx.district_id, photo_id)
    if (record.subject_id, record.kind) != (id, RecordKind.PHOTO):
        raise NotFound("photo.missing", en="There is no such photograph of her.", zh="没有该走失人员的照片。")
    record.check_readable(Purpose.LOOKOUT, clock.now())
    partners.illustrate(tx, actor=_widened(actor), id=lookout.notice_id, photo_id=photo_id)
    return lookout


def widen(tx: Transaction, *, actor: Actor, id: str, partner_ids: Sequence[str]) -> int:
    """Ask more partners; how many had not been asked."""
    lookout = _mine(tx, actor, id)
    return partners.widen(tx, actor=_widened(actor), id=lookout.notice_id, partner_ids=partner_ids)


def step(tx: Transaction, *, actor: Actor, id: str, step: Step) -> Lookout:
    """A step of the plan is done; what the clock brings makes the matter more urgent."""
    lookout = _mine(tx, actor, id)
    if step in lookout.steps:
        return lookout
    after = _step(tx, lookout, step)
    _tell(tx, actor, LookoutKind.STEPPED, after, {"step": str(step)})
    told_anew = step in (Step.SUPERVISOR, Step.MISSING) and lookout.sort is not Sort.ITEM
    if told_anew and lookout.state is State.OPEN:
        retell(tx, actor, after, f"{SUBJECT}_{step}")
    return after


def hear(tx: Transaction, *, actor: Actor, notice_id: str, premises_id: str | None) -> None:
    """A partner says it has seen her: whoever is on the desk must answer that at once."""
    actor.must_either(Permission.NOTICE_SEND, Permission.SHOP_USE, tx.district_id)
    lookout = store.find_by_notice(tx.connection, tx.district_id, notice_id)
    if lookout is None or lookout.state is not State.OPEN:
        return
    _tell(tx, actor, LookoutKind.SEEN, lookout, {"premises": premises_id})
    retell(tx, actor, lookout, f"{SUBJECT}_seen", {"premises": premises_id})


def found(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    zone_id: str | None = None,
    premises_id: str | None = None,
    unit_id: str | None = None,
) -> Lookout:
    """Somebody of ours has her, there: the notice is taken back, searchers return, the queue rests."""
    lookout = _mine(tx, actor, id)
    if lookout.state is State.FOUND:
        return lookout
    now = clock.now()
    after = store.lookouts.put(tx, lookout.found(actor.id, now))
    unit_id = unit_id or parties.unit_of(tx, actor)
    where = {"zone": zone_id, "premises": premises_id, "unit": unit_id}
    _settle(tx, actor, after, {key: value for key, value in where.items() if value is not None})
    partners.withdraw(tx, actor=_widened(actor), id=lookout.notice_id)
    parties.come_back(tx, actor, after)
    _tell(tx, actor, LookoutKind.FOUND, after, {"after_s": round(_age_s(after)), **where})
    return after


def lost_again(tx: Transaction, *, actor: Actor, id: str, notice_id: str) -> Lookout:
    """It was somebody else, or she is gone again: a new notice asks those who were asked before."""
    lookout = _mine(tx, actor, id)
    before = partners_store.notices.get(tx.connection, tx.district_id, lookout.notice_id)
    asked = partners_store.list_deliveries(tx.connection, tx.district_id, [before.id])
    after = store.lookouts.put(tx, replace(lookout.lost_again(), notice_id=notice_id))
    partners.send(
        tx,
        actor=_widened(actor),
        id=notice_id,
        kind=NoticeKind.LOOKOUT,
        partner_ids=[one.partner_id for one in asked],
        record_id=before.record_id,
        photo_id=before.photo_id,
        subject_id=id,
        asks=True,
        drill=lookout.drill,
    )
    for running in matters_store.list_clocks(tx.connection, tx.district_id, [id]):
        if running.kind is ClockKind.RESOLVE:
            matters_store.clocks.put(tx, replace(running, met_at=None))
    matters.move(tx, actor=_widened(actor), id=id, zone_id=after.zone_id)
    retell(tx, actor, after, SUBJECT)
    _tell(tx, actor, LookoutKind.LOST_AGAIN, after, {})
    return after


def vouch(tx: Transaction, *, actor: Actor, id: str, answered: bool, document_seen: bool) -> Lookout:
    """One of two people has checked whoever comes for her."""
    lookout = _mine(tx, actor, id)
    after = lookout.vouched(actor.id, answered=answered, document_seen=document_seen)
    kept = store.lookouts.put(tx, after)
    _tell(tx, actor, LookoutKind.VOUCHED, kept, {"vouchers": len(kept.vouchers)})
    return kept


def refuse(tx: Transaction, *, actor: Actor, id: str) -> Lookout:
    """Whoever came for her could not show that they may: the police take over, checks begin anew."""
    lookout = _mine(tx, actor, id)
    after = store.lookouts.put(tx, lookout.refused())
    _tell(tx, actor, LookoutKind.REFUSED, after, {})
    retell(tx, actor, after, f"{SUBJECT}_refused")
    return after


def release(tx: Transaction, *, actor: Actor, id: str, signed: bool) -> Lookout:
    """She was handed over, and whoever took her has signed for it: closed, and erased a day later."""
    lookout = _mine(tx, actor, id)
    if not signed:
        raise BadInput("lookout.not_signed", en="The release must be signed.", zh="须由领取人签字确认。")
    return _end(tx, actor, lookout.released(clock.now()), LookoutKind.RELEASED, OUTCOME["released"])


def close(tx: Transaction, *, actor: Actor, id: str, outcome: str) -> Lookout:
    """It is over here, found or not: passed on, withdrawn, or found by others."""
    actor.must(Permission.LOOKOUT_LEAD, tx.district_id)
    lookout = _mine(tx, actor, id)
    return _end(
        tx, actor, lookout.closed(clock.now()), LookoutKind.CLOSED, outcome.strip() or OUTCOME["closed"]
    )


def erase(tx: Transaction, keyring: Keyring, *, actor: Actor, id: str) -> None:
    """Destroy what was told of her now, not a day later: RuleBroken while the look-out is not closed."""
    actor.must(Permission.LOOKOUT_LEAD, tx.district_id)
    lookout = store.lookouts.get(tx.connection, tx.district_id, id)
    if lookout.state is not State.CLOSED:
        raise RuleBroken("lookout.not_closed", en="Close the look-out first.", zh="请先结束该协查。")
    vault.erase(tx, keyring, actor=actor, subject_ids=[id])
    _tell(tx, actor, LookoutKind.ERASED, lookout, {})


def _settle(tx: Transaction, actor: Actor, lookout: Lookout, where: dict[str, str]) -> None:
    """Nobody waits in the queue for who is found: what is left is handing over."""
    helper = _widened(actor)
    matter = matters_store.matters.get(tx.connection, tx.district_id, lookout.id)
    if matter.state is MatterState.OPEN:
        matters.acknowledge(tx, actor=helper, id=lookout.id)
    matters_store.meet_clocks(tx, lookout.id, [ClockKind.ACKNOWLEDGE, ClockKind.RESOLVE], clock.now())
    told = {"sort": str(lookout.sort)} | where
    priority = max(matter.priority, Priority.P3)
    matters.retell(
        tx, actor=helper, id=lookout.id, subject=f"{SUBJECT}_found", params=told, priority=priority, due=[]
    )
    if "zone" in where:
        matters.move(tx, actor=helper, id=lookout.id, zone_id=where["zone"])


def _end(tx: Transaction, actor: Actor, closed: Lookout, kind: LookoutKind, outcome: str) -> Lookout:
    kept = store.lookouts.put(tx, closed)
    parties.come_back(tx, actor, kept)
    helper = _widened(actor)
    partners.withdraw(tx, actor=helper, id=kept.notice_id)
    vault.shorten(tx, actor=helper, subject_id=kept.id, until=clock.now() + ERASE_AFTER)
    matter = matters_store.matters.get(tx.connection, tx.district_id, kept.id)
    if matter.state is not MatterState.CLOSED:
        matters.close(tx, actor=helper, id=kept.id, outcome=outcome)
    _tell(tx, actor, kind, kept, {"after_s": round(_age_s(kept))})
    return kept


def _keep_all(tx: Transaction, keyring: Keyring, actor: Actor, lookout_id: str, told: Told) -> None:
    """What was told into the vault; the same again changes nothing, something else is refused there."""
    for part, kind, content in (
        ("who", RecordKind.DESCRIPTION, told.who),
        ("contact", RecordKind.CONTACT, told.contact),
        ("words", RecordKind.WORDS, {"zh": told.words_zh, "en": told.words_en}),
    ):
        vault.keep(
            tx,
            keyring,
            actor=actor,
            id=record_id(lookout_id, part),
            subject_id=lookout_id,
            kind=kind,
            purpose=Purpose.LOOKOUT,
            content=msgspec.json.encode(dict(content), order="sorted"),
        )


def _step(tx: Transaction, lookout: Lookout, step: Step) -> Lookout:
    after = lookout.stepped(step)
    return lookout if after is lookout else store.lookouts.put(tx, after)


def retell(
    tx: Transaction, actor: Actor, lookout: Lookout, subject: str, params: dict[str, Any] | None = None
) -> None:
    """Say it anew in the queue, as urgent as can be: it waits to be answered again."""
    due = [Due(ClockKind.ACKNOWLEDGE, 30.0, "due.answer", {"priority": 1, "within_s": 30.0})]
    told = {"sort": str(lookout.sort)} | (params or {})
    matters.retell(
        tx,
        actor=_widened(actor),
        id=lookout.id,
        subject=subject,
        params=told,
        priority=Priority.P1,
        due=due,
    )


def _mine(tx: Transaction, actor: Actor, id: str) -> Lookout:
    actor.must_either(Permission.LOOKOUT_LEAD, Permission.LOOKOUT_OPEN, tx.district_id)
    return store.lookouts.get(tx.connection, tx.district_id, id)


def _widened(actor: Actor) -> Actor:
    """Whoever may act in a look-out may so change its matter, its notice and its records, and no other."""
    lent = actor.lent(Permission.MATTER_ACT, Permission.NOTICE_SEND, Permission.PERSON_KEEP)
    return replace(lent, sees_every_body=True)


def _age_s(lookout: Lookout) -> float:
    end: datetime = lookout.closed_at or lookout.found_at or clock.now()
    return (end - lookout.opened_at).total_seconds()


def _tell(
    tx: Transaction, actor: Actor, kind: LookoutKind, lookout: Lookout, details: dict[str, Any]
) -> None:
    journal.record(
        tx, actor_id=actor.id, kind=kind, subject_id=lookout.id, details=details, drill=lookout.drill
    )
