"""Who goes where: known answers, properties, and SciPy's assignment as a peer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment
from tests.kernels.streets import line, net, spots

from anshang.kernels import routing
from anshang.kernels.matching import (
    FIRST_LOOK,
    RUNNERS_UP,
    SPREAD_SHARE,
    Incidents,
    Units,
    assign,
    expected_lateness_s,
    recommend,
)
from anshang.kernels.routing import Goals, seconds_between
from anshang.kernels.snapping import Spots


def units(places: Spots, *, driving: bool = False) -> Units:
    many = len(places)
    return Units(Goals(places, np.full(many, driving)), np.zeros(many), np.ones(many, dtype=bool))


def incidents(places: Spots, weight: float = 1.0, target_s: float = 180.0) -> Incidents:
    return Incidents(places, np.full(len(places), weight), np.full(len(places), target_s))


def test_expected_lateness_grows_with_time_and_is_the_lateness_itself_when_sure() -> None:
    seconds, target_s = np.array([100.0, 180.0, 400.0, np.inf]), np.full(4, 180.0)
    assert expected_lateness_s(seconds, np.zeros(4), target_s) == pytest.approx([0, 0, 220, np.inf], abs=1e-5)
    unsure = expected_lateness_s(seconds, np.full(4, 60.0), target_s)
    assert (np.diff(unsure[:3]) > 0).all()
    assert unsure[1] == pytest.approx(60 * np.sqrt(3) / np.pi * np.log(2))


def test_expected_lateness_is_the_mean_of_a_sample() -> None:
    chance = np.random.default_rng(5)
    sample = chance.logistic(200, 50 * np.sqrt(3) / np.pi, 400_000)
    told = expected_lateness_s(np.array([200.0]), np.array([50.0]), np.array([180.0]))[0]
    assert told == pytest.approx(np.maximum(sample - 180, 0).mean(), rel=0.01)


def test_the_second_best_goes_where_the_best_is_needed_more() -> None:
    cost = np.array([[1.0, 2.0], [1.0, 9.0]])
    assert assign(cost, np.full(2, 100.0))[0].tolist() == [1, 0]


def test_nobody_goes_where_nobody_can_and_one_goes_where_it_matters_more() -> None:
    assert assign(np.array([[np.inf, np.inf], [3.0, 4.0]]), np.full(2, 100.0))[0].tolist() == [-1, 0]
    assert assign(np.array([[5.0], [5.0]]), np.array([10.0, 20.0]))[0].tolist() == [-1, 0]
    assert assign(np.empty((0, 3)), np.empty(0))[0].tolist() == []
    assert assign(np.empty((2, 0)), np.ones(2))[0].tolist() == [-1, -1]


def test_of_equal_units_the_first_goes() -> None:
    assert assign(np.full((1, 7), 3.0), np.full(1, 9.0))[0].tolist() == [0]


@given(
    st.tuples(st.integers(1, 6), st.integers(1, 12)).flatmap(
        lambda shape: st.tuples(
            arrays(float, shape, elements=st.one_of(st.integers(0, 50).map(float), st.just(np.inf))),
            arrays(float, shape[0], elements=st.integers(30, 90).map(float)),
        )
    )
)
def test_a_matching_costs_what_the_best_costs(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    cost, alone_cost = drawn
    found, _price = assign(cost, alone_cost)
    sent = found[found >= 0]
    assert len(set(sent.tolist())) == len(sent)
    total = sum(cost[row, unit] if unit >= 0 else alone_cost[row] for row, unit in enumerate(found))
    whole = np.hstack([cost, np.where(np.eye(len(cost), dtype=bool), alone_cost[:, None], np.inf)])
    best = linear_sum_assignment(np.where(np.isinf(whole), 1e9, whole))
    assert total == pytest.approx(whole[best].sum())


@given(
    arrays(float, (4, 7), elements=st.integers(0, 50).map(float)),
    arrays(float, 4, elements=st.integers(0, 50).map(float)),
)
def test_a_further_unit_helps_only_below_the_price(cost: np.ndarray, further: np.ndarray) -> None:
    alone_cost = np.full(4, 90.0)
    chosen, price = assign(cost, alone_cost)
    again, _price = assign(np.column_stack([cost, further]), alone_cost)
    before = cost[np.arange(4), chosen].sum()
    after = np.column_stack([cost, further])[np.arange(4), again].sum()
    assert after <= before
    if (further >= price).all():
        assert after == pytest.approx(before)


@pytest.mark.parametrize("target_s", [0.0, 60.0, 300.0])
def test_where_everybody_calls_from_one_corner_the_matching_is_the_best_of_all_units(target_s: float) -> None:
    graph, times = net(12)
    chance = np.random.default_rng(8)
    many = units(Spots(chance.integers(0, 264, 150), chance.random(150), np.zeros(150)))
    calls = incidents(spots(*[(0, 0.0)] * (5 * FIRST_LOOK)), target_s=target_s)
    found = recommend(graph, times, calls, many)
    seconds = seconds_between(graph, times, calls.spots, many.goals)
    late_s = expected_lateness_s(seconds, SPREAD_SHARE * seconds, np.full(seconds.shape, target_s))
    assert sorted(found.unit[:, 0].tolist()) == sorted(np.argsort(seconds[0])[: 5 * FIRST_LOOK].tolist())
    best = late_s[linear_sum_assignment(late_s)].sum()
    assert late_s[np.arange(len(late_s)), found.unit[:, 0]].sum() == pytest.approx(best)


def test_the_nearest_free_unit_goes_and_the_next_are_named() -> None:
    graph, times = line(8)
    told = units(spots((0, 0.0), (2, 0.0), (3, 0.0), (7, 0.0)))
    found = recommend(
        graph, times, incidents(spots((3, 0.0))), replace(told, free=np.array([1, 1, 0, 1]) > 0)
    )
    assert found.unit.tolist() == [[1, 0, 3, -1, -1]]
    assert found.seconds.tolist() == [[100, 300, 400, np.inf, np.inf]]
    assert found.spread_s[0, :3] == pytest.approx([20, 60, 80])
    assert found.unit.shape == (1, 1 + RUNNERS_UP)


def test_an_old_position_makes_the_time_less_sure() -> None:
    graph, times = line(8)
    told = replace(units(spots((2, 0.0))), unsure_m=np.array([134.0]))
    assert recommend(graph, times, incidents(spots((3, 0.0))), told).spread_s[0, 0] == pytest.approx(
        102, abs=0.1
    )


def test_the_more_urgent_gets_the_only_unit_and_the_other_its_runner_up() -> None:
    graph, times = line(8)
    two = Incidents(spots((1, 0.0), (3, 0.0)), np.array([1.0, 5.0]), np.full(2, 60.0))
    found = recommend(graph, times, two, units(spots((1, 0.5))))
    assert found.unit[:, :2].tolist() == [[-1, 0], [0, -1]]


def test_the_next_are_named_though_many_who_do_not_fit_are_nearer() -> None:
    graph, times = line(40)
    told = units(spots(*[(5, 0.0)] * (3 * FIRST_LOOK), *[(number, 0.0) for number in range(10, 16)]))
    fit = np.arange(len(told.free))[None] >= 3 * FIRST_LOOK
    found = recommend(graph, times, incidents(spots((5, 0.0))), told, fit=fit, limit_s=1e5)
    assert found.unit[0].tolist() == [24, 25, 26, 27, 28]


def test_where_nobody_fits_no_street_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, times = line(8)
    told, call = units(spots((2, 0.0), (3, 0.0))), incidents(spots((3, 0.0)))
    monkeypatch.delattr(routing._Spread, "fill_bucket")
    assert recommend(graph, times, call, told, fit=np.zeros((1, 2), dtype=bool)).unit.tolist() == [[-1] * 5]


def test_without_anybody_free_nobody_is_named() -> None:
    graph, times = line(8)
    told = replace(units(spots((2, 0.0))), free=np.array([False]))
    found = recommend(graph, times, incidents(spots((3, 0.0))), told)
    assert found.unit.tolist() == [[-1] * 5]
    assert np.isinf(found.seconds).all()
    assert recommend(graph, times, incidents(spots()), units(spots((2, 0.0)))).unit.shape == (0, 5)


def test_one_who_leaves_nobody_behind_is_not_preferred_to_a_nearer_one() -> None:
    """Unit 0 alone covers the streets to the west; that is shown, and does not count."""
    graph, times = line(12)
    told = units(spots((3, 0.0), (5, 0.2), (5, 0.3)))
    call = incidents(spots((4, 0.0)), target_s=130.0)
    assert recommend(graph, times, call, told).unit[0].tolist() == [0, 1, 2, -1, -1]


def test_the_nearest_goes_to_a_threat_to_life_whatever_it_leaves_behind_and_whoever_else_calls() -> None:
    graph, times = line(12)
    told = units(spots((3, 0.0), (5, 0.2), (5, 0.3)))
    call = replace(incidents(spots((4, 0.0)), target_s=130.0), life=np.array([True]))
    assert recommend(graph, times, call, told).unit[0].tolist() == [0, 1, 2, -1, -1]
    vague = replace(told, unsure_m=np.array([400.0, 0.0, 0.0]))
    assert recommend(graph, times, call, vague).unit[0, 0] == 0, "its place is unsure, and it is the nearest"
    both = Incidents(spots((4, 0.0), (2, 0.0)), np.array([8.0, 4.0]), np.array([500.0, 90.0]))
    assert recommend(graph, times, both, told).unit[:, 0].tolist() == [1, 0], "in time, all of them"
    life = replace(both, life=np.array([True, False]))
    assert recommend(graph, times, life, told).unit[:, 0].tolist() == [0, 1]


@given(st.integers(0, 50))
def test_no_unit_is_sent_twice_and_numbers_in_another_order_send_the_same_ones(seed: int) -> None:
    graph, times = net(10, seed)
    chance = np.random.default_rng(seed)
    calls = incidents(Spots(chance.integers(0, 180, 7), chance.random(7), np.zeros(7)), target_s=60.0)
    many = units(Spots(chance.integers(0, 180, 30), chance.random(30), np.zeros(30)))
    first = recommend(graph, times, calls, many)
    sent = first.unit[:, 0]
    assert len(set(sent.tolist())) == 7
    turned = chance.permutation(30)
    again = recommend(graph, times, calls, units(many.goals.spots.taken(turned)))
    assert turned[again.unit].tolist() == first.unit.tolist()
    for row in first.unit:
        assert len(set(row.tolist())) == len(row)
