"""The page for whoever stands in the district: no sign-in, no cookie, nothing kept of the visitor."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field, StringConstraints

from anshang.desk.calls import CallDesk
from anshang.desk.public import PublicDesk, PublicShown, PublicSpot, find_spot
from anshang.foundation import ids
from anshang.foundation.errors import NotFound
from anshang.incidents.model import Spot
from anshang.volunteers import store as volunteers
from anshang.web.budgets import network_of
from anshang.web.session import DistrictQuery, Running, shared
from anshang.web.shapes import Body, Code, Id, Name, Shown


async def _must_be_real(district: DistrictQuery) -> None:
    """NotFound for a drill: nobody outside the team is to be alarmed by one."""
    if ids.is_drill(district):
        raise NotFound("district.missing", en="There is no such district.", zh="没有该商圈。")


router = APIRouter(prefix="/api/public", tags=["public"], dependencies=[Depends(_must_be_real)])


class Call(Body):
    """A call for help from where somebody stands: the code that hangs there, or a point."""

    id: Id
    what: Literal["hurt", "lost", "crushed", "afraid", "item", "other"]
    premises_id: Code | None = None
    zone_id: Code | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None


class Paper(Body):
    """What stands on a certificate of a volunteer's hours."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z2-7]{16}$")]
    name: Name


class PaperShown(Shown):
    """Whether it is genuine and stands, and what it says."""

    genuine: bool
    from_on: date | None = None
    until_on: date | None = None
    served_s: float | None = None
    times: int | None = None


class Called(Shown):
    """The desk has it."""

    id: str


async def _network(request: Request) -> str:
    return network_of(request.client.host if request.client else "-")


Desk = Annotated[PublicDesk, Depends(shared(PublicDesk))]
Calls = Annotated[CallDesk, Depends(shared(CallDesk))]
Network = Annotated[str, Depends(_network)]
"""From which network somebody asks."""


@router.get("")
def page(district: DistrictQuery, running: Running, desk: Desk, network: Network) -> PublicShown:
    """How busy each zone is now and in an hour, quieter ways, kiosks and safe houses."""
    if (known := desk.known(district)) is not None:
        return known
    desk.admit_look(network)
    with running.database.reading([district]) as connection:
        return desk.shown(connection, district)


@router.get("/spots/{id}")
def spot(id: Code, district: DistrictQuery, running: Running, desk: Desk, network: Network) -> PublicSpot:
    """Where a printed code hangs: premises of the district."""
    desk.admit_look(network)
    with running.database.reading([district]) as connection:
        return find_spot(connection, district, id)


@router.post("/calls")
def call(body: Call, district: DistrictQuery, calls: Calls, network: Network) -> Called:
    """Call the desk for help; what for and where, and nothing of who calls. When many call, the answer names
    the incident that gathers them.
    """
    whole = body.lon is not None and body.lat is not None
    spot = Spot(body.lon if whole else None, body.lat if whole else None, body.zone_id, body.premises_id)
    return Called(id=calls.take(district, body.id, body.what, spot, network))


@router.post("/certificates")
def check_certificate(
    body: Paper, district: DistrictQuery, running: Running, desk: Desk, network: Network
) -> PaperShown:
    """Whether a certificate was issued here to somebody of the name on it, and stands."""
    desk.admit_paper(network)
    with running.database.reading([district]) as connection:
        known = volunteers.certificates.find(connection, district, body.code)
    if known is None or not known.is_of(body.name):
        return PaperShown(genuine=False)
    return PaperShown(
        genuine=True,
        from_on=known.from_on,
        until_on=known.until_on,
        served_s=known.served_s,
        times=known.times,
    )
