"""Made-up counts that behave like a shopping street, for the tests of forecasts."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from anshang.crowds.calendars import day_grid
from anshang.kernels.daygrid import DayGrid, Reals

START_MS = round(datetime(2024, 3, 4, tzinfo=UTC).timestamp() * 1000)  # a Monday


def street(days: int = 40, step_s: int = 3_600, sensors: int = 3, seed: int = 1) -> tuple[Reals, DayGrid]:
    """Counts with a daily and weekly course, and days that as a whole are busier or quieter."""
    steps = days * 86_400 // step_s
    grid = day_grid(START_MS, steps, step_s, UTC)
    rng = np.random.default_rng(seed)
    course = 30 + 400 * np.exp(-(((grid.slot * step_s / 3600 - 17) / 3.5) ** 2))
    busy = np.where(grid.weekday[grid.day] >= 5, 1.5, 1.0) * np.exp(rng.normal(0, 0.25, days)[grid.day])
    size = rng.uniform(0.5, 2, sensors)[:, None]
    return rng.poisson(course * busy * size * step_s / 3600).astype(float), grid
