"""The table of the weather, and the questions asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    String,
    Table,
    func,
    or_,
    select,
)

from anshang.crowds.weather import WeatherHour
from anshang.foundation import clock
from anshang.foundation.database import metadata, put_all

STALE = timedelta(hours=24)
"""What was told of an hour ahead counts so long."""

weather_table = Table(
    "weather_hours",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("rain_mm", Float),
    Column("temperature_c", Float),
    Column("expected_rain_mm", Float),
    Column("expected_temperature_c", Float),
    Column("told_ms", BigInteger, nullable=False),
)


def put_hours(connection: Connection, district_id: str, hours: Sequence[WeatherHour]) -> None:
    """Keep hours as they are told now, each figure in the place of what was told of it before.

    What is told before an hour begins is kept apart as well: it was expected.
    """
    now_ms = clock.to_ms(clock.now())
    rows = []
    for hour in hours:
        at_ms, figures = clock.to_ms(hour.at), (hour.rain_mm, hour.temperature_c)
        expected = figures if at_ms >= now_ms else (None, None)
        rows.append((district_id, at_ms, *figures, *expected, now_ms))
    put_all(connection, weather_table, rows, keep_known=True)


def list_hours(
    connection: Connection, district_id: str, from_at: datetime, to_at: datetime
) -> list[WeatherHour]:
    """What is known of [from_at, to_at), by the hour; without hours ahead that were told too long ago."""
    table, now = weather_table.c, clock.now()
    query = select(table.at_ms, table.rain_mm, table.temperature_c).where(
        *_within(district_id, from_at, to_at),
        or_(table.at_ms < clock.to_ms(now), table.told_ms >= clock.to_ms(now - STALE)),
    )
    return [WeatherHour(clock.from_ms(at_ms), *figures) for at_ms, *figures in connection.execute(query)]


def list_expected(
    connection: Connection, district_id: str, from_at: datetime, to_at: datetime
) -> list[WeatherHour]:
    """What had been told of the hours of [from_at, to_at) when each of them began."""
    table = weather_table.c
    query = select(table.at_ms, table.expected_rain_mm, table.expected_temperature_c)
    query = query.where(*_within(district_id, from_at, to_at))
    return [WeatherHour(clock.from_ms(at_ms), *figures) for at_ms, *figures in connection.execute(query)]


def last_told(connection: Connection, district_id: str) -> datetime | None:
    """When the weather was told last; None when it never was."""
    query = select(func.max(weather_table.c.told_ms)).where(weather_table.c.district_id == district_id)
    told_ms = connection.execute(query).scalar()
    return None if told_ms is None else clock.from_ms(told_ms)


def _within(district_id: str, from_at: datetime, to_at: datetime) -> tuple[ColumnElement[bool], ...]:
    table = weather_table.c
    return (
        table.district_id == district_id,
        table.at_ms >= clock.to_ms(from_at),
        table.at_ms < clock.to_ms(to_at),
    )
