"""Who should go to an incident: every unit once, with when it would be there or why it is not sent.

One unit is advised, the one that all open incidents matched together leave to it; the nearest in any case
where a life is threatened. Listed are all, the soonest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isnan

import numpy as np
from numpy.typing import NDArray

from anshang.dispatch.model import LOSS_PER_S
from anshang.dispatch.roster import CALLS, HERE, NO_PLACE, OFF_DUTY, OUT_OF_REACH, Roster, Standing, sent_to
from anshang.foundation import clock
from anshang.incidents.categories import Task
from anshang.kernels import matching
from anshang.kernels.reach import Cover
from anshang.kernels.routing import WALKING_M_PER_S, EdgeTimes, Goals, seconds_between
from anshang.kernels.snapping import Numbers, Reals, Spots
from anshang.matters.model import Matter, Priority
from anshang.patrols.model import Reason
from anshang.places.model import Place
from anshang.places.streets import Streets


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit that could go: its travel time now (s), how far off that may be (s, one deviation), the share of
    people still covered once it has gone, and the time over empty streets (s; None unless everybody is asked
    about). `kept_for` is the number of the incident that needs it more; `declined` when it was asked already
    and did not go.
    """

    unit_id: str
    seconds: float
    spread_s: float
    cover_after: float
    empty_s: float | None = None
    kept_for: int | None = None
    declined: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A unit that is not thought of, and why."""

    unit_id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """Who could go to an incident, the soonest first, and who is advised to, if anybody is left to it.
    `placed` is "point", "zone" (its middle) or "nowhere".
    """

    incident_id: str
    placed: str
    target_s: float
    task: Task
    advised: str | None
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]
    cover_before: float
    at: datetime

    @property
    def best(self) -> Candidate | None:
        """The unit that is advised, with its times."""
        return next((one for one in self.candidates if one.unit_id == self.advised), None)


@dataclass(frozen=True, slots=True)
class Open:
    """An open incident: its matter, when somebody is to be there, what is asked of them, how well its place
    is known, its number among the spots, and who was asked and did not go.
    """

    matter: Matter
    due_at: datetime
    task: Task
    placed: str
    number: int
    declined: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ground:
    """What advice stands on: a district's streets with the times of the minute, its units and where they are,
    the cover they give, which incident (its number) each of the sent ones is sent to, and who calls for help.
    """

    place: Place
    streets: Streets
    times: EdgeTimes
    roster: Roster
    standing: Standing
    cover: Cover | None
    sent: Mapping[str, int]
    calling: frozenset[str] = frozenset()


def advise(
    ground: Ground,
    able: NDArray[np.bool_],
    open_now: Sequence[Open],
    spots: Spots,
    asked: frozenset[str],
    *,
    everybody: bool,
) -> list[Advice]:
    """Match all open incidents with the units that may be asked; what was asked about is answered: with
    `everybody` every unit is named, with its time or why not, else only the best few.
    """
    now = clock.now()
    roster = ground.roster
    today = ground.place.district.local(now).date()
    left_s = np.array([(one.due_at - now).total_seconds() for one in open_now])
    fit = _fit(roster, open_now, today)
    able = able & ~_among(roster, ground.calling)
    wished = matching.Incidents(
        spots.taken(np.array([one.number for one in open_now], np.intp)),
        np.array([LOSS_PER_S[one.matter.priority] for one in open_now]),
        left_s,
        np.array([one.matter.priority is Priority.P1 for one in open_now], dtype=bool),
    )
    units = matching.Units(ground.standing.goals, ground.standing.unsure_m, able)
    found = matching.recommend(ground.streets.graph, ground.times, wished, units, fit=fit)
    chosen = found.unit[:, 0].tolist()
    cover_before = 1.0 if ground.cover is None else ground.cover.share
    rows = [row for row, one in enumerate(open_now) if one.matter.id in asked]
    tasks = {row: open_now[row].task for row in rows}
    arrivals = _arrivals(ground, able, wished.spots, tasks, today) if everybody else {}
    advices = []
    for row in rows:
        one = open_now[row]
        kept = {n: open_now[r].matter.number for r, n in enumerate(chosen) if n >= 0 and r != row}
        times = arrivals[row] if everybody else _ranked(found, row)
        named = _candidates(ground, one, times, kept, cover_before)
        others = _left_out(ground, one, {each.unit_id for each in named}, today) if everybody else ()
        advices.append(
            Advice(
                incident_id=one.matter.id,
                placed=one.placed,
                target_s=float(left_s[row]),
                task=one.task,
                advised=roster.units[chosen[row]].id if chosen[row] >= 0 else None,
                candidates=named,
                left_out=others,
                cover_before=cover_before,
                at=now,
            )
        )
    return advices


def _among(roster: Roster, named: frozenset[str]) -> NDArray[np.bool_]:
    """Which units (u) are named."""
    if not named:
        return np.zeros(len(roster.units), dtype=bool)
    return np.array([unit.id in named for unit in roster.units], dtype=bool)


def _fit(roster: Roster, open_now: Sequence[Open], today: date) -> NDArray[np.bool_]:
    """Which units may be sent where (k, u): fit for the task, and not asked before in vain."""
    fit = [roster.fit(one.task, today) & ~_among(roster, one.declined) for one in open_now]
    return np.array(fit, dtype=bool).reshape(len(open_now), len(roster.units))


_Times = tuple[Numbers, Reals, Reals]
"""Units by their numbers, seconds now, seconds over empty streets (NaN: not asked)."""


def _ranked(found: matching.Recommendation, row: int) -> _Times:
    """The best few of the matching."""
    some = found.unit[row] >= 0
    seconds = found.seconds[row][some]
    return found.unit[row][some], seconds, np.full(len(seconds), np.nan)


def _arrivals(
    ground: Ground, able: NDArray[np.bool_], spots: Spots, tasks: Mapping[int, Task], today: date
) -> dict[int, _Times]:
    """Everybody who is able, fit for the task and can be there, for each of the rows."""
    fit = np.array([ground.roster.fit(task, today) for task in tasks.values()], dtype=bool)
    fit = fit.reshape(len(tasks), len(able))
    who = np.flatnonzero(able & fit.any(axis=0))
    goals = Goals(ground.standing.goals.spots.taken(who), ground.standing.goals.by_car[who])
    places = spots.taken(np.array(list(tasks), np.intp))
    graph = ground.streets.graph
    now_s = seconds_between(graph, ground.times, places, goals)
    empty_s = seconds_between(graph, ground.streets.empty_times, places, goals)
    some = np.isfinite(now_s) & fit[:, who]
    return {row: (who[some[n]], now_s[n, some[n]], empty_s[n, some[n]]) for n, row in enumerate(tasks)}


def _candidates(
    ground: Ground, one: Open, times: _Times, kept: Mapping[int, int], cover: float
) -> tuple[Candidate, ...]:
    """The soonest first; of equal ones the first by id."""
    units = ground.roster.units
    order = np.lexsort(times[:2])
    who, seconds, empty_s = (column[order] for column in times)
    unsure_s = ground.standing.unsure_m[who] / WALKING_M_PER_S
    spread_s = np.hypot(matching.SPREAD_SHARE * seconds, unsure_s)
    losses = np.zeros(len(who)) if ground.cover is None else ground.cover.losses[who]
    columns = (who, seconds, spread_s, cover - losses, empty_s)
    return tuple(
        Candidate(
            unit_id=units[n].id,
            seconds=now,
            spread_s=spread,
            cover_after=cover_after,
            empty_s=None if isnan(empty) else empty,
            kept_for=kept.get(n),
            declined=units[n].id in one.declined,
        )
        for n, now, spread, cover_after, empty in zip(*(each.tolist() for each in columns), strict=True)
    )


def _left_out(ground: Ground, one: Open, named: set[str], today: date) -> tuple[LeftOut, ...]:
    """The units that are not among the candidates, and why."""
    roster, standing = ground.roster, ground.standing
    unfit = roster.unfit(one.task, today)
    told = []
    for n, unit in enumerate(roster.units):
        if unit.id in named:
            continue
        against = CALLS if unit.id in ground.calling else standing.against(roster, n)
        if against is not None and (number := ground.sent.get(unit.id)) is not None:
            against = HERE if number == one.matter.number else sent_to(number)
        reasons = (*((against,) if against else ()), *unfit[n])
        beyond = NO_PLACE if one.placed == "nowhere" else OUT_OF_REACH
        told.append(LeftOut(unit.id, reasons or (beyond,)))
    return (*told, *(LeftOut(unit.id, (OFF_DUTY,)) for unit in roster.off_duty))
