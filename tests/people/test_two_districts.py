"""Two districts of one installation: what the administrator of one learns of the other's people."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people.model import Role

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
