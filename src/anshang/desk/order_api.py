"""Orders over HTTP: what a zone's level asks of units and shops, and standing down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import StringConstraints
from sqlalchemy import Connection

from anshang.crowds.model import Level
from anshang.crowds.watch import Watch
from anshang.desk import orders, store
from anshang.desk.model import Order
from anshang.desk.responses import RESPONSES
from anshang.dispatch import store as dispatch
from anshang.dispatch.dispatcher import Dispatcher
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.partners import store as partners
from anshang.partners.model import tally
from anshang.patrols import store as patrols
from anshang.people import store as people
from anshang.places import store as places
from anshang.web.session import Call, Caller, DistrictQuery
from anshang.web.shapes import Body, BothLanguages, Code, Id, Shown

router = APIRouter(prefix="/api/orders", tags=["orders"])
RECENT = timedelta(hours=12)
Told = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$")]


class NewOrder(Body):
    """The order of a level for a zone; the words to its shops, those of the level when empty."""

    id: Id
    zone_id: Code
    level: Literal[2, 3, 4]
    words_zh: Told = ""
    words_en: Told = ""
    drill: bool = False


class AskedUnit(Shown):
    """A unit that was asked, and how far it is."""

    unit_id: str
    call_sign: str
    state: str


class OrderShown(Shown):
    """An order, the units asked and how far they are, and how many partners were told and have looked."""

    id: str
    zone_id: str
    level: int
    incident_id: str
    given_at: datetime
    given_by: str
    stood_down_at: datetime | None
    drill: bool
    units: list[AskedUnit]
    told: int
    opened: int


class ResponseShown(Shown):
    """What the order of a level asks: units (null: all), and the words to shops."""

    level: int
    units: int | None
    words: BothLanguages


class OrdersShown(Shown):
    """The orders that stand and those of the last hours, and what each level asks."""

    orders: list[OrderShown]
    responses: list[ResponseShown]


@router.get("")
def known(district: DistrictQuery, caller: Caller) -> OrdersShown:
    """The orders that stand, and those of the last hours."""
    caller.actor.must(Permission.UNIT_READ, district)
    with caller.reading(district) as connection:
        return _shown(connection, district)


@router.post("")
def give(body: NewOrder, district: DistrictQuery, caller: Caller, request: Request) -> OrdersShown:
    """Give the order of a level: units are asked, shops are told, both at once."""
    watch: Watch = request.app.state.watch
    told = body.model_dump(exclude={"level"})
    density = watch.density_of(district, body.zone_id)
    with caller.writing(district) as tx:
        order = orders.give(tx, actor=caller.actor, level=Level(body.level), density=density, **told)
    nearest = _nearest(request, caller, district, order)
    with caller.writing(district) as tx:
        asked = orders.units_for(tx.connection, order, nearest)
        orders.send(tx, actor=caller.actor, order=order, unit_ids=asked)
        return _shown(tx.connection, district)


@router.post("/{id}/stand-down")
def stand_down(id: Id, district: DistrictQuery, caller: Caller) -> OrdersShown:
    """It is over."""
    with caller.writing(district) as tx:
        orders.stand_down(tx, actor=caller.actor, id=id)
        return _shown(tx.connection, district)


def _nearest(request: Request, caller: Call, district_id: str, order: Order) -> list[str]:
    """The units that would be there first in today's crowd; none where there are no streets."""
    dispatcher: Dispatcher = request.app.state.dispatcher
    with caller.reading(district_id) as connection:
        if not places.has_walkways(connection, district_id):
            return []
    found = dispatcher.advise(district_id, [order.incident_id], everybody=True)
    return [one.unit_id for advice in found for one in advice.candidates]


def _shown(connection: Connection, district_id: str) -> OrdersShown:
    signs = {unit.id: unit.call_sign for unit in patrols.list_on_duty(connection, district_id)}
    known = store.list_orders(connection, district_id, clock.now() - RECENT)
    deliveries = partners.list_deliveries(connection, district_id, [one.notice_id for one in known])
    told = {one.id: tally([d for d in deliveries if d.notice_id == one.notice_id]) for one in known}
    asked = dispatch.list_of_incidents(connection, district_id, [one.incident_id for one in known])
    names = people.names_of(connection, [one.given_by for one in known])
    return OrdersShown(
        orders=[
            OrderShown(
                id=one.id,
                zone_id=one.zone_id,
                level=one.level,
                incident_id=one.incident_id,
                given_at=one.given_at,
                given_by=names[one.given_by],
                stood_down_at=one.stood_down_at,
                drill=one.drill,
                units=[
                    AskedUnit(
                        unit_id=each.unit_id,
                        call_sign=signs.get(each.unit_id, each.unit_id),
                        state=str(each.state),
                    )
                    for each in asked
                    if each.incident_id == one.incident_id
                ],
                told=told[one.id].sent,
                opened=told[one.id].opened,
            )
            for one in known
        ],
        responses=[
            ResponseShown(level=int(level), units=one.units, words=BothLanguages(zh=one.zh, en=one.en))
            for level, one in RESPONSES.items()
        ],
    )
