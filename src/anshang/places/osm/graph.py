"""The walk graph of an extract: every node of a way is one of the graph; its largest connected piece is kept.

Ways are not thinned out to their crossings: a person or a patrol is then never far from a node.
Complexity: O(nodes of the ways).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from anshang.places.model import Line, Rings
from anshang.places.osm.extract import Street
from anshang.places.osm.tags import Tags
from anshang.places.soundness import length_m, pieces_of


@dataclass(frozen=True, slots=True)
class Edge:
    """A stretch of a street between neighbouring nodes, in both units; `id` names way, part and stretch."""

    id: str
    tags: Tags
    nodes: tuple[int, int]
    line: Line
    lonlat: Line

    @property
    def length_m(self) -> float:
        """Its length."""
        return length_m(self.line)


@dataclass(frozen=True, slots=True)
class Graph:
    """The largest connected piece, and how much was left out because it does not hang together with it."""

    edges: list[Edge]
    pieces_left_out: int
    edges_left_out: int
    length_left_out_m: float


def build_graph(streets: Sequence[Street], metres: Sequence[Rings]) -> Graph:
    """The graph of the streets, whose shapes are in local metres; of edges with the same ends the first."""
    edges: dict[frozenset[int], Edge] = {}
    for street, (line,) in zip(streets, metres, strict=True):
        for edge in _edges(street, line):
            edges.setdefault(frozenset(edge.nodes), edge)
    if not edges:
        return Graph([], 0, 0, 0.0)
    pieces = pieces_of([(str(a), str(b)) for a, b in (edge.nodes for edge in edges.values())])
    (largest, _), *others = Counter(pieces).most_common()
    kept: list[Edge] = []
    left_out: list[Edge] = []
    for edge, piece in zip(edges.values(), pieces, strict=True):
        (kept if piece == largest else left_out).append(edge)
    return Graph(kept, len(others), len(left_out), sum(edge.length_m for edge in left_out))


def _edges(street: Street, line: Line) -> Iterator[Edge]:
    stretches = zip(pairwise(street.nodes), pairwise(line), pairwise(street.lonlat), strict=True)
    for number, (nodes, ends, lonlat) in enumerate(stretches):
        if nodes[0] != nodes[1]:
            yield Edge(f"w{street.id}-{street.part}-{number}", street.tags, nodes, ends, lonlat)
