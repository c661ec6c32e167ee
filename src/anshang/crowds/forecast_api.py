"""What is expected of the crowd, over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from fastapi import APIRouter

from anshang.crowds.ahead import HORIZONS_S, Outlook, WeatherUse, ZoneOutlook
from anshang.crowds.calls import Ahead
from anshang.crowds.episodes import expected
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Code, Shown

router = APIRouter(prefix="/api/crowd", tags=["crowd"])


class BandShown(Shown):
    """People at each horizon: the middle, and between which the truth lies four times of five."""

    middle: list[float]
    low: list[float]
    high: list[float]


class ExpectedShown(Shown):
    """A level from alert on that is likely enough to warn of: the chance that it comes within the hour, and
    by when that is half so likely.
    """

    level: int
    at: datetime
    chance: float


class BecauseShown(Shown):
    """People there now, how many more than half an hour ago, how many are usual; null where unknown."""

    people: float
    gained: float | None
    usual: float | None


class ZoneAhead(Shown):
    """A zone ahead; `chances` of levels 1 to 4, each at every horizon; `warns_at` is the chance of an alert
    within the hour from which on it is warned of.
    """

    zone_id: str
    people: BandShown
    chances: list[list[float]]
    expected: ExpectedShown | None
    warns_at: float
    because: BecauseShown


class QualityShown(Shown):
    """How forecasts of one horizon came out over the last day; null where too few did."""

    horizon_s: int
    outcomes: int
    covered80: float | None
    error: float | None
    error_still: float | None


class ForecastShown(Shown):
    """A district ahead; `basis` is trained, weeks, today or guess: what it stands on."""

    at: datetime
    basis: str
    horizons_s: list[int]
    horizons_at: list[datetime]
    zones: list[ZoneAhead]
    district: BandShown | None
    quality: list[QualityShown]
    weather: WeatherUse


@router.get("/forecast")
def forecast(district: DistrictQuery, caller: Caller, ahead: Ahead) -> ForecastShown | None:
    """The district in the next two hours, as it was last reckoned; null until it was."""
    caller.actor.must(Permission.CROWD_READ, district)
    outlook = ahead.find(district)
    return None if outlook is None else _shown(outlook)


class HourShown(Shown):
    """People expected at an hour: the middle, and between which four of five days lie."""

    at: datetime
    people: float
    low: float
    high: float


class DayAheadShown(Shown):
    """The next two days of a zone by the hour, by what is usual at that time of the week."""

    zone_id: str
    hours: list[HourShown]


@router.get("/zones/{zone}/days")
def days_ahead(district: DistrictQuery, zone: Code, caller: Caller, ahead: Ahead) -> DayAheadShown | None:
    """A zone's next two days; null before two days are known, and where nothing is."""
    caller.actor.must(Permission.CROWD_READ, district)
    told = ahead.day_ahead(district)
    if told is None or zone not in told.zone_ids:
        return None
    people = told.people[told.zone_ids.index(zone)]
    if np.isnan(people).any():
        return None
    return DayAheadShown(
        zone_id=zone,
        hours=[
            HourShown(at=clock.from_ms(at_ms), people=middle, low=low, high=high)
            for at_ms, (middle, low, high) in zip(told.at_ms, people.round(1).tolist(), strict=True)
        ],
    )


class PassingShown(Shown):
    """Of every counter and gate that speaks: people a minute, both ways; of head counters people in view."""

    at: datetime
    horizons_s: list[int]
    lines: dict[str, BandShown]
    gates: dict[str, BandShown]
    heads: dict[str, BandShown]


@router.get("/forecast/passing")
def passing(district: DistrictQuery, caller: Caller, ahead: Ahead) -> PassingShown | None:
    """Counters and gates in the next two hours, as it was last reckoned; null until it was."""
    caller.actor.must(Permission.CROWD_READ, district)
    told = ahead.passing.find(district)
    if told is None:
        return None
    shown = {
        name: {id: BandShown.model_validate(each) for id, each in getattr(told, name).items()}
        for name in ("lines", "gates", "heads")
    }
    return PassingShown(at=told.at, horizons_s=list(HORIZONS_S), **shown)


def _shown(outlook: Outlook) -> ForecastShown:
    return ForecastShown(
        at=outlook.at,
        basis=outlook.basis,
        horizons_s=list(HORIZONS_S),
        horizons_at=[outlook.at + timedelta(seconds=each) for each in HORIZONS_S],
        zones=[_zone(outlook, zone) for zone in outlook.zones],
        district=None if outlook.district is None else BandShown.model_validate(outlook.district),
        quality=[QualityShown.model_validate(each) for each in outlook.quality],
        weather=outlook.weather,
    )


def _zone(outlook: Outlook, zone: ZoneOutlook) -> ZoneAhead:
    danger = expected(outlook, zone)
    return ZoneAhead(
        zone_id=zone.zone_id,
        people=BandShown.model_validate(zone.shown),
        chances=[list(each) for each in zone.chances],
        expected=None if danger is None else ExpectedShown.model_validate(danger),
        warns_at=zone.warns_at,
        because=BecauseShown.model_validate(zone.because),
    )
