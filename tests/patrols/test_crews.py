"""Who may crew which kind of unit: a volunteer never becomes a police unit, nobody is put in a crew unasked, and
a right that is gone is gone at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.conftest import DISTRICT
from tests.dispatch.conftest import Duty, a_unit, lost
from tests.dispatch.conftest import duty as duty_fixture
from tests.dispatch.test_boards import message
from tests.incidents.conftest import district as district_fixture
from tests.patrols.test_duty import ADMIN, account, act

from anshang.dispatch import actions as dispatch
from anshang.dispatch import board_actions as boards
from anshang.dispatch.field import field
from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import RuleBroken
from anshang.journal.model import EVERYWHERE
from anshang.patrols import actions
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Member
from anshang.people import actions as people
from anshang.people import store as people_store
from anshang.people.model import MACHINES, Account, Role, operator_actor

pytestmark = pytest.mark.postgres
duty, district = duty_fixture, district_fixture
POLICE = {"officer_pair", "rapid", "patrol_car", "drone"}
BY_THEMSELVES = {
    Role.PATROL: {"police", "others"},
    Role.VOLUNTEER: {"others"},
}
NAMED_BY_THE_DESK = BY_THEMSELVES | {
    Role.DESK: {"police", "others"},
    Role.SUPERVISOR: {"police", "others"},
    Role.PARTNER: {"others"},
    Role.MEDIATOR: {"others"},
}


def begin(database: Database, actor: Actor, unit_id: str, *crew: str) -> Any:
    return act(database, actions.begin_duty, actor=actor, id=ids.new_id(), unit_id=unit_id, crew=crew)


def fit(database: Database, account_id: str) -> None:
    papers = Member(account_id, DISTRICT, date(2027, 6, 1), date(2027, 6, 1), adult=True)
    act(database, actions.qualify, actor=ADMIN, member=papers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", [role for role in Role if role not in MACHINES])
def test_a_role_crews_a_kind_of_unit_or_does_not(district: Database, role: Role, kind: str) -> None:
    """By themselves, or named by the desk; papers in order."""
    act(district, actions.define_unit, actor=ADMIN, unit=a_unit("u1", kind))
    if role is Role.PARTNER:
        body = act(district, people.register_body, actor=ADMIN, id=ids.new_id(), name_zh="店", name_en="Shop")
        someone = account(district, Role.DESK)
        with district.transaction(EVERYWHERE) as tx:
            people_store.accounts.put(tx, replace(someone, role=role, body_id=body.id))
    else:
        someone = account(district, role)
    fit(district, someone.id)
    sort = "police" if kind in POLICE else "others"
    if role in BY_THEMSELVES:
        mine = someone.as_actor()
        if sort in BY_THEMSELVES[role]:
            act(district, actions.end_duty, actor=mine, id=begin(district, mine, "u1", someone.id).id)
        else:
            with pytest.raises(RuleBroken) as refused:
                begin(district, mine, "u1", someone.id)
            assert refused.value.details == {"reasons": ["crew"]}
    if sort in NAMED_BY_THE_DESK.get(role, set()):
        begin(district, operator_actor(DISTRICT), "u1", someone.id)
    else:
        with pytest.raises(RuleBroken) as refused:
            begin(district, operator_actor(DISTRICT), "u1", someone.id)
        assert refused.value.details == {"reasons": ["crew"]}


def test_a_mixed_crew_is_no_police_unit(district: Database) -> None:
    act(district, actions.define_unit, actor=ADMIN, unit=a_unit("u1", "officer_pair"))
    officer, volunteer = account(district), account(district, Role.VOLUNTEER)
    fit(district, volunteer.id)
    with pytest.raises(RuleBroken) as refused:
        begin(district, operator_actor(DISTRICT), "u1", officer.id, volunteer.id)
    assert refused.value.details == {"reasons": ["crew"]}


def test_others_are_put_in_a_crew_by_the_desk_alone(district: Database) -> None:
    """Whoever was put in one could not go on duty where they are needed."""
    for unit_id in ("u1", "u2"):
        act(district, actions.define_unit, actor=ADMIN, unit=a_unit(unit_id, "officer_pair"))
    lin, wang = account(district), account(district)
    for crew in ((lin.id, wang.id), (wang.id,)):
        with pytest.raises(RuleBroken):
            begin(district, lin.as_actor(), "u1", *crew)
    begin(district, wang.as_actor(), "u1", wang.id)
    begin(district, operator_actor(DISTRICT), "u2", lin.id)


def changed(duty: Duty, actor: Actor, **changes: Any) -> Actor:
    """The account of the actor becomes something else while it is on duty; who they are now."""
    told = {"role": Role.PATROL, "district_ids": (DISTRICT,), "active": True} | changes
    with duty.database.transaction(EVERYWHERE) as tx:
        known = people_store.accounts.get(tx.connection, EVERYWHERE, actor.id)
        people.change_account(
            tx, actor=operator_actor(DISTRICT, "beside"), id=actor.id, version=known.version,
            display_name=known.display_name, body_id=None, **told,
        )  # fmt: skip
        now: Account = people_store.accounts.get(tx.connection, EVERYWHERE, actor.id)
    return now.as_actor()


@pytest.mark.parametrize(
    "changes",
    [{"role": Role.VOLUNTEER}, {"role": Role.WALL}, {"district_ids": ("beside",)}, {"active": False}],
)
def test_a_unit_whose_crew_lost_the_right_is_sent_nowhere(duty: Duty, changes: Any) -> None:
    """Neither advised nor offered, with the reason; the desk can still end its duty."""
    call = lost(duty)
    (before,) = duty.dispatcher.advise(DISTRICT, [call.id])
    assert before.candidates[0].unit_id == "k1"
    changed(duty, duty.crews["k1"], **changes)
    duty.act(boards.say, actor=duty.desk, message=message())  # any commit here: what is known is read again
    (after,) = duty.dispatcher.advise(DISTRICT, [call.id], everybody=True)
    assert "k1" not in {one.unit_id for one in after.candidates}
    (left_out,) = [one for one in after.left_out if one.unit_id == "k1"]
    assert "crew" in {reason.code for reason in left_out.reasons}
    with pytest.raises(RuleBroken) as refused:
        duty.offered(call, "k1")
    assert refused.value.details["reasons"] == ["crew"]
    duty.act(actions.end_duty, actor=duty.desk, id=duty.unit("k1").duty_id)


def test_somebody_who_is_no_officer_any_more_speaks_for_no_police_unit(duty: Duty) -> None:
    """No task, no message, no roll-call, no status, nothing on the phone."""
    call = lost(duty)
    offered = duty.offered(call, "k1")
    roll_call = ids.new_id()
    duty.act(
        boards.call_roll, actor=duty.desk, id=roll_call, incident_id=None, answer_within_s=60.0, drill=False
    )
    now = changed(duty, duty.crews["k1"], role=Role.VOLUNTEER)
    unit = duty.unit("k1")
    for verb, told in (
        (dispatch.answer, {"id": offered.id, "accepted": True}),
        (boards.say, {"message": message()}),
        (boards.say, {"message": message(incident_id=call.id)}),
        (boards.answer_roll, {"id": ids.new_id(), "roll_call_id": roll_call}),
        (actions.tell_status, {"unit_id": "k1", "status": unit.status, "version": unit.version}),
    ):
        with pytest.raises(RuleBroken):
            duty.act(verb, actor=now, **told)
    with duty.database.reading([DISTRICT]) as connection:
        shown = field(connection, now, DISTRICT, duty.whereabouts)
    assert (shown.duty, shown.tasks, shown.messages) == (None, [], [])


def test_a_phone_offers_only_units_that_its_holder_may_crew(duty: Duty) -> None:
    for id, kind in (("k9", "officer_pair"), ("v9", "volunteer")):
        duty.act(actions.define_unit, actor=ADMIN, unit=a_unit(id, kind))
    offered = {}
    for role in (Role.PATROL, Role.VOLUNTEER):
        with duty.database.reading([DISTRICT]) as connection:
            shown = field(connection, account(duty.database, role).as_actor(), DISTRICT, duty.whereabouts)
        offered[role] = {unit.id for unit in shown.units}
    assert offered == {Role.PATROL: {"k9", "v9"}, Role.VOLUNTEER: {"v9"}}
