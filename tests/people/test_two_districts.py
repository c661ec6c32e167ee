"""Two districts of one installation: what the administrator of one learns of the other's people."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import PASSWORD, open_account, signed_in
from tests.vault.test_vault import photograph

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor
from anshang.vault.erasure_guard import confirm_clock

app, quarter = app_fixture, quarter_fixture
BESIDE = "beside"


def me(client: TestClient) -> str:
    account: str = client.get("/api/session").json()["account"]["id"]
    return account


def test_the_journal_says_nothing_of_people_of_another_district(app: FastAPI, quarter: Database) -> None:
    """When they signed in, which roles they have, their bodies."""
    mine, theirs = signed_in(app, Role.ADMIN, DISTRICT), signed_in(app, Role.ADMIN, BESIDE)
    desk = signed_in(app, Role.DESK, BESIDE)
    both = signed_in(app, Role.SUPERVISOR, DISTRICT, BESIDE)
    with quarter.transaction(EVERYWHERE) as tx:
        people.note_refused_sign_in(tx, name="nobody-at-all")
    seen = {}
    for admin, where in ((mine, DISTRICT), (theirs, BESIDE)):
        entries = admin.get(f"/api/journal?district={where}&limit=500").json()["entries"]
        seen[where] = {entry["subject_id"] for entry in entries}
    assert {me(mine), me(both), "unknown"} <= seen[DISTRICT]
    assert not {me(theirs), me(desk)} & seen[DISTRICT]
    assert {me(theirs), me(desk), me(both), "unknown"} <= seen[BESIDE]
    assert me(mine) not in seen[BESIDE]


def body_of(app: FastAPI, client: TestClient) -> str:
    """A body whose only account is in the client's district."""
    id = ids.new_id()
    names = {"name_zh": "邻区物业", "name_en": "Neighbours' property"}
    assert client.post("/api/bodies", json={"id": id} | names).status_code == 200
    return id


def an_account(**told: object) -> dict[str, object]:
    return {
        "id": ids.new_id(), "name": f"n{ids.new_id()[-12:]}", "display_name": "x", "role": "desk",
        "district_ids": [BESIDE], "password": "a long password",
    } | told  # fmt: skip


def test_an_account_of_another_district_is_not_read_by_opening_it_again(
    app: FastAPI, quarter: Database
) -> None:
    theirs, mine = signed_in(app, Role.ADMIN, BESIDE), signed_in(app, Role.ADMIN, DISTRICT)
    account = an_account()
    assert theirs.post("/api/people", json=account).status_code == 200
    assert mine.post("/api/people", json=account | {"district_ids": [DISTRICT]}).status_code == 403


def test_bodies_of_another_district_are_neither_seen_nor_used(app: FastAPI, quarter: Database) -> None:
    """Nobody of it could answer a transfer, or be held to account for the account."""
    theirs, mine = signed_in(app, Role.ADMIN, BESIDE), signed_in(app, Role.ADMIN, DISTRICT)
    body_id = body_of(app, theirs)
    opened = theirs.post("/api/people", json=an_account(role="partner", body_id=body_id))
    assert opened.status_code == 200, opened.text
    desk = signed_in(app, Role.DESK, DISTRICT)
    assert body_id not in {one["id"] for one in desk.get("/api/bodies").json()}
    assert body_id in {one["id"] for one in theirs.get("/api/bodies").json()}
    mixed = an_account(role="partner", body_id=body_id, district_ids=[DISTRICT])
    assert mine.post("/api/people", json=mixed).status_code == 404
    call = {"id": ids.new_id(), "source": "phone", "text": "x", "place": {"zone_id": "z0"}}
    assert desk.post(f"/api/incidents?district={DISTRICT}", json=call).status_code == 200
    offer = {"id": ids.new_id(), "to_body_id": body_id, "reason": "x"}
    answer = desk.post(f"/api/incidents/{call['id']}/transfers?district={DISTRICT}", json=offer)
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.PARTNER])
def test_a_picture_belongs_to_what_its_sender_reported(app: FastAPI, quarter: Database, role: Role) -> None:
    """Any other would be planted evidence, or fill the disk."""
    body = "00000000-0000-7000-8000-000000000000" if role is Role.PARTNER else None
    sender = signed_in(app, role, DISTRICT, body_id=body)
    desk = signed_in(app, Role.DESK, DISTRICT)
    call = {"id": ids.new_id(), "source": "phone", "text": "x", "place": {"zone_id": "z0"}}
    assert desk.post(f"/api/incidents?district={DISTRICT}", json=call).status_code == 200
    source = "merchant" if role is Role.PARTNER else "patrol"
    own = call | {"id": ids.new_id(), "source": source}
    sent = sender.post(f"/api/incidents?district={DISTRICT}", json=own)
    assert sent.status_code == 200, sent.text
    answers = [
        sender.post(
            f"/api/photos/{ids.new_id()}?district={DISTRICT}&purpose=report&of={of}",
            content=photograph((40, 20)),
            headers={"Content-Type": "application/octet-stream"},
        ).status_code
        for of in (ids.new_id(), call["id"], own["id"])
    ]
    assert answers == [404, 404, 200]


