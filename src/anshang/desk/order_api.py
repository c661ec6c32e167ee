"""Orders over HTTP: what a zone's level asks of units and shops, and standing down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints
from sqlalchemy import Connection

from anshang.crowds.calls import Crowd
from anshang.crowds.model import Level
from anshang.desk import orders, store, undoing
from anshang.desk.responses import RESPONSES
from anshang.dispatch import store as dispatch
from anshang.dispatch.calls import Dispatching
from anshang.dispatch.dispatcher import Dispatcher
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.incidents.categories import Task
from anshang.partners import store as partners
from anshang.partners.model import tally
from anshang.patrols import store as patrols
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Unit, UnitStatus
from anshang.people import store as people
from anshang.places import store as places
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, BothLanguages, Code, Id, Shown

router = APIRouter(prefix="/api/orders", tags=["orders"])
RECENT = timedelta(hours=12)
OrderLevel = Literal[2, 3, 4]
Told = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$")]


class NewOrder(Body):
    """The order of a level for a zone; the words to its shops, those of the level when empty. With `unit_ids`
    no other units are asked than the plan showed.
    """

    id: Id
    zone_id: Code
    level: OrderLevel
    words_zh: Told = ""
    words_en: Told = ""
    unit_ids: Annotated[list[Code], Field(max_length=1000)] | None = None
    drill: bool = False


class Undoing(Body):
    """The level that stood before, none when nothing did; and the version of the order that is undone."""

    back_to: Literal[2, 3] | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


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
    version: int


class ResponseShown(Shown):
    """What the order of a level asks: units (0: all that the reserve leaves), and the words to shops."""

    level: int
    units: int
    words: BothLanguages


class PlannedUnit(Shown):
    """A unit, and the seconds until it could be there, if that is known."""

    unit_id: str
    call_sign: str
    seconds: float | None


class PlanShown(Shown):
    """What an order would do now: the units it takes and those that stay free as the reserve, of which this
    share and so many of the police at least; who is going already, and how many shops are asked.
    """

    takes: list[PlannedUnit]
    stay: list[PlannedUnit]
    going: int
    reserve_share: float
    reserve_police: int
    shops: int


class OrdersShown(Shown):
    """The orders that stand and those of the last hours, what each level asks, and for how many real seconds
    an order can be undone.
    """

    orders: list[OrderShown]
    responses: list[ResponseShown]
    undo_s: float


class UndoneShown(Shown):
    """What was taken back: units and measures. And what could not be: units that had set off already, how
    many shops had read the request, and measures whose effect was read.
    """

    units: list[str]
    measures: list[str]
    units_begun: list[str]
    shops_read: int
    measures_kept: list[str]


@router.get("")
def known(district: DistrictQuery, caller: Caller) -> OrdersShown:
    """The orders that stand, and those of the last hours."""
    caller.actor.must(Permission.UNIT_READ, district)
    with caller.reading(district) as connection:
        return _shown(connection, district)


@router.get("/plan")
def plan(
    zone_id: Annotated[str, Query(max_length=64)],
    level: Annotated[int, Query(ge=2, le=4)],
    district: DistrictQuery,
    caller: Caller,
    dispatcher: Dispatching,
) -> PlanShown:
    """What the order of a level would do now. Nothing is changed."""
    caller.actor.must(Permission.UNIT_DIRECT, district)
    response = RESPONSES[Level(level)]
    with caller.reading(district) as connection:
        places.check_zone(connection, district, zone_id)
        free, seconds = _ready(dispatcher, connection, district, zone_id)
        line = orders.ranked(connection, district, zone_id, free, seconds)
        standing = store.find_open_order(connection, district, zone_id)
        sent = [] if standing is None else orders.going(connection, standing)
        place = places.load(connection, district)
        asked = orders.partners_of(connection, caller.actor.scope, place, zone_id, response)
    takes = response.taken(line, sent)

    def shown(unit: Unit) -> PlannedUnit:
        return PlannedUnit(unit_id=unit.id, call_sign=unit.call_sign, seconds=seconds.get(unit.id))

    return PlanShown(
        takes=[shown(unit) for unit in takes],
        stay=[shown(unit) for unit in line if unit not in takes],
        going=len(sent),
        reserve_share=response.reserve_share,
        reserve_police=response.reserve_police,
        shops=len(asked),
    )


@router.post("")
def give(
    body: NewOrder, district: DistrictQuery, caller: Caller, crowd: Crowd, dispatcher: Dispatching
) -> OrdersShown:
    """Give the order of a level: units are asked, shops are told, both at once."""
    caller.actor.must(Permission.UNIT_DIRECT, district)
    told = body.model_dump(exclude={"level", "unit_ids"})
    density = crowd.density_of(district, body.zone_id)
    only = None if body.unit_ids is None else frozenset(body.unit_ids)
    with caller.reading(district) as connection:
        places.check_zone(connection, district, body.zone_id)
        free, seconds = _ready(dispatcher, connection, district, body.zone_id)
    with caller.writing(district, body) as tx:
        order = orders.give(tx, actor=caller.actor, level=Level(body.level), density=density, **told)
        line = orders.ranked(tx.connection, district, body.zone_id, free, seconds)
        orders.send(tx, actor=caller.actor, order=order, free=line, only=only)
        return _shown(tx.connection, district)


@router.post("/{id}/undo")
def undo(id: Id, body: Undoing, district: DistrictQuery, caller: Caller) -> UndoneShown:
    """It was a mistake; for as long as the desk offers it, and a little for the line."""
    with caller.writing(district) as tx:
        told = undoing.undo(tx, actor=caller.actor, id=id, back_to=body.back_to, version=body.version)
        return UndoneShown(
            units=undoing.signs_of(tx.connection, district, told.units),
            measures=list(told.measures),
            units_begun=undoing.signs_of(tx.connection, district, told.units_begun),
            shops_read=told.shops_read,
            measures_kept=list(told.measures_kept),
        )


@router.post("/{id}/stand-down")
def stand_down(id: Id, district: DistrictQuery, caller: Caller) -> OrdersShown:
    """It is over."""
    with caller.writing(district) as tx:
        orders.stand_down(tx, actor=caller.actor, id=id)
        return _shown(tx.connection, district)


def _ready(
    dispatcher: Dispatcher, connection: Connection, district_id: str, zone_id: str
) -> tuple[list[Unit], dict[str, float]]:
    """The units that are free and fit, and their seconds to the zone; none known without streets."""
    if places.has_walkways(connection, district_id):
        return dispatcher.ready(district_id, zone_id, Task.CROWD)
    on_duty = patrols.list_on_duty(connection, district_id)
    able = [unit for unit in on_duty if Task.CROWD in KINDS[unit.kind_id].tasks]
    return [unit for unit in able if unit.status is UnitStatus.FREE], {}


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
                version=one.version,
            )
            for one in known
        ],
        responses=[
            ResponseShown(level=int(level), units=one.units, words=BothLanguages(zh=one.zh, en=one.en))
            for level, one in RESPONSES.items()
        ],
        undo_s=undoing.OFFERED_FOR.total_seconds(),
    )
