"""Recognises callers for the web: sessions by the digest of their token, feeds by the digest of their key.

What was recognised is remembered for a few seconds, so that a sensor gateway does not cost a query per batch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import TooOften
from anshang.journal.model import EVERYWHERE
from anshang.people import store
from anshang.people.actions import digest_of
from anshang.web.session import Visitor

FEED_MEMORY_S = 5.0
FEEDS_REMEMBERED_MAX = 4096


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor | None
    until_s: float


class Doorkeeper:
    """The `web.session.Doorkeeper` of this installation."""

    def __init__(self, database: Database, *, tries_per_minute: int) -> None:
        self._database = database
        self._tries = MovingWindowRateLimiter(MemoryStorage())
        self._per_name = RateLimitItemPerMinute(tries_per_minute)
        self._per_address = RateLimitItemPerMinute(tries_per_minute * 10)
        self._feeds: dict[str, _Known] = {}

    def visitor_of(self, token: str) -> Visitor | None:
        """The holder of a session token, None when the session has ended or the account is closed."""
        with self._database.reading([EVERYWHERE]) as connection:
            found = store.find_session(connection, digest_of(token), clock.now())
        return None if found is None else Visitor(found[1].as_actor(), found[0].csrf_token)

    def feed_of(self, key: str) -> Actor | None:
        """The holder of a feed key, None when it opens nothing; a closed feed may be remembered for 5 s."""
        digest = digest_of(key)
        known = self._feeds.get(digest)
        if known is None or known.until_s < time.monotonic():
            if len(self._feeds) >= FEEDS_REMEMBERED_MAX:
                self._feeds.clear()
            known = _Known(self._look_up_feed(digest), time.monotonic() + FEED_MEMORY_S)
            self._feeds[digest] = known
        return known.actor

    def admit_try(self, name: str, address: str) -> None:
        """TooOften when there were too many tries with the name from the address, or from the address at
        all.
        """
        by_name = self._tries.hit(self._per_name, "name", name, address)
        if not (self._tries.hit(self._per_address, "address", address) and by_name):
            raise TooOften(
                "session.throttled",
                en="Too many tries to sign in; wait a minute.",
                zh="登录尝试过于频繁，请一分钟后再试。",
                details={"retry_after_s": 60},
            )

    def _look_up_feed(self, digest: str) -> Actor | None:
        with self._database.reading([EVERYWHERE]) as connection:
            feed = store.find_feed_by_key(connection, digest)
        return None if feed is None else feed.as_actor()
