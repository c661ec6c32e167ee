"""An order that was a mistake is undone: what it made and nobody has acted on is taken back, and what cannot
be taken back any more is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from anshang.crowds import actions as crowds
from anshang.crowds import store as crowds_store
from anshang.crowds.model import Level
from anshang.desk import orders, store
from anshang.desk.model import DeskKind, Order
from anshang.desk.responses import RESPONSES
from anshang.dispatch import actions as dispatch
from anshang.dispatch import store as dispatch_store
from anshang.dispatch.model import Assignment, AssignmentState, Because
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, RuleBroken, StaleVersion
from anshang.incidents import actions as incidents
from anshang.incidents import store as incidents_store
from anshang.journal import store as journal_store
from anshang.journal.model import Entry
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import MatterKind, MatterState
from anshang.partners import store as partners_store
from anshang.patrols import store as patrols
from anshang.places import store as places

OUTCOME = "outcome.undone"
MISTAKE_ZH, MISTAKE_EN = "上一条通知发错了，请忽略。", "The last notice was a mistake; please ignore it."
OFFERED_FOR = timedelta(seconds=10)
"""How long the desk offers to undo an order: seconds of the person, whatever the speed of the clock."""
GRACE = timedelta(seconds=20)
"""So much later an undo is still taken: its press may come over a slow line, as the order's answer did."""
_BEGUN = (AssignmentState.MOVING, AssignmentState.ON_SCENE, AssignmentState.DONE)


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo took back, and what it could not: units that were on their way or there already, how many
    shops had read the request, and measures whose effect had been read.
    """

    units: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    units_begun: tuple[str, ...] = ()
    shops_read: int = 0
    measures_kept: tuple[str, ...] = ()


def undo(tx: Transaction, *, actor: Actor, id: str, back_to: int | None, version: int) -> Undone:
    """It was a mistake: the units it asked are called off, its partners are asked to ignore it, its measures
    are withdrawn, and its incident counts in no figure. With `back_to` the level that stood before stands
    again. The same undo again changes nothing and answers the same. RuleBroken when it comes later than
    OFFERED_FOR and GRACE: the order is stood down then.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    order = store.orders.get(tx.connection, tx.district_id, id)
    entries = journal_store.list_of_subject(tx.connection, tx.district_id, [id])
    if (known := _done_before(entries, order, back_to, version)) is not None:
        return known
    if version != order.version:
        raise StaleVersion(
            "orders.stale",
            en="Somebody else changed this order in the meantime; look again.",
            zh="期间已有他人更改该处置令，请刷新后重试。",
        )
    if back_to is not None and (back_to >= order.level or back_to not in RESPONSES):
        raise BadInput("order.no_level", en="This level orders nothing.", zh="该等级没有处置令。")
    above = _given_above(entries, back_to or 0)
    since = above[0].at if above else order.given_at
    if clock.now() > since + (OFFERED_FOR + GRACE) * clock.speed():
        raise RuleBroken(
            "order.undo_late",
            en="The order has been carried out too long to be undone; stand it down.",
            zh="处置令已执行，无法撤销，请解除处置令。",
        )
    undone = _take_back(tx, actor, order, back_to)
    _give_back_alarms(tx, actor, order, since, {entry.actor_id for entry in above})
    after = _level_before(tx, actor, order, back_to)
    details = {"level": order.level, "back_to": back_to, "version": version, "undone": asdict(undone)}
    orders.tell(tx, actor, DeskKind.ORDER_UNDONE, after, details)
    return undone


def _done_before(entries: Sequence[Entry], order: Order, back_to: int | None, version: int) -> Undone | None:
    """What this very undo took back when it came the first time; nothing for an order that is over."""
    for entry in entries:
        told = entry.details
        same = (told.get("version"), told.get("back_to")) == (version, back_to)
        if entry.kind == DeskKind.ORDER_UNDONE and same:
            return Undone(**{key: _frozen(value) for key, value in told["undone"].items()})
    return Undone() if order.stood_down_at is not None else None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _given_above(entries: Sequence[Entry], back_to: int) -> list[Entry]:
    """By whom and when the order rose above the level that is to stand again."""
    steps: list[Entry] = []
    for entry in entries:
        if entry.kind in (DeskKind.ORDER_GIVEN, DeskKind.ORDER_RAISED):
            steps.append(entry)
        elif entry.kind == DeskKind.ORDER_UNDONE:
            steps = [one for one in steps if one.details["level"] <= (entry.details.get("back_to") or 0)]
    return [one for one in steps if one.details["level"] > back_to]


