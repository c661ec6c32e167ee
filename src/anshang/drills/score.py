"""How a drill went: for every inject the steps with their times, beside the times of real incidents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection

from anshang.desk import store as desk
from anshang.dispatch import store as dispatch
from anshang.dispatch.model import Assignment
from anshang.drills.model import Drill, Step, Timed
from anshang.drills.scenario import Scenario
from anshang.foundation import clock, ids
from anshang.foundation.actor import Scope
from anshang.incidents import store as incidents
from anshang.incidents.model import SELF_STARTED, Incident
from anshang.lookouts import store as lookouts
from anshang.matters import store as matters
from anshang.matters.model import Matter, MatterKind

REAL_SINCE = timedelta(days=90)
LOST = "lost_person"
PLAYED_WITHIN = timedelta(seconds=15)
"""A call that has not come so long after its time could not be played."""


def call_id(drill_id: str, number: int) -> str:
    """The id of the incident that a call of a scenario becomes."""
    return ids.derived(drill_id, f"call {number}")


def timed(connection: Connection, drill: Drill, scenario: Scenario) -> list[Timed]:
    """The steps of a drill, as far as it has come, in the order of their injects."""
    copy_id = ids.drill_of(drill.district_id, drill.id)
    scope = Scope((copy_id,), None)
    raised = matters.list_alarms(connection, scope, copy_id, drill.begun_at)
    return [
        *_calls(connection, drill, scenario, copy_id),
        *_crowds(connection, drill, scenario, copy_id, raised),
        *_failures(drill, scenario, raised),
    ]


def kept(steps: Iterable[Timed]) -> list[dict[str, Any]]:
    """The steps as a drill keeps them."""
    return [asdict(step) | {"met": step.met} for step in steps]


@dataclass(frozen=True, slots=True)
class Real:
    """How long a step took in real incidents: the middle one, and of how many."""

    median_s: float
    n: int


def real_times(connection: Connection, district_id: str) -> dict[Step, Real]:
    """How long steps took in the last ninety days, of incidents somebody waited for; drills are left out."""
    scope = Scope((district_id,), None)
    known = [
        one
        for one in incidents.list_since(connection, scope, district_id, clock.now() - REAL_SINCE)
        if not one.drill and not one.cancelled and one.source not in SELF_STARTED
    ]
    took: dict[Step, list[float]] = {}
    for steps in _steps(connection, district_id, known).values():
        for step, seconds in steps:
            if seconds is not None:
                took.setdefault(step, []).append(seconds)
    return {step: Real(median(seconds), len(seconds)) for step, seconds in took.items()}


def _calls(connection: Connection, drill: Drill, scenario: Scenario, copy_id: str) -> Iterable[Timed]:
    told = [(call_id(drill.id, number), call) for number, call in enumerate(scenario.calls)]
    known = incidents.list_these(connection, copy_id, [id for id, _ in told])
    steps = _steps(connection, copy_id, list(known.values()))
    overdue_at = (drill.ended_at or clock.now()) - PLAYED_WITHIN
    for id, call in told:
        if id not in known:
            if drill.begun_at + timedelta(minutes=call.minute) <= overdue_at:
                yield Timed(call.text, Step.NOT_PLAYED, PLAYED_WITHIN.total_seconds(), None)
            continue
        for step, seconds in steps[id]:
            yield Timed(call.text, step, scenario.targets[step], seconds)
        if call.category_id == LOST:
            yield from _lookout(connection, scenario, copy_id, known[id], call.text)


def _steps(
    connection: Connection, district_id: str, known: Sequence[Incident]
) -> dict[str, list[tuple[Step, float | None]]]:
    """For each incident, seconds from the call until somebody took care, was sent, and was there; None for
    what never came.
    """
    their_ids = [one.id for one in known]
    cared = matters.list_these(connection, district_id, their_ids)
    sent: dict[str, list[Assignment]] = {id: [] for id in their_ids}
    for assignment in dispatch.list_of_incidents(connection, district_id, their_ids):
        sent[assignment.incident_id].append(assignment)
    steps = {}
    for one in known:
        matter, mine = cared[one.id], sent[one.id]
        arrived = [each.on_scene_at for each in mine if each.on_scene_at is not None]
        steps[one.id] = [
            (Step.ACKNOWLEDGED, _after_s(one.called_at, matter.acknowledged_at or matter.closed_at)),
            (Step.SENT, _after_s(one.called_at, min((each.offered_at for each in mine), default=None))),
            (Step.ON_SCENE, _after_s(one.called_at, min(arrived, default=None))),
        ]
    return steps


def _lookout(
    connection: Connection, scenario: Scenario, copy_id: str, incident: Incident, inject: str
) -> Iterable[Timed]:
    """The look-out that was opened after a call that somebody is lost."""
    opened = [
        one
        for one in lookouts.list_live(connection, copy_id, incident.called_at)
        if one.opened_at >= incident.called_at
    ]
    first = min(opened, key=lambda one: one.opened_at, default=None)
    began_at = None if first is None else first.opened_at
    found_at = None if first is None else first.found_at
    yield Timed(inject, Step.LOOKOUT, scenario.targets[Step.LOOKOUT], _after_s(incident.called_at, began_at))
    yield Timed(inject, Step.FOUND, scenario.targets[Step.FOUND], _after_s(incident.called_at, found_at))


def _crowds(
    connection: Connection, drill: Drill, scenario: Scenario, copy_id: str, raised: Sequence[Matter]
) -> Iterable[Timed]:
    """Of each zone whose alarm came: taken care of, and its order given."""
    orders = desk.list_orders(connection, copy_id, drill.begun_at)
    for crowd in scenario.crowds:
        alarms = [m for m in raised if (m.kind, m.zone_id) == (MatterKind.CROWD, crowd.zone_id)]
        first = min(alarms, key=lambda one: one.opened_at, default=None)
        if first is None:
            continue
        given = [one.given_at for one in orders if one.zone_id == crowd.zone_id]
        yield _cared(crowd.zone_id, first, scenario)
        ordered_s = _after_s(first.opened_at, min(given, default=None))
        yield Timed(crowd.zone_id, Step.ORDERED, scenario.targets[Step.ORDERED], ordered_s)


def _failures(drill: Drill, scenario: Scenario, raised: Sequence[Matter]) -> Iterable[Timed]:
    """Of counters that failed: that somebody took care of it, in the alarm they were told with."""
    for failure in scenario.failures:
        began_at = drill.begun_at + timedelta(minutes=failure.from_minute)
        alarms = [
            matter
            for matter in raised
            if matter.kind is MatterKind.SENSOR and (matter.closed_at is None or matter.closed_at > began_at)
        ]
        if (first := min(alarms, key=lambda one: one.opened_at, default=None)) is not None:
            yield _cared(failure.zone_id, first, scenario)


def _cared(inject: str, matter: Matter, scenario: Scenario) -> Timed:
    seconds = _after_s(matter.opened_at, matter.acknowledged_at or matter.closed_at)
    return Timed(inject, Step.ACKNOWLEDGED, scenario.targets[Step.ACKNOWLEDGED], seconds)


def _after_s(began: datetime, at: datetime | None) -> float | None:
    return None if at is None else max(0.0, (at - began).total_seconds())
