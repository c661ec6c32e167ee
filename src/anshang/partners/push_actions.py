"""What is done with phones that are told of notices while their page is closed: want it, end it."""

from __future__ import annotations

from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.journal import actions as journal
from anshang.partners import push_store as store
from anshang.partners.push import Phone, PushKind

PHONES_MOST = 10
"""So many phones of one account are told; the oldest makes way."""


def want(tx: Transaction, *, actor: Actor, id: str, endpoint: str, services: tuple[str, ...]) -> Phone:
    """Tell this phone from now on; one that is told already stays as it is."""
    actor.must(Permission.SHOP_USE, tx.district_id)
    phone = Phone(id, tx.district_id, actor.id, endpoint, clock.now())
    phone.check(services)
    own = store.list_phones(tx.connection, tx.district_id, [actor.id])
    if known := next((one for one in own if one.endpoint == endpoint), None):
        return known
    for oldest in own[: max(0, len(own) + 1 - PHONES_MOST)]:
        forget(tx, actor=actor, phone=oldest)
    store.phones.add(tx, phone)
    journal.record(tx, actor_id=actor.id, kind=PushKind.WANTED, subject_id=id)
    return phone


def end(tx: Transaction, *, actor: Actor, endpoint: str) -> None:
    """Tell this phone of the actor's no longer; one that is not told changes nothing."""
    actor.must(Permission.SHOP_USE, tx.district_id)
    for phone in store.list_phones(tx.connection, tx.district_id, [actor.id]):
        if phone.endpoint == endpoint:
            forget(tx, actor=actor, phone=phone)


def forget(tx: Transaction, *, actor: Actor, phone: Phone) -> None:
    """Forget a phone, of oneself or one that its push service knows no more."""
    if actor.id != phone.account_id:
        actor.must(Permission.NOTICE_SEND, tx.district_id)
    store.remove(tx, phone.id)
    journal.record(tx, actor_id=actor.id, kind=PushKind.ENDED, subject_id=phone.id)
