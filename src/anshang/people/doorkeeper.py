"""Recognises callers for the web: sessions by the digest of their token, feeds by the digest of their key.

What was recognised is remembered for a few seconds, so that a sensor gateway does not cost a query per batch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import TooOften
from anshang.journal.model import EVERYWHERE
from anshang.people import store
from anshang.people.actions import digest_of
from anshang.web.budgets import Budget, Budgets, network_of
from anshang.web.session import Visitor

FEED_MEMORY_S = 5.0
FEEDS_REMEMBERED_MAX = 4096
ENTRIES_REMEMBERED_MAX = 4096
NAME_MINUTES = 15


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor | None
    until_s: float


class Doorkeeper:
    """The `web.session.Doorkeeper` of this installation."""

    def __init__(self, database: Database, *, tries_per_minute: int) -> None:
        self._database = database
        self._budgets = Budgets()
        self._here = Budget("session.name_here", tries_per_minute)
        self._network = Budget("session.network", tries_per_minute * 10)
        self._name = Budget("session.name", tries_per_minute * 5, NAME_MINUTES)
        self._entered: set[tuple[str, str]] = set()
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
        """TooOften when there were too many tries with the name from this network, from the network at all,
        or with the name from everywhere.

        The last does not count where the name has signed in before: whoever tries a name from many places
        cannot keep its owner out of the own.
        """
        network = network_of(address)
        known = (name, network) in self._entered
        allowed = (
            self._budgets.allows(self._here, name, network),
            self._budgets.allows(self._network, network),
            known or self._budgets.allows(self._name, name),
        )
        if not all(allowed):
            raise TooOften(
                "session.throttled",
                en="Too many tries to sign in; wait a minute.",
                zh="登录尝试过于频繁，请一分钟后再试。",
                details={"retry_after_s": 60},
            )

    def note_entry(self, name: str, address: str) -> None:
        """The name has signed in from here; known until the server restarts."""
        if len(self._entered) >= ENTRIES_REMEMBERED_MAX:
            self._entered.clear()
        self._entered.add((name, network_of(address)))

    def _look_up_feed(self, digest: str) -> Actor | None:
        with self._database.reading([EVERYWHERE]) as connection:
            feed = store.find_feed_by_key(connection, digest)
        return None if feed is None else feed.as_actor()
