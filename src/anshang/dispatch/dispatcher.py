"""Who should go where, and who could be where in time: reckoned from the live crowd, for every district.

Kept in memory and made anew from the store whenever it has changed: nothing here is the only copy of
anything.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from anshang.crowds.watch import Watch
from anshang.dispatch import store
from anshang.dispatch.advice import Advice, Ground, Open, advise
from anshang.dispatch.model import UNSERVED, Ladder, MetBy
from anshang.dispatch.roster import Locator, Roster, Standing, read_roster
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.incidents import sos
from anshang.incidents import store as incidents_store
from anshang.incidents.categories import Task
from anshang.incidents.model import Incident
from anshang.kernels.reach import Cover, Stretches, cover, within_reach
from anshang.kernels.routing import EdgeTimes, seconds_between
from anshang.kernels.snapping import Reals, Spots
from anshang.matters import store as matters
from anshang.matters.model import ClockKind, MatterKind
from anshang.patrols import store as patrols
from anshang.patrols.model import Unit, UnitStatus
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.model import engine_actor
from anshang.places import store as places
from anshang.places.model import Line, Place, Zone
from anshang.places.streets import Streets, prepare_streets

LOOK_S = 1.0
"""For how long what the store said holds, when another process may have changed it."""
TOGETHER_MOST = 200
"""So many incidents that wait are matched together at most: more than a district has units."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What the units of a rung reach within its target now: the streets, and how many of all people."""

    rung_id: str
    target_s: float
    units: int
    people: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """The live reach: its tiers, the people in the zones that are known, and the zones that are not."""

    at: datetime
    total: float
    unknown_zones: int
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class _Crowd:
    """The crowd of a minute on the streets: times and people of every walkway, people in all."""

    times: EdgeTimes
    per_edge: Reals
    total: float
    unknown_zones: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the store said of units and open incidents, after how many commits, and when (monotonic)."""

    commits: int
    at_s: float
    open_now: tuple[Open, ...]
    spots: Spots
    served: frozenset[str]
    sent: Mapping[str, int]
    calling: frozenset[str]


@dataclass(slots=True)
class _Scene:
    """What is known of one district's streets, its crowd of this minute, and its units."""

    place: Place
    streets: Streets
    locator: Locator
    crowd: _Crowd
    roster: Roster
    reach: Reach | None = None
    cover: Cover | None = None
    covering: tuple[str, ...] = ()
    covered: tuple[Roster, Cover] | None = None
    seen: _Seen | None = None


