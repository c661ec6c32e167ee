"""The place over HTTP: the document as it is, refusals with lines, districts of the caller only."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.serving import signed_in

from anshang.foundation.database import Database
from anshang.foundation.jobs import Supervisor
from anshang.foundation.wiring import Services
from anshang.people import api as people_api
from anshang.people.doorkeeper import Doorkeeper
from anshang.people.model import Role
from anshang.places import api
from anshang.places.document import to_text
from anshang.web import errors
from anshang.web.live import Hub
from anshang.web.session import Cookies, Runtime

Document = dict[str, Any]
PLACE = f"/api/place?district={DISTRICT}"


@pytest.fixture
def app(database: Database) -> FastAPI:
    """An application of people and places alone."""
    app = FastAPI()
    app.include_router(people_api.router)
    app.include_router(api.router)
    errors.install(app)
    doorkeeper = Doorkeeper(database, tries_per_minute=100)
    cookies = Cookies(timedelta(hours=1), False)
    app.state.services = Services({})
    app.state.services.add(
        Runtime(database, Hub(database), doorkeeper, Supervisor([], list), cookies, Path())
    )
    return app


def test_a_document_is_put_and_got_back(app: FastAPI, sample: Document) -> None:
    client = signed_in(app, Role.ADMIN, DISTRICT)
    sample["features"][-1]["properties"]["zone"] = None
    answer = client.put(PLACE, content=to_text(sample).encode())
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "zones": 2, "gates": 2, "walkways": 3, "premises": 1, "posts": 1, "version": 1
    }  # fmt: skip
    assert client.get(PLACE).json() == sample


def test_a_wrong_document_is_answered_with_the_lines_of_its_problems(app: FastAPI, sample: Document) -> None:
    sample["features"][1]["properties"]["space"] = "floating"
    answer = signed_in(app, Role.ADMIN, DISTRICT).put(PLACE, content=to_text(sample).encode())
    assert answer.status_code == 400
    (problem,) = answer.json()["details"]["problems"]
    assert (problem["line"], problem["feature"], problem["error"]) == (5, "z02", "field.choice")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"null", b"[", json.dumps({"type": 1}).encode()])
def test_no_body_breaks_the_route(app: FastAPI, content: bytes) -> None:
    assert signed_in(app, Role.ADMIN, DISTRICT).put(PLACE, content=content).status_code == 400


def test_half_a_character_in_a_document_is_answered_in_words(app: FastAPI, sample: Document) -> None:
    sample["features"][0]["properties"]["\ud83d"] = "\ud83d"
    sample["features"][0]["id"] = "\ud83d"
    answer = signed_in(app, Role.ADMIN, DISTRICT).put(PLACE, content=json.dumps(sample).encode())
    assert answer.status_code == 400
    assert answer.json()["error"] == "place.malformed"


def test_only_an_administrator_may_put_and_a_missing_place_is_not_found(
    app: FastAPI, sample: Document
) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    assert desk.get(PLACE).status_code == 404
    assert desk.put(PLACE, content=to_text(sample).encode()).status_code == 403
    assert desk.get("/api/place?district=other").status_code == 403


def test_everybody_sees_their_own_districts(app: FastAPI, sample: Document) -> None:
    sample["anshang"]["district"]["credit"] = {"zh": "某人", "en": "Somebody"}
    signed_in(app, Role.ADMIN, DISTRICT).put(PLACE, content=to_text(sample).encode())
    (district,) = signed_in(app, Role.WALL, DISTRICT, "other").get("/api/districts").json()
    assert district == {
        "id": DISTRICT,
        "name": {"zh": "五一商圈（示意）", "en": "Wuyi (schematic)"},
        "time_zone": "Asia/Shanghai",
        "schematic": True,
        "credit": {"zh": "某人", "en": "Somebody"},
        "version": 1,
        "drill": False,
    }
    assert signed_in(app, Role.WALL, "other").get("/api/districts").json() == []
