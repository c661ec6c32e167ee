"""Volunteer teams over HTTP: who joins, shifts, hours and certificates."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from anshang.foundation.actor import Permission
from anshang.patrols.model import Skill
from anshang.vault.calls import Keys
from anshang.volunteers import actions, reading, shift_actions
from anshang.volunteers.model import PLACES_MOST, Check, TeamShift, Work
from anshang.volunteers.shapes import CertificateShown, ContactShown, MyTeam, TeamShown
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import ON_ONE_LINE, Body, Code, Id, Instant, LongName, Name

router = APIRouter(prefix="/api/volunteers", tags=["volunteers"])
Telephone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40, strip_whitespace=True, pattern=r"^[^\x00]*$"),
    ON_ONE_LINE,
]
CertificateCode = Annotated[str, StringConstraints(pattern=r"^[A-Z2-7]{16}$")]


class Applicant(Body):
    """Who asks to join, and with which body; name and telephone go into the vault."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"name", "telephone"})

    id: Id
    body_id: Id | None = None
    name: Name
    telephone: Telephone


class Vetting(Body):
    """What was gone through."""

    checks: Annotated[list[Annotated[Check, Field(strict=False)]], Field(max_length=10)]


class Acceptance(Body):
    """The account that was opened for them."""

    account_id: Id


class NewShift(Body):
    """A shift to look for volunteers for."""

    id: Id
    work: Work = Field(strict=False)
    place: LongName
    starts_at: Instant = Field(strict=False)
    ends_at: Instant = Field(strict=False)
    wanted: Annotated[int, Field(ge=1, le=PLACES_MOST)]
    post_id: Code | None = None
    skill: Skill | None = Field(default=None, strict=False)


class NewSignUp(Body):
    """The id of a new place in a shift."""

    id: Id


class Offer(Body):
    """Whether one looks for somebody to take one's place."""

    offered: bool


class Hours(Body):
    """From when to when somebody truly served."""

    came_at: Instant = Field(strict=False)
    went_at: Instant = Field(strict=False)


class NewCertificate(Body):
    """Whose hours, from which day to which."""

    account_id: Id
    from_on: date = Field(strict=False)
    until_on: date = Field(strict=False)


@router.get("")
def team(district: DistrictQuery, caller: Caller) -> TeamShown:
    """Everybody, the shifts and the certificates."""
    caller.actor.must_either(Permission.UNIT_CONFIGURE, Permission.UNIT_DIRECT, district)
    with caller.reading(district) as connection:
        return reading.team(connection, district)


@router.post("")
def enter(body: Applicant, district: DistrictQuery, caller: Caller, keyring: Keys) -> TeamShown:
    """Write down that somebody asks to join."""
    with caller.writing(district, body) as tx:
        actions.enter(tx, keyring, actor=caller.actor, **body.model_dump())
        return reading.team(tx.connection, district)


@router.get("/mine")
def mine(district: DistrictQuery, caller: Caller) -> MyTeam:
    """A volunteer's own page."""
    caller.actor.must(Permission.UNIT_DUTY, district)
    with caller.reading(district) as connection:
        return reading.mine(connection, district, caller.actor.id)


@router.get("/{id}/contact")
def contact(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys) -> ContactShown:
    """Who somebody is; that one has looked is journalled."""
    with caller.writing(district) as tx:
        told = actions.contact(tx, keyring, actor=caller.actor, id=id)
    return ContactShown(**told)


@router.post("/{id}/vet")
def vet(id: Id, body: Vetting, district: DistrictQuery, caller: Caller) -> TeamShown:
    """Say what was gone through."""
    with caller.writing(district) as tx:
        actions.vet(tx, actor=caller.actor, id=id, checks=body.checks)
        return reading.team(tx.connection, district)


@router.post("/{id}/accept")
def accept(id: Id, body: Acceptance, district: DistrictQuery, caller: Caller) -> TeamShown:
    """Take somebody in."""
    with caller.writing(district) as tx:
        actions.accept(tx, actor=caller.actor, id=id, account_id=body.account_id)
        return reading.team(tx.connection, district)


