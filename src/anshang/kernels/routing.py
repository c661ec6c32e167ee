"""How long it takes from many places to a few over streets whose times change with the crowd.

Units: metres, seconds, people/m². Shapes: n nodes, e edges (passable both ways, the same time each way),
c chains with j junctions, k sources, u goals. A car's crew drives where streets are wide enough and walks the
rest: by car there is every junction twice, once on foot (0 … j-1) and once driving (j … 2j-1). From a source
the search may change from walking to driving but not back: a crew that drives first and then walks.

Method: labels are corrected bucket by bucket (Meyer and Sanders's Δ-stepping) for all sources at once, which
leaves whole arrays to NumPy. Buckets grow twofold; a source that knows enough goals rests. As times
are the same both ways, the times from an incident to the units are the times of the units to it.
Speeds: walking by Weidmann (1993). Complexity: O(k · (j + c)) of work and memory in as many rounds as chains
follow one another within a bucket.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anshang.kernels.chains import Chains, Line, Places, between_s, find_chains
from anshang.kernels.snapping import Numbers, Reals, Spots, ragged

WALKING_M_PER_S = 1.34
JAM_PER_M2 = 5.4
"""At this density nobody moves (Weidmann)."""
LEAST_M_PER_S = 0.3
"""Who must get through a dense crowd is let through, slowly. Our estimate: measured crowds never stood still,
not even at 10 people/m² (Johansson, Helbing and others 2008), while Weidmann's line ends at 5.4.
"""
UNKNOWN_PER_M2 = 1.0
"""What an unknown density counts as: attention, never normal."""
DRIVING_M_PER_S = 5.5
"""Twenty km/h: a service vehicle among people."""
CARS_STOP_PER_M2 = 0.5
"""From this density on a car moves with the people around it."""
LIMIT_S = 900.0
FIRST_BUCKET_S = 120.0


@dataclass(frozen=True, slots=True)
class Arcs:
    """Out of node i lead arcs first[i] … first[i + 1]: to `head`, with the time of entry `entry`."""

    first: Numbers
    head: Numbers
    entry: Numbers


@dataclass(frozen=True, slots=True)
class StreetGraph:
    """`ends` (e, 2), `length_m` (e) and who is `wide` enough for cars; arcs between nodes, between junctions
    on foot and by car.
    """

    nodes: int
    ends: Numbers
    length_m: Reals
    wide: NDArray[np.bool_]
    arcs: Arcs
    chains: Chains
    on_foot: Arcs
    by_car: Arcs


@dataclass(frozen=True, slots=True)
class EdgeTimes:
    """Seconds to walk and to drive each edge (e), inf where it cannot be passed; a car is never slower than
    the people around it, and drives wide edges only.
    """

    walk_s: Reals
    drive_s: Reals


@dataclass(frozen=True, slots=True)
class Goals:
    """u places whose times are sought: on foot, or for `by_car` (u) with a car."""

    spots: Spots
    by_car: NDArray[np.bool_]


def street_graph(
    nodes: int, ends: Numbers, length_m: Reals, wide: NDArray[np.bool_] | None = None
) -> StreetGraph:
    """The graph of e ≥ 1 edges between n nodes; a length below a centimetre counts as one."""
    for_cars = np.zeros(len(ends), dtype=bool) if wide is None else wide
    chains = find_chains(nodes, ends, for_cars)
    walk, many = chains.ends, len(chains.ends)
    drive = walk + chains.junctions
    change = np.arange(chains.junctions)
    numbers = np.tile(np.arange(many), 2)
    on_foot = np.concatenate([walk, walk[:, ::-1]])
    driving = np.concatenate([drive, drive[:, ::-1], np.column_stack([change, change + chains.junctions])])
    return StreetGraph(
        nodes=nodes,
        ends=ends,
        length_m=np.maximum(length_m, 0.01),
        wide=for_cars,
        arcs=_arcs(nodes, np.concatenate([ends, ends[:, ::-1]]), np.tile(np.arange(len(ends)), 2)),
        chains=chains,
        on_foot=_arcs(chains.junctions, on_foot, numbers),
        by_car=_arcs(
            2 * chains.junctions,
            np.concatenate([on_foot, driving]),
            np.concatenate([numbers, numbers + many, np.full(chains.junctions, 2 * many)]),
        ),
    )


def walking_m_per_s(density_per_m2: Reals) -> Reals:
    """Weidmann's speed in a crowd: 1.34 m/s alone, none from 5.4 people/m²; NaN is unknown."""
    density = np.where(np.isnan(density_per_m2), UNKNOWN_PER_M2, density_per_m2)
    room = 1.0 / np.maximum(density, 1e-3) - 1.0 / JAM_PER_M2
    speed: Reals = WALKING_M_PER_S * -np.expm1(-1.913 * np.maximum(room, 0.0))
    return speed


