"""Readings that no crowd makes."""

from __future__ import annotations

import numpy as np
from tests.kernels.forecasts import street

from anshang.kernels.faults import impossible, stuck


def test_a_sensor_that_sticks_is_seen_after_a_while_and_only_from_then_on() -> None:
    counts, grid = street(10)
    counts[1, 100:140] = 57
    found = stuck(counts, grid.step_s)
    assert not found[1, :112].any()
    assert found[1, 112:140].all()
    assert not found[0].any()
    assert not found[1, 141:].any()


def test_an_empty_night_is_no_sensor_that_sticks() -> None:
    assert not stuck(np.zeros((1, 500)), 300).any()


def test_one_reading_of_a_thousand_million_is_none_and_a_great_night_is_one() -> None:
    counts, _ = street(20)
    counts[0, 300] = 1e9
    counts[1, 310] = counts[1].max() * 6
    found = impossible(counts, 240)
    assert found[0, 300]
    assert found.sum() == 1


def test_a_sensor_never_seen_before_is_not_judged() -> None:
    counts = np.full((1, 50), np.nan)
    counts[0, 40:] = 500
    assert not impossible(counts, 30).any()
