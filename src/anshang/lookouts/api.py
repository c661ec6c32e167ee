"""Look-outs over HTTP: opening one, where she may be, looks, finding, handing over, erasing."""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.actor import Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import RuleBroken
from anshang.lookouts import actions, reading, store
from anshang.lookouts.asking import first_to_ask, partners_of
from anshang.lookouts.model import ERASE_AFTER, AgeBand, LookKind, Lookout, Sort, State, Step
from anshang.lookouts.searching import search, suggest
from anshang.lookouts.shapes import (
    AlertShown,
    ErasureShown,
    GuardianShown,
    LookoutPage,
    LookoutShown,
    LookShown,
    SearchShown,
    WhoShown,
)
from anshang.partners.calls import DoorsOfAll
from anshang.patrols import store as patrols
from anshang.patrols.calls import Positions
from anshang.places import store as places
from anshang.vault import actions as vault
from anshang.vault.calls import Keys
from anshang.vault.model import Purpose
from anshang.web.session import Call, Caller, DistrictQuery
from anshang.web.shapes import Body, BothLanguages, Code, Id, Instant, Words

router = APIRouter(prefix="/api/lookouts", tags=["lookouts"])
Line = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
Outcome = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Facts = Annotated[dict[Key, Line], Field(max_length=20)]


