"""Units over HTTP: what there is and where, duty, status, and positions from a phone or a tracking app."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.foundation.errors import NotFound, NotSignedIn
from anshang.patrols import actions, store
from anshang.patrols.calls import Positions
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Member, Skill, Unit, UnitStatus
from anshang.patrols.positions import Told
from anshang.patrols.shapes import (
    DutyShown,
    KeyShown,
    KindShown,
    MemberShown,
    MyDuty,
    ReceiptShown,
    RefusedShown,
    StaffShown,
    UnitShown,
    shown_unit,
)
from anshang.patrols.whereabouts import Receipt, duty_of
from anshang.people import store as people
from anshang.people.actions import digest_of
from anshang.people.model import Role
from anshang.web.session import Caller, DistrictQuery, Running
from anshang.web.shapes import Body, BothLanguages, Code, Id, Instant, KeptName

router = APIRouter(tags=["units"])
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
POSITIONS_MAX = 500
CREW_ROLES = frozenset({Role.PATROL, Role.VOLUNTEER})
"""Whose accounts go on duty with a unit."""


class NewUnit(Body):
    """A unit to enter or change; `version` of the one changed."""

    kind_id: Code
    call_sign: Annotated[KeptName, Field(max_length=40)]
    name_zh: KeptName
    name_en: KeptName
    post_id: Code | None = None
    body_id: Id | None = None
    version: Version = 1


class NewDuty(Body):
    """Who goes on duty."""

    id: Id
    crew: Annotated[list[Id], Field(min_length=1, max_length=12)]


class NewStatus(Body):
    """What the unit is doing."""

    status: Literal["free", "busy", "break"]
    version: Version


class NewMember(Body):
    """What is known of a member."""

    insured_until: date | None = Field(default=None, strict=False)
    trained_until: date | None = Field(default=None, strict=False)
    adult: bool
    skills: Annotated[list[Annotated[Skill, Field(strict=False)]], Field(max_length=20)] = []  # noqa: RUF012
    trusted: bool = False
    version: Version = 1


class Position(Body):
    """Where the device was, and when; `gcj02` when it tells Chinese map coordinates."""

    at: Instant = Field(strict=False)
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    accuracy_m: Annotated[float, Field(ge=0, le=1e6)] | None = None
    gcj02: bool = False


class NewPositions(Body):
    """The positions of a phone, also those it could not send for a while."""

    positions: Annotated[list[Position], Field(min_length=1, max_length=POSITIONS_MAX)]


@router.get("/api/unit-kinds")
def kinds(district: DistrictQuery, caller: Caller) -> list[KindShown]:
    """The kinds of unit."""
    caller.actor.must(Permission.PLACE_READ, district)
    return [KindShown.model_validate(kind) for kind in KINDS.values()]


@router.get("/api/units")
def units(district: DistrictQuery, caller: Caller, positions: Positions) -> list[UnitShown]:
    """The units, what each is doing and where it was last."""
    caller.actor.must(Permission.UNIT_READ, district)
    with caller.reading(district) as connection:
        known = store.list_units(connection, caller.actor.scope, district)
    latest = positions.latest(district)
    return [shown_unit(unit, latest.get(unit.id)) for unit in known]


@router.put("/api/units/{id}")
def define(id: Code, body: NewUnit, district: DistrictQuery, caller: Caller) -> UnitShown:
    """Enter a unit or change what it is."""
    told = Unit(
        id=id, district_id=district, status=UnitStatus.OFF_DUTY, since_at=clock.now(), **body.model_dump()
    )
    with caller.writing(district) as tx:
        return shown_unit(actions.define_unit(tx, actor=caller.actor, unit=told), None)


@router.delete("/api/units/{id}")
def retire(id: Code, district: DistrictQuery, caller: Caller) -> UnitShown:
    """Use a unit no more."""
    with caller.writing(district) as tx:
        return shown_unit(actions.retire_unit(tx, actor=caller.actor, id=id), None)


@router.post("/api/units/{id}/key")
def give_key(id: Code, district: DistrictQuery, caller: Caller) -> KeyShown:
    """A new key for the unit's device; the old one opens nothing any more."""
    with caller.writing(district) as tx:
        return KeyShown(key=actions.give_key(tx, actor=caller.actor, id=id))


@router.post("/api/units/{id}/duty")
def begin_duty(id: Code, body: NewDuty, district: DistrictQuery, caller: Caller) -> DutyShown:
    """Go on duty with a crew."""
    with caller.writing(district, body) as tx:
        duty = actions.begin_duty(tx, actor=caller.actor, id=body.id, unit_id=id, crew=body.crew)
    return DutyShown.model_validate(duty)


