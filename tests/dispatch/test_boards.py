"""Flat command: one board for everybody on it, everything said is receipted, nobody's silence goes unseen, and
the board can be looked at as it was.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.dispatch.conftest import Duty, MoveOn, lost
from tests.serving import open_account

from anshang.dispatch import actions, reading
from anshang.dispatch import board_actions as boards
from anshang.dispatch import board_store as store
from anshang.dispatch.board import PERSONAL, Message, MessageKind
from anshang.dispatch.field import field
from anshang.dispatch.model import AssignmentState
from anshang.dispatch.shapes import BoardShown, FieldShown
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, RuleBroken
from anshang.incidents import actions as incidents
from anshang.incidents.model import Incident, Source, Spot
from anshang.journal.model import EVERYWHERE
from anshang.matters import actions as matters
from anshang.matters.model import Priority
from anshang.people import store as people
from anshang.people.model import Account, Role
from anshang.web.live import shown_entry

pytestmark = pytest.mark.postgres


def message(text: str = "东门人多，请绕行", **changes: Any) -> Message:
    told: dict[str, Any] = {
        "id": ids.new_id(),
        "district_id": DISTRICT,
        "incident_id": None,
        "from_id": "",
        "from_unit_id": None,
        "to_unit_id": None,
        "kind": MessageKind.MESSAGE,
        "text": text,
    }
    return Message(**told | changes)


def said(duty: Duty, actor: Actor, **changes: Any) -> Message:
    kept: Message = duty.act(boards.say, actor=actor, message=message(**changes))
    return kept


def board(duty: Duty, incident: Incident, **told: Any) -> BoardShown:
    with duty.database.reading([DISTRICT]) as connection:
        return reading.board(connection, duty.desk, DISTRICT, incident.id, **told)


def phone(duty: Duty, unit_id: str) -> FieldShown:
    with duty.database.reading([DISTRICT]) as connection:
        return field(connection, duty.crews[unit_id], DISTRICT, duty.whereabouts)


def an_account(duty: Duty, *districts: str) -> Account:
    name = open_account(duty.database, Role.DESK, *districts)
    with duty.database.reading([EVERYWHERE]) as connection:
        found = people.find_account_by_name(connection, name)
    assert found is not None
    return found


def test_one_commands_and_a_hand_over_has_its_reason(duty: Duty, call: Incident, night: MoveOn) -> None:
    lin, wang = an_account(duty, DISTRICT), an_account(duty, DISTRICT)
    take = {"actor": duty.desk, "incident_id": call.id}
    for _ in range(2):
        duty.act(boards.take_command, commander_id=lin.id, reason="", **take)
    night(timedelta(minutes=5))
    with pytest.raises(BadInput):
        duty.act(boards.take_command, commander_id=wang.id, reason=" ", **take)
    with pytest.raises(NotFound):
        duty.act(boards.take_command, commander_id=an_account(duty, "other").id, reason="x", **take)
    with pytest.raises(NotAllowed):
        duty.act(boards.take_command, commander_id=lin.id, reason="x", **take | {"actor": duty.crews["k1"]})
    duty.act(boards.take_command, commander_id=wang.id, reason="换班", **take)
    assert duty.kinds("command") == ["command.taken", "command.handed_over"]
    assert duty.entries("command")[1].details == {"from": lin.id, "to": wang.id}
    now, then = board(duty, call), board(duty, call, at=NIGHT + timedelta(minutes=4))
    assert (now.commander_name, now.since_at) == (wang.name, NIGHT + timedelta(minutes=5))
    assert (then.commander_name, then.since_at) == (lin.name, NIGHT)


def test_a_message_reaches_whom_it_is_for_and_nobody_else(duty: Duty, call: Incident) -> None:
    duty.offered(call, "k1")
    to_all, to_one = said(duty, duty.desk), said(duty, duty.desk, to_unit_id="v1")
    at_incident = said(duty, duty.crews["k1"], incident_id=call.id, text="已到达")
    seen = {unit: {one.id for one in phone(duty, unit).messages} for unit in ("k1", "k2", "v1")}
    assert seen == {
        "k1": {to_all.id, at_incident.id},
        "k2": {to_all.id},
        "v1": {to_all.id, to_one.id},
    }
    with pytest.raises(NotFound):
        duty.act(boards.read, actor=duty.crews["k2"], message_id=to_one.id)
    assert at_incident.from_unit_id == "k1"
    assert "已到达" not in str(duty.entries("message")), "words stay out of the journal"


def test_a_message_is_kept_once_and_its_readers_are_known(duty: Duty, call: Incident, night: MoveOn) -> None:
    sent = message(incident_id=call.id)
    for _ in range(2):
        duty.act(boards.say, actor=duty.desk, message=sent)
    with pytest.raises(RuleBroken):
        duty.act(boards.say, actor=duty.desk, message=message("别的", id=sent.id, incident_id=call.id))
    night(timedelta(seconds=40))
    for _ in range(2):
        duty.act(boards.read, actor=duty.crews["k1"], message_id=sent.id)
    (shown,) = board(duty, call).messages
    assert [(one.unit_id, one.at) for one in shown.read_by] == [("k1", NIGHT + timedelta(seconds=40))]
    assert shown.mine
    assert board(duty, call, at=NIGHT + timedelta(seconds=30)).messages[0].read_by == []
    assert duty.kinds("message") == ["message.sent", "message.read"]


def test_a_report_has_its_points_and_a_decision_its_words(duty: Duty, call: Incident) -> None:
    told = {"incident_id": call.id, "kind": MessageKind.ETHANE, "text": ""}
    report = {"major": "no", "exact_place": "东门地铁口", "casualties": "2"}
    assert said(duty, duty.crews["k1"], report=report, **told).report == report
    for wrong in (
        {**told, "report": {}},
        {**told, "report": {"gossip": "x"}},
        {"kind": MessageKind.DECISION, "text": " "},
        {"text": ""},
    ):
        with pytest.raises(BadInput):
            said(duty, duty.desk, **wrong)


def test_who_is_on_no_duty_says_nothing(duty: Duty, make: Make) -> None:
    with pytest.raises(RuleBroken):
        said(duty, make.actor(Role.VOLUNTEER))
    with pytest.raises(NotAllowed):
        said(duty, make.actor(Role.PARTNER))


def test_a_roll_call_asks_everybody_and_silence_is_told_once(duty: Duty, night: MoveOn) -> None:
    id = ids.new_id()
    told = {"id": id, "incident_id": None, "answer_within_s": 60.0, "drill": False}
    for _ in range(2):
        duty.act(boards.call_roll, actor=duty.desk, **told)
    assert [one.answered_at for one in phone(duty, "v1").roll_calls] == [None]
    here = ids.new_id()
    for _ in range(2):
        duty.act(boards.answer_roll, actor=duty.crews["v1"], id=here, roll_call_id=id)
    duty.act(boards.answer_roll, actor=duty.desk, id=ids.new_id(), roll_call_id=id, unit_id="k1")
    with pytest.raises(RuleBroken):
        duty.act(boards.answer_roll, actor=duty.crews["k2"], id=ids.new_id(), roll_call_id=id, unit_id="k1")
    assert phone(duty, "v1").roll_calls[0].answered_at == NIGHT
    night(timedelta(seconds=59))
    duty.go_on()
    assert duty.kinds("rollcall") == ["rollcall.called", "rollcall.answered", "rollcall.answered"]
    night(timedelta(seconds=1))
    for _ in range(2):
        duty.go_on()
    silent = duty.entries("rollcall")[-1]
    assert silent.details == {"units": ["h1", "k2"], "incident": None}
    assert b'"units": ["h1", "k2"]' in shown_entry(silent), "the desk names them"
    assert len(duty.entries("rollcall")) == 4
    night(timedelta(seconds=1))
    late = duty.act(boards.answer_roll, actor=duty.crews["k2"], id=ids.new_id(), roll_call_id=id)
    assert late.unit_id == "k2"
    assert duty.entries("rollcall")[-1].details == {"unit": "k2", "late": True}


def test_a_roll_call_is_not_for_everybody_to_call(duty: Duty) -> None:
    told = {"id": ids.new_id(), "incident_id": None, "answer_within_s": 60.0, "drill": False}
    with pytest.raises(NotAllowed):
        duty.act(boards.call_roll, actor=duty.crews["k1"], **told)
    with pytest.raises(BadInput):
        duty.act(boards.call_roll, actor=duty.desk, **told | {"answer_within_s": 5.0})
    assert duty.kinds("rollcall") == []


def test_who_works_alone_and_does_not_come_back_is_looked_for(duty: Duty, night: MoveOn) -> None:
    crew = duty.crews["k1"]
    first = duty.act(boards.go_alone, actor=crew, id=ids.new_id(), minutes=10)
    night(timedelta(minutes=9))
    second = ids.new_id()
    for _ in range(2):
        duty.act(boards.go_alone, actor=crew, id=second, minutes=10)
    night(timedelta(minutes=5))
    duty.go_on()
    lone = phone(duty, "k1").lone
    assert lone is not None
    assert (lone.id, lone.overdue_at) == (second, None), "the new timer takes the place of the old one"
    night(timedelta(minutes=5))
    for _ in range(2):
        duty.go_on()
    assert duty.kinds("lone") == ["lone.begun", "lone.begun", "lone.overdue"]
    for _ in range(2):
        duty.act(boards.come_back, actor=crew, id=second)
    assert phone(duty, "k1").lone is None
    assert duty.kinds("lone")[3:] == ["lone.ended"]
    assert duty.act(boards.come_back, actor=crew, id=first.id).ended_at is not None
    with pytest.raises(RuleBroken):
        duty.act(boards.come_back, actor=duty.crews["k2"], id=second)
    with pytest.raises(BadInput):
        duty.act(boards.go_alone, actor=crew, id=ids.new_id(), minutes=500)


def test_the_board_can_be_seen_as_it_was_known_at_every_instant(
    duty: Duty, call: Incident, night: MoveOn
) -> None:
    """What was shown at each step is what the replay shows of that instant, long after."""
    crew = duty.crews["k1"]
    seen: list[BoardShown] = []

    def look() -> None:
        duty.go_on()
        seen.append(board(duty, call))
        night(timedelta(seconds=20))

    look()
    offered = duty.offered(call, expected_s=12.0)
    look()
    duty.act(actions.answer, actor=crew, id=offered.id, accepted=True)
    look()
    duty.act(matters.change_priority, actor=duty.desk, id=call.id, priority=Priority.P1, version=2)
    duty.stand("k1", 112.9702)
    look()
    told = {"category_id": "found_person", "priority": None, "version": 1}
    duty.act(incidents.classify, actor=duty.desk, id=call.id, **told)
    duty.act(
        actions.take_step,
        actor=crew,
        id=offered.id,
        to=AssignmentState.ON_SCENE,
        at=clock.now() - timedelta(seconds=5),
    )
    look()
    said(duty, crew, incident_id=call.id)
    look()
    duty.act(actions.take_step, actor=crew, id=offered.id, to=AssignmentState.DONE)
    look()
    night(timedelta(hours=1))
    for then in seen:
        assert board(duty, call, at=then.at).model_dump() == then.model_dump()
    states = [[one.state for one in then.assignments[:1]] for then in seen]
    assert states == [[], ["offered"], ["accepted"], ["accepted"], ["on_scene"], ["on_scene"], ["done"]]
    assert [then.priority for then in seen] == [2, 2, 2, 1, 3, 3, 3]
    assert [bool(then.positions[0].at > NIGHT) for then in seen[1:]] == [False, False, True, True, True, True]


def test_a_phone_shows_the_task_and_only_the_steps_that_its_unit_may_do(duty: Duty) -> None:
    crash = lost(duty, category_id="traffic", text="电动车撞了行人")
    for unit_id in ("k1", "v1"):
        duty.offered(crash, unit_id)
    officer, volunteer = phone(duty, "k1").tasks[0], phone(duty, "v1").tasks[0]
    assert (officer.text, officer.category_zh, officer.priority) == ("电动车撞了行人", "交通", 3)
    assert {step.en for step in volunteer.steps} < {step.en for step in officer.steps}
    assert phone(duty, "k2").tasks == []


def test_who_reported_sees_whether_the_desk_has_seen_it(duty: Duty, night: MoveOn) -> None:
    reporter = duty.crews["v1"]
    mine = duty.act(
        incidents.report,
        actor=reporter,
        id=ids.new_id(),
        source=Source.PATROL,
        text="需要帮助",
        category_id=None,
        priority=Priority.P1,
        spot=Spot(zone_id="z1"),
    )
    (waiting,) = phone(duty, "v1").calls
    assert (waiting.id, waiting.seen_at, waiting.closed) == (mine.id, None, False)
    night(timedelta(seconds=7))
    duty.act(matters.acknowledge, actor=duty.desk, id=mine.id)
    (seen,) = phone(duty, "v1").calls
    assert seen.seen_at == NIGHT + timedelta(seconds=7)


def test_every_field_that_names_somebody_says_why_it_is_kept() -> None:
    named = {
        f"{kind.__name__}.{name}"
        for kind in (store.Command, store.Message, store.Receipt, store.LoneTimer)
        for name in kind.__dataclass_fields__
        if name in ("commander_id", "from_id", "reader_id", "begun_by")
    }
    assert named == set(PERSONAL)
    assert all(one.kind and one.purpose and one.retention for one in PERSONAL.values())
