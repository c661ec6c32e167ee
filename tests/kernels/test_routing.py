"""Travel times over streets: known answers, properties, and SciPy's Dijkstra as a peer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from tests.kernels.streets import Net, any_net, any_spots, line, net, spots

from anshang.kernels.routing import (
    EdgeTimes,
    Goals,
    Search,
    StreetGraph,
    driving_s,
    route,
    seconds_between,
    seconds_to_nodes,
    street_graph,
    walking_m_per_s,
    walking_s,
)
from anshang.kernels.snapping import Spots


def on_foot(places: Spots) -> Goals:
    return Goals(places, np.zeros(len(places), dtype=bool))


def by_car(places: Spots) -> Goals:
    return Goals(places, np.ones(len(places), dtype=bool))


def drivable(drive_s: list[float]) -> Net:
    """A line of edges, 100 s on foot and as told by car."""
    graph, times = line(len(drive_s))
    wide = np.isfinite(drive_s)
    return (
        street_graph(graph.nodes, graph.ends, graph.length_m, wide),
        EdgeTimes(times.walk_s, np.array(drive_s)),
    )


def peer_s(graph: StreetGraph, layers: list[np.ndarray], source: Spots, goal: Spots) -> float:
    """From one place to another: both are made nodes of a graph for SciPy; two layers are one on foot and one
    by car.
    """
    nodes = graph.nodes
    here, there = nodes * len(layers), nodes * len(layers) + 1
    links: list[tuple[int, int, float]] = []
    for layer, seconds in enumerate(layers):
        for (a, b), edge_s in zip((graph.ends + layer * nodes).tolist(), seconds, strict=True):
            links += [(a, b, edge_s), (b, a, edge_s)]
        links += [(here, node + layer * nodes, s) for node, s in doors(graph, seconds, source)]
        links += [(node + layer * nodes, there, s) for node, s in doors(graph, seconds, goal)]
        if source.edge[0] == goal.edge[0] >= 0 and np.isfinite(seconds[source.edge[0]]):
            links.append((here, there, seconds[source.edge[0]] * abs(source.along[0] - goal.along[0])))
    links += [(node, node + nodes, 0.0) for node in range(nodes) if len(layers) > 1]
    cost = np.full((there + 1, there + 1), np.inf)
    for a, b, link_s in links:
        cost[a, b] = min(cost[a, b], link_s + 1e-9)
    rows, columns = np.nonzero(np.isfinite(cost))
    sparse = csr_array((cost[rows, columns], (rows, columns)), shape=cost.shape)
    return float(dijkstra(sparse, indices=here)[there])


def doors(graph: StreetGraph, edge_s: np.ndarray, spot: Spots) -> list[tuple[int, float]]:
    edge, along = int(spot.edge[0]), float(spot.along[0])
    if edge < 0 or np.isinf(edge_s[edge]):
        return []
    a, b = graph.ends[edge].tolist()
    return [(a, edge_s[edge] * along), (b, edge_s[edge] * (1 - along))]


def test_walking_speed_falls_with_density_as_weidmann_measured() -> None:
    speeds = walking_m_per_s(np.array([0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.4, 9.0]))
    assert speeds == pytest.approx([1.34, 1.30, 1.06, 0.61, 0.33, 0.16, 0, 0], abs=0.005)


def test_an_unknown_density_is_never_taken_as_empty() -> None:
    assert walking_m_per_s(np.array([np.nan])) == pytest.approx(walking_m_per_s(np.array([1.0])))
    wide = np.array([True])
    assert driving_s(np.array([55.0]), np.array([np.nan]), wide) == pytest.approx([55 / 1.06], rel=0.01)


def test_stairs_are_slow_a_lift_is_waited_for_and_a_jam_is_passed_slowly() -> None:
    seconds = walking_s(
        np.full(3, 13.4), np.array([0.0, 0.0, 6.0]), np.array([0.5, 1, 1]), np.array([0.0, 30, 0])
    )
    assert seconds == pytest.approx([20, 40, 13.4 / 0.3])


def test_a_car_needs_a_wide_street_and_is_held_up_by_people() -> None:
    seconds = driving_s(
        np.full(5, 55.0), np.array([0.0, 0.25, 2.0, 6.0, 0.0]), np.array([True, True, True, True, False])
    )
    assert seconds == pytest.approx([10, 20, 55 / 0.61, 55 / 0.3, np.inf], rel=0.01)


def test_times_add_up_along_a_line() -> None:
    graph, times = line(5)
    found = seconds_between(graph, times, spots((0, 0.5)), on_foot(spots((0, 0.75), (2, 0.5), (4, 1.0))))
    assert found.tolist() == [[25, 200, 450]]


def test_the_way_from_and_to_the_street_is_walked_too() -> None:
    graph, times = line(2)
    found = seconds_between(
        graph, times, spots((0, 0.0), off_m=13.4), on_foot(spots((1, 1.0), (0, 0.0), off_m=26.8))
    )
    assert found == pytest.approx(np.array([[230, 30]]))


def test_beyond_the_limit_and_without_a_way_is_infinite() -> None:
    graph, times = line(12)
    assert np.isinf(seconds_between(graph, times, spots((0, 0.0)), on_foot(spots((9, 0.5), (-1, 0)))))[
        0
    ].all()
    assert np.isinf(seconds_to_nodes(graph, times, spots((0, 0.0)))[0, 10:]).all()
    blocked = EdgeTimes(np.where(np.arange(12) == 1, np.inf, times.walk_s), times.drive_s)
    places = on_foot(spots((0, 1.0), (1, 0.0), (2, 0.0)))
    assert seconds_between(graph, blocked, spots((0, 0.0)), places).tolist() == [[100, np.inf, np.inf]]
    assert np.isinf(seconds_between(graph, times, spots((-1, 0.0)), places)).all()
    assert np.isinf(seconds_between(graph, times, spots((0, 0.0)), places, limit_s=10)).all()
    assert np.isinf(seconds_to_nodes(graph, times, spots((0, 0.5)), limit_s=10)).all()


def test_a_length_of_nothing_counts_as_a_centimetre() -> None:
    assert street_graph(2, np.array([[0, 1]]), np.zeros(1)).length_m.tolist() == [0.01]


def test_a_crew_drives_as_far_as_it_can_and_walks_the_rest() -> None:
    graph, times = drivable([np.inf, 20.0, 20.0, np.inf])
    incident, car, carless = spots((0, 0.0)), spots((2, 1.0)), spots((3, 1.0))
    assert seconds_between(graph, times, incident, by_car(car))[0, 0] == 140
    assert seconds_between(graph, times, incident, on_foot(car))[0, 0] == 300
    assert seconds_between(graph, times, incident, by_car(carless))[0, 0] == 400
    assert seconds_between(graph, times, spots((2, 0.0)), by_car(car))[0, 0] == 20


def test_a_car_left_behind_is_not_driven_again() -> None:
    graph, times = drivable([20.0, np.inf, 20.0])
    assert seconds_between(graph, times, spots((0, 0.0)), by_car(spots((2, 1.0))))[0, 0] == 220


@given(any_net().flatmap(lambda n: st.tuples(st.just(n), any_spots(n[0]), any_spots(n[0]))))
def test_times_on_foot_are_those_of_dijkstra(drawn: tuple[Net, Spots, Spots]) -> None:
    (graph, times), sources, goals = drawn
    found = seconds_between(graph, times, sources, on_foot(goals))
    for row in range(len(sources)):
        for goal in range(len(goals)):
            truth = peer_s(graph, [times.walk_s], sources.taken([row]), goals.taken([goal]))
            assert found[row, goal] == pytest.approx(truth if truth <= 900 else np.inf, abs=1e-6)


@given(any_net().flatmap(lambda n: st.tuples(st.just(n), any_spots(n[0]), any_spots(n[0]))))
def test_times_by_car_are_those_of_dijkstra(drawn: tuple[Net, Spots, Spots]) -> None:
    (graph, times), sources, goals = drawn
    found = seconds_between(graph, times, sources, by_car(goals), limit_s=1e6)
    for row in range(len(sources)):
        for goal in range(len(goals)):
            truth = peer_s(graph, [times.walk_s, times.drive_s], sources.taken([row]), goals.taken([goal]))
            assert found[row, goal] == pytest.approx(truth, abs=1e-6)


@given(any_net().flatmap(lambda n: st.tuples(st.just(n), any_spots(n[0]), any_spots(n[0]))))
def test_there_and_back_take_the_same_time_on_foot(drawn: tuple[Net, Spots, Spots]) -> None:
    (graph, times), here, there = drawn
    out = seconds_between(graph, times, here, on_foot(there))
    assert np.allclose(out, seconds_between(graph, times, there, on_foot(here)).T)


@given(
    st.integers(0, 5), st.lists(st.integers(1, 20), min_size=1, max_size=4), st.sampled_from([150.0, 900.0])
)
def test_a_search_that_rests_and_goes_on_knows_the_nearest_and_in_the_end_all(
    seed: int, steps: list[int], limit_s: float
) -> None:
    graph, times = net(12, seed)
    chance = np.random.default_rng(seed)
    places = [spots(*((int(e), float(a)) for e, a in zip(chance.integers(0, 264, n), chance.random(n), strict=True)))
              for n in (6, 60)]  # fmt: skip
    goals, fit = Goals(places[1], chance.random(60) < 0.3), chance.random((6, 60)) < 0.5
    fit[0] = False
    every = np.where(fit, seconds_between(graph, times, places[0], goals, limit_s=limit_s), np.inf)
    search, asked = Search(graph, times, places[0], goals, limit_s=limit_s, fit=fit), np.zeros(6, int)
    assert search.within_s.tolist() == [np.inf, 0, 0, 0, 0, 0]
    for step in steps:
        which = chance.random(6) < 0.7
        search.go_on(which, step)
        asked += np.where(which, step, 0)
        known = np.isfinite(search.seconds)
        assert np.allclose(search.seconds[known], every[known])
        assert (known == (every <= search.within_s[:, None]) & np.isfinite(every)).all()
        assert (known.sum(axis=1) >= np.minimum(asked, np.isfinite(every).sum(axis=1))).all()
    search.go_on(np.ones(6, dtype=bool), 60)
    assert np.allclose(search.seconds, every)
    assert np.isinf(search.within_s).all()


def test_a_route_leads_from_the_unit_to_the_incident() -> None:
    graph, times = line(4)
    incident, unit = spots((0, 0.5)), spots((3, 0.5))
    (seconds,) = seconds_to_nodes(graph, times, incident)
    nodes, edges = route(graph, times, seconds, incident, unit)
    assert (nodes.tolist(), edges.tolist()) == ([3, 2, 1], [3, 2, 1, 0])


def test_a_route_by_car_is_driven_and_then_walked() -> None:
    graph, times = drivable([np.inf, 20.0, 20.0, 20.0])
    incident, unit = spots((0, 0.5)), spots((3, 0.5))
    (seconds,) = seconds_to_nodes(graph, times, incident, by_car=True)
    nodes, edges = route(graph, times, seconds, incident, unit, by_car=True)
    assert (nodes.tolist(), edges.tolist()) == ([3, 2, 1], [3, 2, 1, 0])


def test_a_route_along_one_edge_is_that_edge_and_no_way_is_no_route() -> None:
    graph, times = line(4)
    (seconds,) = seconds_to_nodes(graph, times, spots((0, 0.5)))
    nodes, edges = route(graph, times, seconds, spots((0, 0.5)), spots((0, 0.1)))
    assert (nodes.tolist(), edges.tolist()) == ([], [0])
    nodes, edges = route(graph, times, seconds, spots((0, 0.5)), spots((-1, 0.1)))
    assert (nodes.tolist(), edges.tolist()) == ([], [])


@given(any_net().flatmap(lambda n: st.tuples(st.just(n), any_spots(n[0], (2, 2)))), st.booleans())
def test_a_route_takes_as_long_as_was_told(drawn: tuple[Net, Spots], drives: bool) -> None:
    (graph, times), places = drawn
    incident, unit = places.taken([0]), places.taken([1])
    told = seconds_between(graph, times, incident, (by_car if drives else on_foot)(unit), limit_s=1e6)[0, 0]
    (seconds,) = seconds_to_nodes(graph, times, incident, by_car=drives, limit_s=1e6)
    nodes, edges = route(graph, times, seconds, incident, unit, by_car=drives)
    assert (len(edges) == 0) == np.isinf(told)
    for before, after, edge in zip(nodes, nodes[1:], edges[1:], strict=False):
        assert {int(before), int(after)} == set(graph.ends[edge].tolist())
    if not drives and len(nodes):
        first_s = min(s for n, s in doors(graph, times.walk_s, unit) if n == nodes[0])
        last_s = min(s for n, s in doors(graph, times.walk_s, incident) if n == nodes[-1])
        assert first_s + times.walk_s[edges[1:-1]].sum() + last_s == pytest.approx(told)
