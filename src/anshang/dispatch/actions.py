"""What is done to send units: offer, answer, take a step, call off; climb the ladder; change the ladder.

Every verb changes the assignment, what its unit is doing and the steps of the incident in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from anshang.dispatch import refusals, store
from anshang.dispatch.model import (
    STATUS_OF,
    STEP_OF,
    Assignment,
    AssignmentKind,
    AssignmentState,
    Because,
    Ladder,
    MetBy,
    RungRun,
)
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import RuleBroken
from anshang.foundation.lines import check_changed_names
from anshang.incidents import actions as incidents
from anshang.incidents import store as incidents_store
from anshang.incidents.categories import Task
from anshang.incidents.model import Incident, Source, Step, life_of
from anshang.journal import actions as journal
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import Matter, MatterState
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Duty, Unit, UnitStatus


def offer(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    incident_id: str,
    unit_id: str,
    expected_s: float | None = None,
    onward: bool = True,
    insist: bool = False,
    by_itself: bool = False,
) -> Assignment:
    """Ask a unit to go to an incident; the same id again answers with what is there. A person who does has
    seen the incident; what goes on `by_itself` has not.

    RuleBroken when it is not fit for the task, or not free: `unit.preempts`, `unit.not_free` and
    `unit.looks_only` ask a person, who may `insist`; it is then called off from what is less urgent.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    matter, incident = incidents_store.get(tx.connection, actor.scope, tx.district_id, incident_id)
    said = {"incident_id": incident_id, "unit_id": unit_id}
    if known := store.assignments.find_again(tx.connection, tx.district_id, id, **said):
        return known
    if matter.state is MatterState.CLOSED:
        raise RuleBroken("matter.closed", en="This matter is closed.", zh="该事项已关闭。")
    unit, duty = patrols_store.with_duty.get(tx.connection, tx.district_id, unit_id)
    task = _task_for(tx, incident, unit, duty, insist)
    unit = _freed(tx, actor, unit, matter, insist)
    now = clock.now()
    ladder = store.get_ladder(tx.connection, tx.district_id)
    assignment = Assignment(
        id=id,
        district_id=tx.district_id,
        incident_id=incident_id,
        unit_id=unit_id,
        task=task,
        state=AssignmentState.OFFERED,
        offered_at=now,
        offered_by=actor.id,
        answer_by=ladder.answer_by(matter.priority, now),
        expected_s=expected_s,
        onward=onward,
        drill=matter.drill,
    )
    store.assignments.add(tx, assignment)
    patrols.employ(tx, actor=actor, unit=unit, status=UnitStatus.OFFERED)
    if matter.state is MatterState.OPEN and not by_itself:
        matters.acknowledge(tx, actor=actor, id=incident_id, read=matter)
    details = {"expected_s": expected_s, "onward": onward, "insisted": insist}
    _tell(tx, actor, AssignmentKind.OFFERED, assignment, details)
    _mark(tx, actor, assignment, now)
    return assignment


def offer_all(
    tx: Transaction, *, actor: Actor, id: str, incident_id: str, unit_ids: Sequence[str]
) -> list[Assignment]:
    """Ask all of these units that are free and fit; whoever is not is passed over. The ids of the offers
    follow from `id`, so that a retry asks nobody twice.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    offered = []
    for unit_id in unit_ids:
        with suppress(RuleBroken):
            offer_id = ids.derived(id, unit_id)
            offered.append(
                offer(tx, actor=actor, id=offer_id, incident_id=incident_id, unit_id=unit_id, onward=False)
            )
    return offered


def answer(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    accepted: bool,
    because: Because = Because.NONE,
    words: str = "",
    at: datetime | None = None,
) -> Assignment:
    """The unit goes, or says why it cannot; `at` is when it said so. The same answer again changes
    nothing.
    """
    before, unit = _mine(tx, actor, id)
    if accepted and before.state in (*STATUS_OF, AssignmentState.DONE) and before.answered_at is not None:
        return before
    if not accepted and before.state is AssignmentState.REFUSED:
        return before
    after = before.answered(accepted, because, words, tx.instant(at, since=before.offered_at))
    if accepted and before.state is AssignmentState.UNANSWERED:
        _must_still_be_wanted(tx, before)
    after = _put(tx, actor, after, unit, {"because": str(because), "at": _iso(after.answered_at)})
    if accepted and after.answered_at is not None:
        _meet(tx, actor, after, unit, MetBy.ANSWER, after.answered_at)
    return after


def take_step(
    tx: Transaction, *, actor: Actor, id: str, to: AssignmentState, at: datetime | None = None
) -> Assignment:
    """The unit moves, is on the scene, or is done; `at` is when. A step it has already taken changes
    nothing.
    """
    before, unit = _mine(tx, actor, id)
    if before.has_reached(to):
        return before
    at = tx.instant(at, since=before.last_at)
    after = _put(tx, actor, before.moved(to, at), unit, {"at": _iso(at)})
    if to is AssignmentState.ON_SCENE:
        _meet(tx, actor, after, unit, MetBy.ARRIVAL, at)
    return after


def stand_down(tx: Transaction, *, actor: Actor, id: str, because: Because, words: str = "") -> Assignment:
    """The unit need not go any more. Calling it off again changes nothing."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    before, unit = store.with_unit.get_both(tx.connection, tx.district_id, id)
    if before.state is AssignmentState.STOOD_DOWN:
        return before
    after = before.stood_down(because, words, clock.now())
    return _put(tx, actor, after, unit, {"because": str(because)})


