"""Recorded evenings that nobody tuned to: the outlook's intervals hold with little history."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks._evenings import tried

from anshang.demonstration.scenes import Scene, wuyi_scene

SEED = 2031
AT_15_30_60 = [0, 1, 3]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return wuyi_scene()


@pytest.mark.slow
@pytest.mark.parametrize("days", [0, 3, 9])
def test_four_of_five_outcomes_lie_inside_the_interval_after_so_many_days(scene: Scene, days: int) -> None:
    figures = tried(scene, 20, days, SEED)
    held = figures.covered80[AT_15_30_60]
    assert ((held >= 0.72) & (held <= 0.88)).all(), held
    assert (figures.error < figures.error_still).all()
    assert np.isfinite(figures.error).all()
