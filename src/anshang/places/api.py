"""The districts and the place document over HTTP. A document is read as it was sent, for its line numbers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from anshang.foundation import ids
from anshang.foundation.actor import Permission
from anshang.places import actions, store
from anshang.places.model import District
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import BothLanguages, RawBody, Shown

router = APIRouter(tags=["places"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/geo+json": {"schema": {"type": "object"}}},
    }
}


class DistrictShown(Shown):
    """A district without its features; `drill` for the copy on which a drill plays."""

    id: str
    name: BothLanguages
    time_zone: str
    schematic: bool
    credit: BothLanguages | None
    version: int
    drill: bool

    @staticmethod
    def of(district: District) -> DistrictShown:
        """What is shown of the district."""
        owed = district.credit_en is not None and district.credit_zh is not None
        return DistrictShown(
            id=district.id,
            name=BothLanguages(en=district.name_en, zh=district.name_zh),
            time_zone=district.time_zone,
            schematic=district.schematic,
            credit=BothLanguages(en=district.credit_en or "", zh=district.credit_zh or "") if owed else None,
            version=district.version,
            drill=ids.is_drill(district.id),
        )


class PlaceTaken(Shown):
    """What was taken in from a document."""

    zones: int
    gates: int
    walkways: int
    premises: int
    posts: int
    version: int


@router.get("/api/districts")
def districts(caller: Caller) -> list[DistrictShown]:
    """The districts of the caller."""
    mine = [id for id in caller.actor.district_ids if caller.actor.may(Permission.PLACE_READ, id)]
    with caller.reading(*mine) as connection:
        return [DistrictShown.of(district) for district in store.list_districts(connection, mine)]


@router.get("/api/place")
def place(district: DistrictQuery, caller: Caller) -> dict[str, Any]:
    """The district's GeoJSON document."""
    caller.actor.must(Permission.PLACE_READ, district)
    with caller.reading(district) as connection:
        return actions.export_document(connection, district)


@router.put("/api/place", openapi_extra=_BODY)
def import_place(district: DistrictQuery, caller: Caller, document: RawBody) -> PlaceTaken:
    """Let a GeoJSON document replace the district's place."""
    with caller.writing(district) as tx:
        taken = actions.import_document(tx, actor=caller.actor, document=document)
    return PlaceTaken(**taken.counts, version=taken.district.version)
