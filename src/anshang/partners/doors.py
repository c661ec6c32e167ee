"""Where the doors of a district are on its streets, and how far it is to them through today's crowd.

Prepared once for each version of a place. A door is that of premises, or a gate through which one leaves.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from anshang.crowds.watch import Watch
from anshang.kernels.daygrid import Bools, Reals
from anshang.kernels.geometry import LocalFrame
from anshang.kernels.routing import WALKING_M_PER_S, EdgeTimes, Goals, seconds_between
from anshang.kernels.snapping import Spots
from anshang.partners.model import Premised
from anshang.places import store as places
from anshang.places.model import Place
from anshang.places.streets import Streets, prepare_streets

FAR_S = 2_400.0
"""What is farther off counts as out of reach."""
FREE_PER_M2 = 0.0


@dataclass(frozen=True, slots=True)
class Doors:
    """The n doors on the streets: premises first, then exits; `ids` of premises and gates, degrees."""

    place: Place
    streets: Streets
    ids: tuple[str, ...]
    is_exit: Bools
    at: Spots
    lonlat: Reals

    def seconds_from(self, times: EdgeTimes, sources: Spots) -> Reals:
        """How long a grown-up walks from k sources to every door (k, n); inf beyond FAR_S."""
        goals = Goals(self.at, np.zeros(len(self.ids), bool))
        return seconds_between(self.streets.graph, times, sources, goals, limit_s=FAR_S)

    def seconds_apart(self, times: EdgeTimes) -> Reals:
        """How long a grown-up walks between every two doors (n, n)."""
        goals = Goals(self.at, np.zeros(len(self.ids), bool))
        found = seconds_between(self.streets.graph, times, self.at, goals, limit_s=FAR_S)
        np.fill_diagonal(found, 0.0)
        return np.minimum(found, found.T)


def prepare_doors(place: Place) -> Doors:
    """The doors of a place; RuleBroken when it has no walkways."""
    streets = prepare_streets(place)
    exits = [gate for gate in place.gates.values() if gate.zone_b is None]
    points = [premises.point for premises in place.premises]
    points += [tuple(np.mean(np.array(gate.line), axis=0).tolist()) for gate in exits]
    lonlat = [premises.point_lonlat for premises in place.premises]
    lonlat += [tuple(np.mean(np.array(gate.line_lonlat), axis=0).tolist()) for gate in exits]
    ids = [premises.id for premises in place.premises] + [gate.id for gate in exits]
    is_exit = np.array([False] * len(place.premises) + [True] * len(exits), dtype=bool)
    spots = streets.spots(np.array(points, float).reshape(-1, 2))
    placed = spots.edge >= 0
    return Doors(
        place=place,
        streets=streets,
        ids=tuple(id for id, on_street in zip(ids, placed.tolist(), strict=True) if on_street),
        is_exit=is_exit[placed],
        at=spots.taken(placed),
        lonlat=np.array(lonlat, float).reshape(-1, 2)[placed],
    )


class DoorBook:
    """The doors of all districts of this process."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._doors: dict[str, Doors] = {}
        self._lock = threading.Lock()
        watch.on_gone.append(self._forget)

    def of(self, connection: Connection, district_id: str) -> Doors:
        """The doors of a district as its place is now; RuleBroken when it has no walkways."""
        version = places.get_district(connection, district_id).version
        with self._lock:
            known = self._doors.get(district_id)
            if known is None or known.streets.version != version:
                known = prepare_doors(places.load(connection, district_id))
                self._doors[district_id] = known
        return known

    def _forget(self, district_id: str) -> None:
        self._doors.pop(district_id, None)

    def times_now(self, doors: Doors) -> EdgeTimes:
        """Times over every walkway through the crowd of now."""
        engine = self._watch.find(doors.place.district.id)
        zones = doors.place.zones
        return doors.streets.times({id: None if engine is None else engine.density_of(id) for id in zones})


def premised(doors: Doors, lon: float | None = None, lat: float | None = None) -> dict[str, Premised]:
    """Zone and trade of all premises, and with a point (degrees) how far it is to walk from there (m)."""
    told = {p.id: Premised(p.zone_id, str(p.trade)) for p in doors.place.premises}
    if lon is None or lat is None:
        return told
    free = doors.streets.times(dict.fromkeys(doors.place.zones, FREE_PER_M2))
    seconds = doors.seconds_from(free, spots_of(doors, [(lon, lat)]))[0]
    return {
        id: Premised(told[id].zone_id, told[id].trade, round(float(s) * WALKING_M_PER_S, 1))
        for id, s in zip(doors.ids, seconds.tolist(), strict=True)
        if id in told and np.isfinite(s)
    }


def spots_of(doors: Doors, lon_lat: Sequence[tuple[float, float]]) -> Spots:
    """Where k points (degrees) are on the streets."""
    frame = LocalFrame(doors.place.district.centre_lon, doors.place.district.centre_lat)
    return doors.streets.spots(frame.to_metres(np.array(lon_lat, dtype=float).reshape(-1, 2)))
