"""A demonstration in a running application: set up, fed through the public door, entered by its link."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.serving import serving

from anshang.app import create_app
from anshang.crowds.watch import Watch
from anshang.demonstration.duty import staff
from anshang.demonstration.feeder import Feeder
from anshang.demonstration.programme import Programme
from anshang.demonstration.running import DISPLAY_NAMES, PASSWORD, demo_notice, offer_entrance, run, set_up
from anshang.demonstration.scenes import REFERENCE_ON, open_scene
from anshang.demonstration.together import plan
from anshang.foundation import clock
from anshang.foundation.errors import BadInput
from anshang.people.actions import hashed
from anshang.settings import Settings
from anshang.vault.keys import Keyring
from anshang.web.session import Runtime

pytestmark = pytest.mark.slow


@pytest.fixture
def programme() -> Iterator[Programme]:
    programme = Programme(open_scene("wuyi"), REFERENCE_ON)
    with clock.standing_at(programme.started_at):
        clock.run_from(programme.started_at, speed=60)
        yield programme


@pytest.fixture
def app(tmp_path: Path, programme: Programme) -> FastAPI:
    notice = demo_notice(60.0, programme.scene.place)
    return create_app(Settings(data_folder=tmp_path), demo=notice)


def test_the_link_signs_the_first_one_in_as_desk_officer_and_nobody_else(
    app: FastAPI, programme: Programme
) -> None:
    set_up(app.state.services[Runtime].database, programme)
    path = offer_entrance(app)
    first, second, third = (TestClient(app, follow_redirects=False) for _ in range(3))
    assert third.get("/demo/enter?token=guessed").status_code == 303
    assert third.get("/api/session").status_code == 401
    assert first.get(path).headers["location"] == "/"
    assert first.get("/api/session").json()["account"]["role"] == "desk"
    assert second.get(path).status_code == 303
    assert second.get("/api/session").status_code == 401


def test_every_role_can_sign_in_with_what_the_notice_shows(app: FastAPI, programme: Programme) -> None:
    set_up(app.state.services[Runtime].database, programme)
    notice = TestClient(app).get("/api/meta").json()["demo"]
    assert "CC BY 4.0" in notice["credit"]["en"] and "CC BY 4.0" in notice["credit"]["zh"]
    assert {account["role"] for account in notice["accounts"]} == {str(role) for role in DISPLAY_NAMES}
    for account in notice["accounts"][:2]:
        client = TestClient(app)
        answer = client.post("/api/session", json={"name": account["name"], "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["account"]["role"] == account["role"]


def test_the_feed_passes_the_public_door_and_people_appear(app: FastAPI, programme: Programme) -> None:
    key = set_up(app.state.services[Runtime].database, programme)
    with serving(app) as url:
        feeder = Feeder(url, key, "wuyi", programme)
        feeder.catch_up(programme.ends_at(149), 60.0, lambda _: None)
        feeder.close()
        assert feeder.rows_taken == 150 * len(programme.sensors)
        assert feeder.rows_refused == 0
        client = TestClient(app)
        client.post("/api/session", json={"name": "desk", "password": PASSWORD})
        app.state.services[Watch].step("wuyi")
        frame = client.get("/api/crowd?district=wuyi").json()
    assert frame["unknown_zones"] == 0
    assert frame["people"] == pytest.approx(programme.people(149), rel=0.03)


def test_what_cannot_be_shown_is_refused_before_anything_begins() -> None:
    with pytest.raises(BadInput, match="bad_speed"):
        run(speed=0)
    with pytest.raises(BadInput, match="day_not_recorded"):
        run(date_on=date(2025, 1, 1), port=0)
    with pytest.raises(BadInput, match="no_such_place"):
        run(place="atlantis", port=0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadInput, match="port_taken"):
            run(port=taken.getsockname()[1])


def test_something_is_planned_and_shifts_wait_for_a_volunteer(app: FastAPI, programme: Programme) -> None:
    database = app.state.services[Runtime].database
    set_up(database, programme)
    staff(database, programme.scene.place, hashed(PASSWORD, "crew"))
    plan(database, app.state.services[Keyring], programme)
    here = f"?district={programme.scene.place.district.id}"

    def of(name: str) -> TestClient:
        client = TestClient(app)
        assert client.post("/api/session", json={"name": name, "password": PASSWORD}).status_code == 200
        return client

    supervisor, volunteer = of("supervisor"), of("volunteer")
    assert [one["expected_count"] for one in supervisor.get(f"/api/events{here}").json()] == [20_000]
    assert len(supervisor.get(f"/api/council{here}").json()["meetings"]) == 1
    page = volunteer.get(f"/api/volunteers/mine{here}").json()
    assert page["member"] is True
    assert [(shift["free"], shift["why_not"]) for shift in page["shifts"]] == [(2, []), (4, [])]
