"""Who should go where, and who could be where in time: reckoned from the live crowd, for every district.

Kept in memory and made anew from the store whenever it has changed: nothing here is the only copy of
anything.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from anshang.crowds.watch import Watch
from anshang.dispatch import store
from anshang.dispatch.model import LOSS_PER_S, Ladder, MetBy
from anshang.dispatch.roster import Locator, Roster, Standing, read_roster
from anshang.dispatch.streets import Streets, prepare_streets
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.incidents import store as incidents_store
from anshang.incidents.categories import Task
from anshang.incidents.model import Incident
from anshang.kernels import matching
from anshang.kernels.reach import Cover, Stretches, cover, within_reach
from anshang.kernels.routing import EdgeTimes
from anshang.kernels.snapping import Reals
from anshang.matters import store as matters
from anshang.matters.model import ClockKind, Matter, MatterKind
from anshang.patrols import store as patrols
from anshang.patrols.model import Reason
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.model import engine_actor
from anshang.places import store as places
from anshang.places.model import Line, Place


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit that could go: its travel time now (s), how far off that may be (s, one deviation), and the
    share of people still covered once it has gone.
    """

    unit_id: str
    seconds: float
    spread_s: float
    cover_after: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A unit on duty that is not thought of, and why."""

    unit_id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """Who should go to an incident, the best first: `matched` when the first is the one that all open
    incidents together leave to it. `placed` is "point", "zone" (its middle) or "nowhere".
    """

    incident_id: str
    placed: str
    target_s: float
    task: Task
    matched: bool
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]
    cover_before: float
    at: datetime


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


class Dispatcher:
    """Advises on all districts of this process."""

    def __init__(self, database: Database, watch: Watch, whereabouts: Whereabouts) -> None:
        self._database = database
        self._watch = watch
        self._whereabouts = whereabouts
        self._scenes: dict[str, _Scene] = {}
        self._lock = threading.RLock()

    def advise(
        self,
        district_id: str,
        incident_ids: Sequence[str],
        *,
        but: frozenset[str] = frozenset(),
        only: Sequence[str] | None = None,
    ) -> list[Advice]:
        """Who should go to these incidents, and to all others that nobody is sent to yet, together; only
        these are answered. Units in `but` are not thought of; with `only` just units of these kinds are, also
        those that stay where they are.
        """
        with self._lock:
            with self._database.reading([district_id]) as connection:
                scene = self._scene(connection, district_id)
                open_now = _open_incidents(connection, district_id, incident_ids)
                tasks = _tasks(connection, district_id, [incident for _, incident, _ in open_now])
            standing = scene.locator.standing(scene.roster, self._whereabouts.latest(district_id))
            asked = standing.asked(scene.roster, but, only)
            advice = _advise(scene, standing, asked, open_now, tasks)
        return [one for one in advice if one.incident_id in set(incident_ids)]

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
            standing = scene.locator.standing(scene.roster, self._whereabouts.latest(district_id))
            return _reach(scene, standing, ladder)

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


OpenIncident = tuple[Matter, Incident, float]
"""A matter, its incident, and the seconds left until somebody is to be there."""


def _open_incidents(connection: Connection, district_id: str, asked: Sequence[str]) -> list[OpenIncident]:
    """The open incidents that nobody is sent to yet, and those that are asked about."""
    scope = engine_actor(district_id).scope
    waiting = matters.list_waiting(connection, scope, district_id)
    served = {one.incident_id for one in store.list_live(connection, district_id)} - set(asked)
    wanted = [one for one in waiting if one.kind is MatterKind.INCIDENT and one.id not in served]
    ids = [matter.id for matter in wanted]
    known = incidents_store.list_these(connection, district_id, ids)
    now = clock.now()
    left_s = {
        one.matter_id: (one.due_at - now).total_seconds()
        for one in matters.list_clocks(connection, district_id, ids)
        if one.kind is ClockKind.ARRIVE
    }
    return [(one, known[one.id], left_s.get(one.id, 0.0)) for one in wanted if one.id in known]


def _tasks(connection: Connection, district_id: str, told: Sequence[Incident]) -> list[Task]:
    categories = incidents_store.list_categories(connection, district_id)
    found = [categories.get(one.category_id or one.suggested_id or "") for one in told]
    return [Task.LOOK if category is None else category.task for category in found]


def _advise(
    scene: _Scene,
    standing: Standing,
    asked: NDArray[np.bool_],
    open_now: Sequence[OpenIncident],
    tasks: Sequence[Task],
) -> list[Advice]:
    """Match all open incidents with the units that may be asked, and say why some are left out."""
    roster = scene.roster
    today = scene.place.district.local(clock.now()).date()
    placed = [_point_of(scene.place, incident) for _, incident, _ in open_now]
    wished = matching.Incidents(
        scene.locator.spots([point or (0.0, 0.0) for point, _ in placed]),
        np.array([LOSS_PER_S[matter.priority] for matter, _, _ in open_now]),
        np.array([left_s for _, _, left_s in open_now]),
    )
    fit = np.array([[not why for why in roster.unfit(task, today)] for task in tasks], dtype=bool)
    found = matching.recommend(
        scene.streets.graph,
        scene.crowd.times,
        wished,
        matching.Units(standing.goals, standing.unsure_m, asked),
        cover=_cover_of(scene),
        fit=fit.reshape(len(tasks), len(roster.units)),
    )
    at = clock.now()
    return [
        Advice(
            incident_id=matter.id,
            placed=placed[row][1],
            target_s=left_s,
            task=tasks[row],
            matched=bool(found.unit[row, 0] >= 0),
            candidates=_candidates(found, row, roster),
            left_out=_left_out(roster, standing, tasks[row], today),
            cover_before=found.cover_before,
            at=at,
        )
        for row, (matter, _, left_s) in enumerate(open_now)
    ]


def _candidates(found: matching.Recommendation, row: int, roster: Roster) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            unit_id=roster.units[number].id,
            seconds=float(found.seconds[row, column]),
            spread_s=float(found.spread_s[row, column]),
            cover_after=float(found.cover_after[row, column]),
        )
        for column, number in enumerate(found.unit[row].tolist())
        if number >= 0
    )


def _left_out(roster: Roster, standing: Standing, task: Task, today: date) -> tuple[LeftOut, ...]:
    told = zip(roster.units, standing.against, roster.unfit(task, today), strict=True)
    found = [LeftOut(unit.id, (*((against,) if against else ()), *unfit)) for unit, against, unfit in told]
    return tuple(one for one in found if one.reasons)


def _point_of(place: Place, incident: Incident) -> tuple[tuple[float, float] | None, str]:
    """Where an incident is (degrees): its point, or the middle of its zone."""
    if incident.lon is not None and incident.lat is not None:
        return (incident.lon, incident.lat), "point"
    zone = place.zones.get(incident.zone_id or "")
    if zone is None:
        return None, "nowhere"
    lon, lat = np.array(zone.polygon_lonlat[0]).mean(axis=0).tolist()
    return (lon, lat), "zone"


def _cover_of(scene: _Scene) -> Cover | None:
    """The cover of this minute as the roster's units give it now."""
    if scene.cover is None or not scene.covering:
        return None
    number = {id: index for index, id in enumerate(scene.covering)}
    return scene.cover.of(np.array([number.get(unit.id, -1) for unit in scene.roster.units], np.intp))


