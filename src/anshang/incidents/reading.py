"""What is known of an incident, gathered for whoever looks: its life, its grounds, what belongs to it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from math import cos, hypot, radians

from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.incidents import call_back, store
from anshang.incidents.categories import Category, root_of, suggest
from anshang.incidents.model import Incident, Interval, Spot, life_of
from anshang.incidents.shapes import (
    CategoryShown,
    Grounds,
    IncidentPage,
    IncidentShown,
    LinkShown,
    MomentShown,
    Near,
    SuggestionShown,
    TransferShown,
)
from anshang.matters import store as matters
from anshang.matters.model import Matter, MatterState
from anshang.vault import store as vault
from anshang.vault.model import RecordKind

NEAR_M = 150.0
"""How near another incident of the same category may be the same one."""
BESIDE_M = 50.0
"""How near one may be of which nobody has said yet what it is."""
NEAR = timedelta(minutes=30)
NEAR_MAX = 5
HISTORY = timedelta(days=365)
METRES_PER_DEGREE = 111_320.0


def grounds(
    connection: Connection,
    actor: Actor,
    district_id: str,
    text: str,
    spot: Spot,
    *,
    besides: str | None = None,
    category_id: str | None = None,
) -> Grounds:
    """The category the text speaks of, the incidents that may be the same one, and how often each category
    was reported from the premises in the last year: of places, never of people.
    """
    categories = store.list_categories(connection, district_id)
    found = suggest(text, categories.values())
    meant = category_id or (found.category_id if found else None)
    now = clock.now()
    recent = store.list_since(connection, actor.scope, district_id, now - NEAR)
    close = [
        incident
        for incident in recent
        if incident.id != besides
        and not incident.cancelled
        and _may_be_same(incident, spot, meant, categories)
    ]
    known_matters = matters.list_these(connection, district_id, [incident.id for incident in close])
    near = [_near(incident, known_matters[incident.id], spot, meant, categories) for incident in close]
    near.sort(key=lambda one: (not one.same_category, one.apart_m or NEAR_M, one.apart_s))
    seen: Counter[str] = Counter()
    if spot.premises_id is not None:
        known = store.list_at_premises(connection, actor.scope, district_id, spot.premises_id, now - HISTORY)
        seen.update(
            root_of(one.category_id, categories)
            for one in known
            if one.category_id is not None and not one.drill and not one.cancelled and one.id != besides
        )
    suggestion = None if found is None else SuggestionShown.model_validate(found)
    return Grounds(suggestion=suggestion, near=near[:NEAR_MAX], at_premises=dict(seen.most_common()))


def page(connection: Connection, actor: Actor, district_id: str, id: str) -> IncidentPage:
    """One incident, when the actor may see its matter."""
    matter, incident = store.get(connection, actor.scope, district_id, id)
    categories = store.list_categories(connection, district_id)
    moments = store.list_moments(connection, district_id, [id])
    life = life_of(moments, over=matter.state is MatterState.CLOSED and not incident.cancelled)
    spot = Spot(incident.lon, incident.lat, incident.zone_id, incident.premises_id, incident.place_words)
    category = categories.get(incident.category_id or "")
    return IncidentPage(
        **IncidentShown.model_validate(incident).model_dump(),
        category=None if category is None else CategoryShown.model_validate(category),
        at={str(step): at for step, at in life.at.items()},
        missing=[str(step) for step in life.missing],
        out_of_order=[str(step) for step in life.out_of_order],
        spans_s={str(interval): life.span_s(interval) for interval in Interval},
        moments=[MomentShown.model_validate(moment) for moment in moments],
        grounds=grounds(
            connection,
            actor,
            district_id,
            matter.text,
            spot,
            besides=id,
            category_id=incident.category_id,
        ),
        links=_linked(connection, district_id, id),
        transfers=[
            TransferShown.model_validate(one) for one in store.list_transfers(connection, district_id, id)
        ],
        photos=[
            record.id
            for record in vault.list_of_subjects(connection, district_id, [id])
            if record.kind is RecordKind.PHOTO and record.erased_at is None
        ],
        call_back=call_back.is_kept(connection, district_id, id),
    )


def _may_be_same(
    incident: Incident, spot: Spot, category_id: str | None, categories: dict[str, Category]
) -> bool:
    """Whether it is of the same category and close by, or in the same zone when either point is missing; or
    beside it while one of the two has no category.
    """
    apart_m = _apart_m(incident, spot)
    same = _same_category(incident, category_id, categories)
    if same is None:
        return apart_m is not None and apart_m <= BESIDE_M
    if apart_m is None:
        return same and spot.zone_id is not None and spot.zone_id == incident.zone_id
    return same and apart_m <= NEAR_M


def _same_category(
    incident: Incident, category_id: str | None, categories: dict[str, Category]
) -> bool | None:
    """Whether both lie below one root; None while nothing speaks for a category of one of them."""
    theirs = incident.category_id or incident.suggested_id
    if theirs is None or category_id is None:
        return None
    return root_of(theirs, categories) == root_of(category_id, categories)


def _near(
    incident: Incident,
    matter: Matter,
    spot: Spot,
    category_id: str | None,
    categories: dict[str, Category],
) -> Near:
    """The incident as one that may be the same."""
    apart_m = _apart_m(incident, spot)
    return Near(
        id=incident.id,
        number=matter.number,
        apart_m=None if apart_m is None else round(apart_m),
        apart_s=round((clock.now() - incident.called_at).total_seconds()),
        same_zone=spot.zone_id is not None and spot.zone_id == incident.zone_id,
        same_category=_same_category(incident, category_id, categories) is True,
    )


def _apart_m(incident: Incident, spot: Spot) -> float | None:
    """Metres between two points of one district, where the earth is flat enough; None when one is unknown."""
    if incident.lon is None or incident.lat is None or spot.lon is None or spot.lat is None:
        return None
    east = (incident.lon - spot.lon) * cos(radians(spot.lat))
    return hypot(east, incident.lat - spot.lat) * METRES_PER_DEGREE


def _linked(connection: Connection, district_id: str, id: str) -> list[LinkShown]:
    """The incidents that belong to this one, with their numbers."""
    links = store.list_links(connection, district_id, id)
    other_of = {link.id: link.other_id if link.incident_id == id else link.incident_id for link in links}
    others = matters.list_these(connection, district_id, list(other_of.values()))
    return [
        LinkShown(
            other_id=other_of[link.id],
            other_number=others[other_of[link.id]].number,
            kind=str(link.kind),
            repeats=link.incident_id == id,
        )
        for link in links
    ]
