"""What a phone shows: the duty of whoever asks, the tasks of their unit, what is said to them, and what
became of what they reported.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from anshang.dispatch import board_store as boards
from anshang.dispatch import store
from anshang.dispatch.model import Assignment
from anshang.dispatch.reading import shown_messages
from anshang.dispatch.shapes import (
    AskedShown,
    CallShown,
    FieldShown,
    LoneShown,
    MessageShown,
    TaskShown,
    UnitChoice,
)
from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.incidents import call_back
from anshang.incidents import store as incidents_store
from anshang.incidents.categories import Doer
from anshang.matters import store as matters_store
from anshang.matters.model import ClockKind, MatterKind, MatterState
from anshang.patrols import store as patrols
from anshang.patrols.actions import serving_with
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Unit, may_crew
from anshang.patrols.shapes import DutyShown, shown_unit
from anshang.patrols.whereabouts import Whereabouts
from anshang.people import store as people
from anshang.people.model import Role
from anshang.places import store as places
from anshang.web.shapes import BothLanguages

RECENT = timedelta(hours=12)


def field(connection: Connection, actor: Actor, district_id: str, whereabouts: Whereabouts) -> FieldShown:
    """Everything the phone of the actor shows."""
    found = serving_with(connection, actor, district_id)
    calls = _calls(connection, actor, district_id)
    if found is None:
        choices = [
            UnitChoice.model_validate(unit)
            for unit in patrols.list_off_duty(connection, district_id)
            if (actor.sees_every_body or unit.body_id in (None, actor.body_id))
            and may_crew(KINDS[unit.kind_id], Role(actor.role), named=False)
        ]
        return FieldShown(
            at=clock.now(), duty=None, unit=None, units=choices, tasks=[], messages=[], roll_calls=[],
            lone=None, calls=calls,
        )  # fmt: skip
    duty, unit = found
    lone = next(
        (one for one in boards.list_running_timers(connection, district_id) if one.unit_id == unit.id), None
    )
    return FieldShown(
        at=clock.now(),
        duty=DutyShown.model_validate(duty),
        unit=shown_unit(unit, whereabouts.latest(district_id).get(unit.id)),
        units=[],
        tasks=_tasks(connection, district_id, unit),
        messages=_messages(connection, actor, district_id, unit),
        roll_calls=_roll_calls(connection, district_id, unit),
        lone=None if lone is None else LoneShown.model_validate(lone),
        calls=calls,
    )


def _tasks(connection: Connection, district_id: str, unit: Unit) -> list[TaskShown]:
    live = store.list_of_unit(connection, district_id, unit.id)
    return [_task(connection, district_id, unit, assignment) for assignment in live]


def _task(connection: Connection, district_id: str, unit: Unit, assignment: Assignment) -> TaskShown:
    """A task in the unit's words: of the checklist only the steps that it may do."""
    matter = matters_store.matters.get(connection, district_id, assignment.incident_id)
    incident = incidents_store.incidents.get(connection, district_id, assignment.incident_id)
    categories = incidents_store.list_categories(connection, district_id)
    category = categories.get(incident.category_id or incident.suggested_id or "")
    police = KINDS[unit.kind_id].police
    steps = [] if category is None else [s for s in category.steps if police or s.doer is Doer.ANYBODY]
    due = [
        one.due_at
        for one in matters_store.list_clocks(connection, district_id, [matter.id])
        if one.kind is ClockKind.ARRIVE
    ]
    plain = ("id", "incident_id", "state", "offered_at", "answer_by", "expected_s", "drill", "version")
    return TaskShown(
        **{name: getattr(assignment, name) for name in plain},
        number=matter.number,
        priority=int(matter.priority),
        goal_at=due[0] if due else None,
        category_zh=None if category is None else category.name_zh,
        category_en=None if category is None else category.name_en,
        text=matter.text,
        place_words=incident.place_words,
        zone_id=incident.zone_id,
        zone=_zone_name(connection, district_id, incident.zone_id),
        lon=incident.lon,
        lat=incident.lat,
        steps=[BothLanguages(en=step.en, zh=step.zh) for step in steps],
        call_back=call_back.is_kept(connection, district_id, assignment.incident_id),
    )


def _messages(connection: Connection, actor: Actor, district_id: str, unit: Unit) -> list[MessageShown]:
    """What was said to everybody on duty, to everybody sent to an incident of this unit's, or to the unit."""
    now = clock.now()
    said = boards.list_messages_to(connection, district_id, unit.id, actor.id, now - RECENT)
    sent = {one.incident_id for one in store.list_all_of_unit(connection, district_id, unit.id, now - RECENT)}
    theirs = [
        one
        for one in said
        if one.incident_id is None or one.incident_id in sent or one.to_unit_id == unit.id
        or one.from_id == actor.id
    ]  # fmt: skip
    return shown_messages(connection, actor, district_id, theirs, now)


def _roll_calls(connection: Connection, district_id: str, unit: Unit) -> list[AskedShown]:
    since = clock.now() - timedelta(hours=1)
    calls = [one for one in boards.list_roll_calls(connection, district_id, since) if unit.id in one.unit_ids]
    answers = {
        one.roll_call_id: one.at
        for one in boards.list_presences(connection, district_id, [call.id for call in calls])
        if one.unit_id == unit.id
    }
    return [
        AskedShown(
            id=call.id, asked_at=call.asked_at, answer_by=call.answer_by, answered_at=answers.get(call.id)
        )
        for call in calls
    ]


def _calls(connection: Connection, actor: Actor, district_id: str) -> list[CallShown]:
    """What the actor reported in the last hours, and who has seen it."""
    mine = matters_store.list_opened_by(
        connection, district_id, actor.id, MatterKind.INCIDENT, clock.now() - RECENT
    )
    names = people.names_of(connection, [one.acknowledged_by for one in mine if one.acknowledged_by])
    return [
        CallShown(
            id=one.id,
            number=one.number,
            text=one.text,
            called_at=one.opened_at,
            seen_at=one.acknowledged_at,
            seen_by=None if one.acknowledged_by is None else names[one.acknowledged_by],
            closed=one.state is MatterState.CLOSED,
        )
        for one in mine
    ]


def _zone_name(connection: Connection, district_id: str, zone_id: str | None) -> BothLanguages | None:
    name = places.find_zone_name(connection, district_id, zone_id)
    return None if name is None else BothLanguages(**name)
