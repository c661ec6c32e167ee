"""A clock that is off is told, and told no more when it is right; a late delivery is no wrong clock."""

from __future__ import annotations

import numpy as np
import pytest

from anshang.crowds.clocks import Clocks

NOW = 1_800_000_000_000


def told(lags_s: list[float | None], every_s: float = 10.0) -> float | None:
    """The skew of a counter of 10 s after words that lag by so much (None: nothing came)."""
    clocks = Clocks(np.array([10_000.0, 10_000.0]), 3000.0)
    now_ms = NOW
    for lag_s in lags_s:
        now_ms += round(every_s * 1000)
        if lag_s is not None:
            clocks.hear(now_ms, np.array([0]), np.array([now_ms - round(lag_s * 1000)]))
    mine_s, other_s = clocks.skew_s(now_ms).tolist()
    assert np.isnan(other_s), "the other one never spoke"
    return None if np.isnan(mine_s) else round(mine_s, 1)


@pytest.mark.parametrize(
    ("lags_s", "skew_s"),
    [
        ([2.0] * 5, None),
        ([-100.0], None),
        ([-150.0], 150.0),
        ([-150.0, 1.0], None),
        ([600.0] * 2, None),
        ([600.0, 602.0, 599.0], -599.0),
        ([600.0] * 3 + [3.0], None),
        ([900.0, 700.0, 500.0, 300.0], None),
        ([600.0] * 5 + [None] * 4, None),
    ],
    ids=[
        "prompt", "a little ahead", "ahead", "set right", "late twice", "slow", "slow and set right",
        "a delivery that catches up", "slow and then silent",
    ],
)  # fmt: skip
def test_a_clock_is_judged_by_its_words(lags_s: list[float | None], skew_s: float | None) -> None:
    assert told(lags_s) == skew_s
