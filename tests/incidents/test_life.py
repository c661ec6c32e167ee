"""An incident's life: nothing is made up, a correction is a new word, durations are true across a clock change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import DISTRICT, NIGHT

from anshang.foundation.errors import BadInput, RuleBroken
from anshang.incidents.model import Interval, Life, Moment, Step, Transfer, life_of


def told(step: Step, second: float, id: str = "", corrects: str | None = None) -> Moment:
    at = NIGHT + timedelta(seconds=second)
    return Moment(
        id or f"{step}{second}", DISTRICT, "i", step, at, NIGHT + timedelta(hours=1), "lin", corrects=corrects
    )


CALLED = [told(Step.CALL, 0), told(Step.ANSWERED, 8), told(Step.CLASSIFIED, 30)]


def test_a_step_that_nobody_told_is_missing_and_no_span_is_made_up() -> None:
    life = life_of([*CALLED, told(Step.ON_SCENE, 200)], over=False)
    assert life.missing == (Step.DISPATCHED, Step.ACKNOWLEDGED, Step.MOVING)
    assert (life.span_s(Interval.RESPONSE), life.span_s(Interval.TRAVEL)) == (200, None)
    assert life.span_s(Interval.TOTAL) is None


def test_while_it_goes_on_later_steps_are_not_missing_yet() -> None:
    assert life_of(CALLED, over=False).missing == ()
    assert Step.ON_SCENE in life_of([*CALLED, told(Step.CLEARED, 900)], over=True).missing


def test_a_correction_counts_and_both_words_stay() -> None:
    wrong = told(Step.ON_SCENE, 100, "wrong")
    moments = [*CALLED, wrong, told(Step.ON_SCENE, 140, "right", corrects="wrong")]
    assert life_of(moments, over=False).span_s(Interval.RESPONSE) == 140
    again = [*moments, told(Step.ON_SCENE, 150, "righter", corrects="right")]
    assert life_of(again, over=False).span_s(Interval.RESPONSE) == 150


def test_the_first_unit_counts_and_the_last_end() -> None:
    moments = [*CALLED, told(Step.ON_SCENE, 300), told(Step.ON_SCENE, 200)]
    moments += [told(Step.CLEARED, 600), told(Step.CLEARED, 1200)]
    life = life_of(moments, over=True)
    assert (life.span_s(Interval.RESPONSE), life.span_s(Interval.TOTAL)) == (200, 1200)
    assert life_of(moments, over=False).span_s(Interval.TOTAL) is None, "it was opened again"


def test_steps_out_of_order_are_said_and_give_no_span() -> None:
    life = life_of([*CALLED, told(Step.MOVING, 100), told(Step.ON_SCENE, 90)], over=False)
    assert life.out_of_order == (Step.ON_SCENE,)
    assert life.span_s(Interval.TRAVEL) is None


def test_a_night_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    zone = ZoneInfo("Europe/Helsinki")
    before = datetime(2026, 10, 25, 3, 30, tzinfo=zone, fold=0).astimezone(UTC)
    after = datetime(2026, 10, 25, 3, 30, tzinfo=zone, fold=1).astimezone(UTC)
    moments = [
        Moment("a", DISTRICT, "i", Step.CALL, before, after, "lin"),
        Moment("b", DISTRICT, "i", Step.ON_SCENE, after, after, "lin"),
    ]
    assert life_of(moments, over=False).span_s(Interval.RESPONSE) == 3600


@given(st.lists(st.tuples(st.sampled_from(list(Step)), st.integers(0, 3600)), max_size=30), st.booleans())
def test_a_life_holds_what_was_told_and_nothing_else(steps: list[tuple[Step, int]], over: bool) -> None:
    moments = [told(step, second, str(number)) for number, (step, second) in enumerate(steps)]
    life: Life = life_of(moments, over=over)
    assert set(life.at) | set(life.missing) <= set(Step)
    assert not set(life.at) & set(life.missing)
    assert set(life.at.values()) <= {moment.at for moment in moments}
    for interval in Interval:
        span_s = life.span_s(interval)
        assert span_s is None or span_s >= 0


@pytest.mark.parametrize(("step", "second"), [(Step.ON_SCENE, 3700), (Step.ON_SCENE, -1)])
def test_a_step_in_the_future_or_before_the_call_is_refused(step: Step, second: float) -> None:
    with pytest.raises(BadInput):
        told(step, second).check(NIGHT)
    told(Step.CALL, -60).check(NIGHT)


def test_an_offer_is_answered_once_and_refused_with_a_reason() -> None:
    offer = Transfer("t", DISTRICT, "i", "b", "theirs", NIGHT, "lin")
    with pytest.raises(BadInput):
        offer.answered(False, " ", "wang", NIGHT)
    with pytest.raises(RuleBroken):
        offer.answered(True, "", "wang", NIGHT).answered(False, "no", "wang", NIGHT)
