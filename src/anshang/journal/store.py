"""The journal's tables and the questions asked of them. The database itself refuses to change or remove
an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
)

from anshang.foundation.columns import UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.journal.model import EVERYWHERE, GENESIS, Entry, Seal

journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("at", UtcTime, nullable=False),
    Column("district_id", String(64), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("details_json", Text, nullable=False),
    Column("chain", String(64), nullable=False),
    Index("ix_journal_district_id_seq", "district_id", "seq"),
    Index("ix_journal_subject_id", "subject_id"),
    sqlite_autoincrement=True,
)

journal_seals = Table(
    "journal_seals",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("on", Date, primary_key=True),
    Column("last_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_count", BigInteger, nullable=False),
    Column("chain", String(64), nullable=False),
    Column("sealed_at", UtcTime, nullable=False),
)


_ALL_BUT_SEQ = [column.name for column in journal.c if column.name != "seq"]
_ADD = insert(journal)
_LAST_LINK = (
    select(journal.c.seq, journal.c.chain)
    .where(journal.c.district_id == bindparam("here"))
    .order_by(journal.c.seq.desc())
    .limit(1)
)


def last_link(connection: Connection, district_id: str) -> tuple[int, str]:
    """The number and the chain value that the next entry of the district continues."""
    row = connection.execute(_LAST_LINK, {"here": district_id}).one_or_none()
    return (0, GENESIS) if row is None else (row.seq, row.chain)


def add(tx: Transaction, entry: Entry) -> int:
    """Append the entry and return its sequence number."""
    values = {name: getattr(entry, name) for name in _ALL_BUT_SEQ}
    (seq,) = tx.connection.execute(_ADD, values).inserted_primary_key  # type: ignore[misc]
    return int(seq)


def list_after(connection: Connection, district_id: str, seq: int, limit: int = 1000) -> list[Entry]:
    """The district's entries with a greater sequence number, oldest first."""
    query = select(journal).where(journal.c.district_id == district_id, journal.c.seq > seq)
    return [_entry(row) for row in connection.execute(query.order_by(journal.c.seq).limit(limit))]


def news(
    connection: Connection, district_id: str, since: int, kinds: Sequence[str], limit: int = 1000
) -> tuple[list[Entry], int]:
    """The district's entries of these kinds with a greater sequence number, oldest first and at most `limit`,
    and the number up to which that is all: go on there, and none is ever skipped.
    """
    last = last_seq(connection, district_id)
    query = select(journal).where(
        journal.c.district_id == district_id, journal.c.seq > since, journal.c.kind.in_(kinds)
    )
    found = [_entry(row) for row in connection.execute(query.order_by(journal.c.seq).limit(limit))]
    return found, found[-1].seq if len(found) == limit else last


def list_before(
    connection: Connection,
    district_ids: Sequence[str],
    *,
    before: int | None = None,
    kind: str | None = None,
    limit: int = 100,
    about: Sequence[str] | None = None,
) -> list[Entry]:
    """The latest entries of the districts, newest first; `kind` may be a whole kind or the noun before
    the dot. With `about` those of the installation itself only where they are about one of these subjects.
    """
    query = select(journal).where(journal.c.district_id.in_(district_ids))
    if about is not None:
        query = query.where((journal.c.district_id != EVERYWHERE) | journal.c.subject_id.in_(about))
    if before is not None:
        query = query.where(journal.c.seq < before)
    if kind is not None:
        query = query.where((journal.c.kind == kind) | journal.c.kind.startswith(f"{kind}.", autoescape=True))
    return [_entry(row) for row in connection.execute(query.order_by(journal.c.seq.desc()).limit(limit))]


def list_of_kinds(
    connection: Connection, district_id: str, kinds: Sequence[str], from_at: datetime, to_at: datetime
) -> list[Entry]:
    """The entries of these kinds in [from_at, to_at), oldest first."""
    query = select(journal).where(
        journal.c.district_id == district_id,
        journal.c.kind.in_(kinds),
        journal.c.at >= from_at,
        journal.c.at < to_at,
    )
    return [_entry(row) for row in connection.execute(query.order_by(journal.c.seq))]


