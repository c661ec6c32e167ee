"""An order: what a zone's level asks of units and of its neighbours' shops, given at once and taken back at
once.

Giving one reports an incident in the zone, to which units are asked, sends its partners and their mutual-aid
groups a request, and records both as measures. It may be given anew for a higher level. Standing down is an
order too: every unit is called off, the request is withdrawn and its partners are told that it is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from anshang.crowds import actions as crowds
from anshang.crowds.model import Level
from anshang.desk import store
from anshang.desk.model import DeskKind, Order
from anshang.desk.responses import RESPONSES, Response
from anshang.dispatch import actions as dispatch
from anshang.dispatch import store as dispatch_store
from anshang.dispatch.model import Because
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission, Scope
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, RuleBroken
from anshang.incidents import actions as incidents
from anshang.incidents import store as incidents_store
from anshang.incidents.model import Source, Spot
from anshang.journal import actions as journal
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import MatterKind, MatterState
from anshang.partners import actions as partners
from anshang.partners import store as partners_store
from anshang.partners.model import NoticeKind
from anshang.patrols import store as patrols
from anshang.patrols.model import Unit
from anshang.places import store as places
from anshang.places.model import Place

CATEGORY = "crowd"
TOLD = "shops.told"
OUTCOME = "outcome.stood_down"
OVER_ZH, OVER_EN = "人流已缓解，恢复正常，谢谢配合。", "It is calm again; back to normal. Thank you."
OVER_LASTS = timedelta(minutes=30)


def partners_of(
    connection: Connection, scope: Scope, place: Place, zone_id: str, response: Response
) -> list[str]:
    """The partners asked: those in the zone, of their mutual-aid groups, and beside it, as the level says."""
    zones = {zone_id} | (place.beside(zone_id) if response.beside else set())
    premises = {one.id for one in place.premises if one.zone_id in zones}
    known = partners_store.list_partners(connection, scope, place.district.id)
    near = [one for one in known if one.premises_id in premises]
    groups = {one.group_id for one in near if one.group_id} if response.groups else set()
    return [one.id for one in known if one in near or one.group_id in groups]


def give(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    zone_id: str,
    level: Level,
    density: float | None,
    words_zh: str = "",
    words_en: str = "",
    drill: bool = False,
) -> Order:
    """Give the order of a level, or raise the one that stands; the same id again answers with what is there.
    The units are asked by `send`. Whoever gives it has acknowledged the alarm.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    response = RESPONSES.get(level)
    if response is None:
        raise BadInput("order.no_level", en="This level orders nothing.", zh="该等级没有处置令。")
    place = places.load(tx.connection, tx.district_id)
    places.check_zone(tx.connection, tx.district_id, zone_id)
    if known := store.orders.find_again(tx.connection, tx.district_id, id, zone_id=zone_id):
        return known
    standing = store.find_open_order(tx.connection, tx.district_id, zone_id)
    if standing is not None:
        return _raise(tx, actor, id, place, standing, level, density, (words_zh, words_en))
    incident_id = ids.derived(id, "incident")
    zone = place.zones[zone_id]
    incidents.report(
        tx,
        actor=actor,
        id=incident_id,
        source=Source.SENSOR,
        text=f"{zone.name_zh}：{int(level)} 级处置 · {zone.name_en}: response at level {int(level)}",
        category_id=CATEGORY,
        priority=response.priority,
        spot=Spot(zone_id=zone_id),
        drill=drill,
    )
    order = Order(
        id=id,
        district_id=tx.district_id,
        zone_id=zone_id,
        level=int(level),
        incident_id=incident_id,
        notice_id=notice_id(id, level, 0),
        given_at=clock.now(),
        given_by=actor.id,
        drill=drill or tx.drill,
    )
    store.orders.add(tx, order)
    tell(tx, actor, DeskKind.ORDER_GIVEN, order, {"level": int(level)})
    _ask(tx, actor, place, order, density, (words_zh, words_en))
    return order


def ranked(
    connection: Connection, district_id: str, zone_id: str, free: Sequence[Unit], seconds: Mapping[str, float]
) -> list[Unit]:
    """The free units in the order in which they are asked: those whose post is in the zone, then by their
    seconds in today's crowd, then posts of the zones beside it, then the rest.
    """
    place = places.load(connection, district_id)
    zone_of = {post.id: post.zone_id for post in place.posts}
    beside = place.beside(zone_id)

    def place_in_line(unit: Unit) -> tuple[int, float, str]:
        post = zone_of.get(unit.post_id or "")
        rank = 0 if post == zone_id else 1 if unit.id in seconds else 2 if post in beside else 3
        return rank, seconds.get(unit.id, 0.0), unit.id

    return sorted(free, key=place_in_line)


def going(connection: Connection, order: Order) -> list[Unit]:
    """The units that are sent to it."""
    live = dispatch_store.list_live(connection, order.district_id)
    theirs = {one.unit_id for one in live if one.incident_id == order.incident_id}
    return [unit for unit in patrols.list_on_duty(connection, order.district_id) if unit.id in theirs]