@router.post("/api/duties/{id}/end")
def end_duty(id: Id, district: DistrictQuery, caller: Caller) -> DutyShown:
    """Go off duty."""
    with caller.writing(district) as tx:
        return DutyShown.model_validate(actions.end_duty(tx, actor=caller.actor, id=id))


@router.post("/api/units/{id}/status")
def tell_status(id: Code, body: NewStatus, district: DistrictQuery, caller: Caller) -> UnitShown:
    """Say what the unit is doing."""
    status = UnitStatus(body.status)
    with caller.writing(district) as tx:
        unit = actions.tell_status(tx, actor=caller.actor, unit_id=id, status=status, version=body.version)
    return shown_unit(unit, None)


@router.get("/api/members")
def members(district: DistrictQuery, caller: Caller) -> list[StaffShown]:
    """Who may be in a crew here, by name, and until when each is insured and trained."""
    caller.actor.must(Permission.UNIT_CONFIGURE, district)
    with caller.reading(district) as connection:
        staff = [
            one
            for one in people.list_accounts(connection)
            if one.active and district in one.district_ids and one.role in CREW_ROLES
        ]
        known = store.list_members(connection, district, tuple(one.id for one in staff))
    return [
        StaffShown(
            id=one.id,
            name=one.display_name,
            role=str(one.role),
            insured_until=member.insured_until if member else None,
            trained_until=member.trained_until if member else None,
            adult=member.adult if member else None,
            skills=list(member.skills) if member else [],
            trusted=member is not None and member.trusted,
            version=member.version if member else 0,
        )
        for one, member in zip(staff, known, strict=True)
    ]


@router.put("/api/members/{id}")
def qualify(id: Id, body: NewMember, district: DistrictQuery, caller: Caller) -> MemberShown:
    """Say until when somebody is insured and trained, and whether they are of age."""
    told = Member(
        id=id, district_id=district, **{**body.model_dump(), "skills": tuple(sorted(set(body.skills)))}
    )
    with caller.writing(district) as tx:
        return MemberShown.model_validate(actions.qualify(tx, actor=caller.actor, member=told))


@router.get("/api/duty/mine")
def my_duty(district: DistrictQuery, caller: Caller, positions: Positions) -> MyDuty:
    """The duty of whoever asks, and its unit."""
    caller.actor.must(Permission.UNIT_DUTY, district)
    with caller.reading(district) as connection:
        found = actions.serving_with(connection, caller.actor, district)
    if found is None:
        return MyDuty(duty=None, unit=None)
    duty, unit = found
    fix = positions.latest(district).get(unit.id)
    return MyDuty(duty=DutyShown.model_validate(duty), unit=shown_unit(unit, fix))


@router.post("/api/positions")
def take_positions(
    body: NewPositions, district: DistrictQuery, caller: Caller, positions: Positions
) -> ReceiptShown:
    """Take the positions of the caller's phone, for the unit they are on duty with."""
    caller.actor.must(Permission.UNIT_DUTY, district)
    with caller.reading(district) as connection:
        found = actions.serving_with(connection, caller.actor, district)
    if found is None:
        raise NotFound("duty.none", en="You are on no duty.", zh="您未在值勤。")
    duty, unit = found
    told = [
        Told(
            clock.to_ms(clock.corrected(one.at, caller.clock_ahead)),
            one.lon,
            one.lat,
            one.accuracy_m,
            one.gcj02,
        )
        for one in body.positions
    ]
    return _receipt(positions.take(unit, duty, told, "phone"))


@router.get("/api/osmand")
@router.post("/api/osmand")
def osmand(
    district: DistrictQuery,
    running: Running,
    positions: Positions,
    id: Annotated[str, Query(max_length=80)],
    lat: Annotated[float, Query(ge=-90, le=90)],
    lon: Annotated[float, Query(ge=-180, le=180)],
    timestamp: Annotated[float, Query(ge=0, le=1e14)],
    accuracy: Annotated[float | None, Query(ge=0, le=1e6)] = None,
) -> ReceiptShown:
    """A position from an OsmAnd or Traccar client: `id` is the device's key, `timestamp` seconds or ms since
    1970.
    """
    with running.database.reading([district]) as connection:
        unit = store.find_by_device(connection, district, digest_of(id))
    if unit is None:
        raise NotSignedIn("device.unknown", en="This key opens nothing.", zh="该密钥无效。")
    at_ms = round(timestamp if timestamp > 1e11 else timestamp * 1000)
    told = [Told(at_ms, lon, lat, accuracy)]
    return _receipt(positions.take(unit, duty_of(running.database, unit), told, "osmand"))


def _receipt(receipt: Receipt) -> ReceiptShown:
    refused = [
        RefusedShown(number=one.number, code=one.code, message=BothLanguages(**one.words))
        for one in receipt.refused
    ]
    return ReceiptShown(taken=receipt.taken, repeated=receipt.repeated, refused=refused)
