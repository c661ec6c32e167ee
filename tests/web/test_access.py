"""Deny by default: every route, every role, every body, every district."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import PASSWORD, feed_client, open_account, signed_in

from anshang.app import ROUTERS
from anshang.foundation import ids
from anshang.people.model import MACHINES, Role
from anshang.web.session import COOKIE, CSRF_HEADER, recognise

PUBLIC = {
    ("GET", "/api/meta"),
    ("GET", "/api/health"),
    ("POST", "/api/session"),
    ("GET", "/api/public"),
    ("GET", "/api/public/spots/{id}"),
    ("POST", "/api/public/calls"),
}
"""What anybody may ask without being known."""

ENDLESS = {"/api/live", "/api/field/live", "/api/shop/live"}
"""Answers that never end."""

KEYED = {("GET", "/api/osmand"), ("POST", "/api/osmand")}
"""What a device may ask with its own key, which is in the request."""

OWN = {
    ("GET", "/api/session"),
    ("DELETE", "/api/session"),
    ("PATCH", "/api/session/language"),
    ("GET", "/api/districts"),
}
"""What everybody who is signed in may do for themselves."""

MAY: dict[Role, set[str]] = {
    Role.ADMIN: {
        "place", "place!", "crowd", "configure", "counts", "queue", "journal", "people", "live", "check", "categories", "bodies",
        "units", "units!", "partners", "partners!", "shop or partners",
    },
    Role.SUPERVISOR: {
        "place", "crowd", "configure", "measure", "confirm", "counts", "queue", "queue!", "journal", "live", "check",
        "report", "answer", "categories", "units", "units!", "duty or directs", "bodies", "keep person", "read person",
        "partners", "partners!", "notices!", "lookouts", "lookouts!", "shop or notices", "shop or partners", "desk",
    },
    Role.DESK: {
        "place", "crowd", "measure", "confirm", "counts", "queue", "queue!", "live", "check", "report", "answer", "units",
        "duty or directs", "bodies", "keep person", "read person",
        "partners", "notices!", "lookouts", "lookouts!", "shop or notices", "shop or partners", "desk",
    },
    Role.PATROL: {
        "place", "crowd", "measure", "counts", "queue", "live", "report", "units", "duty", "duty or directs",
        "keep person", "read person", "partners", "lookouts", "shop or partners",
    },
    Role.VOLUNTEER: {"place", "crowd", "report", "duty", "duty or directs", "keep person"},
    Role.PARTNER: {"place", "crowd", "queue", "answer", "report", "keep person", "shop", "shop or notices", "shop or partners"},
    Role.MEDIATOR: {"place", "crowd", "queue", "answer"},
    Role.WALL: {"place", "crowd", "counts", "live"},
}  # fmt: skip
"""What each role may do, in the words of AREA; a second, independent statement of people.model.PERMISSIONS."""

AREA: dict[tuple[str, str], str] = {
    ("GET", "/api/live"): "live",
    ("GET", "/api/journal"): "journal",
    ("GET", "/api/people"): "people",
    ("POST", "/api/people"): "people",
    ("PATCH", "/api/people/{id}"): "people",
    ("POST", "/api/people/{id}/password"): "people",
    ("GET", "/api/bodies"): "bodies",
    ("POST", "/api/bodies"): "people",
    ("GET", "/api/feeds"): "people",
    ("POST", "/api/feeds"): "people",
    ("DELETE", "/api/feeds/{id}"): "people",
    ("GET", "/api/crowd"): "crowd",
    ("GET", "/api/crowd/levels"): "crowd",
    ("PUT", "/api/crowd/levels"): "configure",
    ("GET", "/api/crowd/cards"): "crowd",
    ("GET", "/api/crowd/history"): "crowd",
    ("GET", "/api/crowd/forecast"): "crowd",
    ("GET", "/api/crowd/zones/{zone}/history"): "crowd",
    ("GET", "/api/crowd/zones/{zone}/measures"): "crowd",
    ("POST", "/api/crowd/zones/{zone}/measures"): "measure",
    ("POST", "/api/crowd/zones/{zone}/confirm"): "confirm",
    ("POST", "/api/crowd/zones/{zone}/lower"): "confirm",
    ("POST", "/api/crowd/zones/{zone}/count"): "measure",
    ("GET", "/api/crowd/sensors"): "crowd",
    ("PUT", "/api/crowd/sensors/{id}"): "configure",
    ("DELETE", "/api/crowd/sensors/{id}"): "configure",
    ("POST", "/api/observations"): "ingest",
    ("GET", "/api/check"): "check",
    ("GET", "/api/place"): "place",
    ("PUT", "/api/place"): "place!",
    ("GET", "/api/matters"): "queue",
    ("GET", "/api/matters/counts"): "counts",
    ("GET", "/api/matters/{id}"): "queue",
    ("POST", "/api/matters"): "queue!",
    ("POST", "/api/matters/{id}/acknowledge"): "queue!",
    ("POST", "/api/matters/{id}/release"): "queue!",
    ("POST", "/api/matters/{id}/notes"): "queue!",
    ("POST", "/api/matters/{id}/priority"): "queue!",
    ("POST", "/api/matters/{id}/close"): "queue!",
    ("POST", "/api/matters/{id}/reopen"): "queue!",
    ("POST", "/api/incidents"): "report",
    ("POST", "/api/incidents/grounds"): "report",
    ("GET", "/api/incidents/{id}"): "queue",
    ("POST", "/api/incidents/{id}/classify"): "queue!",
    ("POST", "/api/incidents/{id}/locate"): "queue!",
    ("POST", "/api/incidents/{id}/answers"): "queue!",
    ("POST", "/api/incidents/{id}/moments"): "queue!",
    ("POST", "/api/incidents/{id}/clear"): "queue!",
    ("POST", "/api/incidents/{id}/cancel"): "queue!",
    ("POST", "/api/incidents/{id}/reopen"): "queue!",
    ("POST", "/api/incidents/{id}/links"): "queue!",
    ("POST", "/api/incidents/{id}/transfers"): "queue!",
    ("POST", "/api/transfers/{id}"): "answer",
    ("GET", "/api/unit-kinds"): "place",
    ("GET", "/api/units"): "units",
    ("PUT", "/api/units/{id}"): "units!",
    ("DELETE", "/api/units/{id}"): "units!",
    ("POST", "/api/units/{id}/key"): "units!",
    ("GET", "/api/members"): "units!",
    ("PUT", "/api/members/{id}"): "units!",
    ("GET", "/api/duty/mine"): "duty",
    ("POST", "/api/positions"): "duty",
    ("POST", "/api/units/{id}/duty"): "duty or directs",
    ("POST", "/api/units/{id}/status"): "duty or directs",
    ("POST", "/api/duties/{id}/end"): "duty or directs",
    ("GET", "/api/incidents/{id}/advice"): "queue!",
    ("GET", "/api/incidents/{id}/within"): "queue!",
    ("POST", "/api/incidents/{id}/assignments"): "queue!",
    ("POST", "/api/incidents/{id}/circle"): "queue!",
    ("GET", "/api/incidents/{id}/board"): "units",
    ("POST", "/api/incidents/{id}/command"): "queue!",
    ("GET", "/api/assignments"): "units",
    ("POST", "/api/assignments/{id}/answer"): "duty or directs",
    ("POST", "/api/assignments/{id}/steps"): "duty or directs",
    ("POST", "/api/assignments/{id}/stand-down"): "queue!",
    ("GET", "/api/ladder"): "place",
    ("PUT", "/api/ladder"): "units!",
    ("GET", "/api/reach"): "units",
    ("POST", "/api/messages"): "duty or directs",
    ("POST", "/api/messages/{id}/read"): "duty or directs",
    ("POST", "/api/roll-calls"): "queue!",
    ("POST", "/api/roll-calls/{id}/answer"): "duty or directs",
    ("POST", "/api/lone"): "duty or directs",
    ("POST", "/api/lone/{id}/end"): "duty or directs",
    ("GET", "/api/duty-room"): "units",
    ("GET", "/api/field"): "duty",
    ("GET", "/api/field/live"): "duty",
    ("GET", "/api/partners"): "partners",
    ("PUT", "/api/partners/{id}"): "partners!",
    ("DELETE", "/api/partners/{id}"): "partners!",
    ("PUT", "/api/partners/{id}/contact"): "notices!",
    ("GET", "/api/partners/{id}/contact"): "read person",
    ("GET", "/api/duty-lists"): "place",
    ("GET", "/api/notices"): "partners",
    ("GET", "/api/notices/{id}"): "partners",
    ("POST", "/api/notices"): "notices!",
    ("POST", "/api/notices/{id}/withdraw"): "notices!",
    ("GET", "/api/lookouts"): "lookouts",
    ("POST", "/api/lookouts"): "lookouts",
    ("GET", "/api/lookouts/{id}"): "lookouts",
    ("GET", "/api/lookouts/{id}/search"): "lookouts",
    ("GET", "/api/lookouts/{id}/who"): "lookouts",
    ("GET", "/api/lookouts/{id}/contact"): "lookouts",
    ("GET", "/api/lookouts/{id}/receipt"): "lookouts!",
    ("POST", "/api/lookouts/{id}/looks"): "lookouts",
    ("POST", "/api/lookouts/{id}/ask"): "lookouts!",
    ("POST", "/api/lookouts/{id}/photo"): "lookouts",
    ("POST", "/api/lookouts/{id}/steps"): "lookouts",
    ("POST", "/api/lookouts/{id}/found"): "lookouts",
    ("POST", "/api/lookouts/{id}/lost-again"): "lookouts",
    ("POST", "/api/lookouts/{id}/vouch"): "lookouts",
    ("POST", "/api/lookouts/{id}/refuse"): "lookouts",
    ("POST", "/api/lookouts/{id}/release"): "lookouts",
    ("POST", "/api/lookouts/{id}/close"): "lookouts!",
    ("POST", "/api/lookouts/{id}/erase"): "lookouts!",
    ("GET", "/api/shift"): "desk",
    ("POST", "/api/shift/begin"): "desk",
    ("POST", "/api/shift/log"): "desk",
    ("POST", "/api/shift/hand-over"): "desk",
    ("POST", "/api/shift/take-over"): "desk",
    ("GET", "/api/services"): "desk",
    ("POST", "/api/services"): "desk",
    ("POST", "/api/services/{id}/done"): "desk",
    ("GET", "/api/shop"): "shop",
    ("GET", "/api/shop/live"): "shop",
    ("POST", "/api/shop/notices/{id}"): "shop or notices",
    ("GET", "/api/shop/notices/{id}/photo"): "shop",
    ("POST", "/api/shop/checks"): "shop or partners",
    ("POST", "/api/shop/reports"): "shop",
    ("POST", "/api/photos/{id}"): "keep person",
    ("GET", "/api/photos/{id}"): "read person",
    ("GET", "/api/incident-categories"): "place",
    ("PUT", "/api/incident-categories/{id}"): "categories",
    ("DELETE", "/api/incident-categories/{id}"): "categories",
}


ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def routes() -> Iterator[tuple[str, str]]:
    for route in ROUTES:
        yield from ((method, route.path) for method in route.methods)


def ask(client: TestClient, method: str, path: str, district: str = DISTRICT) -> int:
    """Ask with an empty or harmless body: what matters is whether the door opens at all."""
    some_id = "s01" if "/sensors/" in path or "categories" in path else ids.new_id()
    concrete = path.replace("{id}", some_id).replace("{zone}", "z01")
    if path.endswith("/history"):
        concrete += "?from=2026-12-31T11:00:00Z&to=2026-12-31T12:00:00Z"
    if path == "/api/osmand":
        concrete += "?id=asu_wrong&lat=28.1&lon=112.9&timestamp=1798718400"
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


BODIES: dict[tuple[str, str], object] = {
    ("POST", "/api/people"): {
        "id": ids.new_id(), "name": "somebody", "display_name": "x", "role": "wall", "district_ids": [DISTRICT],
        "password": PASSWORD,
    },
    ("PATCH", "/api/people/{id}"): {
        "version": 1, "display_name": "x", "role": "wall", "body_id": None, "district_ids": [DISTRICT], "active": True,
    },
    ("POST", "/api/people/{id}/password"): {"password": PASSWORD},
    ("POST", "/api/bodies"): {"id": ids.new_id(), "name_zh": "甲", "name_en": "a"},
    ("POST", "/api/feeds"): {"id": ids.new_id(), "name": "gates"},
    ("PATCH", "/api/session/language"): {"language": "en"},
    ("POST", "/api/matters"): {"id": ids.new_id(), "kind": "note", "priority": 4, "text": "x"},
    ("POST", "/api/matters/{id}/notes"): {"id": ids.new_id(), "text": "x"},
    ("POST", "/api/matters/{id}/priority"): {"priority": 4, "version": 1},
    ("POST", "/api/matters/{id}/close"): {"outcome": "x", "version": 1},
    ("PUT", "/api/crowd/levels"): {"applies_to": "*moving", "edition": ""},
    ("POST", "/api/incidents"): {"id": ids.new_id(), "source": "phone"},
    ("POST", "/api/incidents/grounds"): {"text": "x"},
    ("POST", "/api/incidents/{id}/classify"): {"category_id": "other", "version": 1},
    ("POST", "/api/incidents/{id}/locate"): {"place": {}, "version": 1},
    ("POST", "/api/incidents/{id}/answers"): {"answers": {"age": "6"}, "version": 1},
    ("POST", "/api/incidents/{id}/moments"): {"id": ids.new_id(), "step": "moving", "at": "2026-12-31T12:00:00Z"},
    ("POST", "/api/incidents/{id}/clear"): {"outcome": "x", "version": 1},
    ("POST", "/api/incidents/{id}/cancel"): {"outcome": "x", "version": 1},
    ("POST", "/api/incidents/{id}/links"): {"id": ids.new_id(), "other_id": ids.new_id(), "kind": "related"},
    ("POST", "/api/incidents/{id}/transfers"): {"id": ids.new_id(), "to_body_id": ids.new_id(), "reason": "x"},
    ("POST", "/api/transfers/{id}"): {"accepted": True},
    ("PUT", "/api/units/{id}"): {"kind_id": "rapid", "call_sign": "K", "name_zh": "甲", "name_en": "a"},
    ("PUT", "/api/members/{id}"): {"adult": True},
    ("POST", "/api/units/{id}/duty"): {"id": ids.new_id(), "crew": [ids.new_id()]},
    ("POST", "/api/units/{id}/status"): {"status": "free", "version": 1},
    ("POST", "/api/positions"): {"positions": [{"at": "2026-12-31T12:00:00Z", "lon": 112.9, "lat": 28.1}]},
    ("POST", "/api/incidents/{id}/assignments"): {"id": ids.new_id(), "unit_id": "k1"},
    ("POST", "/api/incidents/{id}/circle"): {"id": ids.new_id(), "radius_m": 200.0},
    ("POST", "/api/incidents/{id}/command"): {"commander_id": ids.new_id()},
    ("POST", "/api/assignments/{id}/answer"): {"accepted": True},
    ("POST", "/api/assignments/{id}/steps"): {"id": ids.new_id(), "step": "moving"},
    ("POST", "/api/assignments/{id}/stand-down"): {"words": "x"},
    ("PUT", "/api/ladder"): {
        "priorities": [1], "answer_within_s": [20.0, 30.0, 60.0, 120.0],
        "rungs": [{"id": "r", "name_zh": "甲", "name_en": "a", "place_class": "kiosk", "kinds": ["rapid"], "target_s": 60.0}],
    },
    ("PUT", "/api/partners/{id}"): {"body_id": ids.new_id(), "name_zh": "甲", "name_en": "a", "side": "shop"},
    ("PUT", "/api/partners/{id}/contact"): {"id": ids.new_id(), "name": "x", "phone": "110"},
    ("POST", "/api/notices"): {"id": ids.new_id(), "kind": "reminder", "words_zh": "甲", "words_en": "a"},
    ("POST", "/api/lookouts"): {
        "id": ids.new_id(), "notice_id": ids.new_id(), "sort": "child", "seen_at": "2026-12-31T12:00:00Z",
        "lon": 112.97, "lat": 28.19, "words_zh": "甲", "words_en": "a",
    },
    ("POST", "/api/lookouts/{id}/looks"): {"id": ids.new_id(), "place_id": "p1", "kind": "sweep"},
    ("POST", "/api/lookouts/{id}/ask"): {"premises_ids": ["p1"]},
    ("POST", "/api/lookouts/{id}/photo"): {"photo_id": ids.new_id()},
    ("POST", "/api/lookouts/{id}/steps"): {"step": "exits"},
    ("POST", "/api/lookouts/{id}/lost-again"): {"notice_id": ids.new_id()},
    ("POST", "/api/lookouts/{id}/vouch"): {"answered": True, "document_seen": True},
    ("POST", "/api/lookouts/{id}/release"): {"signed": True},
    ("POST", "/api/lookouts/{id}/close"): {},
    ("POST", "/api/shift/begin"): {"id": ids.new_id()},
    ("POST", "/api/shift/log"): {"id": ids.new_id(), "text": "x"},
    ("POST", "/api/shift/hand-over"): {"note": "x"},
    ("POST", "/api/shift/take-over"): {"id": ids.new_id()},
    ("POST", "/api/services"): {"id": ids.new_id(), "service": "water"},
    ("POST", "/api/shop/notices/{id}"): {"partner_id": "p1", "answer": "seen"},
    ("POST", "/api/shop/checks"): {"id": ids.new_id(), "partner_id": "p1", "list_id": "shop_daily"},
    ("POST", "/api/shop/reports"): {"id": ids.new_id(), "partner_id": "p1"},
    ("POST", "/api/messages"): {"id": ids.new_id(), "text": "x"},
    ("POST", "/api/messages/{id}/read"): {},
    ("POST", "/api/roll-calls"): {"id": ids.new_id()},
    ("POST", "/api/roll-calls/{id}/answer"): {"id": ids.new_id()},
    ("POST", "/api/lone"): {"id": ids.new_id(), "minutes": 5},
    ("POST", "/api/lone/{id}/end"): {},
    ("PUT", "/api/incident-categories/{id}"): {
        "name_zh": "甲", "name_en": "a", "priority": 4, "arrive_within_s": 600.0,
    },
    ("POST", "/api/crowd/zones/{zone}/measures"): {"id": ids.new_id(), "step": "signs.on"},
    ("POST", "/api/crowd/zones/{zone}/count"): {"id": ids.new_id(), "people": 10},
    ("PUT", "/api/crowd/sensors/{id}"): {
        "kind": "head", "zone_id": "z01", "name_zh": "甲", "name_en": "a", "period_s": 10.0,
    },
}  # fmt: skip


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


def test_a_feed_may_only_deliver_counts(app: FastAPI) -> None:
    feed = feed_client(app, DISTRICT)
    allowed = {("POST", "/api/observations")}
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
    name = open_account(app.state.runtime.database, Role.DESK, DISTRICT)
    answer = TestClient(app).post("/api/session", json={"name": name, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_page_of_another_site_cannot_sign_anybody_in(app: FastAPI) -> None:
    name = open_account(app.state.runtime.database, Role.DESK, DISTRICT)
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
