"""Tells a gateway (enterprise chat, short messages) that there is something new for partners.

What goes out is that there is a notice, of which kind, and for which partners: never a word of it. Whoever
gets the message opens the partner's page. `X-Anshang-Signature: sha256=HMAC(secret, body)` signs the body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from functools import partial

import httpx
import structlog

from anshang.foundation import clock, feeds, ids
from anshang.foundation.database import Database
from anshang.foundation.feeds import Feed, Reason
from anshang.foundation.items import Items
from anshang.journal import outgoing
from anshang.journal.outgoing import Outgoing
from anshang.matters import actions as matters
from anshang.matters.model import MatterKind, Priority
from anshang.partners import store
from anshang.partners.model import PartnerEvent
from anshang.people.model import engine_actor

TOLD = (PartnerEvent.SENT, PartnerEvent.WIDENED, PartnerEvent.REMINDED, PartnerEvent.WITHDRAWN)
ANSWERS_WITHIN_S = 5.0
UNDELIVERED = "通知网关多次无响应，请改用电话通知。The gateway does not answer: tell partners by telephone."

UNREACHED = Reason("gateway.unreached", "The gateway does not answer.", "网关无响应。")

log = structlog.get_logger()


class Gateway:
    """The gateway of this installation; `deliver` is called again and again."""

    def __init__(self, database: Database, url: str, secret: str) -> None:
        self._database, self._url, self._secret = database, url, secret.encode()
        self._items = Items()
        self._looked: dict[str, int] = {}
        """Up to which entry of its journal nothing new is in a district."""

    def deliver(self, district_id: str) -> None:
        """Line up what is new, try what is due, keep what came of it; nothing of a drill leaves the house.
        Nothing is written while nothing waits, and a notice that cannot be sent keeps no other waiting.
        """
        if ids.is_drill(district_id):
            return
        kinds = [str(kind) for kind in TOLD]
        with self._database.reading([district_id]) as connection:
            since = self._looked.get(district_id, 0)
            waits, self._looked[district_id] = outgoing.waits(
                connection, district_id, kinds, clock.now(), since
            )
        if not waits:
            return
        with self._database.transaction(district_id) as tx:
            outgoing.collect(tx, kinds, clock.now())
            claimed = outgoing.claim(tx, clock.now())
        self._items.each(district_id, [(one.id, partial(self._send, one)) for one in claimed])

    def _send(self, one: Outgoing) -> None:
        arrived = self._post(one)
        now = clock.now()
        with self._database.transaction(one.district_id) as tx:
            after = outgoing.outgoing.put(tx, one.sent(now) if arrived else one.failed(now))
            if after.given_up_at is not None:
                matters.open_matter(
                    tx,
                    actor=engine_actor(one.district_id),
                    id=ids.derived(one.id, "undelivered"),
                    kind=MatterKind.NOTE,
                    priority=Priority.P3,
                    subject="matter.note",
                    text=UNDELIVERED,
                )

    def _post(self, one: Outgoing) -> bool:
        body = json.dumps(self._message(one), separators=(",", ":")).encode()
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Anshang-Signature": f"sha256={signature}"}
        try:
            answer = httpx.post(self._url, content=body, headers=headers, timeout=ANSWERS_WITHIN_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("webhook.unreached", reason=type(error).__name__, tries=one.tries)
            feeds.refused(one.district_id, Feed.WEBHOOK, UNREACHED)
            return False
        if answer.is_success:
            feeds.took(one.district_id, Feed.WEBHOOK)
        else:
            feeds.refused(one.district_id, Feed.WEBHOOK, answered(answer.status_code))
            log.warning("webhook.refused", status=answer.status_code, tries=one.tries)
        return answer.is_success

    def _message(self, one: Outgoing) -> dict[str, object]:
        """Which partners should look: all who were told, or those who have not opened it yet."""
        with self._database.reading([one.district_id]) as connection:
            notice = store.notices.get(connection, one.district_id, one.subject_id)
            made = store.list_deliveries(connection, one.district_id, [one.subject_id])
        everybody = one.kind == PartnerEvent.WITHDRAWN
        return {
            "id": one.id,
            "event": one.kind,
            "at": one.at.isoformat(),
            "district": one.district_id,
            "notice": one.subject_id,
            "kind": str(notice.kind),
            "drill": notice.drill,
            "partners": [each.partner_id for each in made if everybody or each.opened_at is None],
            "page": "/shop/",
        }


def answered(status: int) -> Reason:
    """That the gateway answered with a status which is no success."""
    return Reason(f"gateway.{status}", f"The gateway answers {status}.", f"网关返回状态码 {status}。")
