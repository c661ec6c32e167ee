"""Verbs that touch several rooms at once."""

from __future__ import annotations

from collections.abc import Collection

from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.incidents import actions as incidents
from anshang.incidents.model import Incident, Source, Spot
from anshang.lookouts import actions as lookouts
from anshang.partners import actions as partners
from anshang.partners import store as partners_store
from anshang.partners.model import Answer, Delivery, Looked, NoticeKind


def answer_notice(
    tx: Transaction,
    *,
    actor: Actor,
    notice_id: str,
    partner_id: str,
    answer: Answer,
    looked: Collection[Looked] = (),
) -> Delivery:
    """A partner answers a notice; that it has seen somebody is told to whoever leads the look-out at once."""
    delivery = partners.answer(
        tx, actor=actor, notice_id=notice_id, partner_id=partner_id, answer=answer, looked=looked
    )
    notice = partners_store.notices.get(tx.connection, tx.district_id, notice_id)
    if answer is Answer.SEEN and notice.kind is NoticeKind.LOOKOUT:
        partner = partners_store.partners.get(tx.connection, tx.district_id, partner_id)
        lookouts.hear(tx, actor=actor, notice_id=notice_id, premises_id=partner.premises_id)
    return delivery


def report_from_partner(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    partner_id: str,
    text: str,
    category_id: str | None,
) -> Incident:
    """A partner reports something: a hazard, a piece of information, a call for help, from its premises."""
    actor.must(Permission.SHOP_USE, tx.district_id)
    partner = partners_store.partners.get(tx.connection, tx.district_id, partner_id)
    partners.must_speak_for(tx, actor, partner)
    return incidents.report(
        tx,
        actor=actor,
        id=id,
        source=Source.MERCHANT,
        text=text,
        category_id=category_id,
        priority=None,
        spot=Spot(premises_id=partner.premises_id),
    )
