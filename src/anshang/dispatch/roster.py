"""Who can be sent now: the units on duty with where they are, what they are fit for, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.incidents.categories import Task
from anshang.kernels.geometry import LocalFrame
from anshang.kernels.routing import Goals
from anshang.kernels.snapping import Numbers, Reals, Spots
from anshang.patrols import store as patrols
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Member, Mode, Reason, Unit, UnitStatus, unfitness
from anshang.patrols.positions import Fix
from anshang.patrols.whereabouts import STALE_S
from anshang.people import store as people
from anshang.people.model import Role
from anshang.places.model import Place
from anshang.places.streets import Streets

UNSURE_M = 15.0
"""How true a position is that does not say so."""
DRIFT_M_PER_S = 0.7
"""How much less sure a position becomes with every second: half of a walk."""
STAYS = Reason("stays", "该单元固守岗位，不外派。", "This unit stays where it is.")
FLIES = Reason("flies", "由人工指派。", "It is sent by hand: it takes no street.")
UNPLACED = Reason("unplaced", "没有位置。", "Nobody knows where it is.")
STALE = Reason("stale", "位置已过时。", "Its position is too old.")
NOT_FREE = {
    UnitStatus.BUSY: Reason("busy", "正忙。", "It says it is busy."),
    UnitStatus.BREAK: Reason("break", "休整中。", "It has a break."),
}
SENT = Reason("sent", "已有任务。", "It has a task already.")
HERE = Reason("here", "已派往本警情。", "It is sent here already.")
CALLS = Reason("calls", "正在求助。", "It calls for help itself.")
OFF_DUTY = Reason("off_duty", "未在岗。", "It is off duty.")
OFF_STREETS = Reason("off_streets", "离街道太远。", "It is too far from every street.")
OUT_OF_REACH = Reason("out_of_reach", "15 分钟内无法到达。", "It cannot be there within 15 minutes.")
NO_PLACE = Reason("no_place", "警情地点不明。", "The place of the incident is not known.")
NO_STREETS = Reason("no_streets", "商圈没有步行通道。", "The district has no walkways.")


def sent_to(number: int) -> Reason:
    """It is sent to another incident."""
    return Reason("sent", f"已派往 {number:04d}。", f"It is sent to {number:04d} already.")


@dataclass(slots=True)
class Roster:
    """The u units on duty, in the order of their ids, and the crew of each (None: nothing is known); and
    those off duty.
    """

    edition: tuple[int, ...]
    units: tuple[Unit, ...]
    crews: tuple[tuple[Member | None, ...], ...]
    roles: tuple[tuple[Role | None, ...], ...]
    """Of each crew; None for somebody who has no access here any more."""
    off_duty: tuple[Unit, ...] = ()
    _unfit: dict[tuple[Task, date], list[tuple[Reason, ...]]] = field(default_factory=dict)
    _fit: dict[tuple[Task, date], NDArray[np.bool_]] = field(default_factory=dict)

    def unfit(self, task: Task, on: date) -> list[tuple[Reason, ...]]:
        """Why each unit may not do the task on the day; nothing where it may."""
        if (task, on) not in self._unfit:
            self._unfit[task, on] = [
                unfitness(KINDS[unit.kind_id], crew, task, on, roles)
                for unit, crew, roles in zip(self.units, self.crews, self.roles, strict=True)
            ]
        return self._unfit[task, on]

    def fit(self, task: Task, on: date) -> NDArray[np.bool_]:
        """Which units may do the task on the day (u)."""
        if (task, on) not in self._fit:
            self._fit[task, on] = np.array([not why for why in self.unfit(task, on)], dtype=bool)
        return self._fit[task, on]


def read_roster(connection: Connection, district_id: str, edition: tuple[int, ...]) -> Roster:
    """The roster as it is in the store."""
    units = tuple(patrols.list_on_duty(connection, district_id))
    crew_of = {duty.id: duty.crew for duty in patrols.list_open_duties(connection, district_id)}
    everybody = tuple(dict.fromkeys(account for crew in crew_of.values() for account in crew))
    known = dict(zip(everybody, patrols.list_members(connection, district_id, everybody), strict=True))
    role_of = dict(zip(everybody, people.roles_in(connection, district_id, everybody), strict=True))
    accounts = [crew_of.get(unit.duty_id or "", ()) for unit in units]
    crews = tuple(tuple(known[account] for account in crew) for crew in accounts)
    roles = tuple(tuple(role_of[account] for account in crew) for crew in accounts)
    return Roster(edition, units, crews, roles, tuple(patrols.list_off_duty(connection, district_id)))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the units of a roster stand (u): on the streets, how sure (m), and what speaks against each."""

    goals: Goals
    unsure_m: Reals
    free: NDArray[np.bool_]
    stays: NDArray[np.bool_]
    stale: NDArray[np.bool_]
    placed: NDArray[np.bool_]

    def asked(self, roster: Roster, but: frozenset[str], only: Sequence[str] | None) -> NDArray[np.bool_]:
        """Who may be asked to go (u): the free ones but those named; with `only` these kinds, also those that
        stay where they are.
        """
        able = self.free if only is None else self.free | self.stays
        if not but and only is None:
            return able
        named = [unit.id in but or (only is not None and unit.kind_id not in only) for unit in roster.units]
        chosen: NDArray[np.bool_] = able & ~np.array(named, dtype=bool)
        return chosen

    def against(self, roster: Roster, number: int) -> Reason | None:
        """What speaks against sending a unit anywhere, None for nothing."""
        unit = roster.units[number]
        mode = KINDS[unit.kind_id].mode
        if mode is Mode.FIXED:
            return STAYS if self.placed[number] else UNPLACED
        if mode is Mode.FLYING:
            return FLIES
        if unit.status is not UnitStatus.FREE:
            return NOT_FREE.get(unit.status, SENT)
        if not self.placed[number]:
            return UNPLACED
        if self.stale[number]:
            return STALE
        return OFF_STREETS if self.goals.spots.edge[number] < 0 else None


