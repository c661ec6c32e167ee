"""A look-out goes on in the districts beside this one, without her name; what they find comes back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from tests.lookouts.test_lookouts import HERE, MoveOn, do, opened, photograph
from tests.lookouts.test_lookouts import told as told_of_child
from tests.partners.conftest import BODY, street
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import partner as partner_here
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.foundation.items import ItemsFailed
from anshang.journal import store as journal
from anshang.lookouts import neighbours
from anshang.lookouts.actions import record_id
from anshang.lookouts.sweep import LookoutSweep
from anshang.partners import actions as partners
from anshang.partners.doors import DoorBook
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places
from anshang.places.document import read_document
from anshang.places.model import Place
from anshang.vault.keys import Keyring

pytestmark = pytest.mark.postgres
app, quarter = app_fixture, quarter_fixture
BESIDE, FAR = "helong", "yuelu"
THERE = f"?district={BESIDE}"


def moved(value: Any, degrees: float) -> Any:
    """Coordinates so far to the east."""
    if isinstance(value, list) and len(value) == 2 and all(isinstance(one, float) for one in value):
        return [value[0] + degrees, value[1]]
    if isinstance(value, list):
        return [moved(one, degrees) for one in value]
    if isinstance(value, dict):
        return {key: moved(one, degrees) for key, one in value.items()}
    return value


def district(database: Database, id: str, degrees: float) -> None:
    """Another street of shops, with one partner."""
    told = json.loads(street())
    head = told["anshang"]["district"]
    head |= {"id": id, "name": {"zh": f"{id}区", "en": id.title()}}
    if "centre" in head:
        head["centre"] = moved(head["centre"], degrees)
    told["features"] = moved(told["features"], degrees)
    operator = operator_actor(id)
    with database.transaction(id) as tx:
        places.import_document(tx, actor=operator, document=json.dumps(told).encode())
        shop = partner_here("p1")
        partners.enter(
            tx, actor=operator,
            partner=type(shop)(
                id="p1", district_id=id, body_id=BODY["p1"], name_zh="一号店", name_en="Shop 1", side=shop.side, premises_id="p1",
            ),
        )  # fmt: skip


@pytest.fixture
def desk(app: FastAPI, quarter: Database, night: MoveOn) -> TestClient:
    district(quarter, BESIDE, 0.004)
    district(quarter, FAR, 0.1)
    return signed_in(app, Role.DESK, DISTRICT)


@pytest.fixture
def go_on(app: FastAPI, quarter: Database, night: MoveOn) -> Callable[[float], None]:
    """Let minutes pass, then one round of what goes on by itself in each district."""
    rounds = LookoutSweep(quarter, app.state.services[Keyring], app.state.services[DoorBook])

    def later(minutes: float) -> None:
        night(timedelta(minutes=minutes))
        for id in (DISTRICT, BESIDE, FAR):
            rounds.go_on(id)

    return later


def queue(client: TestClient, where: str) -> list[tuple[str, int]]:
    matters = client.get(f"/api/matters{where}").json()["matters"]
    return [(one["subject"], one["priority"]) for one in matters]


def there(app: FastAPI, role: Role, **told: Any) -> TestClient:
    return signed_in(app, role, BESIDE, **told)


def test_the_district_beside_looks_too_with_the_words_and_the_photograph_alone(
    app: FastAPI, desk: TestClient, go_on: Callable[[float], None]
) -> None:
    page = opened(desk)
    photo_id = ids.new_id()
    kept = desk.post(
        f"/api/photos/{photo_id}{HERE}&of={page['id']}&purpose=lookout",
        content=photograph(),
        headers={"Content-Type": "image/jpeg"},
    )
    assert kept.status_code == 200, kept.text
    do(desk, page["id"], "photo", {"photo_id": photo_id})
    other = there(app, Role.DESK)
    go_on(5)
    assert queue(other, THERE) == [], "not before the tenth minute"
    go_on(6)
    assert queue(other, THERE) == [("matter.lookout_from", 2)]
    (copy,) = other.get(f"/api/lookouts{THERE}").json()
    assert copy["id"] != page["id"]
    (notice,) = there(app, Role.PARTNER, body_id=BODY["p1"]).get(f"/api/shop{THERE}").json()["notices"]
    assert notice["words"]["en"] == told_of_child()["words_en"]
    assert notice["photo"]
    for part in ("who", "contact"):
        said = other.get(f"/api/lookouts/{copy['id']}/{part}{THERE}").text
        assert "陈" not in said and "13900000000" not in said
    assert queue(signed_in(app, Role.DESK, FAR), f"?district={FAR}") == []
    go_on(1)
    assert len(other.get(f"/api/lookouts{THERE}").json()) == 1


def test_what_they_see_and_find_comes_back_at_once(
    app: FastAPI, desk: TestClient, go_on: Callable[[float], None]
) -> None:
    opened(desk)
    go_on(11)
    shop, other = there(app, Role.PARTNER, body_id=BODY["p1"]), there(app, Role.DESK)
    (notice,) = shop.get(f"/api/shop{THERE}").json()["notices"]
    shop.post(f"/api/shop/notices/{notice['id']}{THERE}", json={"partner_id": "p1", "answer": "seen"})
    go_on(0.1)
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert (matter["subject"], matter["priority"]) == ("matter.lookout_beside", 1)
    assert (matter["params"]["en"], matter["params"]["found"]) == ("Helong", False)
    (copy,) = other.get(f"/api/lookouts{THERE}").json()
    assert other.post(f"/api/lookouts/{copy['id']}/found{THERE}").status_code == 200
    go_on(0.1)
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert matter["params"]["found"] is True


def test_two_districts_that_have_seen_her_do_not_take_turns_in_the_queue(
    app: FastAPI, quarter: Database, desk: TestClient, go_on: Callable[[float], None]
) -> None:
    district(quarter, FAR, -0.004)
    opened(desk)
    go_on(11)
    for id in (BESIDE, FAR):
        shop = signed_in(app, Role.PARTNER, DISTRICT, id, body_id=BODY["p1"])
        (notice,) = shop.get(f"/api/shop?district={id}").json()["notices"]
        seen = {"partner_id": "p1", "answer": "seen"}
        assert shop.post(f"/api/shop/notices/{notice['id']}?district={id}", json=seen).status_code == 200
    go_on(0.1)
    with quarter.reading([DISTRICT]) as connection:
        before = journal.last_seq(connection, DISTRICT)
    go_on(0.1)
    with quarter.reading([DISTRICT]) as connection:
        assert journal.last_seq(connection, DISTRICT) == before


def test_what_was_closed_there_and_found_here_in_the_same_moment_is_over(
    app: FastAPI, desk: TestClient, go_on: Callable[[float], None]
) -> None:
    page = opened(desk)
    go_on(11)
    other = there(app, Role.SUPERVISOR)
    (theirs,) = other.get(f"/api/lookouts{THERE}").json()
    closed = other.post(f"/api/lookouts/{theirs['id']}/close{THERE}", json={"outcome": "passed on"})
    assert closed.status_code == 200, closed.text
    do(desk, page["id"], "found")
    go_on(0.1)
    assert [one["state"] for one in other.get(f"/api/lookouts{THERE}").json()] == ["closed"]


def test_when_she_is_found_here_it_ends_there_and_nothing_of_her_is_left(
    app: FastAPI, desk: TestClient, go_on: Callable[[float], None]
) -> None:
    page = opened(desk)
    before = set(app.state.services[Keyring].list_keys())
    go_on(11)
    assert set(app.state.services[Keyring].list_keys()) > before
    do(desk, page["id"], "found")
    go_on(0.1)
    assert queue(there(app, Role.DESK), THERE) == []
    assert there(app, Role.PARTNER, body_id=BODY["p1"]).get(f"/api/shop{THERE}").json()["notices"] == []
    assert set(app.state.services[Keyring].list_keys()) == before


@pytest.mark.parametrize("has_ended_there", [True, False])
def test_when_she_is_lost_again_they_look_again_and_once(
    app: FastAPI, desk: TestClient, go_on: Callable[[float], None], has_ended_there: bool
) -> None:
    page = opened(desk)
    go_on(11)
    do(desk, page["id"], "found")
    if has_ended_there:
        go_on(0.1)
    do(desk, page["id"], "lost-again", {"notice_id": ids.new_id()})
    go_on(0.1)
    assert len(queue(there(app, Role.DESK), THERE)) == 1
    shop = there(app, Role.PARTNER, body_id=BODY["p1"])
    assert len(shop.get(f"/api/shop{THERE}").json()["notices"]) == 1


def test_one_that_cannot_be_read_is_said_and_keeps_no_other_back(
    app: FastAPI, desk: TestClient, go_on: Callable[[float], None]
) -> None:
    """As after a restored back-up, which holds no keys: its own steps still happen, and those of the others."""
    unreadable, readable = opened(desk), opened(desk, insist=True)
    app.state.services[Keyring].destroy(DISTRICT, record_id(unreadable["id"], "words"))
    go_on(10)
    go_on(10.5)
    subjects = [subject for subject, _ in queue(there(app, Role.DESK), THERE)]
    assert subjects == ["matter.lookout_from"], "the other one is passed on"
    for id in (unreadable["id"], readable["id"]):
        plan = desk.get(f"/api/lookouts/{id}{HERE}").json()["plan"]
        assert {"wider", "supervisor", "missing"} <= {one["step"] for one in plan if one["done"]}
    notes = [one for one in desk.get(f"/api/matters{HERE}").json()["matters"] if one["kind"] == "note"]
    assert len(notes) == 1
    assert "cannot be read" in notes[0]["text"] and "无法读取" in notes[0]["text"]


def test_a_thing_and_a_drill_stay_here(
    app: FastAPI, desk: TestClient, go_on: Callable[[float], None]
) -> None:
    opened(desk, sort="item", who={}, contact={})
    opened(desk, drill=True, id=ids.new_id(), notice_id=ids.new_id(), insist=True)
    go_on(11)
    assert queue(there(app, Role.DESK), THERE) == []


def test_two_districts_that_share_a_long_side_are_beside_each_other() -> None:
    """Their corners are kilometres apart, their grounds touch; and she comes in where she is nearest."""

    def block(id: str, west_lon: float, lon: float, south_lat: float, lat: float) -> Place:
        ring = [[west_lon, south_lat], [lon, south_lat], [lon, lat], [west_lon, lat], [west_lon, south_lat]]
        told = json.loads(row_of_zones())
        told["anshang"]["district"] |= {"id": id}
        told["features"] = told["features"][:1]
        told["features"][0]["geometry"] = {"type": "Polygon", "coordinates": [ring]}
        return read_document(json.dumps(told).encode())

    long = block("long", 112.90, 112.96, 28.190, 28.195)
    beside = block("beside", 112.929, 112.931, 28.195, 28.197)
    assert neighbours._gap_m(long, beside) == pytest.approx(0.0, abs=0.5)
    apart = block("apart", 112.929, 112.931, 28.2045, 28.206)
    assert neighbours._gap_m(long, apart) == pytest.approx(1_053, abs=5)


@pytest.mark.parametrize("is_lost", [False, True], ids=["another master key", "no master key"])
def test_without_the_right_master_key_searches_still_take_their_steps(
    app: FastAPI, quarter: Database, desk: TestClient, night: MoveOn, tmp_path: Path, is_lost: bool
) -> None:
    """As after a start with the wrong setting: nothing can be read, and nothing else stops for it."""
    page = opened(desk)
    shutil.copytree(app.state.services[Keyring]._folder, tmp_path / "copied")
    (tmp_path / "copied" / "master.key").unlink(missing_ok=True)
    masters = () if is_lost else (bytes(32),)
    rounds = LookoutSweep(quarter, Keyring(tmp_path / "copied", masters), app.state.services[DoorBook])
    for _ in range(2):
        night(timedelta(minutes=10.2))
        with suppress(ItemsFailed):
            rounds.go_on(DISTRICT)
    plan = desk.get(f"/api/lookouts/{page['id']}{HERE}").json()["plan"]
    assert {"wider", "supervisor", "missing"} <= {one["step"] for one in plan if one["done"]}
