"""From which chance on a zone is warned of: the lowest that would have kept to the budget of false warnings.

Each quarter the chance of an alert within the hour is remembered, and an hour later kept beside whether the
alert came. Once a day every zone's threshold is chosen on what was kept. A danger that the desk averted did
not come, but its warning was right: where a measure was taken (an order takes some) within an hour before or
after a chance, that chance counts as one that came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from anshang.crowds import store as crowd_store
from anshang.crowds import trained_store as store
from anshang.crowds.ahead import CHANCE_MIN
from anshang.crowds.model import Level
from anshang.crowds.telemetry import DAY_MS, QUARTER_MS
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.kernels.skill import runs

CANDIDATES = tuple(round(0.3 + 0.05 * step, 2) for step in range(13))
FALSE_PER_DAY_MOST = 0.05
"""The budget: false warnings of one zone in a day."""
DAYS, DAYS_MIN = 60, 14
WITHIN_MS = 3_600_000
MERGED_QUARTERS = 4
"""Chances over the threshold no more than an hour apart are one warning."""
LEAST_KEPT = 0.05
WARNED_FROM = Level.ALERT
Chance = tuple[int, float, bool]
"""When (ms), how likely, and whether it was right: it came within the hour, or was averted."""


def false_count(chances: Sequence[Chance], threshold: float) -> int:
    """How many warnings at this threshold would have been false: none of their chances was right."""
    warned = [(at_ms // QUARTER_MS, right) for at_ms, chance, right in chances if chance >= threshold]
    if not warned:
        return 0
    quarter, right = np.array(warned).T
    steps = np.zeros((2, quarter[-1] - quarter[0] + 1), dtype=bool)
    steps[0, quarter - quarter[0]], steps[1, quarter - quarter[0]] = True, right
    return sum(not steps[1, begin:end].any() for begin, end in runs(steps[0], MERGED_QUARTERS - 1))


def with_averted(chances: Sequence[Chance], acted_ms: Sequence[int]) -> list[Chance]:
    """Chances of a zone, those near a measure (instants in ms) counted as right."""
    acted = np.array(acted_ms, np.int64)
    return [
        (at, chance, came or bool((np.abs(acted - at) <= WITHIN_MS).any())) for at, chance, came in chances
    ]


def chosen(chances: Sequence[Chance], days: float) -> float:
    """The lowest threshold that keeps to the budget on a zone's chances, oldest first, of so many days."""
    if days < DAYS_MIN:
        return CHANCE_MIN
    fitting = (each for each in CANDIDATES if false_count(chances, each) <= FALSE_PER_DAY_MOST * days)
    return next(fitting, CANDIDATES[-1])


@dataclass(slots=True)
class _District:
    """What waits for its hour, when zones were last at an alert and which are; the thresholds of a day."""

    waiting: deque[tuple[int, dict[str, float]]] = field(default_factory=deque)
    reached_ms: dict[str, int] = field(default_factory=dict)
    alert: set[str] = field(default_factory=set)
    chosen_on: int = -1
    at: dict[str, float] = field(default_factory=dict)


class Thresholds:
    """The thresholds of every district's zones."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._districts: dict[str, _District] = {}

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._districts.pop(district_id, None)

    def of(self, district_id: str) -> Mapping[str, float]:
        """By zone, chosen anew once a day; CHANCE_MIN for a zone that is not named."""
        district = self._districts.setdefault(district_id, _District())
        now_ms = clock.to_ms(clock.now())
        today = now_ms // DAY_MS
        if district.chosen_on != today:
            with self._database.reading([district_id]) as connection:
                since_ms = now_ms - DAYS * DAY_MS
                begun_ms = store.first_outcome_ms(connection, district_id, since_ms)
                kept = store.list_chances(connection, district_id, since_ms)
                measures = crowd_store.list_measure_times(connection, district_id, clock.from_ms(since_ms))
            days = 0.0 if begun_ms is None else (now_ms - begun_ms) / DAY_MS
            acted = {zone: [clock.to_ms(at) for at in each] for zone, each in measures.items()}
            district.at = {
                zone: chosen(with_averted(chances, acted.get(zone, ())), days)
                for zone, chances in kept.items()
            }
            district.chosen_on = today
        return district.at

    def see(self, district_id: str, end_ms: int, levels: Mapping[str, Level | None]) -> None:
        """A minute: which zones are at an alert."""
        district = self._districts.setdefault(district_id, _District())
        alert = {zone for zone, level in levels.items() if level is not None and level >= WARNED_FROM}
        district.reached_ms |= dict.fromkeys(alert, end_ms)
        district.alert = alert

    def remember(self, district_id: str, quarter_ms: int, chances: Mapping[str, float]) -> None:
        """The end of a quarter: remember the chances of zones that are not at an alert, and keep those of an
        hour ago beside what came.
        """
        district = self._districts.setdefault(district_id, _District())
        rows: list[tuple[object, ...]] = []
        while district.waiting and district.waiting[0][0] + WITHIN_MS <= quarter_ms:
            said_ms, said = district.waiting.popleft()
            for zone, chance in said.items():
                came = said_ms < district.reached_ms.get(zone, 0) <= said_ms + WITHIN_MS
                if came or chance >= LEAST_KEPT:
                    rows.append((zone, said_ms, chance, came))
        district.waiting.append((quarter_ms, {z: c for z, c in chances.items() if z not in district.alert}))
        if rows:
            self._database.bulk(district_id, partial(store.keep_chances, district_id=district_id, rows=rows))