def walking_s(length_m: Reals, density_per_m2: Reals, ease: Reals, wait_s: Reals) -> Reals:
    """Seconds to walk edges, however dense the crowd; `ease` is the share of the level speed, `wait_s`
    for a lift.
    """
    speed = np.maximum(walking_m_per_s(density_per_m2), LEAST_M_PER_S)
    taken: Reals = length_m / (speed * ease) + wait_s
    return taken


def driving_s(length_m: Reals, density_per_m2: Reals, wide: NDArray[np.bool_]) -> Reals:
    """Seconds to drive edges, slower the more people there are, inf where it is not wide enough."""
    density = np.where(np.isnan(density_per_m2), UNKNOWN_PER_M2, density_per_m2)
    free = DRIVING_M_PER_S * (1.0 - density / CARS_STOP_PER_M2)
    speed = np.maximum(np.maximum(free, walking_m_per_s(density)), LEAST_M_PER_S)
    taken: Reals = np.where(wide, length_m / speed, np.inf)
    return taken


def seconds_to_nodes(
    graph: StreetGraph, times: EdgeTimes, sources: Spots, *, by_car: bool = False, limit_s: float = LIMIT_S
) -> Reals:
    """Seconds between k sources and every node: (k, n) on foot; by car (k, 2n), first those of a crew on foot
    there, then those of a crew driving there; inf beyond the limit.
    """
    spread = _Spread(graph, times, sources, by_car)
    while spread.goes_on(limit_s):
        spread.fill_bucket()
    layers: list[Reals] = []
    for layer, (line, source) in enumerate(zip(spread.lines, spread.places, strict=True)):
        nodes = line.of_nodes()
        seconds = between_s(nodes, source) + _off_s(sources)
        for corner, apart_s in _doors(graph, nodes, layer):
            np.minimum(seconds, spread.seconds[corner] + apart_s[:, None], out=seconds)
        layers.append(np.minimum(seconds, layers[0]) if layer else seconds)
    every = np.concatenate(layers)
    return np.where(every <= limit_s, every, np.inf).T


def seconds_between(
    graph: StreetGraph, times: EdgeTimes, sources: Spots, goals: Goals, *, limit_s: float = LIMIT_S
) -> Reals:
    """Seconds between k sources and u goals, (k, u); inf beyond the limit or where there is no way."""
    search = Search(graph, times, sources, goals, limit_s=limit_s)
    search.go_on(np.ones(len(sources), dtype=bool), len(goals.spots))
    return search.seconds


class Search:
    """A search from k sources for u goals, which rests once it knows enough, and can go on from there.

    `seconds` (k, u) are those known so far, inf for the others. `within_s` (k): each source knows all goals
    that are nearer than this; inf when it knows all there are.
    """

    def __init__(
        self,
        graph: StreetGraph,
        times: EdgeTimes,
        sources: Spots,
        goals: Goals,
        *,
        limit_s: float = LIMIT_S,
        fit: NDArray[np.bool_] | None = None,
    ) -> None:
        """Begin nothing yet; `fit` (k, u) says which goals are sought from where, all when it is missing."""
        shape = (len(goals.spots), len(sources))
        self._spread = _Spread(graph, times, sources, bool(goals.by_car.any()))
        self._sought = np.ones(shape, dtype=bool) if fit is None else fit.T
        self._many, self._limit_s = self._sought.sum(axis=0), limit_s
        self._known_s = np.full(shape, np.inf)
        self.within_s = np.where(self._many > 0, 0.0, np.inf)
        off_s = _off_s(goals.spots)
        self._doors: list[tuple[Numbers, Reals]] = []
        self._direct_s = np.full(shape, np.inf)
        for layer, (line, source) in enumerate(zip(self._spread.lines, self._spread.places, strict=True)):
            places = line.of_spots(goals.spots)
            moves_s = np.where(goals.by_car, off_s, np.inf) if layer else off_s
            direct_s = between_s(places, source) + _off_s(sources) + moves_s[:, None]
            self._direct_s = np.minimum(self._direct_s, direct_s)
            self._doors += [(node, apart_s + moves_s) for node, apart_s in _doors(graph, places, layer)]

    @property
    def seconds(self) -> Reals:
        """Those known so far (k, u)."""
        return self._known_s.T

    def go_on(self, which: NDArray[np.bool_], more: int) -> None:
        """Go on from these sources (k), until each knows so many more of its goals, its nearest, or all."""
        spread = self._spread
        need = np.minimum(np.isfinite(self._known_s).sum(axis=0) + more, self._many)
        spread.turn_to(which & np.isfinite(self.within_s))
        while spread.going.any() and spread.goes_on(self._limit_s):
            spread.fill_bucket()
            found_s = self._meeting(spread.bound_s)
            count = np.isfinite(found_s).sum(axis=0)
            done = spread.going & (count >= need)
            self._keep(done, found_s, np.where(count >= self._many, np.inf, spread.bound_s))
            spread.turn_to(spread.going & ~done)
        if spread.going.any():
            self._keep(spread.going, self._meeting(self._limit_s), np.full(len(need), np.inf))

    def _meeting(self, bound_s: float) -> Reals:
        """Seconds (u, k) by the labels as they are, to goals within the bound; inf to others. Goals meet
        labels at either end of their chain, walking or driving, or on it.
        """
        found = self._direct_s.copy()
        for node, door_s in self._doors:
            np.minimum(found, self._spread.seconds[node] + door_s[:, None], out=found)
        found[(found > bound_s) | ~self._sought] = np.inf
        return found

    def _keep(self, which: NDArray[np.bool_], found_s: Reals, within_s: Reals) -> None:
        self._known_s[:, which] = found_s[:, which]
        self.within_s[which] = within_s[which]


