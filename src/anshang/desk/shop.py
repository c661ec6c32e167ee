"""What a partner's page shows: notices, its reports and its duties; of its own premises and no other's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.foundation.errors import NotFound
from anshang.incidents import store as incidents
from anshang.matters import store as matters
from anshang.matters.model import MatterKind
from anshang.partners import store as partners
from anshang.partners.duties import LISTS
from anshang.partners.model import Delivery, Notice, NoticeKind, Partner
from anshang.partners.reading import checks_of_the_week, duties_of
from anshang.partners.shapes import CheckState, DutyListShown
from anshang.vault import actions as vault
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose
from anshang.web.shapes import BothLanguages, Shown

RECENT = timedelta(hours=12)
REPORTS_SHOWN = 10


class ShopShown(Shown):
    """Premises that the page is for."""

    id: str
    name_zh: str
    name_en: str
    duties: list[CheckState]


class ShopNotice(Shown):
    """A notice to one of the premises, and what was answered there."""

    id: str
    partner_id: str
    kind: str
    words: BothLanguages
    photo: bool
    asks: bool
    sent_at: datetime
    expires_at: datetime
    reminded_at: datetime | None
    answer: str | None
    looked: list[str]

    def of(self, delivery: Delivery) -> ShopNotice:
        """The same notice at another partner."""
        told = {
            "partner_id": delivery.partner_id,
            "reminded_at": delivery.reminded_at,
            "answer": None if delivery.answer is None else str(delivery.answer),
            "looked": list(delivery.looked),
        }
        return self.model_copy(update=told)


class ShopReport(Shown):
    """What was reported from here, and what became of it."""

    id: str
    number: int
    text: str
    called_at: datetime
    state: str
    outcome: str


class Shop(Shown):
    """Everything a partner's page shows."""

    at: datetime
    shops: list[ShopShown]
    notices: list[ShopNotice]
    reports: list[ShopReport]
    lists: list[DutyListShown]


def own_partners(connection: Connection, actor: Actor, district_id: str) -> list[Partner]:
    """The partners that the actor speaks for; NotFound when there is none."""
    known = partners.list_partners(connection, actor.scope, district_id)
    if not known:
        raise NotFound(
            "partner.none",
            en="Your organisation is not in the district's register yet; ask the kiosk.",
            zh="贵单位尚未登记为本商圈合作单位，请联系警务室。",
        )
    return known


def shown_notices(
    connection: Connection, own: list[Partner], district_id: str
) -> list[tuple[Notice, Delivery]]:
    """The notices that are shown to the partners now."""
    return partners.list_to_partners(connection, district_id, [one.id for one in own])


def shop(
    connection: Connection,
    keyring: Keyring,
    actor: Actor,
    district_id: str,
    own: list[Partner],
    told: list[tuple[Notice, Delivery]],
) -> Shop:
    """The page; that its notices are shown has been written down before."""
    today, checks = checks_of_the_week(connection, district_id)
    sides = {one.side for one in own}
    return Shop(
        at=clock.now(),
        shops=[
            ShopShown(
                id=one.id,
                name_zh=one.name_zh,
                name_en=one.name_en,
                duties=duties_of(one, checks, today),
            )
            for one in own
        ],
        notices=[shown_notice(connection, keyring, *each) for each in told],
        reports=_reports(connection, actor, district_id),
        lists=[DutyListShown.model_validate(one) for one in LISTS.values() if one.side in sides],
    )


def photo_of(connection: Connection, own: list[Partner], district_id: str, notice_id: str) -> str:
    """The photograph (its record) of a notice that was sent to one of the partners and is still shown."""
    for notice, _ in shown_notices(connection, own, district_id):
        if notice.id == notice_id and notice.photo_id is not None:
            return notice.photo_id
    raise NotFound("photo.missing", en="There is no such photograph.", zh="没有该照片。")


def shown_notice(connection: Connection, keyring: Keyring, notice: Notice, delivery: Delivery) -> ShopNotice:
    """A notice with its words, and what was answered at the delivery's partner."""
    shown = ShopNotice(
        id=notice.id,
        partner_id="",
        kind=str(notice.kind),
        words=_words(connection, keyring, notice),
        photo=notice.photo_id is not None and notice.kind is NoticeKind.LOOKOUT,
        asks=notice.asks,
        sent_at=notice.sent_at,
        expires_at=notice.expires_at,
        reminded_at=None,
        answer=None,
        looked=[],
    )
    return shown.of(delivery)


def _words(connection: Connection, keyring: Keyring, notice: Notice) -> BothLanguages:
    if notice.record_id is None:
        return BothLanguages(zh=notice.words_zh, en=notice.words_en)
    content = vault.opened(
        connection, keyring, district_id=notice.district_id, id=notice.record_id, purpose=Purpose.LOOKOUT
    )
    return BothLanguages(**json.loads(content))


def _reports(connection: Connection, actor: Actor, district_id: str) -> list[ShopReport]:
    """What the actor itself has reported lately, and how it ended."""
    since = clock.now() - RECENT
    made = matters.list_opened_by(connection, district_id, actor.id, MatterKind.INCIDENT, since)
    mine = made[:REPORTS_SHOWN]
    known = incidents.list_these(connection, district_id, [one.id for one in mine])
    return [
        ShopReport(
            id=one.id,
            number=one.number,
            text=one.text,
            called_at=known[one.id].called_at,
            state=str(one.state),
            outcome=one.outcome,
        )
        for one in mine
        if one.id in known
    ]