def _take_back(tx: Transaction, actor: Actor, order: Order, back_to: int | None) -> Undone:
    """Call off, ask to ignore and withdraw what the levels above made."""
    called_off, begun = _call_off(tx, actor, order, back_to)
    told = partners_store.list_deliveries(tx.connection, tx.district_id, [order.notice_id])
    orders.withdraw(tx, actor, order, (MISTAKE_ZH, MISTAKE_EN))
    withdrawn, kept = _withdraw_measures(tx, actor, order, back_to)
    return Undone(
        units=called_off,
        measures=withdrawn,
        units_begun=begun,
        shops_read=sum(one.opened_at is not None for one in told),
        measures_kept=kept,
    )


def _call_off(
    tx: Transaction, actor: Actor, order: Order, back_to: int | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Call off the units; those that are, and of all asked those that had begun."""
    of_it = dispatch_store.list_of_incidents(tx.connection, tx.district_id, [order.incident_id])
    asked = [one for one in of_it if back_to is None or one.id in _offers_above(order, back_to, one.unit_id)]
    live = {one.id for one in dispatch_store.list_live(tx.connection, tx.district_id)}
    for one in asked:
        if one.id in live:
            dispatch.stand_down(tx, actor=actor, id=one.id, because=Because.CALLED_OFF, words=MISTAKE_ZH)
    return _units(one for one in asked if one.id in live), _units(one for one in asked if one.state in _BEGUN)


def _units(assignments: Iterator[Assignment]) -> tuple[str, ...]:
    return tuple(sorted({one.unit_id for one in assignments}))


def _withdraw_measures(
    tx: Transaction, actor: Actor, order: Order, back_to: int | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Withdraw the measures that the levels above recorded; the steps of those, and of those that stay."""
    steps: dict[bool, list[str]] = {True: [], False: []}
    for level, version in _above(order, back_to):
        for step in RESPONSES[Level(level)].measures:
            id = orders.measure_id(order.id, step, level, version)
            measure = crowds_store.measures.find(tx.connection, tx.district_id, id)
            if measure is not None:
                steps[measure.judged_at is None].append(step)
                if measure.judged_at is None:
                    crowds.withdraw_measure(tx, actor=actor, measure=measure)
    return tuple(steps[True]), tuple(steps[False])


def _give_back_alarms(
    tx: Transaction, actor: Actor, order: Order, since: datetime, givers: Collection[str]
) -> None:
    """The alarms of the zone that whoever gave the levels above has so acknowledged wait again, whoever it is
    that undoes them.
    """
    for matter in matters_store.list_waiting(tx.connection, actor.scope, tx.district_id):
        alarm = matter.kind is MatterKind.CROWD and matter.zone_id == order.zone_id
        theirs = matter.state is MatterState.ACKNOWLEDGED and matter.acknowledged_by in givers
        if alarm and theirs and matter.acknowledged_at is not None and matter.acknowledged_at >= since:
            matters.release(tx, actor=actor, id=matter.id, of=matter.acknowledged_by)


def _level_before(tx: Transaction, actor: Actor, order: Order, back_to: int | None) -> Order:
    """End the order, or let the level that stood before stand again and ask its partners anew. An incident
    that somebody has closed stays as they closed it.
    """
    if back_to is None:
        matter = matters_store.get(tx.connection, actor.scope, tx.district_id, order.incident_id)
        if matter.state is not MatterState.CLOSED:
            version = incidents_store.incidents.get(tx.connection, tx.district_id, order.incident_id).version
            incidents.cancel(tx, actor=actor, id=order.incident_id, reason=OUTCOME, version=version)
        return store.orders.put(tx, order.stood_down(actor.id, clock.now()))
    notice_id = orders.notice_id(order.id, back_to, order.version)
    after = store.orders.put(tx, replace(order, level=back_to, notice_id=notice_id))
    response = RESPONSES[Level(back_to)]
    place = places.load(tx.connection, tx.district_id)
    orders.notify(tx, actor, place, after, response, (response.zh, response.en))
    return after


def _offers_above(order: Order, level: int, unit_id: str) -> set[str]:
    """The ids of what the unit may have been asked while the order stood higher than the level."""
    return {ids.derived(orders.units_id(order.id, *one), unit_id) for one in _above(order, level)}


def _above(order: Order, back_to: int | None) -> list[tuple[int, int]]:
    """The levels above, with every version of the order at which it may have stood there."""
    lowest = min(RESPONSES) if back_to is None else back_to + 1
    return [(at, v) for at in range(lowest, order.level + 1) for v in range(1, order.version + 1)]


def signs_of(connection: Connection, district_id: str, unit_ids: Sequence[str]) -> list[str]:
    """How the units are called."""
    return [patrols.units.get(connection, district_id, one).call_sign for one in unit_ids]
