"""The queue begins with what is urgent and unanswered, is never longer than asked for, and says how much more waits."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import signed_in
from tests.web.conftest import app as app_fixture

from anshang.foundation import ids
from anshang.matters import actions
from anshang.matters.api import NEW_MATTERS, QUEUE_FIRST
from anshang.matters.model import ClockKind, Due, MatterKind, Priority
from anshang.people.model import Role, engine_actor
from anshang.web.session import Runtime

pytestmark = pytest.mark.postgres
app = app_fixture


@pytest.fixture
def desk(app: FastAPI) -> TestClient:
    """A desk with 300 notes, then a P2 and a P1, each with a clock."""
    with app.state.services[Runtime].database.transaction(DISTRICT) as tx:
        for number in range(302):
            actions.open_matter(
                tx,
                actor=engine_actor(DISTRICT),
                id=ids.new_id(),
                kind=MatterKind.NOTE,
                priority=Priority({300: 2, 301: 1}.get(number, 4)),
                subject="matter.note",
                text=str(number),
                due=[Due(ClockKind.ACKNOWLEDGE, 60.0, "due.answer", {"priority": 4})],
            )
    return signed_in(app, Role.DESK, DISTRICT)


@pytest.mark.slow
def test_two_hundred_are_shown_the_urgent_unanswered_ones_first_and_the_rest_when_asked(
    desk: TestClient,
) -> None:
    told = desk.get(f"/api/matters?district={DISTRICT}").json()
    assert (len(told["matters"]), told["more"]) == (QUEUE_FIRST, 302 - QUEUE_FIRST)
    assert [one["text"] for one in told["matters"][:3]] == ["301", "300", "0"]
    assert all(len(one["clocks"]) == 1 for one in told["matters"])
    few = desk.get(f"/api/matters?district={DISTRICT}&limit=1").json()
    assert [one["priority"] for one in few["matters"]] == [1]
    assert (few["more"], few["more_urgent"], told["more_urgent"]) == (301, 1, 0)
    desk.post(f"/api/matters/{few['matters'][0]['id']}/acknowledge?district={DISTRICT}")
    (next_one,) = desk.get(f"/api/matters?district={DISTRICT}&limit=1").json()["matters"]
    assert next_one["priority"] == 2, "what nobody has answered comes before what somebody works on"
    everything = desk.get(f"/api/matters?district={DISTRICT}&limit=1000").json()
    assert (len(everything["matters"]), everything["more"]) == (302, 0)


@pytest.mark.slow
def test_nobody_fills_the_queue_by_hand_faster_than_a_desk_types(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    body = {"kind": "note", "priority": 4, "text": "again"}
    sent = [
        desk.post(f"/api/matters?district={DISTRICT}", json=body | {"id": ids.new_id()}).status_code
        for _ in range(NEW_MATTERS.most + 1)
    ]
    assert sent == [200] * NEW_MATTERS.most + [429]
