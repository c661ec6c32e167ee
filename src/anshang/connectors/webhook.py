"""Tells a gateway (enterprise chat, short messages) that there is something new for partners.

What goes out is that there is a notice, of which kind, and for which partners: never a word of it. Whoever
gets the message opens the partner's page. It is signed as Standard Webhooks says (standardwebhooks.com): over
its id, the instant it was sent and its body, so that one that somebody kept cannot be sent again later.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from functools import partial

import httpx
import structlog

from anshang.foundation import clock, feeds, ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput
from anshang.foundation.feeds import Feed, Reason
from anshang.foundation.items import Items
from anshang.journal import outgoing
from anshang.journal.outgoing import Outgoing, Way
from anshang.matters import actions as matters
from anshang.matters.model import MatterKind, Priority
from anshang.partners import store
from anshang.partners.model import PartnerEvent
from anshang.people.model import engine_actor

TOLD = (PartnerEvent.SENT, PartnerEvent.WIDENED, PartnerEvent.REMINDED, PartnerEvent.WITHDRAWN)
ANSWERS_WITHIN_S = 5.0
PREFIX = "whsec_"
UNDELIVERED = "通知网关多次无响应，请改用电话通知。The gateway does not answer: tell partners by telephone."

UNREACHED = Reason("gateway.unreached", "The gateway does not answer.", "网关无响应。")

log = structlog.get_logger()


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: `whsec_` and base64, or any other word as it is; BadInput when what
    follows `whsec_` is no base64.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError as error:
        raise BadInput(
            "webhook.bad_secret",
            en="notice_webhook_secret: no base64 follows whsec_.",
            zh="notice_webhook_secret：whsec_ 之后不是有效的 base64。",
        ) from error


def signed(key: bytes, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message by Standard Webhooks 1.0; a receiver refuses one that is older than 5 min."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}


class Gateway:
    """The gateway of this installation; `deliver` is called again and again."""

    def __init__(self, database: Database, url: str, secret: str) -> None:
        self._database, self._url, self._secret = database, url, key_of(secret)
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
                connection, district_id, Way.GATEWAY, kinds, clock.now(), since
            )
        if not waits:
            return
        with self._database.transaction(district_id) as tx:
            outgoing.collect(tx, Way.GATEWAY, kinds, clock.now())
            claimed = outgoing.claim(tx, Way.GATEWAY, clock.now())
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
        headers = {"Content-Type": "application/json", **signed(self._secret, one.id, clock.now(), body)}
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
