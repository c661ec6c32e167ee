"""What people do about a crowd: confirm a level and let it fall, take measures and judge them, change sensors
and rules.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from anshang.crowds import store
from anshang.crowds.cards import STEPS
from anshang.crowds.model import (
    CrowdKind,
    Level,
    LevelRules,
    Measure,
    PersonCount,
    Sensor,
    ZoneState,
)
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken, StaleVersion
from anshang.foundation.lines import check_changed_names
from anshang.journal import actions as journal
from anshang.matters import store as matters_store
from anshang.places import store as places
from anshang.places.model import Place

EFFECT_AFTER = timedelta(minutes=15)


def confirm_level(tx: Transaction, *, actor: Actor, zone_id: str) -> ZoneState:
    """A person confirms that level 4, which waits for it, is real; RuleBroken when none waits there."""
    actor.must(Permission.CROWD_CONFIRM, tx.district_id)
    state = _state(tx, zone_id)
    if state.confirmed:
        return state
    if state.pending is None:
        raise RuleBroken(
            "level.not_pending",
            en="No level 4 waits to be confirmed here.",
            zh="此处没有待确认的 4 级（严重）。",
        )
    confirmed = store.zone_states.put(tx, replace(state, confirmed=True))
    journal.record(tx, actor_id=actor.id, kind=CrowdKind.LEVEL_CONFIRMED, subject_id=zone_id)
    return confirmed


def lower_level(tx: Transaction, *, actor: Actor, zone_id: str) -> ZoneState:
    """A person allows level 4 to fall once the density has been low for long enough; RuleBroken below
    level 4.
    """
    actor.must(Permission.CROWD_CONFIRM, tx.district_id)
    state = _state(tx, zone_id)
    if state.level is not Level.SERIOUS:
        raise RuleBroken(
            "level.not_serious",
            en="Only level 4 needs a person to let it fall.",
            zh="只有 4 级（严重）需要人工确认降级。",
        )
    if state.may_fall:
        return state
    lowered = store.zone_states.put(tx, replace(state, may_fall=True))
    journal.record(tx, actor_id=actor.id, kind=CrowdKind.LEVEL_LOWERED, subject_id=zone_id)
    return lowered


def take_measure(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    zone_id: str,
    matter_id: str | None,
    step: str | None,
    note: str,
    density: float | None,
    expected: tuple[float, float, float] | None = None,
) -> Measure:
    """Record what was done about a crowd, with the density now (people per m²) and what is expected in a
    quarter of an hour without it: the middle, low and high. The same id answers with the first.
    """
    actor.must(Permission.CROWD_MEASURE, tx.district_id)
    said = {"zone_id": zone_id, "matter_id": matter_id, "step": step, "note": note, "taken_by": actor.id}
    if known := store.measures.find_again(tx.connection, tx.district_id, id, **said):
        return known
    _must_be_zone(_place(tx), zone_id)
    if (step is None and not note.strip()) or (step is not None and step not in STEPS):
        raise BadInput(
            "measure.unknown_step",
            en="Name a step of the card, or say what was done.",
            zh="请选择处置卡步骤或填写措施。",
        )
    if matter_id is not None:
        matters_store.get(tx.connection, actor.scope, tx.district_id, matter_id)
    middle, low, high = expected or (None, None, None)
    measure = Measure(
        id,
        tx.district_id,
        zone_id,
        matter_id,
        step,
        note,
        clock.now(),
        actor.id,
        density_before=density,
        density_expected=middle,
        density_expected_low=low,
        density_expected_high=high,
    )
    store.measures.add(tx, measure)
    details = {"measure": id, "step": step, "density_people_per_m2": density}
    journal.record(
        tx, actor_id=actor.id, kind=CrowdKind.MEASURE_TAKEN, subject_id=matter_id or zone_id, details=details
    )
    return measure


def withdraw_measure(tx: Transaction, *, actor: Actor, measure: Measure) -> None:
    """It was recorded by mistake: it is no measure, and counts in no figure; the journal keeps both."""
    actor.must(Permission.CROWD_MEASURE, tx.district_id)
    store.remove_measure(tx, measure.id)
    subject_id = measure.matter_id or measure.zone_id
    details = {"measure": measure.id, "step": measure.step}
    journal.record(
        tx, actor_id=actor.id, kind=CrowdKind.MEASURE_WITHDRAWN, subject_id=subject_id, details=details
    )


def judge_measure(tx: Transaction, *, actor: Actor, id: str, density: float | None) -> Measure:
    """Record the density (people per m²) a quarter of an hour after a measure."""
    actor.must(Permission.CROWD_MEASURE, tx.district_id)
    measure = store.measures.get(tx.connection, tx.district_id, id)
    judged = store.measures.put(tx, replace(measure, density_after=density, judged_at=clock.now()))
    details = {
        "measure": id,
        "before": measure.density_before,
        "after": density,
        "expected": measure.density_expected,
        "cause": judged.cause,
    }
    subject_id = measure.matter_id or measure.zone_id
    journal.record(
        tx, actor_id=actor.id, kind=CrowdKind.MEASURE_JUDGED, subject_id=subject_id, details=details
    )
    return judged


def count_by_person(
    tx: Transaction, *, actor: Actor, id: str, zone_id: str, people_count: int, error_share: float
) -> PersonCount:
    """Take a count made by eye, which corrects the zone's balance as far as its stated error allows."""
    actor.must(Permission.CROWD_MEASURE, tx.district_id)
    said = {"zone_id": zone_id, "people_count": people_count, "counted_by": actor.id}
    if known := store.person_counts.find_again(tx.connection, tx.district_id, id, **said):
        return known
    _must_be_zone(_place(tx), zone_id)
    count = PersonCount(id, tx.district_id, zone_id, clock.now(), people_count, error_share, actor.id)
    store.person_counts.add(tx, count)
    details = {"people": people_count, "error_share": error_share}
    journal.record(tx, actor_id=actor.id, kind=CrowdKind.ZONE_COUNTED, subject_id=zone_id, details=details)
    return count


