"""A smooth curve through points that never overshoots them: monotone piecewise cubic interpolation (PCHIP).

Units: the caller's. Method: Fritsch and Butland's weighted harmonic mean of neighbouring slopes, one-sided
three-point slopes at the ends (Moler, Numerical Computing with MATLAB, 3.6). Complexity: O(curves · points).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


def monotone_cubic(x: Reals, y: Reals, at: Reals) -> Reals:
    """The curves through (x, y) at `at`: x (n ≥ 3, growing), y (…, n), at (m) within x; answer (…, m)."""
    widths = np.diff(x)
    slopes = np.diff(y) / widths
    tangents = _tangents(widths, slopes)
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(widths) - 1)
    width, along = widths[piece], at - x[piece]
    slope, left, right = slopes[..., piece], tangents[..., piece], tangents[..., piece + 1]
    quadratic = (3 * slope - 2 * left - right) / width
    cubic = (left + right - 2 * slope) / width**2
    found: Reals = y[..., piece] + along * (left + along * (quadratic + along * cubic))
    return found


def _tangents(widths: Reals, slopes: Reals) -> Reals:
    """The slope of each curve at its points: flat where it turns, else between the slopes on both sides."""
    before, after = slopes[..., :-1], slopes[..., 1:]
    near, far = 2 * widths[1:] + widths[:-1], widths[1:] + 2 * widths[:-1]
    turns = before * after <= 0
    weighed = near / np.where(turns, 1.0, before) + far / np.where(turns, 1.0, after)
    inner = np.where(turns, 0.0, (near + far) / weighed)
    first = _end(widths[0], widths[1], slopes[..., 0], slopes[..., 1])
    last = _end(widths[-1], widths[-2], slopes[..., -1], slopes[..., -2])
    return np.concatenate([first[..., None], inner, last[..., None]], axis=-1)


def _end(width: float, next_width: float, slope: Reals, next_slope: Reals) -> Reals:
    """The slope at an end, kept from leaving the side of its own piece."""
    found = ((2 * width + next_width) * slope - width * next_slope) / (width + next_width)
    found = np.where(np.sign(found) != np.sign(slope), 0.0, found)
    steep = (np.sign(slope) != np.sign(next_slope)) & (np.abs(found) > 3 * np.abs(slope))
    kept: Reals = np.where(steep, 3 * slope, found)
    return kept
