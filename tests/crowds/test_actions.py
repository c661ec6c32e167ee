"""What is done about a crowd: each verb writes its entry, each refusal writes nothing, one episode is one matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import ENGINE, crossed, head, kinds, line

from anshang.crowds import actions, alarms, store
from anshang.crowds.model import (
    MOVING,
    Cause,
    Crossing,
    CrowdKind,
    FaultReason,
    FlowChange,
    Level,
    LevelRules,
    SensorChange,
)
from anshang.foundation import ids
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, Refusal, RuleBroken, StaleVersion
from anshang.journal import store as journal
from anshang.people.model import Role, operator_actor

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]


def test_a_person_confirms_level_4_and_lets_it_fall(district: Database, make: Make) -> None:
    desk = make.actor()
    crossed(district, 2, 3, pending=4)
    with district.transaction(DISTRICT) as tx:
        assert actions.confirm_level(tx, actor=desk, zone_id="z1").confirmed
        assert actions.confirm_level(tx, actor=desk, zone_id="z1").confirmed
    with pytest.raises(RuleBroken), district.transaction(DISTRICT) as tx:
        actions.lower_level(tx, actor=desk, zone_id="z1")
    crossed(district, 3, 4)
    with district.transaction(DISTRICT) as tx:
        assert actions.lower_level(tx, actor=desk, zone_id="z1").may_fall
        assert actions.lower_level(tx, actor=desk, zone_id="z1").may_fall
    crossed(district, 4, 3)
    with district.reading([DISTRICT]) as connection:
        (state,) = store.list_zone_states(connection, DISTRICT)
    assert (state.level, state.confirmed, state.may_fall) == (Level.ALERT, False, False)
    told = kinds(district)
    assert (told.count(CrowdKind.LEVEL_CONFIRMED), told.count(CrowdKind.LEVEL_LOWERED)) == (1, 1)


@pytest.mark.parametrize(("zone", "refusal"), [("z1", RuleBroken), ("z2", RuleBroken), ("nowhere", NotFound)])
def test_only_a_level_4_that_waits_can_be_confirmed(
    district: Database, make: Make, zone: str, refusal: type[Refusal]
) -> None:
    crossed(district, 2, 3)
    with pytest.raises(refusal), district.transaction(DISTRICT) as tx:
        actions.confirm_level(tx, actor=make.actor(), zone_id=zone)
    assert CrowdKind.LEVEL_CONFIRMED not in kinds(district)


def test_what_a_person_confirmed_ends_with_its_episode(district: Database, make: Make) -> None:
    for _ in range(2):
        crossed(district, 2, 3, pending=4)
        with district.transaction(DISTRICT) as tx:
            assert actions.confirm_level(tx, actor=make.actor(), zone_id="z1").confirmed
        crossed(district, 3, 3)  # it was never reached
        with pytest.raises(RuleBroken), district.transaction(DISTRICT) as tx:
            actions.confirm_level(tx, actor=make.actor(), zone_id="z1")
    assert kinds(district).count(CrowdKind.LEVEL_CONFIRMED) == 2


def test_a_crowd_that_rises_again_must_be_let_fall_again(district: Database, make: Make) -> None:
    crossed(district, 3, 4)
    for _ in range(2):
        with district.transaction(DISTRICT) as tx:
            assert actions.lower_level(tx, actor=make.actor(), zone_id="z1").may_fall
        crossed(district, 4, 4)
        with district.reading([DISTRICT]) as connection:
            (state,) = store.list_zone_states(connection, DISTRICT)
        assert (state.level, state.may_fall) == (Level.SERIOUS, False)
    assert kinds(district).count(CrowdKind.LEVEL_HELD) == 2
    assert kinds(district).count(CrowdKind.LEVEL_LOWERED) == 2


def test_a_measure_is_kept_with_the_density_before_and_after(
    district: Database, make: Make, night: MoveOn
) -> None:
    desk, id = make.actor(), ids.new_id()
    matter = crossed(district, 0, 3)
    assert matter is not None
    for _ in range(2):
        with district.transaction(DISTRICT) as tx:
            actions.take_measure(
                tx, actor=desk, id=id, zone_id="z1", matter_id=matter.id, step="inflow.control", note="", density=3.2
            )  # fmt: skip
    with district.reading([DISTRICT]) as connection:
        assert store.list_measures_to_judge(connection, DISTRICT, NIGHT - timedelta(seconds=1)) == []
        (due,) = store.list_measures_to_judge(connection, DISTRICT, NIGHT)
    night(timedelta(minutes=15))
    with district.transaction(DISTRICT) as tx:
        actions.judge_measure(tx, actor=ENGINE, id=due.id, density=2.1)
    with district.reading([DISTRICT]) as connection:
        (kept,) = store.list_measures(connection, DISTRICT, "z1")
        assert store.list_measures_to_judge(connection, DISTRICT, NIGHT + timedelta(hours=1)) == []
    assert (kept.density_before, kept.density_after, kept.taken_by) == (3.2, 2.1, desk.id)
    assert kinds(district)[-2:] == [CrowdKind.MEASURE_TAKEN, CrowdKind.MEASURE_JUDGED]


@pytest.mark.parametrize(
    ("expected", "after", "cause"),
    [
        ((2.0, 1.8, 2.2), 1.5, Cause.MEASURE),
        ((2.0, 1.8, 2.2), 2.0, Cause.CLOCK),
        ((2.0, 1.8, 2.2), 2.6, Cause.DESPITE),
        ((2.0, 1.8, 2.2), None, None),
        (None, 1.5, None),
    ],
)
def test_what_a_measure_did_is_told_beside_what_was_expected_without_it(
    district: Database,
    make: Make,
    expected: tuple[float, float, float] | None,
    after: float | None,
    cause: Cause | None,
) -> None:
    with district.transaction(DISTRICT) as tx:
        taken = actions.take_measure(
            tx, actor=make.actor(), id=ids.new_id(), zone_id="z1", matter_id=None, step="inflow.control", note="",
            density=3.0, expected=expected,
        )  # fmt: skip
        assert taken.cause is None
        judged = actions.judge_measure(tx, actor=ENGINE, id=taken.id, density=after)
        entry = journal.list_before(tx.connection, [DISTRICT], kind="measure.judged", limit=1)[0]
    assert judged.cause is cause
    assert entry.details["cause"] == (None if cause is None else str(cause))
    assert entry.details["expected"] == (None if expected is None else 2.0)


def test_an_id_that_was_used_for_something_else_is_no_retry(district: Database, make: Make) -> None:
    desk, id = make.actor(), ids.new_id()

    def take(zone: str, note: str) -> None:
        with district.transaction(DISTRICT) as tx:
            actions.take_measure(
                tx, actor=desk, id=id, zone_id=zone, matter_id=None, step=None, note=note, density=1.0
            )

    def count(zone: str, people: int) -> None:
        with district.transaction(DISTRICT) as tx:
            actions.count_by_person(tx, actor=desk, id=id, zone_id=zone, people_count=people, error_share=0.1)

    take("z1", "ropes")
    take("z1", "ropes")
    count("z1", 900)
    count("z1", 900)
    for differs in (
        lambda: take("z2", "ropes"),
        lambda: take("z1", "lamps"),
        lambda: count("z2", 900),
        lambda: count("z1", 901),
    ):
        with pytest.raises(RuleBroken):
            differs()
    assert kinds(district) == [CrowdKind.MEASURE_TAKEN, CrowdKind.ZONE_COUNTED]


def test_a_measure_must_say_what_was_done_and_where(district: Database, make: Make) -> None:
    told = {"id": ids.new_id(), "zone_id": "z1", "matter_id": None, "step": None, "note": "", "density": None}
    refused: list[tuple[dict[str, object], type[Refusal]]] = [
        ({}, BadInput),
        ({"step": "search.bags"}, BadInput),
        ({"step": "signs.on", "zone_id": "z9"}, NotFound),
        ({"step": "signs.on", "matter_id": ids.new_id()}, NotFound),
    ]
    for changes, kind in refused:
        with pytest.raises(kind), district.transaction(DISTRICT) as tx:
            actions.take_measure(tx, actor=make.actor(), **(told | changes))  # type: ignore[arg-type]
    assert kinds(district) == []


def test_a_count_by_eye_is_kept_once(district: Database, make: Make, night: MoveOn) -> None:
    desk, id = make.actor(), ids.new_id()
    for _ in range(2):
        with district.transaction(DISTRICT) as tx:
            actions.count_by_person(tx, actor=desk, id=id, zone_id="z1", people_count=900, error_share=0.1)
    with district.reading([DISTRICT]) as connection:
        (count,) = store.list_person_counts(connection, DISTRICT, NIGHT)
        assert store.list_person_counts(connection, DISTRICT, NIGHT + timedelta(seconds=1)) == []
    assert count.people_count == 900
    assert kinds(district) == [CrowdKind.ZONE_COUNTED]


def test_a_sensor_is_defined_changed_and_retired(district: Database) -> None:
    admin, sensor = operator_actor(DISTRICT), line("g1")
    with district.transaction(DISTRICT) as tx:
        assert actions.define_sensor(tx, actor=admin, sensor=sensor) == sensor
        assert actions.define_sensor(tx, actor=admin, sensor=sensor) == sensor
        slower = actions.define_sensor(tx, actor=admin, sensor=replace(sensor, period_s=60.0))
    assert slower.version == 2
    with pytest.raises(StaleVersion), district.transaction(DISTRICT) as tx:
        actions.define_sensor(tx, actor=admin, sensor=replace(sensor, period_s=30.0))
    for _ in range(2):
        with district.transaction(DISTRICT) as tx:
            assert actions.retire_sensor(tx, actor=admin, id="g1").retired_at is not None
    with district.reading([DISTRICT]) as connection:
        assert store.list_sensors(connection, DISTRICT) == []
        assert len(store.list_sensors(connection, DISTRICT, retired=True)) == 1
    assert kinds(district) == [CrowdKind.SENSOR_DEFINED] * 2 + [CrowdKind.SENSOR_RETIRED]


def test_a_sensor_that_cannot_be_is_refused(district: Database) -> None:
    wrong = [
        (replace(line("g1"), zone_id="z1"), BadInput),
        (replace(line("g1"), gate_id=None), BadInput),
        (replace(head("z1"), gate_id="g1"), BadInput),
        (replace(line("g1"), period_s=0.0), BadInput),
        (replace(head("z1"), share_seen=0.0), BadInput),
        (replace(line("g1"), id="Not a code"), BadInput),
        (line("g99"), NotFound),
        (head("z99"), NotFound),
    ]
    for sensor, kind in wrong:
        with pytest.raises(kind), district.transaction(DISTRICT) as tx:
            actions.define_sensor(tx, actor=operator_actor(DISTRICT), sensor=sensor)
    assert kinds(district) == []


def test_level_rules_are_set_and_reset(district: Database) -> None:
    own = LevelRules((0.5, 1.0, 1.5, 2.0), (0.4, 0.8, 1.2, 1.6))

    def change(applies_to: str, rules: LevelRules | None, edition: str) -> None:
        with district.transaction(DISTRICT) as tx:
            admin = operator_actor(DISTRICT)
            actions.change_levels(tx, actor=admin, applies_to=applies_to, rules=rules, edition=edition)

    change("z1", own, "")
    change("*moving", MOVING, "")
    with district.reading([DISTRICT]) as connection:
        assert store.list_rules(connection, DISTRICT) == {"z1": own, "*moving": MOVING}
    for edition in ("", MOVING.edition):  # somebody who saw no rule here, or another one
        with pytest.raises(StaleVersion):
            change("z1", None, edition)
    change("z1", None, own.edition)
    with district.reading([DISTRICT]) as connection:
        assert set(store.list_rules(connection, DISTRICT)) == {"*moving"}
    for applies_to, rules, kind in (("z9", own, NotFound), ("z1", replace(own, falls=own.rises), BadInput)):
        with pytest.raises(kind):
            change(applies_to, rules, "")
    assert kinds(district) == [CrowdKind.LEVELS_CHANGED] * 3


VERBS: dict[str, Callable[[Transaction, object], object]] = {
    "measure": lambda tx, actor: actions.take_measure(
        tx, actor=actor, id=ids.new_id(), zone_id="z1", matter_id=None, step="signs.on", note="", density=None
    ),
    "judge": lambda tx, actor: actions.judge_measure(tx, actor=actor, id=ids.new_id(), density=None),
    "count": lambda tx, actor: actions.count_by_person(
        tx, actor=actor, id=ids.new_id(), zone_id="z1", people_count=1, error_share=0.1
    ),
    "confirm": lambda tx, actor: actions.confirm_level(tx, actor=actor, zone_id="z1"),
    "lower": lambda tx, actor: actions.lower_level(tx, actor=actor, zone_id="z1"),
    "define": lambda tx, actor: actions.define_sensor(tx, actor=actor, sensor=line("g1")),
    "retire": lambda tx, actor: actions.retire_sensor(tx, actor=actor, id="g1"),
    "levels": lambda tx, actor: actions.change_levels(
        tx, actor=actor, applies_to="z1", rules=None, edition=""
    ),
    "cross": lambda tx, actor: alarms.cross_level(
        tx, actor=actor, crossing=Crossing("z1", Level(0), Level(2), None, 2.0, 1)
    ),
    "flow": lambda tx, actor: alarms.change_flow(tx, actor=actor, change=FlowChange("g1", True, 70)),
    "sensor": lambda tx, actor: alarms.change_sensor(
        tx, actor=actor, change=SensorChange("g1", (), FaultReason.SILENT, True)
    ),
}  # type: ignore[dict-item]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_those_who_only_look_change_nothing(district: Database, make: Make, verb: str) -> None:
    for role in (Role.VOLUNTEER, Role.PARTNER, Role.MEDIATOR, Role.WALL, Role.FEED):
        with pytest.raises(NotAllowed), district.transaction(DISTRICT) as tx:
            VERBS[verb](tx, make.actor(role))
    assert kinds(district) == []
