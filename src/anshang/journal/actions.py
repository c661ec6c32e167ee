"""Recording what happened, sealing days, and proving that nothing was changed since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.database import Transaction
from anshang.journal import store
from anshang.journal.model import Entry, Fault, Seal, faults_in_chain


def record(
    tx: Transaction,
    *,
    actor_id: str,
    kind: StrEnum,
    subject_id: str,
    details: Mapping[str, Any] | None = None,
    drill: bool = False,
) -> Entry:
    """Append one entry to the journal of the transaction's district, in the same transaction, with the
    instant that a device claimed where that is not the one that counts.
    """
    claim = {} if tx.claimed_at is None else {"claimed_at": tx.claimed_at.isoformat()}
    entry = Entry(
        seq=0,
        id=ids.new_id(),
        at=clock.now(),
        district_id=tx.district_id,
        actor_id=actor_id,
        kind=str(kind),
        subject_id=subject_id,
        drill=drill or tx.drill,
        details_json=json.dumps({**(details or {}), **claim}, ensure_ascii=False, sort_keys=True),
        chain="",
    )
    entry = replace(entry, chain=entry.chained_to(*store.last_link(tx.connection, tx.district_id)))
    return replace(entry, seq=store.add(tx, entry))


def seal(tx: Transaction, on: date) -> Seal | None:
    """Seal the day (UTC) of the transaction's district; None when it has no entry yet, the old seal when
    sealed.
    """
    if sealed := store.find_seal(tx.connection, tx.district_id, on):
        return sealed
    until = datetime.combine(on + timedelta(days=1), time(), UTC)
    last = store.last_entry_until(tx.connection, tx.district_id, until)
    if last is None:
        return None
    entry, count = last
    made = Seal(tx.district_id, on, entry.seq, count, entry.chain, clock.now())
    store.add_seal(tx, made)
    return made


def verify(connection: Connection, district_id: str) -> list[Fault]:
    """Every place where the district's journal is not what was written; empty when it is whole."""
    return faults_in_chain(store.walk(connection, district_id), store.list_seals(connection, district_id))


def verify_since_seal(connection: Connection, district_id: str) -> tuple[list[Fault], date | None]:
    """As `verify`, but only what came after the last sealed day, which is returned with it: a look that takes
    no longer from year to year.
    """
    seals = store.list_seals(connection, district_id)
    last = seals[-1] if seals else None
    entries = store.walk(connection, district_id, 0 if last is None else last.last_seq)
    return faults_in_chain(entries, [], last), None if last is None else last.on
