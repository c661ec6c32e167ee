"""Dispatch over HTTP: the journey of one call between a desk and a phone, and what is refused at the door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from tests.dispatch.conftest import EAST, MIDDLE_LAT, WEST, MoveOn, street
from tests.serving import signed_in

from anshang.app import create_app
from anshang.dispatch.dispatcher import Dispatcher
from anshang.dispatch.sweep import Sweep
from anshang.foundation import clock, ids
from anshang.journal import store as journal
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from anshang.web.session import Runtime

QUERY = {"district": DISTRICT}


def post(client: TestClient, path: str, status: int = 200, **body: Any) -> Any:
    answer = client.post(path, params=QUERY, json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def get(client: TestClient, path: str, **query: str) -> Any:
    answer = client.get(path, params=QUERY | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def app(tmp_path: Path, night: MoveOn) -> FastAPI:
    made = create_app(Settings(data_folder=tmp_path))
    with made.state.services[Runtime].database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=street())
    return made


@pytest.fixture
def desk(app: FastAPI) -> Iterator[TestClient]:
    client = signed_in(app, Role.SUPERVISOR, DISTRICT)
    for id, kind in (("k1", "officer_pair"), ("v1", "volunteer")):
        body = {"kind_id": kind, "call_sign": id.upper(), "name_zh": id, "name_en": id}
        assert client.put(f"/api/units/{id}", params=QUERY, json=body).status_code == 200
    yield client


def phone(app: FastAPI, desk: TestClient, unit_id: str, lon: float, role: Role = Role.PATROL) -> TestClient:
    """Somebody on duty whose phone tells where it is."""
    client = signed_in(app, role, DISTRICT)
    me = client.get("/api/session").json()["account"]["id"]
    until = str(date(2027, 6, 1))
    fit = {"insured_until": until, "trained_until": until, "adult": True}
    assert desk.put(f"/api/members/{me}", params=QUERY, json=fit).status_code == 200
    assert {one["id"] for one in get(client, "/api/field")["units"]} >= {unit_id}
    post(client, f"/api/units/{unit_id}/duty", id=ids.new_id(), crew=[me])
    position = {"at": clock.now().isoformat(), "lon": lon, "lat": MIDDLE_LAT, "accuracy_m": 5.0}
    post(client, "/api/positions", positions=[position])
    return client


def reported(desk: TestClient, **told: Any) -> str:
    place = {"lon": WEST + 0.0002, "lat": MIDDLE_LAT}
    body = {"id": ids.new_id(), "source": "phone", "category_id": "lost_person", "place": place} | told
    return str(post(desk, "/api/incidents", **body)["id"])


def test_a_call_from_desk_to_phone_and_back(app: FastAPI, desk: TestClient, night: MoveOn) -> None:
    near, far = phone(app, desk, "k1", WEST), phone(app, desk, "v1", EAST, Role.VOLUNTEER)
    incident = reported(desk)
    advice = get(desk, f"/api/incidents/{incident}/advice")
    assert [one["unit_id"] for one in advice["candidates"]] == ["k1", "v1"]
    task = ids.new_id()
    best = advice["candidates"][0]
    path = f"/api/incidents/{incident}/assignments"
    post(desk, path, id=task, unit_id="k1", expected_s=best["seconds"])
    (shown,) = get(near, "/api/field")["tasks"]
    assert (shown["id"], shown["state"], shown["category_zh"]) == (task, "offered", "走失")
    assert get(far, "/api/field")["tasks"] == []
    post(far, f"/api/assignments/{task}/answer", status=409, accepted=True)
    night(timedelta(seconds=5))
    post(near, f"/api/assignments/{task}/answer", accepted=True, at=clock.now().isoformat())
    for step in ("moving", "on_scene", "done"):
        night(timedelta(seconds=30))
        post(near, f"/api/assignments/{task}/steps", id=ids.new_id(), step=step)
    board = get(desk, f"/api/incidents/{incident}/board")
    assert [one["state"] for one in board["assignments"]] == ["done"]
    at = (clock.now() - timedelta(seconds=45)).isoformat()
    assert get(desk, f"/api/incidents/{incident}/board", at=at)["assignments"][0]["state"] == "moving"
    spans = get(desk, f"/api/incidents/{incident}")["spans_s"]
    assert (spans["response"], spans["control"]) == (65, 30)
    assert get(near, "/api/field")["unit"]["status"] == "free"


def test_a_person_is_asked_before_a_unit_is_called_off(app: FastAPI, desk: TestClient) -> None:
    phone(app, desk, "k1", WEST)
    minor, urgent = reported(desk, category_id="help"), reported(desk, category_id="injury")
    post(desk, f"/api/incidents/{minor}/assignments", id=ids.new_id(), unit_id="k1")
    told = {"id": ids.new_id(), "unit_id": "k1"}
    asked = post(desk, f"/api/incidents/{urgent}/assignments", status=409, **told)
    assert (asked["error"], asked["details"]["incident"]) == ("unit.preempts", minor)
    assert asked["message"]["zh"].startswith("K1")
    post(desk, f"/api/incidents/{urgent}/assignments", **told, insist=True)
    (live,) = get(desk, "/api/assignments")
    assert (live["incident_id"], live["unit_id"]) == (urgent, "k1")


def test_everybody_within_a_circle(app: FastAPI, desk: TestClient) -> None:
    phone(app, desk, "k1", WEST)
    phone(app, desk, "v1", EAST, Role.VOLUNTEER)
    incident = reported(desk)
    near = get(desk, f"/api/incidents/{incident}/within", radius_m="40")
    assert [one["unit_id"] for one in near] == ["k1"]
    id = ids.new_id()
    for _ in range(2):
        asked = post(desk, f"/api/incidents/{incident}/circle", id=id, radius_m=500.0)
        assert [one["unit_id"] for one in asked] == ["k1", "v1"]
    placeless = reported(desk, place={"words": "桥边"})
    assert get(desk, f"/api/incidents/{placeless}/within") == []


def test_words_go_both_ways_and_are_receipted(app: FastAPI, desk: TestClient) -> None:
    near = phone(app, desk, "k1", WEST)
    id = ids.new_id()
    for _ in range(2):
        post(desk, "/api/messages", status=204, id=id, to_unit_id="k1", text="走东门")
    (heard,) = get(near, "/api/field")["messages"]
    assert (heard["text"], heard["mine"], heard["read_at"]) == ("走东门", False, None)
    post(near, f"/api/messages/{id}/read", status=204)
    (said,) = get(desk, "/api/duty-room")["messages"]
    assert [one["unit_id"] for one in said["read_by"]] == ["k1"]
    report = {"major": "no", "exact_place": "东门"}
    incident = reported(desk)
    told = {"id": ids.new_id(), "incident_id": incident, "kind": "ethane", "report": report}
    post(near, "/api/messages", status=204, **told)
    assert get(desk, f"/api/incidents/{incident}/board")["messages"][0]["report"] == report
    post(near, "/api/messages", status=400, id=ids.new_id(), text=" ")


def test_the_roll_is_called_and_somebody_works_alone(app: FastAPI, desk: TestClient) -> None:
    near = phone(app, desk, "k1", WEST)
    phone(app, desk, "v1", EAST, Role.VOLUNTEER)
    call = ids.new_id()
    post(desk, "/api/roll-calls", status=204, id=call, answer_within_s=60.0)
    post(near, f"/api/roll-calls/{call}/answer", status=204, id=ids.new_id())
    post(desk, f"/api/roll-calls/{call}/answer", status=204, id=ids.new_id(), unit_id="v1")
    alone = post(near, "/api/lone", id=ids.new_id(), minutes=10)
    room = get(desk, "/api/duty-room")
    assert set(room["roll_calls"][0]["present"]) == {"k1", "v1"}
    assert [one["unit_id"] for one in room["lone"]] == ["k1"]
    post(near, f"/api/lone/{alone['id']}/end")
    assert get(desk, "/api/duty-room")["lone"] == []


def test_command_and_a_ladder_of_ones_own(app: FastAPI, desk: TestClient) -> None:
    incident = reported(desk)
    me = desk.get("/api/session").json()["account"]
    post(desk, f"/api/incidents/{incident}/command", status=204, commander_id=me["id"])
    assert get(desk, f"/api/incidents/{incident}/board")["commander_name"] == me["display_name"]
    ladder = get(desk, "/api/ladder")
    ladder["rungs"] = ladder["rungs"][:2]
    answer = desk.put("/api/ladder", params=QUERY, json=ladder)
    assert answer.status_code == 200, answer.text
    assert get(desk, "/api/ladder") == ladder
    ladder["rungs"].reverse()
    assert desk.put("/api/ladder", params=QUERY, json=ladder).status_code == 400


def test_the_reach_is_told_once_it_is_reckoned(app: FastAPI, desk: TestClient) -> None:
    assert get(desk, "/api/reach") is None
    phone(app, desk, "k1", WEST)
    app.state.services[Dispatcher].renew(DISTRICT)
    reach = get(desk, "/api/reach")
    assert [tier["units"] for tier in reach["tiers"]] == [1, 1, 0]
    assert reach["tiers"][0]["lines"]


def test_nobody_is_advised_where_there_are_no_streets_and_it_says_so(app: FastAPI, desk: TestClient) -> None:
    with app.state.services[Runtime].database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=row_of_zones())
    incident = reported(desk)
    phone(app, desk, "k1", WEST)
    advice = get(desk, f"/api/incidents/{incident}/advice")
    assert (advice["placed"], advice["candidates"], advice["advised"]) == ("no_streets", [], None)
    assert {one["unit_id"] for one in advice["left_out"]} == {"k1", "v1"}
    told = {"id": ids.new_id(), "unit_id": "k1"}
    post(desk, f"/api/incidents/{incident}/assignments", **told)
    post(desk, f"/api/assignments/{told['id']}/answer", accepted=False, reason="too_far")
    Sweep(app.state.services[Runtime].database, app.state.services[Dispatcher]).go_on(DISTRICT)
    entries = signed_in(app, Role.ADMIN, DISTRICT).get("/api/journal", params=QUERY).json()["entries"]
    told_kinds = [entry["kind"] for entry in entries]
    assert "assignment.nobody_left" in told_kinds, "a person is told, and nothing else stops"
    assert app.state.services[Dispatcher].renew(DISTRICT) is None


@pytest.mark.parametrize("wrong", [timedelta(hours=2), timedelta(hours=-2), timedelta(days=-700)])
def test_a_phone_whose_clock_is_wrong_works_like_any_other_also_with_what_it_kept_offline(
    app: FastAPI, desk: TestClient, night: MoveOn, wrong: timedelta
) -> None:
    crew = phone(app, desk, "k1", WEST)
    its_now = lambda: clock.now() + wrong  # noqa: E731
    task = ids.new_id()
    post(desk, f"/api/incidents/{reported(desk)}/assignments", id=task, unit_id="k1")
    offered_at = clock.now()
    kept: list[tuple[str, dict[str, Any]]] = []
    for path, told in (
        (f"/api/assignments/{task}/answer", {"accepted": True}),
        (f"/api/assignments/{task}/steps", {"id": ids.new_id(), "step": "moving"}),
        (f"/api/assignments/{task}/steps", {"id": ids.new_id(), "step": "on_scene"}),
        ("/api/incidents", {"id": ids.new_id(), "source": "sos", "priority": 1, "text": "SOS"}),
        ("/api/messages", {"id": ids.new_id(), "text": "at the west gate"}),
    ):
        night(timedelta(seconds=30))
        kept.append((path, told | {"called_at" if path == "/api/incidents" else "at": its_now().isoformat()}))
    fix = {"at": its_now().isoformat(), "lon": WEST + 0.0001, "lat": MIDDLE_LAT, "accuracy_m": 5.0}
    night(timedelta(minutes=10))
    crew.headers["X-Clock"] = its_now().isoformat()
    for path, body in kept:
        answer = crew.post(path, params=QUERY, json=body)
        assert answer.is_success, answer.text
    assert post(crew, "/api/positions", positions=[fix])["taken"] == 1
    (assignment,) = get(desk, "/api/assignments")
    seconds = [
        (datetime.fromisoformat(assignment[name]) - offered_at).total_seconds()
        for name in ("answered_at", "moving_at", "on_scene_at")
    ]
    assert seconds == [30, 60, 90]
    sos = get(desk, f"/api/incidents/{kept[3][1]['id']}")
    assert datetime.fromisoformat(sos["called_at"]) == offered_at + timedelta(seconds=120)
    (message,) = get(desk, "/api/duty-room")["messages"]
    assert datetime.fromisoformat(message["at"]) == offered_at + timedelta(seconds=150)


@pytest.mark.parametrize("wrong", [timedelta(hours=2), timedelta(days=-3), timedelta(seconds=8)])
def test_an_sos_with_an_impossible_time_is_taken_at_once_and_the_journal_keeps_what_it_claimed(
    app: FastAPI, desk: TestClient, wrong: timedelta
) -> None:
    crew, claimed = phone(app, desk, "k1", WEST), (clock.now() + wrong).isoformat()
    told = {"id": ids.new_id(), "source": "sos", "priority": 1, "text": "SOS", "called_at": claimed}
    post(crew, "/api/incidents", **told)
    assert [one["id"] for one in get(desk, "/api/matters")["matters"]] == [told["id"]]
    with app.state.services[Runtime].database.reading([DISTRICT]) as connection:
        entries = journal.list_of_subject(connection, DISTRICT, [told["id"]])
    assert {json.loads(entry.details_json)["claimed_at"] for entry in entries} == {claimed}


@pytest.mark.parametrize(
    "header", ["yesterday", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2024-12-31"]
)
def test_a_clock_that_shows_no_instant_that_can_be_refuses_no_sos(
    app: FastAPI, desk: TestClient, header: str
) -> None:
    crew = phone(app, desk, "k1", WEST)
    crew.headers["X-Clock"] = header
    told = {"id": ids.new_id(), "source": "sos", "priority": 1, "called_at": clock.now().isoformat()}
    post(crew, "/api/incidents", **told)
    position = {"at": clock.now().isoformat(), "lon": WEST, "lat": MIDDLE_LAT, "accuracy_m": 5.0}
    post(crew, "/api/positions", positions=[position])


def test_every_answer_bears_the_districts_time(app: FastAPI, desk: TestClient) -> None:
    for path in ("/api/meta", "/api/field", "/api/nothing"):
        told = desk.get(path, params=QUERY).headers["X-Server-Time"]
        assert datetime.fromisoformat(told) == clock.now()


def test_a_phone_reads_the_name_of_the_place_and_what_it_has_reported(app: FastAPI, desk: TestClient) -> None:
    crew = phone(app, desk, "k1", WEST)
    post(desk, f"/api/incidents/{reported(desk)}/assignments", id=ids.new_id(), unit_id="k1")
    told = {"id": ids.new_id(), "source": "patrol", "text": "a bike in the fire lane"}
    post(crew, "/api/incidents", **told)
    state = get(crew, "/api/field")
    (zone,) = [one for one in get(desk, "/api/place")["features"] if one["id"] == "z0"]
    assert state["tasks"][0]["zone"] == zone["properties"]["name"]
    assert [one["text"] for one in state["calls"]] == ["a bike in the fire lane"]
