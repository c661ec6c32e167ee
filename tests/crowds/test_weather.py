"""The weather: told by the hour, learnt from, and done without when nobody tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import ENGINE, kinds
from tests.crowds.test_trained import outlooks, remembered
from tests.crowds.test_trained import quick as quick_fixture
from tests.kernels.forecasts import street

from anshang.crowds import weather_actions as actions
from anshang.crowds import weather_store as store
from anshang.crowds.ahead import Weather
from anshang.crowds.forecasting import learn
from anshang.crowds.training import train_district
from anshang.crowds.weather import WeatherHour, WeatherKind, by_slot
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed
from anshang.kernels import forecast
from anshang.kernels.climate import climate
from anshang.kernels.daygrid import DayGrid, Reals
from anshang.kernels.forecast import History, Rows
from anshang.people.model import Role

pytestmark = pytest.mark.postgres
MoveOn = Callable[[timedelta], None]
HOUR = timedelta(hours=1)
DAYS, KNOWN = 60, 45 * 24
quick = quick_fixture


def rained() -> tuple[Reals, DayGrid]:
    """A street on which a third as many are out when it rains, and its grid with the rain of every hour."""
    counts, grid = street(DAYS)
    wet = np.random.default_rng(3).random(DAYS * 4) < 0.25
    rain = np.repeat(wet, 6) * 2.0
    counts *= np.where(rain > 0, 1 / 3, 1.0)
    weather = np.zeros((grid.days, 24, 2), np.float32)
    weather[grid.day, grid.slot, 0] = rain
    return counts, replace(grid, weather=weather)


def error(grid: DayGrid, counts: Reals, asked_with: DayGrid) -> float:
    """Of the middle at six hours ahead after learning from `grid`, asking with the weather of another."""
    found = climate(counts, grid, KNOWN)
    model = learn(forecast.history(counts, grid, found), KNOWN, np.array([6]), 1)
    past: History = forecast.history(counts, asked_with, found)
    origin = np.arange(KNOWN, counts.shape[1] - 6)
    rows = Rows(np.zeros(len(origin), int), origin, np.full(len(origin), 6))
    asked, usual, offset = forecast.features(past, rows)
    told = np.exp(forecast.predict(model, asked)[:, 3]) * (usual + offset) - offset
    return float(np.abs(told - counts[0, origin + 6]).mean())


@pytest.mark.slow
def test_rain_that_keeps_people_away_is_learnt_and_its_absence_breaks_nothing(quick: None) -> None:
    counts, wet = rained()
    dry = replace(wet, weather=None)
    knowing = error(wet, counts, wet)
    without = error(dry, counts, dry)
    assert knowing < 0.8 * without
    assert error(wet, counts, dry) < 1.5 * without, "trained on it, asked without"
    assert error(dry, counts, wet) == without, "never heard of it"


def test_an_hour_stands_where_the_clock_of_the_district_says() -> None:
    _, grid = street(10)
    zone = ZoneInfo("Asia/Kolkata")  # half an hour beside the others
    at = NIGHT.replace(minute=0, second=0, microsecond=0)
    first_on = at.astimezone(zone).date() - timedelta(days=4)
    hours = [WeatherHour(at - day * 24 * HOUR, None, 10.0 - day) for day in range(5)]
    found = by_slot(hours, grid, first_on, zone).weather
    assert found is not None
    slot = at.astimezone(zone).hour
    assert np.isnan(found[..., 0]).all(), "rain was not told"
    assert np.isnan(found[:3, slot, 1]).all(), "too early to know what is usual"
    assert found[3:5, slot, 1].tolist() == [2.0, 2.5]
    assert by_slot([], grid, date(2026, 1, 1), zone).weather is None


def tell(database: Database, make: Make, *hours: WeatherHour, role: Role = Role.SUPERVISOR) -> int:
    with database.transaction(DISTRICT) as tx:
        return actions.tell(tx, actor=make.actor(role), hours=hours)


def known(database: Database) -> list[WeatherHour]:
    with database.reading([DISTRICT]) as connection:
        return store.list_hours(connection, DISTRICT, NIGHT - 24 * HOUR, NIGHT + 24 * HOUR)


def test_an_hour_is_what_was_told_of_it_last(district: Database, make: Make, night: MoveOn) -> None:
    at = clock.now().replace(minute=0, second=0, microsecond=0)
    with district.reading([DISTRICT]) as connection:
        assert store.last_told(connection, DISTRICT) is None
    assert tell(district, make, WeatherHour(at, 0.0, 4.5), WeatherHour(at + HOUR, 1.0, None)) == 2
    night(timedelta(minutes=30))
    tell(district, make, WeatherHour(at + HOUR, 3.5, 2.0), role=Role.FEED)
    assert known(district) == [WeatherHour(at, 0.0, 4.5), WeatherHour(at + HOUR, 3.5, 2.0)]
    assert kinds(district) == [WeatherKind.TOLD] * 2
    with district.reading([DISTRICT]) as connection:
        assert store.last_told(connection, DISTRICT) == clock.now()


@pytest.mark.parametrize(
    "change",
    [
        {"at": NIGHT.replace(minute=30)},
        {"at": NIGHT.replace(minute=0) + timedelta(days=17)},
        {"at": NIGHT.replace(minute=0) - timedelta(days=3000)},
        {"rain_mm": -0.1},
        {"rain_mm": 401.0},
        {"temperature_c": 61.0},
        {"temperature_c": -61.0},
        {"rain_mm": None, "temperature_c": None},
    ],
)
def test_what_cannot_be_is_refused_and_nothing_of_it_kept(
    district: Database, make: Make, night: MoveOn, change: dict[str, object]
) -> None:
    good = WeatherHour(NIGHT.replace(minute=0, second=0, microsecond=0), 1.0, 5.0)
    with pytest.raises(BadInput) as caught:
        tell(district, make, good, replace(good, **change))  # type: ignore[arg-type]
    assert caught.value.code == "weather.hour"
    assert known(district) == []


def test_nothing_and_too_much_at_once_are_refused_and_so_is_a_patrol(
    district: Database, make: Make, night: MoveOn
) -> None:
    hour = WeatherHour(NIGHT.replace(minute=0, second=0, microsecond=0), 1.0, 5.0)
    with pytest.raises(BadInput, match=r"20,000"):
        tell(district, make)
    with pytest.raises(NotAllowed):
        tell(district, make, hour, role=Role.PATROL)


@pytest.mark.slow
def test_a_model_that_learnt_from_the_weather_says_when_it_is_missing(
    district: Database, make: Make, night: MoveOn, quick: None
) -> None:
    remembered(district, 35)
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    rng = np.random.default_rng(1)
    tell(
        district,
        make,
        *(WeatherHour(now + each * HOUR, float(rng.random()), 5.0) for each in range(-35 * 24, 12)),
    )
    train_district(district, DISTRICT, actor=ENGINE, threads=1)
    looking = outlooks(district)

    def seen() -> Weather:
        outlook = looking.renew(DISTRICT)
        assert outlook is not None
        assert outlook.basis == "trained"
        return outlook.weather

    assert seen() is Weather.USED
    night(timedelta(hours=13))
    assert seen() is Weather.MISSING
    tell(district, make, WeatherHour(now + 13 * HOUR, 0.0, 5.0), WeatherHour(now + 14 * HOUR, 0.0, 5.0))
    night(timedelta(minutes=15))
    assert seen() is Weather.USED
