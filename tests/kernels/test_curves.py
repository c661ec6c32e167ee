"""Curves through points: known answers, properties, and SciPy's PCHIP as a peer."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.interpolate import PchipInterpolator

from anshang.kernels.curves import monotone_cubic

COUNTS = arrays(float, (3, 7), elements=st.integers(0, 5000).map(float))


def test_a_curve_goes_through_its_points() -> None:
    x, y = np.array([0.0, 1.0, 3.0, 4.0]), np.array([[5.0, 2.0, 2.0, 9.0]])
    assert np.array_equal(monotone_cubic(x, y, x), y)


def test_a_straight_line_stays_straight() -> None:
    x = np.arange(5.0)
    assert np.allclose(monotone_cubic(x, 3 * x + 1, np.array([0.25, 2.5, 3.9])), [1.75, 8.5, 12.7])


@given(COUNTS)
def test_a_curve_never_leaves_the_range_between_its_neighbours(y: np.ndarray) -> None:
    x = np.arange(7.0)
    at = np.linspace(0, 6, 61)
    low = np.minimum(y[:, :-1], y[:, 1:]).repeat(10, axis=1)
    high = np.maximum(y[:, :-1], y[:, 1:]).repeat(10, axis=1)
    found = monotone_cubic(x, y, at)[:, :-1]
    assert (found >= low - 1e-6).all()
    assert (found <= high + 1e-6).all()


@given(COUNTS, arrays(float, 6, elements=st.integers(1, 9).map(float)))
def test_a_curve_is_the_one_that_scipy_draws(y: np.ndarray, widths: np.ndarray) -> None:
    x = np.concatenate([[0.0], np.cumsum(widths)])
    at = np.linspace(0, x[-1], 50)
    assert np.allclose(monotone_cubic(x, y, at), PchipInterpolator(x, y, axis=1)(at), atol=1e-6)