def _reach(scene: _Scene, standing: Standing, ladder: Ladder) -> Reach:
    """The reach of the units that could set out now, for each rung those of its kinds."""
    roster, crowd = scene.roster, scene.crowd
    who = np.flatnonzero(standing.free | standing.stays)
    spots = standing.goals.spots.taken(who)
    targets = np.array([rung.target_s for rung in ladder.rungs])
    found = within_reach(scene.streets.graph, crowd.times.walk_s, spots, targets, ladder.notice_s)
    tiers = []
    for rung, stretches in zip(ladder.rungs, found, strict=True):
        of_kind = np.array([roster.units[number].kind_id in rung.kinds for number in who.tolist()], bool)
        theirs = _of(stretches, of_kind)
        united = theirs.of_all()
        people = united.spread_over(crowd.per_edge)
        lines = tuple(scene.streets.drawn(united))
        tiers.append(Tier(rung.id, rung.target_s, int(of_kind.sum()), people, lines))
        if rung.met_by is MetBy.ARRIVAL:
            scene.cover = cover(stretches, crowd.per_edge, len(who), crowd.total)
            scene.covering = tuple(roster.units[number].id for number in who.tolist())
    scene.reach = Reach(crowd.at, crowd.total, crowd.unknown_zones, tuple(tiers))
    return scene.reach


def _of(stretches: Stretches, of_kind: NDArray[np.bool_]) -> Stretches:
    """The stretches of some sources only."""
    some = of_kind[stretches.source] if len(of_kind) else np.zeros(0, dtype=bool)
    return Stretches(stretches.edge[some], stretches.begin[some], stretches.end[some], stretches.source[some])
