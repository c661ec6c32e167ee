"""The council: who was there votes, a carried motion becomes a resolution, and that comes back on its day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.conftest import DISTRICT, NIGHT, Make

from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, Refusal, RuleBroken
from anshang.journal import store as journal
from anshang.matters import store as matters
from anshang.matters.model import MatterState
from anshang.partners import council_actions as actions
from anshang.partners import council_store as store
from anshang.partners.council import CouncilEvent, Meeting, Motion, MotionState, Vote
from anshang.people.model import Role, engine_actor

pytestmark = pytest.mark.postgres
MoveOn = Callable[[timedelta], None]


def act(database: Database, verb: Callable[..., Any], **told: Any) -> Any:
    with database.transaction(DISTRICT) as tx:
        return verb(tx, **told)


def told(database: Database) -> list[str]:
    """What the journal has of the council."""
    kinds = {str(kind) for kind in CouncilEvent}
    with database.reading([DISTRICT]) as connection:
        return [e.kind for e in journal.list_after(connection, DISTRICT, 0) if e.kind in kinds]


@pytest.fixture
def held(quarter: Database, make: Make, night: MoveOn) -> Meeting:
    """A meeting to which three shops came."""
    chair = make.actor(Role.SUPERVISOR)
    meeting = act(
        quarter,
        actions.convene,
        actor=chair,
        id=ids.new_id(),
        title="春节前安全",
        starts_at=NIGHT + timedelta(hours=1),
        place="警务室",
        agenda=["消防通道", " ", "夜间照明"],
    )
    return act(
        quarter, actions.note_attendance, actor=chair, id=meeting.id, partner_ids=["p2", "p0", "p1", "p0"]
    )


def moved(database: Database, chair: Any, meeting: Meeting, text: str = "门口不堆货") -> Motion:
    return act(
        database, actions.move, actor=chair, id=ids.new_id(), meeting_id=meeting.id, text=text, moved_by="p1"
    )


def test_a_meeting_is_called_changed_and_closed(quarter: Database, make: Make, held: Meeting) -> None:
    chair = make.actor(Role.SUPERVISOR)
    assert (held.agenda, held.attended) == (["消防通道", "夜间照明"], ("p0", "p1", "p2"))
    again = {"id": held.id, "title": held.title, "starts_at": held.starts_at, "place": held.place}
    for agenda in (held.agenda, ["夜间照明"]):
        act(quarter, actions.convene, actor=chair, agenda=agenda, **again)
    act(quarter, actions.close, actor=chair, id=held.id)
    with pytest.raises(RuleBroken):
        act(quarter, actions.convene, actor=chair, agenda=["x"], **again)
    with pytest.raises(RuleBroken):
        moved(quarter, chair, held)
    assert told(quarter) == [
        CouncilEvent.CONVENED,
        CouncilEvent.CHANGED,
        CouncilEvent.CHANGED,
        CouncilEvent.CLOSED,
    ]


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ({"p0": Vote.FOR, "p1": Vote.FOR, "p2": Vote.AGAINST}, MotionState.CARRIED),
        ({"p0": Vote.FOR, "p1": Vote.AGAINST, "p2": Vote.ABSTAIN}, MotionState.REJECTED),
    ],
)
def test_more_votes_for_than_against_carry_a_motion(
    quarter: Database, make: Make, held: Meeting, votes: dict[str, Vote], state: MotionState
) -> None:
    chair = make.actor(Role.SUPERVISOR)
    motion = moved(quarter, chair, held)
    act(quarter, actions.vote, actor=chair, id=motion.id, votes={"p0": Vote.AGAINST})
    act(quarter, actions.vote, actor=chair, id=motion.id, votes=votes)
    assert act(quarter, actions.decide, actor=chair, id=motion.id).state is state
    with pytest.raises(RuleBroken):
        act(quarter, actions.vote, actor=chair, id=motion.id, votes={"p0": Vote.FOR})


def test_a_resolution_comes_back_on_its_day_in_the_districts_zone_and_is_carried_out(
    quarter: Database, make: Make, held: Meeting, night: MoveOn
) -> None:
    chair, engine = make.actor(Role.SUPERVISOR), engine_actor(DISTRICT)
    motion = moved(quarter, chair, held)
    act(quarter, actions.vote, actor=chair, id=motion.id, votes={"p0": Vote.FOR})
    act(quarter, actions.decide, actor=chair, id=motion.id)
    there = clock.now().astimezone(ZoneInfo("Asia/Shanghai"))
    due_on = there.date() + timedelta(days=2)
    made = {
        "id": ids.new_id(),
        "motion_id": motion.id,
        "text": "清理通道",
        "owner_id": "p2",
        "due_on": due_on,
    }
    for _ in range(2):
        act(quarter, actions.resolve, actor=chair, **made)
    midnight = datetime(due_on.year, due_on.month, due_on.day, tzinfo=ZoneInfo("Asia/Shanghai"))
    night(midnight.astimezone(UTC) - clock.now() - timedelta(minutes=1))
    assert actions.bring_back(quarter, DISTRICT, actor=engine) == 0
    night(timedelta(minutes=2))
    assert [actions.bring_back(quarter, DISTRICT, actor=engine) for _ in range(2)] == [1, 0]
    with quarter.reading([DISTRICT]) as connection:
        (matter,) = matters.list_waiting(connection, chair.scope, DISTRICT)
    assert (matter.subject, matter.text, matter.params["owner"]) == (actions.SUBJECT, "清理通道", "p2")
    act(quarter, actions.carry_out, actor=chair, id=made["id"])
    with quarter.reading([DISTRICT]) as connection:
        assert matters.get(connection, chair.scope, DISTRICT, matter.id).state is MatterState.CLOSED
        (resolution,) = store.list_resolutions(connection, DISTRICT)
    assert resolution.done_at == clock.now()
    with pytest.raises(RuleBroken):
        act(quarter, actions.carry_out, actor=chair, id=made["id"])
    assert told(quarter)[-3:] == [CouncilEvent.RESOLVED, CouncilEvent.DUE, CouncilEvent.DONE]


def test_what_the_council_cannot_do_is_refused_and_writes_nothing(
    quarter: Database, make: Make, held: Meeting
) -> None:
    chair, desk = make.actor(Role.SUPERVISOR), make.actor(Role.DESK)
    motion = moved(quarter, chair, held)
    before = told(quarter)
    on = date(2030, 1, 1)
    call = {"id": ids.new_id(), "title": "x", "starts_at": NIGHT, "place": ""}
    tries: list[tuple[type[Refusal], Callable[..., Any], dict[str, Any]]] = [
        (NotAllowed, actions.convene, {"actor": desk, "agenda": ["x"], **call}),
        (BadInput, actions.convene, {"agenda": [" "], **call}),
        (NotFound, actions.note_attendance, {"id": held.id, "partner_ids": ["nobody"]}),
        (RuleBroken, actions.vote, {"id": motion.id, "votes": {"p5": Vote.FOR}}),
        (RuleBroken, actions.decide, {"id": motion.id}),
        (
            RuleBroken,
            actions.resolve,
            {"id": ids.new_id(), "motion_id": motion.id, "text": "x", "owner_id": "p0", "due_on": on},
        ),
        (NotFound, actions.carry_out, {"id": ids.new_id()}),
    ]
    for refusal, verb, words in tries:
        with pytest.raises(refusal):
            act(quarter, verb, **({"actor": chair} | words))
    act(quarter, actions.vote, actor=chair, id=motion.id, votes={"p0": Vote.FOR})
    act(quarter, actions.decide, actor=chair, id=motion.id)
    with pytest.raises(BadInput):
        act(
            quarter, actions.resolve, actor=chair, id=ids.new_id(), motion_id=motion.id, text="x",
            owner_id="p0", due_on=date(2020, 1, 1),
        )  # fmt: skip
    assert told(quarter) == [*before, CouncilEvent.VOTED, CouncilEvent.DECIDED]


def test_a_meeting_to_which_nobody_came_is_not_closed(quarter: Database, make: Make, night: MoveOn) -> None:
    chair = make.actor(Role.SUPERVISOR)
    id = ids.new_id()
    act(quarter, actions.convene, actor=chair, id=id, title="x", starts_at=NIGHT, place="", agenda=["x"])
    with pytest.raises(RuleBroken):
        act(quarter, actions.close, actor=chair, id=id)