def route(
    graph: StreetGraph, times: EdgeTimes, seconds: Reals, source: Spots, goal: Spots, *, by_car: bool = False
) -> tuple[Numbers, Numbers]:
    """The way from the first goal to the first source: the nodes passed and the edges, in order.

    `seconds` is the source's row of `seconds_to_nodes` with the same `by_car`. Both on one edge, and nothing
    shorter: no nodes and that edge. No way: no nodes, no edges.
    """
    layers = [times.walk_s, times.drive_s][: 1 + by_car]
    starts = _reaching(graph, layers, source)
    doors = [(s + float(seconds[node]), node) for s, node in _reaching(graph, layers, goal)]
    if source.edge[0] == goal.edge[0] >= 0:
        apart = abs(float(source.along[0] - goal.along[0]))
        off_s = float(_off_s(source)[0] + _off_s(goal)[0])
        doors += [(off_s + float(edge_s[goal.edge[0]]) * apart, -1) for edge_s in layers]
    best_s, node = min(doors, default=(np.inf, -1))
    if not np.isfinite(best_s):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    if node < 0:
        return np.empty(0, np.intp), source.edge[:1]
    began = {node: start_s for start_s, node in sorted(starts, reverse=True)}
    nodes, edges = [node], [int(goal.edge[0])]
    while seconds[node] < began.get(node, np.inf) - 1e-6:
        node, edge = _before(graph, layers, seconds, node)
        if edge >= 0:
            nodes.append(node)
            edges.append(edge)
    return np.array(nodes) % graph.nodes, np.array([*edges, int(source.edge[0])])


def _arcs(nodes: int, tails_heads: Numbers, entry: Numbers) -> Arcs:
    order = np.argsort(tails_heads[:, 0], kind="stable")
    tails = tails_heads[order, 0]
    return Arcs(np.searchsorted(tails, np.arange(nodes + 1)), tails_heads[order, 1], entry[order])


def _off_s(spots: Spots) -> Reals:
    """Seconds to walk from the spots to their streets."""
    off_s: Reals = np.where(spots.edge < 0, np.inf, spots.off_m / WALKING_M_PER_S)
    return off_s


def _doors(graph: StreetGraph, places: Places, layer: int) -> list[tuple[Numbers, Reals]]:
    """The two junctions at the ends of the chain of each place, in the layer, and seconds to them."""
    ends = graph.chains.ends[places.chain] + layer * graph.chains.junctions
    return [(ends[:, 0], places.back_s), (ends[:, 1], places.on_s)]


def _reaching(graph: StreetGraph, layers: list[Reals], spot: Spots) -> list[tuple[float, int]]:
    """Seconds from the first spot to the ends of its edge, in each layer, where the edge can be passed."""
    edge, along = int(spot.edge[0]), float(spot.along[0])
    off_s = float(_off_s(spot)[0])
    return [
        (off_s + float(edge_s[edge]) * share, int(graph.ends[edge, end]) + layer * graph.nodes)
        for layer, edge_s in enumerate(layers)
        if edge >= 0 and np.isfinite(edge_s[edge])
        for end, share in enumerate((along, 1.0 - along))
    ]


