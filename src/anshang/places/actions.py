"""Taking a place in from its document, and giving it out again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput
from anshang.journal import actions as journal
from anshang.places import store
from anshang.places.document import read_document, write_document
from anshang.places.model import Place, PlaceKind


def import_document(tx: Transaction, *, actor: Actor, document: bytes) -> Place:
    """Let the document replace the district's place, or begin a district; BadInput lists all its problems."""
    actor.must(Permission.PLACE_EDIT, tx.district_id)
    if tx.drill:
        raise BadInput(
            "place.drill_code",
            en=f"“{tx.district_id}” is the code of a copy for a drill; a district has another.",
            zh=f"“{tx.district_id}”是演练副本的代码，商圈须用其他代码。",
        )
    place = read_document(document)
    if place.district.id != tx.district_id:
        raise BadInput(
            "place.other_district",
            en=f"The file describes the district “{place.district.id}”, not “{tx.district_id}”.",
            zh=f"文件描述的是商圈“{place.district.id}”，而不是“{tx.district_id}”。",
        )
    place = store.replace(tx, place)
    journal.record(
        tx,
        actor_id=actor.id,
        kind=PlaceKind.PLACE_IMPORTED,
        subject_id=place.district.id,
        details=place.counts | {"version": place.district.version},
    )
    return place


def export_document(connection: Connection, district_id: str) -> dict[str, Any]:
    """The district's document, in WGS-84; NotFound when there is none."""
    return write_document(store.load(connection, district_id))
