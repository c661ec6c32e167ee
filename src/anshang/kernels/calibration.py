"""Travel times learnt from what was recorded: how long a way of a length takes, and how far off that may be.

Units: metres in, seconds out. Model: log t = a + b · log(d + d₀), least squares; the spread is the empirical
quantiles of the residuals, so that nothing is assumed of their shape. Source of the form: Kolesar and Blum's
observation that time grows like the root of short ways and evenly with long ones. Complexity: O(n log n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anshang.kernels.snapping import Reals

NEAR_M = 500.0
"""Added to every way: whoever is next door has to set out too."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted law and the residual quantiles (of the logarithm) between which a share of times lies."""

    a: float
    b: float
    low: float
    high: float

    def expected_s(self, distance_m: Reals) -> Reals:
        """The median time for ways of these lengths."""
        found: Reals = np.exp(self.a + self.b * np.log(distance_m + NEAR_M))
        return found

    def interval_s(self, distance_m: Reals) -> tuple[Reals, Reals]:
        """Between which times the share of all lies."""
        expected_s = self.expected_s(distance_m)
        return expected_s * np.exp(self.low), expected_s * np.exp(self.high)


def calibrate(distance_m: Reals, seconds: Reals, share: float = 0.8) -> Calibration:
    """Fit the law to n ways and their times (both positive); `share` of times shall lie in the interval."""
    x, y = np.log(distance_m + NEAR_M), np.log(seconds)
    b = float(((x - x.mean()) * (y - y.mean())).sum() / max(((x - x.mean()) ** 2).sum(), 1e-12))
    a = float(y.mean() - b * x.mean())
    residual = y - a - b * x
    middle = float(np.median(residual))
    low, high = np.quantile(residual - middle, [(1 - share) / 2, (1 + share) / 2]).tolist()
    return Calibration(a + middle, b, low, high)
