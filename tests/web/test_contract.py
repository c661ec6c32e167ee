"""The API keeps its own description: every route, asked with good and with bad requests, by whoever asks.

Schemathesis makes the requests from the OpenAPI document and judges the answers. `positive_data_acceptance` is not
among its checks, because a well-formed request may break a rule of the house (no such zone, a matter that is closed);
the checks of authorisation are test_access.py's.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.crowds.conftest import line, row_of_zones
from tests.serving import feed_client, open_account, signed_in

from anshang.crowds import store as sensors
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.people.model import Role
from anshang.places import store as places
from anshang.places.document import read_document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 4
ENDLESS = {"/api/live", "/api/field/live"}
"""Asked only by those who are refused: an answer to the others never ends (faults/test_resumed.py)."""

pytestmark = pytest.mark.slow
Headers = dict[str, str]


class Asked:
    """What was asked by one caller, and how it was answered."""

    def __init__(self, headers: Headers, real: dict[str, dict[str, str]]) -> None:
        self.headers = headers
        self._real = real
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.faults: list[str] = []

    @property
    def succeeded(self) -> set[str]:
        """The operations that did what they were asked at least once."""
        return {label for label, status in self.statuses if status < 300}

    def ask(self, operation: APIOperation[Any, Any, Any, Any]) -> None:
        """Ask in good ways of what there is, in good ways of anything, and in bad ways."""
        there: dict[str, Any] = {}
        if operation.get_parameter("district", "query"):
            there["query"] = {"district": DISTRICT}
        for beginning, named in self._real.items():
            if operation.path.startswith(beginning) and "{" in operation.path:
                there["path_parameters"] = named
        self._judge(operation, GenerationMode.POSITIVE, there)
        if there:
            self._judge(operation, GenerationMode.POSITIVE, {})
        self._judge(operation, GenerationMode.NEGATIVE, {})

    def _judge(
        self, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, fixed: dict[str, Any]
    ) -> None:
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode, **fixed))
        def judge(case: schemathesis.Case) -> None:
            response = case.call(headers=self.headers)
            self.statuses[operation.label, response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        try:
            judge()
        except Unsatisfiable:  # nothing to say wrongly: the route has no parameter and no body
            assert mode is GenerationMode.NEGATIVE
            assert not [*operation.iter_parameters(), *operation.body]
        except (AssertionError, ExceptionGroup) as error:
            reasons = getattr(error, "exceptions", [error])
            self.faults.append(f"{operation.label} ({mode.value}): " + " / ".join(map(str, reasons)))


@pytest.fixture
def real(app: FastAPI, database: Database) -> dict[str, dict[str, str]]:
    """What there is to ask of: a place, a sensor, a matter, an account, a feed; by the address it is asked at."""
    with database.transaction(DISTRICT) as tx:
        places.replace(tx, read_document(row_of_zones()))
        sensors.sensors.add(tx, line("g0"))
    matter, feed = ids.new_id(), ids.new_id()
    note = {"id": matter, "kind": "note", "priority": 4, "text": "x"}
    desk = signed_in(app, Role.DESK, DISTRICT)
    desk.post(f"/api/matters?district={DISTRICT}", json=note)
    incident = ids.new_id()
    desk.post(f"/api/incidents?district={DISTRICT}", json={"id": incident, "source": "phone"})
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    unit = {"kind_id": "rapid", "call_sign": "K1", "name_zh": "快一", "name_en": "Rapid 1"}
    admin.put(f"/api/units/k1?district={DISTRICT}", json=unit)
    admin.post(f"/api/feeds?district={DISTRICT}", json={"id": feed, "name": "gates"})
    name = open_account(database, Role.WALL, DISTRICT)
    (account,) = [a["id"] for a in admin.get("/api/people").json() if a["name"] == name]
    return {
        "/api/crowd/zones/": {"zone": "z1"},
        "/api/crowd/sensors/": {"id": "g0"},
        "/api/matters/": {"id": matter},
        "/api/incidents/": {"id": incident},
        "/api/incident-categories/": {"id": "theft.pickpocket"},
        "/api/people/": {"id": account},
        "/api/units/": {"id": "k1"},
        "/api/feeds/": {"id": feed},
    }


def headers_of(client: TestClient) -> Headers:
    """What the client sends with every request to be known."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    known = {
        name: value for name, value in client.headers.items() if name in {"x-csrf-token", "authorization"}
    }
    return known | ({"Cookie": cookies} if cookies else {})


def ask_everything(app: FastAPI, headers: Headers, real: dict[str, dict[str, str]], *, live: bool) -> Asked:
    """Let one caller ask every operation; signing out comes last."""
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    asked = Asked(headers, real)
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in sorted(operations, key=lambda each: each.label == "DELETE /api/session"):
        if live or operation.path not in ENDLESS:
            asked.ask(operation)
    return asked


READ_BY_EVERYBODY = {"GET /api/place", "GET /api/crowd", "GET /api/crowd/sensors", "GET /api/matters/counts"}

FOR_ALL = {
    "GET /api/meta",
    "GET /api/health",
    "GET /api/public",
    "POST /api/public/calls",
    "POST /api/public/certificates",
}


def test_an_administrator_is_answered_as_described(app: FastAPI, real: dict[str, dict[str, str]]) -> None:
    asked = ask_everything(app, headers_of(signed_in(app, Role.ADMIN, DISTRICT)), real, live=False)
    assert asked.faults == []
    assert READ_BY_EVERYBODY | {"GET /api/people", "POST /api/bodies", "POST /api/feeds"} <= asked.succeeded


def test_a_desk_is_answered_as_described(app: FastAPI, real: dict[str, dict[str, str]]) -> None:
    asked = ask_everything(app, headers_of(signed_in(app, Role.DESK, DISTRICT)), real, live=False)
    assert asked.faults == []
    wrote = {
        "POST /api/incidents",
        "GET /api/incidents/{id}",
        "POST /api/matters",
        "POST /api/matters/{id}/notes",
        "POST /api/matters/{id}/acknowledge",
    }
    assert READ_BY_EVERYBODY | wrote <= asked.succeeded


def test_a_feed_is_answered_as_described(app: FastAPI, real: dict[str, dict[str, str]]) -> None:
    asked = ask_everything(app, headers_of(feed_client(app, DISTRICT)), real, live=True)
    assert asked.faults == []
    assert asked.succeeded == {*FOR_ALL, "POST /api/observations", "GET /api/districts"}


def test_a_stranger_is_answered_as_described(app: FastAPI, real: dict[str, dict[str, str]]) -> None:
    asked = ask_everything(app, {}, real, live=True)
    assert asked.faults == []
    assert asked.succeeded == FOR_ALL
