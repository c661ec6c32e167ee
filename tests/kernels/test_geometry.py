"""Degrees to local metres and back, and the GCJ-02 offset."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from anshang.kernels.geometry import LocalFrame, gcj02_from_wgs84, holds, wgs84_from_gcj02

METRES_PER_DEGREE = 111_320.0
lons = st.floats(-179, 179)
lats = st.floats(-84, 84)
offsets_m = st.lists(
    st.tuples(st.floats(-50_000, 50_000), st.floats(-50_000, 50_000)), min_size=1, max_size=9
)


@given(lons, lats, offsets_m)
def test_metres_become_degrees_and_metres_again(
    lon: float, lat: float, offsets: list[tuple[float, float]]
) -> None:
    frame = LocalFrame(lon, lat)
    there = np.array(offsets)
    assert np.abs(frame.to_metres(frame.to_degrees(there)) - there).max() < 1e-4


@given(lats, st.floats(0, 50_000), st.floats(0, 360))
def test_local_distances_are_true_to_four_digits(lat: float, distance_m: float, bearing: float) -> None:
    """To a millimetre at least: PROJ takes a centre within 0.3 mm of the equator as on it."""
    lon, end_lat, _ = Geod(ellps="WGS84").fwd(112.9, lat, bearing, distance_m)
    ((x, y),) = LocalFrame(112.9, lat).to_metres(np.array([[lon, end_lat]]))
    assert np.hypot(x, y) == pytest.approx(distance_m, rel=1e-4, abs=1e-3)


def test_the_centre_is_zero_and_axes_point_east_and_north() -> None:
    frame = LocalFrame(112.97, 28.19)
    centre, east, north = frame.to_metres(np.array([[112.97, 28.19], [112.98, 28.19], [112.97, 28.2]]))
    assert np.abs(centre).max() < 1e-6
    assert east[0] > 900
    assert abs(east[1]) < 1
    assert north[1] > 1000
    assert abs(north[0]) < 1e-6


@given(st.floats(73.5, 135), st.floats(18, 53.5))
def test_the_chinese_offset_is_undone_to_a_tenth_of_a_millimetre(lon: float, lat: float) -> None:
    there = np.array([[lon, lat]])
    back = wgs84_from_gcj02(gcj02_from_wgs84(there))
    assert np.abs(back - there).max() * METRES_PER_DEGREE < 1e-4


@given(st.floats(73.5, 135), st.floats(18, 53.5))
def test_the_chinese_offset_is_some_hundred_metres(lon: float, lat: float) -> None:
    moved = gcj02_from_wgs84(np.array([[lon, lat]])) - [[lon, lat]]
    assert 10 < np.hypot(*moved[0]) * METRES_PER_DEGREE < 1500


def test_the_chinese_offset_of_published_pairs() -> None:
    """Shanghai, Shenzhen and Beijing, as the tests of the open implementation eviltransform give them."""
    wgs84 = np.array([[121.5272106, 31.1774276], [113.912316, 22.543847], [116.377817, 39.911954]])
    gcj02 = np.array(
        [
            [121.531541859215, 31.17530398364597],
            [113.9171764808363, 22.540796131694766],
            [116.38404722455657, 39.91334545536069],
        ]
    )
    assert np.abs(gcj02_from_wgs84(wgs84) - gcj02).max() < 1e-9
    assert np.abs(wgs84_from_gcj02(gcj02) - wgs84).max() < 1e-9


def test_nothing_moves_outside_china() -> None:
    helsinki = np.array([[24.94, 60.17], [174.76, -36.85], [139.7, 35.68]])
    assert np.array_equal(gcj02_from_wgs84(helsinki), helsinki)
    assert np.array_equal(wgs84_from_gcj02(helsinki), helsinki)


def test_no_positions_are_no_positions() -> None:
    assert LocalFrame(0, 0).to_metres(np.empty((0, 2))).shape == (0, 2)
    assert wgs84_from_gcj02(np.empty((0, 2))).shape == (0, 2)


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=20), st.integers(3, 9)
)
def test_a_polygon_holds_what_shapely_says_it_holds(points: list[tuple[float, float]], corners: int) -> None:
    star = [
        (
            (40 if n % 2 else 15) * math.cos(n * math.pi / corners),
            (40 if n % 2 else 15) * math.sin(n * math.pi / corners),
        )
        for n in range(2 * corners)
    ]
    hole = [(5.0, -5.0), (5.0, 5.0), (-5.0, 5.0), (-5.0, -5.0), (5.0, -5.0)]
    polygon = shapely.Polygon([*star, star[0]], [hole])
    for x, y in points:
        if polygon.boundary.distance(shapely.Point(x, y)) > 1e-9:
            assert holds([[*star, star[0]], hole], x, y) == polygon.contains(shapely.Point(x, y))
