"""Who belongs to one body sees nothing of another, nor of another district, whatever they ask."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.conftest import DISTRICT, Make
from tests.crowds.conftest import line, row_of_zones
from tests.serving import open_account, signed_in

from anshang.crowds import store as sensors
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import MatterKind, Priority
from anshang.people.model import Role
from anshang.places import store as places
from anshang.places.document import read_document
from anshang.rooms import ROOMS

ELSEWHERE = "elsewhere"
BOUND = [Role.PARTNER, Role.MEDIATOR]
"""The roles that see one body's matters only."""
ASKED = [
    (method, route.path)
    for room in ROOMS
    for router in room.routers
    for route in router.routes
    if isinstance(route, APIRoute) and not route.path.endswith("/live")  # closed to them: test_access.py
    for method in route.methods
]


TOLD: dict[str, dict[str, object]] = {
    "notes": {"id": ids.new_id(), "text": "x"},
    "close": {"outcome": "x", "version": 1},
    "priority": {"priority": 4, "version": 1},
    "matters": {"id": ids.new_id(), "kind": "note", "priority": 4, "text": "x"},
}
"""What is sent with a verb, so that it would be done if the door stood open."""


@dataclass
class Body:
    """A body with an open and a closed matter; `words` stand in nothing that others may read."""

    id: str
    open: str
    closed: str
    words: list[str]


def body_with_matters(database: Database, admin: TestClient, make: Make, district: str, name: str) -> Body:
    """A body, what it has in the queue, and the account of somebody who works there."""
    body_id = ids.new_id()
    told = {"id": body_id, "name_zh": f"{name}公司", "name_en": f"{name} company"}
    assert admin.post("/api/bodies", json=told).status_code == 200
    desk = make.actor(Role.DESK, district)
    opened = []
    for n in range(2):
        with database.transaction(district) as tx:
            matter = matters.open_matter(
                tx,
                actor=desk,
                id=ids.new_id(),
                kind=MatterKind.REQUEST,
                priority=Priority.P2,
                subject="matter.request",
                text=f"{name} secret {n}",
                body_id=body_id,
            )
            matters.add_note(tx, actor=desk, id=matter.id, note_id=ids.new_id(), text=f"{name} secret note")
            opened.append(matter.id)
    with database.transaction(district) as tx:
        matters.close(tx, actor=desk, id=opened[1], outcome=f"{name} secret outcome")
    account = open_account(database, Role.PARTNER, district, body_id=body_id)
    return Body(
        body_id, opened[0], opened[1], [*opened, body_id, f"{name} secret", f"{name} company", account]
    )


@pytest.fixture
def admin(app: FastAPI, database: Database) -> TestClient:
    """An administrator of both districts, the first of which has a place and a sensor."""
    with database.transaction(DISTRICT) as tx:
        places.replace(tx, read_document(row_of_zones()))
        sensors.sensors.add(tx, line("g0"))
    return signed_in(app, Role.ADMIN, DISTRICT, ELSEWHERE)


