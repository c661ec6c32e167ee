"""The weather of a district by the hour, as a source tells it, and how the forecast sees it.

Hours that lie ahead are somebody's forecast; told again, an hour is what was told last. What is not told is
not known: the forecast then goes on without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

import numpy as np

from anshang.foundation.errors import BadInput
from anshang.kernels.daygrid import HOUR_S, DayGrid, Floats, Reals, mean_known

HOURS_MOST = 20_000
AHEAD_MOST, AGO_MOST = timedelta(days=16), timedelta(days=2 * 366)
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

    def check(self, now: datetime, zone: tzinfo) -> None:
        """BadInput unless an hour begins with it, in UTC or in the zone of the district, within reach of a
        forecast, and its figures can be.
        """
        self.check_figures()
        if all((local := self.at.astimezone(each)).minute or local.second for each in (UTC, zone)):
            raise _wrong(self, "it does not begin with an hour", "不是整点")
        self.check_since(now - AGO_MOST)
        if self.at > now + AHEAD_MOST:
            raise _wrong(self, "it lies too far ahead", "时间过于靠后")

    def check_since(self, from_at: datetime) -> None:
        """BadInput when it lies before."""
        if self.at < from_at:
            raise _wrong(self, "it lies too long ago", "时间过早")

    def check_figures(self) -> None:
        """BadInput unless there is one, and they can be."""
        if self.rain_mm is None and self.temperature_c is None:
            raise _wrong(self, "it tells nothing", "没有数值")
        if not 0 <= (self.rain_mm or 0.0) <= RAIN_MOST_MM:
            raise _wrong(
                self, f"rain is 0 to {RAIN_MOST_MM:.0f} mm", f"降水量须为 0 至 {RAIN_MOST_MM:.0f} 毫米"
            )
        if not COLDEST_C <= (self.temperature_c or 0.0) <= HOTTEST_C:
            between = f"{COLDEST_C:.0f} to {HOTTEST_C:.0f} °C"
            raise _wrong(self, f"temperature is {between}", f"气温须为 {between.replace('to', '至')}")


def by_slot(hours: Iterable[WeatherHour], grid: DayGrid, zone: tzinfo) -> DayGrid:
    """The grid with its weather; without when none of its hours was told."""
    told = np.full((grid.days * grid.slots, 2), np.nan)
    wide = max(1, HOUR_S // grid.step_s)
    for hour in hours:
        local = hour.at.astimezone(zone)
        slot = (local.hour * HOUR_S + local.minute * 60) // grid.step_s
        begin = (local.date() - grid.first_on).days * grid.slots + slot
        if 0 <= begin < len(told):  # an hour may begin at 23:30
            figures = (hour.rain_mm, hour.temperature_c)
            told[begin : begin + wide] = [np.nan if each is None else each for each in figures]
    if np.isnan(told).all():
        return replace(grid, weather=None)
    return replace(grid, weather=_seen(told.reshape(grid.days, grid.slots, 2)))


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
