"""Intervals that hold what they promise: widths corrected by how often recent ones held.

For each horizon and level a factor stretches the distance from the median so that, of recent forecasts, the
promised share lay below. Only forecasts whose outcome is known enter. Shapes: n past forecasts, L levels.
Source of the form: conformalised quantile regression (Romano, Patterson and Candès, 2019), the correction
made a factor so that a busy hour is widened more than a quiet one. Complexity: n log n for each level.
"""

from __future__ import annotations

import numpy as np

from anshang.kernels.daygrid import Reals
from anshang.kernels.quantiles import LEVELS, MEDIAN

FACTOR_MIN, FACTOR_MAX = 0.5, 6.0
ENOUGH = 50
"""With fewer past forecasts nothing is corrected."""
DISTANCE_MIN = 1e-3


def factors(deviation: Reals, outcome: Reals) -> Reals:
    """Factors (L,) from forecasts (n, L) at LEVELS and what came, log ratios both."""
    found = np.ones(len(LEVELS))
    if len(outcome) < ENOUGH:
        return found
    middle = deviation[:, MEDIAN]
    for place, level in enumerate(LEVELS):
        if place == MEDIAN:
            continue
        side = 1.0 if level > 0.5 else -1.0
        distance = np.maximum(side * (deviation[:, place] - middle), DISTANCE_MIN)
        share = level if side > 0 else 1 - level
        found[place] = np.quantile(side * (outcome - middle) / distance, share)
    return np.clip(found, FACTOR_MIN, FACTOR_MAX)


def widened(deviation: Reals, by: Reals) -> Reals:
    """Forecasts (n, L), their distances from the median stretched by factors (L,) or (n, L); ascending."""
    middle = deviation[:, MEDIAN : MEDIAN + 1]
    found: Reals = np.sort(middle + by * (deviation - middle), axis=1)
    return found
