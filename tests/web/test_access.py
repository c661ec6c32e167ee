"""Deny by default: every route, every role, every body, every district."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import PASSWORD, feed_client, open_account, signed_in
from tests.web.access_table import AREA, BODIES, ENDLESS, KEYED, MAY, OWN, PUBLIC

from anshang.foundation import ids
from anshang.people.model import MACHINES, Role
from anshang.rooms import ROOMS
from anshang.web.session import COOKIE, CSRF_HEADER, Runtime, recognise

ROUTES = [
    route
    for room in ROOMS
    for router in room.routers
    for route in router.routes
    if isinstance(route, APIRoute)
]


def routes() -> Iterator[tuple[str, str]]:
    for route in ROUTES:
        yield from ((method, route.path) for method in route.methods)


def ask(client: TestClient, method: str, path: str, district: str = DISTRICT) -> int:
    """Ask with an empty or harmless body: what matters is whether the door opens at all."""
    some_id = "s01" if "/sensors/" in path or "categories" in path else ids.new_id()
    concrete = path.replace("{id}", some_id).replace("{zone}", "z01").replace("{code}", "A" * 16)
    if path.endswith("/history"):
        concrete += "?from=2026-12-31T11:00:00Z&to=2026-12-31T12:00:00Z"
    if path == "/api/osmand":
        concrete += "?id=asu_wrong&lat=28.1&lon=112.9&timestamp=1798718400"
    if path == "/api/orders/plan":
        concrete += "?zone_id=z01&level=2"
    if path == "/api/live":
        concrete += "?since=999999999999"  # an endless answer: only its refusal can be awaited
    if path == "/api/photos/{id}":
        concrete += f"?purpose=report&of={ids.new_id()}"
    content = PHOTO if (method, path) == ("POST", "/api/photos/{id}") else {}
    sign = "&" if "?" in concrete else "?"
    return client.request(
        method, f"{concrete}{sign}district={district}", json=BODIES.get((method, path)), **content
    ).status_code


PHOTO = {"content": b"none", "headers": {"Content-Type": "application/octet-stream"}}


def test_every_route_is_public_own_or_has_an_area(app: FastAPI) -> None:
    """A new route must be named here, so that somebody decided who may use it."""
    assert set(routes()) == PUBLIC | KEYED | OWN | set(AREA)
    assert set(app.openapi()["paths"]) == {path for _, path in routes()}


def test_every_route_that_is_not_public_asks_who_calls() -> None:
    for route in ROUTES:
        asks = any(dependency.call is recognise for dependency in route.dependant.dependencies)
        assert asks != ((next(iter(route.methods)), route.path) in PUBLIC | KEYED), route.path


def test_nobody_gets_in_without_a_session(app: FastAPI) -> None:
    client = TestClient(app, raise_server_exceptions=False)
    assert {(m, p) for m, p in routes() if ask(client, m, p) != 401} - PUBLIC == set()


@pytest.mark.slow
@pytest.mark.parametrize("role", sorted(set(Role) - MACHINES))
def test_each_role_gets_where_it_belongs_and_nowhere_else(app: FastAPI, role: Role) -> None:
    """A refused caller gets 403 before anything else is looked at; an admitted one gets any other answer."""
    body_id = ids.new_id()
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    admin.post("/api/bodies", json={"id": body_id, "name_zh": "甲", "name_en": "a"})
    client = signed_in(app, role, DISTRICT, body_id=body_id)
    for (method, path), area in AREA.items():
        if path in ENDLESS and area in MAY[role]:
            continue
        status = ask(client, method, path)
        assert (status != 403) == (area in MAY[role]), (role, method, path, status)
        assert status < 500, (role, method, path, status)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.DESK, Role.MEDIATOR, Role.WALL])
def test_nobody_gets_into_another_district(app: FastAPI, role: Role) -> None:
    client = signed_in(app, role, "elsewhere")
    installation_wide = {p for p in AREA if p[1].startswith(("/api/people", "/api/bodies"))}
    opened = {(m, p) for m, p in set(AREA) - installation_wide if ask(client, m, p, DISTRICT) != 403}
    assert opened == set()


def test_a_feed_may_only_deliver_counts_and_tell_the_weather(app: FastAPI) -> None:
    feed = feed_client(app, DISTRICT)
    allowed = {("POST", "/api/observations"), ("POST", "/api/weather")}
    answers = {(m, p): ask(feed, m, p) for m, p in {*AREA, *OWN} - {("GET", "/api/districts")}}
    assert {route for route, status in answers.items() if status != 403} == allowed
    assert ask(feed, "POST", "/api/observations", "elsewhere") == 403


def test_an_unknown_key_opens_nothing(app: FastAPI) -> None:
    client = TestClient(app, headers={"Authorization": "Bearer ask_wrong"}, raise_server_exceptions=False)
    assert ask(client, "POST", "/api/observations") == 401


def test_a_write_needs_the_token_of_its_session(app: FastAPI) -> None:
    client = signed_in(app, Role.DESK, DISTRICT)
    note = {"id": ids.new_id(), "kind": "note", "priority": 4, "text": "x"}
    for token in ("", "wrong", signed_in(app, Role.DESK, DISTRICT).headers[CSRF_HEADER]):
        client.headers[CSRF_HEADER], mine = token, client.headers[CSRF_HEADER]
        assert client.post(f"/api/matters?district={DISTRICT}", json=note).json()["error"] == "csrf.missing"
        client.headers[CSRF_HEADER] = mine
    assert client.post(f"/api/matters?district={DISTRICT}", json=note).status_code == 200


def test_ones_own_password_changes_only_with_the_present_one(app: FastAPI) -> None:
    client = signed_in(app, Role.DESK, DISTRICT)
    address = f"/api/people/{client.get('/api/session').json()['account']['id']}/password"
    for told in ({}, {"current": "not the present one"}):
        answer = client.post(address, json={"password": "another long one", **told})
        assert (answer.status_code, answer.json()["error"]) == (400, "account.wrong_password")
    assert client.post(address, json={"password": "another long one", "current": PASSWORD}).status_code == 204
    assert client.get("/api/session").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app: FastAPI) -> None:
    name = open_account(app.state.services[Runtime].database, Role.DESK, DISTRICT)
    answer = TestClient(app).post("/api/session", json={"name": name, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_page_of_another_site_cannot_sign_anybody_in(app: FastAPI) -> None:
    name = open_account(app.state.services[Runtime].database, Role.DESK, DISTRICT)
    told = {"name": name, "password": PASSWORD}
    for site in ("cross-site", "same-site"):
        answer = TestClient(app).post("/api/session", json=told, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403


def test_tries_to_sign_in_are_throttled_with_a_word_when_to_come_back(app: FastAPI) -> None:
    client = TestClient(app)
    wrong = {"name": "lin", "password": "wrong"}
    statuses = [client.post("/api/session", json=wrong).status_code for _ in range(8)]
    assert statuses[:6] == [401] * 6
    assert statuses[6:] == [429] * 2
    assert client.post("/api/session", json=wrong).headers["Retry-After"] == "60"


def test_signing_out_ends_the_session(app: FastAPI) -> None:
    client = signed_in(app, Role.DESK, DISTRICT)
    token = client.cookies[COOKIE]
    assert client.get("/api/session").json()["account"]["role"] == "desk"
    assert client.delete("/api/session").status_code == 204
    client.cookies.set(COOKIE, token)
    assert client.get("/api/session").status_code == 401