def test_every_right_follows_an_account_at_once(app: FastAPI, quarter: Database) -> None:
    """An evening with two roles: promoted, moved to another district, and back again."""
    admin = signed_in(app, Role.ADMIN, DISTRICT, BESIDE)
    name = open_account(quarter, Role.PATROL, DISTRICT)

    def enter() -> TestClient:
        client = TestClient(app)
        answer = client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return client

    def become(role: str, *districts: str) -> None:
        (known,) = [one for one in admin.get("/api/people").json() if one["name"] == name]
        told = {"role": role, "district_ids": list(districts), "body_id": None, "active": True}
        change = told | {"version": known["version"], "display_name": known["display_name"]}
        assert admin.patch(f"/api/people/{known['id']}", json=change).status_code == 200

    def sees(client: TestClient, where: str) -> tuple[int, int]:
        return (
            client.get(f"/api/matters?district={where}").status_code,
            client.get(f"/api/field?district={where}").status_code,
        )

    patrol = enter()
    assert sees(patrol, DISTRICT) == (200, 200)
    become("volunteer", DISTRICT)
    assert sees(patrol, DISTRICT) == (401, 401)
    assert sees(enter(), DISTRICT) == (403, 200)
    become("patrol", BESIDE)
    moved = enter()
    assert sees(moved, DISTRICT) == (403, 403)
    become("desk", DISTRICT, BESIDE)
    assert sees(moved, DISTRICT) == (401, 401)
    assert sees(enter(), DISTRICT) == (200, 403)


def test_every_administrator_reads_that_erasing_was_held_back(app: FastAPI, quarter: Database) -> None:
    """The clock is nobody's district, and what it holds back concerns all of them."""
    with quarter.transaction(EVERYWHERE) as tx:
        confirm_clock(tx, actor=operator_actor(EVERYWHERE))
    for role, kinds in ((Role.ADMIN, ["erasure.confirmed"]), (Role.SUPERVISOR, [])):
        reader = signed_in(app, role, DISTRICT)
        entries = reader.get(f"/api/journal?district={DISTRICT}&kind=erasure").json()["entries"]
        assert [entry["kind"] for entry in entries] == kinds


def test_an_account_is_not_moved_to_a_body_of_another_district(app: FastAPI, quarter: Database) -> None:
    """Changing goes by the same rule as opening."""
    theirs, mine = signed_in(app, Role.ADMIN, BESIDE), signed_in(app, Role.ADMIN, DISTRICT)
    foreign, own = body_of(app, theirs), body_of(app, mine)
    theirs.post("/api/people", json=an_account(role="partner", body_id=foreign))
    told = an_account(role="partner", body_id=own, district_ids=[DISTRICT])
    opened = mine.post("/api/people", json=told)
    assert opened.status_code == 200, opened.text
    change = {name: opened.json()[name] for name in ("display_name", "role", "district_ids", "version")}
    change |= {"active": True, "body_id": foreign}
    assert mine.patch(f"/api/people/{told['id']}", json=change).status_code == 404
    assert mine.patch(f"/api/people/{told['id']}", json=change | {"body_id": own}).status_code == 200
