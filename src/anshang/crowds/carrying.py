"""How many one row of a line counter may say: more than its gate lets through is a counter that ran over, or
its whole life's count, and nobody who entered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sqlalchemy import Connection

from anshang.crowds.model import Sensor, SensorKind
from anshang.crowds.store import list_sensors
from anshang.places.store import gate_widths

PASSING_MAX_PER_M_PER_MIN = 82.0
"""People, both ways together: what level ground lets through at most (Green Guide)."""
KEPT_MIN, KEPT_PERIODS = 10.0, 2.0
"""A row may hold so many minutes at once, or periods of its counter where these are longer."""
BEYOND_GATE = "count.beyond_gate"
"""Why such a row is refused, whether it was sent or stands in a file."""
COUNT_MAX = 100_000
"""The most that one row may say: far above any gate or zone, far below a counter that ran over."""


def read_passed_max(connection: Connection, district_id: str) -> dict[str, int | None]:
    """By each sensor in use the most passages a row of it may say, None for a head counter."""
    widths = gate_widths(connection, district_id)
    sensors: Sequence[Sensor] = list_sensors(connection, district_id)
    return {
        sensor.id: _passed_max(sensor, widths.get(sensor.gate_id or ""))
        if sensor.kind is SensorKind.LINE
        else None
        for sensor in sensors
    }


def _passed_max(sensor: Sensor, width_m: float | None) -> int:
    """Both ways together; where no gate is known, each way may say COUNT_MAX."""
    if width_m is None:
        return 2 * COUNT_MAX
    minutes = max(KEPT_MIN, KEPT_PERIODS * sensor.period_s / 60)
    return math.ceil(PASSING_MAX_PER_M_PER_MIN * width_m * minutes)
