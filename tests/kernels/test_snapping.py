"""From positions to streets: known answers, and shapely as a peer."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from anshang.kernels.snapping import FAR_M, index_streets, ragged, snap

LINES = [[(0.0, 0.0), (100.0, 0.0), (100.0, 100.0)], [(0.0, 50.0), (60.0, 50.0)]]
metres = st.floats(-800, 800).map(lambda m: round(m, 1))


def indexed(lines: list[list[tuple[float, float]]]) -> object:
    first = np.cumsum([0, *map(len, lines)])
    return index_streets(np.array([p for line in lines for p in line]), first)


def test_a_position_beside_a_street_is_on_it() -> None:
    found = snap(indexed(LINES), np.array([[50.0, 8.0], [110.0, 50.0], [20.0, 45.0]]))
    assert found.edge.tolist() == [0, 0, 1]
    assert found.along == pytest.approx([0.25, 0.75, 1 / 3])
    assert found.off_m == pytest.approx([8, 10, 5])
    assert len(found) == 3


def test_between_two_streets_as_near_the_first_is_taken() -> None:
    found = snap(indexed(LINES), np.array([[30.0, 25.0]]))
    assert (found.edge[0], found.off_m[0]) == (0, 25)


def test_too_far_or_nowhere_is_on_no_street() -> None:
    found = snap(indexed(LINES), np.array([[0.0, -FAR_M - 1], [np.nan, 0.0], [np.inf, 3.0], [5e6, -5e6]]))
    assert found.edge.tolist() == [-1] * 4
    assert np.isinf(found.off_m).all()


def test_a_car_is_put_on_a_street_for_cars() -> None:
    found = snap(indexed(LINES), np.array([[20.0, 48.0]]), passable=np.array([True, False]))
    assert (found.edge[0], found.off_m[0]) == (0, 48)


def test_some_of_the_places_can_be_taken() -> None:
    found = snap(indexed(LINES), np.array([[50.0, 8.0], [20.0, 45.0]]))
    assert found.taken(np.array([False, True])).edge.tolist() == [1]
    assert ragged(np.array([4, 9]), np.array([2, 3])).tolist() == [4, 5, 9, 10, 11]
    assert ragged(np.empty(0, np.intp), np.empty(0, np.intp)).tolist() == []


def test_no_positions_are_no_places() -> None:
    assert len(snap(indexed(LINES), np.empty((0, 2)))) == 0


@given(
    st.lists(
        st.lists(st.tuples(metres, metres), min_size=2, max_size=5, unique=True), min_size=1, max_size=8
    ),
    st.lists(st.tuples(metres, metres), min_size=1, max_size=8),
)
def test_the_nearest_street_is_the_one_that_shapely_finds(
    lines: list[list[tuple[float, float]]], points: list[tuple[float, float]]
) -> None:
    found = snap(indexed(lines), np.array(points))
    shapes = [shapely.LineString(line) for line in lines]
    for number, point in enumerate(map(shapely.Point, points)):
        least_m = min(shape.distance(point) for shape in shapes)
        if least_m < FAR_M - 1e-6:
            shape = shapes[found.edge[number]]
            assert found.off_m[number] == pytest.approx(least_m, abs=1e-6)
            place = shape.interpolate(float(found.along[number]), normalized=True)
            assert place.distance(point) == pytest.approx(least_m, abs=1e-5)
        elif least_m > FAR_M + 1e-6:
            assert found.edge[number] == -1
