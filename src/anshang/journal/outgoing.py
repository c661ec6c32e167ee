"""What must still be delivered to the outside: entries of the journal on their way to a gateway or to phones.

Each way has a mark up to which the journal is lined up, so that a restart skips nothing and repeats nothing,
and within a way each recipient is told by itself. What is on its way is claimed, tried again with growing
pauses, and in the end given up where everybody sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from anshang.foundation import ids
from anshang.foundation.columns import Named, UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.shelf import Shelf
from anshang.journal import store
from anshang.journal.model import Entry

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
TRIES_MAX = 8
CLAIMED_FOR = timedelta(minutes=1)
"""So long nobody else tries a delivery that is being tried; after a crash it is free again."""
KEPT_FOR = timedelta(days=7)
"""So long what was sent or given up stays to be looked at."""


class Way(StrEnum):
    """How something leaves the house."""

    GATEWAY = "gateway"
    PUSH = "push"


outgoing_table = Table(
    "outgoing",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("way", Named(Way), nullable=False),
    Column("recipient", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", UtcTime),
    Column("given_up_at", UtcTime),
    Column("version", Integer, nullable=False),
    Index("ix_outgoing_district_id_due_at", "district_id", "due_at"),
)

marks_table = Table(
    "outgoing_marks",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("way", Named(Way), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An entry on its way out; `recipient` is empty where the way leads to one only."""

    id: str
    district_id: str
    way: Way
    recipient: str
    seq: int
    kind: str
    subject_id: str
    at: datetime
    due_at: datetime
    tries: int = 0
    sent_at: datetime | None = None
    given_up_at: datetime | None = None
    version: int = 1

    def claimed(self, now: datetime) -> Outgoing:
        """Being tried now."""
        return replace(self, tries=self.tries + 1, due_at=now + CLAIMED_FOR)

    def sent(self, now: datetime) -> Outgoing:
        """It has arrived."""
        return replace(self, sent_at=now)

    def failed(self, now: datetime) -> Outgoing:
        """To be tried again later, each time after twice the pause; after TRIES_MAX given up."""
        if self.tries >= TRIES_MAX:
            return replace(self, given_up_at=now)
        pause = min(FIRST_PAUSE * 2 ** (self.tries - 1), LONGEST_PAUSE)
        return replace(self, due_at=now + pause)


outgoing = Shelf(outgoing_table, Outgoing, missing=("There is no such delivery.", "没有该投递。"))


def waits(
    connection: Connection, district_id: str, way: Way, kinds: Sequence[str], now: datetime, since: int
) -> tuple[bool, int]:
    """Whether `collect` or `claim` would find anything, and up to which entry nothing is new: a look that
    writes nothing. `since` is the entry that the last look came to.
    """
    mark = connection.execute(_mark(district_id, way)).scalar()
    fresh, reached = store.news(connection, district_id, max(mark or 0, since), kinds, 1)
    due = connection.execute(_due(district_id, way, now).limit(1)).one_or_none() is not None
    return mark is None or bool(fresh) or due, since if fresh else reached


def collect(
    tx: Transaction,
    way: Way,
    kinds: Sequence[str],
    now: datetime,
    recipients: Callable[[Entry], Iterable[str]] = lambda _: ("",),
) -> int:
    """Line up what the journal says since the last time; the first time only from now on. How many entries:
    after a long pause the rest comes next time.
    """
    mark = tx.connection.execute(_mark(tx.district_id, way)).scalar()
    if mark is None:
        last = store.last_seq(tx.connection, tx.district_id)
        tx.connection.execute(insert(marks_table).values(district_id=tx.district_id, way=way, seq=last))
        return 0
    fresh, reached = store.news(tx.connection, tx.district_id, mark, kinds)
    for entry in fresh:
        for recipient in recipients(entry):
            outgoing.add(tx, _lined_up(entry, way, recipient, now))
    mine = (marks_table.c.district_id == tx.district_id) & (marks_table.c.way == way)
    tx.connection.execute(update(marks_table).where(mine).values(seq=reached))
    _forget_done(tx, now - KEPT_FOR)
    return len(fresh)


def claim(tx: Transaction, way: Way, now: datetime, limit: int = 50) -> list[Outgoing]:
    """What is due, claimed: whoever else looks finds it taken."""
    rows = tx.connection.execute(_due(tx.district_id, way, now).limit(limit)).all()
    return [outgoing.put(tx, outgoing.read(row).claimed(now)) for row in rows]


def _mark(district_id: str, way: Way) -> Select[Any]:
    t = marks_table.c
    return select(t.seq).where(t.district_id == district_id, t.way == way)


def _due(district_id: str, way: Way, now: datetime) -> Select[Any]:
    t = outgoing_table.c
    query = outgoing.select().where(
        t.district_id == district_id,
        t.way == way,
        t.sent_at.is_(None),
        t.given_up_at.is_(None),
        t.due_at <= now,
    )
    return query.order_by(t.tries, t.seq)  # who could not be told keeps nobody waiting who was not tried yet


def _forget_done(tx: Transaction, before: datetime) -> None:
    t = outgoing_table.c
    done = t.sent_at.is_not(None) | t.given_up_at.is_not(None)
    tx.connection.execute(
        delete(outgoing_table).where(t.district_id == tx.district_id, t.due_at < before, done)
    )


def _lined_up(entry: Entry, way: Way, recipient: str, now: datetime) -> Outgoing:
    return Outgoing(
        ids.derived(entry.id, recipient) if recipient else entry.id,
        entry.district_id, way, recipient, entry.seq, entry.kind, entry.subject_id, entry.at, due_at=now,
    )  # fmt: skip
