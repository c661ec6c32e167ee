"""What can be reached in time and who covers it: known answers and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernels.streets import Net, any_net, any_spots, line, net, spots

from anshang.kernels.reach import AT_ONCE, Stretches, cover, people_on_edges, within_reach
from anshang.kernels.routing import Goals, seconds_between
from anshang.kernels.snapping import Spots

TIERS_S = np.array([60.0, 180.0, 300.0])


def rows(stretches: Stretches) -> list[tuple[int, float, float]]:
    return [
        (int(e), round(float(a), 6), round(float(b), 6))
        for e, a, b in zip(stretches.edge, stretches.begin, stretches.end, strict=True)
    ]


def test_reach_grows_with_the_tier_and_knows_parts_of_edges() -> None:
    graph, times = line(5)
    first, second, third = within_reach(graph, times.walk_s, spots((2, 0.5)), TIERS_S)
    assert rows(first) == [(1, 0.9, 1), (2, 0, 1), (3, 0, 0.1)]
    assert rows(second) == [(0, 0.7, 1), (1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 0, 0.3)]
    assert third.spread_over(graph.length_m) == 500


def test_who_gets_nowhere_reaches_around_himself_only() -> None:
    graph, times = line(3, seconds=1000)
    (found,) = within_reach(graph, times.walk_s, spots((1, 0.5)), np.array([60.0]))
    assert rows(found) == [(1, 0.44, 0.56)]


def test_notice_takes_its_time_and_may_take_all() -> None:
    graph, times = line(5)
    (found,) = within_reach(graph, times.walk_s, spots((2, 0.5)), np.array([60.0]), 20.0)
    assert rows(found) == [(2, 0.1, 0.9)]
    (none,) = within_reach(graph, times.walk_s, spots((2, 0.5)), np.array([60.0]), np.array([60.0]))
    assert rows(none) == []


def test_the_way_to_the_street_takes_its_time_too() -> None:
    graph, times = line(5)
    (found,) = within_reach(graph, times.walk_s, spots((2, 0.5), off_m=26.8), np.array([60.0]))
    assert rows(found) == [(2, 0.1, 0.9)]


def test_nothing_is_reached_by_nobody_within_no_tier_or_through_a_jam() -> None:
    graph, times = line(3)
    assert rows(within_reach(graph, times.walk_s, spots(), TIERS_S)[0].of_all()) == []
    assert within_reach(graph, times.walk_s, spots((1, 0.5)), np.empty(0)) == []
    assert rows(within_reach(graph, times.walk_s, spots((-1, 0.0)), TIERS_S)[0]) == []
    jammed = np.where(np.arange(3) == 1, np.inf, times.walk_s)
    assert rows(within_reach(graph, jammed, spots((1, 0.5)), TIERS_S)[2]) == []
    assert rows(within_reach(graph, jammed, spots((0, 0.5)), TIERS_S)[2]) == [(0, 0, 1)]


def test_two_who_reach_the_same_street_are_united() -> None:
    graph, times = line(5)
    (found,) = within_reach(graph, times.walk_s, spots((1, 0.5), (2, 0.5)), np.array([80.0]))
    assert rows(found.of_all()) == [(0, 0.7, 1), (1, 0, 1), (2, 0, 1), (3, 0, 0.3)]
    assert sorted(set(found.source.tolist())) == [0, 1]


def test_people_of_a_zone_are_spread_over_its_streets_by_length() -> None:
    zone = np.array([0, 0, 1, -1])
    spread = people_on_edges(np.array([30.0, 7.0, 99.0]), np.array([10.0, 20.0, 5.0, 40.0]), zone)
    assert spread.tolist() == [10, 20, 7, 0]
    assert people_on_edges(np.empty(0), np.array([10.0]), np.array([-1])).tolist() == [0]


def test_cover_says_who_is_reached_by_one_only() -> None:
    graph, times = line(5)
    (found,) = within_reach(graph, times.walk_s, spots((1, 0.5), (2, 0.5)), np.array([80.0]))
    people = np.full(5, 10.0)
    covered = cover(found, people, 2, total=100.0)
    assert covered.share == pytest.approx(0.26)
    assert covered.losses == pytest.approx([0.1, 0.1])
    assert covered.without(np.array([0])) == pytest.approx(0.16)
    assert covered.without(np.array([0, 1])) == 0
    assert covered.without(np.empty(0, np.intp)) == pytest.approx(0.26)


def test_where_nobody_is_nobody_is_without_cover() -> None:
    graph, times = line(5)
    (found,) = within_reach(graph, times.walk_s, spots((1, 0.5)), np.array([80.0]))
    assert cover(found, np.zeros(5), 1, total=0.0).share == 1
    assert cover(found, np.zeros(5), 1, total=0.0).losses.tolist() == [0]
    nobody = within_reach(graph, times.walk_s, spots(), np.array([80.0]))[0]
    assert cover(nobody, np.ones(5), 0, total=5.0).share == 0
    assert cover(nobody, np.ones(5), 0, total=5.0).losses.tolist() == []


def test_more_posts_than_are_held_together_reach_what_each_reaches_alone() -> None:
    graph, times = net(9)
    chance = np.random.default_rng(3)
    many = AT_ONCE + 5
    places = Spots(chance.integers(0, 144, many), chance.random(many), np.zeros(many))
    (together,) = within_reach(graph, times.walk_s, places, np.array([60.0]))
    for post in (0, AT_ONCE - 1, AT_ONCE, many - 1):
        (alone,) = within_reach(graph, times.walk_s, places.taken(np.array([post])), np.array([60.0]))
        mine = together.source == post
        chosen = Stretches(
            together.edge[mine], together.begin[mine], together.end[mine], together.source[mine]
        )
        assert rows(chosen) == rows(alone)


@given(
    any_net().flatmap(lambda n: st.tuples(st.just(n), any_spots(n[0]), any_spots(n[0], (8, 8)))),
    st.integers(1, 500).map(float),
)
def test_a_place_is_within_reach_exactly_when_the_way_to_it_takes_less(
    drawn: tuple[Net, Spots, Spots], tier_s: float
) -> None:
    (graph, times), sources, places = drawn
    (found,) = within_reach(graph, times.walk_s, sources, np.array([tier_s]))
    taken_s = seconds_between(graph, times, sources, Goals(places, np.zeros(8, bool)))
    for source in range(len(sources)):
        for place in range(8):
            mine = (found.source == source) & (found.edge == places.edge[place])
            along, at = places.along[place], taken_s[source, place]
            inside = (mine & (found.begin <= along + 1e-9) & (found.end >= along - 1e-9)).any()
            if abs(at - tier_s) > 1e-6:
                assert inside == (at < tier_s)


@given(any_net().flatmap(lambda n: st.tuples(st.just(n), any_spots(n[0]))), st.integers(1, 500).map(float))
def test_losses_are_what_the_cover_loses(drawn: tuple[Net, Spots], tier_s: float) -> None:
    (graph, times), sources = drawn
    (found,) = within_reach(graph, times.walk_s, sources, np.array([tier_s]))
    people = np.arange(1.0, len(graph.ends) + 1)
    covered = cover(found, people, len(sources), total=float(people.sum()))
    assert covered.share == pytest.approx(found.of_all().spread_over(people) / people.sum())
    for source in range(len(sources)):
        rest = within_reach(
            graph, times.walk_s, sources.taken(np.arange(len(sources)) != source), np.array([tier_s])
        )[0]
        left = rest.of_all().spread_over(people) / people.sum()
        assert covered.without(np.array([source])) == pytest.approx(left, abs=1e-9)
        assert covered.losses[source] == pytest.approx(covered.share - left, abs=1e-9)
