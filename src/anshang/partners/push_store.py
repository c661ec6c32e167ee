"""The table of phones that are told of notices, and the questions asked of it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Column, Connection, Integer, String, Table, delete

from anshang.foundation.columns import UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.shelf import Shelf
from anshang.partners.push import ENDPOINT_LENGTH_MAX, Phone

phones_table = Table(
    "push_phones",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("account_id", String(36), nullable=False),
    Column("endpoint", String(ENDPOINT_LENGTH_MAX), nullable=False),
    Column("since_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False),
)

phones = Shelf(phones_table, Phone, missing=("There is no such phone.", "没有该设备。"))


def list_phones(connection: Connection, district_id: str, account_ids: Collection[str]) -> list[Phone]:
    """The phones of these accounts."""
    t = phones_table.c
    query = phones.select().where(t.district_id == district_id, t.account_id.in_(account_ids))
    return [phones.read(row) for row in connection.execute(query.order_by(t.since_at, t.id))]


def remove(tx: Transaction, id: str) -> None:
    """Forget a phone."""
    t = phones_table.c
    tx.connection.execute(delete(phones_table).where(t.district_id == tx.district_id, t.id == id))
