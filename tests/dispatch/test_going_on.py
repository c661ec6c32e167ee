"""What goes on by itself: the best unit first, the next one when it does not go, the ladder when nobody does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import DISTRICT, NIGHT
from tests.dispatch.conftest import ADMIN, EAST, WEST, Duty, MoveOn, lost

from anshang.dispatch import actions, store
from anshang.dispatch.ladder import DEFAULT
from anshang.dispatch.model import Assignment, AssignmentState, Because, RungRun
from anshang.foundation.actor import Actor
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, NotAllowed, RuleBroken
from anshang.foundation.items import ItemsFailed
from anshang.incidents.model import Incident, Spot
from anshang.matters import actions as matters
from anshang.matters.model import Priority
from anshang.patrols import store as patrols_store
from anshang.patrols.model import UnitStatus

pytestmark = pytest.mark.postgres


def runs(duty: Duty, incident: Incident) -> dict[str, RungRun]:
    with duty.database.reading([DISTRICT]) as connection:
        return {run.rung_id: run for run in store.list_runs(connection, DISTRICT, [incident.id])}


def test_the_nearest_comes_first_with_its_time_and_why_others_do_not(duty: Duty, call: Incident) -> None:
    (advice,) = duty.dispatcher.advise(DISTRICT, [call.id], everybody=True)
    assert [one.unit_id for one in advice.candidates] == ["k1", "v1", "k2"]
    seconds = [one.seconds for one in advice.candidates]
    walked_m = 0.0001 * 111_320 * 0.8816
    assert seconds[0] == pytest.approx(walked_m / 1.06, rel=0.05), "an unknown crowd counts as attention"
    assert seconds == sorted(seconds)
    assert all(one.spread_s > 0 for one in advice.candidates)
    assert {out.unit_id: [one.code for one in out.reasons] for out in advice.left_out} == {"h1": ["stays"]}
    assert (advice.placed, advice.advised, advice.target_s) == ("point", "k1", 300.0)


def test_stale_busy_sent_and_unfit_units_are_left_out_with_a_word(duty: Duty, night: MoveOn) -> None:
    duty.accepted(lost(duty, EAST, category_id="help"), "k2")
    night(timedelta(minutes=3))
    duty.stand("v1", WEST + 0.0006)
    fight = lost(duty, category_id="fight")
    (advice,) = duty.dispatcher.advise(DISTRICT, [fight.id], everybody=True)
    told = {out.unit_id: [one.code for one in out.reasons] for out in advice.left_out}
    assert told == {"h1": ["stays", "task"], "k1": ["stale"], "k2": ["sent"], "v1": ["task"]}
    assert advice.candidates == ()
    assert advice.advised is None


def test_two_incidents_are_matched_together(duty: Duty) -> None:
    """The pair in the west is the nearest to both, yet each gets its own."""
    west, east = lost(duty, WEST), lost(duty, WEST + 0.0004)
    found = {one.incident_id: one for one in duty.dispatcher.advise(DISTRICT, [west.id, east.id])}
    assert [found[incident.id].advised for incident in (west, east)] == ["k1", "v1"]


def test_an_incident_known_by_its_zone_is_sought_in_its_middle_and_one_without_place_nowhere(
    duty: Duty,
) -> None:
    by_zone, nowhere = lost(duty, spot=Spot(zone_id="z2")), lost(duty, spot=Spot(words="在桥边"))
    found = {one.incident_id: one for one in duty.dispatcher.advise(DISTRICT, [by_zone.id, nowhere.id])}
    assert (found[by_zone.id].placed, found[by_zone.id].candidates[0].unit_id) == ("zone", "k2")
    assert (found[nowhere.id].placed, found[nowhere.id].candidates) == ("nowhere", ())


def test_no_answer_and_the_next_one_is_asked_until_nobody_is_left(
    duty: Duty, call: Incident, night: MoveOn
) -> None:
    duty.offered(call)
    night(timedelta(seconds=29))
    duty.go_on()
    assert [one.state for one in duty.sent_to(call)] == [AssignmentState.OFFERED]
    night(timedelta(seconds=1))
    duty.go_on()
    duty.go_on()
    first, second = duty.sent_to(call)
    assert (first.state, second.unit_id) == (AssignmentState.UNANSWERED, "v1")
    assert duty.unit("k1").status is UnitStatus.FREE
    told = {"accepted": False, "because": Because.UNSAFE}
    duty.act(actions.answer, actor=duty.crews["v1"], id=second.id, **told)
    duty.go_on()
    third = duty.sent_to(call)[-1]
    assert (third.unit_id, third.offered_by) == ("k2", "engine")
    duty.act(actions.answer, actor=duty.crews["k2"], id=third.id, **told)
    for _ in range(3):
        duty.go_on()
    assert len(duty.sent_to(call)) == 3
    assert duty.kinds("assignment").count("assignment.nobody_left") == 1


def test_a_unit_that_an_offer_refuses_is_passed_over_and_the_desk_hears_when_nobody_is_left(
    duty: Duty, call: Incident, night: MoveOn
) -> None:
    """The rows say that v1 and k2 are free, and that they are bound all the same."""
    bound_to = {unit_id: duty.accepted(lost(duty, EAST), unit_id) for unit_id in ("v1", "k2")}
    for unit_id in bound_to:
        with duty.database.transaction(DISTRICT) as tx:
            patrols_store.units.put(tx, replace(duty.unit(unit_id), status=UnitStatus.FREE))
    refused = duty.offered(call)
    told = {"accepted": False, "because": Because.UNSAFE}
    duty.act(actions.answer, actor=duty.crews["k1"], id=refused.id, **told)
    duty.go_on()
    assert duty.kinds("assignment").count("assignment.nobody_left") == 1
    duty.act(actions.stand_down, actor=duty.desk, id=bound_to["k2"].id, because=Because.CALLED_OFF)
    middle = lost(duty, WEST + 0.0006)
    again = duty.offered(middle, "k2")
    duty.act(actions.answer, actor=duty.crews["k2"], id=again.id, **told)
    duty.go_on()
    asked = duty.sent_to(middle)[-1]
    assert (asked.unit_id, asked.offered_by) == ("k1", "engine"), "v1 is nearer, and the offer refuses it"


def test_an_answer_that_comes_late_counts_while_the_unit_and_the_incident_are_free_for_it(
    duty: Duty, call: Incident, night: MoveOn
) -> None:
    crew, offered = duty.crews["k1"], duty.offered(call, onward=False)
    night(timedelta(minutes=1))
    duty.go_on()
    at = NIGHT + timedelta(seconds=10)
    late = duty.act(actions.answer, actor=crew, id=offered.id, accepted=True, at=at)
    assert (late.state, late.answered_at) == (AssignmentState.ACCEPTED, at)
    again = duty.offered(lost(duty), "v1", onward=False)
    night(timedelta(minutes=1))
    duty.go_on()
    duty.offered(lost(duty, category_id="injury"), "v1")
    with pytest.raises(RuleBroken) as too_late:
        duty.act(actions.answer, actor=duty.crews["v1"], id=again.id, accepted=True)
    assert too_late.value.code == "assignment.too_late"


def test_the_ladder_is_climbed_by_itself(duty: Duty, call: Incident, night: MoveOn) -> None:
    duty.go_on()
    assert {id: run.due_at for id, run in runs(duty, call).items()} == {
        rung.id: NIGHT + timedelta(seconds=rung.target_s) for rung in DEFAULT.rungs
    }
    night(timedelta(seconds=60))
    duty.go_on()
    assert runs(duty, call)["one_minute"].missed_at == NIGHT + timedelta(seconds=60)
    (asked,) = duty.sent_to(call)
    assert (asked.unit_id, asked.offered_by) == ("k1", "engine"), "of the kinds of the next rung"
    night(timedelta(seconds=60))
    duty.go_on()
    assert runs(duty, call)["one_minute"].raised_at is not None
    night(timedelta(seconds=60))
    duty.go_on()
    asked = duty.sent_to(call)[-1]
    assert asked.unit_id == "h1", "the safe house is asked when the look-outs are missed"
    duty.act(actions.answer, actor=duty.crews["h1"], id=asked.id, accepted=True)
    met = runs(duty, call)["five_minutes"]
    assert (met.met_by, met.met_at) == ("h1", NIGHT + timedelta(seconds=180))
    for _ in range(3):
        night(timedelta(minutes=5))
        duty.go_on()
    words = [kind for kind in duty.kinds("rung") if kind != "rung.begun"]
    assert sorted(words) == ["rung.met", "rung.missed", "rung.missed", "rung.raised", "rung.raised"]


def test_a_rung_is_met_by_an_arrival_of_its_kind_in_time(duty: Duty, call: Incident, night: MoveOn) -> None:
    duty.go_on()
    taken = duty.accepted(call)
    night(timedelta(seconds=50))
    to = AssignmentState.ON_SCENE
    duty.act(actions.take_step, actor=duty.crews["k1"], id=taken.id, to=to)
    night(timedelta(minutes=9))
    duty.go_on()
    known = runs(duty, call)
    assert [run.met_by for run in known.values()] == ["k1", "k1", "k1"], "nobody else need come"
    assert known["one_minute"].missed_at is None
    met = [entry.details for entry in duty.entries("rung") if entry.kind == "rung.met"]
    assert [one["in_time"] for one in met] == [True, True, True]


def test_an_incident_that_cannot_be_worked_on_keeps_no_other_back(
    duty: Duty, call: Incident, night: MoveOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = call, lost(duty, EAST)
    duty.offered(bad, "k1")
    duty.offered(good, "k2")
    whole = actions.give_up_waiting

    def give_up_waiting(tx: Transaction, *, actor: Actor, assignment: Assignment) -> Assignment:
        if assignment.incident_id == bad.id:
            raise KeyError("nobody foresaw this")
        return whole(tx, actor=actor, assignment=assignment)

    monkeypatch.setattr(actions, "give_up_waiting", give_up_waiting)
    night(timedelta(seconds=60))
    with pytest.raises(ItemsFailed) as caught:
        duty.go_on()
    assert caught.value.count == 1
    assert [one.state for one in duty.sent_to(bad)] == [AssignmentState.OFFERED]
    assert duty.sent_to(good)[0].state is AssignmentState.UNANSWERED


def test_minor_incidents_climb_no_ladder_until_they_become_urgent(duty: Duty, night: MoveOn) -> None:
    minor = lost(duty, category_id="help")
    duty.go_on()
    assert runs(duty, minor) == {}
    duty.act(matters.change_priority, actor=duty.desk, id=minor.id, priority=Priority.P1, version=1)
    duty.go_on()
    assert len(runs(duty, minor)) == 3


def test_a_district_has_a_ladder_of_its_own(duty: Duty) -> None:
    rungs = (replace(DEFAULT.rungs[0], target_s=90.0), *DEFAULT.rungs[1:])
    own = replace(DEFAULT, rungs=rungs, priorities=(Priority.P1,))
    for _ in range(2):
        duty.act(actions.change_ladder, actor=ADMIN, ladder=own)
    with duty.database.reading([DISTRICT]) as connection:
        assert store.get_ladder(connection, DISTRICT) == own
    assert duty.kinds("ladder") == ["ladder.changed"]
    for wrong in (
        replace(own, rungs=()),
        replace(own, rungs=rungs[::-1]),
        replace(own, rungs=(rungs[0], replace(rungs[1], id=rungs[0].id))),
        replace(own, rungs=(replace(rungs[0], kinds=("tank",)),)),
    ):
        with pytest.raises(BadInput):
            duty.act(actions.change_ladder, actor=ADMIN, ladder=wrong)
    with pytest.raises(NotAllowed):
        duty.act(actions.change_ladder, actor=duty.desk, ladder=own)


def test_the_reach_of_each_rung_is_what_its_units_reach(duty: Duty, night: MoveOn) -> None:
    reach = duty.dispatcher.renew(DISTRICT)
    assert reach is not None
    assert [(tier.rung_id, tier.units) for tier in reach.tiers] == [
        ("one_minute", 3),
        ("three_minutes", 2),
        ("five_minutes", 1),
    ]
    assert reach == duty.dispatcher.reach(DISTRICT)
    assert (reach.total, reach.unknown_zones) == (0.0, 3), "nobody counts here, so nobody is made up"
    drawn = [lon for line in reach.tiers[0].lines for lon, _lat in line]
    assert (min(drawn), max(drawn)) == (pytest.approx(WEST, abs=1e-5), pytest.approx(EAST, abs=1e-5))
    (advice,) = duty.dispatcher.advise(DISTRICT, [lost(duty).id])
    assert advice.cover_before == 1.0
    night(timedelta(minutes=5))
    stale = duty.dispatcher.renew(DISTRICT)
    assert stale is not None
    assert [tier.units for tier in stale.tiers] == [0, 0, 1], "who is stale reaches nothing"
