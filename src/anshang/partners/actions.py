"""What is done with partners and notices: enter, retire, check duties, send, widen, answer, withdraw."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken
from anshang.foundation.lines import check_changed_names
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.partners import store
from anshang.partners.duties import LISTS
from anshang.partners.model import (
    NOTICE_LASTS,
    REMIND_AFTER,
    Answer,
    Delivery,
    DutyCheck,
    Looked,
    Notice,
    NoticeKind,
    Partner,
    PartnerEvent,
)
from anshang.people import store as people
from anshang.places import store as places
from anshang.vault import actions as vault
from anshang.vault import store as vault_store
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose, RecordKind


def enter(tx: Transaction, *, actor: Actor, partner: Partner) -> Partner:
    """Enter a partner or change what is known of it; with the same words again nothing changes."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    ids.checked_code(partner.id)
    people.bodies.get(tx.connection, EVERYWHERE, partner.body_id)
    if partner.premises_id is not None:
        found = places.find_premises(tx.connection, tx.district_id, partner.premises_id)
        if found is None:
            raise NotFound("premises.missing", en="There are no such premises.", zh="没有该场所单位。")
    known = store.partners.find(tx.connection, tx.district_id, partner.id)
    check_changed_names(known, partner, "name_zh", "name_en")
    if known is None:
        store.partners.add(tx, partner)
        _tell(tx, actor, PartnerEvent.ENTERED, partner.id, {"side": str(partner.side)})
        return partner
    if replace(known, version=partner.version) == partner:
        return known
    changed = store.partners.put(tx, partner)
    _tell(tx, actor, PartnerEvent.CHANGED, partner.id, {"side": str(partner.side)})
    return changed


def retire(tx: Transaction, *, actor: Actor, id: str) -> Partner:
    """A partner takes part no longer; retiring it again changes nothing."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    known = store.partners.get(tx.connection, tx.district_id, id)
    if known.retired_at is not None:
        return known
    retired = store.partners.put(tx, replace(known, retired_at=clock.now()))
    _tell(tx, actor, PartnerEvent.RETIRED, id, {})
    return retired


def forget_contact(tx: Transaction, keyring: Keyring, *, actor: Actor, partner_id: str) -> None:
    """A contact is kept while the partner takes part: whoever retires it has it destroyed."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    eraser = actor.lent(Permission.PERSON_ERASE)
    vault.erase(tx, keyring, actor=eraser, subject_ids=[partner_id])


def put_contact(
    tx: Transaction, keyring: Keyring, *, actor: Actor, id: str, partner_id: str, content: bytes
) -> None:
    """Say whom to call there, in a new record of the vault; what was said before is destroyed."""
    actor.must(Permission.NOTICE_SEND, tx.district_id)
    store.partners.get(tx.connection, tx.district_id, partner_id)
    if vault_store.records.find(tx.connection, tx.district_id, id) is None:
        vault.erase(tx, keyring, actor=actor, subject_ids=[partner_id])
    vault.keep(
        tx,
        keyring,
        actor=actor,
        id=id,
        subject_id=partner_id,
        kind=RecordKind.CONTACT,
        purpose=Purpose.PARTNER,
        content=content,
    )


def contact(tx: Transaction, keyring: Keyring, *, actor: Actor, partner_id: str) -> bytes:
    """Whom to call there; that one has looked is journalled."""
    actor.must(Permission.PERSON_READ, tx.district_id)
    known = vault_store.list_of_subjects(tx.connection, tx.district_id, [partner_id])
    live = [record for record in known if record.erased_at is None]
    if not live:
        raise NotFound("contact.missing", en="Nobody is named there.", zh="尚未登记联系人。")
    return vault.read(tx, keyring, actor=actor, id=live[-1].id, purpose=Purpose.PARTNER)