def ask_all(client: TestClient, district: str, matter_id: str) -> dict[tuple[str, str], tuple[int, str]]:
    """Ask every route of the district, where it wants one of the matter; the statuses and the words."""
    answers = {}
    for method, path in ASKED:
        if path == "/api/session" and method != "GET":
            continue  # it would end the session
        concrete = path.replace("{id}", matter_id).replace("{zone}", "z1").replace("{code}", "A" * 16)
        asked = {"district": district, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}
        verb = path.rpartition("/")[2]
        answer = client.request(method, concrete, params=asked, json=TOLD.get(verb, {}))
        answers[method, path] = (answer.status_code, answer.text)
    closed = client.get("/api/matters", params={"district": district, "state": "closed"})
    answers["GET", "/api/matters?state=closed"] = (closed.status_code, closed.text)
    return answers


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("role", BOUND)
def test_somebody_of_one_body_sees_nothing_of_another(
    app: FastAPI, database: Database, admin: TestClient, make: Make, role: Role
) -> None:
    mine = body_with_matters(database, admin, make, DISTRICT, "own")
    other = body_with_matters(database, admin, make, DISTRICT, "foreign")
    client = signed_in(app, role, DISTRICT, body_id=mine.id)
    answers = ask_all(client, DISTRICT, other.open)
    told = {route: text for route, (_, text) in answers.items()}
    assert {(route, word) for route, text in told.items() for word in other.words if word in text} == set()
    assert answers["GET", "/api/matters/{id}"][0] == 404
    acted = {path: status for (method, path), (status, _) in answers.items() if method != "GET"}
    assert {path for path, status in acted.items() if status < 400} <= {"/api/session/language"}
    assert mine.open in told["GET", "/api/matters"]
    assert mine.closed in told["GET", "/api/matters?state=closed"]
    assert "own secret note" in client.get(f"/api/matters/{mine.open}?district={DISTRICT}").text
    seen = admin.get(f"/api/matters/{other.open}?district={DISTRICT}").json()
    assert (seen["state"], seen["priority"], len(seen["notes"])) == ("open", 2, 1)  # untouched


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("role", [*BOUND, Role.PATROL, Role.VOLUNTEER])
def test_somebody_of_another_district_sees_nothing_here(
    app: FastAPI,
    database: Database,
    admin: TestClient,
    make: Make,
    role: Role,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = body_with_matters(database, admin, make, DISTRICT, "here")
    with monkeypatch.context() as before:  # an account of the same body, from before that was refused
        before.setattr("anshang.people.actions.check_body", lambda *_: None)
        client = signed_in(app, role, ELSEWHERE, body_id=here.id)
    installation_wide = (
        "/api/meta",
        "/api/health",
        "/api/session",
        "/api/session/language",
        "/api/districts",
    )
    for_anybody = ("/api/public", "/api/public/spots/{id}", "/api/public/calls")
    keyed = ("/metrics",)  # opens to its own key alone
    answers = ask_all(client, DISTRICT, here.open)
    for (method, path), (status, text) in answers.items():
        assert status in {403, 422} or path in (*installation_wide, *for_anybody, *keyed), (
            method,
            path,
            status,
        )
        assert not any(word in text for word in here.words if word != here.id), (method, path)
    assert client.get("/api/districts").json() == []
    own = ask_all(client, ELSEWHERE, here.open)  # a matter of the other district, asked for in one's own
    assert own["GET", "/api/matters/{id}"][0] in {403, 404}
    assert not any(word in text for _, text in own.values() for word in here.words if word != here.id)


@pytest.mark.parametrize("role", [*BOUND, Role.VOLUNTEER])
def test_who_is_not_of_the_duty_team_learns_what_was_done_but_neither_by_whom_nor_the_words(
    app: FastAPI, admin: TestClient, role: Role
) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    told = {"id": ids.new_id(), "note": "the tall man by the fountain"}
    path = "/api/crowd/zones/z1/measures"
    assert desk.post(path, params={"district": DISTRICT}, json=told).status_code == 200
    (known,) = desk.get(path, params={"district": DISTRICT}).json()
    assert known["note"] == told["note"]
    body = {"id": ids.new_id(), "name_zh": "公司", "name_en": "company"}
    assert admin.post("/api/bodies", json=body).status_code == 200
    client = signed_in(app, role, DISTRICT, body_id=body["id"])
    (seen,) = client.get(path, params={"district": DISTRICT}).json()
    assert (seen["id"], seen["note"], seen["taken_by"]) == (told["id"], "", "")


@pytest.mark.parametrize("role", BOUND)
def test_somebody_of_no_body_sees_no_matter_at_all(
    app: FastAPI, database: Database, admin: TestClient, make: Make, role: Role
) -> None:
    """Such an account cannot be opened as a partner; should there ever be one, it sees nothing."""
    body_with_matters(database, admin, make, DISTRICT, "foreign")
    with database.reading([DISTRICT]) as connection:
        scope = make.actor(role).scope
        assert matters_store.list_waiting(connection, scope, DISTRICT) == []
        assert matters_store.list_closed(connection, scope, DISTRICT, 10) == []