class Locator:
    """Finds the units of one district on its streets; a position is looked up once."""

    def __init__(self, place: Place, streets: Streets) -> None:
        district = place.district
        self._frame = LocalFrame(district.centre_lon, district.centre_lat)
        self._streets = streets
        self._posts = {post.id: post.point_lonlat for post in place.posts}
        self._of: _Places | None = None

    def spots(self, lon_lat: Sequence[tuple[float, float]]) -> Spots:
        """Where these degrees are on the streets."""
        if not lon_lat:
            return Spots(np.empty(0, np.intp), np.empty(0), np.empty(0))
        return self._streets.spots(self._frame.to_metres(np.array(lon_lat, dtype=float)))

    def standing(self, roster: Roster, fixes: Mapping[str, Fix]) -> Standing:
        """Where the roster's units stand, and why some cannot be sent by that."""
        if self._of is None or self._of.roster is not roster:
            self._of = self._places(roster)
        of = self._of
        at_ms = np.array(
            [
                fix.at_ms if moves and (fix := fixes.get(id)) is not None else 0
                for id, moves in zip(of.ids, of.moves.tolist(), strict=True)
            ],
            dtype=np.int64,
        )
        if (new := np.flatnonzero((at_ms != of.at_ms) & (at_ms > 0))).size:
            told = [fixes[of.ids[number]] for number in new.tolist()]
            of.put(new, self.spots([(fix.lon, fix.lat) for fix in told]))
            of.accuracy_m[new] = [fix.accuracy_m or UNSURE_M for fix in told]
            of.at_ms[new] = at_ms[new]
        known = at_ms > 0
        age_s = np.where(known, np.maximum(clock.to_ms(clock.now()) - at_ms, 0) / 1000, 0.0)
        stale = known & (age_s > STALE_S)
        placed = known | (~of.moves & (of.edge >= 0))
        somewhere = placed & (of.edge >= 0)
        spots = Spots(of.edge.copy(), of.along.copy(), of.off_m.copy())
        return Standing(
            goals=Goals(spots, of.by_car),
            unsure_m=of.accuracy_m + age_s * DRIFT_M_PER_S,
            free=of.ready & of.moves & somewhere & ~stale,
            stays=of.ready & of.fixed & somewhere,
            stale=stale,
            placed=placed,
        )

    def _places(self, roster: Roster) -> _Places:
        """The roster's units before any of them has told where it is: the fixed ones at their posts."""
        modes = [KINDS[unit.kind_id].mode for unit in roster.units]
        fixed = np.array([mode is Mode.FIXED for mode in modes], dtype=bool)
        many = len(modes)
        places = _Places(
            roster=roster,
            ids=[unit.id for unit in roster.units],
            moves=np.array([mode not in (Mode.FIXED, Mode.FLYING) for mode in modes], dtype=bool),
            fixed=fixed,
            by_car=np.array([mode is Mode.DRIVING for mode in modes], dtype=bool),
            ready=np.array([unit.status is UnitStatus.FREE for unit in roster.units], dtype=bool),
            at_ms=np.zeros(many, np.int64),
            edge=np.full(many, -1, np.intp),
            along=np.zeros(many),
            off_m=np.zeros(many),
            accuracy_m=np.full(many, UNSURE_M),
        )
        posted = [n for n in np.flatnonzero(fixed).tolist() if roster.units[n].post_id in self._posts]
        places.put(
            np.array(posted, np.intp),
            self.spots([self._posts[roster.units[n].post_id or ""] for n in posted]),
        )
        return places


@dataclass(slots=True)
class _Places:
    """The units of a roster (u) as they were looked up last."""

    roster: Roster
    ids: list[str]
    moves: NDArray[np.bool_]
    fixed: NDArray[np.bool_]
    by_car: NDArray[np.bool_]
    ready: NDArray[np.bool_]
    at_ms: NDArray[np.int64]
    edge: Numbers
    along: Reals
    off_m: Reals
    accuracy_m: Reals

    def put(self, which: Numbers, spots: Spots) -> None:
        """Some of them stand here now."""
        self.edge[which], self.along[which], self.off_m[which] = spots.edge, spots.along, spots.off_m