def _before(graph: StreetGraph, layers: list[Reals], seconds: Reals, node: int) -> tuple[int, int]:
    """The node whose label led to this one's and the edge between, -1 for leaving the car there."""
    layer, corner = divmod(node, graph.nodes)
    leaving = slice(int(graph.arcs.first[corner]), int(graph.arcs.first[corner + 1]))
    near, edge = graph.arcs.head[leaving] + layer * graph.nodes, graph.arcs.entry[leaving]
    through_s = seconds[near] + layers[layer][edge]
    if layer:
        near, edge = np.append(near, corner), np.append(edge, -1)
        through_s = np.append(through_s, seconds[corner])
    best = int(np.argmin(through_s))
    return int(near[best]), int(edge[best])


class _Spread:
    """Labels (nodes, k) of all sources while they spread: final up to `bound_s` for those that still go. Each
    is named by its number: its node times k and its source.
    """

    def __init__(self, graph: StreetGraph, times: EdgeTimes, sources: Spots, by_car: bool) -> None:
        arcs = graph.by_car if by_car else graph.on_foot
        self.lines = [Line(graph.chains, edge_s) for edge_s in (times.walk_s, times.drive_s)[: 1 + by_car]]
        self.places = [line.of_spots(sources) for line in self.lines]
        entries = np.concatenate([*(line.chain_s for line in self.lines), [0.0]])
        self.first, self.head, self.arc_s = arcs.first, arcs.head, entries[arcs.entry]
        self.degree = np.diff(arcs.first)
        self.sources = len(sources)
        self.seconds = np.full((len(self.degree), self.sources), np.inf)
        own = np.arange(self.sources)
        for layer, places in enumerate(self.places):
            for corner, apart_s in _doors(graph, places, layer):
                start_s = np.minimum(self.seconds[corner, own], _off_s(sources) + apart_s)
                self.seconds[corner, own] = start_s
        self.labels = self.seconds.reshape(-1)
        self.going = np.ones(self.sources, dtype=bool)
        self.pending: Numbers = np.flatnonzero(np.isfinite(self.labels))
        self.resting: Numbers = self.pending[:0]
        self.marks = np.zeros(len(self.labels), dtype=np.intp)
        self.bound_s, self.bucket_s = 0.0, FIRST_BUCKET_S

    def goes_on(self, limit_s: float) -> bool:
        """Whether a bucket is left below the limit; if so it is the next one."""
        if not self.pending.size or self.bound_s >= limit_s:
            return False
        least_s = float(self.labels[self.pending].min())
        self.bound_s = min(max(self.bound_s, least_s) + self.bucket_s, limit_s)
        self.bucket_s *= 2
        return least_s <= limit_s

    def fill_bucket(self) -> None:
        """Correct labels until those up to the bound are final."""
        near = self.labels[self.pending] <= self.bound_s
        later = [self.pending[~near]]
        front = self.pending[near]
        while front.size:
            reached = self._relaxed(front)
            near = self.labels[reached] <= self.bound_s
            front = reached[near]
            later.append(reached[~near])
        waiting = np.concatenate(later)
        self.pending = self._once(waiting[self.labels[waiting] > self.bound_s])

    def turn_to(self, going: NDArray[np.bool_]) -> None:
        """These sources (k) go on, the others rest."""
        if (going == self.going).all():
            return
        if (going & ~self.going).any():
            self.bound_s = 0.0  # their labels may wait at any distance
        waiting = np.concatenate([self.pending, self.resting])
        goes = going[waiting % self.sources]
        self.going, self.pending, self.resting = going, waiting[goes], waiting[~goes]

    def _relaxed(self, front: Numbers) -> Numbers:
        """The labels that became less by going on from the front, each once."""
        node, source = np.divmod(front, self.sources)
        count = self.degree[node]
        arcs = ragged(self.first[node], count)
        to = self.head[arcs] * self.sources + np.repeat(source, count)
        through_s = np.repeat(self.labels[front], count) + self.arc_s[arcs]
        less = through_s < self.labels[to]
        to = to[less]
        np.minimum.at(self.labels, to, through_s[less])
        return self._once(to)

    def _once(self, labels: Numbers) -> Numbers:
        """Without repetitions: of equal ones the last, which the mark still names."""
        numbers = np.arange(len(labels))
        self.marks[labels] = numbers
        once: Numbers = labels[self.marks[labels] == numbers]
        return once
