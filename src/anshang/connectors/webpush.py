"""Tells the phones of partners through web push (RFC 8030, VAPID of RFC 8292) that there is something new.

A message is empty: what it is about is read on the page, by whoever is signed in there. What a push service
does not take is tried again, as long as the notice is open and unread (`journal/outgoing.py`).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from sqlalchemy import Connection

from anshang.foundation import clock, feeds, ids
from anshang.foundation.database import Database
from anshang.foundation.feeds import Feed, Reason
from anshang.journal import outgoing
from anshang.journal.outgoing import Outgoing, Way
from anshang.partners import push_actions, push_store, store
from anshang.partners.model import PartnerEvent
from anshang.partners.push import Phone
from anshang.people import store as people
from anshang.people.model import engine_actor

TOLD = (PartnerEvent.SENT, PartnerEvent.WIDENED, PartnerEvent.REMINDED)
ANSWERS_WITHIN_S = 5.0
KEPT_S = 600
"""So long the push service keeps a message for a phone that is off."""
SIGNED_FOR_S = 3600
AT_ONCE = 16
CLAIMED_MOST = 160
"""Of these the slowest services have answered before the claim is over."""
GONE = frozenset({404, 410})
KEY_FILE = "push.pem"

log = structlog.get_logger()


def read_key(folder: Path) -> Vapid02:
    """The key that this installation signs with, made the first time; phones are bound to it."""
    file = folder / KEY_FILE
    if not file.exists():
        made = Vapid02()
        made.generate_keys()
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(made.private_pem())
    return Vapid02.from_pem(file.read_bytes())


def public_key(folder: Path) -> str:
    """What a browser subscribes with: the uncompressed point, base64url without padding."""
    point = read_key(folder).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


class WebPush:
    """The push messages of this installation; `deliver` is called again and again."""

    def __init__(self, database: Database, folder: Path, contact: str) -> None:
        self._database, self._contact = database, contact
        self._key = read_key(folder)
        self._looked: dict[str, int] = {}
        """Up to which entry of its journal nothing new is in a district."""

    def deliver(self, district_id: str) -> None:
        """Line up what is new for each phone, try what is due, keep what came of it; nothing of a drill
        leaves the house, and nothing is written while nothing waits.
        """
        if ids.is_drill(district_id):
            return
        kinds, now = [str(kind) for kind in TOLD], clock.now()
        with self._database.reading([district_id]) as connection:
            since = self._looked.get(district_id, 0)
            waits, self._looked[district_id] = outgoing.waits(
                connection, district_id, Way.PUSH, kinds, now, since
            )
        if not waits:
            return
        with self._database.transaction(district_id) as tx:
            phones = partial(_phones_to_tell, tx.connection, district_id)
            outgoing.collect(tx, Way.PUSH, kinds, now, lambda entry: phones(entry.subject_id))
            claimed = outgoing.claim(tx, Way.PUSH, now, CLAIMED_MOST)
            still = {notice_id: phones(notice_id) for notice_id in {one.subject_id for one in claimed}}
        told = {id: phone for phones_of in still.values() for id, phone in phones_of.items()}
        asked = {one.recipient for one in claimed if one.recipient in still[one.subject_id]}
        self._keep(district_id, claimed, self._tell([told[id] for id in sorted(asked)]))

    def _tell(self, phones: list[Phone]) -> list[tuple[Phone, int]]:
        """Tell each phone once; with the status that its push service answers."""
        with httpx.Client(timeout=ANSWERS_WITHIN_S) as client, ThreadPoolExecutor(AT_ONCE) as pool:
            answered = list(pool.map(lambda phone: self._post(client, phone), phones))
        return list(zip(phones, answered, strict=True))

    def _keep(
        self, district_id: str, claimed: Sequence[Outgoing], answered: Sequence[tuple[Phone, int]]
    ) -> None:
        """Keep what came of it: a phone that is gone is forgotten, one that was refused is tried again."""
        now, refused = clock.now(), set[str]()
        with self._database.transaction(district_id) as tx:
            for phone, status in answered:
                _record(district_id, phone, status)
                if status in GONE:
                    push_actions.forget(tx, actor=engine_actor(district_id), phone=phone)
                elif not 200 <= status < 300:
                    refused.add(phone.id)
            for one in claimed:
                again = one.recipient in refused
                outgoing.outgoing.put(tx, one.failed(now) if again else one.sent(now))

    def _post(self, client: httpx.Client, phone: Phone) -> int:
        """The status that the push service answers with; 0 when it does not."""
        address = urlsplit(phone.endpoint)
        expires_s = int(clock.now().timestamp()) + SIGNED_FOR_S
        signed = self._key.sign(
            {"sub": self._contact, "aud": f"{address.scheme}://{address.netloc}", "exp": expires_s}
        )
        headers = {**signed, "TTL": str(KEPT_S), "Urgency": "high", "Topic": "notice"}
        try:
            return client.post(phone.endpoint, headers=headers).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("push.unreached", host=address.hostname, reason=type(error).__name__)
            return 0


def _phones_to_tell(connection: Connection, district_id: str, notice_id: str) -> dict[str, Phone]:
    """By id the phones of those who have got a notice and have not opened it; none once it is over."""
    notice = store.notices.find(connection, district_id, notice_id)
    if notice is None or not notice.open_at(clock.now()):
        return {}
    made = store.list_deliveries(connection, district_id, [notice_id])
    waiting = {one.partner_id for one in made if one.opened_at is None}
    if not waiting:
        return {}
    known = store.list_partners(connection, engine_actor(district_id).scope, district_id)
    bodies = {one.body_id for one in known if one.id in waiting}
    accounts = [
        one.id
        for one in people.list_accounts(connection)
        if one.active and one.body_id in bodies and district_id in one.district_ids
    ]
    return {phone.id: phone for phone in push_store.list_phones(connection, district_id, accounts)}


def _record(district_id: str, phone: Phone, status: int) -> None:
    """Keep with the feed what a push service answered; only its host is named."""
    host = urlsplit(phone.endpoint).hostname or ""
    if 200 <= status < 300:
        feeds.took(district_id, Feed.WEB_PUSH)
    elif status == 0:
        words = ("The push service does not answer.", "推送服务无响应。")
        feeds.refused(district_id, Feed.WEB_PUSH, Reason("push.unreached", *words, host))
    else:
        words = (f"The push service answers {status}.", f"推送服务返回状态码 {status}。")
        feeds.refused(district_id, Feed.WEB_PUSH, Reason(f"push.{status}", *words, host))
        log.warning("push.refused", host=host, status=status)
