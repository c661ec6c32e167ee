"""Readings that no crowd makes: a sensor that sticks, a number that cannot be. They become gaps, never
guesses.

Shapes: counts (S, T) in people per step, NaN where nobody counted. Each step is judged by it and earlier
ones, the highest possible count by the first `known` steps alone. Complexity: linear.
"""

from __future__ import annotations

import numpy as np

from anshang.kernels.daygrid import Bools, Reals

STUCK_STEPS, STUCK_S = 12, 10_800
"""Alike for that many steps, and that long: a crowd is not."""
FAR_TIMES, FAR_COUNT = 20.0, 200.0
"""A count beyond that many times what 99 of 100 were, and as many people more, is none."""


def stuck(counts: Reals, step_s: int) -> Bools:
    """Steps at which the same count, not zero, has come for STUCK_STEPS steps and STUCK_S seconds."""
    alike = np.zeros(counts.shape, bool)
    alike[:, 1:] = (counts[:, 1:] == counts[:, :-1]) & (counts[:, 1:] != 0)
    step = np.arange(counts.shape[1])
    begun = np.maximum.accumulate(np.where(alike, 0, step), axis=1)
    found: Bools = step - begun >= max(STUCK_STEPS, STUCK_S // step_s)
    return found


def impossible(counts: Reals, known: int) -> Bools:
    """Counts far beyond all that the first `known` steps held."""
    found = np.zeros(counts.shape, bool)
    for place, row in enumerate(counts):
        seen = row[:known][~np.isnan(row[:known])]
        if len(seen):
            with np.errstate(invalid="ignore"):
                found[place] = row > FAR_TIMES * np.quantile(seen, 0.99) + FAR_COUNT
    return found
