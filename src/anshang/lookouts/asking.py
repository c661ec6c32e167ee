"""Which partners a look-out asks by now."""

from __future__ import annotations

from sqlalchemy import Connection

from anshang.foundation.errors import RuleBroken
from anshang.lookouts.model import Lookout
from anshang.lookouts.searching import Known, search, to_ask
from anshang.partners import store as partners
from anshang.partners.doors import DoorBook
from anshang.people.model import engine_actor


def first_to_ask(connection: Connection, book: DoorBook, lookout: Lookout) -> list[str]:
    """The partners that are asked first; all of them where there are no streets to reckon on."""
    known = known_now(connection, book, lookout)
    if known is not None:
        return partners_at(connection, lookout, known)
    scope = engine_actor(lookout.district_id).scope
    return [one.id for one in partners.list_partners(connection, scope, lookout.district_id)]


def partners_of(connection: Connection, district_id: str, premises_ids: set[str]) -> list[str]:
    """The partners at these premises."""
    known = partners.list_partners(connection, engine_actor(district_id).scope, district_id)
    return [one.id for one in known if one.premises_id in premises_ids]


def known_now(connection: Connection, book: DoorBook, lookout: Lookout) -> Known | None:
    """What is known now; None where there are no streets to reckon on."""
    try:
        return search(connection, book, lookout)
    except RuleBroken:
        return None


def partners_at(connection: Connection, lookout: Lookout, known: Known) -> list[str]:
    """The partners that should be asked by now."""
    wanted = {known.doors.ids[number] for number in to_ask(known)}
    return partners_of(connection, lookout.district_id, wanted) if wanted else []
