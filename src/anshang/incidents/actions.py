"""What is done with incidents: report, classify, locate, ask, mark a step, cancel, clear, reopen, link,
transfer.

An incident and its matter share an id, and change in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken, StaleVersion
from anshang.incidents import sos, store
from anshang.incidents.beginning import call_time, due_of, first_moments
from anshang.incidents.categories import Category, suggest
from anshang.incidents.gathering import calls_of
from anshang.incidents.model import (
    Incident,
    IncidentKind,
    Link,
    LinkKind,
    Moment,
    Source,
    Spot,
    Step,
    Transfer,
    check_source,
    life_of,
    not_before,
)
from anshang.incidents.outsiders import most_urgent
from anshang.incidents.placing import completed
from anshang.incidents.sos import Sender
from anshang.journal import actions as journal
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import ClockKind, Matter, MatterKind, MatterState, Priority
from anshang.people.actions import check_body

SUBJECT = "matter.incident"
OUTCOME_CANCELLED = "outcome.cancelled"
OUTCOME_DUPLICATE = "outcome.duplicate"


def report(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    source: Source,
    text: str,
    category_id: str | None,
    priority: Priority | None,
    spot: Spot,
    called_at: datetime | None = None,
    drill: bool = False,
    taken: bool = False,
    sender: Sender | None = None,
) -> Incident:
    """Take a report into the queue, with the clocks that its category starts; the same id again answers with
    what is there. Who has `taken` the call has acknowledged it. With a `sender` it is a call for help.
    """
    if sender:
        actor, drill = sos.caller(actor), drill and actor.may(Permission.INCIDENT_ACT, tx.district_id)
    actor.must(Permission.INCIDENT_REPORT, tx.district_id)
    if sender is None:
        check_source(actor, tx.district_id, source, drill)
    now = clock.now()
    called_at = call_time(tx, source, called_at, now)
    categories = store.list_categories(tx.connection, tx.district_id)
    category = None if category_id is None else _in_use(categories, category_id)
    more: dict[str, Any] = {}
    if sender:
        category, priority, spot, more = sos.told(tx.connection, categories, tx.district_id, spot, sender)
    suggestion = None if sender else suggest(text, categories.values())
    spot = completed(tx.connection, tx.district_id, spot)
    matter = _open(tx, actor, id, source, text, category, priority, spot, called_at, drill, more)
    said = {"source": source, "drill": matter.drill}
    if known := store.incidents.find_again(tx.connection, tx.district_id, id, **said):
        return known
    incident = Incident(
        id=id,
        district_id=tx.district_id,
        category_id=None if category is None else category.id,
        suggested_id=None if suggestion is None else suggestion.category_id,
        source=source,
        called_at=called_at,
        lon=spot.lon,
        lat=spot.lat,
        zone_id=spot.zone_id,
        premises_id=spot.premises_id,
        place_words=spot.words,
        drill=matter.drill,
    )
    store.incidents.add(tx, incident)
    details = {"source": str(source), "category": incident.category_id, "suggested": incident.suggested_id}
    _tell(tx, actor, IncidentKind.REPORTED, incident, details)
    store.moments.add_all(tx, first_moments(incident, now, actor.id))
    if taken and sender is None:
        matters.acknowledge(tx, actor=actor, id=id, read=matter)
    return incident


def classify(
    tx: Transaction, *, actor: Actor, id: str, category_id: str, priority: Priority | None, version: int
) -> Incident:
    """Say what it is; its priority and its clocks follow, unless another priority is told."""
    before = _mine(tx, actor, id, version)
    category = _in_use(store.list_categories(tx.connection, tx.district_id), category_id)
    after = store.incidents.put(tx, before.classified(category_id))
    urgency = priority or (Priority.P1 if before.source is Source.SOS else category.priority)
    due = due_of(urgency, category, before.called_at)
    matter = matters_store.matters.get(tx.connection, tx.district_id, id)
    params = _params(category) | calls_of(matter) | sos.kept(matter)
    matters.retell(tx, actor=actor, id=id, subject=SUBJECT, params=params, priority=urgency, due=due)
    now = clock.now()
    if before.category_id is None:
        store.moments.add(tx, Moment(ids.new_id(), tx.district_id, id, Step.CLASSIFIED, now, now, actor.id))
    details = {"from": before.category_id, "to": category_id, "priority": int(urgency)}
    _tell(tx, actor, IncidentKind.CLASSIFIED, after, details)
    return after


def locate(tx: Transaction, *, actor: Actor, id: str, spot: Spot, version: int) -> Incident:
    """Say where it is."""
    before = _mine(tx, actor, id, version)
    spot = completed(tx.connection, tx.district_id, spot)
    after = store.incidents.put(tx, before.located(spot))
    matters.move(tx, actor=actor, id=id, zone_id=spot.zone_id)
    _tell(tx, actor, IncidentKind.LOCATED, after, {"zone": spot.zone_id, "premises": spot.premises_id})
    return after


def question(tx: Transaction, *, actor: Actor, id: str, answers: Mapping[str, str], version: int) -> Incident:
    """Keep what was answered to the category's questions; the words stay in the incident."""
    before = _mine(tx, actor, id, version)
    category = store.list_categories(tx.connection, tx.district_id).get(before.category_id or "")
    asked = {one.key for one in category.questions} if category else set()
    if not set(answers) <= asked:
        raise BadInput("incident.no_such_question", en="Nobody asked that here.", zh="该类别没有这个问题。")
    after = store.incidents.put(tx, replace(before, answers={**before.answers, **answers}))
    _tell(tx, actor, IncidentKind.QUESTIONED, after, {"questions": sorted(answers)})
    return after


