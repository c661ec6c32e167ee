"""Units that were sent to look at a place: busy until they report that they have looked, or until nobody is
looked for any more.
"""

from __future__ import annotations

from collections.abc import Iterable

from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.lookouts import store
from anshang.lookouts.model import Look, LookKind, Lookout
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.patrols.model import UnitStatus


def on_the_way(looks: Iterable[Look]) -> dict[str, str]:
    """Where (a place) each unit was sent that has not told of a look since; `looks` are the oldest first."""
    out: dict[str, str] = {}
    for look in looks:
        if look.unit_id is None:
            continue
        if look.kind is LookKind.SENT:
            out[look.unit_id] = look.place_id
        else:
            out.pop(look.unit_id, None)
    return out


def unit_of(tx: Transaction, actor: Actor) -> str | None:
    """The unit in whose crew the actor is on duty."""
    duty = patrols_store.find_duty_of(tx.connection, tx.district_id, actor.id)
    return None if duty is None else duty.unit_id


def come_back(tx: Transaction, actor: Actor, lookout: Lookout, unit_id: str | None = None) -> None:
    """Whoever was sent to look, or this one of them, is free again, unless something else binds it by now."""
    out = on_the_way(store.list_looks(tx.connection, tx.district_id, [lookout.id]))
    for each in out if unit_id is None else [unit_id] if unit_id in out else []:
        unit = patrols_store.units.get(tx.connection, tx.district_id, each)
        if unit.status is UnitStatus.BUSY:
            patrols.employ(tx, actor=actor.lent(Permission.UNIT_DIRECT), unit=unit, status=UnitStatus.FREE)
