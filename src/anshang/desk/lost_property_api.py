"""Lost and found at the counter over HTTP."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from anshang.desk import lost_property, store
from anshang.desk.model import Outcome, Thing
from anshang.foundation.actor import Permission
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Code, Id, Shown, Words

router = APIRouter(prefix="/api/found", tags=["shift"])


class NewItem(Body):
    """Something that was handed in; `words` to know its owner by, without a name."""

    id: Id
    thing: Thing = Field(strict=False)
    zone_id: Code | None = None
    words: Words


class Gone(Body):
    """Where it went."""

    outcome: Outcome = Field(strict=False)


class ItemShown(Shown):
    """Something at the kiosk."""

    id: str
    thing: str
    zone_id: str | None
    words: str
    kept_at: datetime


@router.get("")
def kept(district: DistrictQuery, caller: Caller) -> list[ItemShown]:
    """What is at the kiosk, the latest first."""
    caller.actor.must(Permission.DESK_WORK, district)
    with caller.reading(district) as connection:
        return [ItemShown.model_validate(one) for one in store.list_kept(connection, district)]


@router.post("")
def keep(body: NewItem, district: DistrictQuery, caller: Caller) -> ItemShown:
    """Somebody handed something in."""
    with caller.writing(district, body) as tx:
        return ItemShown.model_validate(lost_property.keep(tx, actor=caller.actor, **body.model_dump()))


@router.post("/{id}/end")
def end(id: Id, body: Gone, district: DistrictQuery, caller: Caller) -> ItemShown:
    """It went to its owner, or to the office."""
    with caller.writing(district) as tx:
        return ItemShown.model_validate(
            lost_property.end(tx, actor=caller.actor, id=id, outcome=body.outcome)
        )
