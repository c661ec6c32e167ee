"""Who may read the number to call back: who works on the incident, and nobody else."""

from __future__ import annotations

from anshang.dispatch import store
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import NotFound
from anshang.incidents import call_back
from anshang.matters import store as matters_store
from anshang.patrols import actions as patrols
from anshang.vault.keys import Keyring


def read_call_back(tx: Transaction, keyring: Keyring, *, actor: Actor, incident_id: str) -> str:
    """The number to call back, for who works on the incident: the desk, and who is sent there while they are;
    NotFound for anybody else. The look is journalled.
    """
    if actor.may(Permission.INCIDENT_ACT, tx.district_id):
        matters_store.get(tx.connection, actor.scope, tx.district_id, incident_id)
        return call_back.read(tx, keyring, actor=actor, incident_id=incident_id)
    actor.must(Permission.UNIT_DUTY, tx.district_id)
    serving = patrols.serving_with(tx.connection, actor, tx.district_id)
    sent = store.list_of_unit(tx.connection, tx.district_id, serving[1].id) if serving else []
    if all(one.incident_id != incident_id for one in sent):
        raise NotFound("incident.not_yours", en="You are not sent to this.", zh="您未被派往该警情。")
    return call_back.read(tx, keyring, actor=actor.lent(Permission.PERSON_READ), incident_id=incident_id)
