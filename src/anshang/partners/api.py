"""Partners, their duties and contacts, and notices, over HTTP for the desk and the administrator."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from anshang.foundation import clock, ids
from anshang.foundation.actor import Permission
from anshang.partners import actions, reading, store
from anshang.partners.calls import DoorsOfAll
from anshang.partners.doors import premised
from anshang.partners.duties import LISTS
from anshang.partners.model import (
    HOUR_PATTERN,
    LANGUAGE_PATTERN,
    Addressed,
    NoticeKind,
    Partner,
    Side,
    addressed,
)
from anshang.partners.shapes import (
    ContactShown,
    DutyListShown,
    NoticeLine,
    NoticePage,
    PartnerLine,
    PartnerShown,
)
from anshang.vault.calls import Keys
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Code, Id, KeptName, Words

router = APIRouter(tags=["partners"])
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Hour = Annotated[str, StringConstraints(pattern=f"^({HOUR_PATTERN})?$")]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+ ()-]{0,30}$")]
Language = Annotated[str, StringConstraints(pattern=f"^{LANGUAGE_PATTERN}$")]
Line = Annotated[str, StringConstraints(max_length=80, strip_whitespace=True, pattern=r"^[^\x00]*$")]


class NewPartner(Body):
    """A partner to enter or change; `version` of the one changed."""

    body_id: Id
    name_zh: KeptName
    name_en: KeptName
    side: Literal["police", "property", "shop"]
    premises_id: Code | None = None
    group_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{0,64}$")] = ""
    opens: Hour = ""
    closes: Hour = ""
    languages: Annotated[list[Language], Field(min_length=1, max_length=10)] = ["zh"]  # noqa: RUF012
    sees: Annotated[list[Literal["entrance", "till", "street_camera"]], Field(max_length=3)] = []  # noqa: RUF012
    version: Version = 1


class NewContact(Body):
    """Whom to call."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"name", "phone", "stand_in", "stand_in_phone"})

    id: Id
    name: Line
    phone: Phone
    stand_in: Line = ""
    stand_in_phone: Phone = ""


class NewScope(Body):
    """Whom a notice is for: everybody when nothing is named, else those that fit everything named."""

    zone_ids: Annotated[list[Code], Field(max_length=200)] = []  # noqa: RUF012
    group_ids: Annotated[list[Code], Field(max_length=50)] = []  # noqa: RUF012
    trades: Annotated[list[Code], Field(max_length=20)] = []  # noqa: RUF012
    within_m: Annotated[float, Field(gt=0, le=5000)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None

    def told(self) -> Addressed:
        """As the room knows it."""
        lists = {name: tuple(getattr(self, name)) for name in ("zone_ids", "group_ids", "trades")}
        return Addressed(**lists, within_m=self.within_m, lon=self.lon, lat=self.lat)


class NewNotice(Body):
    """A reminder or a request to partners; nothing about a person belongs into it."""

    id: Id
    kind: Literal["reminder", "request"]
    words_zh: Words
    words_en: Words
    scope: NewScope = NewScope()
    lasts_s: Annotated[int, Field(ge=60, le=21_600)] = 3_600
    public: bool = False


@router.get("/api/partners")
def partners(district: DistrictQuery, caller: Caller) -> list[PartnerLine]:
    """The partners with their duties."""
    caller.actor.must(Permission.PARTNER_READ, district)
    with caller.reading(district) as connection:
        return reading.register(connection, caller.actor, district)


@router.get("/api/duty-lists")
def duty_lists(district: DistrictQuery, caller: Caller) -> list[DutyListShown]:
    """What each of the three sides looks at."""
    caller.actor.must(Permission.PLACE_READ, district)
    return [DutyListShown.model_validate(one) for one in LISTS.values()]


@router.put("/api/partners/{id}")
def enter(id: Code, body: NewPartner, district: DistrictQuery, caller: Caller) -> PartnerShown:
    """Enter a partner, or change what is known of it."""
    told = body.model_dump()
    lists = {name: tuple(sorted(set(told.pop(name)))) for name in ("languages", "sees")}
    partner = Partner(id=id, district_id=district, **told | lists | {"side": Side(body.side)})
    with caller.writing(district) as tx:
        return PartnerShown.model_validate(actions.enter(tx, actor=caller.actor, partner=partner))


@router.delete("/api/partners/{id}")
def retire(id: Code, district: DistrictQuery, caller: Caller, keyring: Keys) -> PartnerShown:
    """A partner takes part no longer; whom to call there is forgotten."""
    with caller.writing(district) as tx:
        retired = actions.retire(tx, actor=caller.actor, id=id)
        actions.forget_contact(tx, keyring, actor=caller.actor, partner_id=id)
        return PartnerShown.model_validate(retired)


@router.put("/api/partners/{id}/contact")
def put_contact(
    id: Code, body: NewContact, district: DistrictQuery, caller: Caller, keyring: Keys
) -> ContactShown:
    """Say whom to call there; what was said before is destroyed."""
    told = body.model_dump(exclude={"id"})
    with caller.writing(district, body) as tx:
        actions.put_contact(
            tx,
            keyring,
            actor=caller.actor,
            id=body.id,
            partner_id=id,
            content=json.dumps(told).encode(),
        )
    return ContactShown(**told)


@router.get("/api/partners/{id}/contact")
def contact(id: Code, district: DistrictQuery, caller: Caller, keyring: Keys) -> ContactShown:
    """Whom to call there; that one has looked is journalled."""
    with caller.writing(district) as tx:
        content = actions.contact(tx, keyring, actor=caller.actor, partner_id=id)
    return ContactShown(**json.loads(content))


@router.get("/api/notices")
def notices(district: DistrictQuery, caller: Caller) -> list[NoticeLine]:
    """The notices of the last day and how far each has come."""
    caller.actor.must(Permission.PARTNER_READ, district)
    with caller.reading(district) as connection:
        return reading.recent(connection, district)


@router.get("/api/notices/{id}")
def notice(id: Id, district: DistrictQuery, caller: Caller) -> NoticePage:
    """One notice: who has got it, who has opened it, what each answered, whom to call."""
    caller.actor.must(Permission.PARTNER_READ, district)
    with caller.reading(district) as connection:
        return reading.page(connection, caller.actor, district, id)


@router.post("/api/notices")
def send(body: NewNotice, district: DistrictQuery, caller: Caller, doors: DoorsOfAll) -> NoticePage:
    """Remind partners of something, or ask something of them."""
    caller.actor.must(Permission.NOTICE_SEND, district)
    told = body.scope.told()
    with caller.writing(district, body) as tx:
        known = store.list_partners(tx.connection, caller.actor.scope, district)
        where = premised(doors.of(tx.connection, district), told.lon, told.lat)
        actions.send(
            tx,
            actor=caller.actor,
            id=body.id,
            kind=NoticeKind(body.kind),
            partner_ids=addressed(told, known, where),
            words_zh=body.words_zh,
            words_en=body.words_en,
            expires_at=clock.now() + timedelta(seconds=body.lasts_s),
            public=body.public,
        )
        return reading.page(tx.connection, caller.actor, district, ids.checked_id(body.id))


@router.post("/api/notices/{id}/withdraw")
def withdraw(id: Id, district: DistrictQuery, caller: Caller) -> NoticePage:
    """Take it back from every page that is open."""
    with caller.writing(district) as tx:
        actions.withdraw(tx, actor=caller.actor, id=id)
        return reading.page(tx.connection, caller.actor, district, id)
