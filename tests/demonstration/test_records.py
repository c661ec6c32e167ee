"""The recorded counts behind a demonstration."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from anshang.demonstration.records import HOURS_IN_ORDER, Records, load_records, package_folder
from anshang.foundation.errors import BadInput

NEW_YEARS_EVE = date(2024, 12, 31)


@pytest.fixture(scope="module")
def records() -> Records:
    return load_records()


def test_every_day_kept_has_a_full_record(records: Records) -> None:
    assert records.counts.shape == (len(records.days_on), 24, 21)
    assert np.isfinite(records.counts).all()
    assert (records.counts >= 0).all()
    assert (records.counts.sum(axis=1) > 0).all()
    assert len(records.days_on) == 1201
    assert list(records.days_on) == sorted(set(records.days_on))


def test_the_small_hours_under_a_date_belong_to_the_next_calendar_day(records: Records) -> None:
    """Friday's and Saturday's nights are busy: they stand under Friday's and Saturday's dates."""
    small = records.counts[:, 18:22].sum(axis=(1, 2))
    by_weekday = [small[[day.weekday() == n for day in records.days_on]].mean() for n in range(7)]
    assert set(np.argsort(by_weekday)[-2:]) == {4, 5}
    eve = records.counts[records.position_of(NEW_YEARS_EVE)].sum(axis=1)
    assert HOURS_IN_ORDER[int(eve.argmax())] == 0


def test_hours_go_on_into_the_next_recorded_day_and_round_the_end(records: Records) -> None:
    hours = records.hours_from(NEW_YEARS_EVE, 26)
    at = records.position_of(NEW_YEARS_EVE)
    assert (hours[0] == records.counts[at - 1, 23]).all()
    assert (hours[1:25] == records.counts[at]).all()
    assert (hours[25] == records.counts[at + 1, 0]).all()
    last = records.hours_from(records.days_on[-1], 26)
    assert (last[25] == records.counts[0, 0]).all()


@pytest.mark.parametrize("day_on", [date(2025, 1, 1), date(2020, 5, 5), date(2031, 1, 1)])
def test_a_day_without_a_full_record_is_refused_in_both_languages(records: Records, day_on: date) -> None:
    with pytest.raises(BadInput) as refusal:
        records.position_of(day_on)
    assert str(day_on) in refusal.value.en
    assert "完整记录" in refusal.value.zh
    assert refusal.value.details["day_count"] == 1201


def test_a_missing_package_is_named() -> None:
    with pytest.raises(BadInput) as refusal:
        package_folder("no_such_package_here")
    assert "anshang[demo]" in refusal.value.en
