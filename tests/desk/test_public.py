"""What anybody may know and do who stands in the district, and what keeps that from drowning the desk."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from tests.partners.conftest import LAT, LON
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.desk.calls import AREA_M, OF_DISTRICT, OF_NETWORK, OPEN_IN_DISTRICT, OPEN_OF_NETWORK
from anshang.desk.public import LOOKS, PublicDesk
from anshang.foundation import ids
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places
from anshang.web.session import Runtime

pytestmark = pytest.mark.postgres

HERE = f"?district={DISTRICT}"
M_PER_LON = 98_000.0
"""Metres in a degree of longitude, there."""
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
    app.state.services[PublicDesk].forget(DISTRICT)
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


def call_from(app: FastAPI, network: str, what: str, where: str = HERE, **spot: str | float) -> Response:
    """A call for help by a phone at an address."""
    phone = TestClient(app, raise_server_exceptions=False, client=(network, 50_000))
    return phone.post(f"/api/public/calls{where}", json={"id": ids.new_id(), "what": what, **spot})


def waiting(app: FastAPI, where: str = HERE) -> list[dict[str, Any]]:
    """The desk's queue."""
    matters = signed_in(app, Role.DESK, *where.split("=")[1:]).get(f"/api/matters{where}").json()["matters"]
    return sorted(matters, key=lambda matter: matter["number"])


def test_a_crowd_behind_one_address_sees_the_page_and_only_guessing_is_held_back(visitor: TestClient) -> None:
    assert {visitor.get(f"/api/public{HERE}").status_code for _ in range(LOOKS.most + 20)} == {200}
    spots = [visitor.get(f"/api/public/spots/p2{HERE}").status_code for _ in range(LOOKS.most + 5)]
    assert spots.count(200) >= LOOKS.most - 50 and spots[-1] == 429


def test_many_calls_from_one_place_become_one_incident_that_says_how_many(app: FastAPI) -> None:
    """A crowd behind one address is never refused, and the desk reads one line instead of forty."""
    answers = [call_from(app, "203.0.113.7", "other", zone_id="z1") for _ in range(40)]
    assert {answer.status_code for answer in answers} == {200}
    own = OF_NETWORK.most
    assert len({answer.json()["id"] for answer in answers}) == own + 1
    assert [matter["params"].get("calls") for matter in waiting(app)] == [None] * own + [32]
    somewhere_else = call_from(app, "203.0.113.7", "other", zone_id="z2").json()["id"]
    assert waiting(app)[-1]["id"] == somewhere_else


@pytest.mark.parametrize("scanned", ["p2", None])
def test_the_injured_of_one_address_keep_their_points_in_a_flood(app: FastAPI, scanned: str | None) -> None:
    """Phones behind one Wi-Fi, at two ends of a square: two places to go to, not one."""

    def hurt(east_m: float) -> str:
        point: dict[str, str | float] = {"lon": LON + east_m / M_PER_LON, "lat": LAT}
        spot = point | ({"premises_id": scanned} if scanned else {"zone_id": "z1"})
        told: str = call_from(app, "203.0.113.7", "hurt", **spot).json()["id"]
        return told

    for _ in range(OF_NETWORK.most):
        hurt(0)
    here, far, still_here, still_far = hurt(10), hurt(310), hurt(12), hurt(312)
    assert (here, far) == (still_here, still_far)
    assert here != far
    shown = signed_in(app, Role.DESK, DISTRICT).get(f"/api/incidents/{far}{HERE}").json()
    assert (shown["lon"], shown["premises_id"]) == (pytest.approx(LON + 310 / M_PER_LON), scanned)


def test_points_that_lie_in_no_district_make_no_incidents_of_their_own(app: FastAPI) -> None:
    """Whoever makes points up all over the world does not fill the queue."""
    told = {
        call_from(app, "203.0.113.7", "hurt", zone_id="z1", lon=lon, lat=LAT).json()["id"]
        for lon in range(OF_NETWORK.most + 9)
    }
    assert len(told) == OF_NETWORK.most + 1


def test_what_gathers_calls_stays_marked_when_it_is_classified_and_begins_anew_when_it_is_over(
    app: FastAPI,
) -> None:
    for _ in range(OF_NETWORK.most + 2):
        gathered = call_from(app, "203.0.113.7", "afraid", zone_id="z1").json()["id"]
    desk = signed_in(app, Role.DESK, DISTRICT)
    page = f"/api/incidents/{gathered}"
    desk.post(f"{page}/classify{HERE}", json={"category_id": "fight", "version": 1})
    assert desk.get(f"/api/matters/{gathered}{HERE}").json()["params"]["calls"] == 2
    version = desk.get(f"{page}{HERE}").json()["version"]
    assert (
        desk.post(
            f"{page}/clear{HERE}", json={"outcome": "ok", "version": version, "insist": True}
        ).status_code
        == 200
    )
    assert call_from(app, "203.0.113.7", "afraid", zone_id="z1").json()["id"] != gathered