def give_up_waiting(tx: Transaction, *, actor: Actor, assignment: Assignment) -> Assignment:
    """The unit has not answered in time: it is free again."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    unit = patrols_store.units.get(tx.connection, tx.district_id, assignment.unit_id)
    return _put(tx, actor, assignment.left_unanswered(clock.now()), unit, {})


def relieve(tx: Transaction, *, actor: Actor, duty: Duty, staying: Sequence[str]) -> None:
    """Somebody of a crew has lost the right to serve with its unit. With nobody left its task is given back:
    the next unit is asked, or a person.
    """
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    for assignment in store.list_of_unit(tx.connection, tx.district_id, duty.unit_id) if not staying else ():
        unit = patrols_store.units.get(tx.connection, tx.district_id, duty.unit_id)
        because = Because.UNFIT
        _put(tx, actor, assignment.given_back(because, clock.now()), unit, {"because": str(because)})
    patrols.relieve(tx, actor=actor, duty=duty, staying=staying)


def tell_nobody_left(tx: Transaction, *, actor: Actor, assignments: Sequence[Assignment]) -> None:
    """Nobody is left to ask in the stead of these, which is told once: a person must help."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    after = [store.assignments.put(tx, replace(one, onward=False)) for one in assignments]
    _tell(tx, actor, AssignmentKind.NOBODY_LEFT, after[-1], {})


def list_startable(connection: Connection, matter: Matter) -> list[RungRun]:
    """The rungs of the ladder that have not begun for the incident, though the step they start with has been
    told.
    """
    ladder = store.get_ladder(connection, matter.district_id)
    if matter.priority not in ladder.priorities:
        return []
    moments = incidents_store.list_moments(connection, matter.district_id, [matter.id])
    told = life_of(moments, over=False).at
    begun = {run.rung_id for run in store.list_runs(connection, matter.district_id, [matter.id])}
    return [
        RungRun(
            ids.new_id(),
            matter.district_id,
            matter.id,
            rung.id,
            told[rung.starts] + timedelta(seconds=rung.target_s),
            drill=matter.drill,
        )
        for rung in ladder.rungs
        if rung.id not in begun and rung.starts in told
    ]


def begin_rungs(tx: Transaction, *, actor: Actor, matter: Matter) -> list[RungRun]:
    """Begin the rungs of the ladder that are due to begin for the incident."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    runs = list_startable(tx.connection, matter)
    for run in runs:
        store.rung_runs.add(tx, run)
        _tell_rung(tx, actor, AssignmentKind.BEGUN, run, {"due": run.due_at.isoformat()})
    return runs


def escalate(tx: Transaction, *, actor: Actor, run: RungRun) -> RungRun:
    """Keep that a rung was missed, or has gone to the supervisor."""
    actor.must(Permission.UNIT_DIRECT, tx.district_id)
    kept = store.rung_runs.put(tx, run)
    kind = AssignmentKind.MISSED if run.raised_at is None else AssignmentKind.RAISED
    _tell_rung(tx, actor, kind, run, {})
    return kept


def change_ladder(tx: Transaction, *, actor: Actor, ladder: Ladder) -> Ladder:
    """Let the district have this ladder from the next incident on."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    ladder.check(KINDS)
    known = store.get_ladder(tx.connection, tx.district_id)
    if known == ladder:
        return ladder
    before = {rung.id: rung for rung in known.rungs}
    for rung in ladder.rungs:
        check_changed_names(before.get(rung.id), rung, "name_zh", "name_en")
    store.put_ladder(tx, ladder)
    targets = {rung.id: rung.target_s for rung in ladder.rungs}
    journal.record(
        tx,
        actor_id=actor.id,
        kind=AssignmentKind.LADDER_CHANGED,
        subject_id=tx.district_id,
        details={"targets_s": targets},
    )
    return ladder


def task_of(tx: Transaction, incident: Incident) -> Task:
    """What the incident's category asks of those who come."""
    categories = incidents_store.list_categories(tx.connection, tx.district_id)
    category = categories.get(incident.category_id or incident.suggested_id or "")
    return Task.LOOK if category is None else category.task


def _task_for(tx: Transaction, incident: Incident, unit: Unit, duty: Duty | None, insist: bool) -> Task:
    """What the unit is asked to do, which it is fit for. To a call for help a person who insists sends also
    who is not of the police, to look from the edge: the life of the caller is in danger.
    """
    task = task_of(tx, incident)
    if duty is None:
        raise RuleBroken("unit.off_duty", en="This unit is not on duty.", zh="该单元未在岗。")
    reasons = patrols.fitness(tx, unit, duty.crew, task)
    if not reasons:
        return task
    if incident.source is not Source.SOS or patrols.fitness(tx, unit, duty.crew, Task.LOOK):
        raise patrols.unfit(reasons)
    if not insist:
        raise refusals.looks_only(unit, reasons)
    return Task.LOOK


