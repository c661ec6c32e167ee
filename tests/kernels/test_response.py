"""Simulated response against Erlang's formulas, and what any run must satisfy."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anshang.kernels.calibration import calibrate
from anshang.kernels.response import Calls, nearest, paired, share_within, simulate, wilson


def erlang_b(load: float, servers: int) -> float:
    """The share of calls that are lost in M/M/c/c."""
    terms = [load**k / factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


def erlang_c(load: float, servers: int) -> float:
    """The share of calls that wait in M/M/c."""
    lost = erlang_b(load, servers)
    return servers * lost / (servers - load * (1 - lost))


def poisson_calls(load: float, count: int, seed: int, work_s: float = 100.0) -> Calls:
    chance = np.random.default_rng(seed)
    at_s = np.cumsum(chance.exponential(work_s / load, count))
    return Calls(at_s, chance.exponential(work_s, count), np.ones(count, np.intp))


def batch_interval(values: np.ndarray) -> tuple[float, float]:
    """A 99.7 % interval of the mean of a correlated series, by means of batches."""
    means = np.array([batch.mean() for batch in np.array_split(values, 40)])
    half = 3.2 * means.std(ddof=1) / np.sqrt(len(means))
    return means.mean() - half, means.mean() + half


@pytest.mark.parametrize(("load", "servers"), [(0.7, 1), (2.0, 3), (7.5, 10)])
def test_without_travel_the_queue_is_erlangs(load: float, servers: int) -> None:
    calls = poisson_calls(load, 60_000, seed=3)
    still = np.zeros((len(calls.at_s), servers))
    told = simulate(calls, still, nearest(still))
    low, high = batch_interval((told.wait_s > 0).astype(float))
    assert low <= erlang_c(load, servers) <= high
    mean_s = erlang_c(load, servers) * 100.0 / (servers - load)
    low, high = batch_interval(told.wait_s)
    assert low <= mean_s <= high


@pytest.mark.parametrize(("load", "servers"), [(1.0, 1), (2.0, 3), (9.0, 10)])
def test_without_a_queue_the_losses_are_erlangs(load: float, servers: int) -> None:
    calls = poisson_calls(load, 60_000, seed=5)
    still = np.zeros((len(calls.at_s), servers))
    told = simulate(calls, still, nearest(still), queued=False)
    low, high = batch_interval((told.unit < 0).astype(float))
    assert low <= erlang_b(load, servers) <= high
    assert told.lost == (told.unit < 0).sum()


def test_the_nearest_free_unit_goes_and_travels_both_ways() -> None:
    calls = Calls(np.array([0.0, 10.0, 20.0]), np.full(3, 50.0), np.ones(3, np.intp))
    travel_s = np.array([[30.0, 60.0], [30.0, 60.0], [30.0, np.inf]])
    told = simulate(calls, travel_s, nearest(travel_s), turnout_s=5.0)
    assert told.unit.tolist() == [0, 1, 0]
    assert told.response_s.tolist() == [35.0, 65.0, 115.0 - 20.0 + 35.0]


def test_the_more_urgent_call_is_served_first() -> None:
    calls = Calls(np.array([0.0, 1.0, 2.0]), np.full(3, 100.0), np.array([2, 2, 1]))
    still = np.zeros((3, 1))
    assert simulate(calls, still, nearest(still)).wait_s.tolist() == [0.0, 199.0, 98.0]


def test_where_nobody_can_come_a_call_is_late_for_ever_and_counted() -> None:
    calls = Calls(np.zeros(1), np.ones(1), np.ones(1, np.intp))
    nowhere = np.full((1, 2), np.inf)
    told = simulate(calls, nowhere, nearest(nowhere))
    assert (told.lost, told.response_s.tolist()) == (1, [np.inf])
    assert share_within(told.response_s, 300).value == 0.0


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 10_000))
def test_no_unit_is_in_two_places_and_no_call_is_forgotten(count: int, units: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    calls = Calls(
        np.sort(chance.uniform(0, 1000, count)), chance.uniform(1, 300, count), chance.integers(1, 4, count)
    )
    travel_s = chance.uniform(1, 200, (count, units))
    told = simulate(calls, travel_s, nearest(travel_s))
    assert told.lost == 0
    assert (told.wait_s >= 0).all()
    for unit in range(units):
        mine = np.flatnonzero(told.unit == unit)
        begins = calls.at_s[mine] + told.wait_s[mine]
        ends = begins + 2 * travel_s[mine, unit] + calls.work_s[mine]
        order = np.argsort(begins)
        assert (begins[order][1:] >= ends[order][:-1] - 1e-6).all()


def test_wilson_is_the_published_interval() -> None:
    """65 of 66 and 650 of 660: the same 98.48 %, not the same knowledge."""
    few, many = wilson(65, 66), wilson(650, 660)
    assert (round(few.low, 3), round(few.high, 3)) == (0.919, 0.997)
    assert (round(many.low, 3), round(many.high, 3)) == (0.972, 0.992)
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_a_paired_interval_is_students() -> None:
    mean, _low, high = paired(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert (mean, round(high - mean, 3)) == (3.0, pytest.approx(1.963, abs=0.02))
    assert paired(np.array([1.0]))[1:] == (-np.inf, np.inf)


def test_the_calibrated_interval_holds_what_it_promises() -> None:
    chance = np.random.default_rng(7)
    way_m = chance.uniform(50, 5000, 4000)
    seconds = 20 * (way_m + 500) ** 0.35 * chance.lognormal(0, 0.3, 4000)
    law = calibrate(way_m[:2000], seconds[:2000])
    low, high = law.interval_s(way_m[2000:])
    inside = ((seconds[2000:] >= low) & (seconds[2000:] <= high)).mean()
    assert inside == pytest.approx(0.8, abs=0.03)
    assert law.b == pytest.approx(0.35, abs=0.03)
