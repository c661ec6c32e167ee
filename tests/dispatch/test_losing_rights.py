"""Whoever loses the right to serve with a unit leaves its crew, and what the unit was sent to is not lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import DISTRICT, Make
from tests.dispatch.conftest import ADMIN, WEST, Duty, MoveOn, a_unit, lost, set_up
from tests.serving import open_account

from anshang.dispatch import actions
from anshang.dispatch.model import AssignmentKind, AssignmentState, Because
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.incidents.model import Incident
from anshang.journal.model import EVERYWHERE
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Duty as Served
from anshang.patrols.model import PatrolKind, UnitStatus, may_crew
from anshang.people import actions as people
from anshang.people import store as people_store
from anshang.people.model import MACHINES, Role, operator_actor

pytestmark = pytest.mark.postgres
OTHER = "elsewhere"
BODY = "00000000-0000-7000-8000-000000000009"
LOSSES: dict[str, dict[str, Any]] = {
    "role": {"role": Role.WALL},
    "district": {"district_ids": (OTHER,)},
    "closed": {"active": False},
}


def change(database: Database, account_id: str, **changes: Any) -> None:
    """An administrator changes the account."""
    with database.transaction(EVERYWHERE) as tx:
        known = people_store.accounts.get(tx.connection, EVERYWHERE, account_id)
        kept = ("version", "display_name", "role", "body_id", "district_ids", "active")
        told = {name: getattr(known, name) for name in kept} | changes
        people.change_account(tx, actor=operator_actor(DISTRICT, OTHER), id=account_id, **told)


def served(duty: Duty, unit_id: str) -> list[Served]:
    """The duties that go on with the unit."""
    with duty.database.reading([DISTRICT]) as connection:
        return [one for one in patrols_store.list_open_duties(connection, DISTRICT) if one.unit_id == unit_id]


@pytest.mark.parametrize("way", LOSSES)
def test_a_crew_that_has_lost_the_right_goes_off_duty_and_the_next_unit_is_asked(
    duty: Duty, call: Incident, way: str
) -> None:
    """The task would stay with a unit that nobody serves with, and the desk would take it for served."""
    duty.accepted(call, "k1")
    change(duty.database, duty.crews["k1"].id, **LOSSES[way])
    duty.go_on()
    duty.go_on()
    assert (duty.unit("k1").status, duty.unit("k1").duty_id, served(duty, "k1")) == (
        UnitStatus.OFF_DUTY,
        None,
        [],
    )
    first, second = duty.sent_to(call)
    assert (first.unit_id, first.state, first.because) == ("k1", AssignmentState.REFUSED, Because.UNFIT)
    assert (second.unit_id, second.state) == ("v1", AssignmentState.OFFERED)
    ended = [entry for entry in duty.entries("duty") if entry.kind == PatrolKind.ENDED]
    assert [(entry.subject_id, entry.actor_id, entry.details["relieved"]) for entry in ended] == [
        ("k1", "engine", 1)
    ]
    assert AssignmentKind.REFUSED in duty.kinds("assignment")


def test_a_person_is_told_when_nobody_is_left_to_ask(duty: Duty, call: Incident) -> None:
    duty.accepted(call, "k1")
    for unit_id in ("k1", "k2", "v1"):
        change(duty.database, duty.crews[unit_id].id, active=False)
    for _ in range(3):
        duty.go_on()
    assert AssignmentKind.NOBODY_LEFT in duty.kinds("assignment")


def end(duty: Duty, call: Incident, unit_id: str, way: str) -> None:
    """The last assignment of the unit ends: by the desk, or by its crew, with or without having been there."""
    mine = [one for one in duty.sent_to(call) if one.unit_id == unit_id][-1]
    if way == "called off":
        duty.act(actions.stand_down, actor=duty.desk, id=mine.id, because=Because.CALLED_OFF)
        return
    if mine.state is AssignmentState.OFFERED:
        duty.act(actions.answer, actor=duty.crews[unit_id], id=mine.id, accepted=True)
    steps = [AssignmentState.ON_SCENE, AssignmentState.DONE]
    for step in steps if way == "served" else steps[1:]:
        duty.act(actions.take_step, actor=duty.crews[unit_id], id=mine.id, to=step)


def relieved(duty: Duty, night: MoveOn, unit_id: str) -> None:
    """A little later the crew's account is closed, and the sweep goes round."""
    night(timedelta(seconds=1))
    change(duty.database, duty.crews[unit_id].id, active=False)
    for _ in range(3):
        duty.go_on()


def asked_by_itself(duty: Duty, call: Incident) -> list[str]:
    return [one.unit_id for one in duty.sent_to(call) if one.offered_by == "engine"]