def _freed(tx: Transaction, actor: Actor, unit: Unit, matter: Matter, insist: bool) -> Unit:
    """The unit, bound by nothing else; called off when a person insists."""
    for other in store.list_of_unit(tx.connection, tx.district_id, unit.id):
        theirs = matters_store.get(tx.connection, actor.scope, tx.district_id, other.incident_id)
        if other.incident_id == matter.id or theirs.priority <= matter.priority:
            raise refusals.taken(unit, theirs)
        if not insist:
            raise refusals.preempts(unit, theirs)
        stand_down(tx, actor=actor, id=other.id, because=Because.PREEMPTED)
        return patrols_store.units.get(tx.connection, tx.district_id, unit.id)
    if unit.status is not UnitStatus.FREE and not insist:
        raise refusals.not_free(unit)
    return unit


def _must_still_be_wanted(tx: Transaction, assignment: Assignment) -> None:
    """An answer that comes late counts when nobody closed the incident and the unit is bound to nothing."""
    matter = matters_store.matters.get(tx.connection, tx.district_id, assignment.incident_id)
    bound = store.list_of_unit(tx.connection, tx.district_id, assignment.unit_id)
    if matter.state is MatterState.CLOSED or bound:
        raise RuleBroken(
            "assignment.too_late",
            en="The answer came too late: the task has gone to somebody else or is over.",
            zh="答复过晚：任务已由他人承担或已结束。",
        )


def _mine(tx: Transaction, actor: Actor, id: str) -> tuple[Assignment, Unit]:
    """The assignment and its unit, when the actor speaks for it."""
    patrols.must_serve(actor, tx.district_id)
    assignment, unit = store.with_unit.get_both(tx.connection, tx.district_id, id)
    patrols.must_serve_with(tx, actor, unit)
    return assignment, unit


def _put(tx: Transaction, actor: Actor, after: Assignment, unit: Unit, details: dict[str, Any]) -> Assignment:
    """Keep a change: what its unit is doing and the incident's step follow."""
    after = store.assignments.put(tx, after)
    at_leisure = UnitStatus.BUSY if after.because is Because.BUSY else UnitStatus.FREE
    patrols.employ(tx, actor=actor, unit=unit, status=STATUS_OF.get(after.state, at_leisure))
    _tell(tx, actor, AssignmentKind(f"assignment.{after.state}"), after, details)
    if after.state in STEP_OF:
        instants = (after.ended_at, after.on_scene_at, after.moving_at, after.answered_at)
        _mark(tx, actor, after, next(at for at in instants if at is not None))
    return after


def _mark(tx: Transaction, actor: Actor, assignment: Assignment, at: datetime) -> None:
    """Tell the step in the incident's life; who is sent there may do that and nothing else with it."""
    step = STEP_OF[assignment.state]
    if step is Step.CONTROLLED and assignment.on_scene_at is None:
        return
    incidents.follow(
        tx,
        actor=actor.lent(Permission.INCIDENT_ACT),
        incident_id=assignment.incident_id,
        step=step,
        at=at,
        unit_id=assignment.unit_id,
    )


def _meet(tx: Transaction, actor: Actor, assignment: Assignment, unit: Unit, by: MetBy, at: datetime) -> None:
    """Stop the rung that this unit's answer or arrival meets, and those above it: somebody is there."""
    runs = store.list_runs(tx.connection, tx.district_id, [assignment.incident_id])
    rungs = store.get_ladder(tx.connection, tx.district_id).rungs if runs else ()
    own = [number for number, rung in enumerate(rungs) if rung.met_by is by and unit.kind_id in rung.kinds]
    stopped = {rung.id for rung in rungs[own[0] :]} if own else set()
    for run in runs:
        if run.met_at is None and run.rung_id in stopped:
            met = store.rung_runs.put(tx, replace(run, met_at=at, met_by=unit.id))
            _tell_rung(tx, actor, AssignmentKind.MET, met, {"unit": unit.id, "in_time": at <= run.due_at})


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _tell(
    tx: Transaction, actor: Actor, kind: AssignmentKind, assignment: Assignment, details: dict[str, Any]
) -> None:
    told = {"incident": assignment.incident_id, "unit": assignment.unit_id, **details}
    journal.record(
        tx,
        actor_id=actor.id,
        kind=kind,
        subject_id=assignment.id,
        details=told,
        drill=assignment.drill,
    )


def _tell_rung(
    tx: Transaction, actor: Actor, kind: AssignmentKind, run: RungRun, details: dict[str, Any]
) -> None:
    told = {"incident": run.incident_id, "rung": run.rung_id, **details}
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=run.id, details=told, drill=run.drill)
