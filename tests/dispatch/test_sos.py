"""A call for help says who and where, is P1 with a goal of its own, and is refused to nobody who is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT, Make
from tests.dispatch.conftest import EAST, MIDDLE_LAT, WEST, Duty, lost
from tests.dispatch.test_dispatch_api import QUERY, get, phone, post
from tests.dispatch.test_dispatch_api import app as app_fixture
from tests.dispatch.test_dispatch_api import desk as desk_fixture
from tests.serving import signed_in

from anshang.foundation import ids
from anshang.foundation.errors import RuleBroken
from anshang.incidents import actions
from anshang.incidents.categories import Task
from anshang.incidents.model import Source, Spot
from anshang.incidents.sos import Sender
from anshang.journal.model import EVERYWHERE
from anshang.matters import store as matters_store
from anshang.patrols.actions import unfit
from anshang.patrols.model import Reason
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor
from anshang.web.session import Runtime

pytestmark = pytest.mark.slow
app, desk = app_fixture, desk_fixture
HERE = {"lon": WEST + 0.0002, "lat": MIDDLE_LAT}


def called(client: TestClient, district: str = DISTRICT, **told: Any) -> str:
    body = {"id": ids.new_id(), "source": "sos", "text": "执勤人员求助", "priority": 1, "place": HERE} | told
    answer = client.post("/api/incidents", params={"district": district}, json=body)
    assert answer.status_code == 200, answer.text
    return str(body["id"])


def matter_of(desk: TestClient, id: str) -> Any:
    return next(one for one in get(desk, "/api/matters")["matters"] if one["id"] == id)


def test_it_says_who_calls_and_is_never_help_of_the_lowest_priority(app: FastAPI, desk: TestClient) -> None:
    crew = phone(app, desk, "k1", WEST)
    told = matter_of(desk, called(crew, category_id="help", priority=4))
    assert told["priority"] == 1
    assert (told["params"]["category"], told["params"]["sos"]["sign"]) == ("sos", "K1")
    assert told["zone_id"] == "z0"
    due = {one["kind"]: datetime.fromisoformat(one["due_at"]) for one in told["clocks"]}
    opened = datetime.fromisoformat(told["opened_at"])
    assert (due["arrive"] - opened).total_seconds() == pytest.approx(120)
    page = get(desk, f"/api/incidents/{told['id']}")
    assert page["grounds"]["suggestion"] is None or page["category_id"] == "sos"
    body = {"category_id": "help", "version": page["version"]}
    post(desk, f"/api/incidents/{told['id']}/classify", **body)
    again = matter_of(desk, told["id"])
    assert (again["priority"], again["params"]["sos"]["sign"]) == (1, "K1"), "a name does not make it minor"


@pytest.mark.parametrize("role", [one for one in Role if one not in (Role.FEED, Role.ENGINE, Role.VISITOR)])
def test_it_is_refused_to_no_role_on_duty_or_not(app: FastAPI, desk: TestClient, role: Role) -> None:
    body = ids.new_id()
    with app.state.services[Runtime].database.transaction(EVERYWHERE) as tx:
        people.register_body(tx, actor=operator_actor(DISTRICT), id=body, name_zh="店", name_en="Shop")
    client = signed_in(app, role, DISTRICT, body_id=body if role is Role.PARTNER else None)
    told = matter_of(desk, called(client))
    assert told["priority"] == 1
    assert told["params"]["account_name"]
    assert told["params"]["sos"]["unit"] is None


def test_a_district_that_is_gone_or_closed_and_a_wrong_zone_refuse_it_not(
    app: FastAPI, desk: TestClient
) -> None:
    crew = signed_in(app, Role.PATROL, DISTRICT)
    for district in ("elsewhere", f"{DISTRICT}-drill-7"):
        assert matter_of(desk, called(crew, district))["priority"] == 1
    wrong = {"zone_id": "nowhere", "premises_id": "nothing", "words": "桥头"}
    assert get(desk, f"/api/incidents/{called(crew, place=wrong)}")["place_words"] == "桥头"


def test_a_number_to_call_back_refuses_it_not(app: FastAPI, desk: TestClient) -> None:
    """The vault would refuse the second number: whoever needs help sends what they have, as often as it takes."""
    id, caller = ids.new_id(), signed_in(app, Role.VOLUNTEER, DISTRICT)
    for number in ("138 0731 0042", "138 0731 0043"):
        assert called(caller, id=id, call_back=number) == id
    assert desk.get(f"/api/incidents/{id}?district={DISTRICT}").json()["call_back"] is False


def test_who_calls_is_not_sent_and_the_nearest_other_police_are_advised_at_once(
    duty: Duty, make: Make
) -> None:
    with duty.database.transaction(DISTRICT) as tx:
        help = actions.report(
            tx,
            actor=make.actor(Role.PATROL),
            id=ids.new_id(),
            source=Source.SOS,
            text="",
            category_id=None,
            priority=None,
            spot=Spot(WEST, MIDDLE_LAT),
            sender=Sender("a1", "k1", "K1"),
        )
    (advice,) = duty.dispatcher.advise(DISTRICT, [help.id], everybody=True)
    assert advice.advised == "k2"
    why = {one.unit_id: [reason.code for reason in one.reasons] for one in advice.left_out}
    assert why == {"h1": ["stays", "task"], "k1": ["calls"], "v1": ["task"]}
    (other,) = duty.dispatcher.advise(DISTRICT, [lost(duty, EAST).id], everybody=True)
    assert "k1" not in [one.unit_id for one in other.candidates], "nor to anything else"


def test_who_takes_a_call_has_acknowledged_it(app: FastAPI, desk: TestClient) -> None:
    body = {"id": ids.new_id(), "source": "phone", "text": "a lost child"}
    post(desk, "/api/incidents", **body, taken=True)
    post(desk, "/api/incidents", **body, taken=True)
    me = get(desk, "/api/session")["account"]["id"]
    told = matter_of(desk, body["id"])
    assert (told["state"], told["acknowledged_by"]) == ("acknowledged", me)
    other = str(post(desk, "/api/incidents", id=ids.new_id(), source="patrol")["id"])
    assert matter_of(desk, other)["state"] == "open"
    shop = signed_in(app, Role.PATROL, DISTRICT)
    refused = shop.post("/api/incidents", params=QUERY, json=body | {"id": ids.new_id(), "taken": True})
    assert refused.status_code == 403


def test_a_call_for_help_that_its_sender_marks_as_taken_stays_open(app: FastAPI, desk: TestClient) -> None:
    told = matter_of(desk, called(phone(app, desk, "k1", WEST), taken=True))
    assert told["state"] == "open", "who calls for help takes care of nothing"


def test_the_queue_does_not_close_an_incident_past_its_own_verb(desk: TestClient) -> None:
    id = str(post(desk, "/api/incidents", id=ids.new_id(), source="phone")["id"])
    told = {"outcome": "done", "version": matter_of(desk, id)["version"]}
    refused = desk.post(f"/api/matters/{id}/close", params=QUERY, json=told)
    assert (refused.status_code, refused.json()["error"]) == (409, "matter.incident")
    assert get(desk, f"/api/incidents/{id}")["missing"] == []
    assert matter_of(desk, id)["state"] == "open"


def test_the_queue_keeps_no_name_and_no_words_of_who_calls_for_help(app: FastAPI, desk: TestClient) -> None:
    crew = signed_in(app, Role.VOLUNTEER, DISTRICT)
    me = get(crew, "/api/session")["account"]
    id = called(crew, place=HERE | {"words": "王小明家门口"})
    assert matter_of(desk, id)["params"]["account_name"] == me["display_name"]
    with app.state.services[Runtime].database.reading([DISTRICT]) as connection:
        kept = matters_store.matters.get(connection, DISTRICT, id).params
    assert kept["account"] == me["id"]
    assert kept["sos"] == {"sign": None, "unit": None, "near": None}


def test_a_person_who_insists_sends_a_volunteer_to_look_from_the_edge(duty: Duty, make: Make) -> None:
    help = duty.act(
        actions.report, actor=make.actor(Role.PATROL), id=ids.new_id(), source=Source.SOS, text="",
        category_id=None, priority=None, spot=Spot(WEST, MIDDLE_LAT), sender=Sender("a1"),
    )  # fmt: skip
    with pytest.raises(RuleBroken) as asks:
        duty.offered(help, "v1")
    assert asks.value.code == "unit.looks_only"
    assert "保安服务管理条例 Art. 30" in asks.value.zh
    (advice,) = duty.dispatcher.advise(DISTRICT, [help.id], everybody=True)
    assert "v1" not in [one.unit_id for one in advice.candidates], "the police alone are advised"
    assert duty.offered(help, "v1", insist=True).task is Task.LOOK
    with pytest.raises(RuleBroken) as refused:
        duty.offered(lost(duty, category_id="fight"), "v1", insist=True)
    assert refused.value.code == "duty.unfit", "to nothing but a call for help"


def test_a_refusal_without_a_rule_shows_no_empty_brackets(duty: Duty) -> None:
    (advice,) = duty.dispatcher.advise(DISTRICT, [lost(duty).id], everybody=True)
    shown = [reason.rule for one in advice.left_out for reason in one.reasons]
    assert "—" not in shown
    said = unfit([Reason("task", "不承担此任务。", "It does not do this.")])
    assert (said.en, said.zh) == ("It does not do this.", "不承担此任务。")