def mark(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    incident_id: str,
    step: Step,
    at: datetime,
    unit_id: str | None = None,
    corrects: str | None = None,
) -> Moment:
    """Tell when a step happened, or, naming a moment that was wrong, when it really did."""
    incident = _mine(tx, actor, incident_id)
    if step is not Step.CALL:
        at = not_before(incident.called_at, at)
    said = {"incident_id": incident_id, "step": step, "at": at, "unit_id": unit_id}
    if known := store.moments.find_again(tx.connection, tx.district_id, id, **said):
        return known
    moment = Moment(id, tx.district_id, incident_id, step, at, clock.now(), actor.id, unit_id, corrects)
    moment.check(incident.called_at)
    wrong = None if corrects is None else store.moments.get(tx.connection, tx.district_id, corrects)
    if wrong is not None and (wrong.incident_id, wrong.step) != (incident_id, step):
        raise RuleBroken(
            "moment.other_step",
            en="A correction is about the same step of the same incident.",
            zh="更正只能针对同一警情的同一环节。",
        )
    store.moments.add(tx, moment)
    if step is Step.ON_SCENE:
        _arrive(tx, moment, wrong)
    details = {"step": str(step), "at": at.isoformat(), "unit": unit_id, "corrects": corrects}
    _tell(tx, actor, IncidentKind.MARKED, incident, details)
    return moment


def _arrive(tx: Transaction, moment: Moment, wrong: Moment | None) -> None:
    """Somebody was there: the clock that waits for it is met; of a correction, when it says."""
    matters_store.meet_clocks(tx, moment.incident_id, [ClockKind.ARRIVE], moment.at)
    if wrong is not None:
        known = store.list_moments(tx.connection, tx.district_id, [moment.incident_id])
        first_at = life_of(known, over=False).at[Step.ON_SCENE]
        matters_store.move_met(tx, moment.incident_id, ClockKind.ARRIVE, wrong.at, first_at)


def follow(
    tx: Transaction, *, actor: Actor, incident_id: str, step: Step, at: datetime, unit_id: str
) -> None:
    """Tell the step that follows from what a unit that was sent there does; the journal has that already."""
    actor.must(Permission.INCIDENT_ACT, tx.district_id)
    told = Moment(ids.new_id(), tx.district_id, incident_id, step, at, clock.now(), actor.id, unit_id)
    store.moments.add(tx, told)
    if step is Step.ON_SCENE:
        _arrive(tx, told, None)


