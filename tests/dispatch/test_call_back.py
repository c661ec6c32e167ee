"""The number to call back: in the vault alone, read by who works on the incident, and gone in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.dispatch.conftest import a_unit, begun
from tests.serving import signed_in
from tests.web.conftest import app as app_fixture
from tests.web.conftest import district_place as place_fixture

from anshang.dispatch import actions as dispatch
from anshang.dispatch import calling_back
from anshang.dispatch.field import field
from anshang.dispatch.model import Because
from anshang.dispatch.shapes import TaskShown
from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database, metadata
from anshang.foundation.errors import NotFound
from anshang.journal import store as journal
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.model import Role, engine_actor, operator_actor
from anshang.vault import actions as vault
from anshang.vault.keys import Keyring

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("district_place")]
app, district_place = app_fixture, place_fixture
HERE = f"?district={DISTRICT}"
NUMBER = "138 0731 0042"


def reported(desk: TestClient, **told: Any) -> str:
    body = {"id": ids.new_id(), "source": "phone", "category_id": "other", "call_back": NUMBER} | told
    answer = desk.post(f"/api/incidents{HERE}", json=body)
    assert answer.status_code == 200, answer.text
    assert NUMBER not in answer.text
    return str(body["id"])


def number_for(client: TestClient, id: str) -> tuple[int, str]:
    answer = client.get(f"/api/incidents/{id}/call-back{HERE}")
    return answer.status_code, answer.json().get("number", "")


def test_the_desk_reads_it_and_every_look_is_journalled_without_it(app: FastAPI, database: Database) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    id = reported(desk)
    page = desk.get(f"/api/incidents/{id}{HERE}").json()
    assert page["call_back"] is True
    assert NUMBER not in str(page)
    assert number_for(desk, id) == (200, NUMBER)
    with database.reading([DISTRICT]) as connection:
        kinds = [entry.kind for entry in journal.list_after(connection, DISTRICT, 0)]
        assert kinds.count("record.read") == 1
        for table in metadata.tables.values():
            if "district_id" in table.c:
                assert NUMBER not in str(connection.execute(select(table)).all()), table.name


def test_a_report_sent_again_with_another_number_is_refused(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    id = reported(desk)
    body = {"id": id, "source": "phone", "category_id": "other", "call_back": NUMBER}
    assert desk.post(f"/api/incidents{HERE}", json=body).status_code == 200
    refused = desk.post(f"/api/incidents{HERE}", json=body | {"call_back": "110 0000"})
    assert (refused.status_code, refused.json()["error"]) == (409, "vault_records.taken")


def test_who_is_sent_reads_it_and_nobody_else_on_duty(app: FastAPI, database: Database) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    id = reported(desk)
    sent, other, volunteer = (
        begun(database, a_unit(unit, kind))
        for unit, kind in (("k1", "officer_pair"), ("k2", "officer_pair"), ("v1", "volunteer"))
    )

    def read_by(actor: Actor) -> str:
        with database.transaction(DISTRICT) as tx:
            return calling_back.read_call_back(tx, app.state.services[Keyring], actor=actor, incident_id=id)

    def tasks_of(actor: Actor) -> list[TaskShown]:
        with database.reading([DISTRICT]) as connection:
            return field(connection, actor, DISTRICT, app.state.services[Whereabouts]).tasks

    with database.transaction(DISTRICT) as tx:
        director = operator_actor(DISTRICT)
        offer = dispatch.offer(tx, actor=director, id=ids.new_id(), incident_id=id, unit_id="k1")
    assert read_by(sent) == NUMBER
    assert [task.call_back for task in tasks_of(sent)] == [True], "the phone offers it"
    for nobody in (other, volunteer):
        with pytest.raises(NotFound):
            read_by(nobody)
    with database.transaction(DISTRICT) as tx:
        dispatch.stand_down(tx, actor=director, id=offer.id, because=Because.CALLED_OFF)
    with pytest.raises(NotFound):
        read_by(sent)
    for role in (Role.WALL, Role.ADMIN):
        assert number_for(signed_in(app, role, DISTRICT), id)[0] == 403, role


def test_it_is_erased_when_its_time_is_over(
    app: FastAPI, database: Database, night: Callable[[timedelta], None]
) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    id = reported(desk)
    night(timedelta(days=30))
    vault.erase_expired(
        database, app.state.services[Keyring], actor=engine_actor(DISTRICT), district_id=DISTRICT
    )
    with database.reading([DISTRICT]) as connection:
        assert vault.receipt(connection, DISTRICT, id).records[0].erased_at is not None
    again = signed_in(app, Role.DESK, DISTRICT)
    assert again.get(f"/api/incidents/{id}{HERE}").json()["call_back"] is False
    assert number_for(again, id)[0] == 404


@pytest.mark.parametrize("wrong", ["call me", "1", "+", "138\n0731", "1" * 40])
def test_only_a_number_is_one(app: FastAPI, wrong: str) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    body = {"id": ids.new_id(), "source": "phone", "call_back": wrong}
    assert desk.post(f"/api/incidents{HERE}", json=body).status_code == 422
