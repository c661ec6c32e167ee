"""The page of a partner over HTTP: one question, and short answers."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints

from anshang.desk import actions
from anshang.desk.shop import Shop, own_partners, photo_of, shop, shown_notices
from anshang.desk.shop_feed import ShopFeed
from anshang.foundation.actor import Permission
from anshang.foundation.errors import NotFound
from anshang.incidents.model import Source
from anshang.incidents.outsiders import budgets_of
from anshang.partners import actions as partners
from anshang.partners.model import Answer, Looked
from anshang.partners.shapes import AnswerShown
from anshang.vault import actions as vault
from anshang.vault.calls import Keys
from anshang.vault.model import Purpose
from anshang.web.session import Call, Caller, DistrictQuery, shared
from anshang.web.shapes import Body, Code, Id, Shown

router = APIRouter(prefix="/api/shop", tags=["shop"])
Text = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Where = Literal["floor", "till", "fitting_rooms", "toilets", "store_room", "outside"]


class ShopAnswer(Body):
    """What a partner answers, and where it has looked."""

    partner_id: Code
    answer: Literal["seen", "not_here", "unsure"]
    looked: Annotated[list[Where], Field(max_length=6)] = []  # noqa: RUF012


class ShopCheck(Body):
    """A list that was gone through, and what was not in order."""

    id: Id
    partner_id: Code
    list_id: Code
    not_in_order: Annotated[list[Code], Field(max_length=30)] = []  # noqa: RUF012


class ShopCall(Body):
    """Something to report from the premises."""

    id: Id
    partner_id: Code
    text: Text = ""
    category_id: Code | None = None


class ReportTaken(Shown):
    """What was reported is in the queue."""

    id: str


class CheckTaken(Shown):
    """The list is checked off."""

    id: str
    spot: bool


@router.get("")
def page(district: DistrictQuery, caller: Caller, keyring: Keys) -> Shop:
    """Everything the page of a partner shows; that it was shown is written down first."""
    caller.actor.must(Permission.SHOP_USE, district)
    with caller.reading(district) as connection:
        own = own_partners(connection, caller.actor, district)
        told = shown_notices(connection, own, district)
    fresh = [delivery.id for _, delivery in told if delivery.opened_at is None]
    partners.open_all(caller.runtime.database, district, fresh)
    with caller.reading(district) as connection:
        return shop(connection, keyring, caller.actor, district, own, told)


Feed = Annotated[ShopFeed, Depends(shared(ShopFeed))]


@router.get(
    "/live", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}}
)
def live(district: DistrictQuery, caller: Caller, feed: Feed) -> StreamingResponse:
    """Server-sent events: `notice` (whole), `withdrawn` (its id), `nudge` (ask anew), `beat`.
    It ends within 10 s after the session did, or the right to it.
    """
    caller.actor.must(Permission.SHOP_USE, district)
    own = _own(caller, district)
    welcome = partial(_still_theirs, caller, district, own)
    headers = {"X-Accel-Buffering": "no"}
    stream = feed.stream(district, own, welcome)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _own(caller: Call, district: str) -> frozenset[tuple[str, str]]:
    """The partners that the caller speaks for, each with its body."""
    with caller.reading(district) as connection:
        return frozenset((one.id, one.body_id) for one in own_partners(connection, caller.actor, district))


def _still_theirs(caller: Call, district: str, own: frozenset[tuple[str, str]]) -> bool:
    """Whether the account may still use the page, and the partners in use of its body are the same ones."""
    if (now := caller.renewed()) is None or not now.actor.may(Permission.SHOP_USE, district):
        return False
    try:
        return _own(now, district) == own
    except NotFound:
        return False


@router.post("/notices/{id}")
def answer(id: Id, body: ShopAnswer, district: DistrictQuery, caller: Caller) -> AnswerShown:
    """Answer a notice, or change the answer; the desk does it for a partner that it has called."""
    caller.actor.must_either(Permission.NOTICE_SEND, Permission.SHOP_USE, district)
    with caller.writing(district) as tx:
        told = actions.answer_notice(
            tx,
            actor=caller.actor,
            notice_id=id,
            partner_id=body.partner_id,
            answer=Answer(body.answer),
            looked=[Looked(each) for each in body.looked],
        )
    return AnswerShown.model_validate(told)


@router.get("/notices/{id}/photo", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def photo(id: Id, district: DistrictQuery, caller: Caller, keyring: Keys) -> Response:
    """The photograph of a notice that was sent here and is still shown; kept by no cache."""
    caller.actor.must(Permission.SHOP_USE, district)
    with caller.reading(district) as connection:
        own = own_partners(connection, caller.actor, district)
        record_id = photo_of(connection, own, district, id)
        content = vault.opened(
            connection, keyring, district_id=district, id=record_id, purpose=Purpose.LOOKOUT
        )
    return Response(content, media_type="image/jpeg")


@router.post("/checks")
def check(body: ShopCheck, district: DistrictQuery, caller: Caller) -> CheckTaken:
    """Say that a list of duties was gone through; by somebody else it is a spot check."""
    caller.actor.must_either(Permission.PARTNER_READ, Permission.SHOP_USE, district)
    with caller.writing(district, body) as tx:
        made = partners.check_duties(
            tx,
            actor=caller.actor,
            id=body.id,
            partner_id=body.partner_id,
            list_id=body.list_id,
            not_in_order=body.not_in_order,
        )
    return CheckTaken(id=made.id, spot=made.spot)


@router.post("/reports")
def report(body: ShopCall, district: DistrictQuery, caller: Caller) -> ReportTaken:
    """Report something from the premises; it spends what the account may report in all."""
    caller.spend(*budgets_of(caller.actor, Source.MERCHANT))
    with caller.writing(district, body) as tx:
        made = actions.report_from_partner(
            tx,
            actor=caller.actor,
            id=body.id,
            partner_id=body.partner_id,
            text=body.text,
            category_id=body.category_id,
        )
    return ReportTaken(id=made.id)
