"""Whose device an event of Cursor on Target comes from, among the units of all districts.

Strangers may send as many events as they like: what is no unit's key is remembered for some seconds, and asks
nothing of the database meanwhile. Keys are kept as digests only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from anshang.foundation.database import Database
from anshang.patrols import store as patrols
from anshang.patrols.model import Unit
from anshang.people.actions import digest_of
from anshang.places import store as places

UNKNOWN_FOR_S = 5.0
"""A device that is registered meanwhile is known after it."""
UNKNOWN_MOST = 4_096


@dataclass(slots=True)
class Devices:
    """Finds the unit of a device; remembers which keys were nobody's a moment ago."""

    database: Database
    _unknown: dict[str, float] = field(default_factory=dict)
    """Digest → until when it counts as unknown, the oldest first."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def unit_of(self, keys: Iterable[str]) -> Unit | None:
        """The unit that one of the keys is the device's key of (blocking), the first key's before others'."""
        now_s = time.monotonic()
        digests = [digest for digest in map(digest_of, keys) if self._unknown.get(digest, 0.0) <= now_s]
        if not digests:
            return None
        with self.database.reading() as connection:
            district_ids = places.list_district_ids(connection)
        with self.database.reading(district_ids) as connection:
            found = patrols.list_by_devices(connection, district_ids, digests)
        self._remember(set(digests) - {unit.device_digest for unit in found})
        return min(found, key=lambda unit: digests.index(unit.device_digest or ""), default=None)

    def _remember(self, digests: Iterable[str]) -> None:
        until_s = time.monotonic() + UNKNOWN_FOR_S
        with self._lock:
            for digest in digests:
                self._unknown.pop(digest, None)
                while len(self._unknown) >= UNKNOWN_MOST:
                    del self._unknown[next(iter(self._unknown))]
                self._unknown[digest] = until_s
