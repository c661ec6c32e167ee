"""Street graphs for the tests of kernels: a line, a net, and any connected one."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from anshang.kernels.routing import EdgeTimes, StreetGraph, street_graph
from anshang.kernels.snapping import Spots

Net = tuple[StreetGraph, EdgeTimes]


def spots(*places: tuple[int, float], off_m: float = 0.0) -> Spots:
    """Places as (edge, along)."""
    edge, along = zip(*places, strict=True) if places else ((), ())
    return Spots(np.array(edge, np.intp), np.array(along, float), np.full(len(places), off_m))


def line(edges: int, seconds: float = 100.0) -> Net:
    """Nodes 0 … edges in a row, all edges as long; none of them for cars."""
    ends = np.column_stack([np.arange(edges), np.arange(1, edges + 1)])
    graph = street_graph(edges + 1, ends, np.full(edges, 100.0))
    return graph, EdgeTimes(np.full(edges, seconds), np.full(edges, np.inf))


def net(side: int, seed: int = 0) -> Net:
    """A square net of side × side nodes with uneven times; half of its edges for cars."""
    number = np.arange(side * side).reshape(side, side)
    ends = np.concatenate(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    chance = np.random.default_rng(seed)
    length_m = chance.uniform(20, 80, len(ends))
    wide = chance.random(len(ends)) < 0.5
    drive_s = np.where(wide, length_m / 5, np.inf)
    return street_graph(side * side, ends, length_m, wide), EdgeTimes(length_m / 1.2, drive_s)


@st.composite
def any_net(draw: st.DrawFn) -> Net:
    """Up to twelve nodes, connected or not, with some edges that cannot be passed."""
    nodes = draw(st.integers(2, 12))
    node = st.integers(0, nodes - 1)
    ends = draw(st.lists(st.tuples(node, node), min_size=1, max_size=30))
    many = {"min_size": len(ends), "max_size": len(ends)}
    seconds = st.one_of(st.integers(1, 400).map(float), st.just(np.inf))
    walk_s = np.array(draw(st.lists(seconds, **many)))
    wide = np.array(draw(st.lists(st.booleans(), **many)))
    faster = np.array(draw(st.lists(st.integers(1, 9), **many)))
    graph = street_graph(nodes, np.array(ends, np.intp), np.full(len(ends), 50.0), wide)
    return graph, EdgeTimes(walk_s, np.where(wide, walk_s / faster, np.inf))


def any_spots(graph: StreetGraph, sizes: tuple[int, int] = (1, 5)) -> st.SearchStrategy[Spots]:
    """Places on its edges, some at no street at all."""
    one = st.tuples(st.integers(-1, len(graph.ends) - 1), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    return st.lists(one, min_size=sizes[0], max_size=sizes[1]).map(lambda places: spots(*places))
