"""What is done with personal data: keep, read, shorten, erase. Every one of them is journalled.

The verbs of other rooms decide who may; here only whether the actor may handle personal data at all, and that
it is read for the purpose it was given for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken
from anshang.foundation.installation import installation_id
from anshang.foundation.items import Items
from anshang.journal import actions as journal
from anshang.journal import store as journal_store
from anshang.vault import store
from anshang.vault.keys import Keyring, seal, unseal
from anshang.vault.model import RETENTION, Purpose, Reading, Receipt, Record, RecordKind, VaultKind

BYTES_MAX = 4_000_000
ORPHANED = timedelta(days=7)
"""A key that no record needs is kept so long: that the database is an older one may be a mistake."""


def keep(
    tx: Transaction,
    keyring: Keyring,
    *,
    actor: Actor,
    id: str,
    subject_id: str,
    kind: RecordKind,
    purpose: Purpose,
    content: bytes,
) -> Record:
    """Seal something personal under a key of its own; the same id again answers with what is there."""
    actor.must(Permission.PERSON_KEEP, tx.district_id)
    said = {"subject_id": subject_id, "kind": kind, "purpose": purpose, "kept_by": actor.id}
    if known := store.records.find_again(tx.connection, tx.district_id, id, **said):
        return _must_say(keyring, known, content)
    if not 0 < len(content) <= BYTES_MAX:
        raise BadInput(
            "record.size", en="This is empty or too large to keep.", zh="内容为空或过大，无法保存。"
        )
    now = clock.now()
    record = Record(
        id=id,
        district_id=tx.district_id,
        subject_id=subject_id,
        kind=kind,
        purpose=purpose,
        sealed=seal(keyring.make(tx.district_id, id), content, _bound(tx.district_id, id)),
        kept_at=now,
        kept_by=actor.id,
        expires_at=now + RETENTION[purpose],
    )
    store.records.add(tx, record)
    _tell(tx, actor, VaultKind.KEPT, record)
    return record


def must_have_reported(tx: Transaction, actor: Actor, subject_id: str) -> None:
    """NotFound unless the actor is of the district's own team, or reported the subject here themselves."""
    entries = journal_store.list_of_subject(tx.connection, tx.district_id, [subject_id])
    if not actor.sees_every_body and all(entry.actor_id != actor.id for entry in entries):
        raise NotFound(
            "record.no_subject", en="You have reported nothing with this id.", zh="您没有上报过该编号的内容。"
        )


def read(
    tx: Transaction,
    keyring: Keyring,
    *,
    actor: Actor,
    id: str,
    purpose: Purpose,
    kind: RecordKind | None = None,
) -> bytes:
    """What a record says, for the purpose it was given for; who read it is journalled with it. NotFound when
    it is of another `kind` than the reader can show.
    """
    actor.must(Permission.PERSON_READ, tx.district_id)
    record = store.records.get(tx.connection, tx.district_id, id)
    if kind is not None:
        record.check_kind(kind)
    record.check_readable(purpose, clock.now())
    content = _opened(keyring, record)
    _tell(tx, actor, VaultKind.READ, record)
    return content


def opened(connection: Connection, keyring: Keyring, *, district_id: str, id: str, purpose: Purpose) -> bytes:
    """What a record says, for a room that has written down by itself who reads it and why."""
    record = store.records.get(connection, district_id, id)
    record.check_readable(purpose, clock.now())
    return _opened(keyring, record)


def shorten(tx: Transaction, *, actor: Actor, subject_id: str, until: datetime) -> None:
    """What was kept about the subject is needed no longer than until then."""
    actor.must(Permission.PERSON_KEEP, tx.district_id)
    for record in store.list_of_subjects(tx.connection, tx.district_id, [subject_id]):
        if record.erased_at is None and record.expires_at > until:
            _tell(tx, actor, VaultKind.SHORTENED, store.records.put(tx, record.shortened(until)))


def erase(tx: Transaction, keyring: Keyring, *, actor: Actor, subject_ids: Sequence[str]) -> None:
    """Destroy everything that was kept about the subjects; their keys go once that is on disk."""
    actor.must(Permission.PERSON_ERASE, tx.district_id)
    for record in store.list_of_subjects(tx.connection, tx.district_id, subject_ids):
        if record.erased_at is None:
            _erase(tx, keyring, actor, record)


