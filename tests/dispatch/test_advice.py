"""Advice names every unit once, with its time or why not, the soonest first; one of them is advised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from tests.conftest import DISTRICT, Make
from tests.dispatch.conftest import ADMIN, EAST, MIDDLE_LAT, WEST, Duty, MoveOn, a_unit, lost, set_up

from anshang.dispatch import actions, dispatcher
from anshang.dispatch.advice import Advice, Ground, Open, advise
from anshang.dispatch.model import AssignmentState, Because
from anshang.foundation.database import Database
from anshang.incidents.model import Incident, Spot
from anshang.matters.model import Priority
from anshang.patrols import actions as patrols
from anshang.patrols.model import UnitStatus

pytestmark = pytest.mark.postgres


def advice_for(duty: Duty, incident: Incident) -> Advice:
    (found,) = duty.dispatcher.advise(DISTRICT, [incident.id], everybody=True)
    return found


def why(advice: Advice) -> dict[str, list[str]]:
    return {one.unit_id: [reason.code for reason in one.reasons] for one in advice.left_out}


@pytest.fixture
def everybody(database: Database, night: MoveOn, make: Make) -> Duty:
    """A unit in every condition that there is."""
    kinds = {f"k{n}": "officer_pair" for n in range(1, 9)} | {"v1": "volunteer", "d1": "drone"}
    duty = set_up(database, make, [a_unit(id, kind) for id, kind in kinds.items()])
    duty.act(patrols.define_unit, actor=ADMIN, unit=a_unit("k9", "officer_pair"))
    for n, id in enumerate(("k1", "k2", "k3", "k4", "k5", "k6", "v1")):
        duty.stand(id, WEST + 0.0001 * n)
    night(timedelta(minutes=5))
    for n, id in enumerate(("k1", "k2", "k3", "k4", "k5", "v1")):
        duty.stand(id, WEST + 0.0001 * n)
    for id, status in (("k3", UnitStatus.BUSY), ("k4", UnitStatus.BREAK)):
        told = {"unit_id": id, "status": status, "version": duty.unit(id).version}
        duty.act(patrols.tell_status, actor=duty.crews[id], **told)
    duty.stand("k7", WEST + 0.01)
    return duty


@pytest.mark.slow
def test_every_unit_stands_in_it_exactly_once(everybody: Duty) -> None:
    everybody.accepted(lost(everybody, EAST), "k5")
    spots = [Spot(WEST, MIDDLE_LAT), Spot(zone_id="z1"), Spot(words="在桥边"), Spot(WEST + 0.02, 28.21)]
    for category, spot in product(["lost_person", "fight", None], spots):
        advice = advice_for(everybody, lost(everybody, category_id=category, spot=spot))
        named = [one.unit_id for one in (*advice.candidates, *advice.left_out)]
        assert sorted(named) == ["d1", *(f"k{n}" for n in range(1, 10)), "v1"]
        assert all(one.reasons for one in advice.left_out)


def test_where_only_the_best_few_are_asked_for_nothing_is_said_of_the_others(duty: Duty) -> None:
    call = lost(duty)
    (few,) = duty.dispatcher.advise(DISTRICT, [call.id])
    everybody = advice_for(duty, call)
    assert [one.unit_id for one in few.candidates] == [one.unit_id for one in everybody.candidates]
    assert (few.advised, few.left_out) == (everybody.advised, ())
    assert why(everybody) == {"h1": ["stays"]}


@pytest.mark.slow
def test_each_says_why_not(everybody: Duty) -> None:
    first = lost(everybody, EAST)
    everybody.accepted(first, "k5")
    fight = lost(everybody, category_id="fight")
    everybody.offered(fight, "k2")
    advice = advice_for(everybody, fight)
    assert [one.unit_id for one in advice.candidates] == ["k1"]
    assert why(advice) == {
        "d1": ["flies", "task"], "k2": ["here"], "k3": ["busy"], "k4": ["break"], "k5": ["sent"], "k6": ["stale"],
        "k7": ["off_streets"], "k8": ["unplaced"], "k9": ["off_duty"], "v1": ["task"],
    }  # fmt: skip
    (sent,) = [one.reasons[0] for one in advice.left_out if one.unit_id == "k5"]
    assert (sent.en, sent.zh) == ("It is sent to 0001 already.", "已派往 0001。")


def test_they_stand_by_arrival_and_what_a_crowd_costs_is_said(duty: Duty, call: Incident) -> None:
    advice = advice_for(duty, call)
    assert [one.unit_id for one in advice.candidates] == ["k1", "v1", "k2"]
    for one in advice.candidates:
        assert one.empty_s is not None
        assert one.empty_s == pytest.approx(one.seconds * 1.058 / 1.34, rel=0.01), (
            "unknown counts as attention"
        )


def test_a_unit_that_another_incident_needs_more_says_for_which_it_is_kept(duty: Duty) -> None:
    west = lost(duty, WEST)
    middle = advice_for(duty, lost(duty, WEST + 0.0003))
    assert {one.unit_id: one.kept_for for one in middle.candidates} == {"k1": 1, "v1": None, "k2": None}
    assert middle.candidates[0].unit_id == "k1", "the nearest stands first all the same"
    assert middle.advised == "v1"
    assert advice_for(duty, west).advised == "k1"


def test_the_nearest_free_unit_is_advised_for_a_threat_to_life_whatever_else_is_open(duty: Duty) -> None:
    """The search is P2 and nearer to the pair in the west, which would be in time at both."""
    lost(duty, WEST)
    hurt = lost(duty, WEST + 0.0003, category_id="injury")
    advice = advice_for(duty, hurt)
    assert advice.advised == advice.candidates[0].unit_id == "k1"
    assert advice_for(duty, lost(duty, WEST + 0.0003, priority=Priority.P1)).advised in ("k1", "v1")


def test_who_was_asked_in_vain_is_said_and_neither_advised_nor_kept(duty: Duty, call: Incident) -> None:
    refused = duty.offered(call)
    told = {"accepted": False, "because": Because.UNSAFE}
    duty.act(actions.answer, actor=duty.crews["k1"], id=refused.id, **told)
    advice = advice_for(duty, call)
    assert [(one.unit_id, one.declined) for one in advice.candidates] == [
        ("k1", True), ("v1", False), ("k2", False),
    ]  # fmt: skip
    assert advice.advised == "v1"
    duty.act(actions.stand_down, actor=duty.desk, id=duty.offered(call, "v1").id, because=Because.CALLED_OFF)
    other = advice_for(duty, lost(duty))
    assert (other.advised, other.candidates[0].kept_for) == ("k1", None)


def test_nobody_is_asked_by_itself_whom_a_more_urgent_incident_needs(duty: Duty, night: MoveOn) -> None:
    for unit_id in ("v1", "k2"):
        duty.accepted(lost(duty, EAST), unit_id)
    minor = lost(duty, category_id="help")
    asked = duty.offered(minor)
    hurt = lost(duty, EAST, category_id="fight")
    night(timedelta(minutes=2))
    for lon, unit_id in ((WEST, "k1"), (EAST, "k2"), (EAST, "v1")):
        duty.stand(unit_id, lon)
    duty.go_on()
    assert [one.unit_id for one in duty.sent_to(minor)] == [asked.unit_id]
    assert advice_for(duty, hurt).advised in ("k1", None)


def test_where_somebody_has_been_nobody_is_kept_for(duty: Duty, call: Incident, night: MoveOn) -> None:
    """A call that waits for nothing but its closing once kept the nearest unit from a new threat to life."""
    assignment = duty.accepted(call)
    for to in (AssignmentState.MOVING, AssignmentState.ON_SCENE, AssignmentState.DONE):
        night(timedelta(seconds=10))
        duty.act(actions.take_step, actor=duty.crews["k1"], id=assignment.id, to=to)
    duty.stand("k1", WEST)
    fresh = lost(duty)
    advice = advice_for(duty, fresh)
    assert advice.advised == advice.candidates[0].unit_id
    assert {one.kept_for for one in advice.candidates} == {None}


def test_a_flood_of_incidents_is_not_matched_as_a_whole(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait, advice takes as long as for the most urgent of them; the last is answered, too."""
    monkeypatch.setattr(dispatcher, "TOGETHER_MOST", 2)
    matched: list[list[str]] = []

    def spied(ground: Ground, able: Any, open_now: Sequence[Open], *told: Any, **more: Any) -> list[Advice]:
        matched.append([one.matter.id for one in open_now])
        return advise(ground, able, open_now, *told, **more)

    monkeypatch.setattr(dispatcher, "advise", spied)
    calm = [lost(duty, priority=Priority.P3) for _ in range(3)]
    urgent = [lost(duty, priority=Priority.P1) for _ in range(2)]
    assert advice_for(duty, calm[2]).candidates
    assert matched == [[urgent[0].id, urgent[1].id, calm[2].id]]