def send(
    tx: Transaction, *, actor: Actor, order: Order, free: Sequence[Unit], only: frozenset[str] | None = None
) -> list[Unit]:
    """Ask the `free` units that the level takes, with `only` none but these; who is refused is passed over
    for the next. Returns all that are going.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    response = RESPONSES[Level(order.level)]
    sent, left = going(tx.connection, order), list(free)
    while chosen := response.taken(left, sent, only):
        for unit in chosen:
            left.remove(unit)
            offers = dispatch.offer_all(
                tx,
                actor=actor,
                id=units_id(order.id, order.level, order.version),
                incident_id=order.incident_id,
                unit_ids=[unit.id],
            )
            sent += [unit] if offers else []
    return sent


def stand_down(tx: Transaction, *, actor: Actor, id: str) -> Order:
    """It is over: units are called off, the request is withdrawn, its partners are told. Doing it again
    changes nothing.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    order = store.orders.get(tx.connection, tx.district_id, id)
    if order.stood_down_at is not None:
        return order
    for one in dispatch_store.list_live(tx.connection, tx.district_id):
        if one.incident_id == order.incident_id:
            dispatch.stand_down(tx, actor=actor, id=one.id, because=Because.CALLED_OFF, words=OVER_ZH)
    withdraw(tx, actor, order, (OVER_ZH, OVER_EN))
    matter = matters_store.get(tx.connection, actor.scope, tx.district_id, order.incident_id)
    if matter.state is not MatterState.CLOSED:
        version = incidents_store.incidents.get(tx.connection, tx.district_id, order.incident_id).version
        incidents.clear(tx, actor=actor, id=order.incident_id, outcome=OUTCOME, version=version)
    ended = store.orders.put(tx, order.stood_down(actor.id, clock.now()))
    tell(tx, actor, DeskKind.ORDER_STOOD_DOWN, ended, {})
    return ended


def _raise(
    tx: Transaction,
    actor: Actor,
    id: str,
    place: Place,
    standing: Order,
    level: Level,
    density: float | None,
    words: tuple[str, str],
) -> Order:
    """The order that stands is raised to a higher level; RuleBroken when it is as high, unless this raise
    has made it so.
    """
    if standing.notice_id == notice_id(id, standing.level, standing.version - 1):
        return standing
    if level <= standing.level:
        raise RuleBroken(
            "order.stands", en="An order stands in this zone already.", zh="该区域已有处置令在执行。"
        )
    if partners_store.notices.find(tx.connection, tx.district_id, standing.notice_id) is not None:
        partners.withdraw(tx, actor=actor, id=standing.notice_id)
    request_id = notice_id(id, level, standing.version)
    raised = store.orders.put(tx, replace(standing, level=int(level), notice_id=request_id))
    tell(tx, actor, DeskKind.ORDER_RAISED, raised, {"level": int(level)})
    _ask(tx, actor, place, raised, density, words)
    return raised


def _ask(
    tx: Transaction,
    actor: Actor,
    place: Place,
    order: Order,
    density: float | None,
    words: tuple[str, str],
) -> None:
    """Ask the partners, and record what is done as measures. Whoever orders this has seen the alarm."""
    response = RESPONSES[Level(order.level)]
    told = (words[0].strip() or response.zh, words[1].strip() or response.en)
    asked = notify(tx, actor, place, order, response, told)
    for matter in matters_store.list_waiting(tx.connection, actor.scope, tx.district_id):
        alarm = matter.kind is MatterKind.CROWD and matter.zone_id == order.zone_id
        if matter.state is MatterState.OPEN and (alarm or matter.id == order.incident_id):
            matters.acknowledge(tx, actor=actor, id=matter.id)
    for step in () if order.drill and not tx.drill else response.measures:
        if step != TOLD or asked:
            crowds.take_measure(
                tx,
                actor=actor,
                id=measure_id(order.id, step, order.level, order.version),
                zone_id=order.zone_id,
                matter_id=None,
                step=step,
                note="",
                density=density,
            )


def notify(
    tx: Transaction, actor: Actor, place: Place, order: Order, response: Response, words: tuple[str, str]
) -> list[str]:
    """Send the partners of the level their request; who they are."""
    asked = partners_of(tx.connection, actor.scope, place, order.zone_id, response)
    if asked:
        partners.send(
            tx,
            actor=actor,
            id=order.notice_id,
            kind=NoticeKind.REQUEST,
            partner_ids=asked,
            words_zh=words[0],
            words_en=words[1],
            subject_id=order.id,
            drill=order.drill,
        )
    return asked


def withdraw(tx: Transaction, actor: Actor, order: Order, words: tuple[str, str]) -> None:
    """Take the request back, and say why to everybody who was asked."""
    asked = partners_store.list_deliveries(tx.connection, tx.district_id, [order.notice_id])
    if not asked:
        return
    partners.withdraw(tx, actor=actor, id=order.notice_id)
    partners.send(
        tx,
        actor=actor,
        id=ids.derived(order.notice_id, "over"),
        kind=NoticeKind.REMINDER,
        partner_ids=[one.partner_id for one in asked],
        words_zh=words[0],
        words_en=words[1],
        subject_id=order.id,
        expires_at=clock.now() + OVER_LASTS,
        drill=order.drill,
    )


def notice_id(id: str, level: int, version: int) -> str:
    """The id of the request that `id`, an order, a raise or an undo, sends for a level; the version is the
    one of the order that it changes (0: none yet).
    """
    return ids.derived(id, f"notice {int(level)} {version}")


def units_id(order_id: str, level: int, version: int) -> str:
    """From which the ids of the offers of a level follow; the version is that of the order as it was raised,
    so that a level which was undone asks anew.
    """
    return ids.derived(order_id, f"units {level} {version}")


def measure_id(order_id: str, step: str, level: int, version: int) -> str:
    """The id of what the order of a level records as a measure."""
    return ids.derived(order_id, f"{step} {level} {version}")


def tell(tx: Transaction, actor: Actor, kind: DeskKind, order: Order, details: dict[str, Any]) -> None:
    """Journal what happened to an order, with its zone."""
    told = {"zone": order.zone_id} | details
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=order.id, details=told, drill=order.drill)
