"""The weather from a table: an instant and rain or temperature by the hour."""

from __future__ import annotations

from contextlib import closing
from datetime import tzinfo
from pathlib import Path
from typing import Any

import numpy as np

from anshang.crowds.file_tables import find_column, open_table
from anshang.crowds.file_values import Distinct, Instants, is_blank, rows
from anshang.crowds.weather import WeatherHour
from anshang.foundation import clock
from anshang.foundation.errors import BadInput

COLUMNS = {
    "at": ("at", "time", "timestamp", "date", "datetime", "时间"),
    "rain": ("rain_mm", "rain", "precipitation", "precipitation_mm", "降水量", "降水"),
    "temperature": ("temperature_c", "temperature", "temperature_2m", "temp", "气温"),
}


def read_weather(path: Path, zone: tzinfo) -> list[WeatherHour]:
    """The hours of a table; BadInput names the line that cannot be read. Bare times are local."""
    with closing(open_table(path)) as table:
        at, rain, temperature = (find_column(table.names, None, names, key) for key, names in COLUMNS.items())
        if at is None or (rain is None and temperature is None):
            raise _unusable(
                "no column “at”, or neither “rain_mm” nor “temperature_c”",
                "缺少 at 列，或 rain_mm、temperature_c 两列皆无",
            )
        told = rows(table, [each for each in (at, rain, temperature) if each is not None])
    at_ms, faults = Instants(zone).read(
        Distinct([row[at] for row in told], np.arange(len(told))), [""], np.zeros(len(told), np.int64)
    )
    found = []
    for line, (row, ms, fault) in enumerate(zip(told, at_ms.tolist(), faults.tolist(), strict=True), 2):
        if fault:
            raise _unusable(f"line {line} has no time that was", f"第 {line} 行没有有效时间")
        found.append(
            WeatherHour(clock.from_ms(ms), _figure(row, rain, line), _figure(row, temperature, line))
        )
    return found


def _figure(row: dict[str, Any], column: str | None, line: int) -> float | None:
    """A figure, None where the field is empty; BadInput when it is no number."""
    if column is None or is_blank(row[column]):
        return None
    try:
        return float(row[column])
    except (TypeError, ValueError):
        said = str(row[column])[:40]
        raise _unusable(f"line {line}: “{said}” is no number", f"第 {line} 行：“{said}”不是数字") from None


def _unusable(en: str, zh: str) -> BadInput:
    return BadInput("weather.unreadable", en=f"Cannot use the table: {en}.", zh=f"无法使用该表：{zh}。")
