"""Lost and found: what was handed in at the kiosk, and whom it went to.

The public page says what sort of thing it is, where and when it was found, no more: whoever claims it
describes the rest at the counter.
"""

from __future__ import annotations

from dataclasses import replace

from anshang.desk import store
from anshang.desk.model import DeskKind, FoundItem, Outcome, Thing
from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import RuleBroken
from anshang.journal import actions as journal
from anshang.places import store as places


def keep(
    tx: Transaction, *, actor: Actor, id: str, thing: Thing, zone_id: str | None, words: str
) -> FoundItem:
    """Somebody handed something in; the same id again answers with what is there."""
    actor.must(Permission.DESK_WORK, tx.district_id)
    if known := store.found.find_again(tx.connection, tx.district_id, id, thing=thing, zone_id=zone_id):
        return known
    places.check_zone(tx.connection, tx.district_id, zone_id)
    item = FoundItem(id, tx.district_id, thing, zone_id, words, clock.now(), actor.id)
    store.found.add(tx, item)
    journal.record(
        tx, actor_id=actor.id, kind=DeskKind.FOUND_KEPT, subject_id=id, details={"thing": str(thing)}
    )
    return item


def end(tx: Transaction, *, actor: Actor, id: str, outcome: Outcome) -> FoundItem:
    """It went to its owner, or to the office; saying the same again changes nothing."""
    actor.must(Permission.DESK_WORK, tx.district_id)
    item = store.found.get(tx.connection, tx.district_id, id)
    if item.outcome is outcome:
        return item
    if item.ended_at is not None:
        raise RuleBroken("found.gone", en="It is not here any more.", zh="该物品已不在此处。")
    ended = store.found.put(tx, replace(item, ended_at=clock.now(), ended_by=actor.id, outcome=outcome))
    journal.record(
        tx, actor_id=actor.id, kind=DeskKind.FOUND_ENDED, subject_id=id, details={"outcome": str(outcome)}
    )
    return ended
