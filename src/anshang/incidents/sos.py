"""A call for help by somebody on duty: it is refused for no role, no duty and no place, is P1 until a person
says otherwise, and says who calls and where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection

from anshang.foundation import ids
from anshang.foundation.actor import Actor, Permission
from anshang.incidents.catalogue import BUILT_IN
from anshang.incidents.categories import Category
from anshang.incidents.model import Spot
from anshang.kernels.geometry import LocalFrame
from anshang.matters.model import ACCOUNT, Matter, Priority
from anshang.people.model import Role
from anshang.places import store as places

CATEGORY = "sos"
PARAMS = "sos"
"""The parameter of the matter that says who calls, and beside which premises."""
BESIDE_M = 60.0
"""So near, premises say where somebody is."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who calls: the account, and the unit they are on duty with and its call sign."""

    account_id: str
    unit_id: str | None = None
    sign: str | None = None


@dataclass(frozen=True, slots=True)
class Senders:
    """`find`: the unit, and its call sign, that an account is on duty with; a room above provides it."""

    find: Callable[[Connection, str, str], tuple[str, str] | None]


def category_in(categories: Mapping[str, Category]) -> Category:
    """What is asked of those who come, and how soon: the district's own, the built-in one where that is
    retired.
    """
    own = categories.get(CATEGORY)
    return BUILT_IN[CATEGORY] if own is None or own.retired else own


def caller(actor: Actor) -> Actor:
    """Whoever is signed in may call for help; a sensor feed is nobody."""
    return actor if actor.role == Role.FEED else actor.lent(Permission.INCIDENT_REPORT)


def district_of(connection: Connection, actor: Actor, district_id: str) -> str:
    """Where the call goes: to the district that is named if it is there and open to the caller, else to the
    one it was a drill of, else to the first of theirs.
    """
    wanted = [district_id, ids.real_of(district_id), *actor.district_ids]
    mine = [one for one in wanted if one in actor.district_ids]
    return next((one for one in mine if places.find_district(connection, one)), district_id)


def reading(actor: Actor, district_id: str) -> Sequence[str]:
    """The districts that `district_of` may look at."""
    return (*actor.district_ids, district_id)


def told(
    connection: Connection,
    categories: Mapping[str, Category],
    district_id: str,
    spot: Spot,
    sender: Sender,
) -> tuple[Category, Priority, Spot, dict[str, Any]]:
    """What it is and how urgent; the spot without what the district does not know, for a wrong code delays
    nobody; and what the matter says of the caller, without a name, and of the premises beside them.
    """
    if spot.premises_id and places.find_premises(connection, district_id, spot.premises_id) is None:
        spot = replace(spot, premises_id=None)
    if spot.zone_id and not places.has_zone(connection, district_id, spot.zone_id):
        spot = replace(spot, zone_id=None)
    near = _beside(connection, district_id, spot)
    said = {"sign": sender.sign, "unit": sender.unit_id, "near": near}
    return category_in(categories), Priority.P1, spot, {ACCOUNT: sender.account_id, PARAMS: said}


def kept(matter: Matter) -> dict[str, Any]:
    """The same, to be kept when the matter's other words change."""
    return {key: matter.params[key] for key in (ACCOUNT, PARAMS) if key in matter.params}


def unit_of(matter: Matter) -> str | None:
    """The unit that calls for help by this matter."""
    told = matter.params.get(PARAMS)
    return None if told is None else told["unit"]


def _beside(connection: Connection, district_id: str, spot: Spot) -> str | None:
    """The nearest premises within BESIDE_M."""
    if spot.premises_id is not None or spot.lon is None or spot.lat is None:
        return spot.premises_id
    place = places.load(connection, district_id)
    if not place.premises:
        return None
    frame = LocalFrame(place.district.centre_lon, place.district.centre_lat)
    here = frame.to_metres(np.array([[spot.lon, spot.lat]]))
    apart_m = np.hypot(*(np.array([one.point for one in place.premises]) - here).T)
    nearest = int(apart_m.argmin())
    return place.premises[nearest].id if apart_m[nearest] <= BESIDE_M else None
