"""The weather: told by the hour, learnt from, and done without when nobody tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import Connection, text
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import ENGINE, kinds
from tests.crowds.test_trained import outlooks, remembered
from tests.crowds.test_trained import quick as quick_fixture
from tests.kernels.forecasts import street

from anshang.crowds import trained_store
from anshang.crowds import weather_actions as actions
from anshang.crowds import weather_store as store
from anshang.crowds.ahead import WeatherUse
from anshang.crowds.forecasting import learn
from anshang.crowds.model import TrainedModel
from anshang.crowds.trained import unpacked
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
    zone = ZoneInfo("Asia/Shanghai")
    at = NIGHT.replace(minute=0, second=0, microsecond=0)
    grid = replace(street(10)[1], first_on=at.astimezone(zone).date() - timedelta(days=4))
    hours = [WeatherHour(at - day * 24 * HOUR, None, 10.0 - day) for day in range(5)]
    found = by_slot(hours, grid, zone).weather
    assert found is not None
    slot = at.astimezone(zone).hour
    assert np.isnan(found[..., 0]).all(), "rain was not told"
    assert np.isnan(found[:3, slot, 1]).all(), "too early to know what is usual"
    assert found[3:5, slot, 1].tolist() == [2.0, 2.5]
    assert by_slot([], grid, zone).weather is None


def test_half_an_hour_beside_the_others_an_hour_goes_over_midnight() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    begins = datetime(2026, 5, 4, 23, 30, tzinfo=zone)
    grid = replace(street(10, step_s=900)[1], first_on=begins.date())
    found = by_slot([WeatherHour(begins, 1.0, None)], grid, zone).weather
    assert found is not None
    assert np.argwhere(found[..., 0] == 1.0).tolist() == [[0, 94], [0, 95], [1, 0], [1, 1]]


def tell(database: Database, make: Make, *hours: WeatherHour, role: Role = Role.SUPERVISOR) -> int:
    with database.transaction(DISTRICT) as tx:
        return actions.tell(tx, actor=make.actor(role), hours=hours)


def known(database: Database) -> list[WeatherHour]:
    with database.reading([DISTRICT]) as connection:
        return store.list_hours(connection, DISTRICT, NIGHT - 24 * HOUR, NIGHT + 24 * HOUR)


def expected(database: Database) -> list[WeatherHour]:
    with database.reading([DISTRICT]) as connection:
        return store.list_expected(connection, DISTRICT, NIGHT - 24 * HOUR, NIGHT + 24 * HOUR)


def test_a_figure_is_what_was_told_of_it_last_and_what_was_expected_is_kept(
    district: Database, make: Make, night: MoveOn
) -> None:
    night(timedelta(minutes=10))
    at = clock.now().replace(minute=0, second=0, microsecond=0)
    with district.reading([DISTRICT]) as connection:
        assert store.last_told(connection, DISTRICT) is None
    assert tell(district, make, WeatherHour(at, 0.0, 4.5), WeatherHour(at + HOUR, 1.0, None)) == 2
    night(timedelta(minutes=90))
    tell(district, make, WeatherHour(at + HOUR, None, 2.0), role=Role.FEED)
    tell(district, make, WeatherHour(at + HOUR, 3.5, None), role=Role.FEED)
    assert known(district) == [WeatherHour(at, 0.0, 4.5), WeatherHour(at + HOUR, 3.5, 2.0)]
    assert expected(district) == [WeatherHour(at, None, None), WeatherHour(at + HOUR, 1.0, None)]
    assert kinds(district) == [WeatherKind.TOLD], "what a feed tells is telemetry"
    with district.reading([DISTRICT]) as connection:
        assert store.last_told(connection, DISTRICT) == clock.now()


def test_what_was_expected_long_ago_is_not_known(district: Database, make: Make, night: MoveOn) -> None:
    at = clock.now().replace(minute=0, second=0, microsecond=0)
    tell(district, make, WeatherHour(at, 0.0, 4.5), WeatherHour(at + 30 * HOUR, 1.0, 4.0))
    night(timedelta(hours=25))
    with district.reading([DISTRICT]) as connection:
        found = store.list_hours(connection, DISTRICT, at, at + 48 * HOUR)
    assert found == [WeatherHour(at, 0.0, 4.5)]


def test_a_feed_tells_nothing_of_long_ago(district: Database, make: Make, night: MoveOn) -> None:
    at = clock.now().replace(minute=0, second=0, microsecond=0) - 49 * HOUR
    with pytest.raises(BadInput, match="too long ago"):
        tell(district, make, WeatherHour(at, 0.0, 4.5), role=Role.FEED)


@pytest.mark.parametrize(
    "change",
    [
        {"at": NIGHT.replace(minute=30)},
        {"at": NIGHT.replace(minute=0) + timedelta(days=17)},
        {"at": NIGHT.replace(minute=0) - timedelta(days=800)},
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


def told_all_along(database: Database, make: Make) -> datetime:
    """Zones that are nearly empty when it rains, and the weather afterwards; when the last full hour began."""
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    rain = np.random.default_rng(1).random(37 * 24) < 0.3
    remembered(database, 35)
    thin = text("UPDATE zone_history SET people = people * 0.3 WHERE at_ms >= :begin AND at_ms < :end")

    def empty(connection: Connection) -> None:
        for wet in np.flatnonzero(rain).tolist():
            begin_ms = clock.to_ms(now + (wet - 35 * 24) * HOUR)
            connection.execute(thin, {"begin": begin_ms, "end": begin_ms + 3_600_000})

    database.bulk(DISTRICT, empty)
    hours = [WeatherHour(now + (n - 35 * 24) * HOUR, float(wet), 5.0) for n, wet in enumerate(rain.tolist())]
    tell(database, make, *(hour for hour in hours if hour.at < now + 12 * HOUR))
    return now


def foretell(database: Database) -> None:
    """As if all of it had been told beforehand."""
    told = "UPDATE weather_hours SET expected_rain_mm = rain_mm, expected_temperature_c = temperature_c"
    database.bulk(DISTRICT, lambda connection: connection.execute(text(told)))


@pytest.mark.slow
def test_a_trial_knows_only_the_weather_that_was_told_beforehand(
    district: Database, make: Make, night: MoveOn, quick: None
) -> None:
    told_all_along(district, make)
    afterwards = loss(train_district(district, DISTRICT, actor=ENGINE, threads=1))
    foretell(district)
    assert loss(train_district(district, DISTRICT, actor=ENGINE, threads=1)) < 0.8 * afterwards


def loss(model: TrainedModel) -> float:
    """The mean over the horizons."""
    return float(np.mean([each or np.nan for each in model.figures["mine"]["loss"]]))


@pytest.mark.slow
def test_a_model_that_learnt_from_the_weather_says_when_it_is_missing(
    district: Database, make: Make, night: MoveOn, quick: None
) -> None:
    now = told_all_along(district, make)
    foretell(district)
    train_district(district, DISTRICT, actor=ENGINE, threads=1)
    looking = outlooks(district)

    def seen() -> WeatherUse:
        outlook = looking.renew(DISTRICT)
        assert outlook is not None
        assert outlook.basis == "trained"
        return outlook.weather

    assert seen() is WeatherUse.USED
    night(timedelta(hours=13))
    assert seen() is WeatherUse.MISSING
    hours = range(12, 17)
    tell(district, make, *(WeatherHour(now + each * HOUR, 0.0, None) for each in hours))
    night(timedelta(minutes=15))
    assert seen() is WeatherUse.MISSING, "temperature is usually told, too"
    tell(district, make, *(WeatherHour(now + each * HOUR, None, 5.0) for each in hours))
    night(timedelta(minutes=15))
    assert seen() is WeatherUse.USED


@pytest.mark.slow
def test_weather_that_is_told_since_a_week_is_not_learnt_from_yet(
    district: Database, make: Make, night: MoveOn, quick: None
) -> None:
    remembered(district, 35)
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    tell(district, make, *(WeatherHour(now + each * HOUR, each % 3, 5.0) for each in range(-7 * 24, 24)))
    model = train_district(district, DISTRICT, actor=ENGINE, threads=1)
    with district.reading([DISTRICT]) as connection:
        kept = unpacked(trained_store.read_trees(connection, DISTRICT, model.id) or "")
    assert not kept.learnt_weather


def test_trees_that_learnt_from_other_columns_are_refused() -> None:
    counts, grid = street(40)
    past = forecast.history(counts, grid, climate(counts, grid, 30 * 24))
    rows = Rows(np.zeros(500, int), np.arange(200, 700), np.full(500, 2))
    asked, *_ = forecast.features(past, rows)
    model = forecast.fit(past, rows)
    with pytest.raises(ValueError, match="columns"):
        forecast.predict(model, asked[:, 1:])
