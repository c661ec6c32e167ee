"""Verbs that touch several rooms at once."""

from __future__ import annotations

from collections.abc import Collection

from anshang.dispatch import board_actions
from anshang.dispatch.board import Message, MessageKind
from anshang.foundation import ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import RuleBroken
from anshang.incidents import actions as incidents
from anshang.incidents.model import Incident, Source, Spot
from anshang.lookouts import actions as lookouts
from anshang.lookouts import store as lookouts_store
from anshang.lookouts.model import Look, LookKind
from anshang.partners import actions as partners
from anshang.partners import store as partners_store
from anshang.partners.model import Answer, Delivery, Looked, NoticeKind
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.patrols.model import UnitStatus


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


def send_to_look(
    tx: Transaction, *, actor: Actor, id: str, lookout_id: str, unit_id: str, place_id: str, text: str
) -> Look:
    """A free unit is sent to look at a place: it reads the words, and is busy until it has looked. The
    same id again answers with what is there.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    said = {"lookout_id": lookout_id, "unit_id": unit_id, "place_id": place_id}
    if known := lookouts_store.looks.find_again(tx.connection, tx.district_id, id, **said):
        return known
    unit = patrols_store.units.get(tx.connection, tx.district_id, unit_id)
    if unit.status is not UnitStatus.FREE:
        raise RuleBroken(
            "unit.not_free_to_look",
            en=f"{unit.call_sign} is not free.",
            zh=f"{unit.call_sign} 当前不空闲。",
            details={"unit": unit.id, "status": str(unit.status)},
        )
    look = lookouts.look(
        tx,
        actor=actor,
        id=id,
        lookout_id=lookout_id,
        place_id=place_id,
        kind=LookKind.SENT,
        unit_id=unit_id,
    )
    patrols.employ(tx, actor=actor, unit=unit, status=UnitStatus.BUSY)
    message = Message(
        id=ids.derived(id, "message"),
        district_id=tx.district_id,
        incident_id=None,
        from_id=actor.id,
        from_unit_id=None,
        to_unit_id=unit_id,
        kind=MessageKind.MESSAGE,
        text=text,
    )
    board_actions.say(tx, actor=actor, message=message)
    return look
