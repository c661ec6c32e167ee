"""What is expected of zones, and how it is said: people ahead with an interval, chances of levels, and why.

Pure of store and clock: arrays in, what is shown out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import hypot

import numpy as np

from anshang.crowds.model import Level, LevelRules
from anshang.kernels.damped import Ahead
from anshang.kernels.daygrid import Reals
from anshang.kernels.quantiles import LEVELS, MEDIAN, chance_by, chance_over
from anshang.places.model import Zone

STEP_S = 300
HORIZONS_S = (900, 1_800, 2_700, 3_600, 5_400, 7_200)
NEAR_S = HORIZONS_S[:4]
"""Those of the next hour, a quarter of an hour apart: warnings look so far."""
HALF_HOUR_S = 1_800
LOW, HIGH = LEVELS.index(0.1), LEVELS.index(0.9)
LEARNT = np.array(LEVELS)
CHANCE_MIN = 0.5
"""From which chance on a zone is warned of as long as too little is known of it: more likely than not."""
LEVELS_TOLD = tuple(level for level in Level if level)


@dataclass(frozen=True, slots=True)
class Band:
    """People at each of HORIZONS_S: the middle, and between which the truth lies four times of five."""

    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def beside(self, unsure: float) -> Band:
        """This and an error of the present that remains, independent of each other: where nothing else is
        uncertain the interval is as wide as that of the present.
        """
        each = list(zip(self.middle, self.low, self.high, strict=True))
        low = (round(max(0.0, middle - hypot(middle - low, unsure)), 1) for middle, low, _ in each)
        high = (round(middle + hypot(high - middle, unsure), 1) for middle, _, high in each)
        return replace(self, low=tuple(low), high=tuple(high))


@dataclass(frozen=True, slots=True)
class Because:
    """Why: people there now, how many more than half an hour ago, and how many are usual; None unknown."""

    people: float
    gained: float | None
    usual: float | None


@dataclass(frozen=True, slots=True)
class ZoneOutlook:
    """A zone ahead: people, and for each level of LEVELS_TOLD the chance to be at it at each horizon, and to
    have been at it by each of NEAR_S.
    """

    zone_id: str
    people: Band
    chances: tuple[tuple[float, ...], ...]
    chances_by: tuple[tuple[float, ...], ...]
    because: Because
    usable_m2: float
    warns_at: float = CHANCE_MIN
    """From which chance of an alert within the hour on it is warned of."""
    unsure: float = 0.0
    """How many people more or fewer there may be at present."""

    @property
    def shown(self) -> Band:
        """People ahead, never as better known than those present."""
        return self.people.beside(self.unsure)


@dataclass(frozen=True, slots=True)
class Quality:
    """How forecasts of one horizon came out over the last day; None where too few did."""

    horizon_s: int
    outcomes: int
    covered80: float | None
    error: float | None
    error_still: float | None


class WeatherUse(StrEnum):
    """Whether an outlook reckons with the weather: no model does, one does, or would but nobody tells it."""

    NONE = "none"
    USED = "used"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Outlook:
    """A district ahead. `basis` says what it stands on: a trained model, weeks, today, or a guess; `weather`
    whether it reckons with that.
    """

    at: datetime
    basis: str
    zones: tuple[ZoneOutlook, ...]
    district: Band | None
    quality: tuple[Quality, ...]
    weather: WeatherUse = WeatherUse.NONE


def because(steps: Reals, usual: Reals) -> Because:
    """Of one zone: its steps (T,) and what is usual at them and after."""

    def known(value: float) -> float | None:
        return None if np.isnan(value) else round(float(value), 1)

    now, before = float(steps[-1]), float(steps[-1 - HALF_HOUR_S // STEP_S])
    return Because(round(now, 1), known(now - before), known(float(usual[len(steps) - 1])))


def outlook_of(
    now: datetime,
    zones: Sequence[Zone],
    rules: Sequence[LevelRules],
    told: Ahead,
    whole: Ahead,
    basis: str,
    reasons: Sequence[Because],
    quality: Sequence[Quality],
    most: Reals,
) -> Outlook:
    """What is shown of quantiles for each zone (`told`) and of those for all of them together (`whole`), who
    are at `most` so many at each horizon.
    """
    shown = []
    for place, zone in enumerate(zones):
        quantiles = told.quantiles[place]
        if np.isnan(quantiles).any():
            continue
        limits = [rise * zone.usable_m2 for rise in rules[place].rises]
        chances = [chance_over(quantiles, LEARNT, np.full(len(HORIZONS_S), limit)) for limit in limits]
        likely = tuple(tuple(each.round(3).tolist()) for each in chances)
        by = chances_by(likely)
        shown.append(ZoneOutlook(zone.id, band(quantiles), likely, by, reasons[place], zone.usable_m2))
    return Outlook(now, basis, tuple(shown), _together(shown, whole, most), tuple(quality))


def chances_by(chances: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """For each level the chance to have been at it by each of NEAR_S, from those at each horizon."""
    found = chance_by(np.array(chances)[:, : len(NEAR_S)])
    return tuple(tuple(each) for each in found.round(3).tolist())


def band(quantiles: Reals) -> Band:
    """Of quantiles (H, L) at LEVELS."""
    columns = quantiles.round(1)
    return Band(*(tuple(columns[:, level].tolist()) for level in (MEDIAN, LOW, HIGH)))


def _together(zones: list[ZoneOutlook], whole: Ahead, most: Reals) -> Band | None:
    """The district: its middle is the sum of its zones', its width that of its own past errors."""
    quantiles = whole.quantiles[0]
    if not zones or np.isnan(quantiles).any():
        return None
    middle = np.sum([zone.people.middle for zone in zones], axis=0)
    own = quantiles[:, MEDIAN]
    low, high = (np.maximum(middle + quantiles[:, level] - own, 0) for level in (LOW, HIGH))
    bounded = (np.minimum(each, most) for each in (middle, low, high))
    return Band(*(tuple(each.round(1).tolist()) for each in bounded))
