"""The table of the weather, and the questions asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, Float, String, Table, func, select

from anshang.crowds.weather import WeatherHour
from anshang.foundation import clock
from anshang.foundation.database import metadata, put_all

weather_table = Table(
    "weather_hours",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("rain_mm", Float),
    Column("temperature_c", Float),
    Column("told_ms", BigInteger, nullable=False),
)


def put_hours(connection: Connection, district_id: str, hours: Sequence[WeatherHour]) -> None:
    """Keep hours as they are told now, each in the place of what was told of it before."""
    now_ms = clock.to_ms(clock.now())
    rows = [(district_id, clock.to_ms(h.at), h.rain_mm, h.temperature_c, now_ms) for h in hours]
    put_all(connection, weather_table, rows)


def list_hours(
    connection: Connection, district_id: str, from_at: datetime, to_at: datetime
) -> list[WeatherHour]:
    """What is known of [from_at, to_at), by the hour."""
    table = weather_table.c
    query = select(table.at_ms, table.rain_mm, table.temperature_c).where(
        table.district_id == district_id,
        table.at_ms >= clock.to_ms(from_at),
        table.at_ms < clock.to_ms(to_at),
    )
    return [
        WeatherHour(clock.from_ms(at_ms), rain_mm, temperature_c)
        for at_ms, rain_mm, temperature_c in connection.execute(query.order_by(table.at_ms))
    ]


def last_told(connection: Connection, district_id: str) -> datetime | None:
    """When the weather was told last; None when it never was."""
    query = select(func.max(weather_table.c.told_ms)).where(weather_table.c.district_id == district_id)
    told_ms = connection.execute(query).scalar()
    return None if told_ms is None else clock.from_ms(told_ms)
