"""What anybody may know and do who stands in the district, and what keeps that from drowning the desk."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.desk.public import CALLS_PER_MINUTE, LOOKS_PER_MINUTE
from anshang.foundation import ids
from anshang.people.model import Role

pytestmark = pytest.mark.postgres

HERE = f"?district={DISTRICT}"
app, quarter = app_fixture, quarter_fixture


@pytest.fixture
def visitor(app: FastAPI) -> TestClient:
    """A stranger's phone."""
    return TestClient(app, raise_server_exceptions=False)


def test_anybody_sees_levels_and_no_figures_and_gets_no_cookie(visitor: TestClient) -> None:
    answer = visitor.get(f"/api/public{HERE}")
    assert answer.status_code == 200
    assert {zone["id"] for zone in answer.json()["zones"]} == {"z0", "z1", "z2"}
    assert all(zone["level"] is None for zone in answer.json()["zones"]), "nothing is counted yet"
    assert set(answer.json()["zones"][0]) == {"id", "name", "level", "level_ahead", "quieter"}
    assert answer.cookies == {} and "set-cookie" not in answer.headers
    assert visitor.get(f"/api/public/spots/p2{HERE}").json()["name"]["en"] == "Shop 2"
    assert visitor.get(f"/api/public/spots/nowhere{HERE}").status_code == 404


def test_a_reminder_for_everybody_stands_on_the_page_until_it_is_taken_back(
    app: FastAPI, visitor: TestClient
) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    body = {
        "id": ids.new_id(),
        "kind": "reminder",
        "words_zh": "末班地铁 23:10",
        "words_en": "Last metro 23:10",
        "public": True,
    }
    assert desk.post(f"/api/notices{HERE}", json=body).status_code == 200
    assert visitor.get(f"/api/public{HERE}").json()["reminders"] == [
        {"zh": "末班地铁 23:10", "en": "Last metro 23:10"}
    ]
    desk.post(f"/api/notices/{body['id']}/withdraw{HERE}")
    app.state.public.forget(DISTRICT)
    assert visitor.get(f"/api/public{HERE}").json()["reminders"] == []
    wrong = body | {"id": ids.new_id(), "kind": "request"}
    assert desk.post(f"/api/notices{HERE}", json=wrong).json()["error"] == "notice.not_public"


def test_a_call_reaches_the_desk_with_its_place_and_without_its_caller(
    app: FastAPI, visitor: TestClient
) -> None:
    call = {"id": ids.new_id(), "what": "lost", "premises_id": "p4"}
    for _ in range(2):
        assert visitor.post(f"/api/public/calls{HERE}", json=call).status_code == 200
    (matter,) = signed_in(app, Role.DESK, DISTRICT).get(f"/api/matters{HERE}").json()["matters"]
    assert (matter["zone_id"], matter["opened_at"] is not None) == ("z2", True)
    incident = signed_in(app, Role.DESK, DISTRICT).get(f"/api/incidents/{call['id']}{HERE}").json()
    assert (incident["source"], incident["category_id"], incident["premises_id"]) == (
        "public",
        "lost_person",
        "p4",
    )


def test_a_flood_of_looks_and_calls_is_held_back_in_words(visitor: TestClient) -> None:
    looks = [visitor.get(f"/api/public{HERE}").status_code for _ in range(LOOKS_PER_MINUTE + 20)]
    assert looks.count(200) == LOOKS_PER_MINUTE
    assert set(looks[LOOKS_PER_MINUTE:]) == {429}
    told = [{"id": ids.new_id(), "what": "hurt", "zone_id": "z1"} for _ in range(CALLS_PER_MINUTE + 2)]
    calls = [visitor.post(f"/api/public/calls{HERE}", json=one) for one in told]
    assert [one.status_code for one in calls] == [200] * CALLS_PER_MINUTE + [429] * 2
    assert "110" in calls[-1].json()["message"]["zh"]


def test_no_call_comes_from_a_district_that_is_none(visitor: TestClient) -> None:
    call = {"id": ids.new_id(), "what": "hurt"}
    assert visitor.post("/api/public/calls?district=nowhere", json=call).status_code == 404
    assert visitor.get("/api/public?district=nowhere").status_code == 404
    assert visitor.post(f"/api/public/calls{HERE}", json=call | {"what": "DROP TABLE"}).status_code == 422
    assert visitor.post(f"/api/public/calls{HERE}", json=call | {"phone": "139"}).status_code == 422


def test_what_was_handed_in_is_shown_without_its_marks_until_it_is_fetched(
    app: FastAPI, visitor: TestClient
) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    item = {"id": ids.new_id(), "thing": "wallet", "zone_id": "z1", "words": "brown, a bus ticket in it"}
    for _ in range(2):
        assert desk.post(f"/api/found{HERE}", json=item).status_code == 200
    nowhere = item | {"id": ids.new_id(), "zone_id": "nowhere"}
    assert desk.post(f"/api/found{HERE}", json=nowhere).status_code == 404
    page = visitor.get(f"/api/public{HERE}")
    (shown,) = page.json()["found"]
    assert (shown["thing"], set(shown)) == ("wallet", {"thing", "zone", "kept_at"})
    assert "brown" not in page.text
    assert [one["words"] for one in desk.get(f"/api/found{HERE}").json()] == [item["words"]]
    for outcome, status in (("returned", 200), ("returned", 200), ("passed_on", 409)):
        answer = desk.post(f"/api/found/{item['id']}/end{HERE}", json={"outcome": outcome})
        assert answer.status_code == status
    app.state.public.forget(DISTRICT)
    assert visitor.get(f"/api/public{HERE}").json()["found"] == []
    assert desk.get(f"/api/found{HERE}").json() == []


def test_somebody_who_lost_something_tells_the_desk(app: FastAPI, visitor: TestClient) -> None:
    call = {"id": ids.new_id(), "what": "item", "premises_id": "p2"}
    assert visitor.post(f"/api/public/calls{HERE}", json=call).status_code == 200
    desk = signed_in(app, Role.DESK, DISTRICT)
    told = desk.get(f"/api/incidents/{call['id']}{HERE}").json()
    assert told["category_id"] == "lost_property"
