"""A look-out from the first minute until nothing of her is left, as those see it who take part."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient
from tests.conftest import DISTRICT, NIGHT
from tests.partners.conftest import LAT, LON, WIDTH, at_shop
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import long_quarter as quarter_fixture
from tests.serving import signed_in

from anshang.foundation import ids
from anshang.foundation.backups import write_backup
from anshang.foundation.database import Database
from anshang.journal import store as journal
from anshang.lookouts.model import LookoutKind
from anshang.lookouts.sweep import LookoutSweep
from anshang.matters import actions as matters
from anshang.partners.doors import DoorBook
from anshang.people.model import Role, engine_actor
from anshang.vault import actions as vault
from anshang.vault.keys import Keyring
from anshang.web.session import Runtime

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
HERE = f"?district={DISTRICT}"
NAME = "陈小满"
app, quarter = app_fixture, quarter_fixture


def told(**changes: Any) -> dict[str, Any]:
    """A small child lost ten seconds ago at the west end of the street."""
    return {
        "id": ids.new_id(), "notice_id": ids.new_id(), "sort": "child", "age_band": "small",
        "seen_at": (NIGHT - timedelta(seconds=10)).isoformat(), "lon": LON + 0.2 * WIDTH, "lat": LAT, "zone_id": "z0",
        "who": {"name": NAME, "height_cm": "118", "clothes": "红色羽绒服", "shoes": "蓝色运动鞋"},
        "contact": {"name": "陈先生", "phone": "13900000000", "question": "她的布偶叫什么", "answer": "米粒"},
        "words_zh": "女孩，约六岁，红色羽绒服，蓝色运动鞋", "words_en": "Girl, about six, red down jacket, blue trainers",
    } | changes  # fmt: skip


@pytest.fixture
def desk(app: FastAPI, night: MoveOn) -> TestClient:
    return signed_in(app, Role.DESK, DISTRICT)


@pytest.fixture
def sweep(app: FastAPI, quarter: Database) -> Callable[[], None]:
    """One round of what goes on by itself."""
    rounds = LookoutSweep(quarter, app.state.services[Keyring], app.state.services[DoorBook])
    return lambda: rounds.go_on(DISTRICT)


def opened(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post(f"/api/lookouts{HERE}", json=told(**changes))
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def do(client: TestClient, id: str, verb: str, body: object = None) -> dict[str, Any]:
    answer = client.post(f"/api/lookouts/{id}/{verb}{HERE}", json=body)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def refused(client: TestClient, id: str, verb: str, body: object = None) -> str:
    answer = client.post(f"/api/lookouts/{id}/{verb}{HERE}", json=body)
    assert answer.status_code >= 400, answer.text
    code: str = answer.json()["error"]
    return code


def clock_of(client: TestClient) -> dict[str, Any]:
    """The clock by which she is to be found."""
    (matter,) = client.get(f"/api/matters{HERE}").json()["matters"]
    (found,) = [clock for clock in matter["clocks"] if clock["kind"] == "resolve"]
    told: dict[str, Any] = found
    return told


def not_here(client: TestClient, notice_id: str, shop: str, answer: str = "not_here") -> int:
    body = {"partner_id": shop, "answer": answer, "looked": ["floor", "till"]}
    return client.post(f"/api/shop/notices/{notice_id}{HERE}", json=body).status_code


def chances(client: TestClient, id: str) -> dict[str, float]:
    places = client.get(f"/api/lookouts/{id}/search{HERE}").json()["places"]
    return {one["id"]: one["chance"] for one in places}


def test_it_begins_in_the_queue_with_its_plan_and_asks_those_near(app: FastAPI, desk: TestClient) -> None:
    page = opened(desk)
    assert [step["step"] for step in page["plan"] if step["done"]] == ["intake"]
    assert 1 <= page["tally"]["sent"] < 6, "not everybody: whoever is near enough"
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert (matter["kind"], matter["subject"], matter["priority"], matter["text"]) == (
        "lookout",
        "matter.lookout",
        2,
        "",
    )
    assert {clock["kind"] for clock in matter["clocks"]} == {"acknowledge", "resolve"}
    (notice,) = at_shop(app, "p0").get(f"/api/shop{HERE}").json()["notices"]
    assert notice["words"]["zh"].startswith("女孩")
    assert NAME not in str(notice)


def test_her_name_does_not_go_to_merchants(desk: TestClient) -> None:
    answer = desk.post(f"/api/lookouts{HERE}", json=told(words_zh=f"{NAME}，六岁"))
    assert answer.json()["error"] == "lookout.name_in_notice"
    assert desk.get(f"/api/lookouts{HERE}").json() == []
    assert desk.get(f"/api/matters{HERE}").json()["matters"] == []


def test_what_says_nobody_is_here_makes_a_place_less_likely_and_her_absence_teaches(
    app: FastAPI, desk: TestClient
) -> None:
    page = opened(desk)
    before = chances(desk, page["id"])
    assert sum(before.values()) == pytest.approx(1, abs=1e-3)
    assert before["p0"] > before["p2"], "near places are likelier"
    assert not_here(at_shop(app, "p0"), page["notice_id"], "p0") == 200
    after = chances(desk, page["id"])
    assert after["p0"] < before["p0"]
    assert all(after[id] >= before[id] for id in before if id != "p0")


def test_it_says_what_to_do_next_and_why(app: FastAPI, desk: TestClient) -> None:
    """The exits that are not watched yet, likeliest first; whoever watches one takes it off the list."""
    page = opened(desk)
    found = desk.get(f"/api/lookouts/{page['id']}/search{HERE}").json()
    assert set(found["watch"]) <= {"g0", "g3"}
    assert found["watch"][0] == "g0"
    look = {"id": ids.new_id(), "place_id": "g0", "kind": "watch"}
    for _ in range(2):
        assert do(signed_in(app, Role.PATROL, DISTRICT), page["id"], "looks", look)["place_id"] == "g0"
    found = desk.get(f"/api/lookouts/{page['id']}/search{HERE}").json()
    assert "g0" not in found["watch"]
    steps = desk.get(f"/api/lookouts/{page['id']}{HERE}").json()["plan"]
    assert {one["step"] for one in steps if one["done"]} == {"intake", "exits"}


def test_it_widens_by_itself_as_the_clock_runs(
    app: FastAPI, desk: TestClient, sweep: Callable[[], None], night: MoveOn
) -> None:
    page = opened(desk)
    sent = [page["tally"]["sent"]]
    for minutes in (3, 5, 3):
        night(timedelta(minutes=minutes))
        sweep()
        sent.append(desk.get(f"/api/lookouts/{page['id']}{HERE}").json()["tally"]["sent"])
    assert sent == sorted(sent)
    assert sent[-1] > sent[0]
    done = {s["step"] for s in desk.get(f"/api/lookouts/{page['id']}{HERE}").json()["plan"] if s["done"]}
    assert "wider" in done
    assert len(at_shop(app, "p5").get(f"/api/shop{HERE}").json()["notices"]) == 1, "the stop is asked by then"
    night(timedelta(minutes=5))
    sweep()
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert (matter["subject"], matter["priority"]) == ("matter.lookout_supervisor", 1)
    night(timedelta(minutes=5))
    sweep()
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert matter["subject"] == "matter.lookout_missing"


def test_seen_wakes_the_desk_at_once(app: FastAPI, desk: TestClient) -> None:
    page = opened(desk)
    desk.post(f"/api/matters/{page['id']}/acknowledge{HERE}")
    assert not_here(at_shop(app, "p0"), page["notice_id"], "p0", "seen") == 200
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert (matter["subject"], matter["priority"], matter["state"]) == ("matter.lookout_seen", 1, "open")
    assert matter["params"]["premises"] == "p0"
    (seen,) = desk.get(f"/api/lookouts/{page['id']}{HERE}").json()["seen"]
    assert (seen["partner_id"], seen["premises_id"]) == ("p0", "p0")


def test_the_silent_are_called_and_what_they_say_counts_as_their_answer(
    app: FastAPI, desk: TestClient, night: MoveOn
) -> None:
    page = opened(desk)
    not_here(at_shop(app, "p0"), page["notice_id"], "p0")
    not_here(at_shop(app, "p1"), page["notice_id"], "p1", "unsure")

    def to_call() -> set[str]:
        rows = desk.get(f"/api/notices/{page['notice_id']}{HERE}").json()["deliveries"]
        return {row["partner_id"] for row in rows if row["call"]}

    assert to_call() == {"p1"}, "asked for it"
    night(timedelta(minutes=7))
    assert "p0" not in to_call()
    assert len(to_call()) == page["tally"]["sent"] - 1
    before = chances(desk, page["id"])
    assert not_here(desk, page["notice_id"], "p1") == 200
    assert "p1" not in to_call()
    assert chances(desk, page["id"])["p1"] < before["p1"]
    assert not_here(desk, page["notice_id"], "p2", "seen") == 200
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert matter["params"]["premises"] == "p2"


def test_from_found_to_handed_over_two_people_check(app: FastAPI, desk: TestClient) -> None:
    page = opened(desk)
    patrol = signed_in(app, Role.PATROL, DISTRICT)
    right = {"answered": True, "document_seen": True}
    assert refused(desk, page["id"], "vouch", right) == "lookout.other_state"
    assert do(patrol, page["id"], "found")["state"] == "found"
    assert at_shop(app, "p0").get(f"/api/shop{HERE}").json()["notices"] == [], "taken back everywhere"
    assert not_here(at_shop(app, "p0"), page["notice_id"], "p0") == 409
    assert (
        refused(patrol, page["id"], "vouch", {"answered": False, "document_seen": True})
        == "lookout.not_shown"
    )
    assert len(do(patrol, page["id"], "vouch", right)["vouchers"]) == 1
    assert refused(patrol, page["id"], "vouch", right) == "lookout.same_voucher"
    assert refused(patrol, page["id"], "release", {"signed": True}) == "lookout.not_vouched"
    do(desk, page["id"], "vouch", right)
    assert refused(desk, page["id"], "release", {"signed": False}) == "lookout.not_signed"
    assert do(desk, page["id"], "release", {"signed": True})["state"] == "closed"
    assert desk.get(f"/api/matters{HERE}").json()["matters"] == []


def test_who_cannot_show_it_gets_nobody_and_the_desk_hears_of_it(app: FastAPI, desk: TestClient) -> None:
    page = opened(desk)
    do(desk, page["id"], "found")
    do(desk, page["id"], "vouch", {"answered": True, "document_seen": True})
    assert do(signed_in(app, Role.PATROL, DISTRICT), page["id"], "refuse")["vouchers"] == []
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert (matter["subject"], matter["priority"]) == ("matter.lookout_refused", 1)


def test_it_was_somebody_else_and_those_who_were_asked_are_asked_anew(app: FastAPI, desk: TestClient) -> None:
    page = opened(desk)
    do(desk, page["id"], "found")
    assert clock_of(desk)["met_at"] is not None
    again = do(desk, page["id"], "lost-again", {"notice_id": ids.new_id()})
    assert clock_of(desk)["met_at"] is None, "it runs on"
    assert (again["state"], again["tally"]["sent"]) == ("open", page["tally"]["sent"])
    assert len(at_shop(app, "p0").get(f"/api/shop{HERE}").json()["notices"]) == 1


def photograph() -> bytes:
    written = io.BytesIO()
    Image.effect_noise((640, 480), 80).convert("RGB").save(written, "JPEG")
    return written.getvalue()


def test_her_photograph_is_shown_to_those_who_were_asked_while_it_lasts(
    app: FastAPI, desk: TestClient
) -> None:
    page, photo_id = opened(desk), ids.new_id()
    kept = f"/api/photos/{photo_id}{HERE}&purpose=lookout&of={page['id']}"
    octets = {"Content-Type": "application/octet-stream"}
    assert desk.post(kept, content=photograph(), headers=octets).status_code == 200
    do(desk, page["id"], "photo", {"photo_id": photo_id})
    near, far = at_shop(app, "p0"), at_shop(app, "p5")
    address = f"/api/shop/notices/{page['notice_id']}/photo{HERE}"
    assert near.get(f"/api/shop{HERE}").json()["notices"][0]["photo"]
    assert near.get(address).headers["content-type"] == "image/jpeg"
    assert far.get(address).status_code == 404, "was not asked"
    assert far.get(kept).status_code == 403
    do(desk, page["id"], "found")
    assert near.get(address).status_code == 404
    other = opened(desk, insist=True)
    assert refused(desk, other["id"], "photo", {"photo_id": photo_id}) == "photo.missing"


def test_afterwards_nothing_of_her_is_left_and_a_receipt_says_who_had_looked(
    app: FastAPI, desk: TestClient, quarter: Database, night: MoveOn, tmp_path: Path
) -> None:
    """The database, its log and a back-up are searched for her words; the journal too."""
    page = opened(desk)
    at_shop(app, "p0").get(f"/api/shop{HERE}")
    assert desk.get(f"/api/lookouts/{page['id']}/who{HERE}").json()["who"]["name"] == NAME
    assert desk.get(f"/api/lookouts/{page['id']}/contact{HERE}").json()["contact"]["answer"] == "米粒"
    assert refused(desk, page["id"], "erase") == "lookout.not_closed"
    do(desk, page["id"], "close", {"outcome": "家长自行找到"})
    night(timedelta(hours=23))
    engine = engine_actor(DISTRICT)
    assert vault.erase_expired(quarter, app.state.services[Keyring], actor=engine, district_id=DISTRICT) == 0
    night(timedelta(hours=2))
    assert vault.erase_expired(quarter, app.state.services[Keyring], actor=engine, district_id=DISTRICT) == 3
    desk = signed_in(app, Role.DESK, DISTRICT)
    assert desk.get(f"/api/lookouts/{page['id']}/who{HERE}").status_code == 404
    receipt = desk.get(f"/api/lookouts/{page['id']}/receipt{HERE}").json()
    assert receipt["erased_at"] is not None
    assert {one["what"] for one in receipt["readers"]} == {"notice", "description", "words", "contact"}
    assert "0号店" in [one["name"] for one in receipt["readers"]]
    write_backup(quarter, tmp_path, tmp_path / "backup.tar.gz")
    with quarter.reading([DISTRICT]) as connection:
        said = "".join(e.details_json for e in journal.list_after(connection, DISTRICT, 0))
    assert not any(word in said for word in (NAME, "米粒", "红色", "red down"))
    for file in tmp_path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(
                word.encode() in content for word in (NAME, "米粒", "红色羽绒服", "13900000000")
            ), file


def test_erased_at_once_when_the_desk_says_so(app: FastAPI, desk: TestClient) -> None:
    page = opened(desk)
    do(desk, page["id"], "close", {})
    assert do(desk, page["id"], "erase")["erased"]
    assert app.state.services[Keyring].list_keys() == []
    assert (
        signed_in(app, Role.PATROL, DISTRICT).post(f"/api/lookouts/{page['id']}/erase{HERE}").status_code
        == 403
    )


def test_the_same_look_out_twice(desk: TestClient) -> None:
    """A retry is the same one; a second one like it must be insisted on."""
    body = told()
    for _ in range(2):
        assert desk.post(f"/api/lookouts{HERE}", json=body).status_code == 200
    assert len(desk.get(f"/api/lookouts{HERE}").json()) == 1
    again = desk.post(f"/api/lookouts{HERE}", json=told()).json()
    assert (again["error"], again["details"]["lookout"]) == ("lookout.similar", body["id"])
    opened(desk, insist=True)
    opened(desk, sort="elderly", age_band="elderly")


def test_a_thing_is_looked_for_without_anybody_in_it(desk: TestClient) -> None:
    page = opened(
        desk, sort="item", who={}, contact={}, words_zh="黑色双肩包", words_en="A black backpack",
        seen_at=(NIGHT - timedelta(hours=2)).isoformat(),
    )  # fmt: skip
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert matter["priority"] == 4
    do(desk, page["id"], "found")
    assert do(desk, page["id"], "release", {"signed": True})["state"] == "closed", "nobody need vouch"


def test_the_queue_closes_no_look_out_and_one_whose_matter_is_closed_all_the_same_is_over(
    app: FastAPI, desk: TestClient, sweep: Callable[[], None]
) -> None:
    page = opened(desk)
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    ending = {"outcome": "x", "version": matter["version"]}
    refused = desk.post(f"/api/matters/{page['id']}/close{HERE}", json=ending)
    assert (refused.status_code, refused.json()["error"]) == (409, "matter.lookout")
    with app.state.services[Runtime].database.transaction(DISTRICT) as tx:
        matters.close(tx, actor=engine_actor(DISTRICT), id=page["id"], outcome="x")
    sweep()
    assert desk.get(f"/api/lookouts/{page['id']}{HERE}").json()["state"] == "closed"
    assert at_shop(app, "p0").get(f"/api/shop{HERE}").json()["notices"] == []


@pytest.mark.parametrize("changes", [
    {"seen_at": (NIGHT + timedelta(minutes=5)).isoformat()},
    {"seen_at": (NIGHT - timedelta(days=2)).isoformat()},
    {"words_en": "   "},
    {"zone_id": "nowhere"},
    {"who": {"name": "x" * 301}},
], ids=["later", "long_ago", "one_language", "no_zone", "too_long"])  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    app: FastAPI, desk: TestClient, quarter: Database, changes: dict[str, Any]
) -> None:
    assert desk.post(f"/api/lookouts{HERE}", json=told(**changes)).status_code in (400, 404, 422)
    with quarter.reading([DISTRICT]) as connection:
        kinds = {e.kind.split(".")[0] for e in journal.list_after(connection, DISTRICT, 0)}
    assert not kinds & {"lookout", "record", "notice", "matter"}


def test_words_in_another_script_come_back_as_they_were(app: FastAPI, desk: TestClient) -> None:
    words = {"zh": "女孩 — Ольга, фиолетовая куртка", "en": "फ़ीरोज़ी जूते 👟 بنت"}
    opened(desk, words_zh=words["zh"], words_en=words["en"])
    assert at_shop(app, "p0").get(f"/api/shop{HERE}").json()["notices"][0]["words"] == words


def test_each_verb_writes_its_entry(app: FastAPI, desk: TestClient, quarter: Database) -> None:
    page = opened(desk)
    do(desk, page["id"], "looks", {"id": ids.new_id(), "place_id": "p0", "kind": "sweep"})
    do(desk, page["id"], "steps", {"step": "nearest"})
    not_here(at_shop(app, "p0"), page["notice_id"], "p0", "seen")
    do(desk, page["id"], "found")
    do(desk, page["id"], "lost-again", {"notice_id": ids.new_id()})
    do(desk, page["id"], "found")
    do(desk, page["id"], "vouch", {"answered": True, "document_seen": True})
    do(desk, page["id"], "refuse")
    do(desk, page["id"], "close", {})
    do(desk, page["id"], "erase")
    with quarter.reading([DISTRICT]) as connection:
        written = [
            e.kind for e in journal.list_after(connection, DISTRICT, 0) if e.kind.startswith("lookout")
        ]
    assert set(written) == set(LookoutKind) - {LookoutKind.RELEASED}


def test_who_takes_the_call_at_the_desk_has_seen_it_and_a_patrol_s_waits_for_the_desk(
    app: FastAPI, desk: TestClient
) -> None:
    own = opened(desk)
    asked = opened(signed_in(app, Role.PATROL, DISTRICT), insist=True)
    states = {one["id"]: one for one in desk.get(f"/api/matters{HERE}").json()["matters"]}
    me = desk.get("/api/session").json()["account"]["id"]
    assert (states[own["id"]]["state"], states[own["id"]]["acknowledged_by"]) == ("acknowledged", me)
    assert (states[asked["id"]]["state"], states[asked["id"]]["acknowledged_by"]) == ("open", None)
