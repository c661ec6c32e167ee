"""Tells the phones of partners through web push (RFC 8030, VAPID of RFC 8292) that there is something new.

A message is empty: what it is about is read on the page, by whoever is signed in there. What does not arrive
is not tried again; who has not opened a notice is reminded three minutes later.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
from anshang.journal import store as journal
from anshang.journal.model import Entry
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
        self._told: dict[str, int] = {}
        """Up to which entry of its journal the phones of a district have been told."""

    def deliver(self, district_id: str) -> None:
        """Tell the phones of those who got a notice since the last time and have not opened it; nothing of a
        drill leaves the house.
        """
        if ids.is_drill(district_id):
            return
        with self._database.reading([district_id]) as connection:
            since = self._told.setdefault(district_id, journal.last_seq(connection, district_id))
            entries, reached = journal.news(connection, district_id, since, TOLD)
            phones = self._waiting(connection, district_id, entries) if entries else []
        self._told[district_id] = reached
        self._tell(district_id, phones)

    def _waiting(self, connection: Connection, district_id: str, entries: Sequence[Entry]) -> list[Phone]:
        """The phones of those who have got one of these notices and have not opened it."""
        notices = {one.subject_id for one in entries}
        made = store.list_deliveries(connection, district_id, sorted(notices))
        waiting = {one.partner_id for one in made if one.opened_at is None}
        if not waiting:
            return []
        known = store.list_partners(connection, engine_actor(district_id).scope, district_id)
        bodies = {one.body_id for one in known if one.id in waiting}
        accounts = [
            one.id
            for one in people.list_accounts(connection)
            if one.active and one.body_id in bodies and district_id in one.district_ids
        ]
        return push_store.list_phones(connection, district_id, accounts)

    def _tell(self, district_id: str, phones: list[Phone]) -> None:
        with httpx.Client(timeout=ANSWERS_WITHIN_S) as client, ThreadPoolExecutor(AT_ONCE) as pool:
            answered = list(pool.map(lambda phone: self._post(client, phone), phones))
        for phone, status in zip(phones, answered, strict=True):
            _record(district_id, phone, status)
            if status in GONE:
                with self._database.transaction(district_id) as tx:
                    push_actions.forget(tx, actor=engine_actor(district_id), phone=phone)
            elif not 200 <= status < 300:
                log.warning("push.refused", host=urlsplit(phone.endpoint).hostname, status=status)

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
