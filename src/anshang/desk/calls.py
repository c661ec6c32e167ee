"""Calls for help from the public page: each of them reaches the desk, however many come.

A network or a district that calls more often than a desk can read has its calls gathered: those about the
same thing at the same place become one incident, which says how many they are at least. Places can be
made up, too: beyond so many open incidents of one network or in one district calls are gathered by zone.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from anshang.foundation.database import Database
from anshang.incidents import actions as incidents
from anshang.incidents import gathering, store
from anshang.incidents.model import Source, Spot
from anshang.incidents.placing import completed
from anshang.kernels.geometry import LocalFrame
from anshang.people.model import visitor_actor
from anshang.places import store as places
from anshang.places.model import District
from anshang.web.budgets import Budget, Budgets

OF_NETWORK = Budget("public.calls_of_network", most=3)
OF_DISTRICT = Budget("public.calls_of_district", most=60)
OPEN_OF_NETWORK = 20
OPEN_IN_DISTRICT = 120
"""So many incidents from this page can be open at once with a place of their own; the urgent ones count apart
from the rest.
"""
NETWORKS_REMEMBERED_MAX = 4_096
TURNS = 16
WORDS = {
    "hurt": ("injury", "有人受伤或不适 Somebody is hurt or unwell"),
    "lost": ("lost_person", "有人走失 Somebody is lost"),
    "crushed": ("crowd", "太挤，出不去 It is too crowded to get out"),
    "afraid": ("help", "感到不安全 Somebody feels unsafe"),
    "item": ("lost_property", "遗失物品 Something was lost"),
    "other": ("help", "求助 Help is needed"),
}
"""What a visitor can tap: the category it is reported as, and the words."""
URGENT = frozenset({"hurt", "crushed"})
"""These keep their exact place in a flood, too, while there is room (OPEN_OF_NETWORK, OPEN_IN_DISTRICT)."""


CELL_M = 40.0
"""Two who are hurt farther apart than this are two places to go to."""
AREA_M = 200.0
"""Beyond what has a place of its own, calls from outside of all zones are gathered by squares of this."""
NEAR_M = 1000.0
"""A point farther than this from the district's centre is told apart by nothing: who makes points up does not
fill the queue.
"""

_Cell = tuple[int, int]
_Key = tuple[str, str, str | None, _Cell | None]


@dataclass(slots=True)
class _Gathered:
    incident_id: str
    calls: int = 1


class CallDesk:
    """The calls of this process. What gathers them is in memory alone; a restart begins anew."""

    def __init__(self, database: Database, budgets: Budgets) -> None:
        self._database, self._budgets = database, budgets
        self._gathered: dict[_Key, _Gathered] = {}
        self._turns = tuple(threading.Lock() for _ in range(TURNS))
        self._networks: dict[str, str] = {}
        """From which network an incident came."""

    def take(self, district_id: str, id: str, what: str, spot: Spot, network: str) -> str:
        """The id of the incident that bears the call; NotFound when the district or the place is none."""
        with self._turns[hash(district_id) % TURNS]:  # two at once would each find no other
            return self._take(district_id, id, what, spot, network)

    def _take(self, district_id: str, id: str, what: str, spot: Spot, network: str) -> str:
        with self._database.reading([district_id]) as connection:
            district = places.get_district(connection, district_id)
            spot = completed(connection, district_id, spot)
            key = self._key(district, what, spot, network)
            if gathering.is_open(connection, district_id, id):
                return id  # asked again by a phone that heard no answer
            there = self._find(connection, key)
            crowded = there is None and not self._has_room(connection, district_id, what, network)
            if crowded:
                spot, square = _about(district, spot)
                key = (district_id, what, spot.zone_id, square)
                there = self._find(connection, key)
        if there is not None:
            self._count(district_id, there)
            return there.incident_id
        self._report(district_id, id, what, spot, first_of_many=key is not None)
        if not crowded:
            self._remember(id, network)
        if key is not None:
            self._gathered[key] = _Gathered(id)
        return id

    def _key(self, district: District, what: str, spot: Spot, network: str) -> _Key | None:
        """What the call is gathered with; None while there are few of them."""
        few = self._budgets.allows(OF_NETWORK, district.id, network)
        if few and self._budgets.allows(OF_DISTRICT, district.id):
            return None  # who calls too often spends nothing of what others may
        urgent = what in URGENT
        place = (None if few and not urgent else spot.premises_id) or spot.zone_id
        return district.id, what, place, _cell(district, spot) if urgent else None

    def _has_room(self, connection: Connection, district_id: str, what: str, network: str) -> bool:
        """Whether one more incident with a place of its own leaves the queue readable."""
        urgent = what in URGENT
        sort = {WORDS[one][0] for one in WORDS if (one in URGENT) is urgent}
        present = store.list_open_of(connection, district_id, Source.PUBLIC, sort)
        mine = sum(self._networks.get(id) == network for id in present)
        return len(present) < OPEN_IN_DISTRICT and mine < OPEN_OF_NETWORK

    def _remember(self, id: str, network: str) -> None:
        """The incident takes one of the places of the network."""
        if len(self._networks) >= NETWORKS_REMEMBERED_MAX:
            self._networks.clear()
        self._networks[id] = network

    def _find(self, connection: Connection, key: _Key | None) -> _Gathered | None:
        """What such calls are gathered in while that is open."""
        there = None if key is None else self._gathered.get(key)
        if key is None or there is None:
            return None
        if not gathering.is_open(connection, key[0], there.incident_id):
            return None
        return there

    def _count(self, district_id: str, there: _Gathered) -> None:
        """One more; written down whenever their number has doubled, so that a flood writes little."""
        there.calls += 1
        if there.calls & (there.calls - 1) == 0:
            with self._database.transaction(district_id) as tx:
                gathering.count_calls(
                    tx, actor=visitor_actor(district_id), id=there.incident_id, calls=there.calls
                )

    def _report(self, district_id: str, id: str, what: str, spot: Spot, *, first_of_many: bool) -> None:
        category_id, words = WORDS[what]
        actor = visitor_actor(district_id)
        with self._database.transaction(district_id) as tx:
            incidents.report(
                tx,
                actor=actor,
                id=id,
                source=Source.PUBLIC,
                text=words,
                category_id=category_id,
                priority=None,
                spot=spot,
            )
            if first_of_many:
                gathering.count_calls(tx, actor=actor, id=id, calls=1)


def _about(district: District, spot: Spot) -> tuple[Spot, _Cell | None]:
    """Where many calls are gathered, at none of their points: the zone alone; outside of all zones the middle
    of a square of AREA_M, which is told too; nowhere when nothing is known near the district.
    """
    if spot.zone_id:
        return Spot(zone_id=spot.zone_id), None
    square = _cell(district, spot, AREA_M)
    if square is None:
        return Spot(), None
    frame = LocalFrame(district.centre_lon, district.centre_lat)
    middle = (np.array([square], float) + 0.5) * AREA_M
    ((lon, lat),) = frame.to_degrees(middle).tolist()
    return Spot(lon, lat), square


def _cell(district: District, spot: Spot, side_m: float = CELL_M) -> _Cell | None:
    """The square on the ground that the point lies in; None without one near the district."""
    if spot.lon is None or spot.lat is None:
        return None
    frame = LocalFrame(district.centre_lon, district.centre_lat)
    ((x_m, y_m),) = frame.to_metres(np.array([[spot.lon, spot.lat]]))
    if not math.hypot(x_m, y_m) <= NEAR_M:
        return None
    return math.floor(x_m / side_m), math.floor(y_m / side_m)