def last_of_kinds(connection: Connection, district_id: str, kinds: Sequence[str]) -> Entry | None:
    """The district's latest entry of these kinds, None when there is none."""
    query = select(journal).where(journal.c.district_id == district_id, journal.c.kind.in_(kinds))
    row = connection.execute(query.order_by(journal.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else _entry(row)


def last_written_at(connection: Connection, district_ids: Sequence[str]) -> datetime | None:
    """When the districts' latest entry was written, by the clock of then; None when there is none."""
    query = select(journal.c.at).where(journal.c.district_id.in_(district_ids))
    return connection.execute(query.order_by(journal.c.seq.desc()).limit(1)).scalar()


def list_of_subject(connection: Connection, district_id: str, subject_ids: Sequence[str]) -> list[Entry]:
    """Everything that happened to the subjects, oldest first."""
    query = select(journal).where(journal.c.district_id == district_id, journal.c.subject_id.in_(subject_ids))
    return [_entry(row) for row in connection.execute(query.order_by(journal.c.seq))]


def last_seq(connection: Connection, district_id: str) -> int:
    """The greatest sequence number of the district, 0 when it has no entry."""
    query = select(func.max(journal.c.seq)).where(journal.c.district_id == district_id)
    return connection.execute(query).scalar() or 0


def first_seq_since(connection: Connection, district_id: str, at: datetime) -> int | None:
    """The sequence number of the first entry at or after the instant, None when there is none."""
    query = select(func.min(journal.c.seq)).where(journal.c.district_id == district_id, journal.c.at >= at)
    return connection.execute(query).scalar()


def first_written_at(connection: Connection, district_id: str) -> datetime | None:
    """When the district's first entry was written, None when it has none."""
    query = select(journal.c.at).where(journal.c.district_id == district_id)
    return connection.execute(query.order_by(journal.c.seq).limit(1)).scalar()


def list_of_chain(connection: Connection, district_id: str, begins: str) -> list[Entry]:
    """The district's entries whose chain value begins so."""
    query = select(journal).where(
        journal.c.district_id == district_id, journal.c.chain.startswith(begins, autoescape=True)
    )
    return [_entry(row) for row in connection.execute(query.order_by(journal.c.seq))]


def walk(connection: Connection, district_id: str, seq: int = 0, page: int = 5000) -> Iterator[Entry]:
    """All entries of the district after `seq` in order, read in pages."""
    while entries := list_after(connection, district_id, seq, page):
        yield from entries
        seq = entries[-1].seq


def list_districts(connection: Connection) -> list[str]:
    """The districts that have entries."""
    return list(
        connection.execute(select(journal.c.district_id).distinct().order_by("district_id")).scalars()
    )


def list_seals(connection: Connection, district_id: str) -> list[Seal]:
    """The district's seals, oldest first."""
    query = select(journal_seals).where(journal_seals.c.district_id == district_id)
    return [
        Seal(**row._mapping)
        for row in connection.execute(query.order_by(journal_seals.c.last_seq, journal_seals.c.on))
    ]


def add_seal(tx: Transaction, seal: Seal) -> None:
    """Keep a seal."""
    tx.connection.execute(
        insert(journal_seals).values({c.name: getattr(seal, c.name) for c in journal_seals.c})
    )


def last_entry_until(connection: Connection, district_id: str, until: datetime) -> tuple[Entry, int] | None:
    """The last entry before the instant and how many entries there are up to it, None when there is none."""
    mine = journal.c.district_id == district_id
    seq = connection.execute(select(func.max(journal.c.seq)).where(mine, journal.c.at < until)).scalar()
    if seq is None:
        return None
    count = connection.execute(select(func.count()).where(mine, journal.c.seq <= seq)).scalar_one()
    return _entry(connection.execute(select(journal).where(mine, journal.c.seq == seq)).one()), count


def find_seal(connection: Connection, district_id: str, on: date) -> Seal | None:
    """The latest seal of the day, or None."""
    query = select(journal_seals).where(journal_seals.c.district_id == district_id, journal_seals.c.on == on)
    row = connection.execute(query.order_by(journal_seals.c.last_seq.desc()).limit(1)).one_or_none()
    return None if row is None else Seal(**row._mapping)


def _entry(row: Row[Any]) -> Entry:
    return Entry(**row._mapping)
