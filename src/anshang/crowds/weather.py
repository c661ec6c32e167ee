"""The weather of a district by the hour, as a source tells it, and how the forecast sees it.

Hours that lie ahead are somebody's forecast; told again, an hour is what was told last. What is not told is
not known: the forecast then goes on without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

import numpy as np

from anshang.foundation.errors import BadInput
from anshang.kernels.daygrid import HOUR_S, DayGrid, Floats, Reals, mean_known

HOURS_MOST = 20_000
AHEAD_MOST, AGO_MOST = timedelta(days=16), timedelta(days=5 * 366)
RAIN_MOST_MM, COLDEST_C, HOTTEST_C = 400.0, -60.0, 60.0
"""Of one hour; beyond lies a mistake."""
USUAL_DAYS, USUAL_MIN_DAYS = 28, 3
"""Warm is what is warmer than the same hour of so many days before."""


class WeatherKind(StrEnum):
    """What can happen to the weather (journal kinds)."""

    TOLD = "weather.told"


@dataclass(frozen=True, slots=True)
class WeatherHour:
    """An hour from `at` on: rain or melted snow in mm, mean temperature in °C; None where it was not told."""

    at: datetime
    rain_mm: float | None
    temperature_c: float | None

    def check(self, now: datetime) -> None:
        """BadInput unless it begins with an hour, within reach of a forecast, and bears likely figures."""
        if self.at.minute or self.at.second or self.at.microsecond:
            raise _wrong(self, "it does not begin with an hour", "不是整点")
        if not now - AGO_MOST <= self.at <= now + AHEAD_MOST:
            raise _wrong(self, "it lies too far off", "时间超出范围")
        if self.rain_mm is None and self.temperature_c is None:
            raise _wrong(self, "it tells nothing", "没有数值")
        if not 0 <= (self.rain_mm or 0.0) <= RAIN_MOST_MM:
            raise _wrong(self, "so much rain does not fall", "降水量不合理")
        if not COLDEST_C <= (self.temperature_c or 0.0) <= HOTTEST_C:
            raise _wrong(self, "it is never so cold or hot", "气温不合理")


def by_slot(hours: Iterable[WeatherHour], grid: DayGrid, first_on: date, zone: tzinfo) -> DayGrid:
    """The grid with its weather; without when none of its hours was told. `first_on` is its first day."""
    told = np.full((grid.days, grid.slots, 2), np.nan)
    wide = max(1, HOUR_S // grid.step_s)
    for hour in hours:
        local = hour.at.astimezone(zone)
        day = (local.date() - first_on).days
        if 0 <= day < grid.days:
            begin = (local.hour * HOUR_S + local.minute * 60) // grid.step_s
            told[day, begin : begin + wide] = [
                np.nan if each is None else each for each in (hour.rain_mm, hour.temperature_c)
            ]
    return replace(grid, weather=None if np.isnan(told).all() else _seen(told))


def _seen(told: Reals) -> Floats:
    """Rain, and how much warmer than usual each slot is (D, K, 2); only days before say what is usual."""
    seen = told.astype(np.float32)
    for day in range(len(told)):
        before = told[max(0, day - USUAL_DAYS) : day, :, 1]
        many = (~np.isnan(before)).sum(axis=0) >= USUAL_MIN_DAYS
        seen[day, :, 1] = np.where(many, told[day, :, 1] - mean_known(before, axis=0), np.nan)
    return seen


def _wrong(hour: WeatherHour, en: str, zh: str) -> BadInput:
    at = hour.at.isoformat()
    return BadInput(
        "weather.hour", en=f"The hour {at}: {en}.", zh=f"{at} 这一小时：{zh}。", details={"at": at}
    )
