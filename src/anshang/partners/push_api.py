"""Being told while the page is closed, over HTTP."""

from __future__ import annotations

from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends
from pydantic import StringConstraints

from anshang.foundation.actor import Permission
from anshang.partners import push_actions
from anshang.partners.push import ENDPOINT_LENGTH_MAX, PushSender
from anshang.web.session import Caller, DistrictQuery, shared
from anshang.web.shapes import Body, Id, Shown

router = APIRouter(prefix="/api/shop/push", tags=["shop"])
Endpoint = Annotated[
    str, StringConstraints(min_length=1, max_length=ENDPOINT_LENGTH_MAX, pattern=r"^[\x21-\x7e]+$")
]


class PushShown(Shown):
    """The key that a browser subscribes with (base64url); empty where nobody is told that way."""

    key: str


class WantedPhone(Body):
    """The address that the browser's push service gave."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"endpoint"})

    id: Id
    endpoint: Endpoint


class EndedPhone(Body):
    """The address that is told no longer."""

    endpoint: Endpoint


Sender = Annotated[PushSender, Depends(shared(PushSender))]


@router.get("")
def push(district: DistrictQuery, caller: Caller, sender: Sender) -> PushShown:
    """With which key a browser subscribes."""
    caller.actor.must(Permission.SHOP_USE, district)
    return PushShown(key=sender.key)


@router.post("")
def want(body: WantedPhone, district: DistrictQuery, caller: Caller, sender: Sender) -> PushShown:
    """Be told of notices on this phone while its page is closed."""
    with caller.writing(district, body) as tx:
        push_actions.want(
            tx, actor=caller.actor, id=body.id, endpoint=body.endpoint, services=sender.services
        )
    return PushShown(key=sender.key)


@router.post("/end")
def end(body: EndedPhone, district: DistrictQuery, caller: Caller, sender: Sender) -> PushShown:
    """Be told no longer."""
    with caller.writing(district) as tx:
        push_actions.end(tx, actor=caller.actor, endpoint=body.endpoint)
    return PushShown(key=sender.key)
