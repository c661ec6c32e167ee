"""The number under which whoever reported an incident can be called back: personal data, sealed in the vault
for as long as an answer to a report may need it, and read by nobody unnoticed.
"""

from __future__ import annotations

from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Transaction
from anshang.vault import actions as vault
from anshang.vault import store as vault_store
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose, RecordKind


def keep(tx: Transaction, keyring: Keyring, *, actor: Actor, incident_id: str, number: str) -> None:
    """Seal the number; the same again changes nothing, another one is refused."""
    vault.keep(
        tx,
        keyring,
        actor=actor,
        id=_record_id(incident_id),
        subject_id=incident_id,
        kind=RecordKind.CONTACT,
        purpose=Purpose.REPORT,
        content=number.encode(),
    )


def read(tx: Transaction, keyring: Keyring, *, actor: Actor, incident_id: str) -> str:
    """The number, for who works on the incident, which the caller has asked; the look is journalled."""
    id = _record_id(incident_id)
    content = vault.read(tx, keyring, actor=actor, id=id, purpose=Purpose.REPORT, kind=RecordKind.CONTACT)
    return content.decode()


def is_kept(connection: Connection, district_id: str, incident_id: str) -> bool:
    """Whether there is a number that may still be read."""
    record = vault_store.records.find(connection, district_id, _record_id(incident_id))
    return record is not None and record.erased_at is None and clock.now() < record.expires_at


def _record_id(incident_id: str) -> str:
    return ids.derived(incident_id, "call-back")