class Dispatcher:
    """Advises on all districts of this process."""

    def __init__(self, database: Database, watch: Watch, whereabouts: Whereabouts) -> None:
        self._database = database
        self._watch = watch
        self._whereabouts = whereabouts
        self._scenes: dict[str, _Scene] = {}
        self._lock = threading.RLock()
        self._commits: Counter[str] = Counter()
        database.on_commit.append(self._note)
        watch.on_gone.append(self._forget)

    def advise(
        self,
        district_id: str,
        incident_ids: Sequence[str],
        *,
        but: frozenset[str] = frozenset(),
        only: Sequence[str] | None = None,
        everybody: bool = False,
    ) -> list[Advice]:
        """Who should go to these incidents, and to the most urgent others that nobody is sent to yet,
        together; only these are answered. Units in `but` are not thought of; with `only` just units
        of these kinds are, also those that stay where they are. With `everybody` every unit is
        named, with its time or why not; else only the best few.
        """
        asked = frozenset(incident_ids)
        with self._lock:
            scene, seen = self.look(district_id)
            open_now = _together(seen, asked)
            standing = scene.locator.standing(scene.roster, self._whereabouts.latest(district_id))
            able = standing.asked(scene.roster, but, only)
            times, covered = scene.crowd.times, _cover_of(scene)
            ground = Ground(
                scene.place, scene.streets, times, scene.roster, standing, covered, seen.sent, seen.calling
            )
            return advise(ground, able, open_now, seen.spots, asked, everybody=everybody)

    def ready(self, district_id: str, zone_id: str, task: Task) -> tuple[list[Unit], dict[str, float]]:
        """The units that are free and fit for the task, and the seconds to the zone's middle of those that
        can be there on the streets.
        """
        with self._lock:
            scene, seen = self.look(district_id)
            roster, place = scene.roster, scene.place
            standing = scene.locator.standing(roster, self._whereabouts.latest(district_id))
            spot = scene.locator.spots([middle_of(place.zones[zone_id])])
            found = seconds_between(scene.streets.graph, scene.crowd.times, spot, standing.goals)[0]
            fit = roster.fit(task, place.district.local(clock.now()).date())
            free = (unit.status is UnitStatus.FREE and unit.id not in seen.calling for unit in roster.units)
            units = [
                unit for unit, may, is_free in zip(roster.units, fit, free, strict=True) if may and is_free
            ]
            seconds = {
                unit.id: float(found[n])
                for n, unit in enumerate(roster.units)
                if standing.free[n] and np.isfinite(found[n])
            }
            return units, seconds

    def look(self, district_id: str) -> tuple[_Scene, _Seen]:
        """The scene with the units and open incidents as they are: read again after every commit here, and
        each second for those of others.
        """
        with self._lock:
            scene, commits = self._scenes.get(district_id), self._commits[district_id]
            seen = None if scene is None else scene.seen
            fresh = seen is not None and seen.commits == commits and time.monotonic() - seen.at_s < LOOK_S
            if scene is not None and seen is not None and fresh:
                return scene, seen
            with self._database.reading([district_id]) as connection:
                scene = self._scene(connection, district_id)
                open_now, spots, reached = _open_incidents(connection, scene)
                live = store.list_live(connection, district_id)
            served = reached.union(one.incident_id for one in live)
            numbers = {one.matter.id: one.matter.number for one in open_now}
            sent = {one.unit_id: numbers[one.incident_id] for one in live if one.incident_id in numbers}
            calling = frozenset(unit for one in open_now if (unit := sos.unit_of(one.matter)) is not None)
            scene.seen = _Seen(commits, time.monotonic(), open_now, spots, served, sent, calling)
            return scene, scene.seen

    def reach(self, district_id: str) -> Reach | None:
        """The reach of this minute, None before the first."""
        scene = self._scenes.get(district_id)
        return None if scene is None else scene.reach

    def renew(self, district_id: str) -> Reach | None:
        """Reckon travel times, reach and cover from the crowd as it is now; None without streets."""
        with self._lock:
            with self._database.reading([district_id]) as connection:
                if not places.has_walkways(connection, district_id):
                    return None
                scene = self._scene(connection, district_id)
                ladder = store.get_ladder(connection, district_id)
            scene.crowd = self._crowd(scene.place, scene.streets)
            roster = scene.roster
            standing = scene.locator.standing(roster, self._whereabouts.latest(district_id))
        # with many units this takes a while, in which advice is given by the cover of before
        reach, covered, who = _reach(scene.streets, scene.crowd, roster, standing, ladder)
        with self._lock:
            scene.reach, scene.cover, scene.covering, scene.covered = reach, covered, who, None
        return reach

    def _forget(self, district_id: str) -> None:
        self._scenes.pop(district_id, None)
        self._commits.pop(district_id, None)
        self._whereabouts.forget(district_id)

    def _note(self, district_id: str) -> None:
        self._commits[district_id] += 1

    def _scene(self, connection: Connection, district_id: str) -> _Scene:
        """The district's scene with its present streets and roster."""
        version = places.get_district(connection, district_id).version
        edition = patrols.edition(connection, district_id)
        scene = self._scenes.get(district_id)
        if scene is None or scene.streets.version != version:
            place = places.load(connection, district_id)
            streets = prepare_streets(place)
            roster = read_roster(connection, district_id, edition)
            scene = _Scene(place, streets, Locator(place, streets), self._crowd(place, streets), roster)
            self._scenes[district_id] = scene
        if scene.roster.edition != edition:
            scene.roster = read_roster(connection, district_id, edition)
        return scene

    def _crowd(self, place: Place, streets: Streets) -> _Crowd:
        engine = self._watch.find(place.district.id)
        density = {id: None if engine is None else engine.density_of(id) for id in place.zones}
        people = {id: told * place.zones[id].usable_m2 for id, told in density.items() if told is not None}
        return _Crowd(
            times=streets.times(density),
            per_edge=streets.people(people),
            total=float(sum(people.values())),
            unknown_zones=len(density) - len(people),
            at=clock.now(),
        )


