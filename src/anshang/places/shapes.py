"""Carries the shapes of a whole place between degrees and local metres in one go, which makes it fast."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import numpy as np

from anshang.kernels.geometry import Points
from anshang.places.model import Rings


def carried(shapes: Sequence[Rings], by: Callable[[Points], Points]) -> list[Rings]:
    """Every shape with `by` applied to its positions; `by` is called once with all of them, shape (n, 2)."""
    flat = flattened(shapes)
    if not len(flat):
        return list(shapes)
    moved = iter([(x, y) for x, y in by(flat).tolist()])
    return [tuple(tuple(islice(moved, len(line))) for line in rings) for rings in shapes]


def flattened(shapes: Iterable[Rings]) -> Points:
    """All positions of the shapes in order, shape (n, 2)."""
    return np.array([position for rings in shapes for line in rings for position in line], float).reshape(
        -1, 2
    )