def clear(
    tx: Transaction, *, actor: Actor, id: str, outcome: str, version: int, insist: bool = True
) -> Incident:
    """It is over: its matter closes, and those of its duplicates; an unattended P1 among them needs
    `insist`.
    """
    incident = _mine(tx, actor, id, version)
    repeats = _open_repeats(tx, actor, id)
    if not insist:
        _must_have_been_there(tx, [id, *repeats])
    now = clock.now()
    store.moments.add(tx, Moment(ids.new_id(), tx.district_id, id, Step.CLEARED, now, now, actor.id))
    after = store.incidents.put(tx, incident)
    _tell(tx, actor, IncidentKind.CLEARED, after, {})
    matters.close(tx, actor=actor, id=id, outcome=outcome)
    for each in repeats:
        matters.close(tx, actor=actor, id=each, outcome=OUTCOME_DUPLICATE)
    return after


def _open_repeats(tx: Transaction, actor: Actor, id: str) -> list[str]:
    """The incidents that repeat this one and are not closed."""
    links = store.list_links(tx.connection, tx.district_id, id)
    repeats = [link.incident_id for link in links if link.kind is LinkKind.DUPLICATE and link.other_id == id]
    found = [matters_store.get(tx.connection, actor.scope, tx.district_id, each) for each in repeats]
    return [matter.id for matter in found if matter.state is not MatterState.CLOSED]


def _must_have_been_there(tx: Transaction, ids: list[str]) -> None:
    """RuleBroken when one of these, which are the same, threatens life and nobody was on the scene."""
    threats = [matters_store.matters.get(tx.connection, tx.district_id, id).priority for id in ids]
    life = life_of(store.list_moments(tx.connection, tx.district_id, ids), over=False)
    if Priority.P1 in threats and Step.ON_SCENE not in life.at:
        raise RuleBroken(
            "incident.nobody_there",
            en="Nobody has been on the scene of this P1, or of a P1 that repeats it. Close it all the same?",
            zh="该一级警情（或与其重复的一级警情）尚无人到场。仍要办结吗？",
        )


def cancel(tx: Transaction, *, actor: Actor, id: str, reason: str, version: int) -> Incident:
    """It was none, or is no longer wanted: closed, and left out of every figure of response."""
    incident = _mine(tx, actor, id, version)
    after = store.incidents.put(tx, replace(incident, cancelled=True))
    _tell(tx, actor, IncidentKind.CANCELLED, after, {})
    matters.close(tx, actor=actor, id=id, outcome=reason.strip() or OUTCOME_CANCELLED)
    return after


def reopen(tx: Transaction, *, actor: Actor, id: str) -> Incident:
    """It was not over after all."""
    incident = _mine(tx, actor, id)
    matters.reopen(tx, actor=actor, id=id)
    return store.incidents.put(tx, replace(incident, cancelled=False))


def link(tx: Transaction, *, actor: Actor, id: str, incident_id: str, other_id: str, kind: LinkKind) -> Link:
    """Say that two incidents belong together; a duplicate is closed with the one it repeats."""
    incident = _mine(tx, actor, incident_id)
    _mine(tx, actor, other_id)
    said = {"incident_id": incident_id, "other_id": other_id, "kind": kind}
    if known := store.links.find_again(tx.connection, tx.district_id, id, **said):
        return known
    there = store.list_links(tx.connection, tx.district_id, incident_id)
    if incident_id == other_id or any(other_id in (one.incident_id, one.other_id) for one in there):
        raise RuleBroken("link.exists", en="These are linked already.", zh="两起警情已关联。")
    made = Link(id, tx.district_id, incident_id, other_id, kind, clock.now(), actor.id)
    store.links.add(tx, made)
    _tell(tx, actor, IncidentKind.LINKED, incident, {"other": other_id, "link": str(kind)})
    return made