@pytest.mark.parametrize("way", ["called off", "done"])
def test_what_others_did_before_keeps_a_relieved_unit_s_task_not_from_the_next(
    duty: Duty, call: Incident, night: MoveOn, way: str
) -> None:
    """The newest assignment is another one, over already: the incident would be left to nobody, unheard."""
    duty.accepted(call, "k1")
    duty.offered(call, "v1")
    end(duty, call, "v1", way)
    relieved(duty, night, "k1")
    assert asked_by_itself(duty, call) == ["k2"], "who was called off or is done is not asked again"
    told = {"accepted": False, "because": Because.UNSAFE}
    duty.act(actions.answer, actor=duty.crews["k2"], id=duty.sent_to(call)[-1].id, **told)
    for _ in range(3):
        duty.go_on()
    assert duty.kinds("assignment").count(AssignmentKind.NOBODY_LEFT) == 1


def test_a_unit_of_a_circle_that_is_relieved_leads_to_the_next_whatever_the_circle_does(
    duty: Duty, call: Incident, night: MoveOn
) -> None:
    """Who is asked with others leads to nobody when it declines; when it is lost, the desk must hear of it."""
    told = {"incident_id": call.id, "unit_ids": ["k1", "v1"]}
    first, _ = duty.act(actions.offer_all, actor=duty.desk, id=ids.new_id(), **told)
    duty.act(actions.answer, actor=duty.crews["k1"], id=first.id, accepted=True)
    relieved(duty, night, "k1")
    assert asked_by_itself(duty, call) == [], "v1 may still go"
    night(timedelta(seconds=40))
    for _ in range(2):
        duty.go_on()
    assert asked_by_itself(duty, call) == ["k2"]


def test_only_who_was_asked_is_lost_and_a_person_hears_it(duty: Duty, call: Incident, night: MoveOn) -> None:
    (only,) = duty.act(
        actions.offer_all, actor=duty.desk, id=ids.new_id(), incident_id=call.id, unit_ids=["k1"]
    )
    duty.act(actions.answer, actor=duty.crews["k1"], id=only.id, accepted=True)
    for unit_id in ("k2", "v1"):
        change(duty.database, duty.crews[unit_id].id, active=False)
    relieved(duty, night, "k1")
    assert duty.kinds("assignment").count(AssignmentKind.NOBODY_LEFT) == 1


@pytest.mark.parametrize("way", ["called off", "done", "served"])
def test_what_ended_after_the_relief_is_left_as_the_person_left_it(
    duty: Duty, call: Incident, night: MoveOn, way: str
) -> None:
    """Whoever calls off the last unit, or says it is done, knows; nothing is started behind their back."""
    duty.accepted(call, "k1")
    duty.accepted(call, "v1")
    relieved(duty, night, "k1")
    night(timedelta(seconds=1))
    end(duty, call, "v1", way)
    duty.go_on()
    assert asked_by_itself(duty, call) == []


def test_an_incident_that_was_served_is_not_asked_for_again(
    duty: Duty, call: Incident, night: MoveOn
) -> None:
    duty.offered(call, "k1")
    duty.accepted(call, "v1")
    end(duty, call, "v1", "served")
    night(timedelta(seconds=40))
    duty.go_on()
    duty.go_on()
    assert [one.state for one in duty.sent_to(call)] == [AssignmentState.UNANSWERED, AssignmentState.DONE]


def test_who_may_stay_goes_on_with_the_task_and_hours_are_kept(
    database: Database, make: Make, night: MoveOn
) -> None:
    duty = set_up(database, make, [a_unit("k1", "officer_pair")])
    (before,) = served(duty, "k1")
    duty.act(patrols.end_duty, actor=ADMIN, id=before.id)
    name = open_account(database, Role.PATROL, DISTRICT)
    with database.reading([EVERYWHERE]) as connection:
        partner = people_store.find_account_by_name(connection, name)
    assert partner is not None
    crew = [duty.crews["k1"].id, partner.id]
    begun = duty.act(patrols.begin_duty, actor=ADMIN, id=ids.new_id(), unit_id="k1", crew=crew)
    duty.stand("k1", WEST)
    call = lost(duty)
    duty.accepted(call, "k1")
    change(database, partner.id, active=False)
    duty.go_on()
    (now,) = served(duty, "k1")
    assert (now.crew, duty.unit("k1").status, duty.unit("k1").duty_id) == (
        (crew[0],),
        UnitStatus.ASSIGNED,
        now.id,
    )
    assert [one.state for one in duty.sent_to(call)] == [AssignmentState.ACCEPTED]
    with database.reading([DISTRICT]) as connection:
        hours = patrols_store.list_ended_duties_of(connection, DISTRICT, partner.id)
    assert [one.id for one in hours] == [begun.id]


@pytest.mark.parametrize("kind", ["officer_pair", "volunteer"])
@pytest.mark.parametrize("role", sorted(set(Role) - MACHINES))
def test_every_role_stays_with_the_kinds_of_unit_that_it_may_serve_with(
    database: Database, make: Make, night: MoveOn, role: Role, kind: str
) -> None:
    duty = set_up(database, make, [a_unit("k1", kind)])
    with database.transaction(EVERYWHERE) as tx:
        people.register_body(tx, actor=ADMIN, id=BODY, name_zh="店", name_en="Shop")
    change(database, duty.crews["k1"].id, role=role, body_id=BODY if role is Role.PARTNER else None)
    duty.go_on()
    assert (served(duty, "k1") != []) == may_crew(KINDS[kind], role, named=True)
