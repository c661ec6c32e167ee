"""The level of one zone: rises fast, falls slowly, never skips downward, never normal when unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anshang.crowds.levels import LevelState
from anshang.crowds.model import MOVING, STANDING, Level, LevelRules
from anshang.foundation.errors import BadInput

START = LevelState(Level.NORMAL, 0.0, known=True)


def after(
    densities: list[float | None], every_s: float = 10.0, state: LevelState = START, **told: bool
) -> LevelState:
    """The state after each density has been told, `every_s` apart."""
    now_s = state.since_s
    for density in densities:
        now_s += every_s
        state = state.after(density, now_s, MOVING, **told)
    return state


@pytest.mark.parametrize(("density", "level", "wait_s"), [(1.0, 1, 60), (2.0, 2, 60), (3.0, 3, 30)])
def test_a_level_is_reached_at_its_rise_once_it_has_lasted(density: float, level: int, wait_s: int) -> None:
    rounds = wait_s // 10
    assert after([density] * rounds).level < level
    assert after([density] * (rounds + 1)).level == level


def test_standing_space_bears_more() -> None:
    assert START.after(1.4, 10, STANDING).above_since_s[0] is None
    assert MOVING.rises == (1.0, 2.0, 3.0, 4.0)
    assert STANDING.rises == (1.5, 3.0, 4.0, 5.0)


def test_a_moment_below_the_rise_begins_the_wait_anew() -> None:
    assert after([2.0] * 6 + [1.9] + [2.0] * 6).level < 2
    assert after([2.0] * 6 + [1.9] + [2.0] * 7).level == 2


def test_levels_may_be_skipped_upward() -> None:
    assert after([3.5] * 4).level is Level.ALERT


def test_level_4_comes_at_once_with_a_second_source() -> None:
    assert after([4.0], second_source=True).level is Level.SERIOUS


def test_level_4_waits_for_a_second_source_or_a_person() -> None:
    waiting = after([4.2] * 5)
    assert (waiting.level, waiting.pending) == (Level.ALERT, Level.SERIOUS)
    confirmed = replace(waiting, confirmed=True).after(4.2, 100, MOVING)
    assert (confirmed.level, confirmed.pending) == (Level.SERIOUS, None)


def test_a_confirmation_counts_also_when_the_density_has_eased_a_little_meanwhile() -> None:
    waiting = replace(after([4.2] * 5), confirmed=True)
    assert waiting.after(3.8, 100, MOVING).level is Level.SERIOUS
    over = waiting.after(2.9, 100, MOVING)
    assert (over.level, over.pending, over.confirmed) == (Level.ALERT, None, False)


def test_what_was_confirmed_once_is_confirmed_anew_the_next_time() -> None:
    state = replace(after([4.2] * 5), confirmed=True).after(4.2, 100, MOVING)
    fallen = after([2.0] * 70, state=replace(state, may_fall=True))
    assert (fallen.level, fallen.confirmed, fallen.may_fall) == (Level.ALERT, False, False)
    again = fallen.after(4.5, 2000, MOVING)
    assert (again.level, again.pending) == (Level.ALERT, Level.SERIOUS)


def test_a_crowd_that_rises_again_must_be_let_fall_again() -> None:
    serious = replace(after([4.5], second_source=True), may_fall=True)
    assert after([4.5, 3.5, 3.0], state=serious).may_fall, "easing, or still as dense, takes nothing back"
    assert not after([4.5, 3.5, 4.1], state=serious).may_fall


def test_silence_takes_nothing_back_that_waits_or_was_said() -> None:
    waiting = after([4.2] * 5 + [None] * 3)
    assert (waiting.known, waiting.pending) == (False, Level.SERIOUS)
    assert waiting.after(2.0, 200, MOVING).pending is None


def test_what_waited_to_be_confirmed_is_forgotten_when_the_density_falls() -> None:
    assert after([4.2] * 5 + [2.9]).pending is None


def test_what_waits_to_be_confirmed_does_not_flicker_about_the_limit() -> None:
    """Each change would tell the officer anew and start the clock anew: a flood."""
    state = after([4.005] * 5)
    for density in (3.995, 4.005) * 60:
        state = after([density], state=state)
        assert state.pending is Level.SERIOUS


def test_level_4_does_not_fall_without_a_person() -> None:
    serious = after([4.5], second_source=True)
    assert after([0.5] * 1000, state=serious).level is Level.SERIOUS
    allowed = replace(serious, may_fall=True)
    assert after([0.5] * 60, state=allowed).level is Level.SERIOUS
    assert after([0.5] * 61, state=allowed).level is Level.ALERT


def test_a_level_falls_one_by_one_each_after_its_own_time() -> None:
    state = after([3.5] * 4)
    levels = []
    for number in range(100):
        state = state.after(0.2, 50 + 10 * number, MOVING)
        levels.append(int(state.level))
    assert [levels.count(level) for level in (3, 2, 1, 0)] == [30, 30, 30, 10]  # 300 s each


def test_between_fall_and_rise_nothing_changes() -> None:
    state = after([2.5] * 7)
    assert {after([1.7, 1.99] * 200, state=state).level} == {Level.CAUTION}


def test_silence_is_unknown_and_keeps_the_level() -> None:
    state = after([2.5] * 7 + [None] * 100)
    assert (state.known, state.level) == (False, Level.CAUTION)
    back = state.after(0.1, 5000, MOVING)
    assert (back.known, back.level) == (True, Level.CAUTION)
    assert after([0.1] * 29, state=back).level is Level.CAUTION


densities = st.lists(st.one_of(st.none(), st.floats(0, 12)), max_size=300)


@given(densities)
def test_a_level_never_falls_by_more_than_one_at_a_time(told: list[float | None]) -> None:
    state, now_s = START, 0.0
    for density in told:
        now_s += 120
        later = state.after(density, now_s, MOVING, second_source=True)
        assert later.level >= state.level - 1
        state = later


@given(st.lists(st.floats(0, 0.99), max_size=200))
def test_a_free_street_is_never_above_normal(told: list[float]) -> None:
    assert after(list(told), second_source=True).level is Level.NORMAL


@given(densities)
def test_level_4_is_never_reached_without_a_second_source_or_a_person(told: list[float | None]) -> None:
    assert after(told).level < Level.SERIOUS


@given(densities)
def test_unknown_is_known_to_be_unknown(told: list[float | None]) -> None:
    assert after([*told, None]).known is False


@pytest.mark.parametrize(
    "rules",
    [
        LevelRules((1, 1, 3, 4), (0.5, 0.8, 2, 3)),
        LevelRules((1, 2, 3, 4), (1, 1.5, 2, 3)),
        LevelRules((1, 2, 3, 4), (0.8, 0.7, 2, 3)),
        LevelRules((0, 2, 3, 4), (0.8, 1.5, 2, 3)),
        LevelRules((1, 2, 3, 13), (0.8, 1.5, 2, 3)),
        LevelRules((1, 2, 3, 4), (0.8, 1.5, 2, 3), rise_after_s=(-1, 0, 0, 0)),
    ],
)
def test_rules_that_contradict_themselves_are_refused(rules: LevelRules) -> None:
    with pytest.raises(BadInput):
        rules.check()
    MOVING.check()
    STANDING.check()