def test_a_call_that_is_sent_again_is_the_same_one_in_a_flood_too(app: FastAPI) -> None:
    phone = TestClient(app, client=("203.0.113.7", 50_000))
    mine = {"id": ids.new_id(), "what": "hurt", "zone_id": "z1"}
    for _ in range(OF_NETWORK.most + 3):
        assert phone.post(f"/api/public/calls{HERE}", json=mine).json()["id"] == mine["id"]
    assert len(waiting(app)) == 1


@pytest.mark.slow
def test_nobody_can_silence_the_calls_of_a_district_or_of_another_one(app: FastAPI) -> None:
    """A flood from many addresses: what is urgent keeps its place, the rest is gathered by zone, and the
    district beside it does not notice.
    """
    with app.state.services[Runtime].database.transaction("beside") as tx:
        document = json.loads(row_of_zones())
        document["anshang"]["district"]["id"] = "beside"
        places.import_document(tx, actor=operator_actor("beside"), document=json.dumps(document).encode())
    addresses = [f"2001:db8:0:{one:x}::{two}" for one in range(25) for two in range(1, 4)]
    for address in addresses[: OF_DISTRICT.most]:
        assert call_from(app, address, "item", zone_id="z1").status_code == 200
    known = len(waiting(app))
    for premises in ("p2", "p4"):
        hurt = call_from(app, "198.51.100.1", "hurt", premises_id=premises).json()["id"]
        shown = signed_in(app, Role.DESK, DISTRICT).get(f"/api/incidents/{hurt}{HERE}").json()
        assert shown["premises_id"] == premises
    items = {call_from(app, address, "item", zone_id="z1").json()["id"] for address in addresses[-12:]}
    assert len(items) == 1 and len(waiting(app)) == known + 3
    quiet = "?district=beside"
    assert call_from(app, "198.51.100.2", "hurt", quiet, zone_id="z1").status_code == 200
    assert "calls" not in waiting(app, quiet)[0]["params"]


def test_one_address_that_floods_the_desk_takes_no_place_from_others(app: FastAPI) -> None:
    for _ in range(2 * OF_DISTRICT.most):
        assert call_from(app, "203.0.113.7", "item", premises_id="p1").status_code == 200
    afraid = call_from(app, "198.51.100.1", "afraid", premises_id="p2").json()["id"]
    shown = signed_in(app, Role.DESK, DISTRICT).get(f"/api/incidents/{afraid}{HERE}").json()
    assert shown["premises_id"] == "p2"
    assert "calls" not in {matter["id"]: matter["params"] for matter in waiting(app)}[afraid]


def test_calls_that_come_at_once_are_gathered_as_those_one_after_another(app: FastAPI) -> None:
    with ThreadPoolExecutor(8) as pool:
        tell = partial(call_from, app, "203.0.113.7", "item", premises_id="p1")
        answers = [pool.submit(tell) for _ in range(40)]
        ids = {answer.result().json()["id"] for answer in answers}
    assert len(ids) == OF_NETWORK.most + 1, "its own three, and the one that gathers the others"


def hurt_at(app: FastAPI, network: str, number: int, what: str = "hurt") -> str:
    """The incident of a call from a square of its own, each in the second zone."""
    east_m, north_m = 41 * (number % 40) - 800, 41 * (number // 40) - 100
    point = {"lon": LON + east_m / M_PER_LON, "lat": LAT + north_m / 111_000}
    told: str = call_from(app, network, what, zone_id="z1", **point).json()["id"]
    return told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("networks", "most"), [(1, OPEN_OF_NETWORK), (10**6, OPEN_IN_DISTRICT)], ids=["one network", "many"]
)
def test_who_makes_up_places_fills_the_queue_only_so_far(app: FastAPI, networks: int, most: int) -> None:
    """Some 5,000 premises times 2,000 squares could once be opened by one phone."""
    answers = [hurt_at(app, f"2001:db8:0:{n % networks:x}::1", n) for n in range(most + 30)]
    assert len(set(answers[:most])) == most, "the first ones keep their places"
    (gathered,) = set(answers[most:])
    desk = signed_in(app, Role.DESK, DISTRICT)
    shown = desk.get(f"/api/incidents/{gathered}{HERE}").json()
    assert (shown["zone_id"], shown["lon"], shown["premises_id"]) == ("z1", None, None), (
        "no one of their points"
    )
    by_id = {matter["id"]: matter["params"] for matter in waiting(app)}
    assert by_id.keys() == set(answers)
    assert by_id[gathered]["calls"] == 16, "written down whenever it has doubled"
    honest = hurt_at(app, "203.0.113.7", 10_000)
    assert (honest == gathered) is (networks > 1), "one network takes no place from the others"
    assert "calls" not in by_id[answers[0]]


