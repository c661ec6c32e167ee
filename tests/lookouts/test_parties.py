"""Units that look, and how a search ends in the queue: found, where and by whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.lookouts.test_lookouts import HERE, desk, do, opened, refused, sweep
from tests.partners.conftest import LAT, LON, WIDTH
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import long_quarter as quarter_fixture
from tests.serving import signed_in

from anshang.foundation import clock, ids
from anshang.people.model import Role

__all__ = ["desk", "sweep"]
pytestmark = pytest.mark.postgres
MoveOn = Callable[[timedelta], None]
app, quarter = app_fixture, quarter_fixture


@pytest.fixture
def patrol(app: FastAPI, desk: TestClient) -> TestClient:
    """The phone of a unit that is on duty in the west of the street."""
    supervisor, client = signed_in(app, Role.SUPERVISOR, DISTRICT), signed_in(app, Role.PATROL, DISTRICT)
    unit = {"kind_id": "officer_pair", "call_sign": "K1", "name_zh": "一", "name_en": "One"}
    assert supervisor.put(f"/api/units/k1{HERE}", json=unit).is_success
    me = client.get("/api/session").json()["account"]["id"]
    fit = {"insured_until": str(date(2027, 6, 1)), "trained_until": str(date(2027, 6, 1)), "adult": True}
    assert supervisor.put(f"/api/members/{me}{HERE}", json=fit).is_success
    assert client.post(f"/api/units/k1/duty{HERE}", json={"id": ids.new_id(), "crew": [me]}).is_success
    fix = {"at": clock.now().isoformat(), "lon": LON + 0.2 * WIDTH, "lat": LAT, "accuracy_m": 5.0}
    assert client.post(f"/api/positions{HERE}", json={"positions": [fix]}).json()["taken"] == 1
    return client


def matter_of(client: TestClient) -> dict[str, Any]:
    """The search in the queue."""
    matters: list[dict[str, Any]] = client.get(f"/api/matters{HERE}").json()["matters"]
    return matters[0]


def status_of(client: TestClient) -> str:
    """What the unit is doing."""
    return str(client.get(f"/api/units{HERE}").json()[0]["status"])


def send(client: TestClient, id: str, place: str = "p0") -> dict[str, Any]:
    """The unit as it is sent to look."""
    return {"id": ids.new_id(), "unit_id": "k1", "place_id": place, "text": "Please look at shop 0"}


def test_who_is_sent_to_look_is_busy_and_not_proposed_again_until_it_has_looked(
    desk: TestClient, patrol: TestClient
) -> None:
    page = opened(desk)
    proposed = lambda: [  # noqa: E731
        one["unit_id"] for one in desk.get(f"/api/lookouts/{page['id']}/search{HERE}").json()["send"]
    ]
    assert proposed() == ["k1"]
    party = send(desk, page["id"])
    for _ in range(2):
        do(desk, page["id"], "units", party)
    assert (status_of(desk), proposed()) == ("busy", [])
    assert desk.get(f"/api/lookouts{HERE}").json()[0]["sent"] == {"k1": "p0"}
    (message,) = patrol.get(f"/api/field{HERE}").json()["messages"]
    assert message["text"] == "Please look at shop 0"
    assert refused(desk, page["id"], "units", send(desk, page["id"])) == "unit.not_free_to_look"
    do(patrol, page["id"], "looks", {"id": ids.new_id(), "place_id": "p0", "kind": "sweep"})
    assert (status_of(desk), proposed()) == ("free", ["k1"])
    assert desk.get(f"/api/lookouts{HERE}").json()[0]["sent"] == {}


def test_a_search_that_has_found_waits_no_longer_and_says_where_and_by_whom(
    desk: TestClient, patrol: TestClient, sweep: Callable[[], None], night: MoveOn
) -> None:
    page = opened(desk)
    night(timedelta(minutes=16))
    sweep()
    assert (matter_of(desk)["subject"], matter_of(desk)["priority"]) == ("matter.lookout_supervisor", 1)
    do(desk, page["id"], "units", send(desk, page["id"]))
    do(patrol, page["id"], "found", {"lon": LON + 2.5 * WIDTH, "lat": LAT})
    matter = matter_of(desk)
    assert (matter["subject"], matter["priority"], matter["state"]) == (
        "matter.lookout_found", 3, "acknowledged",
    )  # fmt: skip
    assert matter["params"] == {"sort": "child", "zone": "z2", "unit": "k1"}
    assert (matter["zone_id"], status_of(desk)) == ("z2", "free")
    assert [clock["kind"] for clock in matter["clocks"] if clock["met_at"] is None] == []
    night(timedelta(minutes=10))
    sweep()
    assert matter_of(desk)["subject"] == "matter.lookout_found", "nothing calls the supervisor any more"
    do(desk, page["id"], "lost-again", {"notice_id": ids.new_id()})
    again = matter_of(desk)
    assert (again["subject"], again["priority"], again["state"], again["zone_id"]) == (
        "matter.lookout", 1, "open", "z0",
    )  # fmt: skip
