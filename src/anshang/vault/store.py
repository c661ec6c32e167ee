"""The vault's table: sealed records, and nothing of them in the clear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, Index, Integer, LargeBinary, String, Table, select

from anshang.foundation.columns import Named, UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Shelf
from anshang.vault.model import Purpose, Record, RecordKind

records_table = Table(
    "vault_records",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("subject_id", String(64), nullable=False, index=True),
    Column("kind", Named(RecordKind), nullable=False),
    Column("purpose", Named(Purpose), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("kept_at", UtcTime, nullable=False),
    Column("kept_by", String(64), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("erased_at", UtcTime),
    Column("version", Integer, nullable=False),
    Index("ix_vault_records_district_id_expires_at", "district_id", "expires_at"),
)

records = Shelf(records_table, Record, missing=("There is no such record.", "没有该资料。"))


def list_of_subjects(connection: Connection, district_id: str, subject_ids: Sequence[str]) -> list[Record]:
    """What was kept about the subjects, erased or not, oldest first."""
    query = records.select().where(
        records_table.c.district_id == district_id, records_table.c.subject_id.in_(subject_ids)
    )
    order = (records_table.c.kept_at, records_table.c.id)
    return [records.read(row) for row in connection.execute(query.order_by(*order))]


def list_expired(connection: Connection, district_id: str, at: datetime) -> list[Record]:
    """What should have been erased by now and was not yet."""
    query = records.select().where(
        records_table.c.district_id == district_id,
        records_table.c.erased_at.is_(None),
        records_table.c.expires_at <= at,
    )
    return [records.read(row) for row in connection.execute(query)]


def list_ids(connection: Connection, district_id: str, *, erased: bool) -> set[str]:
    """The records of a district that are erased, or those that are not."""
    at = records_table.c.erased_at
    query = select(records_table.c.id).where(
        records_table.c.district_id == district_id, at.is_not(None) if erased else at.is_(None)
    )
    return set(connection.execute(query).scalars())
