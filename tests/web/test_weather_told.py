"""The weather over HTTP: a feed tells it, a table is read, whatever else is told in words."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.serving import feed_client, signed_in

from anshang.foundation import clock
from anshang.people.model import Role

HERE = {"district": DISTRICT}
NOW = clock.now().replace(minute=0, second=0, microsecond=0)


def told(app: FastAPI) -> dict[datetime, tuple[float | None, float | None]]:
    """What the desk is shown, by the hour."""
    shown = signed_in(app, Role.DESK, DISTRICT).get("/api/weather", params=HERE).json()
    assert (shown["told_at"] is None) == (not shown["hours"])
    return {
        datetime.fromisoformat(hour["at"]): (hour["rain_mm"], hour["temperature_c"])
        for hour in shown["hours"]
    }


def test_a_feed_tells_the_hours_ahead_and_the_desk_sees_them(app: FastAPI, district_place: None) -> None:
    assert told(app) == {}
    hours = [
        {"at": (NOW + timedelta(hours=ahead)).isoformat(), "rain_mm": ahead, "temperature_c": -1.5}
        for ahead in range(3)
    ]
    answer = feed_client(app, DISTRICT).post("/api/weather", params=HERE, json={"hours": hours})
    assert answer.json() == {"hours": 3}, answer.text
    assert told(app) == {NOW + timedelta(hours=ahead): (ahead, -1.5) for ahead in range(3)}


def test_a_table_is_read_with_what_it_leaves_out(app: FastAPI, district_place: None) -> None:
    table = (
        f"time,precipitation,temperature_2m\n{NOW.isoformat()},0.4,21\n"
        f"{(NOW + timedelta(hours=1)).isoformat()},,20.5\n"
    )
    desk = signed_in(app, Role.SUPERVISOR, DISTRICT)
    answer = desk.post("/api/weather/import", params=HERE, content=table.encode())
    assert answer.json() == {"hours": 2}, answer.text
    assert told(app) == {NOW: (0.4, 21.0), NOW + timedelta(hours=1): (None, 20.5)}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02", "neither CSV nor Parquet"),
        (b"a,b\n1,2\n", "at"),
        (b"at,wind\n2026-01-01T00:00Z,2\n", "rain_mm"),
        (b"at,rain_mm\nyesterday,2\n", "line 2"),
        (b"at,rain_mm\n" + b"2026-01-01T00:00Z,2\n" * 20_001, "20,000"),
        (f"at,rain_mm\n{NOW.isoformat()},much\n".encode(), "much"),
        (f"at,rain_mm\n{NOW.isoformat()},nan\n{NOW.isoformat()},\n".encode(), "tells nothing"),
        (f"at,rain_mm\n{NOW.isoformat()},inf\n".encode(), "rain"),
        (b"at,rain_mm\n", "hours"),
    ],
)
def test_what_is_no_table_of_the_weather_is_refused_in_words(
    app: FastAPI, district_place: None, content: bytes, word: str
) -> None:
    desk = signed_in(app, Role.SUPERVISOR, DISTRICT)
    desk.patch("/api/session/language", json={"language": "en"})
    answer = desk.post("/api/weather/import", params=HERE, content=content)
    assert answer.status_code in (400, 422), answer.text
    assert word in answer.text
    assert told(app) == {}
