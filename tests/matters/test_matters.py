"""The queue: what may happen to a matter, who may see it, and what is written of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.conftest import DISTRICT, NIGHT, Make

from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, RuleBroken, StaleVersion
from anshang.journal import store as journal
from anshang.matters import actions, store
from anshang.matters.model import ClockKind, Due, Matter, MatterEvent, MatterKind, MatterState, Priority
from anshang.people.model import Role

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
DUE = Due(ClockKind.ACKNOWLEDGE, 60, "clock.acknowledge", {"level": 4})


def opened(database: Database, actor: Actor, priority: Priority = Priority.P2, **changes: object) -> Matter:
    told: dict[str, object] = {
        "id": ids.new_id(), "kind": MatterKind.CROWD, "subject": "matter.crowd.level", "zone_id": "z1", "due": [DUE],
    } | changes  # fmt: skip
    with database.transaction(DISTRICT) as tx:
        return actions.open_matter(tx, actor=actor, priority=priority, **told)  # type: ignore[arg-type]


def kinds(database: Database) -> list[str]:
    with database.reading([DISTRICT]) as connection:
        return [entry.kind for entry in journal.list_after(connection, DISTRICT, 0)]


def test_a_matter_goes_from_open_to_acknowledged_to_closed(
    database: Database, make: Make, night: MoveOn
) -> None:
    desk = make.actor()
    matter = opened(database, desk)
    assert (matter.number, matter.state, matter.opened_at) == (1, MatterState.OPEN, NIGHT)
    night(timedelta(seconds=40))
    with database.transaction(DISTRICT) as tx:
        seen = actions.acknowledge(tx, actor=desk, id=matter.id)
        assert actions.acknowledge(tx, actor=desk, id=matter.id) == seen
        (clock,) = store.list_clocks(tx.connection, DISTRICT, [matter.id])
    assert (clock.due_at, clock.met_at) == (NIGHT + timedelta(seconds=60), NIGHT + timedelta(seconds=40))
    with database.transaction(DISTRICT) as tx:
        closed = actions.close(tx, actor=desk, id=matter.id, outcome="疏导完毕", version=seen.version)
    assert (closed.state, closed.closed_by) == (MatterState.CLOSED, desk.id)
    assert kinds(database) == [MatterEvent.OPENED, MatterEvent.ACKNOWLEDGED, MatterEvent.CLOSED]


def test_opening_the_same_matter_again_changes_nothing(database: Database, make: Make) -> None:
    desk = make.actor()
    matter = opened(database, desk)
    assert opened(database, desk, id=matter.id) == matter
    assert kinds(database) == [MatterEvent.OPENED]


def test_an_id_that_was_used_for_something_else_is_no_retry(database: Database, make: Make) -> None:
    desk, note_id = make.actor(), ids.new_id()
    matter, other = opened(database, desk), opened(database, desk)
    with database.transaction(DISTRICT) as tx:
        actions.add_note(tx, actor=desk, id=matter.id, note_id=note_id, text="one")
    for differs in (
        lambda: opened(database, make.actor(), id=matter.id),
        lambda: opened(database, desk, id=matter.id, text="another"),
    ):
        with pytest.raises(RuleBroken):
            differs()
    for id, text in ((other.id, "one"), (matter.id, "two")):
        with pytest.raises(RuleBroken), database.transaction(DISTRICT) as tx:
            actions.add_note(tx, actor=desk, id=id, note_id=note_id, text=text)
    assert kinds(database) == [MatterEvent.OPENED, MatterEvent.OPENED, MatterEvent.NOTED]


def test_numbers_run_on(database: Database, make: Make) -> None:
    assert [opened(database, make.actor()).number for _ in range(3)] == [1, 2, 3]


def test_a_matter_is_given_back_and_waits_by_its_old_clock(
    database: Database, make: Make, night: MoveOn
) -> None:
    desk = make.actor()
    matter = opened(database, desk)
    with pytest.raises(RuleBroken), database.transaction(DISTRICT) as tx:
        actions.release(tx, actor=desk, id=matter.id)
    night(timedelta(seconds=30))
    with database.transaction(DISTRICT) as tx:
        actions.acknowledge(tx, actor=desk, id=matter.id)
        released = actions.release(tx, actor=desk, id=matter.id)
        (clock,) = store.list_clocks(tx.connection, DISTRICT, [matter.id])
    assert (released.state, released.acknowledged_by) == (MatterState.OPEN, None)
    assert (clock.met_at, (clock.due_at - matter.opened_at).total_seconds()) == (None, 60)
    assert kinds(database)[-2:] == [MatterEvent.ACKNOWLEDGED, MatterEvent.RELEASED]


def test_nobody_gives_back_what_somebody_else_has(database: Database, make: Make) -> None:
    first, second = make.actor(), make.actor()
    matter = opened(database, first)
    for actor in (first, second):
        with database.transaction(DISTRICT) as tx:
            assert actions.acknowledge(tx, actor=actor, id=matter.id).acknowledged_by == first.id
    with pytest.raises(RuleBroken), database.transaction(DISTRICT) as tx:
        actions.release(tx, actor=second, id=matter.id)
    assert kinds(database) == [MatterEvent.OPENED, MatterEvent.ACKNOWLEDGED]


def test_the_clocks_of_a_matter_that_is_opened_again_run_on(
    database: Database, make: Make, night: MoveOn
) -> None:
    desk, arrive = make.actor(), Due(ClockKind.ARRIVE, 300, "due.arrive", {})
    matter = opened(database, desk, due=[DUE, arrive])
    with database.transaction(DISTRICT) as tx:
        actions.acknowledge(tx, actor=desk, id=matter.id)
        store.meet_clocks(tx, matter.id, [ClockKind.ARRIVE], NIGHT)
    night(timedelta(minutes=5))
    with database.transaction(DISTRICT) as tx:
        actions.close(tx, actor=desk, id=matter.id, outcome="done")
        actions.reopen(tx, actor=desk, id=matter.id)
        clocks = {c.kind: c.met_at for c in store.list_clocks(tx.connection, DISTRICT, [matter.id])}
    assert clocks == {ClockKind.ACKNOWLEDGE: None, ClockKind.ARRIVE: NIGHT}, "what was met before stays met"


def test_a_closed_matter_takes_nothing_but_to_be_reopened(database: Database, make: Make) -> None:
    desk = make.actor()
    matter = opened(database, desk)
    with database.transaction(DISTRICT) as tx:
        closed = actions.close(tx, actor=desk, id=matter.id, outcome="done")
    for verb in (
        lambda tx: actions.acknowledge(tx, actor=desk, id=matter.id),
        lambda tx: actions.close(tx, actor=desk, id=matter.id, outcome="again"),
        lambda tx: actions.change_priority(
            tx, actor=desk, id=matter.id, priority=Priority.P1, version=closed.version
        ),
    ):
        with pytest.raises(RuleBroken), database.transaction(DISTRICT) as tx:
            verb(tx)
    with database.transaction(DISTRICT) as tx:
        assert actions.reopen(tx, actor=desk, id=matter.id).state is MatterState.OPEN
    with pytest.raises(RuleBroken), database.transaction(DISTRICT) as tx:
        actions.reopen(tx, actor=desk, id=matter.id)
    assert kinds(database) == [MatterEvent.OPENED, MatterEvent.CLOSED, MatterEvent.REOPENED]


def test_an_outcome_must_be_said(database: Database, make: Make) -> None:
    matter = opened(database, make.actor())
    with pytest.raises(BadInput), database.transaction(DISTRICT) as tx:
        actions.close(tx, actor=make.actor(), id=matter.id, outcome="  ")
    assert kinds(database) == [MatterEvent.OPENED]


def test_two_who_change_at_once_do_not_overwrite_each_other(database: Database, make: Make) -> None:
    desk = make.actor()
    matter = opened(database, desk)
    with database.transaction(DISTRICT) as tx:
        actions.change_priority(tx, actor=desk, id=matter.id, priority=Priority.P1, version=matter.version)
    for verb in (
        lambda tx: actions.change_priority(
            tx, actor=desk, id=matter.id, priority=Priority.P3, version=matter.version
        ),
        lambda tx: actions.close(tx, actor=desk, id=matter.id, outcome="x", version=matter.version),
    ):
        with pytest.raises(StaleVersion), database.transaction(DISTRICT) as tx:
            verb(tx)
    assert kinds(database) == [MatterEvent.OPENED, MatterEvent.REPRIORITISED]


def test_a_note_keeps_its_words_out_of_the_journal(database: Database, make: Make) -> None:
    desk = make.actor()
    matter = opened(database, desk)
    note_id = ids.new_id()
    for _ in range(2):
        with database.transaction(DISTRICT) as tx:
            actions.add_note(tx, actor=desk, id=matter.id, note_id=note_id, text="红衣女子")
    with database.reading([DISTRICT]) as connection:
        assert [note.text for note in store.list_notes(connection, DISTRICT, matter.id)] == ["红衣女子"]
        entries = journal.list_after(connection, DISTRICT, 0)
    assert [e.kind for e in entries] == [MatterEvent.OPENED, MatterEvent.NOTED]
    assert "红衣" not in str(entries)


def test_a_matter_that_grows_more_urgent_waits_to_be_acknowledged_again(
    database: Database, make: Make, night: MoveOn
) -> None:
    desk = make.actor()
    matter = opened(database, desk, Priority.P3)
    with database.transaction(DISTRICT) as tx:
        actions.acknowledge(tx, actor=desk, id=matter.id)
        worse = actions.retell(
            tx, actor=desk, id=matter.id, subject="matter.crowd.level", params={"level": 4}, priority=Priority.P1,
            due=[DUE],
        )  # fmt: skip
        clocks = store.list_clocks(tx.connection, DISTRICT, [matter.id])
    assert (worse.state, worse.priority, worse.acknowledged_at) == (MatterState.OPEN, Priority.P1, None)
    assert [clock.met_at is None for clock in clocks].count(True) == 1
    with database.transaction(DISTRICT) as tx:
        actions.acknowledge(tx, actor=desk, id=matter.id)
        better = actions.retell(
            tx,
            actor=desk,
            id=matter.id,
            subject="matter.crowd.level",
            params={"level": 2},
            priority=Priority.P3,
        )
    assert better.state is MatterState.ACKNOWLEDGED


def test_the_queue_is_sorted_by_urgency_then_age(database: Database, make: Make, night: MoveOn) -> None:
    desk = make.actor()
    for priority in (Priority.P3, Priority.P1, Priority.P3, Priority.P2):
        opened(database, desk, priority)
        night(timedelta(seconds=1))
    with database.reading([DISTRICT]) as connection:
        waiting = store.list_waiting(connection, desk.scope, DISTRICT)
        assert [(m.priority, m.number) for m in waiting] == [(1, 2), (2, 4), (3, 1), (3, 3)]
        assert store.count_waiting(connection, desk.scope, DISTRICT, NIGHT) == {1: 1, 2: 1, 3: 2, 4: 0}
        assert store.count_opened_since(connection, desk.scope, DISTRICT, NIGHT + timedelta(seconds=1)) == 3


def test_a_partner_sees_only_the_matters_of_the_own_body(database: Database, make: Make) -> None:
    mine, theirs = ids.new_id(), ids.new_id()
    own = opened(database, make.actor(), body_id=mine)
    other = opened(database, make.actor(), body_id=theirs)
    nobodys = opened(database, make.actor())
    partner = make.actor(Role.PARTNER, body_id=mine)
    with database.reading([DISTRICT]) as connection:
        assert [m.id for m in store.list_waiting(connection, partner.scope, DISTRICT)] == [own.id]
        assert store.get(connection, partner.scope, DISTRICT, own.id) == own
        for hidden in (other, nobodys):
            with pytest.raises(NotFound):
                store.get(connection, partner.scope, DISTRICT, hidden.id)
        assert store.list_waiting(connection, make.actor(Role.PARTNER).scope, DISTRICT) == []


def test_nobody_sees_another_district(database: Database, make: Make) -> None:
    matter = opened(database, make.actor())
    stranger = make.actor(Role.SUPERVISOR, "elsewhere")
    with database.reading(["elsewhere", DISTRICT]) as connection:
        assert store.list_waiting(connection, stranger.scope, DISTRICT) == []
        with pytest.raises(NotFound):
            store.get(connection, stranger.scope, DISTRICT, matter.id)
    if not database.is_sqlite:
        with database.reading(["elsewhere"]) as connection:  # row-level security says it once more
            assert list(connection.execute(store.matters_table.select())) == []


@pytest.mark.parametrize(
    "role", [Role.PATROL, Role.VOLUNTEER, Role.PARTNER, Role.MEDIATOR, Role.WALL, Role.FEED, Role.ADMIN]
)
def test_only_the_desk_acts_on_matters(database: Database, make: Make, role: Role) -> None:
    matter = opened(database, make.actor())
    actor = make.actor(role)
    for verb in (
        lambda tx: actions.acknowledge(tx, actor=actor, id=matter.id),
        lambda tx: actions.release(tx, actor=actor, id=matter.id),
        lambda tx: actions.close(tx, actor=actor, id=matter.id, outcome="x"),
        lambda tx: actions.reopen(tx, actor=actor, id=matter.id),
        lambda tx: actions.add_note(tx, actor=actor, id=matter.id, note_id=ids.new_id(), text="x"),
        lambda tx: actions.change_priority(tx, actor=actor, id=matter.id, priority=Priority.P1, version=1),
    ):
        with pytest.raises(NotAllowed), database.transaction(DISTRICT) as tx:
            verb(tx)
    with pytest.raises(NotAllowed):
        opened(database, actor)
    assert kinds(database) == [MatterEvent.OPENED]


@pytest.mark.parametrize("kind", [MatterKind.INCIDENT, MatterKind.LOOKOUT])
def test_what_ends_by_a_verb_of_its_own_is_neither_closed_nor_reopened_from_the_queue(
    database: Database, make: Make, kind: MatterKind
) -> None:
    desk = make.actor()
    matter = opened(database, desk, kind=kind)
    with database.transaction(DISTRICT) as tx, pytest.raises(RuleBroken) as refused:
        actions.settle(tx, actor=desk, id=matter.id, outcome="x", version=matter.version)
    assert refused.value.code == f"matter.{kind}"
    with database.transaction(DISTRICT) as tx:
        actions.close(tx, actor=desk, id=matter.id, outcome="by its own verb")
    with database.transaction(DISTRICT) as tx, pytest.raises(RuleBroken) as refused:
        actions.unsettle(tx, actor=desk, id=matter.id)
    assert refused.value.code == f"matter.{kind}"
    with database.reading([DISTRICT]) as connection:
        assert store.matters.get(connection, DISTRICT, matter.id).state is MatterState.CLOSED
