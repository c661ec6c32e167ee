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
        (calendar(), {"new": 1, "known": 0, "left_out_count": 0, "left_out": []}),
        (calendar(), {"new": 0, "known": 1, "left_out_count": 0, "left_out": []}),
        (table.encode(), {"new": 1, "known": 0, "left_out_count": 0, "left_out": []}),
    ):
        answer = desk.post("/api/events/import", params=HERE, content=content)
        assert answer.json() == told, answer.text
    listed = desk.get("/api/events", params=HERE).json()
    assert {(event["name"], event["expected_count"]) for event in listed} == {("灯会", None), ("跨年", 9000)}
    (lantern,) = (event for event in listed if event["name"] == "灯会")
    assert desk.delete(f"/api/events/{lantern['id']}", params=HERE).status_code == 200
    assert [event["name"] for event in desk.get("/api/events", params=HERE).json()] == ["跨年"]


def test_a_cancelled_event_and_a_bad_line_are_left_out_and_the_answer_says_why(
    app: FastAPI, district_place: None
) -> None:
    desk = signed_in(app, Role.SUPERVISOR, DISTRICT)
    cancelled = b"BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:X\r\nSTATUS:CANCELLED\r\nDTSTART:20261224\r\nEND:VEVENT\r\nEND:VCAL"
    content = calendar().replace(b"END:VCAL", cancelled)
    answer = desk.post("/api/events/import", params=HERE, content=content).json()
    assert (answer["new"], answer["left_out_count"]) == (1, 1)
    assert answer["left_out"][0]["name"] == "X"
    assert answer["left_out"][0]["zh"].startswith("日历中已取消")
    table = f"name,start,end\nA,soon,\nB,{SOON.isoformat()},{(SOON + timedelta(hours=1)).isoformat()}\nC,{SOON.isoformat()},\n"
    answer = desk.post("/api/events/import", params=HERE, content=table.encode()).json()
    assert (answer["new"], [each["name"] for each in answer["left_out"]]) == (1, ["A", "C"])


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
