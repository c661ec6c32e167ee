"""What came in and went out by each feed since the program started, and why the last of it was refused.

Every way in and out reports here; the admin page and the metrics read it. Kept in memory and bounded: counts,
instants and reasons, with the sensor, unit or host they are about, but no value, no position and no person.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from anshang.foundation import clock, ids

UNASSIGNED = ""
"""The district of what cannot be assigned to one: an unknown device, a message that cannot be read."""
RECORDS_MOST = 2_000
"""Districts × feeds; what comes for more of them is counted as unassigned."""
REASONS_MOST = 20
"""Of a record; the one not seen for longest makes way."""
ABOUT_LENGTH_MOST = 64


class Feed(StrEnum):
    """A way in or out."""

    COUNTS = "counts"
    MQTT = "mqtt"
    SENSORTHINGS = "sensorthings"
    PHONES = "phones"
    OSMAND = "osmand"
    COT = "cot"
    WEATHER = "weather"
    EVENTS = "events"
    WEBHOOK = "webhook"
    WEB_PUSH = "web_push"


OUTGOING = frozenset({Feed.WEBHOOK, Feed.WEB_PUSH})
"""What is refused by others; all else is refused by us."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused, in both languages; `about` names the sensor, unit or host, if any."""

    code: str
    en: str
    zh: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A reason, how often it was met, and when last."""

    reason: Reason
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """One feed of one district; the refusals newest first. Counts are rows, positions, hours or messages."""

    district_id: str
    feed: Feed
    taken_count: int = 0
    refused_count: int = 0
    last_taken_at: datetime | None = None
    last_refused_at: datetime | None = None
    refusals: tuple[Refused, ...] = ()

    def took(self, count: int, at: datetime) -> FeedRecord:
        """One more delivery was taken, of `count` rows."""
        return replace(self, taken_count=self.taken_count + count, last_taken_at=at)

    def refused(self, reason: Reason, count: int, at: datetime) -> FeedRecord:
        """`count` more rows were refused for a reason."""
        same = next((one for one in self.refusals if one.reason.code == reason.code), None)
        newest = Refused(reason, count + (same.count if same else 0), at)
        others = [one for one in self.refusals if one is not same]
        return replace(
            self,
            refused_count=self.refused_count + count,
            last_refused_at=at,
            refusals=(newest, *others[: REASONS_MOST - 1]),
        )


@dataclass(slots=True)
class _Book:
    started_at: datetime = field(default_factory=clock.now)
    records: dict[tuple[str, Feed], FeedRecord] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_book = _Book()


def took(district_id: str, feed: Feed, count: int = 1) -> None:
    """Record that `count` rows were taken (0: all known before), or messages delivered; none of drills."""
    if not ids.is_drill(district_id):
        with _book.lock:
            _put(_record(district_id, feed).took(count, clock.now()))


def refused(district_id: str, feed: Feed, reason: Reason, count: int = 1) -> None:
    """Record that `count` rows were refused, or messages not delivered; not those of drills."""
    if count and not ids.is_drill(district_id):
        bounded = replace(reason, about=reason.about[:ABOUT_LENGTH_MOST])
        with _book.lock:
            _put(_record(district_id, feed).refused(bounded, count, clock.now()))


def list_records(district_ids: Iterable[str]) -> list[FeedRecord]:
    """The records of districts, by district and feed; feeds that brought nothing have none."""
    wanted = set(district_ids)
    with _book.lock:
        records = [record for record in _book.records.values() if record.district_id in wanted]
    return sorted(records, key=lambda record: (record.district_id, record.feed))


def totals() -> dict[Feed, tuple[int, int]]:
    """Rows taken and refused since the start, of all districts, by feed."""
    with _book.lock:
        records = list(_book.records.values())
    return {
        feed: (
            sum(record.taken_count for record in records if record.feed is feed),
            sum(record.refused_count for record in records if record.feed is feed),
        )
        for feed in Feed
    }


def started_at() -> datetime:
    """Since when is counted."""
    return _book.started_at


def begin_anew() -> None:
    """Forget everything and count from now on."""
    with _book.lock:
        _book.records.clear()
        _book.started_at = clock.now()


def _record(district_id: str, feed: Feed) -> FeedRecord:
    key = (district_id, feed)
    if key not in _book.records and len(_book.records) >= RECORDS_MOST:
        key = (UNASSIGNED, feed)
    return _book.records.get(key) or FeedRecord(*key)


def _put(record: FeedRecord) -> None:
    _book.records[record.district_id, record.feed] = record
