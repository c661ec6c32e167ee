"""Which sensors' clocks are off, judged by how their newest words stand to the instant at which they come.

A word from the future can only be a clock that is ahead. One from the past may be a late delivery, which
catches up; a word that lags as much three times in a row is a clock that is slow, or a line that is always
late, and the same to whoever watches. Arrays are indexed by sensor (S); milliseconds. Pure.
"""

from __future__ import annotations

import numpy as np

from anshang.crowds.occupancy import NEVER_MS, Floats, Ints

SKEW_MS = 120_000
STEADY_MS = 30_000.0
TIMES = 3


class Clocks:
    """By how much each sensor's clock is off, NaN where it is right."""

    def __init__(self, period_ms: Floats, grace_ms: float) -> None:
        count = len(period_ms)
        self._patience_ms = 2 * period_ms + grace_ms
        self._grace_ms = grace_ms
        self._ahead_ms = np.zeros(count)
        self._lags = np.zeros(count, np.int64)
        self._off_ms = np.full(count, np.nan)
        self._came_ms = np.full(count, NEVER_MS, np.int64)

    def hear(self, now_ms: int, sensor: Ints, at_ms: Ints) -> None:
        """Judge the rows (N) that came just now."""
        newest_ms = np.full(len(self._lags), NEVER_MS, np.int64)
        np.maximum.at(newest_ms, sensor, at_ms)
        heard = np.flatnonzero(newest_ms > NEVER_MS)
        ahead_ms = (newest_ms[heard] - now_ms).astype(float)
        behind = ahead_ms < -(SKEW_MS + self._grace_ms)
        steady = np.abs(ahead_ms - self._ahead_ms[heard]) <= max(STEADY_MS, self._grace_ms)
        self._lags[heard] = np.where(behind, np.where(steady, self._lags[heard] + 1, 1), 0)
        off = (ahead_ms > SKEW_MS) | (self._lags[heard] >= TIMES)
        self._off_ms[heard] = np.where(off, ahead_ms, np.nan)
        self._ahead_ms[heard], self._came_ms[heard] = ahead_ms, now_ms

    def skew_s(self, now_ms: int) -> Floats:
        """By how many seconds each clock (S) is ahead (negative: behind), NaN when right or silent."""
        speaks = self._came_ms >= now_ms - self._patience_ms
        return np.where(speaks, self._off_ms / 1000, np.nan)
