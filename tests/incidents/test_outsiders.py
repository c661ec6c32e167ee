"""Nobody who is not of the duty team floods the desk, or moves the whole team, with reports."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import at_shop
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.foundation import ids
from anshang.incidents import outsiders
from anshang.incidents.outsiders import OF_OUTSIDERS, OF_OUTSIDERS_LONG
from anshang.people.model import Role
from anshang.web.budgets import Budget

pytestmark = pytest.mark.postgres
HERE = f"?district={DISTRICT}"
app, quarter = app_fixture, quarter_fixture


def report(client: TestClient, source: str, **told: Any) -> Response:
    body = {"id": ids.new_id(), "source": source, "text": "somebody shouts", **told}
    return client.post(f"/api/incidents{HERE}", json=body)


def priority_of(app: FastAPI, answer: Response) -> int:
    assert answer.status_code == 200, answer.text
    desk = signed_in(app, Role.DESK, DISTRICT)
    return int(desk.get(f"/api/matters/{answer.json()['id']}{HERE}").json()["priority"])


@pytest.mark.slow
def test_a_partner_moves_the_whole_team_from_its_own_door_alone(app: FastAPI) -> None:
    for place, priority in (
        ({"premises_id": "p2"}, 1),
        ({"premises_id": "p4"}, 2),
        ({"zone_id": "z1"}, 2),
        ({"premises_id": "p2", "lon": 112.9701, "lat": 28.1901}, 2),
        ({}, 2),
    ):
        shop = at_shop(app, "p2")
        assert priority_of(app, report(shop, "merchant", priority=1, place=place)) == priority
        assert priority_of(app, report(shop, "merchant", category_id="fight.weapon", place=place)) == priority
    assert priority_of(app, report(shop, "merchant", priority=3, place={"premises_id": "p4"})) == 3
    assert priority_of(app, report(signed_in(app, Role.DESK, DISTRICT), "phone", priority=1)) == 1


def test_an_account_sends_so_many_reports_a_minute_and_calls_for_help_beyond_them(app: FastAPI) -> None:
    volunteer, other = (signed_in(app, Role.VOLUNTEER, DISTRICT) for _ in range(2))
    sent = [report(volunteer, "patrol").status_code for _ in range(OF_OUTSIDERS.most + 2)]
    assert sent == [200] * OF_OUTSIDERS.most + [429] * 2
    refused = report(volunteer, "patrol")
    assert (refused.json()["error"], refused.headers["Retry-After"]) == (
        "incident.report_outside.throttled",
        "60",
    )
    assert report(volunteer, "sos").status_code == 200
    assert report(other, "patrol").status_code == 200


def test_an_account_of_outsiders_leaves_the_queue_readable_for_an_hour_too(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten a minute, every minute of a night, are fourteen thousand."""
    monkeypatch.setattr(outsiders, "OF_OUTSIDERS", Budget("incident.report_outside", most=10_000))
    volunteer = signed_in(app, Role.VOLUNTEER, DISTRICT)
    sent = [report(volunteer, "patrol").status_code for _ in range(OF_OUTSIDERS_LONG.most + 2)]
    assert sent == [200] * OF_OUTSIDERS_LONG.most + [429] * 2
    assert report(volunteer, "sos").status_code == 200
