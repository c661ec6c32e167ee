"""Which streets can be reached in time, and who would be left without anybody near.

Units: seconds, metres, people. Shapes: k sources (posts or units), e edges. What a source reaches of an edge
are stretches: from either end as far as the time left there goes, and around itself on its own edge. All
stretches are laid on one line, an edge after the other, so that a union is one sort, and who alone covers a
piece is one running sum. Complexity: O(k · (n + e)) for the times, O(m log m) for m stretches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anshang.kernels.routing import WALKING_M_PER_S, EdgeTimes, StreetGraph, seconds_to_nodes
from anshang.kernels.snapping import Numbers, Reals, Spots, ragged

AT_ONCE = 64
"""Sources whose times to all nodes are held in memory together."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """m stretches of edges from `begin` to `end` (shares of the edge), each within reach of `source`."""

    edge: Numbers
    begin: Reals
    end: Reals
    source: Numbers

    def of_all(self) -> Stretches:
        """Their union, whoever reaches them: apart from each other, in the order of edges, source 0."""
        return _united(self.edge, self.begin, self.end, np.zeros(len(self.edge), np.intp))

    def spread_over(self, per_edge: Reals) -> float:
        """What lies on them when `per_edge` (e) is spread evenly along each edge: metres, people."""
        return float((per_edge[self.edge] * (self.end - self.begin)).sum())


def within_reach(
    graph: StreetGraph, edge_s: Reals, sources: Spots, tiers_s: Reals, notice_s: Reals | float = 0.0
) -> list[Stretches]:
    """For each tier the stretches that each source reaches within it, its notice (k or one) taken off.

    `edge_s` (e) are the times over the edges as the sources move; inf cannot be passed.
    """
    notice = np.broadcast_to(np.asarray(notice_s, dtype=float), (len(sources),))
    times = EdgeTimes(edge_s, np.full(len(edge_s), np.inf))
    limit_s = float(max(np.max(tiers_s) - notice.min(initial=0.0), 0.0)) if len(tiers_s) else 0.0
    parts: list[list[Stretches]] = [[] for _ in tiers_s]
    for begin in range(0, len(sources), AT_ONCE):
        numbers = np.arange(begin, min(begin + AT_ONCE, len(sources)))
        spots = sources.taken(numbers)
        seconds = seconds_to_nodes(graph, times, spots, limit_s=limit_s)
        for part, tier_s in zip(parts, tiers_s, strict=True):
            found = _stretches(graph, edge_s, spots, seconds, tier_s - notice[numbers])
            part.append(Stretches(found.edge, found.begin, found.end, numbers[found.source]))
    return [_joined(part) for part in parts]


def people_on_edges(people: Reals, length_m: Reals, zone: Numbers) -> Reals:
    """People of z zones spread over the edges of each by length; `zone` (e) is -1 outside them all."""
    inside = zone >= 0
    total_m = np.bincount(zone[inside], length_m[inside], minlength=len(people))
    share = people / np.maximum(total_m, 1e-9)
    spread: Reals = np.where(inside, length_m * share[zone], 0.0) if len(people) else np.zeros(len(zone))
    return spread


@dataclass(frozen=True, slots=True)
class Cover:
    """Who covers how many people: p pieces, by how many sources each is covered, and whose they are, source
    by source.

    `total` are all the people there are, also where nobody can come from; `losses` (k) the share of people
    that only this source reaches.
    """

    people: Reals
    covered_by: Numbers
    first: Numbers
    last: Numbers
    source: Numbers
    losses: Reals
    total: float

    @property
    def share(self) -> float:
        """Of all people the share that somebody reaches; nobody there: all of them."""
        return self._share(self.covered_by)

    def of(self, sources: Numbers) -> Cover:
        """The cover that these sources alone give, in their order; -1 stands for one that gives none."""
        known = np.flatnonzero(sources >= 0)
        theirs, count = self._pieces_of(sources[known])
        source = np.repeat(known, count)
        return _cover(self.people, self.first[theirs], self.last[theirs], source, len(sources), self.total)

    def without(self, sources: Numbers) -> float:
        """The share reached when these sources are gone."""
        gone, _ = self._pieces_of(sources)
        steps = _steps(self.first[gone], self.last[gone], len(self.people))
        return self._share(self.covered_by - np.cumsum(steps)[:-1])

    def _pieces_of(self, sources: Numbers) -> tuple[Numbers, Numbers]:
        """Which pieces these sources (k) cover, source by source, and how many each (k)."""
        first = np.searchsorted(self.source, sources)
        count = np.searchsorted(self.source, sources, side="right") - first
        return ragged(first, count), count

    def _share(self, covered_by: Numbers) -> float:
        if self.total <= 0:
            return 1.0
        return min(1.0, float(self.people[covered_by > 0].sum()) / self.total)


def cover(stretches: Stretches, per_edge: Reals, sources: int, total: float) -> Cover:
    """The cover by k sources of `per_edge` (e) people, `total` of them in all."""
    apart = _united(stretches.edge, stretches.begin, stretches.end, stretches.source)
    begin, end = 2.0 * apart.edge + apart.begin, 2.0 * apart.edge + apart.end
    cuts = np.unique(np.concatenate([begin, end]))
    first, last = np.searchsorted(cuts, begin), np.searchsorted(cuts, end)
    on = (cuts[:-1] // 2.0).astype(np.intp)
    people = per_edge[on] * np.diff(cuts) if len(on) else np.empty(0)
    return _cover(people, first, last, apart.source, sources, total)


def _cover(
    people: Reals, first: Numbers, last: Numbers, source: Numbers, sources: int, total: float
) -> Cover:
    """The cover by these pieces; a piece between two edges that nobody covers holds nobody."""
    covered_by = np.cumsum(_steps(first, last, len(people)))[:-1]
    held = np.where(covered_by > 0, people, 0.0)
    alone = np.concatenate([[0.0], np.cumsum(np.where(covered_by == 1, held, 0.0))])
    lost = np.bincount(source, alone[last] - alone[first], minlength=sources)
    losses = np.asarray(lost / total if total > 0 else np.zeros(sources), dtype=float)
    return Cover(held, covered_by, first, last, source, losses, total)


def _steps(first: Numbers, last: Numbers, pieces: int) -> Numbers:
    """By how many more or fewer each piece is covered than the one before."""
    many = pieces + 1
    steps: Numbers = np.bincount(first, minlength=many) - np.bincount(last, minlength=many)
    return steps


def _stretches(graph: StreetGraph, edge_s: Reals, spots: Spots, seconds: Reals, left_s: Reals) -> Stretches:
    """What each source reaches with the time it has, united for each source."""
    parts = [_around_themselves(edge_s, spots, left_s)]
    for end in (0, 1):
        rest_s = left_s[:, None] - seconds[:, graph.ends[:, end]]
        source, edge = np.nonzero((rest_s > 0) & np.isfinite(edge_s))
        share = np.minimum(rest_s[source, edge] / edge_s[edge], 1.0)
        nothing = np.zeros(len(share))
        begin, until = (nothing, share) if end == 0 else (1.0 - share, nothing + 1.0)
        parts.append(Stretches(edge, begin, until, source))
    joined = _joined(parts)
    return _united(joined.edge, joined.begin, joined.end, joined.source)


def _around_themselves(edge_s: Reals, spots: Spots, left_s: Reals) -> Stretches:
    """The stretch of its own edge that each source reaches both ways."""
    on = spots.edge >= 0
    edge = spots.edge[on]
    rest_s = left_s[on] - spots.off_m[on] / WALKING_M_PER_S
    reaches = np.maximum(rest_s, 0.0) / edge_s[edge]
    begin, end = np.clip(spots.along[on] - reaches, 0, 1), np.clip(spots.along[on] + reaches, 0, 1)
    some = end > begin
    return Stretches(edge[some], begin[some], end[some], np.flatnonzero(on)[some])


def _joined(parts: list[Stretches]) -> Stretches:
    empty = Stretches(np.empty(0, np.intp), np.empty(0), np.empty(0), np.empty(0, np.intp))
    every = [empty, *parts]
    return Stretches(
        np.concatenate([part.edge for part in every]),
        np.concatenate([part.begin for part in every]),
        np.concatenate([part.end for part in every]),
        np.concatenate([part.source for part in every]),
    )


def _united(edge: Numbers, begin: Reals, end: Reals, source: Numbers) -> Stretches:
    """Stretches of one source on one edge that touch are made one; sorted by source and edge."""
    if not len(edge):
        return Stretches(edge, begin, end, source)
    lane = 2.0 * (source * (int(edge.max()) + 1.0) + edge)
    order = np.argsort(lane + begin, kind="stable")
    starts, ends = (lane + begin)[order], np.maximum.accumulate((lane + end)[order])
    opens = np.concatenate([[True], starts[1:] > ends[:-1]])
    closes: NDArray[np.bool_] = np.concatenate([opens[1:], [True]])
    first, last = order[opens], np.flatnonzero(closes)
    return Stretches(edge[first], begin[first], np.minimum(ends[last] - lane[first], 1.0), source[first])
