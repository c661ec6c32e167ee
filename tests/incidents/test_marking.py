"""When each step of an incident happened, as people tell it: marked, corrected, and never before the call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.incidents.conftest import act, kinds, page_of, reported

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, RuleBroken
from anshang.incidents import actions
from anshang.incidents.model import IncidentKind, LinkKind, Step
from anshang.matters import store as matters
from anshang.matters.model import ClockKind, Priority

pytestmark = pytest.mark.postgres


def test_steps_are_marked_and_corrected_and_arriving_meets_the_clock(
    district: Database, make: Make, night: Callable[[timedelta], None]
) -> None:
    desk, incident, id = make.actor(), reported(district, make.actor(), category_id="fight"), ids.new_id()
    night(timedelta(seconds=120))
    told = {"actor": desk, "incident_id": incident.id, "step": Step.ON_SCENE}
    early, right = NIGHT + timedelta(seconds=60), NIGHT + timedelta(seconds=110)
    for _ in range(2):
        act(district, actions.mark, **told, id=id, at=early)
    act(district, actions.mark, **told, id=ids.new_id(), at=right, corrects=id)
    page = page_of(district, make, incident.id)
    assert (page.spans_s["response"], len([m for m in page.moments if m.step == "on_scene"])) == (110, 2)
    assert "moving" in page.missing
    with district.reading([DISTRICT]) as connection:
        clocks = {c.kind: c for c in matters.list_clocks(connection, DISTRICT, [incident.id])}
    assert clocks[ClockKind.ARRIVE].met_at == right
    for wrong, kind in (
        ({"at": NIGHT + timedelta(seconds=300)}, BadInput),
        ({"at": NIGHT - timedelta(seconds=6)}, BadInput),
        ({"at": right, "step": Step.MOVING, "corrects": id}, RuleBroken),
    ):
        with pytest.raises(kind):
            act(district, actions.mark, **(told | {"id": ids.new_id()} | wrong))
    assert kinds(district).count(IncidentKind.MARKED) == 2


@pytest.mark.parametrize("verb", ["clear", "cancel", "duplicate"])
def test_closing_an_incident_where_nobody_was_does_not_reach_its_goal(
    district: Database, make: Make, night: Callable[[timedelta], None], verb: str
) -> None:
    """The goal to be there would be recorded as reached in time, when a P1 was closed unattended."""
    desk = make.actor()
    incident = reported(district, desk, category_id="fight", priority=Priority.P1)
    night(timedelta(seconds=30))
    if verb == "duplicate":
        first = reported(district, desk, category_id="fight")
        told = {"incident_id": incident.id, "other_id": first.id, "kind": LinkKind.DUPLICATE}
        act(district, actions.link, actor=desk, id=ids.new_id(), **told)
        act(district, actions.clear, actor=desk, id=first.id, outcome="done", version=first.version)
    elif verb == "clear":
        act(district, actions.clear, actor=desk, id=incident.id, outcome="done", version=incident.version)
    else:
        act(district, actions.cancel, actor=desk, id=incident.id, reason="", version=incident.version)
    with district.reading([DISTRICT]) as connection:
        assert matters.matters.get(connection, DISTRICT, incident.id).closed_at is not None
        clocks = {c.kind: c for c in matters.list_clocks(connection, DISTRICT, [incident.id])}
    assert clocks[ClockKind.ARRIVE].met_at is None
    assert clocks[ClockKind.ACKNOWLEDGE].met_at == NIGHT + timedelta(seconds=30)


def test_a_clock_that_tells_whole_seconds_or_goes_a_little_slow_tells_no_step_before_the_call(
    district: Database, make: Make
) -> None:
    incident, id = reported(district, make.actor(), category_id="fight"), ids.new_id()
    for _ in range(2):
        act(
            district,
            actions.mark,
            actor=make.actor(),
            incident_id=incident.id,
            step=Step.ON_SCENE,
            id=id,
            at=incident.called_at - timedelta(milliseconds=400),
        )
    page = page_of(district, make, incident.id)
    assert page.spans_s["response"] == 0