def _open_incidents(connection: Connection, scene: _Scene) -> tuple[tuple[Open, ...], Spots, frozenset[str]]:
    """The open incidents, the most urgent first, where they are on the streets, and at which of them somebody
    has arrived.
    """
    district_id = scene.place.district.id
    scope = engine_actor(district_id).scope
    waiting = matters.list_waiting(connection, scope, district_id, MatterKind.INCIDENT)
    wanted = {one.id: one for one in waiting}
    known = incidents_store.list_these(connection, district_id, list(wanted))
    categories = incidents_store.list_categories(connection, district_id) if wanted else {}
    clocks = matters.list_clocks(connection, district_id, list(wanted))
    arrivals = {one.matter_id: one for one in clocks if one.kind is ClockKind.ARRIVE}
    declined: dict[str, set[str]] = {}
    for one in store.list_of_incidents(connection, district_id, list(wanted)):
        if one.state in UNSERVED:
            declined.setdefault(one.incident_id, set()).add(one.unit_id)
    found: list[Open] = []
    points: list[tuple[float, float]] = []
    for id, matter in wanted.items():
        if (incident := known.get(id)) is not None:
            category = categories.get(incident.category_id or incident.suggested_id or "")
            task = Task.LOOK if category is None else category.task
            point, placed = _point_of(scene.place, incident)
            due = arrivals[id].due_at if id in arrivals else matter.opened_at
            past = frozenset(declined.get(id, ()))
            found.append(Open(matter, due, task, placed, len(points), past))
            points.append(point or (0.0, 0.0))
    reached = frozenset(id for id, one in arrivals.items() if one.met_at is not None)
    return tuple(found), scene.locator.spots(points), reached


def _together(seen: _Seen, asked: frozenset[str]) -> list[Open]:
    """The incidents that are matched together, the most urgent first: those asked about, and of those that
    nobody is sent to yet as many as could take a unit from them.
    """
    besides = seen.served | asked
    waiting = (one.matter.id for one in seen.open_now if one.matter.id not in besides)
    wanted = asked.union(islice(waiting, TOGETHER_MOST))
    return [one for one in seen.open_now if one.matter.id in wanted]


def _point_of(place: Place, incident: Incident) -> tuple[tuple[float, float] | None, str]:
    """Where an incident is (degrees): its point, or the middle of its zone."""
    if incident.lon is not None and incident.lat is not None:
        return (incident.lon, incident.lat), "point"
    zone = place.zones.get(incident.zone_id or "")
    if zone is None:
        return None, "nowhere"
    return middle_of(zone), "zone"


def middle_of(zone: Zone) -> tuple[float, float]:
    """The middle of a zone (degrees)."""
    lon, lat = np.array(zone.polygon_lonlat[0]).mean(axis=0).tolist()
    return lon, lat


def _cover_of(scene: _Scene) -> Cover | None:
    """The cover of this minute as the roster's units give it now."""
    if scene.cover is None or not scene.covering:
        return None
    if scene.covered is not None and scene.covered[0] is scene.roster:
        return scene.covered[1]
    number = {id: index for index, id in enumerate(scene.covering)}
    now = scene.cover.of(np.array([number.get(unit.id, -1) for unit in scene.roster.units], np.intp))
    scene.covered = (scene.roster, now)
    return now


def _reach(
    streets: Streets, crowd: _Crowd, roster: Roster, standing: Standing, ladder: Ladder
) -> tuple[Reach, Cover | None, tuple[str, ...]]:
    """The reach of the units that could set out now, for each rung those of its kinds; the cover within the
    last rung that an arrival meets, and whose it is.
    """
    who = np.flatnonzero(standing.free | standing.stays)
    spots = standing.goals.spots.taken(who)
    targets = np.array([rung.target_s for rung in ladder.rungs])
    found = within_reach(streets.graph, crowd.times.walk_s, spots, targets, ladder.notice_s)
    tiers, covered = [], None
    for rung, stretches in zip(ladder.rungs, found, strict=True):
        of_kind = np.array([roster.units[number].kind_id in rung.kinds for number in who.tolist()], bool)
        united = _of(stretches, of_kind).of_all()
        people = united.spread_over(crowd.per_edge)
        lines = tuple(streets.drawn(united))
        tiers.append(Tier(rung.id, rung.target_s, int(of_kind.sum()), people, lines))
        if rung.met_by is MetBy.ARRIVAL:
            covered = cover(stretches, crowd.per_edge, len(who), crowd.total)
    reach = Reach(crowd.at, crowd.total, crowd.unknown_zones, tuple(tiers))
    return reach, covered, tuple(roster.units[number].id for number in who.tolist())


def _of(stretches: Stretches, of_kind: NDArray[np.bool_]) -> Stretches:
    """The stretches of some sources only."""
    some = of_kind[stretches.source] if len(of_kind) else np.zeros(0, dtype=bool)
    return Stretches(stretches.edge[some], stretches.begin[some], stretches.end[some], stretches.source[some])
