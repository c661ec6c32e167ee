"""Who goes where: several open incidents matched with units together.

Units: seconds. Shapes: k incidents, u units. The cost of a pair is what lateness it is expected to bring,
weighed by priority. Where a life is threatened every second of the way counts, before anything else does.
Times are uncertain: they are taken as logistic about the computed time, whose expected lateness has a
closed form and grows with every second, so that of units in time the nearer is the better. Method: exact
assignment by shortest augmenting paths (Kuhn and Munkres; Jonker and Volgenant) over columns as arrays.
Only the nearest units of each incident are looked at; the prices of the matching prove that no farther one
would make it better, or else more are looked at. Complexity: O(k² · u') for u' units that are near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anshang.kernels.routing import LIMIT_S, WALKING_M_PER_S, EdgeTimes, Goals, Search, StreetGraph
from anshang.kernels.snapping import Numbers, Reals, Spots

SPREAD_SHARE = 0.2
"""Standard deviation of a travel time as a share of it: people's free speeds differ by a fifth (Weidmann)."""
LIFE_COST_PER_S = 1e4
"""A second on the way to a threat to life: more than all lateness of the others together."""
RUNNERS_UP = 4
FIRST_LOOK = 8
"""How many of the nearest units of each incident are looked at first; few need more."""


@dataclass(frozen=True, slots=True)
class Units:
    """u units: where they are, how sure that is (metres), who drives, and who is free to be sent."""

    goals: Goals
    unsure_m: Reals
    free: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Incidents:
    """k incidents: where, how much a second of lateness weighs, seconds left to the target (may be past); and
    where a `life` is threatened, nowhere when it is missing.
    """

    spots: Spots
    weight: Reals
    target_s: Reals
    life: NDArray[np.bool_] | None = None

    @property
    def threatened(self) -> NDArray[np.bool_]:
        """Where a life is threatened (k, 1)."""
        life = np.zeros(len(self.weight), dtype=bool) if self.life is None else self.life
        return life[:, None]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """For each incident c candidates, the best first: unit (-1: none), seconds and their deviation.

    `unit[:, 0]` is the joint matching, no unit in it twice; an incident may have nobody there and yet
    runners-up who are more needed elsewhere.
    """

    unit: Numbers
    seconds: Reals
    spread_s: Reals


def expected_lateness_s(seconds: Reals, spread_s: Reals, target_s: Reals) -> Reals:
    """Expected seconds past the target of a logistic time of this mean and deviation; all of one shape."""
    scale = np.maximum(spread_s, 1e-6) * np.sqrt(3.0) / np.pi
    reached = np.isfinite(seconds)
    late = np.where(reached, seconds, 0.0) - target_s
    lateness: Reals = np.where(reached, scale * np.logaddexp(0.0, late / scale), np.inf)
    return lateness


def assign(cost: Reals, alone_cost: Reals) -> tuple[Numbers, Reals]:
    """The unit of each incident (k), -1 for nobody, so that the sum of costs is least, and the prices (k).

    `cost` (k, u), inf where it cannot be; `alone_cost` (k), finite, when nobody goes. A further unit makes
    the sum less only if it costs one of the incidents less than its price. Ties: the same numbers always give
    the same result, and the unit that stands first wins where nothing else decides.
    """
    alone = np.full((len(cost), len(cost)), np.inf)
    np.fill_diagonal(alone, alone_cost)
    column, price = _matched(np.hstack([cost, alone]))
    return np.where(column < cost.shape[1], column, -1), price


