"""Each feed says what was last refused and why: to whoever configures the district, without anything of people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import feed_client, signed_in

from anshang.foundation import clock, feeds
from anshang.people.model import Role

HERE = {"district": DISTRICT}


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    feeds.begin_anew()
    yield
    feeds.begin_anew()


def state(admin: TestClient, feed: str, *, unassigned: bool = False) -> dict[str, Any]:
    answer = admin.get("/api/feeds/state", params=HERE).json()
    rows = [one for one in answer["feeds"] if one["feed"] == feed and one["unassigned"] is unassigned]
    return dict(rows[0]) if rows else {}


def test_every_feed_is_listed_before_anything_came(app: FastAPI, district_place: None) -> None:
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    answer = admin.get("/api/feeds/state", params=HERE).json()
    assert [one["feed"] for one in answer["feeds"]] == [str(feed) for feed in feeds.Feed]
    assert all(one["last_taken_at"] is None and one["refusals"] == [] for one in answer["feeds"])


def test_a_counter_whose_rows_are_refused_is_named_with_the_reason(
    app: FastAPI, district_place: None
) -> None:
    admin, counter = signed_in(app, Role.ADMIN, DISTRICT), feed_client(app, DISTRICT)
    rows = [{"sensor": "ghost", "at": clock.now().isoformat(), "people": 3}] * 2
    counter.post("/api/observations", params=HERE, json={"observations": rows})
    counter.post("/api/observations", params=HERE, content=b"{")
    found = state(admin, "counts")
    assert (found["taken_count"], found["refused_count"]) == (0, 3)
    [unreadable, unknown] = found["refusals"]
    assert (unknown["code"], unknown["about"], unknown["count"]) == ("sensor.unknown", "ghost", 2)
    assert unreadable["message"]["zh"]


@pytest.mark.parametrize(
    ("method", "path", "content", "feed"),
    [
        ("POST", "/api/observations", b'{"observations": []}', "counts"),
        ("POST", "/api/weather", b'{"hours": []}', "weather"),
        ("GET", "/api/osmand?id=x&lat=1&lon=2&timestamp=3", b"", "osmand"),
        ("GET", "/api/osmand?id=x", b"", "osmand"),
        ("POST", "/api/positions", b"{}", "phones"),
        ("POST", "/api/events/import", b"x" * 2_000_000, "events"),
    ],
)
def test_what_proves_no_right_to_a_district_is_counted_but_not_as_its_own(
    app: FastAPI, district_place: None, method: str, path: str, content: bytes, feed: str
) -> None:
    TestClient(app).request(method, path, params=HERE, content=content)
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    assert state(admin, feed)["refused_count"] == 0
    assert state(admin, feed, unassigned=True)["refused_count"] == 1


def test_weather_and_calendars_say_what_was_taken_and_left_out(app: FastAPI, district_place: None) -> None:
    desk = signed_in(app, Role.SUPERVISOR, DISTRICT)
    soon = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    desk.post("/api/weather", params=HERE, json={"hours": [{"at": soon.isoformat(), "rain_mm": 1.0}]})
    desk.post("/api/weather", params=HERE, json={"hours": [{"at": soon.isoformat(), "rain_mm": 9e9}]})
    found = state(desk, "weather")
    assert (found["taken_count"], found["refused_count"]) == (1, 1)
    table = f"name,start,end\nA,soon,\nB,{soon.isoformat()},{(soon + timedelta(hours=1)).isoformat()}\n"
    desk.post("/api/events/import", params=HERE, content=table.encode())
    found = state(desk, "events")
    assert (found["taken_count"], found["refused_count"]) == (1, 1)
    assert "Line 2" in found["refusals"][0]["message"]["en"]
