"""What is known of partners and notices, gathered for the desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.partners import store
from anshang.partners.duties import LISTS
from anshang.partners.model import CALL_AFTER, Delivery, DutyCheck, Notice, Partner, tally, week_of
from anshang.partners.shapes import (
    CheckState,
    DeliveryShown,
    NoticeLine,
    NoticePage,
    PartnerLine,
    PartnerShown,
    TallyShown,
)
from anshang.places import store as places
from anshang.vault import store as vault
from anshang.web.shapes import BothLanguages

RECENT = timedelta(hours=24)


def register(connection: Connection, actor: Actor, district_id: str) -> list[PartnerLine]:
    """The partners with their duties: what is due, and what was not in order."""
    known = store.list_partners(connection, actor.scope, district_id)
    today, checks = checks_of_the_week(connection, district_id)
    contacts = vault.list_of_subjects(connection, district_id, [one.id for one in known])
    reachable = {record.subject_id for record in contacts if record.erased_at is None}
    return [
        PartnerLine(
            **PartnerShown.model_validate(one).model_dump(),
            duties=duties_of(one, checks, today),
            has_contact=one.id in reachable,
        )
        for one in known
    ]


def checks_of_the_week(connection: Connection, district_id: str) -> tuple[date, list[DutyCheck]]:
    """Today in the district, and every check whose period is not over, newest first."""
    today = places.get_district(connection, district_id).local(clock.now()).date()
    return today, store.list_checks(connection, district_id, week_of(today))


def duties_of(partner: Partner, checks: Sequence[DutyCheck], today: date) -> list[CheckState]:
    """How a partner stands with each of its lists today; `checks` newest first."""
    states = []
    for duties in LISTS.values():
        if duties.side is not partner.side:
            continue
        period = duties.period(today)
        here = [
            one
            for one in checks
            if (one.partner_id, one.list_id, one.period_on) == (partner.id, duties.id, period)
        ]
        own = next((one for one in here if not one.spot), None)
        spot = next((one for one in here if one.spot), None)
        states.append(
            CheckState(
                list_id=duties.id,
                due=own is None,
                period_on=period,
                made_at=None if own is None else own.made_at,
                not_in_order=[] if own is None else list(own.not_in_order),
                spot_at=None if spot is None else spot.made_at,
            )
        )
    return states


def recent(connection: Connection, district_id: str) -> list[NoticeLine]:
    """The notices of the last day, newest first."""
    known = store.list_recent_notices(connection, district_id, clock.now() - RECENT)
    made = store.list_deliveries(connection, district_id, [one.id for one in known])
    return [_line(one, [each for each in made if each.notice_id == one.id]) for one in known]


def page(connection: Connection, actor: Actor, district_id: str, id: str) -> NoticePage:
    """One notice and what became of it everywhere."""
    notice = store.notices.get(connection, district_id, id)
    made = store.list_deliveries(connection, district_id, [id])
    names = {one.id: one for one in store.list_partners(connection, actor.scope, district_id)}
    late_at = clock.now() - CALL_AFTER
    shown = [
        DeliveryShown(
            partner_id=one.partner_id,
            name=_name(names.get(one.partner_id), one.partner_id),
            sent_at=one.sent_at,
            opened_at=one.opened_at,
            reminded_at=one.reminded_at,
            answer=None if one.answer is None else str(one.answer),
            looked=list(one.looked),
            answered_at=one.answered_at,
            call=notice.asks and notice.open_at(clock.now()) and _to_call(one, late_at),
        )
        for one in made
    ]
    return NoticePage(**_line(notice, made).model_dump(), deliveries=shown)


def _to_call(delivery: Delivery, late_at: datetime) -> bool:
    return delivery.waits() and (delivery.answer is not None or delivery.sent_at <= late_at)


def _line(notice: Notice, made: Sequence[Delivery]) -> NoticeLine:
    words = None if notice.record_id else BothLanguages(zh=notice.words_zh, en=notice.words_en)
    return NoticeLine(
        id=notice.id,
        kind=str(notice.kind),
        subject_id=notice.subject_id,
        words=words,
        asks=notice.asks,
        sent_at=notice.sent_at,
        expires_at=notice.expires_at,
        withdrawn_at=notice.withdrawn_at,
        drill=notice.drill,
        tally=TallyShown.model_validate(tally(made)),
    )


def _name(partner: Partner | None, id: str) -> BothLanguages:
    return (
        BothLanguages(zh=id, en=id)
        if partner is None
        else BothLanguages(zh=partner.name_zh, en=partner.name_en)
    )
