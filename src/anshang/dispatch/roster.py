"""Who can be sent now: the units on duty with where they are, what they are fit for, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from anshang.dispatch.streets import Streets
from anshang.foundation import clock
from anshang.incidents.categories import Task
from anshang.kernels.geometry import LocalFrame
from anshang.kernels.routing import Goals
from anshang.kernels.snapping import Reals, Spots
from anshang.patrols import store as patrols
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Member, Mode, Reason, Unit, UnitStatus, unfitness
from anshang.patrols.positions import Fix
from anshang.patrols.whereabouts import STALE_S
from anshang.places.model import Place

UNSURE_M = 15.0
"""How true a position is that does not say so."""
DRIFT_M_PER_S = 0.7
"""How much less sure a position becomes with every second: half of a walk."""
STAYS = Reason("stays", "该单元固守岗位，不外派。", "This unit stays where it is.", "—")
FLIES = Reason("flies", "由人工指派。", "It is sent by hand: it takes no street.", "—")
UNPLACED = Reason("unplaced", "没有位置。", "Nobody knows where it is.", "—")
STALE = Reason("stale", "位置已过时。", "Its position is too old.", "—")
NOT_FREE = {
    UnitStatus.BUSY: Reason("busy", "正忙。", "It says it is busy.", "—"),
    UnitStatus.BREAK: Reason("break", "休整中。", "It has a break.", "—"),
}
SENT = Reason("sent", "已有任务。", "It has a task already.", "—")


@dataclass(slots=True)
class Roster:
    """The u units on duty, in the order of their ids, and the crew of each (None: nothing is known)."""

    edition: tuple[int, ...]
    units: tuple[Unit, ...]
    crews: tuple[tuple[Member | None, ...], ...]
    _unfit: dict[tuple[Task, date], list[tuple[Reason, ...]]] = field(default_factory=dict)

    def unfit(self, task: Task, on: date) -> list[tuple[Reason, ...]]:
        """Why each unit may not do the task on the day; nothing where it may."""
        if (task, on) not in self._unfit:
            pairs = zip(self.units, self.crews, strict=True)
            self._unfit[task, on] = [unfitness(KINDS[unit.kind_id], crew, task, on) for unit, crew in pairs]
        return self._unfit[task, on]


def read_roster(connection: Connection, district_id: str, edition: tuple[int, ...]) -> Roster:
    """The roster as it is in the store."""
    units = tuple(patrols.list_on_duty(connection, district_id))
    crew_of = {duty.id: duty.crew for duty in patrols.list_open_duties(connection, district_id)}
    everybody = tuple(dict.fromkeys(account for crew in crew_of.values() for account in crew))
    known = dict(zip(everybody, patrols.list_members(connection, district_id, everybody), strict=True))
    crews = tuple(tuple(known[account] for account in crew_of.get(unit.duty_id or "", ())) for unit in units)
    return Roster(edition, units, crews)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the units of a roster stand (u): on the streets, how sure (m), and what speaks against each."""

    goals: Goals
    unsure_m: Reals
    free: NDArray[np.bool_]
    stays: NDArray[np.bool_]
    against: tuple[Reason | None, ...]

    def asked(self, roster: Roster, but: frozenset[str], only: Sequence[str] | None) -> NDArray[np.bool_]:
        """Who may be asked to go (u): the free ones but those named; with `only` these kinds, also those that
        stay where they are.
        """
        named = [unit.id in but or (only is not None and unit.kind_id not in only) for unit in roster.units]
        able = self.free if only is None else self.free | self.stays
        chosen: NDArray[np.bool_] = able & ~np.array(named, dtype=bool)
        return chosen


class Locator:
    """Finds the units of one district on its streets; a position is looked up once."""

    def __init__(self, place: Place, streets: Streets) -> None:
        district = place.district
        self._frame = LocalFrame(district.centre_lon, district.centre_lat)
        self._streets = streets
        self._posts = {post.id: post.point_lonlat for post in place.posts}
        self._seen: dict[tuple[float, float], tuple[int, float, float]] = {}

    def spots(self, lon_lat: Sequence[tuple[float, float]]) -> Spots:
        """Where these degrees are on the streets."""
        new = [point for point in dict.fromkeys(lon_lat) if point not in self._seen]
        if len(self._seen) + len(new) > 20_000:
            self._seen.clear()
            new = list(dict.fromkeys(lon_lat))
        if new:
            found = self._streets.spots(self._frame.to_metres(np.array(new)))
            edge, along, off_m = found.edge.tolist(), found.along.tolist(), found.off_m.tolist()
            self._seen |= dict(zip(new, zip(edge, along, off_m, strict=True), strict=True))
        rows = [self._seen[point] for point in lon_lat]
        edges, alongs, offs = zip(*rows, strict=True) if rows else ((), (), ())
        return Spots(np.array(edges, np.intp), np.array(alongs, float), np.array(offs, float))

    def standing(self, roster: Roster, fixes: Mapping[str, Fix]) -> Standing:
        """Where the roster's units stand, and why some cannot be sent by that."""
        now_ms = clock.to_ms(clock.now())
        points, unsure_m = [], []
        against: list[Reason | None] = []
        for unit in roster.units:
            fixed = KINDS[unit.kind_id].mode is Mode.FIXED
            fix = None if fixed else fixes.get(unit.id)
            post = self._posts.get(unit.post_id or "")
            age_s = 0.0 if fix is None else max(0.0, (now_ms - fix.at_ms) / 1000)
            known = fix is not None and age_s <= STALE_S
            points.append((fix.lon, fix.lat) if fix is not None and known else post or (0.0, 0.0))
            drift_m = age_s * DRIFT_M_PER_S
            unsure_m.append((UNSURE_M if fix is None else fix.accuracy_m or UNSURE_M) + drift_m)
            against.append(_against(unit, fixed, fix, known, post is not None))
        spots = self.spots(points)
        somewhere = spots.edge >= 0
        free = np.array([reason is None for reason in against], dtype=bool) & somewhere
        waits = [unit.status is UnitStatus.FREE for unit in roster.units]
        stays = np.array([reason is STAYS for reason in against], dtype=bool) & np.array(waits, dtype=bool)
        by_car = np.array([KINDS[unit.kind_id].mode is Mode.DRIVING for unit in roster.units], dtype=bool)
        goals = Goals(spots, by_car)
        return Standing(goals, np.array(unsure_m), free, stays & somewhere, tuple(against))


def _against(unit: Unit, fixed: bool, fix: Fix | None, known: bool, has_post: bool) -> Reason | None:
    """What speaks against sending the unit anywhere, None for nothing."""
    if fixed:
        return STAYS if has_post else UNPLACED
    if KINDS[unit.kind_id].mode is Mode.FLYING:
        return FLIES
    if unit.status is not UnitStatus.FREE:
        return NOT_FREE.get(unit.status, SENT)
    if known:
        return None
    return UNPLACED if fix is None else STALE