@pytest.mark.slow
def test_beyond_the_room_who_is_hurt_outside_of_all_zones_is_gathered_with_those_nearby_alone(
    app: FastAPI,
) -> None:
    def hurt(number: int) -> str:
        point = {"lon": LON - 700 / M_PER_LON, "lat": LAT + (number * 45 - 400) / 111_000}
        told: str = call_from(app, "203.0.113.7", "hurt", **point).json()["id"]
        return told

    assert len({hurt(n) for n in range(OPEN_OF_NETWORK)}) == OPEN_OF_NETWORK
    here, beside, far = hurt(0), hurt(1), hurt(17)
    assert here == beside != far
    desk = signed_in(app, Role.DESK, DISTRICT)
    for n, gathered in ((0, here), (17, far)):
        shown = desk.get(f"/api/incidents/{gathered}{HERE}").json()
        off_m = abs(shown["lat"] - LAT) * 111_000 - abs(n * 45 - 400)
        assert abs(off_m) <= AREA_M / 2 + 45, "about there"


@pytest.mark.slow
def test_what_is_lost_takes_no_place_from_who_is_hurt_and_a_call_for_help_of_the_team_none_at_all(
    app: FastAPI,
) -> None:
    lost = {call_from(app, f"2001:db8:0:{n:x}::1", "item", zone_id="z1").json()["id"] for n in range(140)}
    assert len(lost) <= OPEN_IN_DISTRICT + 1
    hurt = [hurt_at(app, f"2001:db8:1:{n:x}::1", n) for n in range(OPEN_IN_DISTRICT + 5)]
    assert len(set(hurt)) == OPEN_IN_DISTRICT + 1
    patrol = signed_in(app, Role.PATROL, DISTRICT)
    told = {"id": ids.new_id(), "source": "sos", "text": "", "place": {"zone_id": "z1"}}
    assert patrol.post(f"/api/incidents{HERE}", json=told).json()["id"] == told["id"]


@pytest.mark.slow
def test_a_place_that_is_closed_makes_room_for_another(app: FastAPI) -> None:
    first = [hurt_at(app, "203.0.113.7", n) for n in range(OPEN_OF_NETWORK + 1)]
    desk = signed_in(app, Role.DESK, DISTRICT)
    version = desk.get(f"/api/incidents/{first[0]}{HERE}").json()["version"]
    ending = {"outcome": "nobody there", "version": version, "insist": True}
    assert desk.post(f"/api/incidents/{first[0]}/clear{HERE}", json=ending).status_code == 200
    assert hurt_at(app, "203.0.113.7", 50) not in first
    assert hurt_at(app, "203.0.113.7", 51) == first[-1]


def test_calls_for_districts_that_are_none_spend_nobody_s_budget(app: FastAPI) -> None:
    for _ in range(OF_NETWORK.most + 2):
        assert call_from(app, "203.0.113.7", "hurt", "?district=nowhere").status_code == 404
        assert call_from(app, "203.0.113.7", "hurt", zone_id="nowhere").status_code == 404
    call_from(app, "203.0.113.7", "hurt", zone_id="z1")
    assert "calls" not in waiting(app)[0]["params"]


def test_addresses_of_one_ipv6_network_are_one_caller(app: FastAPI) -> None:
    answers = {call_from(app, f"2001:db8:7:7::{one}", "other", zone_id="z1").json()["id"] for one in range(9)}
    assert len(answers) == OF_NETWORK.most + 1


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
    app.state.services[PublicDesk].forget(DISTRICT)
    assert visitor.get(f"/api/public{HERE}").json()["found"] == []
    assert desk.get(f"/api/found{HERE}").json() == []


def test_somebody_who_lost_something_tells_the_desk(app: FastAPI, visitor: TestClient) -> None:
    call = {"id": ids.new_id(), "what": "item", "premises_id": "p2"}
    assert visitor.post(f"/api/public/calls{HERE}", json=call).status_code == 200
    desk = signed_in(app, Role.DESK, DISTRICT)
    told = desk.get(f"/api/incidents/{call['id']}{HERE}").json()
    assert told["category_id"] == "lost_property"
