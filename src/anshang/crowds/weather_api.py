"""The weather over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter
from pydantic import Field

from anshang.crowds import weather_actions as actions
from anshang.crowds import weather_store as store
from anshang.crowds.uploads import FILE_BODY, read_upload
from anshang.crowds.weather import AHEAD_MOST, WeatherHour
from anshang.foundation import clock, feeds
from anshang.foundation.actor import Permission
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Instant, RawBody, Shown

router = APIRouter(prefix="/api/weather", tags=["crowd"])
LATELY = timedelta(hours=24)


class HourOfWeather(Shown):
    """Rain in mm and mean temperature in °C of the hour from `at` on; null where it was not told."""

    at: datetime
    rain_mm: float | None
    temperature_c: float | None


class WeatherShown(Shown):
    """The last day and what is told of the hours ahead; `told_at` is null while no source was heard."""

    told_at: datetime | None
    hours: list[HourOfWeather]


class HourTold(Body):
    """An hour to tell."""

    at: Instant = Field(strict=False)
    rain_mm: float | None = None
    temperature_c: float | None = None


class WeatherTold(Body):
    """Hours to tell, past and ahead."""

    hours: list[HourTold] = Field(min_length=1, max_length=2_000)


class Taken(Shown):
    """How many hours are known by it."""

    hours: int


@router.get("")
def weather(district: DistrictQuery, caller: Caller) -> WeatherShown:
    """What is known of the weather lately and ahead."""
    caller.actor.must(Permission.CROWD_READ, district)
    now = clock.now()
    with caller.reading(district) as connection:
        hours = store.list_hours(connection, district, now - LATELY, now + AHEAD_MOST)
        told_at = store.last_told(connection, district)
    return WeatherShown(told_at=told_at, hours=[HourOfWeather.model_validate(hour) for hour in hours])


@router.post("")
def tell(body: WeatherTold, district: DistrictQuery, caller: Caller) -> Taken:
    """Tell the weather by the hour, 2,000 hours at most; a figure is what was told last."""
    hours = [WeatherHour(**each.model_dump()) for each in body.hours]
    with caller.writing(district) as tx:
        taken = Taken(hours=actions.tell(tx, actor=caller.actor, hours=hours))
    feeds.took(district, feeds.Feed.WEATHER, taken.hours)
    return taken


@router.post("/import", openapi_extra=FILE_BODY)
def read_file(district: DistrictQuery, caller: Caller, content: RawBody) -> Taken:
    """Tell the weather from a table (CSV or Parquet), all of it or none."""
    caller.actor.must(Permission.CROWD_CONFIGURE, district)
    hours = read_upload("anshang.crowds.weather_files:read_weather", caller, district, "weather", content)
    with caller.writing(district) as tx:
        taken = Taken(hours=actions.tell(tx, actor=caller.actor, hours=hours))
    feeds.took(district, feeds.Feed.WEATHER, taken.hours)
    return taken
