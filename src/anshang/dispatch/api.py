"""Sending units over HTTP: who should go, offers and answers, the ladder and the live reach."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from anshang.dispatch import actions, calling_back, store
from anshang.dispatch.calls import Dispatching
from anshang.dispatch.model import Assignment, AssignmentState, Because, Ladder, MetBy, Rung
from anshang.dispatch.roster import NO_STREETS, OFF_DUTY
from anshang.dispatch.shapes import (
    AdviceShown,
    AssignmentShown,
    LadderShown,
    LeftOutShown,
    ReachShown,
    ReasonShown,
    WithinShown,
)
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.foundation.errors import NotFound
from anshang.incidents import store as incidents
from anshang.incidents.model import Step
from anshang.matters import store as matters
from anshang.matters.model import Priority
from anshang.patrols import store as patrols
from anshang.patrols.calls import Positions
from anshang.patrols.positions import apart_m
from anshang.places import store as places
from anshang.vault.calls import Keys
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Code, Id, Instant, KeptName, Shown, Words

router = APIRouter(tags=["dispatch"])
Short = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class NewOffer(Body):
    """The unit that is asked to go; `insist` when a person has confirmed that it is called off elsewhere."""

    id: Id
    unit_id: Code
    expected_s: Seconds | None = None
    onward: bool = True
    insist: bool = False


class NewCircle(Body):
    """Ask every free unit within so many metres that is fit."""

    id: Id
    radius_m: Annotated[float, Field(gt=0, le=5000)]


class NewAnswer(Body):
    """Whether the unit goes; if not, why; `at` is when it said so."""

    accepted: bool
    reason: Literal["", "too_far", "busy", "unfit", "unsafe", "other"] = ""
    words: Short = ""
    at: Instant | None = Field(default=None, strict=False)


class NewStep(Body):
    """A step further; `at` is when."""

    id: Id
    step: Literal["moving", "on_scene", "done"]
    at: Instant | None = Field(default=None, strict=False)


class CallOff(Body):
    """Why the unit need not go."""

    words: Words


class RungTold(Body):
    """A rung of the ladder."""

    id: Code
    name_zh: KeptName
    name_en: KeptName
    place_class: Code
    kinds: Annotated[list[Code], Field(min_length=1, max_length=20)]
    starts: Literal["call", "answered", "classified", "dispatched"] = "call"
    target_s: Annotated[float, Field(ge=10, le=3600)]
    met_by: Literal["arrival", "answer"] = "arrival"


class LadderTold(Body):
    """The ladder as it is to be."""

    priorities: Annotated[list[Literal[1, 2, 3, 4]], Field(max_length=4)]
    rungs: Annotated[list[RungTold], Field(min_length=1, max_length=9)]
    raise_after_s: Seconds = 60.0
    notice_s: Seconds = 20.0
    answer_within_s: Annotated[
        list[Annotated[float, Field(ge=5, le=3600)]], Field(min_length=4, max_length=4)
    ]


class NumberShown(Shown):
    """A telephone number."""

    number: str


@router.get("/api/incidents/{id}/call-back")
def number(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys) -> NumberShown:
    """Under which number who reported it can be called back; that one has looked is journalled."""
    with caller.writing(district) as tx:
        told = calling_back.read_call_back(tx, keyring, actor=caller.actor, incident_id=id)
    return NumberShown(number=told)


@router.get("/api/incidents/{id}/advice")
def advice(id: Id, district: DistrictQuery, caller: Caller, dispatcher: Dispatching) -> AdviceShown:
    """Who should go to an incident, all open ones together; every unit with its time or why not."""
    caller.actor.must(Permission.UNIT_DIRECT, district)
    with caller.reading(district) as connection:
        matters.get(connection, caller.actor.scope, district, id)
        if not places.has_walkways(connection, district):
            units = patrols.list_units(connection, caller.actor.scope, district)
            why = {unit.id: OFF_DUTY if unit.duty_id is None else NO_STREETS for unit in units}
            left_out = tuple(
                LeftOutShown(unit_id=unit, reasons=[ReasonShown.model_validate(one)])
                for unit, one in why.items()
            )
            return AdviceShown(incident_id=id, placed="no_streets", left_out=left_out, at=clock.now())
    found = dispatcher.advise(district, [id], everybody=True)
    if not found:
        raise NotFound("incidents.not_open", en="There is no such open incident.", zh="没有该未结警情。")
    return AdviceShown.model_validate(found[0])


@router.get("/api/assignments")
def live(district: DistrictQuery, caller: Caller) -> list[AssignmentShown]:
    """The assignments by which units are bound now."""
    caller.actor.must(Permission.UNIT_READ, district)
    with caller.reading(district) as connection:
        return [AssignmentShown.model_validate(one) for one in store.list_live(connection, district)]


@router.post("/api/incidents/{id}/assignments")
def offer(id: Id, body: NewOffer, district: DistrictQuery, caller: Caller) -> AssignmentShown:
    """Ask a unit to go."""
    with caller.writing(district, body) as tx:
        offered = actions.offer(
            tx,
            actor=caller.actor,
            id=body.id,
            incident_id=id,
            unit_id=body.unit_id,
            expected_s=body.expected_s,
            onward=body.onward,
            insist=body.insist,
        )
    return _shown(offered)


@router.get("/api/incidents/{id}/within")
def within(
    id: Id,
    district: DistrictQuery,
    caller: Caller,
    positions: Positions,
    radius_m: Annotated[float, Query(gt=0, le=5000)] = 200.0,
) -> list[WithinShown]:
    """The units on duty within a circle about an incident, the nearest first."""
    caller.actor.must(Permission.UNIT_DIRECT, district)
    with caller.reading(district) as connection:
        _, incident = incidents.get(connection, caller.actor.scope, district, id)
        on_duty = patrols.list_on_duty(connection, district)
    if incident.lon is None or incident.lat is None:
        return []
    centre = (incident.lon, incident.lat)
    fixes = positions.fresh(district)
    near = [
        WithinShown(
            unit_id=unit.id,
            apart_m=round(apart_m(centre, (fixes[unit.id].lon, fixes[unit.id].lat)), 1),
            status=str(unit.status),
        )
        for unit in on_duty
        if unit.id in fixes
    ]
    return sorted((one for one in near if one.apart_m <= radius_m), key=lambda one: one.apart_m)


@router.post("/api/incidents/{id}/circle")
def circle(
    id: Id, body: NewCircle, district: DistrictQuery, caller: Caller, positions: Positions
) -> list[AssignmentShown]:
    """Ask everybody within a circle who is free and fit."""
    near = within(id, district, caller, positions, body.radius_m)
    with caller.writing(district, body) as tx:
        offered = actions.offer_all(
            tx, actor=caller.actor, id=body.id, incident_id=id, unit_ids=[one.unit_id for one in near]
        )
    return [_shown(one) for one in offered]


@router.post("/api/assignments/{id}/answer")
def answer(id: Id, body: NewAnswer, district: DistrictQuery, caller: Caller) -> AssignmentShown:
    """The unit goes, or says why not."""
    with caller.writing(district) as tx:
        answered = actions.answer(
            tx,
            actor=caller.actor,
            id=id,
            accepted=body.accepted,
            because=Because(body.reason),
            words=body.words,
            at=body.at,
        )
    return _shown(answered)


@router.post("/api/assignments/{id}/steps")
def step(id: Id, body: NewStep, district: DistrictQuery, caller: Caller) -> AssignmentShown:
    """The unit moves, is on the scene, or is done."""
    with caller.writing(district, body) as tx:
        to = AssignmentState(body.step)
        return _shown(actions.take_step(tx, actor=caller.actor, id=id, to=to, at=body.at))


@router.post("/api/assignments/{id}/stand-down")
def stand_down(id: Id, body: CallOff, district: DistrictQuery, caller: Caller) -> AssignmentShown:
    """The unit need not go any more."""
    because = Because.CALLED_OFF
    with caller.writing(district) as tx:
        return _shown(actions.stand_down(tx, actor=caller.actor, id=id, because=because, words=body.words))


@router.get("/api/ladder")
def ladder(district: DistrictQuery, caller: Caller) -> LadderShown:
    """The district's ladder."""
    caller.actor.must(Permission.PLACE_READ, district)
    with caller.reading(district) as connection:
        return LadderShown.model_validate(store.get_ladder(connection, district))