class NewLookout(Body):
    """Whom, or what, to look for. `who` and `contact` go into the vault, the words to partners."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"who", "contact", "words_zh", "words_en"})

    id: Id
    notice_id: Id
    sort: Literal["child", "elderly", "group", "item"]
    age_band: Literal["small", "child", "youth", "elderly"] = "child"
    seen_at: Instant = Field(strict=False)
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    zone_id: Code | None = None
    premises_id: Code | None = None
    who: Facts = {}  # noqa: RUF012
    contact: Facts = {}  # noqa: RUF012
    words_zh: Words
    words_en: Words
    drill: bool = False
    insist: bool = False


class NewLook(Body):
    """A place where somebody looked, or an exit that is watched."""

    id: Id
    place_id: Code
    kind: Literal["sweep", "watch"]
    unit_id: Code | None = None


class Finding(Body):
    """Where she was found (zone, premises, or a point in degrees), and by which unit; each may be missing."""

    zone_id: Code | None = None
    premises_id: Code | None = None
    unit_id: Code | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None


class NewPhoto(Body):
    """A photograph of her that was kept before."""

    photo_id: Id


class NewNoticeId(Body):
    """The id of a new notice."""

    notice_id: Id


class More(Body):
    """Premises whose partners should be asked as well."""

    premises_ids: Annotated[list[Code], Field(min_length=1, max_length=500)]


class Voucher(Body):
    """What one of two people has seen of whoever comes for her."""

    answered: bool
    document_seen: bool


class Release(Body):
    """Whether whoever took her has signed."""

    signed: bool


class LookoutEnd(Body):
    """How it ended."""

    outcome: Outcome = ""


class StepTaken(Body):
    """A step of the plan that a person has taken."""

    step: Literal["exits", "nearest", "sectors", "wider", "supervisor", "missing"]


@router.get("")
def lookouts(district: DistrictQuery, caller: Caller) -> list[LookoutShown]:
    """The look-outs that are not closed, and those of the last day."""
    caller.actor.must(Permission.LOOKOUT_OPEN, district)
    with caller.reading(district) as connection:
        since = clock.now() - ERASE_AFTER
        live = store.list_live(connection, district, since)
        return [reading.shown(connection, one) for one in live]


@router.get("/alerts")
def alerts(district: DistrictQuery, caller: Caller) -> list[AlertShown]:
    """What volunteers are told: that somebody is looked for, and where."""
    caller.actor.must(Permission.UNIT_DUTY, district)
    with caller.reading(district) as connection:
        live = store.list_live(connection, district)
        return [
            AlertShown(
                id=one.id,
                sort=str(one.sort),
                seen_at=one.seen_at,
                zone_id=one.zone_id,
                zone=_zone_name(connection, district, one.zone_id),
            )
            for one in live
            if one.state is State.OPEN
        ]


@router.get("/{id}/words")
def words(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys) -> BothLanguages:
    """Whom to look for, for a trusted volunteer on duty; that one has looked is journalled."""
    with caller.writing(district) as tx:
        return BothLanguages(**actions.words(tx, keyring, actor=caller.actor, id=id))


@router.post("")
def open_lookout(
    body: NewLookout, district: DistrictQuery, caller: Caller, keyring: Keys, doors: DoorsOfAll
) -> LookoutPage:
    """Begin to look for somebody."""
    caller.actor.must(Permission.LOOKOUT_OPEN, district)
    lookout = Lookout(
        id=body.id,
        district_id=district,
        sort=Sort(body.sort),
        age_band=AgeBand(body.age_band),
        seen_at=body.seen_at,
        lon=body.lon,
        lat=body.lat,
        zone_id=body.zone_id,
        premises_id=body.premises_id,
        opened_at=clock.now(),
        opened_by=caller.actor.id,
        notice_id=body.notice_id,
        drill=body.drill,
    )
    told = actions.Told(body.who, body.contact, body.words_zh, body.words_en)
    with caller.reading(district) as connection:
        ask = first_to_ask(connection, doors, lookout)
    with caller.writing(district, body) as tx:
        opened = actions.open_lookout(
            tx,
            keyring,
            actor=caller.actor,
            lookout=lookout,
            told=told,
            ask=ask,
            insist=body.insist,
        )
        return _page(tx, caller, opened)


@router.get("/{id}")
def page(id: Id, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """One look-out: its plan, answers and looks; nothing of who it is."""
    caller.actor.must(Permission.LOOKOUT_OPEN, district)
    with caller.reading(district) as connection:
        return reading.page(connection, caller.actor, store.lookouts.get(connection, district, id))


@router.get("/{id}/search")
def where(
    id: Id, district: DistrictQuery, caller: Caller, doors: DoorsOfAll, positions: Positions
) -> SearchShown:
    """Where she may be now, and whom to ask, which exits to watch, where to send units next."""
    caller.actor.must(Permission.LOOKOUT_OPEN, district)
    with caller.reading(district) as connection:
        lookout = store.lookouts.get(connection, district, id)
        if lookout.closed_at is not None:
            raise RuleBroken("lookout.closed", en="This look-out is closed.", zh="该协查已结束。")
        units = patrols.list_units(connection, caller.actor.scope, district)
        known = search(connection, doors, lookout)
        return reading.shown_search(known, suggest(known, units, positions.fresh(district)), units)


@router.get("/{id}/who")
def who(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys) -> WhoShown:
    """Who is looked for; that one has looked is journalled."""
    caller.actor.must(Permission.LOOKOUT_OPEN, district)
    facts = _read(caller, keyring, district, id, "who")
    words = _read(caller, keyring, district, id, "words")
    return WhoShown(who=facts, words=BothLanguages(**words))


@router.get("/{id}/contact")
def contact(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys) -> GuardianShown:
    """Who looks for her, and the question for the guardian; that one has looked is journalled."""
    caller.actor.must(Permission.LOOKOUT_OPEN, district)
    return GuardianShown(contact=_read(caller, keyring, district, id, "contact"))


@router.get("/{id}/receipt")
def receipt(id: Id, district: DistrictQuery, caller: Caller) -> ErasureShown:
    """What became of everything that was kept about her, and who had opened it."""
    caller.actor.must(Permission.LOOKOUT_LEAD, district)
    with caller.reading(district) as connection:
        return reading.receipt(connection, store.lookouts.get(connection, district, id))


@router.post("/{id}/looks")
def look(id: Id, body: NewLook, district: DistrictQuery, caller: Caller) -> LookShown:
    """Somebody looked at a place and found nobody, or watches an exit from now on."""
    with caller.writing(district, body) as tx:
        made = actions.look(
            tx,
            actor=caller.actor,
            id=body.id,
            lookout_id=id,
            place_id=body.place_id,
            kind=LookKind(body.kind),
            unit_id=body.unit_id,
        )
    return LookShown.model_validate(made)


@router.post("/{id}/ask")
def ask(id: Id, body: More, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """Ask more partners."""
    caller.actor.must(Permission.LOOKOUT_LEAD, district)
    with caller.writing(district) as tx:
        wanted = partners_of(tx.connection, district, set(body.premises_ids))
        actions.widen(tx, actor=caller.actor, id=id, partner_ids=wanted)
        return _page(tx, caller, store.lookouts.get(tx.connection, district, id))


@router.post("/{id}/photo")
def illustrate(id: Id, body: NewPhoto, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """Show a photograph of her with the notice."""
    with caller.writing(district) as tx:
        after = actions.illustrate(tx, actor=caller.actor, id=id, photo_id=body.photo_id)
        return _page(tx, caller, after)


@router.post("/{id}/steps")
def step(id: Id, body: StepTaken, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """Say that a step of the plan is done."""
    with caller.writing(district) as tx:
        after = actions.step(tx, actor=caller.actor, id=id, step=Step(body.step))
        return _page(tx, caller, after)


@router.post("/{id}/found")
def found(id: Id, district: DistrictQuery, caller: Caller, body: Finding | None = None) -> LookoutPage:
    """Somebody of ours has her, there: the notice is taken back everywhere."""
    told = body or Finding()
    with caller.writing(district) as tx:
        zone_id = told.zone_id
        if zone_id is None and told.lon is not None and told.lat is not None:
            zone_id = places.find_zone_at(tx.connection, district, told.lon, told.lat)
        after = actions.found(
            tx,
            actor=caller.actor,
            id=id,
            zone_id=zone_id,
            premises_id=told.premises_id,
            unit_id=told.unit_id,
        )
        return _page(tx, caller, after)


@router.post("/{id}/lost-again")
def lost_again(id: Id, body: NewNoticeId, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """It was somebody else, or she is gone again."""
    with caller.writing(district) as tx:
        after = actions.lost_again(tx, actor=caller.actor, id=id, notice_id=body.notice_id)
        return _page(tx, caller, after)


@router.post("/{id}/vouch")
def vouch(id: Id, body: Voucher, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """One of two people has checked whoever comes for her."""
    with caller.writing(district) as tx:
        after = actions.vouch(
            tx, actor=caller.actor, id=id, answered=body.answered, document_seen=body.document_seen
        )
        return _page(tx, caller, after)


@router.post("/{id}/refuse")
def refuse(id: Id, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """Whoever came for her could not show that they may."""
    with caller.writing(district) as tx:
        return _page(tx, caller, actions.refuse(tx, actor=caller.actor, id=id))


@router.post("/{id}/release")
def release(id: Id, body: Release, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """She was handed over."""
    with caller.writing(district) as tx:
        after = actions.release(tx, actor=caller.actor, id=id, signed=body.signed)
        return _page(tx, caller, after)


@router.post("/{id}/close")
def close(id: Id, body: LookoutEnd, district: DistrictQuery, caller: Caller) -> LookoutPage:
    """It is over here, found or not."""
    with caller.writing(district) as tx:
        after = actions.close(tx, actor=caller.actor, id=id, outcome=body.outcome)
        return _page(tx, caller, after)


@router.post("/{id}/erase")
def erase(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys) -> LookoutPage:
    """Destroy what was told of her now, not a day after the end."""
    with caller.writing(district) as tx:
        actions.erase(tx, keyring, actor=caller.actor, id=id)
        return _page(tx, caller, store.lookouts.get(tx.connection, district, id))


def _page(tx: Transaction, caller: Call, lookout: Lookout) -> LookoutPage:
    return reading.page(tx.connection, caller.actor, lookout)


def _read(caller: Call, keyring: Keys, district: str, id: str, part: str) -> dict[str, str]:
    with caller.writing(district) as tx:
        record = actions.record_id(ids.checked_id(id), part)
        content = vault.read(tx, keyring, actor=caller.actor, id=record, purpose=Purpose.LOOKOUT)
    told: dict[str, str] = json.loads(content)
    return told


def _zone_name(connection: Connection, district_id: str, zone_id: str | None) -> BothLanguages | None:
    name = places.find_zone_name(connection, district_id, zone_id)
    return None if name is None else BothLanguages(**name)