def check_duties(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    partner_id: str,
    list_id: str,
    not_in_order: Sequence[str],
) -> DutyCheck:
    """Say that a list of duties was gone through; by somebody of another body it is a spot check."""
    partner = store.partners.get(tx.connection, tx.district_id, partner_id)
    spot = not _is_own(tx, actor, partner)
    if spot:
        actor.must(Permission.PARTNER_READ, tx.district_id)
    duties = LISTS.get(list_id)
    if duties is None or duties.side is not partner.side:
        raise NotFound("duties.missing", en="There is no such list of duties.", zh="没有该自查清单。")
    if not set(not_in_order) <= {item.id for item in duties.items}:
        raise BadInput("duties.no_such_item", en="That is not on the list.", zh="清单中没有该项。")
    today = places.get_district(tx.connection, tx.district_id).local(clock.now()).date()
    check = DutyCheck(
        id=id,
        district_id=tx.district_id,
        partner_id=partner_id,
        list_id=list_id,
        period_on=duties.period(today),
        not_in_order=tuple(sorted(set(not_in_order))),
        spot=spot,
        made_at=clock.now(),
        made_by=actor.id,
    )
    if known := store.find_check(tx.connection, tx.district_id, check):
        if known.id == id or known.not_in_order == check.not_in_order:
            return known
        check = store.checks.put(tx, replace(check, id=known.id, version=known.version))
    else:
        store.checks.add(tx, check)
    details = {"partner": partner_id, "list": list_id, "not_in_order": len(check.not_in_order), "spot": spot}
    _tell(tx, actor, PartnerEvent.CHECKED, check.id, details)
    return check


def send(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    kind: NoticeKind,
    partner_ids: Sequence[str],
    words_zh: str = "",
    words_en: str = "",
    record_id: str | None = None,
    photo_id: str | None = None,
    subject_id: str | None = None,
    asks: bool = False,
    expires_at: datetime | None = None,
    drill: bool = False,
    public: bool = False,
) -> Notice:
    """Tell partners something; the same id again answers with what is there.

    Words about a person are given by the record of the vault that holds them, all others in both languages.
    """
    actor.must(Permission.NOTICE_SEND, tx.district_id)
    said = {"kind": kind, "subject_id": subject_id, "words_zh": words_zh, "words_en": words_en, "asks": asks}
    if known := store.notices.find_again(tx.connection, tx.district_id, id, **said):
        return known
    if record_id is None and not (words_zh.strip() and words_en.strip()):
        raise BadInput("notice.one_language", en="Say it in both languages.", zh="请同时填写中文和英文。")
    if public and kind is not NoticeKind.REMINDER:
        raise BadInput(
            "notice.not_public", en="Only a reminder is for everybody.", zh="只有提醒可以公开显示。"
        )
    now = clock.now()
    last = now + NOTICE_LASTS
    if expires_at is not None and not now < expires_at <= last:
        raise BadInput("notice.bad_end", en="A notice ends within six hours.", zh="通知须在 6 小时内失效。")
    notice = Notice(
        id=id,
        district_id=tx.district_id,
        kind=kind,
        subject_id=subject_id,
        words_zh=words_zh,
        words_en=words_en,
        record_id=record_id,
        photo_id=photo_id,
        asks=asks,
        sent_at=now,
        sent_by=actor.id,
        expires_at=expires_at or last,
        drill=drill or tx.drill,
        public=public,
    )
    store.notices.add(tx, notice)
    count = _deliver(tx, actor, notice, partner_ids)
    _tell(tx, actor, PartnerEvent.SENT, id, {"kind": str(kind), "partners": count}, drill)
    return notice


def widen(tx: Transaction, *, actor: Actor, id: str, partner_ids: Sequence[str]) -> int:
    """Tell more partners; how many had not been told."""
    actor.must(Permission.NOTICE_SEND, tx.district_id)
    notice = store.notices.get(tx.connection, tx.district_id, id)
    notice.check_open(clock.now())
    count = _deliver(tx, actor, notice, partner_ids)
    if count:
        _tell(tx, actor, PartnerEvent.WIDENED, id, {"partners": count}, notice.drill)
    return count


def illustrate(tx: Transaction, *, actor: Actor, id: str, photo_id: str) -> Notice:
    """Show a photograph of the vault with the notice, instead of another one."""
    actor.must(Permission.NOTICE_SEND, tx.district_id)
    notice = store.notices.get(tx.connection, tx.district_id, id)
    notice.check_open(clock.now())
    if notice.photo_id == photo_id:
        return notice
    after = store.notices.put(tx, replace(notice, photo_id=photo_id))
    _tell(tx, actor, PartnerEvent.ILLUSTRATED, id, {}, notice.drill)
    return after


def withdraw(tx: Transaction, *, actor: Actor, id: str) -> Notice:
    """Take a notice back: it vanishes from every page that is open. Doing it again changes nothing."""
    actor.must(Permission.NOTICE_SEND, tx.district_id)
    notice = store.notices.get(tx.connection, tx.district_id, id)
    if notice.withdrawn_at is not None:
        return notice
    after = store.notices.put(tx, notice.withdrawn(actor.id, clock.now()))
    _tell(tx, actor, PartnerEvent.WITHDRAWN, id, {}, notice.drill)
    return after


