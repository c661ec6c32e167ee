"""From degrees to local metres and back, and from the Chinese map offset GCJ-02 to WGS-84 and back.

Units: degrees and metres; shapes: arrays of n rows, (longitude, latitude) or (x east, y north).
Method: transverse Mercator at the district's own centre with scale 1 there (PROJ, Poder/Engsager series):
within 50 km of the centre lengths are true to 3.1e-5. GCJ-02 has no official publication; the formula is the
one that every open map library repeats (Krasovsky ellipsoid, sine series), its inverse is found by iteration.
Complexity: O(n).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

Points = NDArray[np.float64]

_KRASOVSKY_A_M = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north: outside this box the published formula moves nothing."""


class LocalFrame:
    """Local metres around a centre: x grows east, y grows north, the centre is (0, 0)."""

    def __init__(self, centre_lon: float, centre_lat: float) -> None:
        self.centre_lon = centre_lon
        self.centre_lat = centre_lat
        self._transformer = _transformer(centre_lon, centre_lat)

    def to_metres(self, lon_lat: Points) -> Points:
        """Local metres of WGS-84 degrees, (n, 2) in and out; infinite where there are none."""
        x_m, y_m = self._transformer.transform(lon_lat[:, 0], lon_lat[:, 1])
        return np.column_stack([x_m, y_m])

    def to_degrees(self, x_y_m: Points) -> Points:
        """WGS-84 degrees of local metres, shape (n, 2) in and out."""
        lon, lat = self._transformer.transform(x_y_m[:, 0], x_y_m[:, 1], direction="INVERSE")
        return np.column_stack([lon, lat])


def gcj02_from_wgs84(lon_lat: Points) -> Points:
    """GCJ-02 degrees of WGS-84 degrees, shape (n, 2) in and out; unchanged outside China's box."""
    return lon_lat + np.where(_in_china(lon_lat)[:, None], _gcj02_offset(lon_lat), 0.0)


def wgs84_from_gcj02(lon_lat: Points) -> Points:
    """WGS-84 degrees of GCJ-02 degrees, shape (n, 2) in and out, to well below a centimetre.

    The offset changes by less than 1 % of the way moved, so each round gains more than two digits.
    """
    inside = _in_china(lon_lat)[:, None]
    found = lon_lat
    for _ in range(8):
        found = np.where(inside, lon_lat - _gcj02_offset(found), lon_lat)
    return found


def _in_china(lon_lat: Points) -> NDArray[np.bool_]:
    west, south, east, north = _CHINA
    lon, lat = lon_lat[:, 0], lon_lat[:, 1]
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _gcj02_offset(lon_lat: Points) -> Points:
    """Degrees that GCJ-02 adds at a WGS-84 place (the published sine series)."""
    lon, lat = lon_lat[:, 0], lon_lat[:, 1]
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    short = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east_m += (short + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east_m += (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north_m += (short + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north_m += (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _KRASOVSKY_E2 * np.sin(phi) ** 2
    metres_per_degree_east = np.radians(_KRASOVSKY_A_M / np.sqrt(magic) * np.cos(phi))
    metres_per_degree_north = np.radians(_KRASOVSKY_A_M * (1.0 - _KRASOVSKY_E2) / (magic * np.sqrt(magic)))
    return np.column_stack([east_m / metres_per_degree_east, north_m / metres_per_degree_north])


@lru_cache(maxsize=64)
def _transformer(centre_lon: float, centre_lat: float) -> Transformer:
    local = (
        f"+proj=tmerc +lat_0={centre_lat!r} +lon_0={centre_lon!r} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m"
    )
    return Transformer.from_crs("EPSG:4326", local, always_xy=True)


def holds(rings: Sequence[Sequence[tuple[float, float]]], x: float, y: float) -> bool:
    """Whether a polygon (its closed outer ring, then its holes) holds a point, by counting the edges to its
    east; a point on an edge may be on either side.
    """
    inside = False
    for ring in rings:
        for (x_a, y_a), (x_b, y_b) in pairwise(ring):
            if (y_a > y) != (y_b > y) and x < x_a + (y - y_a) * (x_b - x_a) / (y_b - y_a):
                inside = not inside
    return inside