@router.post("/{id}/end")
def let_go(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys) -> TeamShown:
    """Not taken in, or takes part no longer."""
    with caller.writing(district) as tx:
        actions.let_go(tx, keyring, actor=caller.actor, id=id)
        return reading.team(tx.connection, district)


@router.post("/shifts")
def call_shift(body: NewShift, district: DistrictQuery, caller: Caller) -> TeamShown:
    """Look for volunteers for a shift."""
    shift = TeamShift(district_id=district, **body.model_dump())
    with caller.writing(district, body) as tx:
        shift_actions.call_shift(tx, actor=caller.actor, shift=shift)
        return reading.team(tx.connection, district)


@router.post("/shifts/{id}/cancel")
def cancel(id: Id, district: DistrictQuery, caller: Caller) -> TeamShown:
    """Call a shift off."""
    with caller.writing(district) as tx:
        shift_actions.cancel(tx, actor=caller.actor, id=id)
        return reading.team(tx.connection, district)


@router.post("/shifts/{id}/sign-ups")
def sign_up(id: Id, body: NewSignUp, district: DistrictQuery, caller: Caller) -> MyTeam:
    """Take a free place in a shift."""
    with caller.writing(district, body) as tx:
        shift_actions.sign_up(tx, actor=caller.actor, id=body.id, shift_id=id)
        return reading.mine(tx.connection, district, caller.actor.id)


@router.post("/sign-ups/{id}/withdraw")
def withdraw(id: Id, district: DistrictQuery, caller: Caller) -> MyTeam:
    """Give one's place back."""
    with caller.writing(district) as tx:
        shift_actions.withdraw(tx, actor=caller.actor, id=id)
        return reading.mine(tx.connection, district, caller.actor.id)


@router.post("/sign-ups/{id}/offer")
def offer(id: Id, body: Offer, district: DistrictQuery, caller: Caller) -> MyTeam:
    """Look for somebody to take one's place, or no longer."""
    with caller.writing(district) as tx:
        shift_actions.offer(tx, actor=caller.actor, id=id, offered=body.offered)
        return reading.mine(tx.connection, district, caller.actor.id)


@router.post("/sign-ups/{id}/take")
def take(id: Id, district: DistrictQuery, caller: Caller) -> MyTeam:
    """Take a place that its holder offers."""
    with caller.writing(district) as tx:
        shift_actions.take(tx, actor=caller.actor, id=id)
        return reading.mine(tx.connection, district, caller.actor.id)


@router.post("/sign-ups/{id}/come")
def come(id: Id, district: DistrictQuery, caller: Caller) -> MyTeam:
    """Say that one is there."""
    with caller.writing(district) as tx:
        shift_actions.come(tx, actor=caller.actor, id=id)
        return reading.mine(tx.connection, district, caller.actor.id)


@router.post("/sign-ups/{id}/go")
def go(id: Id, district: DistrictQuery, caller: Caller) -> MyTeam:
    """Say that one has finished."""
    with caller.writing(district) as tx:
        shift_actions.go(tx, actor=caller.actor, id=id)
        return reading.mine(tx.connection, district, caller.actor.id)


@router.post("/sign-ups/{id}/hours")
def confirm(id: Id, body: Hours, district: DistrictQuery, caller: Caller) -> TeamShown:
    """Confirm somebody's hours."""
    with caller.writing(district) as tx:
        shift_actions.confirm(tx, actor=caller.actor, id=id, **body.model_dump())
        return reading.team(tx.connection, district)


@router.post("/certificates")
def issue(body: NewCertificate, district: DistrictQuery, caller: Caller) -> CertificateShown:
    """Certify hours."""
    with caller.writing(district) as tx:
        made = actions.issue(tx, actor=caller.actor, **body.model_dump())
        return reading.certificate(tx.connection, made)


@router.post("/certificates/{code}/revoke")
def revoke(code: CertificateCode, district: DistrictQuery, caller: Caller) -> TeamShown:
    """A certificate holds no longer."""
    with caller.writing(district) as tx:
        actions.revoke(tx, actor=caller.actor, code=code)
        return reading.team(tx.connection, district)
