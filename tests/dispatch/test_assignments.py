"""Sending a unit: one word each way, one unit once, and nothing that a phone says twice counts twice."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.dispatch.conftest import Duty, MoveOn, lost

from anshang.dispatch import actions
from anshang.dispatch.model import AssignmentState, Because
from anshang.foundation import ids
from anshang.foundation.errors import BadInput, NotAllowed, Refusal, RuleBroken
from anshang.incidents import actions as incidents
from anshang.incidents import store as incidents_store
from anshang.incidents.model import Incident, Step, life_of
from anshang.matters import store as matters
from anshang.matters.model import ClockKind, MatterState
from anshang.patrols import actions as patrols
from anshang.patrols.model import UnitStatus
from anshang.people.model import Role

pytestmark = pytest.mark.postgres


def life(duty: Duty, incident: Incident) -> dict[Step, float]:
    """Seconds after the call at which each step was told."""
    with duty.database.reading([DISTRICT]) as connection:
        moments = incidents_store.list_moments(connection, DISTRICT, [incident.id])
    told = life_of(moments, over=False).at
    return {step: (at - incident.called_at).total_seconds() for step, at in told.items()}


def test_a_unit_is_asked_accepts_goes_arrives_and_is_free_again(
    duty: Duty, call: Incident, night: MoveOn
) -> None:
    crew = duty.crews["k1"]
    offered = duty.offered(call, expected_s=15.0)
    assert duty.unit("k1").status is UnitStatus.OFFERED
    night(timedelta(seconds=8))
    duty.act(actions.answer, actor=crew, id=offered.id, accepted=True)
    for state, status, seconds in (
        (AssignmentState.MOVING, UnitStatus.MOVING, 4),
        (AssignmentState.ON_SCENE, UnitStatus.ON_SCENE, 50),
        (AssignmentState.DONE, UnitStatus.FREE, 300),
    ):
        night(timedelta(seconds=seconds))
        assert duty.act(actions.take_step, actor=crew, id=offered.id, to=state).state is state
        assert duty.unit("k1").status is status
    assert duty.kinds("assignment") == [
        f"assignment.{word}" for word in ("offered", "accepted", "moving", "on_scene", "done")
    ]
    told = life(duty, call)
    steps = (Step.DISPATCHED, Step.ACKNOWLEDGED, Step.MOVING, Step.ON_SCENE, Step.CONTROLLED)
    assert [told[step] for step in steps] == [0, 8, 12, 62, 362]
    with duty.database.reading([DISTRICT]) as connection:
        clocks = {c.kind: c for c in matters.list_clocks(connection, DISTRICT, [call.id])}
        matter = matters.matters.get(connection, DISTRICT, call.id)
    assert clocks[ClockKind.ARRIVE].met_at == NIGHT + timedelta(seconds=62)
    assert (matter.state, matter.acknowledged_by) == (MatterState.ACKNOWLEDGED, duty.desk.id)


def test_what_a_phone_says_again_changes_nothing(duty: Duty, call: Incident, night: MoveOn) -> None:
    crew = duty.crews["k1"]
    id = ids.new_id()
    offered = [duty.offered(call, id=id) for _ in range(2)]
    assert offered[0] == offered[1]
    answers = [duty.act(actions.answer, actor=crew, id=id, accepted=True) for _ in range(2)]
    assert answers[0] == answers[1]
    to = AssignmentState.ON_SCENE
    steps = [duty.act(actions.take_step, actor=crew, id=id, to=to) for _ in range(2)]
    assert steps[0] == steps[1]
    assert duty.act(actions.take_step, actor=crew, id=id, to=AssignmentState.MOVING) == steps[0], "too late"
    assert duty.act(actions.answer, actor=crew, id=id, accepted=True) == steps[0]
    assert len(duty.kinds("assignment")) == 3


def test_who_cannot_go_says_why_and_is_free(duty: Duty, call: Incident) -> None:
    crew, offered = duty.crews["k1"], duty.offered(call)
    with pytest.raises(BadInput):
        duty.act(actions.answer, actor=crew, id=offered.id, accepted=False)
    because = Because.TOO_FAR
    for _ in range(2):
        refused = duty.act(
            actions.answer, actor=crew, id=offered.id, accepted=False, because=because, words="桥封了"
        )
    assert (refused.state, refused.because) == (AssignmentState.REFUSED, because)
    assert duty.unit("k1").status is UnitStatus.FREE
    assert duty.kinds("assignment") == ["assignment.offered", "assignment.refused"]
    assert "桥封了" not in str(duty.entries("assignment")), "words stay out of the journal"
    with pytest.raises(RuleBroken):
        duty.act(actions.answer, actor=crew, id=offered.id, accepted=True)


def test_who_says_it_is_busy_is_not_asked_again_until_it_says_otherwise(duty: Duty, call: Incident) -> None:
    offered = duty.offered(call)
    told = {"accepted": False, "because": Because.BUSY}
    duty.act(actions.answer, actor=duty.crews["k1"], id=offered.id, **told)
    assert duty.unit("k1").status is UnitStatus.BUSY
    with pytest.raises(RuleBroken) as asked:
        duty.offered(call)
    assert asked.value.code == "unit.not_free"
    assert duty.offered(call, insist=True).state is AssignmentState.OFFERED


def test_a_unit_on_its_way_is_taken_and_called_off_only_when_a_person_insists(duty: Duty) -> None:
    minor, other = lost(duty, category_id="lost_property"), lost(duty, category_id="help")
    first = duty.accepted(minor)
    for again in (minor, other):
        with pytest.raises(RuleBroken) as taken:
            duty.offered(again, insist=True)
        assert taken.value.code == "unit.taken"
    urgent = lost(duty, category_id="injury")
    with pytest.raises(RuleBroken) as asks:
        duty.offered(urgent)
    assert asks.value.code == "unit.preempts"
    assert asks.value.details["incident"] == minor.id
    assert [one.state for one in duty.sent_to(minor)] == [AssignmentState.ACCEPTED], "nothing was written"
    duty.offered(urgent, insist=True)
    (off,) = duty.sent_to(minor)
    assert (off.id, off.state, off.because) == (first.id, AssignmentState.STOOD_DOWN, Because.PREEMPTED)
    assert duty.unit("k1").status is UnitStatus.OFFERED


def test_two_dispatchers_at_once_one_wins_and_the_other_is_told(duty: Duty, make: Make) -> None:
    calls = [lost(duty), lost(duty)]
    gate = threading.Barrier(2)
    came: list[str] = []

    def send(incident: Incident) -> None:
        gate.wait()
        try:
            duty.offered(incident, actor=make.actor())
            came.append("sent")
        except RuleBroken as refused:
            came.append(f"{refused.code} {refused.details['incident'] in {one.id for one in calls}}")

    threads = [threading.Thread(target=send, args=(incident,)) for incident in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["sent", "unit.taken True"]
    assert sum(len(duty.sent_to(incident)) for incident in calls) == 1


def test_only_who_is_on_duty_and_fit_is_sent_and_the_rule_is_cited(duty: Duty) -> None:
    fight = lost(duty, category_id="fight")
    with pytest.raises(RuleBroken) as unfit:
        duty.offered(fight, "v1")
    assert "保安服务管理条例 Art. 30" in unfit.value.zh
    with pytest.raises(Refusal):
        duty.offered(fight, "k9")
    patrol = duty.crews["k2"]
    with duty.database.reading([DISTRICT]):
        pass
    duty.act(patrols.end_duty, actor=patrol, id=duty.unit("k2").duty_id)
    with pytest.raises(RuleBroken) as off:
        duty.offered(fight, "k2")
    assert off.value.code == "unit.off_duty"
    assert duty.kinds("assignment") == []


def test_others_speak_for_no_unit_and_the_desk_for_every_one(duty: Duty, call: Incident, make: Make) -> None:
    offered = duty.offered(call)
    for actor in (duty.crews["k2"], duty.crews["v1"]):
        with pytest.raises(RuleBroken):
            duty.act(actions.answer, actor=actor, id=offered.id, accepted=True)
    for actor in (make.actor(Role.PARTNER), make.actor(Role.WALL)):
        with pytest.raises(NotAllowed):
            duty.act(actions.answer, actor=actor, id=offered.id, accepted=True)
    with pytest.raises(NotAllowed):
        duty.offered(call, "k2", actor=duty.crews["k1"])
    heard = duty.act(actions.answer, actor=duty.desk, id=offered.id, accepted=True)
    assert heard.state is AssignmentState.ACCEPTED


@pytest.mark.parametrize("claimed", [NIGHT - timedelta(hours=2), NIGHT - timedelta(seconds=3)])
def test_a_phone_tells_its_own_times_and_an_impossible_one_is_moved_to_the_nearest_that_can_be(
    duty: Duty, call: Incident, night: MoveOn, claimed: datetime
) -> None:
    crew, offered = duty.crews["k1"], duty.offered(call)
    night(timedelta(minutes=30))
    answered = duty.act(actions.answer, actor=crew, id=offered.id, accepted=True, at=claimed)
    assert answered.answered_at == NIGHT
    arrived = NIGHT + timedelta(minutes=4)
    duty.act(actions.take_step, actor=crew, id=offered.id, to=AssignmentState.ON_SCENE, at=arrived)
    assert life(duty, call)[Step.ON_SCENE] == 240
    ahead = NIGHT + timedelta(hours=2)
    done = duty.act(actions.take_step, actor=crew, id=offered.id, to=AssignmentState.DONE, at=ahead)
    assert done.ended_at == NIGHT + timedelta(minutes=30)


def test_a_unit_with_a_task_cannot_go_home_or_call_itself_free(duty: Duty, call: Incident) -> None:
    duty.accepted(call)
    unit, crew = duty.unit("k1"), duty.crews["k1"]
    assert unit.duty_id is not None
    for verb, told in (
        (patrols.end_duty, {"id": unit.duty_id}),
        (patrols.tell_status, {"unit_id": "k1", "status": UnitStatus.FREE, "version": unit.version}),
    ):
        with pytest.raises(RuleBroken) as sent:
            duty.act(verb, actor=crew, **told)
        assert sent.value.code == "unit.sent"


def test_called_off_is_free_and_nothing_more_can_be_told(duty: Duty, call: Incident) -> None:
    taken = duty.accepted(call)
    for _ in range(2):
        duty.act(actions.stand_down, actor=duty.desk, id=taken.id, because=Because.CALLED_OFF, words="解决了")
    assert duty.unit("k1").status is UnitStatus.FREE
    assert duty.kinds("assignment")[-1:] == ["assignment.stood_down"]
    with pytest.raises(RuleBroken):
        duty.act(actions.take_step, actor=duty.crews["k1"], id=taken.id, to=AssignmentState.MOVING)


def test_nobody_is_sent_to_what_is_closed_and_closing_frees_who_was(duty: Duty, call: Incident) -> None:
    taken = duty.accepted(call)
    with duty.database.reading([DISTRICT]) as connection:
        version = incidents_store.incidents.get(connection, DISTRICT, call.id).version
    duty.act(incidents.clear, actor=duty.desk, id=call.id, outcome="找到了", version=version)
    duty.go_on()
    (off,) = duty.sent_to(call)
    assert (off.id, off.because) == (taken.id, Because.CLOSED)
    assert duty.unit("k1").status is UnitStatus.FREE
    with pytest.raises(RuleBroken):
        duty.offered(call)


def test_everybody_within_a_circle_is_asked_once(duty: Duty, call: Incident) -> None:
    id = ids.new_id()
    for _ in range(2):
        sent = duty.act(
            actions.offer_all, actor=duty.desk, id=id, incident_id=call.id, unit_ids=["k1", "v1", "h1"]
        )
    assert [one.unit_id for one in sent] == ["k1", "v1", "h1"]
    assert len(duty.sent_to(call)) == 3


def test_a_drill_is_marked_as_one(duty: Duty) -> None:
    duty.accepted(lost(duty, drill=True))
    assert all(entry.drill for entry in duty.entries("assignment"))
