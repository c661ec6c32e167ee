"""Planned events over HTTP: a calendar's file is read, whatever else is told in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.serving import signed_in

from anshang.foundation import clock, ids
from anshang.people.model import Role

HERE = {"district": DISTRICT}
SOON = clock.now() + timedelta(days=3)


def calendar() -> bytes:
    """One event, as a calendar program writes it."""
    at = f"{SOON:%Y%m%dT%H%M%SZ}"
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", f"DTSTART:{at}",
        f"DTEND:{SOON + timedelta(hours=2):%Y%m%dT%H%M%SZ}", "SUMMARY:灯会", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_a_calendar_or_a_table_is_read_and_its_events_are_listed(app: FastAPI, district_place: None) -> None:
    desk = signed_in(app, Role.SUPERVISOR, DISTRICT)
    table = (
        f"name,start,end,expected\n跨年,{SOON.isoformat()},{(SOON + timedelta(hours=1)).isoformat()},9000\n"
    )
    for content, told in (
        (calendar(), {"new": 1, "known": 0}),
        (calendar(), {"new": 0, "known": 1}),
        (table.encode(), {"new": 1, "known": 0}),
    ):
        answer = desk.post("/api/events/import", params=HERE, content=content)
        assert answer.json() == told, answer.text
    listed = desk.get("/api/events", params=HERE).json()
    assert {(event["name"], event["expected_count"]) for event in listed} == {("灯会", None), ("跨年", 9000)}
    (lantern,) = (event for event in listed if event["name"] == "灯会")
    assert desk.delete(f"/api/events/{lantern['id']}", params=HERE).status_code == 200
    assert [event["name"] for event in desk.get("/api/events", params=HERE).json()] == ["跨年"]


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:x\r\n", b"a,b\n1,2\n"]
)
def test_what_is_no_file_of_events_is_refused_in_words(
    app: FastAPI, district_place: None, content: bytes
) -> None:
    desk = signed_in(app, Role.SUPERVISOR, DISTRICT)
    answer = desk.post("/api/events/import", params=HERE, content=content)
    assert answer.status_code in (400, 422), answer.text
    assert desk.get("/api/events", params=HERE).json() == []


def test_an_event_is_entered_by_hand(app: FastAPI, district_place: None) -> None:
    desk = signed_in(app, Role.SUPERVISOR, DISTRICT)
    told = {
        "id": ids.new_id(),
        "name": "灯会",
        "zone_id": "z1",
        "start_at": SOON.isoformat(),
        "end_at": (SOON + timedelta(hours=2)).isoformat(),
        "expected_count": 4000,
    }
    assert desk.post("/api/events", params=HERE, json=told).status_code == 200
    backwards = told | {"id": ids.new_id(), "end_at": SOON.isoformat()}
    assert desk.post("/api/events", params=HERE, json=backwards).status_code == 400
    assert len(desk.get("/api/events", params=HERE).json()) == 1