def recommend(
    graph: StreetGraph,
    times: EdgeTimes,
    incidents: Incidents,
    units: Units,
    *,
    fit: NDArray[np.bool_] | None = None,
    limit_s: float = LIMIT_S,
) -> Recommendation:
    """Who should go to each incident, all matched together, and who of the nearest comes next.

    To a threat to life the nearest goes in any case.
    `fit` (k, u) says who may be sent where; everybody when it is missing.
    """
    sought = np.broadcast_to(True if fit is None else fit, (len(incidents.spots), len(units.free)))
    who = np.flatnonzero(units.free & sought.any(axis=0))
    goals = Goals(units.goals.spots.taken(who), units.goals.by_car[who])
    past_s = np.maximum(limit_s - incidents.target_s, 0.0) + limit_s
    per_s = np.where(incidents.threatened[:, 0], LIFE_COST_PER_S, incidents.weight)
    search = Search(graph, times, incidents.spots, goals, limit_s=limit_s, fit=sought[:, who])
    many, more = FIRST_LOOK, np.ones(len(per_s), dtype=bool)
    while True:
        search.go_on(more, many)
        near = np.flatnonzero(np.isfinite(search.seconds).any(axis=0))
        seconds = search.seconds[:, near]
        spread_s = np.hypot(_spread_s(seconds), units.unsure_m[who[near]] / WALKING_M_PER_S)
        cost = _cost(incidents, seconds, spread_s)
        chosen, price = assign(cost, per_s * past_s + 1.0)
        more = price > _least_beyond(incidents, search.within_s)
        if not more.any():
            return _told(_ranked(cost, chosen), who[near], seconds, spread_s)
        many *= 3


def _spread_s(seconds: Reals) -> Reals:
    """The deviation of travel times themselves."""
    spread: Reals = SPREAD_SHARE * np.where(np.isfinite(seconds), seconds, 0.0)
    return spread


def _cost(incidents: Incidents, seconds: Reals, spread_s: Reals) -> Reals:
    """Lateness (k, …) weighed by priority; the time itself where a life is threatened."""
    lateness_s = expected_lateness_s(seconds, spread_s, incidents.target_s[:, None])
    late: Reals = incidents.weight[:, None] * lateness_s
    return np.where(incidents.threatened, LIFE_COST_PER_S * seconds, late)


def _least_beyond(incidents: Incidents, within_s: Reals) -> Reals:
    """What a unit beyond these seconds (k) costs each incident at least; inf where there is none."""
    beyond_s = within_s[:, None]
    return _cost(incidents, beyond_s, _spread_s(beyond_s))[:, 0]


def _told(order: Numbers, free: Numbers, seconds: Reals, spread_s: Reals) -> Recommendation:
    """The answer in the numbers of all units."""
    row, none = np.arange(len(order))[:, None], order < 0
    if not len(free):
        nothing = np.full(order.shape, np.inf)
        return Recommendation(order, nothing, nothing)
    return Recommendation(
        unit=np.where(none, -1, free[order]),
        seconds=np.where(none, np.inf, seconds[row, order]),
        spread_s=np.where(none, np.inf, spread_s[row, order]),
    )


def _ranked(cost: Reals, chosen: Numbers) -> Numbers:
    """Columns (k, 1 + RUNNERS_UP): the chosen first, then by cost, then by number; -1 where none is left."""
    ranked = np.full((len(cost), 1 + RUNNERS_UP), -1, dtype=np.intp)
    ranked[:, 0] = chosen
    others = cost.copy()
    has = np.flatnonzero(chosen >= 0)
    others[has, chosen[has]] = np.inf
    best = np.argsort(others, axis=1, kind="stable")[:, :RUNNERS_UP]
    reached = np.isfinite(np.take_along_axis(others, best, axis=1))
    ranked[:, 1 : 1 + best.shape[1]] = np.where(reached, best, -1)
    return ranked


def _matched(cost: Reals) -> tuple[Numbers, Reals]:
    """The column and the price of each row; a finite column of its own keeps a row from staying without."""
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, -1, dtype=np.intp)
    for row in range(rows):
        least, came_from = np.full(columns, np.inf), np.full(columns, -1, dtype=np.intp)
        used = np.zeros(columns, dtype=bool)
        at, tree, column = row, [row], -1
        while True:
            through = cost[at] - row_price[at] - column_price
            nearer = ~used & (through < least)
            least[nearer], came_from[nearer] = through[nearer], column
            column = int(np.argmin(np.where(used, np.inf, least)))
            step = least[column]
            row_price[tree] += step
            column_price[used] -= step
            least[~used] -= step
            used[column] = True
            at = int(row_of[column])
            if at < 0:
                break
            tree.append(at)
        while column >= 0:
            row_of[column] = row_of[came_from[column]] if came_from[column] >= 0 else row
            column = int(came_from[column])
    matched = np.empty(rows, dtype=np.intp)
    taken = np.flatnonzero(row_of >= 0)
    matched[row_of[taken]] = taken
    return matched, row_price
