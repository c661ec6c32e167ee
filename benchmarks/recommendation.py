"""Who should go: 1,000 units, 20 open incidents, Helsinki's streets, fresh weights for every call.

Timed is `Dispatcher.advise` as the server calls it: units and open incidents as the store said them after the
last commit, positions of now, travel times, cover and the joint matching, for the best few as when the next
unit is asked; and then for the desk, with the arrival time of every unit, now and over empty streets, or the
reason why it is not sent. The peers get the same graph and the new weights, and only search: a bounded
Dijkstra from every incident.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import igraph
import networkx as nx
import numpy as np

from anshang.kernels.routing import LIMIT_S
from benchmarks import percentile, report
from benchmarks._streets import DISTRICT, INCIDENTS, district

CALLS = 300
PEER_CALLS = 12
MOST_MS, MOST_EVERYBODY_MS = 5.0, 20.0


def main() -> None:
    """Measure all three, report."""
    with tempfile.TemporaryDirectory() as folder:
        database, dispatcher, _whereabouts, _place, asked = district(Path(folder))
        dispatcher.renew(DISTRICT)
        scene, seen = dispatcher.look(DISTRICT)
        chance = np.random.default_rng(3)
        zones = scene.streets.zone_ids

        def weigh() -> None:
            density = dict(zip(zones, chance.uniform(0, 2, len(zones)).tolist(), strict=True))
            scene.crowd = replace(scene.crowd, times=scene.streets.times(density))

        few: list[float] = []
        every: list[float] = []
        for number in range(2 * CALLS):
            one, everybody = [asked[number // 2 % INCIDENTS]], number % 2 > 0
            weigh()
            work = partial(dispatcher.advise, DISTRICT, one, everybody=everybody)
            (every if everybody else few).append(timed_ms(work))
        graph = scene.streets.graph
        sources = [int(graph.ends[edge, 0]) for edge in seen.spots.edge.tolist()]
        pairs = [(int(a), int(b)) for a, b in graph.ends]
        in_nx = nx.MultiGraph(pairs)
        in_igraph = igraph.Graph(n=graph.nodes, edges=pairs)
        order = [(a, b, key) for a, b, key in in_nx.edges(keys=True)]
        peers: dict[str, list[float]] = {"networkx": [], "igraph": []}
        for _ in range(PEER_CALLS):
            weigh()
            walk_s = scene.crowd.times.walk_s
            seconds = dict(zip(order, walk_s.tolist(), strict=True))
            peers["networkx"].append(timed_ms(partial(in_networkx, in_nx, seconds, sources)))
            peers["igraph"].append(timed_ms(partial(in_igraph.distances, sources, weights=walk_s.tolist())))
        database.dispose()
    median_ms = percentile(few, 0.5)
    for name, ours, most_ms in (("p99", few, MOST_MS), ("everybody_p99", every, MOST_EVERYBODY_MS)):
        p99_ms, must = percentile(ours, 0.99), f"<= {most_ms} ms inside the server"
        report(f"recommendation.{name}", p99_ms, "ms", must=must, ok=p99_ms <= most_ms)
    for name, least in (("networkx", 10), ("igraph", 3)):
        peer_ms = percentile(peers[name], 0.5)
        report(
            "recommendation.median",
            median_ms,
            "ms",
            must=f">= {least} times as fast",
            ok=peer_ms >= least * median_ms,
            peer=f"{name}, search alone",
            peer_value=peer_ms,
        )


def in_networkx(graph: nx.MultiGraph, seconds: dict[tuple[int, int, int], float], sources: list[int]) -> None:
    """Weights in, then a bounded search from every source."""
    nx.set_edge_attributes(graph, seconds, "seconds")
    for source in sources:
        nx.single_source_dijkstra_path_length(graph, source, cutoff=LIMIT_S, weight="seconds")


def timed_ms(work: Callable[[], object]) -> float:
    """How long it takes."""
    began_s = time.perf_counter()
    work()
    return (time.perf_counter() - began_s) * 1000


if __name__ == "__main__":
    main()
