"""Figures of skill against values worked out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anshang.kernels import skill
from anshang.kernels.conformal import factors, widened
from anshang.kernels.quantiles import ALIKE, LEVELS, MEDIAN, chance_by, scores_of


def test_a_point_said_at_every_level_costs_its_absolute_error() -> None:
    said = np.full((2, 9), 10.0)
    assert skill.weighted_quantile_loss(said, np.array([14.0, 6.0])) == pytest.approx(8 / 20)


def test_nobody_at_all_has_no_weighted_loss() -> None:
    assert np.isnan(skill.weighted_quantile_loss(np.zeros((2, 9)), np.zeros(2)))


def test_average_precision_of_a_known_order() -> None:
    chance, came = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    assert skill.average_precision(chance, came) == pytest.approx((1 + 2 / 3) / 2)
    assert skill.average_precision(np.full(4, 0.5), came) == pytest.approx(0.5)
    assert np.isnan(skill.average_precision(chance, np.zeros(4, bool)))


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 5))
def test_runs_hold_every_true_step_and_lie_further_apart_than_the_gap(flags: list[bool], gap: int) -> None:
    found = skill.runs(np.array(flags, bool), gap)
    held = {step for first, end in found for step in range(first, end)}
    assert {step for step, flag in enumerate(flags) if flag} <= held
    assert all(flags[first] and flags[end - 1] for first, end in found)
    assert all(b[0] - a[1] > gap for a, b in itertools.pairwise(found))


def flags(length: int, *on: int) -> np.ndarray:
    found = np.zeros(length, bool)
    found[list(on)] = True
    return found


def test_a_warning_in_time_hits_and_has_its_lead() -> None:
    told = skill.tally(flags(20, 8, 9), flags(20, 10, 11), ahead=2, gap=1, slack=0)
    assert (told.onsets, told.warned, told.episodes, told.false, told.leads) == (1, 1, 1, 0, (2,))


def test_a_warning_that_came_too_late_does_not_count_but_is_not_false() -> None:
    told = skill.tally(flags(20, 9, 10), flags(20, 10, 11, 12), ahead=2, gap=1, slack=0)
    assert (told.warned, told.false) == (0, 0)


def test_a_warning_of_nothing_is_false_once_however_long_it_stands() -> None:
    told = skill.tally(flags(30, 3, 4, 5, 6, 20), flags(30), ahead=1, gap=1, slack=1)
    assert (told.onsets, told.episodes, told.false) == (0, 2, 2)


def test_persistence_asks_for_steps_in_a_row() -> None:
    chance = np.array([0.9, 0.1, 0.9, 0.9, 0.9, np.nan, 0.9])
    assert skill.persisted(chance, 0.5, 2).tolist() == [False, False, False, True, True, False, False]


def test_widths_are_stretched_until_the_promise_holds() -> None:
    rng = np.random.default_rng(3)
    said = np.tile(np.array([-0.2, -0.13, -0.05, 0, 0.05, 0.13, 0.2]), (20_000, 1))
    came = rng.normal(0, 0.2, 20_000)
    by = factors(said, came)
    wide = widened(said, by)
    for place, level in enumerate(LEVELS):
        assert np.mean(came <= wide[:, place]) == pytest.approx(level, abs=0.015)
    assert by[MEDIAN] == 1


def test_too_few_outcomes_correct_nothing() -> None:
    assert (factors(np.zeros((3, len(LEVELS))), np.ones(3)) == 1).all()


def test_the_chance_of_any_instant_lies_between_the_highest_and_their_sum_and_keeps_a_single_one() -> None:
    chances = np.array([[0.2, 0.3, 0.3, 0.3], [0.0, 0.7, 0.0, 0.0], [0.01, 0.01, 0.01, 0.01], [1, 0, 0, 0]])
    by = chance_by(chances)
    assert (np.diff(by, axis=1) >= 0).all()
    assert (by >= np.maximum.accumulate(chances, axis=1)).all()
    assert (by[0] < np.cumsum(chances[0]) + 1e-9).all()
    assert 0.38 < by[0, -1] < 0.5
    assert by[1].tolist() == pytest.approx([0, 0.7, 0.7, 0.7], abs=0.002)
    assert by[3].tolist() == [1, 1, 1, 1]


def test_a_walk_is_over_within_the_hour_as_often_as_its_chances_say() -> None:
    """Errors that are as alike as said: what comes is told by the four chances alone."""
    rng = np.random.default_rng(3)
    walk = rng.normal(size=(20_000, 4))
    for place in range(1, 4):
        walk[:, place] = ALIKE * walk[:, place - 1] + np.sqrt(1 - ALIKE**2) * walk[:, place]
    limit = scores_of([0.9, 0.8, 0.7, 0.75])
    came = np.logical_or.accumulate(walk >= limit, axis=1).mean(axis=0)
    assert chance_by(np.array([[0.1, 0.2, 0.3, 0.25]]))[0] == pytest.approx(came, abs=0.02)
