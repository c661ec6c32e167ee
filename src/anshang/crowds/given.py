"""What an engine gives out to other threads after each step; nothing of it is written to again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from anshang.crowds.occupancy import NEVER_MS, Bools, Floats, Ints
from anshang.foundation import clock

ZoneFigures = tuple[str, float | None, float | None, float | None, float | None, int | None]
"""Zone id, people, low, high, density (people per m²), level."""


class SensorFigures(NamedTuple):
    """How every sensor (S) was at the last whole step: when its newest row was (ms), by how many seconds its
    clock is ahead (NaN: right), whether it speaks, contradicts others, or is taken for dead.
    """

    last_ms: Ints
    skew_s: Floats
    active: Bools
    disagrees: Bools
    dead: Bools

    def of(self, index: int) -> dict[str, Any]:
        """State of one (ok, silent, dead, skewed, disagrees, never), when it spoke last, skew (s)."""
        if self.last_ms[index] == NEVER_MS:
            return {"state": "never"}
        skew_s = None if np.isnan(self.skew_s[index]) else round(float(self.skew_s[index]), 1)
        state = "ok" if self.active[index] else "silent"
        if self.disagrees[index]:
            state = "disagrees"
        if self.dead[index]:
            state = "dead"
        if skew_s is not None:
            state = "skewed"
        return {"state": state, "last_at": clock.from_ms(int(self.last_ms[index])), "skew_s": skew_s}


class Given(NamedTuple):
    """What the last whole step found: figures by zone, densities (Z), people in all zones, sensors."""

    zones: dict[str, dict[str, Any]]
    densities: Floats
    total: dict[str, int | None]
    sensors: SensorFigures

    def zone_figures(self) -> list[ZoneFigures]:
        """What is kept each minute; None where unknown."""
        return [
            (id, of["people"], of["low"], of["high"], of["density"], of["level"])
            for id, of in self.zones.items()
        ]

    @property
    def unsure(self) -> float:
        """How many people more or fewer there may be in all zones that are known."""
        people, high = self.total["people"], self.total["high"]
        return 0.0 if people is None or high is None else float(high - people)
