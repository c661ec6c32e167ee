"""Where somebody may be, and what a look that found nobody says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anshang.kernels.search import Ground, Looks, after, ask_next, send_next, spread

seeds = st.integers(0, 10_000)


def ground(seed: int, n: int = 40) -> Ground:
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.uniform(0, 900, n))
    seconds[0] = 0
    return Ground(seconds, rng.uniform(0.2, 2, n), rng.random(n) < 0.2)


def looks(seed: int, n: int = 40) -> Looks:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 30))
    return Looks(rng.integers(0, n, k), rng.uniform(0, 900, k), rng.uniform(0, 0.95, k))


@given(seeds, st.floats(0, 7_200), st.floats(0.2, 1.2))
def test_somewhere_she_is_and_nowhere_farther_than_she_can_have_walked(
    seed: int, elapsed_s: float, pace: float
) -> None:
    places = ground(seed)
    chance = spread(places, elapsed_s, pace)
    assert chance.sum() == pytest.approx(1)
    assert (chance >= 0).all()
    beyond = places.seconds > elapsed_s * pace
    if not beyond.all():
        assert chance[beyond].sum() == 0


@given(seeds, st.floats(60, 3_600))
def test_a_look_never_raises_the_place_that_was_searched_over_one_that_was_not(
    seed: int, now_s: float
) -> None:
    before = spread(ground(seed), now_s, 0.6)
    seen = looks(seed)
    told = after(before, seen, now_s)
    assert told.sum() == pytest.approx(1)
    untouched = np.setdiff1d(np.arange(40), seen.place)
    for place in np.unique(seen.place):
        for other in untouched[before[untouched] > 0][:3]:
            assert told[place] * before[other] <= told[other] * before[place] * (1 + 1e-9)


@given(seeds, st.floats(60, 3_600))
def test_one_look_at_one_place_never_raises_it(seed: int, now_s: float) -> None:
    before = spread(ground(seed), now_s, 0.6)
    for place in range(0, 40, 7):
        told = after(before, Looks(np.array([place]), np.array([now_s]), np.array([0.8])), now_s)
        assert told[place] <= before[place] + 1e-12


def test_where_there_is_no_place_there_is_no_probability() -> None:
    nowhere = Ground(np.zeros(0), np.zeros(0), np.zeros(0, bool))
    assert spread(nowhere, 60.0, 1.0).tolist() == []


def test_a_small_answer_worked_out_by_hand() -> None:
    told = after(np.array([0.5, 0.3, 0.2]), Looks(np.array([0]), np.array([100.0]), np.array([0.8])), 100.0)
    np.testing.assert_allclose(told, np.array([0.1, 0.3, 0.2]) / 0.6)


def test_a_look_says_half_as_much_after_ten_minutes() -> None:
    told = after(np.array([0.5, 0.5]), Looks(np.array([0]), np.array([0.0]), np.array([0.8])), 600.0)
    np.testing.assert_allclose(told, np.array([0.6, 1.0]) / 1.6)


def test_when_everything_was_searched_in_vain_nothing_is_ruled_out() -> None:
    before = np.array([0.5, 0.5])
    told = after(before, Looks(np.array([0, 1]), np.zeros(2), np.ones(2)), 0.0)
    np.testing.assert_allclose(told, before)


def test_what_attracts_is_likelier_than_what_does_not_at_the_same_distance() -> None:
    places = Ground(np.array([0.0, 60, 60]), np.array([1.0, 2.0, 0.5]), np.zeros(3, bool))
    chance = spread(places, 300, 0.6)
    assert chance[1] == pytest.approx(4 * chance[2])


def test_the_likeliest_are_asked_until_they_hold_enough_and_nobody_twice() -> None:
    chance = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
    nobody = np.zeros(5, bool)
    assert ask_next(chance, nobody, 0.65, 9).tolist() == [0, 1]
    assert ask_next(chance, nobody, 0.95, 2).tolist() == [0, 1]
    asked = np.array([True, False, False, False, False])
    assert ask_next(chance, asked, 0.85, 9).tolist() == [1, 2]
    assert ask_next(chance, asked, 0.3, 9).tolist() == []
    assert ask_next(chance, nobody, 1.0, 9).tolist() == [0, 1, 2, 3]


def test_two_units_are_not_sent_to_one_place_and_the_nearer_one_goes() -> None:
    chance, finds = np.array([0.6, 0.3, 0.1]), np.full(3, 0.8)
    travel_s = np.array([[300.0, 60, 60], [30, 300, 300]])
    place, gain = send_next(chance, travel_s, finds, 90)
    assert place.tolist() == [1, 0]
    assert gain == pytest.approx([0.3 * 0.8 / 150 * 60, 0.6 * 0.8 / 120 * 60])


def test_nobody_is_sent_where_there_is_no_way() -> None:
    place, gain = send_next(np.array([1.0]), np.array([[np.inf]]), np.ones(1), 90)
    assert (place.tolist(), gain.tolist()) == ([-1], [0.0])