def offer(
    tx: Transaction, *, actor: Actor, id: str, incident_id: str, to_body_id: str, reason: str
) -> Transfer:
    """Offer an incident to another body; ours until it has agreed."""
    incident = _mine(tx, actor, incident_id)
    check_body(tx.connection, to_body_id, (tx.district_id,))
    said = {"incident_id": incident_id, "to_body_id": to_body_id}
    if known := store.transfers.find_again(tx.connection, tx.district_id, id, **said):
        return known
    there = store.list_transfers(tx.connection, tx.district_id, incident_id)
    if any(one.accepted is None for one in there):
        raise RuleBroken("transfer.waits", en="Another body has not answered yet.", zh="已有移交尚未答复。")
    made = Transfer(id, tx.district_id, incident_id, to_body_id, reason, clock.now(), actor.id)
    store.transfers.add(tx, made)
    _tell(tx, actor, IncidentKind.OFFERED, incident, {"body": to_body_id})
    return made


def answer_offer(tx: Transaction, *, actor: Actor, id: str, accepted: bool, words: str) -> Transfer:
    """The other body takes the incident, or says why not: its own people, or the desk that asked them."""
    if not (asked := actor.may(Permission.INCIDENT_ACT, tx.district_id)):
        actor.must(Permission.TRANSFER_ANSWER, tx.district_id)
    offered = store.transfers.get(tx.connection, tx.district_id, id)
    if not asked and actor.body_id != offered.to_body_id:
        raise NotFound("transfer.missing", en="There is no such transfer.", zh="没有该移交。")
    answered = store.transfers.put(tx, offered.answered(accepted, words, actor.id, clock.now()))
    incident = store.incidents.get(tx.connection, tx.district_id, offered.incident_id)
    kind = IncidentKind.ACCEPTED if accepted else IncidentKind.REFUSED
    _tell(tx, actor, kind, incident, {"body": offered.to_body_id})
    if accepted:
        matters.entrust(tx, actor=_for_its_matter(actor), id=incident.id, body_id=offered.to_body_id)
    return answered


def _open(
    tx: Transaction,
    actor: Actor,
    id: str,
    source: Source,
    text: str,
    category: Category | None,
    priority: Priority | None,
    spot: Spot,
    called_at: datetime,
    drill: bool,
    more: dict[str, Any],
) -> Matter:
    wanted = priority or (category.priority if category else Priority.P3)
    urgency = wanted
    if source is not Source.SOS:
        urgency = most_urgent(tx.connection, actor, tx.district_id, wanted, spot)
    return matters.open_matter(
        tx,
        actor=_for_its_matter(actor),
        id=id,
        kind=MatterKind.INCIDENT,
        priority=urgency,
        subject=SUBJECT,
        params=_params(category) | more,
        text=text,
        zone_id=spot.zone_id,
        due=due_of(urgency, category, called_at),
        drill=drill,
    )


def _for_its_matter(actor: Actor) -> Actor:
    """Who may report an incident, or take one over, may so change its matter, and no other."""
    return replace(actor.lent(Permission.MATTER_ACT), sees_every_body=True)


def _params(category: Category | None) -> dict[str, Any]:
    """What the matter says: the category's words as they are now, which it keeps."""
    if category is None:
        return {"category": None}
    return {"category": category.id, "name_zh": category.name_zh, "name_en": category.name_en}


def _in_use(categories: Mapping[str, Category], category_id: str) -> Category:
    category = categories.get(category_id)
    if category is None or category.retired:
        raise NotFound("category.missing", en="There is no such category.", zh="没有该类别。")
    return category


def _mine(tx: Transaction, actor: Actor, id: str, version: int | None = None) -> Incident:
    """The incident, when the actor may act on it and, with `version`, nobody changed it meanwhile."""
    actor.must(Permission.INCIDENT_ACT, tx.district_id)
    _, incident = store.get(tx.connection, actor.scope, tx.district_id, id)
    if version is not None and version != incident.version:
        raise StaleVersion(
            "incidents.stale",
            en="Somebody else changed this in the meantime; look again.",
            zh="期间已有他人修改，请刷新后重试。",
        )
    return incident


def _tell(
    tx: Transaction, actor: Actor, kind: IncidentKind, incident: Incident, details: dict[str, Any]
) -> None:
    journal.record(
        tx, actor_id=actor.id, kind=kind, subject_id=incident.id, details=details, drill=incident.drill
    )
