"""Recording what happened, sealing days, and proving that nothing was changed since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.database import Transaction
from anshang.journal import store
from anshang.journal.model import Entry, Fault, Seal, faults_in_chain

VALUE_CHARACTERS_MIN = 16
"""Nobody copies a hash of 64 characters; so many cannot be hit by trying."""
SEALED_LATE_MAX = timedelta(days=400)
"""So far back days are sealed that were not."""
_A_DAY = timedelta(days=1)


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
    link = tx.last_link or store.last_link(tx.connection, tx.district_id)
    entry = replace(entry, chain=entry.chained_to(*link))
    entry = replace(entry, seq=store.add(tx, entry))
    tx.last_link = (entry.seq, entry.chain)
    return entry


def seal(tx: Transaction, on: date) -> Seal | None:
    """Seal the day (UTC) of the transaction's district; None when it has no entry yet, the old seal when it
    still holds. One that was made before the day was over, under a wrong clock, is followed by another.
    """
    sealed = store.find_seal(tx.connection, tx.district_id, on)
    until = datetime.combine(on + timedelta(days=1), time(), UTC)
    last = store.last_entry_until(tx.connection, tx.district_id, until)
    if last is None or (sealed is not None and sealed.last_seq >= last[0].seq):
        return sealed
    entry, count = last
    made = Seal(tx.district_id, on, entry.seq, count, entry.chain, clock.now())
    store.add_seal(tx, made)
    return made


def seal_through(tx: Transaction, on: date) -> None:
    """Seal the day (UTC), and every day before it that was not: the server may have been off at midnight."""
    first_at = store.first_written_at(tx.connection, tx.district_id)
    if first_at is None:
        return
    sealed = {one.on for one in store.list_seals(tx.connection, tx.district_id)}
    day = max(first_at.date(), on - SEALED_LATE_MAX)
    while day < on:
        if day not in sealed:
            seal(tx, day)
        day += timedelta(days=1)
    seal(tx, on)


def verify(connection: Connection, district_id: str) -> list[Fault]:
    """Every place where the district's journal is not what was written; empty when it is whole."""
    seals = store.list_seals(connection, district_id)
    until = max((seal.on for seal in seals if seal.on <= clock.now().date()), default=None)
    return faults_in_chain(store.walk(connection, district_id), seals, sealed_until=until)


def is_proved(connection: Connection, district_ids: Sequence[str], value: str, on: date | None) -> bool:
    """Whether a value that was written down (16 characters or more) is in the chain of a district and, when
    the day is told, was the newest on it; a day is given or taken, for that on paper is a local one.
    """
    if len(value) < VALUE_CHARACTERS_MIN:
        return False
    for district_id in district_ids:
        for entry in store.list_of_chain(connection, district_id, value.lower()):
            following = store.list_after(connection, district_id, entry.seq, limit=1)
            ends = following[0].at.date() if following else date.max - _A_DAY
            if on is None or entry.at.date() - _A_DAY <= on <= ends + _A_DAY:
                return True
    return False


def verify_since_seal(connection: Connection, district_id: str) -> tuple[list[Fault], date | None]:
    """As `verify`, but only what came after the last sealed day, which is returned with it: a look that takes
    no longer from year to year.
    """
    seals = store.list_seals(connection, district_id)
    last = seals[-1] if seals else None
    entries = store.walk(connection, district_id, 0 if last is None else last.last_seq)
    return faults_in_chain(entries, [], last), None if last is None else last.on
