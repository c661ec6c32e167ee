"""An id that its sender minted and that comes again: the same content is a retry and is answered the same,
other content is refused, whatever the route.
"""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from tests.conftest import DISTRICT
from tests.dispatch.conftest import a_unit, begun
from tests.serving import signed_in

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.people.model import Role
from anshang.rooms import ROOMS
from anshang.web.repeats import sent_requests_table
from anshang.web.shapes import Body

pytestmark = pytest.mark.postgres
HERE = f"?district={DISTRICT}"
COMPARED_OTHERWISE = {
    "/api/public/calls": "help is never refused, whoever calls",
    "/api/crowd/forecast/choice": "the id is that of a model that there is",
    "/api/people": "compared with the account itself",
    "/api/bodies": "compared with the body itself",
    "/api/drills": "its one field is compared with the drill itself",
}
TOLD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "/api/matters": ({"kind": "note", "priority": 4, "text": "x"}, {"priority": 3}),
    "/api/incidents": ({"source": "phone", "text": "x", "category_id": "other"}, {"text": "y"}),
    "/api/services": ({"service": "water"}, {"service": "charge"}),
    "/api/found": ({"thing": "phone", "words": "black"}, {"words": "white"}),
    "/api/roll-calls": ({"answer_within_s": 60}, {"answer_within_s": 600}),
    "/api/messages": ({"text": "x", "kind": "message"}, {"kind": "decision"}),
    "/api/crowd/zones/z1/measures": ({"note": "x"}, {"note": "y"}),
    "/api/crowd/zones/z1/count": ({"people": 20, "error_share": 0.1}, {"error_share": 0.3}),
    "/api/volunteers": ({"name": "李娜", "telephone": "+86 1"}, {"telephone": "+86 2"}),
    "/api/orders": ({"zone_id": "z1", "level": 2}, {"words_en": "Close.", "words_zh": "关门。"}),
}


def _bodies() -> list[tuple[APIRoute, str]]:
    """The routes that take a body with an id of the sender, and how they call the body."""
    found = []
    for route in (route for room in ROOMS for router in room.routers for route in router.routes):
        if isinstance(route, APIRoute) and "POST" in route.methods:
            for name, kind in get_type_hints(route.endpoint).items():
                ours = inspect.isclass(kind) and issubclass(kind, Body)
                if ours and {"id", "note_id"} & set(kind.model_fields):
                    found.append((route, name))
    return found


def test_every_route_whose_body_bears_an_id_compares_what_comes_again() -> None:
    routes = _bodies()
    assert len(routes) > 30
    for route, name in routes:
        source = inspect.getsource(route.endpoint)
        compares = f"writing(district, {name})" in source
        compares = compares or f"else {name})" in source
        assert compares or route.path in COMPARED_OTHERWISE, route.path


@pytest.mark.usefixtures("district_place")
@pytest.mark.parametrize("path", TOLD)
def test_the_same_id_with_other_content_is_refused_and_with_the_same_is_answered(
    app: FastAPI, database: Database, path: str
) -> None:
    begun(database, a_unit("k1", "officer_pair"))
    desk = signed_in(app, Role.SUPERVISOR, DISTRICT)
    told, other = TOLD[path]
    body = {"id": ids.new_id()} | told
    first = desk.post(f"{path}{HERE}", json=body)
    assert first.is_success, first.text
    again = desk.post(f"{path}{HERE}", json=body)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    refused = desk.post(f"{path}{HERE}", json=body | other)
    assert refused.status_code == 409, refused.text
    assert refused.json()["error"].endswith(".taken")
    elsewhere = signed_in(app, Role.WALL, DISTRICT).post(f"{path}{HERE}", json=body | other)
    assert elsewhere.status_code == 403, "who may not do it learns nothing of an id"
    with database.reading([DISTRICT]) as connection:
        rows = [row._mapping for row in connection.execute(sent_requests_table.select())]
    assert [row["id"] for row in rows if row["path"] == path] == [body["id"]]


@pytest.mark.usefixtures("district_place")
def test_a_report_that_comes_again_after_its_incident_was_changed_is_answered(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    body = {"id": ids.new_id(), "source": "phone", "text": "x", "place": {"zone_id": "z1"}}
    first = desk.post(f"/api/incidents{HERE}", json=body).json()
    moved = {"place": {"zone_id": "z2"}, "version": first["version"]}
    assert desk.post(f"/api/incidents/{body['id']}/locate{HERE}", json=moved).status_code == 200
    fire = {"category_id": "fire", "version": first["version"] + 1}
    assert desk.post(f"/api/incidents/{body['id']}/classify{HERE}", json=fire).status_code == 200
    assert desk.post(f"/api/incidents{HERE}", json=body).status_code == 200
    for other in ({"category_id": "fire"}, {"priority": 1}, {"place": {"zone_id": "z2"}}):
        assert desk.post(f"/api/incidents{HERE}", json=body | other).status_code == 409, other


@pytest.mark.usefixtures("district_place")
def test_a_call_for_help_that_comes_again_from_another_place_is_not_refused(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    body: dict[str, Any] = {"id": ids.new_id(), "source": "sos", "place": {"zone_id": "z1"}}
    for place in ({"zone_id": "z1"}, {"zone_id": "z2"}):
        assert desk.post(f"/api/incidents{HERE}", json=body | {"place": place}).status_code == 200
