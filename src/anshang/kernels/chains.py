"""Streets between junctions: edges that only follow one another are one chain; few nodes are left to search.

Shapes: n nodes, e edges, c chains. All edges lie on one line, chain after chain; b = 0 … e are the boundaries
between them. Given the time of each edge, a place has a number of seconds on that line, so that what lies
between two places of a chain is a difference; jammed edges (inf) count as no time and are counted apart.
Complexity: O(n + e) to prepare, and for each set of times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anshang.kernels.snapping import Numbers, Reals, Spots

Step = tuple[int, bool]
"""An edge and whether it is passed from its first end to its second."""


@dataclass(frozen=True, slots=True)
class Chains:
    """`ends` (c, 2) are junctions (0 … `junctions` - 1); chain i holds boundaries first[i] … first[i + 1].

    `edge` (e) in the order of the line, `place` (e) of each edge on it, `forward` (e) if it lies as it is
    passed, `of_edge` (e); each node is at boundary `node_place` (n) of chain `of_node` (n, -1: of none).
    """

    junctions: int
    ends: Numbers
    first: Numbers
    edge: Numbers
    place: Numbers
    forward: NDArray[np.bool_]
    of_edge: Numbers
    node_place: Numbers
    of_node: Numbers


@dataclass(frozen=True, slots=True)
class Places:
    """p places on the line: their chain (-1: cannot be reached), seconds and jams up to there; seconds back
    to the beginning and on to the end of the chain.
    """

    chain: Numbers
    at_s: Reals
    jams: Numbers
    back_s: Reals
    on_s: Reals


class Line:
    """The line under given times of the edges (e)."""

    def __init__(self, chains: Chains, edge_s: Reals) -> None:
        self.chains, self.edge_s = chains, edge_s
        ordered = edge_s[chains.edge]
        jammed = np.isinf(ordered)
        self.until_s = np.concatenate([[0.0], np.cumsum(np.where(jammed, 0.0, ordered))])
        self.jams = np.concatenate([[0], np.cumsum(jammed)])

    @property
    def chain_s(self) -> Reals:
        """Seconds from end to end of each chain (c)."""
        begin, end = self.chains.first[:-1], self.chains.first[1:]
        seconds: Reals = np.where(
            self.jams[end] > self.jams[begin], np.inf, self.until_s[end] - self.until_s[begin]
        )
        return seconds

    def of_spots(self, spots: Spots) -> Places:
        """Where spots are; who stands on no street or in a jam is nowhere."""
        chains, edge_s = self.chains, self.edge_s[spots.edge]
        nowhere = (spots.edge < 0) | np.isinf(edge_s)
        place = chains.place[spots.edge]
        share = np.where(chains.forward[spots.edge], spots.along, 1.0 - spots.along)
        at_s = self.until_s[place] + share * np.where(nowhere, 0.0, edge_s)
        return self._places(np.where(nowhere, -1, chains.of_edge[spots.edge]), at_s, self.jams[place])

    def of_nodes(self) -> Places:
        """Where all the nodes are."""
        place = self.chains.node_place
        return self._places(self.chains.of_node, self.until_s[place], self.jams[place])

    def _places(self, chain: Numbers, at_s: Reals, jams: Numbers) -> Places:
        begin, end = self.chains.first[chain], self.chains.first[chain + 1]
        nowhere = chain < 0
        back_s = np.where(nowhere | (jams > self.jams[begin]), np.inf, at_s - self.until_s[begin])
        on_s = np.where(nowhere | (self.jams[end] > jams), np.inf, self.until_s[end] - at_s)
        return Places(chain, at_s, jams, back_s, on_s)


def between_s(here: Places, there: Places) -> Reals:
    """Seconds (p, q) along the chain both are on; inf for others, or with a jam between."""
    seconds = np.full((len(here.chain), len(there.chain)), np.inf)
    a, b = np.nonzero((here.chain[:, None] == there.chain) & (here.chain[:, None] >= 0))
    clear = here.jams[a] == there.jams[b]
    a, b = a[clear], b[clear]
    seconds[a, b] = np.abs(here.at_s[a] - there.at_s[b])
    return seconds


def find_chains(nodes: int, ends: Numbers, wide: NDArray[np.bool_]) -> Chains:
    """The chains of e ≥ 1 edges `ends` (e, 2); a chain is either `wide` (e) all along or nowhere."""
    paths = list(_paths(ends.tolist(), wide.tolist()))
    steps = [step for path in paths for step in path]
    edge = np.array([edge for edge, _ in steps], dtype=np.intp)
    first = np.cumsum([0, *map(len, paths)])
    forward, place, of_edge = np.empty(len(ends), bool), np.empty_like(edge), np.empty_like(edge)
    forward[edge] = [ahead for _, ahead in steps]
    place[edge] = np.arange(len(edge))
    of_edge[edge] = np.repeat(np.arange(len(paths)), np.diff(first))
    enters = np.where(forward, ends[:, 0], ends[:, 1])[edge]
    leaves = np.where(forward, ends[:, 1], ends[:, 0])[edge]
    corners = np.column_stack([enters[first[:-1]], leaves[first[1:] - 1]])
    known, numbered = np.unique(corners, return_inverse=True)
    node_place, of_node = np.zeros(nodes, np.intp), np.full(nodes, -1)
    node_place[leaves], of_node[leaves] = np.arange(len(edge)) + 1, of_edge[edge]
    node_place[enters], of_node[enters] = np.arange(len(edge)), of_edge[edge]
    return Chains(
        len(known), numbered.reshape(-1, 2), first, edge, place, forward, of_edge, node_place, of_node
    )


def _paths(ends: list[list[int]], wide: list[bool]) -> Iterator[list[Step]]:
    """Every chain as its steps: those from junctions, then circles without one."""
    around: dict[int, list[int]] = defaultdict(list)
    for edge, (a, b) in enumerate(ends):
        around[a].append(edge)
        around[b].append(edge)
    passes = {node for node, edges in around.items() if len(edges) == 2 and wide[edges[0]] == wide[edges[1]]}
    taken = [False] * len(ends)
    starts = [node for node in around if node not in passes]
    for start in [*starts, *sorted(passes)]:
        for edge in around[start]:
            if not taken[edge]:
                yield _path(start, edge, ends, around, passes, taken)


def _path(
    start: int,
    edge: int,
    ends: list[list[int]],
    around: dict[int, list[int]],
    passes: set[int],
    taken: list[bool],
) -> list[Step]:
    """The steps from a node along an edge to the next junction; it marks what it takes."""
    steps: list[Step] = []
    node = start
    while True:
        taken[edge] = True
        ahead = ends[edge][0] == node
        steps.append((edge, ahead))
        node = ends[edge][1 if ahead else 0]
        if node == start or node not in passes:
            return steps
        one, other = around[node]
        edge = other if one == edge else one
