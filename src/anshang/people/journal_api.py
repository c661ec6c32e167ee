"""The journal over HTTP, with the names of those who acted. It stands here because the journal knows no
people.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from anshang.foundation.actor import Actor, Permission
from anshang.journal import store as journal
from anshang.journal.model import CLOCK, EVERYWHERE
from anshang.people import store
from anshang.people.actions import UNKNOWN
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Shown

router = APIRouter(tags=["journal"])


class JournalEntry(Shown):
    """Something that was decided or happened."""

    seq: int
    id: str
    at: datetime
    actor_id: str
    actor_name: str
    kind: str
    subject_id: str
    drill: bool
    details: dict[str, Any]


class JournalPage(Shown):
    """Entries, newest first."""

    entries: list[JournalEntry]


@router.get("/api/journal")
def entries(
    district: DistrictQuery,
    caller: Caller,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    kind: Annotated[str | None, Query(pattern=r"^[a-z_.]{1,64}$")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> JournalPage:
    """The district's entries; who manages people also sees those of the installation that are about accounts
    with which they share a district, about their bodies, about tries to sign in with no account's name, about
    the clock and about what was erased.
    """
    caller.actor.must(Permission.JOURNAL_READ, district)
    districts = [district, EVERYWHERE] if caller.actor.may(Permission.PEOPLE_MANAGE, district) else [district]
    with caller.runtime.database.reading(districts) as connection:
        about = _subjects(connection, caller.actor)
        found = journal.list_before(connection, districts, before=before, kind=kind, limit=limit, about=about)
        names = store.names_of(connection, (entry.actor_id for entry in found))
    return JournalPage(
        entries=[
            JournalEntry(
                actor_name=names[entry.actor_id],
                **{name: getattr(entry, name) for name in JournalEntry.model_fields if name != "actor_name"},
            )
            for entry in found
        ]
    )


def _subjects(connection: Connection, actor: Actor) -> list[str]:
    """What of the installation's journal concerns the actor's districts."""
    mine = set(actor.district_ids)
    accounts = [one for one in store.list_accounts(connection) if mine & set(one.district_ids)]
    bodies = {one.body_id for one in accounts if one.body_id is not None}
    return [UNKNOWN, CLOCK, EVERYWHERE, *mine, *bodies, *(one.id for one in accounts)]
