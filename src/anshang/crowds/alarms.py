"""What the engine found becomes a verb: a level crossed, a gate too full, a sensor that cannot be trusted.

The alarms of one zone are one episode: one open matter, retold while it changes, never a second one beside
it. So are sensors that fail one after another.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from anshang.crowds import store
from anshang.crowds.model import Crossing, CrowdKind, FlowChange, Level, SensorChange, ZoneState
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.journal import actions as journal
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import ClockKind, Due, Matter, MatterKind, MatterState, Priority

EPISODE_GROWS = timedelta(minutes=10)
"""How long after the last sensor another may join: slow counters are missed later than quick ones."""
SUBJECT_LEVEL = "matter.crowd.level"
SUBJECT_FLOW = "matter.crowd.flow"
SUBJECT_SENSOR = "matter.sensor"
OUTCOME_SUBSIDED = "outcome.subsided"
OUTCOME_RECOVERED = "outcome.recovered"
URGENCY = {Level.CAUTION: Priority.P3, Level.ALERT: Priority.P2, Level.SERIOUS: Priority.P1}
ANSWER_WITHIN_S = {Priority.P1: 60.0, Priority.P2: 120.0, Priority.P3: 300.0, Priority.P4: 3600.0}


def cross_level(tx: Transaction, *, actor: Actor, crossing: Crossing) -> Matter | None:
    """Record that a zone's level changed and open, retell or close the matter of its episode.

    Level 1 asks nobody to act, so it opens nothing. A calm zone closes its matter only when somebody had
    answered it.
    """
    actor.must(Permission.CROWD_MEASURE, tx.district_id)
    before = _keep_level(tx, crossing)
    held = before.level is crossing.after and before.pending is crossing.pending
    pending = None if crossing.pending is None else int(crossing.pending)
    journal.record(
        tx,
        actor_id=actor.id,
        kind=CrowdKind.LEVEL_HELD if held else CrowdKind.LEVEL_CROSSED,
        subject_id=crossing.zone_id,
        details={
            "from": int(crossing.before),
            "to": int(crossing.after),
            "pending": pending,
            "density_people_per_m2": crossing.density,
            "people": crossing.people_count,
        },
    )
    worst = crossing.pending or crossing.after
    params = {
        "zone": crossing.zone_id,
        "level": int(crossing.after),
        "pending": pending,
        "density": round(crossing.density, 2),
        "people": crossing.people_count,
    }
    waiting = matters_store.find_waiting_of(
        tx.connection, tx.district_id, MatterKind.CROWD, [SUBJECT_LEVEL], crossing.zone_id
    )
    if waiting is None:
        return (
            open_episode(tx, actor, SUBJECT_LEVEL, URGENCY[worst], params) if worst >= Level.CAUTION else None
        )
    if worst <= Level.ATTENTION and waiting.state is MatterState.ACKNOWLEDGED:
        return matters.close(tx, actor=actor, id=waiting.id, outcome=OUTCOME_SUBSIDED)
    return retell_episode(tx, actor, waiting, params, URGENCY.get(worst, Priority.P4))


def change_flow(tx: Transaction, *, actor: Actor, change: FlowChange) -> Matter | None:
    """Record that a gate's sustained flow passed what it carries, or came back; its matter opens and
    closes with it.
    """
    actor.must(Permission.CROWD_MEASURE, tx.district_id)
    kind = CrowdKind.FLOW_EXCEEDED if change.exceeded else CrowdKind.FLOW_EASED
    details = {"flow_people_per_m_per_min": change.flow}
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=change.gate_id, details=details)
    waiting = matters_store.find_waiting_of(
        tx.connection, tx.district_id, MatterKind.CROWD, [SUBJECT_FLOW], change.gate_id
    )
    if change.exceeded and waiting is None:
        return open_episode(
            tx, actor, SUBJECT_FLOW, Priority.P3, {"gate": change.gate_id, "flow": change.flow}
        )
    if not change.exceeded and waiting is not None:
        return matters.close(tx, actor=actor, id=waiting.id, outcome=OUTCOME_SUBSIDED)
    return waiting


def change_sensor(tx: Transaction, *, actor: Actor, change: SensorChange) -> Matter | None:
    """Record that a sensor cannot be trusted, or can again: an alarm of the sensor, never of the crowd.

    Sensors that fail one after another, as those of one gateway do, are one episode: one matter that names
    them all.
    """
    actor.must(Permission.CROWD_MEASURE, tx.district_id)
    kind = CrowdKind.SENSOR_FAILED if change.failed else CrowdKind.SENSOR_RECOVERED
    details = {"reason": str(change.reason), "zones": list(change.zone_ids)}
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=change.sensor_id, details=details)
    subject = f"{SUBJECT_SENSOR}.{change.reason}"
    waiting = matters_store.list_waiting_about(tx.connection, tx.district_id, subject)
    its = next((matter for matter in waiting if change.sensor_id in matter.params["sensors"]), None)
    if change.failed:
        return its or _join(tx, actor, subject, waiting[:1], change)
    return None if its is None else _leave(tx, actor, its, change.sensor_id)


def _join(tx: Transaction, actor: Actor, subject: str, newest: list[Matter], change: SensorChange) -> Matter:
    """Let a sensor join the newest episode while that still grows, else begin one."""
    now = clock.now()
    failed = {change.sensor_id: list(change.zone_ids)}
    grows = [m for m in newest if now - datetime.fromisoformat(m.params["joined_at"]) <= EPISODE_GROWS]
    if not grows:
        params, priority = _failure(tx, failed, now.isoformat())
        return open_episode(tx, actor, subject, priority, params, MatterKind.SENSOR)
    (episode,) = grows
    return _retell_failure(tx, actor, episode, episode.params["sensors"] | failed, now.isoformat())


def _leave(tx: Transaction, actor: Actor, episode: Matter, sensor_id: str) -> Matter:
    """A sensor is well again; the last one closes the episode."""
    left = {id: zones for id, zones in episode.params["sensors"].items() if id != sensor_id}
    if not left:
        return matters.close(tx, actor=actor, id=episode.id, outcome=OUTCOME_RECOVERED)
    return _retell_failure(tx, actor, episode, left, episode.params["joined_at"])


def _retell_failure(
    tx: Transaction, actor: Actor, episode: Matter, failed: dict[str, list[str]], joined_at: str
) -> Matter:
    params, priority = _failure(tx, failed, joined_at)
    return retell_episode(tx, actor, episode, params, priority)


def _failure(
    tx: Transaction, failed: dict[str, list[str]], joined_at: str
) -> tuple[dict[str, Any], Priority]:
    """What a matter says of the sensors that failed, each with its zones, and how urgent it is."""
    zones = sorted({zone for zones in failed.values() for zone in zones})
    priority = Priority.P3 if _is_dense(tx, tuple(zones)) else Priority.P4
    return {"sensors": failed, "zones": zones, "joined_at": joined_at}, priority


def _keep_level(tx: Transaction, crossing: Crossing) -> ZoneState:
    """Keep what the crossing makes of the zone; what it was before."""
    known = store.zone_states.find(tx.connection, tx.district_id, crossing.zone_id)
    before = known or ZoneState(crossing.zone_id, tx.district_id, crossing.before, clock.now())
    after = before.crossed(crossing, clock.now())
    if known is None:
        store.zone_states.add(tx, after)
    else:
        store.zone_states.put(tx, after)
    return before


def open_episode(
    tx: Transaction,
    actor: Actor,
    subject: str,
    priority: Priority,
    params: dict[str, Any],
    kind: MatterKind = MatterKind.CROWD,
) -> Matter:
    """Open the matter of an episode: where it is and when it is to be answered follow from what it says."""
    return matters.open_matter(
        tx,
        actor=actor,
        id=ids.new_id(),
        kind=kind,
        priority=priority,
        subject=subject,
        params=params,
        zone_id=params.get("zone") or next(iter(params.get("zones", ())), None),
        due=[_answer_due(priority, params)],
    )


def retell_episode(
    tx: Transaction, actor: Actor, episode: Matter, params: dict[str, Any], priority: Priority
) -> Matter:
    """Say the matter of an episode anew."""
    due = [_answer_due(priority, params)]
    return matters.retell(
        tx, actor=actor, id=episode.id, subject=episode.subject, params=params, priority=priority, due=due
    )


def _answer_due(priority: Priority, params: dict[str, Any]) -> Due:
    within_s = ANSWER_WITHIN_S[priority]
    return Due(
        ClockKind.ACKNOWLEDGE,
        within_s,
        "due.answer",
        {"priority": int(priority), "within_s": within_s} | params,
    )


def _is_dense(tx: Transaction, zone_ids: tuple[str, ...]) -> bool:
    states = store.list_zone_states(tx.connection, tx.district_id)
    return any(state.id in zone_ids and state.level >= Level.CAUTION for state in states)
