"""Sending units to look for somebody, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from anshang.desk import actions
from anshang.lookouts.shapes import LookShown
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Code, Id, Words

router = APIRouter(tags=["desk"])


class NewParty(Body):
    """The unit, the place (premises or gate) it is to look at, and what it reads."""

    id: Id
    unit_id: Code
    place_id: Code
    text: Words


@router.post("/api/lookouts/{id}/units")
def send(id: Id, body: NewParty, district: DistrictQuery, caller: Caller) -> LookShown:
    """Send a free unit to look at a place: it is busy until it has looked."""
    with caller.writing(district, body) as tx:
        look = actions.send_to_look(
            tx,
            actor=caller.actor,
            id=body.id,
            lookout_id=id,
            unit_id=body.unit_id,
            place_id=body.place_id,
            text=body.text,
        )
    return LookShown.model_validate(look)
