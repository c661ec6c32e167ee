"""Where units say they are: judged row by row, kept for seven days, and only while they are on duty.

A position is told with the instant it was taken, which may be some time ago: a phone keeps what it could not
send. One that cannot be true is refused with the reason; so is one that could only be reached faster than the
unit can move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, isfinite, radians
from typing import NamedTuple

import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    PrimaryKeyConstraint,
    String,
    Table,
    select,
)

from anshang.foundation.database import insert_new, metadata
from anshang.kernels.geometry import wgs84_from_gcj02
from anshang.patrols.model import Mode

SECOND_MS = 1000
DAY_MS = 86_400_000
AHEAD_MS = 120_000
OLDEST_MS = DAY_MS
FAR_M = 20_000.0
ACCURACY_MAX_M = 500.0
METRES_PER_DEGREE = 111_320.0
SIMULATED = "drill"
"""The source of a position that no device told: where a unit stood as a drill began."""
FASTEST_M_PER_S = {
    Mode.WALKING: 8.0,
    Mode.CYCLING: 15.0,
    Mode.DRIVING: 45.0,
    Mode.FLYING: 30.0,
    Mode.FIXED: 8.0,
}
"""What nobody of that kind exceeds, with room for a unit that takes a lift in a car."""

REASONS = {
    "position.malformed": ("These are no coordinates.", "坐标无效。"),
    "position.nowhere": ("The device does not know where it is (0, 0).", "设备未定位（0, 0）。"),
    "position.far": ("This is more than 20 km from the district.", "距商圈超过 20 公里。"),
    "position.ahead": ("The time is more than two minutes ahead.", "时间超前两分钟以上。"),
    "position.old": ("The time is more than a day ago.", "时间早于一天之前。"),
    "position.vague": ("The position is known to 500 m at best.", "定位精度差于 500 米。"),
    "position.jump": ("Nobody gets there so fast from the last position.", "与上一位置相比移动过快。"),
    "position.off_duty": ("Positions are taken while the unit is on duty only.", "仅在岗期间接收位置。"),
}
"""Why a position is not used, in both languages."""

unit_positions_table = Table(
    "unit_positions",
    metadata,
    Column("district_id", String(64), nullable=False),
    Column("unit_id", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("lon", Float, nullable=False),
    Column("lat", Float, nullable=False),
    Column("accuracy_m", Float),
    Column("source", String(16), nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("district_id", "unit_id", "at_ms"),
    sqlite_with_rowid=False,
)


class Fix(NamedTuple):
    """A position of a unit (WGS-84 degrees), the instant it was taken, and how true it is (m)."""

    unit_id: str
    at_ms: int
    lon: float
    lat: float
    accuracy_m: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Told:
    """A position as a device tells it; `gcj02` marks one that bears the Chinese map offset."""

    at_ms: int
    lon: float
    lat: float
    accuracy_m: float | None = None
    gcj02: bool = False


class Sifted(NamedTuple):
    """The positions that can be used, oldest first, and the others by their number with the reason's code."""

    fixes: list[Fix]
    refused: list[tuple[int, str]]


def sift(
    told: Sequence[Told],
    *,
    unit_id: str,
    source: str,
    mode: Mode,
    began_ms: int,
    centre: tuple[float, float],
    last: Fix | None,
    now_ms: int,
) -> Sifted:
    """Judge what a device tells of a unit that has been on duty since `began_ms`."""
    fixes: list[Fix] = []
    refused: list[tuple[int, str]] = []
    for number, one in sorted(enumerate(told), key=lambda pair: pair[1].at_ms):
        lon, lat = _true(one)
        reason = _fault(one, lon, lat, began_ms, centre, now_ms)
        fix = Fix(unit_id, one.at_ms, lon, lat, one.accuracy_m, source)
        if reason is None and last is not None and _jumps(last, fix, mode):
            reason = "position.jump"
        if reason is not None:
            refused.append((number, reason))
            continue
        fixes.append(fix)
        last = fix if last is None or fix.at_ms >= last.at_ms else last
    return Sifted(fixes, sorted(refused))


def add(connection: Connection, district_id: str, fixes: Sequence[Fix], received_ms: int) -> int:
    """Keep positions; how many were new: a unit and an instant are known once."""
    return insert_new(connection, unit_positions_table, [(district_id, *fix, received_ms) for fix in fixes])


def list_latest(
    connection: Connection, district_id: str, since_ms: int, until_ms: int | None = None
) -> dict[str, Fix]:
    """The newest position of every unit that told one since the instant; with `until_ms` of those received
    until then.
    """
    table = unit_positions_table
    query = select(*(table.c[name] for name in Fix._fields)).where(
        table.c.district_id == district_id, table.c.at_ms >= since_ms
    )
    if until_ms is not None:
        query = query.where(table.c.received_ms <= until_ms)
    rows = connection.execute(query.order_by(table.c.at_ms))
    return {row.unit_id: Fix(*row) for row in rows}


def apart_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two points (degrees) of one district, where the earth is flat enough."""
    return hypot((a[0] - b[0]) * cos(radians(a[1])), a[1] - b[1]) * METRES_PER_DEGREE


def _true(one: Told) -> tuple[float, float]:
    if not one.gcj02 or not (abs(one.lon) <= 180 and abs(one.lat) <= 90):
        return one.lon, one.lat
    ((lon, lat),) = wgs84_from_gcj02(np.array([[one.lon, one.lat]])).tolist()
    return lon, lat


def _fault(
    one: Told, lon: float, lat: float, began_ms: int, centre: tuple[float, float], now_ms: int
) -> str | None:
    """The code of what is wrong with it by itself, None when nothing is."""
    checks = (
        (not (isfinite(lon) and isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90), "position.malformed"),
        (one.accuracy_m is not None and not 0 <= one.accuracy_m < float("inf"), "position.malformed"),
        (lon == 0 and lat == 0, "position.nowhere"),
        (one.at_ms > now_ms + AHEAD_MS, "position.ahead"),
        (one.at_ms < now_ms - OLDEST_MS, "position.old"),
        (one.at_ms < began_ms, "position.off_duty"),
        ((one.accuracy_m or 0.0) > ACCURACY_MAX_M, "position.vague"),
    )
    found = next((code for wrong, code in checks if wrong), None)
    return found or ("position.far" if apart_m(centre, (lon, lat)) > FAR_M else None)


def _jumps(last: Fix, fix: Fix, mode: Mode) -> bool:
    """Whether nobody could have come from one to the other, given how vague both are."""
    slack_m = (last.accuracy_m or 0.0) + (fix.accuracy_m or 0.0) + 30.0
    seconds = abs(fix.at_ms - last.at_ms) / SECOND_MS
    return apart_m((last.lon, last.lat), (fix.lon, fix.lat)) > slack_m + seconds * FASTEST_M_PER_S[mode]