@router.put("/api/ladder")
def change_ladder(body: LadderTold, district: DistrictQuery, caller: Caller) -> LadderShown:
    """Let the district have another ladder from the next incident on."""
    p1, p2, p3, p4 = body.answer_within_s
    told = Ladder(
        priorities=tuple(Priority(one) for one in body.priorities),
        rungs=tuple(
            Rung(
                id=one.id,
                name_zh=one.name_zh,
                name_en=one.name_en,
                place_class=one.place_class,
                kinds=tuple(one.kinds),
                starts=Step(one.starts),
                target_s=one.target_s,
                met_by=MetBy(one.met_by),
            )
            for one in body.rungs
        ),
        raise_after_s=body.raise_after_s,
        notice_s=body.notice_s,
        answer_within_s=(p1, p2, p3, p4),
    )
    with caller.writing(district) as tx:
        return LadderShown.model_validate(actions.change_ladder(tx, actor=caller.actor, ladder=told))


@router.get("/api/reach")
def reach(district: DistrictQuery, caller: Caller, dispatcher: Dispatching) -> ReachShown | None:
    """Which streets the units of each rung reach in time now, and how many of all people; null until it is
    reckoned, and for a district without streets.
    """
    caller.actor.must(Permission.UNIT_READ, district)
    found = dispatcher.reach(district)
    return None if found is None else ReachShown.model_validate(found)


def _shown(assignment: Assignment) -> AssignmentShown:
    return AssignmentShown.model_validate(assignment)