def define_sensor(tx: Transaction, *, actor: Actor, sensor: Sensor) -> Sensor:
    """Enter a sensor or change it (by its `version`); defining the same again changes nothing."""
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    sensor.check()
    place = _place(tx)
    if sensor.gate_id is not None and sensor.gate_id not in place.gates:
        raise NotFound(
            "gate.missing", en=f"There is no gate {sensor.gate_id}.", zh=f"没有通道口 {sensor.gate_id}。"
        )
    if sensor.zone_id is not None:
        _must_be_zone(place, sensor.zone_id)
    known = store.sensors.find(tx.connection, tx.district_id, ids.checked_code(sensor.id))
    check_changed_names(known, sensor, "name_zh", "name_en")
    if known is None:
        sensor = replace(sensor, version=1)
        store.sensors.add(tx, sensor)
    elif replace(known, version=sensor.version) == sensor:
        return known
    else:
        sensor = store.sensors.put(tx, sensor)
    details = {"kind": str(sensor.kind), "gate": sensor.gate_id, "zone": sensor.zone_id}
    journal.record(
        tx, actor_id=actor.id, kind=CrowdKind.SENSOR_DEFINED, subject_id=sensor.id, details=details
    )
    return sensor


def retire_sensor(tx: Transaction, *, actor: Actor, id: str) -> Sensor:
    """Take a sensor down; its counts stay. Retiring it again changes nothing."""
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    sensor = store.sensors.get(tx.connection, tx.district_id, id)
    if sensor.retired_at is not None:
        return sensor
    retired = store.sensors.put(tx, replace(sensor, retired_at=clock.now()))
    journal.record(tx, actor_id=actor.id, kind=CrowdKind.SENSOR_RETIRED, subject_id=id)
    return retired


def change_levels(
    tx: Transaction, *, actor: Actor, applies_to: str, rules: LevelRules | None, edition: str
) -> None:
    """Set when a zone, or `*moving` or `*standing` space, changes its level; None goes back to the
    default. `edition` is that of the own rules one has seen, empty when there were none; StaleVersion when
    they are others by now.
    """
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    if applies_to not in ("*moving", "*standing"):
        _must_be_zone(_place(tx), applies_to)
    if rules is not None:
        rules.check()
    known = store.list_rules(tx.connection, tx.district_id).get(applies_to)
    if edition != ("" if known is None else known.edition):
        raise StaleVersion(
            "levels.stale",
            en="Somebody else changed this in the meantime; look again.",
            zh="期间已有他人修改，请刷新后重试。",
        )
    store.put_rules(tx, applies_to, rules)
    details = {
        "rises": None if rules is None else rules.rises,
        "falls": None if rules is None else rules.falls,
    }
    journal.record(
        tx, actor_id=actor.id, kind=CrowdKind.LEVELS_CHANGED, subject_id=applies_to, details=details
    )


def _state(tx: Transaction, zone_id: str) -> ZoneState:
    """What was decided about the zone; normal when nothing was."""
    known = store.zone_states.find(tx.connection, tx.district_id, zone_id)
    if known is not None:
        return known
    _must_be_zone(_place(tx), zone_id)
    return ZoneState(zone_id, tx.district_id, Level.NORMAL, clock.now())


def _place(tx: Transaction) -> Place:
    return places.load(tx.connection, tx.district_id)


def _must_be_zone(place: Place, zone_id: str) -> None:
    if zone_id not in place.zones:
        raise NotFound("zone.missing", en=f"There is no zone {zone_id}.", zh=f"没有区域 {zone_id}。")
