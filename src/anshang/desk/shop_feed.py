"""What happens to notices, told to every partner's page that is open: each is unsealed and rendered once,
however many pages show it.

Runs on the server's event loop beside the hub, whose entries it follows. Before a page is told a word, that
it will be shown there is on disk.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from anshang.desk.shop import shown_notice
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.errors import Refusal
from anshang.foundation.jobs import Progress, Supervised, Supervisor
from anshang.partners import actions, store
from anshang.partners.model import PartnerEvent
from anshang.vault.keys import Keyring
from anshang.web.live import BEAT_S, Hub, Welcome

FOLLOWED = (
    PartnerEvent.SENT,
    PartnerEvent.WIDENED,
    PartnerEvent.ILLUSTRATED,
    PartnerEvent.REMINDED,
    PartnerEvent.WITHDRAWN,
)
BEAT = b"event: beat\ndata: {}\n\n"
NUDGE = b"event: nudge\ndata: {}\n\n"
WAITING_MAX = 64
FEED = Supervised(
    name="pages.notices", every_s=BEAT_S, en="Notices on the pages of shops", zh="商户页面通知推送"
)

log = structlog.get_logger()


_Own = tuple[str, str]
"""A partner and its body: whoever moved to another body is not who the page is for."""


@dataclass(eq=False)
class _Page:
    """One open page and the partners it is for."""

    own: frozenset[_Own]
    waiting: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))

    def offer(self, event: bytes) -> None:
        """Hand it an event; one that cannot follow asks anew when it can."""
        if self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            event = NUDGE
        self.waiting.put_nowait(event)


class ShopFeed:
    """Tells the open pages of every district."""

    def __init__(self, database: Database, keyring: Keyring, hub: Hub, supervisor: Supervisor) -> None:
        self._database, self._keyring, self._hub = database, keyring, hub
        self._supervisor = supervisor
        self._pages: dict[str, set[_Page]] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._followed: set[str] = set()

    async def stream(self, district_id: str, own: Collection[_Own], welcome: Welcome) -> AsyncIterator[bytes]:
        """The events of one page: `notice` (whole), `withdrawn` (its id), `nudge` (ask anew), `beat`.

        `welcome` is asked (in a thread) before every beat; the stream ends when it says no.
        """
        page = _Page(frozenset(own))
        self._pages.setdefault(district_id, set()).add(page)
        if district_id not in self._following or self._following[district_id].done():
            following = self._supervisor.keep(FEED, partial(self._follow, district_id), district_id)
            self._following[district_id] = asyncio.create_task(following)
        try:
            yield f"retry: {random.randint(1000, 3000)}\n\n".encode() + BEAT  # noqa: S311 - jitter
            beat_at_s = _next_beat_s()
            while not self._hub.stopping:
                try:
                    left_s = max(0.0, beat_at_s - time.monotonic())
                    event = await asyncio.wait_for(page.waiting.get(), left_s)
                except TimeoutError:
                    event, beat_at_s = BEAT, _next_beat_s()
                if event == BEAT and not await asyncio.to_thread(welcome):
                    return
                yield event
        finally:
            self._pages[district_id].discard(page)

    async def _follow(self, district_id: str, got_on: Progress) -> None:
        nouns = tuple(f'"kind": "{kind}"'.encode() for kind in FOLLOWED)
        if district_id in self._followed:  # what came while this was interrupted is asked for
            self._ask_anew(district_id)
        self._followed.add(district_id)
        async for events in self._hub.stream(district_id, None, lambda: True, nouns):
            got_on()
            if b"event: reset" in events:
                self._ask_anew(district_id)
            for kind, notice_id in _entries(events):
                pages = list(self._pages.get(district_id, ()))
                wanted = frozenset().union(*(page.own for page in pages))
                try:
                    told = await asyncio.to_thread(self._told, district_id, kind, notice_id, wanted)
                except (Refusal, SQLAlchemyError):
                    log.exception("shop.untold", district=district_id)
                    told = dict.fromkeys(wanted, NUDGE)
                for page in pages:
                    for event in {told[one] for one in page.own if one in told}:
                        page.offer(event)

    def _ask_anew(self, district_id: str) -> None:
        for page in self._pages.get(district_id, ()):
            page.offer(NUDGE)

    def _told(
        self, district_id: str, kind: str, notice_id: str, wanted: frozenset[_Own]
    ) -> dict[_Own, bytes]:
        """What each of the partners' pages is told."""
        if kind == PartnerEvent.WITHDRAWN:
            return dict.fromkeys(wanted, _event("withdrawn", json.dumps({"id": notice_id})))
        with self._database.reading([district_id]) as connection:
            notice = store.notices.get(connection, district_id, notice_id)
            made = store.list_deliveries(connection, district_id, [notice_id])
            body_of = store.bodies_of(connection, district_id)
        own = {id: (id, body_id) for id, body_id in wanted if body_of.get(id) == body_id}
        here = [one for one in made if one.partner_id in own]
        if kind == PartnerEvent.REMINDED or not notice.open_at(clock.now()):
            return {own[one.partner_id]: NUDGE for one in here}
        fresh = [one.id for one in here if one.opened_at is None]
        actions.open_all(self._database, district_id, fresh)
        with self._database.reading([district_id]) as connection:
            first = shown_notice(connection, self._keyring, notice, here[0]) if here else None
        if first is None:
            return {}
        return {own[one.partner_id]: _event("notice", first.of(one).model_dump_json()) for one in here}


def _next_beat_s() -> float:
    return time.monotonic() + BEAT_S * random.uniform(0.8, 1.0)  # noqa: S311 - jitter


def _event(name: str, content: str) -> bytes:
    return f"event: {name}\ndata: {content}\n\n".encode()


def _entries(events: bytes) -> Iterable[tuple[str, str]]:
    """Kind and subject of every entry among the events."""
    for line in events.split(b"\n"):
        if line.startswith(b"data: ") and b'"kind"' in line:
            told = json.loads(line.removeprefix(b"data: "))
            yield told["kind"], told["subject_id"]