def answer(
    tx: Transaction,
    *,
    actor: Actor,
    notice_id: str,
    partner_id: str,
    answer: Answer,
    looked: Collection[Looked],
) -> Delivery:
    """Answer a notice: the partner's own people, or the desk that has called them. May be changed."""
    partner = store.partners.get(tx.connection, tx.district_id, partner_id)
    if not _is_own(tx, actor, partner):
        actor.must(Permission.NOTICE_SEND, tx.district_id)
    notice = store.notices.get(tx.connection, tx.district_id, notice_id)
    before = store.deliveries.get(tx.connection, tx.district_id, ids.derived(notice_id, partner_id))
    after = before.answered(answer, looked, actor.id, clock.now())
    if (after.answer, after.looked) == (before.answer, before.looked):
        return before
    notice.check_open(clock.now())
    if not notice.asks:
        raise RuleBroken("notice.asks_nothing", en="This notice asks nothing.", zh="该通知无需答复。")
    kept = store.deliveries.put(tx, after)
    details = {"partner": partner_id, "answer": str(answer)}
    _tell(tx, actor, PartnerEvent.ANSWERED, notice_id, details, notice.drill)
    return kept


def open_all(database: Database, district_id: str, delivery_ids: Sequence[str]) -> None:
    """Write down that notices are being shown to a partner, before they are: who has seen what about a
    person is known for good. Many at once share one write.
    """
    if delivery_ids:
        at = clock.now()

        def mark(connection: Connection) -> None:
            store.mark_opened(connection, district_id, delivery_ids, at)

        database.bulk(district_id, mark)


def anybody_silent(connection: Connection, district_id: str) -> bool:
    """Whether somebody should be reminded now."""
    return any(silent for _, silent in _silent(connection, district_id))


def remind(tx: Transaction, *, actor: Actor) -> int:
    """Ask those again who have not answered for three minutes, once; how many that were."""
    actor.must(Permission.NOTICE_SEND, tx.district_id)
    count = 0
    for notice, silent in _silent(tx.connection, tx.district_id):
        if silent:
            store.mark_reminded(tx, silent, clock.now())
            _tell(tx, actor, PartnerEvent.REMINDED, notice.id, {"partners": len(silent)}, notice.drill)
            count += len(silent)
    return count


def _silent(connection: Connection, district_id: str) -> list[tuple[Notice, list[str]]]:
    """The notices that ask something, and the deliveries that were neither answered nor reminded in time."""
    late_at = clock.now() - REMIND_AFTER
    asking = [one for one in store.list_open_notices(connection, district_id) if one.asks]
    made = store.list_deliveries(connection, district_id, [one.id for one in asking])
    late = [one for one in made if one.answer is None and one.reminded_at is None and one.sent_at <= late_at]
    return [(notice, [one.id for one in late if one.notice_id == notice.id]) for notice in asking]


def _deliver(tx: Transaction, actor: Actor, notice: Notice, partner_ids: Sequence[str]) -> int:
    known = {p.id for p in store.list_partners(tx.connection, actor.scope, tx.district_id)}
    there = {one.partner_id for one in store.list_deliveries(tx.connection, tx.district_id, [notice.id])}
    wanted = [id for id in dict.fromkeys(partner_ids) if id in known and id not in there]
    now = clock.now()
    store.add_deliveries(
        tx, [Delivery(ids.derived(notice.id, id), tx.district_id, notice.id, id, now) for id in wanted]
    )
    return len(wanted)


def must_speak_for(tx: Transaction, actor: Actor, partner: Partner) -> None:
    """NotFound unless the actor speaks for the partner: of others it need not even know that they are."""
    if not _is_own(tx, actor, partner):
        raise NotFound("partners.missing", en="There is no such partner.", zh="没有该合作单位。")


def _is_own(tx: Transaction, actor: Actor, partner: Partner) -> bool:
    """Whether the actor speaks for the partner."""
    return actor.may(Permission.SHOP_USE, tx.district_id) and actor.body_id == partner.body_id


def _tell(
    tx: Transaction,
    actor: Actor,
    kind: PartnerEvent,
    subject_id: str,
    details: dict[str, Any],
    drill: bool = False,
) -> None:
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=subject_id, details=details, drill=drill)