def erase_all(tx: Transaction, keyring: Keyring, *, actor: Actor) -> None:
    """Destroy everything that was kept in the transaction's district; the keys go once that is on disk."""
    actor.must(Permission.PERSON_ERASE, tx.district_id)
    for id in sorted(store.list_ids(tx.connection, tx.district_id, erased=False)):
        _erase(tx, keyring, actor, store.records.get(tx.connection, tx.district_id, id))


def erase_expired(
    database: Database, keyring: Keyring, *, actor: Actor, district_id: str, items: Items | None = None
) -> int:
    """Destroy what is over; how many records that were. ItemsFailed at the end when some resist."""
    with database.reading([district_id]) as connection:
        over = store.list_expired(connection, district_id, clock.now())

    def erase_one(record_id: str) -> None:
        with database.transaction(district_id) as tx:
            _erase(tx, keyring, actor, store.records.get(tx.connection, district_id, record_id))

    (items or Items()).each(district_id, [(record.id, partial(erase_one, record.id)) for record in over])
    return len(over)


def destroy_orphans(
    database: Database, keyring: Keyring, district_ids: Sequence[str], *, items: Items | None = None
) -> None:
    """Destroy keys that no record needs: of those erased when the machine stopped in between, or never saved.

    A key without any row goes only when it has had none for ORPHANED, and never when no key at all has a row:
    the database is an older one then, as of a back-up, or the wrong one. RuleBroken when the vault belongs to
    another installation, ItemsFailed at the end when some keys resist.
    """
    there = set(keyring.list_keys())
    kept, erased = (
        _keys_of(database, district_ids, erased=False),
        _keys_of(database, district_ids, erased=True),
    )
    with database.reading() as connection:
        keyring.must_belong(installation_id(connection), is_known=not there or bool(there & (kept | erased)))
    now = clock.now()
    without_row = there - kept - erased if there & kept else set()
    lost = {key for key in without_row if now - keyring.needless_since(*key, now) >= ORPHANED}
    keyring.note_needed(kept)
    gone = sorted((there & erased - kept) | lost)
    (items or Items()).each("", [("/".join(key), partial(keyring.destroy_key, *key)) for key in gone])


def list_unreadable_ids(connection: Connection, keyring: Keyring, district_id: str) -> list[str]:
    """The records of a district that should be readable and are not: no key, or one that does not open."""
    ids = store.list_ids(connection, district_id, erased=False)
    return sorted(id for id in ids if not keyring.opens(district_id, id))


def receipt(connection: Connection, district_id: str, subject_id: str) -> Receipt:
    """What became of everything that was kept about a subject, and who had opened it."""
    records = store.list_of_subjects(connection, district_id, [subject_id])
    entries = journal_store.list_of_subject(connection, district_id, [record.id for record in records])
    readings = [Reading(e.subject_id, e.actor_id, e.at) for e in entries if e.kind == VaultKind.READ]
    return Receipt(subject_id, tuple(records), tuple(readings))


def _erase(tx: Transaction, keyring: Keyring, actor: Actor, record: Record) -> None:
    if record.erased_at is None:
        erased = store.records.put(tx, record.erased(clock.now()))
        _tell(tx, actor, VaultKind.ERASED, erased)
        tx.after_commit.append(lambda: keyring.destroy(record.district_id, record.id))


def _must_say(keyring: Keyring, known: Record, content: bytes) -> Record:
    """The record; RuleBroken when it says something else. What cannot be opened any more is not judged."""
    readable = known.erased_at is None and keyring.opens(known.district_id, known.id)
    if readable and _opened(keyring, known) != content:
        raise RuleBroken(
            "vault_records.taken",
            en="This id is in use for something else.",
            zh="该编号已用于其他内容。",
        )
    return known


def _keys_of(database: Database, district_ids: Sequence[str], *, erased: bool) -> set[tuple[str, str]]:
    """What the keys of the districts' records would be called, before and since keys have districts."""
    keys: set[tuple[str, str]] = set()
    for district_id in district_ids:
        with database.reading([district_id]) as connection:
            for record_id in store.list_ids(connection, district_id, erased=erased):
                keys |= {(district_id, record_id), ("", record_id)}
    return keys


def _opened(keyring: Keyring, record: Record) -> bytes:
    return unseal(
        keyring.open(record.district_id, record.id), record.sealed, _bound(record.district_id, record.id)
    )


def _bound(district_id: str, id: str) -> str:
    """A sealed content moved to another record, or district, does not open."""
    return f"{district_id}/{id}"


def _tell(tx: Transaction, actor: Actor, kind: VaultKind, record: Record) -> None:
    details = {"kind": str(record.kind), "purpose": str(record.purpose), "of": record.subject_id}
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=record.id, details=details)
