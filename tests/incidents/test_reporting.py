"""Incidents from the call to the end: one action, one entry; what is refused changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.incidents.conftest import INSIDE, act, kinds, page_of, reported

from anshang.foundation import clock, ids
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, Refusal, RuleBroken, StaleVersion
from anshang.incidents import actions, category_actions, reading, store
from anshang.incidents.categories import Category
from anshang.incidents.model import IncidentKind, LinkKind, Source, Spot, Step
from anshang.journal import store as journal
from anshang.journal.model import EVERYWHERE
from anshang.matters import actions as matter_actions
from anshang.matters import store as matters
from anshang.matters.model import ClockKind, MatterState, Priority
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]


def body_of(database: Database) -> str:
    id = ids.new_id()
    with database.transaction(EVERYWHERE) as tx:
        people.register_body(tx, actor=operator_actor(DISTRICT), id=id, name_zh="物业", name_en="Property")
    return id


def test_a_report_waits_in_the_queue_with_its_clocks_and_the_reasons(
    district: Database, make: Make, night: MoveOn
) -> None:
    called = NIGHT - timedelta(seconds=20)
    incident = reported(district, make.actor(), category_id="lost_person", called_at=called)
    with district.reading([DISTRICT]) as connection:
        (matter,) = matters.list_waiting(connection, make.actor().scope, DISTRICT)
        clocks = {c.kind: c for c in matters.list_clocks(connection, DISTRICT, [matter.id])}
    assert (matter.id, str(matter.kind), matter.priority) == (incident.id, "incident", Priority.P2)
    assert (matter.text, matter.params["name_en"], matter.zone_id) == ("孩子走丢了", "Lost person", "z1")
    assert clocks[ClockKind.ACKNOWLEDGE].due_at == NIGHT + timedelta(seconds=60)
    assert clocks[ClockKind.ARRIVE].due_at == called + timedelta(seconds=300), "from the call, not from now"
    assert clocks[ClockKind.ARRIVE].because == "due.arrive"
    page = page_of(district, make, incident.id)
    assert page.spans_s["answer"] == 20
    assert list(page.at) == ["call", "answered", "classified"]
    assert kinds(district) == ["matter.opened", IncidentKind.REPORTED]


def test_a_suggestion_stands_beside_the_choice_and_never_overwrites_it(
    district: Database, make: Make
) -> None:
    chosen = reported(district, make.actor(), category_id="help")
    assert (chosen.category_id, chosen.suggested_id) == ("help", "lost_person")
    open_one = reported(district, make.actor(), text="没什么")
    assert (open_one.category_id, open_one.suggested_id) == (None, None)
    page = page_of(district, make, reported(district, make.actor()).id)
    assert page.category is None
    assert page.grounds.suggestion is not None
    assert page.grounds.suggestion.words == ["走丢"]


def test_the_place_is_completed_from_what_is_known(district: Database, make: Make) -> None:
    lon, lat = INSIDE
    at_point = reported(district, make.actor(), spot=Spot(lon, lat))
    at_shop = reported(district, make.actor(), spot=Spot(premises_id="p1", words="后门"))
    outside = reported(district, make.actor(), spot=Spot(0.0, 0.0))
    assert (at_point.zone_id, outside.zone_id) == ("z0", None)
    assert (at_shop.zone_id, at_shop.lon, at_shop.place_words) == ("z0", pytest.approx(lon), "后门")


def test_the_same_report_again_answers_with_the_first(district: Database, make: Make) -> None:
    desk, id = make.actor(), ids.new_id()
    assert reported(district, desk, id=id) == reported(district, desk, id=id)
    assert kinds(district) == ["matter.opened", IncidentKind.REPORTED]
    with pytest.raises(RuleBroken):
        reported(district, desk, id=id, text="something else")


def test_our_own_people_answer_no_call(district: Database, make: Make) -> None:
    found = reported(district, make.actor(Role.PATROL), source=Source.PATROL, category_id="hazard")
    assert list(page_of(district, make, found.id).at) == ["call", "classified"]


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"category_id": "nothing"}, NotFound),
        ({"spot": Spot(zone_id="z9")}, NotFound),
        ({"spot": Spot(premises_id="p9")}, NotFound),
        ({"called_at": NIGHT - timedelta(hours=25)}, BadInput),
    ],
)
def test_a_report_that_cannot_be_is_refused_and_nothing_is_kept(
    district: Database, make: Make, night: MoveOn, told: dict[str, Any], kind: type[Refusal]
) -> None:
    with pytest.raises(kind):
        reported(district, make.actor(), **told)
    assert kinds(district) == []


def test_a_class_changes_the_priority_and_the_clocks_but_only_the_first_is_a_step(
    district: Database, make: Make, night: MoveOn
) -> None:
    desk, incident = make.actor(), reported(district, make.actor(), text="")
    night(timedelta(seconds=40))
    told = {"actor": desk, "id": incident.id}
    first = act(district, actions.classify, **told, category_id="fight", priority=None, version=1)
    night(timedelta(seconds=5))
    act(district, actions.classify, **told, category_id="fight.weapon", priority=None, version=first.version)
    with district.reading([DISTRICT]) as connection:
        (matter,) = matters.list_waiting(connection, desk.scope, DISTRICT)
        clocks = {c.kind: c for c in matters.list_clocks(connection, DISTRICT, [matter.id])}
    assert (matter.priority, matter.params["category"]) == (Priority.P1, "fight.weapon")
    assert clocks[ClockKind.ARRIVE].due_at == NIGHT + timedelta(seconds=180)
    page = page_of(district, make, incident.id)
    assert page.at["classified"] == NIGHT + timedelta(seconds=40)
    with pytest.raises(StaleVersion):
        act(district, actions.classify, **told, category_id="fire", priority=None, version=1)


def test_answers_are_kept_in_the_incident_and_their_words_not_in_the_journal(
    district: Database, make: Make
) -> None:
    desk, incident = make.actor(), reported(district, make.actor(), category_id="lost_person")
    told = {"actor": desk, "id": incident.id}
    asked = act(district, actions.question, **told, answers={"age": "6"}, version=1)
    both = act(district, actions.question, **told, answers={"wearing": "红衣"}, version=asked.version)
    assert both.answers == {"age": "6", "wearing": "红衣"}
    with pytest.raises(BadInput):
        act(district, actions.question, **told, answers={"weapon": "yes"}, version=both.version)
    with district.reading([DISTRICT]) as connection:
        entries = journal.list_of_subject(connection, DISTRICT, [incident.id])
    assert kinds(district).count(IncidentKind.QUESTIONED) == 2
    assert entries[-1].details == {"questions": ["wearing"]}
    assert all("红衣" not in str(entry) and "走丢" not in str(entry) for entry in entries)


def test_it_is_moved_to_where_it_is(district: Database, make: Make) -> None:
    desk, incident = make.actor(), reported(district, make.actor())
    told = {"actor": desk, "id": incident.id, "version": 1}
    moved = act(district, actions.locate, **told, spot=Spot(premises_id="p1"))
    with district.reading([DISTRICT]) as connection:
        (matter,) = matters.list_waiting(connection, desk.scope, DISTRICT)
    assert (moved.zone_id, matter.zone_id) == ("z0", "z0")


def test_clearing_closes_the_matter_and_its_duplicates(district: Database, make: Make, night: MoveOn) -> None:
    desk = make.actor()
    first, second, apart = (reported(district, desk) for _ in range(3))
    link = {"actor": desk, "incident_id": second.id, "other_id": first.id}
    id = ids.new_id()
    for _ in range(2):
        act(district, actions.link, **link, id=id, kind=LinkKind.DUPLICATE)
    with pytest.raises(RuleBroken):
        act(district, actions.link, **link, id=ids.new_id(), kind=LinkKind.RELATED)
    with pytest.raises(RuleBroken):
        act(
            district, actions.link, **(link | {"other_id": second.id}), id=ids.new_id(), kind=LinkKind.RELATED
        )
    night(timedelta(minutes=10))
    act(district, actions.clear, actor=desk, id=first.id, outcome="found", version=1)
    with district.reading([DISTRICT]) as connection:
        waiting = matters.list_waiting(connection, desk.scope, DISTRICT)
        closed = {m.id: m.outcome for m in matters.list_closed(connection, desk.scope, DISTRICT, 10)}
    assert [matter.id for matter in waiting] == [apart.id]
    assert closed == {first.id: "found", second.id: actions.OUTCOME_DUPLICATE}
    page = page_of(district, make, first.id)
    assert (page.spans_s["total"], page.links[0].repeats) == (600, False)
    assert page_of(district, make, second.id).links[0].repeats


def test_what_is_opened_again_is_over_only_when_it_is(district: Database, make: Make, night: MoveOn) -> None:
    desk, incident = make.actor(), reported(district, make.actor())
    act(district, actions.clear, actor=desk, id=incident.id, outcome="done", version=1)
    again = act(district, actions.reopen, actor=desk, id=incident.id)
    assert page_of(district, make, incident.id).spans_s["total"] is None
    night(timedelta(minutes=30))
    act(district, actions.clear, actor=desk, id=incident.id, outcome="done", version=again.version)
    assert page_of(district, make, incident.id).spans_s["total"] == 1800


def test_a_threat_to_life_is_not_closed_with_nobody_there_unless_a_person_insists(
    district: Database, make: Make
) -> None:
    desk = make.actor()
    told: dict[str, Any] = {"actor": desk, "outcome": "现场处置", "version": 1}
    hurt = reported(district, desk, category_id="injury")
    with pytest.raises(RuleBroken) as refused:
        act(district, actions.clear, id=hurt.id, insist=False, **told)
    assert refused.value.code == "incident.nobody_there"
    act(district, actions.clear, id=hurt.id, insist=True, **told)
    seen = reported(district, desk, category_id="injury")
    step = {"id": ids.new_id(), "incident_id": seen.id, "step": Step.ON_SCENE, "at": clock.now()}
    act(district, actions.mark, actor=desk, **step)
    act(district, actions.clear, id=seen.id, insist=False, **told)
    act(district, actions.clear, id=reported(district, desk, category_id="help").id, insist=False, **told)


def test_a_minor_incident_does_not_close_a_threat_to_life_that_repeats_it(
    district: Database, make: Make
) -> None:
    desk = make.actor()
    told: dict[str, Any] = {"actor": desk, "outcome": "现场处置", "version": 1}
    minor, grave = reported(district, desk), reported(district, desk, category_id="injury")
    link = {"incident_id": grave.id, "other_id": minor.id, "kind": LinkKind.DUPLICATE}
    act(district, actions.link, actor=desk, id=ids.new_id(), **link)
    with pytest.raises(RuleBroken) as refused:
        act(district, actions.clear, id=minor.id, insist=False, **told)
    assert refused.value.code == "incident.nobody_there"
    step = {"id": ids.new_id(), "incident_id": minor.id, "step": Step.ON_SCENE, "at": clock.now()}
    act(district, actions.mark, actor=desk, **step)
    act(district, actions.clear, id=minor.id, insist=False, **told)
    with district.reading([DISTRICT]) as connection:
        assert matters.list_waiting(connection, desk.scope, DISTRICT) == []


def test_a_desk_whose_clock_is_ahead_reports_all_the_same(
    district: Database, make: Make, night: MoveOn
) -> None:
    told = reported(district, make.actor(), category_id="injury", called_at=NIGHT + timedelta(seconds=8))
    assert told.called_at == NIGHT


def test_what_was_none_is_cancelled_and_takes_no_part(district: Database, make: Make) -> None:
    desk, incident = make.actor(), reported(district, make.actor())
    cancelled = act(district, actions.cancel, actor=desk, id=incident.id, reason="", version=1)
    assert cancelled.cancelled
    assert page_of(district, make, reported(district, desk).id).grounds.near == []


def test_what_may_be_the_same_is_named_with_its_reason(district: Database, make: Make, night: MoveOn) -> None:
    desk, (lon, lat) = make.actor(), INSIDE
    far = reported(district, desk, spot=Spot(lon + 0.01, lat))
    near = reported(district, desk, spot=Spot(lon + 0.0003, lat), category_id="lost_person")
    zone = reported(district, desk, spot=Spot(zone_id="z0"), category_id="lost_person")
    reported(district, desk, spot=Spot(zone_id="z0"), category_id="fire")
    reported(district, desk, spot=Spot(lon + 0.0003, lat), category_id="theft")
    beside = reported(district, desk, spot=Spot(lon + 0.0002, lat), text="?")
    reported(district, desk, spot=Spot(lon + 0.001, lat), text="?")
    night(timedelta(minutes=2))
    with district.reading([DISTRICT]) as connection:
        told = reading.grounds(connection, desk, DISTRICT, "走丢", Spot(lon, lat, "z0"))
    assert [one.id for one in told.near] == [near.id, zone.id, beside.id]
    assert (told.near[0].apart_m, told.near[0].apart_s) == (pytest.approx(29, abs=1), 120)
    assert [one.same_category for one in told.near] == [True, True, False]
    assert far.id not in [one.id for one in told.near]
    night(timedelta(minutes=31))
    with district.reading([DISTRICT]) as connection:
        assert reading.grounds(connection, desk, DISTRICT, "走丢", Spot(lon, lat, "z0")).near == []


def test_premises_remember_what_happened_there_but_no_drill(district: Database, make: Make) -> None:
    desk, shop = make.actor(), Spot(premises_id="p1")
    for category_id in ("theft.pickpocket", "theft", "dispute"):
        reported(district, desk, spot=shop, category_id=category_id)
    reported(district, desk, spot=shop, category_id="fire", drill=True)
    with district.reading([DISTRICT]) as connection:
        told = reading.grounds(connection, desk, DISTRICT, "", shop)
    assert told.at_premises == {"theft": 2, "dispute": 1}


def test_another_body_takes_it_over_once_it_agrees(district: Database, make: Make) -> None:
    desk, incident, body = make.actor(), reported(district, make.actor()), body_of(district)
    told = {"actor": desk, "incident_id": incident.id, "to_body_id": body, "reason": "theirs"}
    first = act(district, actions.offer, **told, id=ids.new_id())
    with pytest.raises(RuleBroken):
        act(district, actions.offer, **told, id=ids.new_id())
    partner = make.actor(Role.PARTNER, body_id=body)
    stranger = make.actor(Role.PARTNER, body_id=ids.new_id())
    with pytest.raises(NotAllowed):
        act(
            district,
            actions.answer_offer,
            actor=make.actor(Role.PATROL),
            id=first.id,
            accepted=True,
            words="",
        )
    with pytest.raises(NotFound):
        act(district, actions.answer_offer, actor=stranger, id=first.id, accepted=True, words="")
    act(district, actions.answer_offer, actor=partner, id=first.id, accepted=False, words="closed today")
    second = act(district, actions.offer, **told, id=ids.new_id())
    act(district, actions.answer_offer, actor=partner, id=second.id, accepted=True, words="")
    with district.reading([DISTRICT]) as connection:
        (matter,) = matters.list_waiting(connection, partner.scope, DISTRICT)
        assert [t.accepted for t in store.list_transfers(connection, DISTRICT, incident.id)] == [False, True]
    assert (matter.id, matter.body_id) == (incident.id, body)
    assert [kind for kind in kinds(district) if kind.startswith("transfer")] == [
        "transfer.offered", "transfer.refused", "transfer.offered", "transfer.accepted",
    ]  # fmt: skip


def test_a_body_that_does_not_exist_is_offered_nothing(district: Database, make: Make) -> None:
    incident = reported(district, make.actor())
    told = {"actor": make.actor(), "incident_id": incident.id, "reason": "x", "to_body_id": ids.new_id()}
    with pytest.raises(NotFound):
        act(district, actions.offer, **told, id=ids.new_id())


def test_a_category_is_changed_and_retired_and_incidents_keep_its_words(
    district: Database, make: Make
) -> None:
    admin, desk = operator_actor(DISTRICT), make.actor()
    own = Category(
        "busking", "卖艺", "Busking", Priority.P4, 1200.0, parent_id="nuisance", keywords=("卖艺",)
    )
    for _ in range(2):
        act(district, category_actions.define_category, actor=admin, category=own)
    incident = reported(district, desk, text="有人卖艺", category_id="busking")
    assert incident.suggested_id == "busking"
    for _ in range(2):
        assert act(district, category_actions.retire_category, actor=admin, id="busking").retired
    with pytest.raises(NotFound):
        reported(district, desk, category_id="busking")
    with district.reading([DISTRICT]) as connection:
        (matter,) = matters.list_waiting(connection, desk.scope, DISTRICT)
    assert matter.params["name_zh"] == "卖艺"
    page = page_of(district, make, incident.id)
    assert page.category is not None
    assert page.category.retired
    with pytest.raises(RuleBroken):
        act(district, category_actions.retire_category, actor=admin, id="theft")
    with pytest.raises(NotFound):
        act(district, category_actions.retire_category, actor=admin, id="nothing")
    back = act(district, category_actions.define_category, actor=admin, category=own)
    assert not back.retired
    assert [kind for kind in kinds(district) if kind.startswith("category")] == [
        "category.defined", "category.retired", "category.defined",
    ]  # fmt: skip


def test_a_drill_is_marked_as_one_in_every_entry(district: Database, make: Make) -> None:
    desk, drill = make.actor(), reported(district, make.actor(), drill=True)
    act(district, actions.clear, actor=desk, id=drill.id, outcome="over", version=1)
    with district.reading([DISTRICT]) as connection:
        entries = journal.list_of_subject(connection, DISTRICT, [drill.id])
    assert entries
    assert all(entry.drill for entry in entries)


def test_two_desks_that_change_one_incident_lose_no_change(district: Database, make: Make) -> None:
    incident, told = reported(district, make.actor(), category_id="lost_person"), []

    def answer(key: str) -> None:
        try:
            act(district, actions.question, actor=make.actor(), id=incident.id, answers={key: "x"}, version=1)
            told.append("kept")
        except StaleVersion:
            told.append("stale")

    threads = [threading.Thread(target=answer, args=(key,)) for key in ("age", "wearing")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["kept", "stale"]


VERBS: dict[str, Callable[[Transaction, Any, str], object]] = {
    "classify": lambda tx, a, id: actions.classify(
        tx, actor=a, id=id, category_id="fire", priority=None, version=1
    ),
    "locate": lambda tx, a, id: actions.locate(tx, actor=a, id=id, spot=Spot(), version=1),
    "question": lambda tx, a, id: actions.question(tx, actor=a, id=id, answers={}, version=1),
    "mark": lambda tx, a, id: actions.mark(
        tx, actor=a, id=ids.new_id(), incident_id=id, step=Step.MOVING, at=clock.now()
    ),
    "clear": lambda tx, a, id: actions.clear(tx, actor=a, id=id, outcome="x", version=1),
    "cancel": lambda tx, a, id: actions.cancel(tx, actor=a, id=id, reason="x", version=1),
    "reopen": lambda tx, a, id: actions.reopen(tx, actor=a, id=id),
    "link": lambda tx, a, id: actions.link(
        tx, actor=a, id=ids.new_id(), incident_id=id, other_id=id, kind=LinkKind.RELATED
    ),
    "offer": lambda tx, a, id: actions.offer(
        tx, actor=a, id=ids.new_id(), incident_id=id, to_body_id="b", reason="x"
    ),
    "define": lambda tx, a, _: category_actions.define_category(
        tx, actor=a, category=Category("x", "甲", "x", Priority.P4, 600.0)
    ),
    "retire": lambda tx, a, _: category_actions.retire_category(tx, actor=a, id="other"),
}


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_those_who_only_report_or_look_change_nothing(district: Database, make: Make, verb: str) -> None:
    incident = reported(district, make.actor())
    before = kinds(district)
    for role in (Role.VOLUNTEER, Role.PATROL, Role.PARTNER, Role.MEDIATOR, Role.WALL, Role.FEED):
        with pytest.raises(NotAllowed), district.transaction(DISTRICT) as tx:
            VERBS[verb](tx, make.actor(role), incident.id)
    assert kinds(district) == before


@pytest.mark.parametrize("role", [Role.MEDIATOR, Role.WALL, Role.FEED, Role.ADMIN])
def test_who_may_not_report_does_not(district: Database, make: Make, role: Role) -> None:
    with pytest.raises(NotAllowed):
        reported(district, make.actor(role))


def test_a_matter_of_an_incident_is_closed_like_any_other(district: Database, make: Make) -> None:
    """The desk's own button: the incident is over, the end that nobody told is missing."""
    desk, incident = make.actor(), reported(district, make.actor())
    with district.transaction(DISTRICT) as tx:
        matter = matter_actions.close(tx, actor=desk, id=incident.id, outcome="done")
    assert matter.state is MatterState.CLOSED
    assert "cleared" in page_of(district, make, incident.id).missing
