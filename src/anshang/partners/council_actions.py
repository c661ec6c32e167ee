"""What is done in the council: convene, note who came, move, vote, decide, resolve, and carry out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import BadInput, RuleBroken
from anshang.journal import actions as journal
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import MatterKind, MatterState, Priority
from anshang.partners import council_store as store
from anshang.partners import store as partners
from anshang.partners.council import CouncilEvent, Meeting, Motion, MotionState, Resolution, Vote
from anshang.places import store as places

SUBJECT = "matter.resolution"
OUTCOME_DONE = "outcome.carried_out"
ITEMS_MOST = 30


def convene(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    title: str,
    starts_at: datetime,
    place: str,
    agenda: Sequence[str],
) -> Meeting:
    """Call a meeting; the same id again changes when, where and what about."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    items = [item.strip() for item in agenda if item.strip()]
    if not items or len(items) > ITEMS_MOST:
        raise BadInput("meeting.agenda", en="An agenda has 1 to 30 items.", zh="议程应有 1 至 30 项。")
    known = store.meetings.find(tx.connection, tx.district_id, ids.checked_id(id))
    if known is None:
        meeting = Meeting(id, tx.district_id, title.strip(), starts_at, place.strip(), items)
        store.meetings.add(tx, meeting)
        _tell(tx, actor, CouncilEvent.CONVENED, id, {"starts_at": starts_at.isoformat()})
        return meeting
    wanted = known.changed(title.strip(), starts_at, place.strip(), items)
    if wanted == known:
        return known
    changed = store.meetings.put(tx, wanted)
    _tell(tx, actor, CouncilEvent.CHANGED, id, {"starts_at": starts_at.isoformat()})
    return changed


def note_attendance(tx: Transaction, *, actor: Actor, id: str, partner_ids: Sequence[str]) -> Meeting:
    """Say which partners are there."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    meeting = store.meetings.get(tx.connection, tx.district_id, id)
    for partner_id in partner_ids:
        partners.partners.get(tx.connection, tx.district_id, partner_id)
    changed = store.meetings.put(tx, meeting.attended_by(tuple(partner_ids)))
    _tell(tx, actor, CouncilEvent.CHANGED, id, {"attended": len(changed.attended)})
    return changed


def close(tx: Transaction, *, actor: Actor, id: str) -> Meeting:
    """The meeting is over."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    meeting = store.meetings.get(tx.connection, tx.district_id, id)
    closed = store.meetings.put(tx, meeting.closed(clock.now()))
    _tell(tx, actor, CouncilEvent.CLOSED, id, {"attended": len(closed.attended)})
    return closed


def move(
    tx: Transaction, *, actor: Actor, id: str, meeting_id: str, text: str, moved_by: str | None
) -> Motion:
    """Put a motion before the meeting."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    said = {"meeting_id": meeting_id, "text": text.strip(), "moved_by": moved_by}
    if known := store.motions.find_again(tx.connection, tx.district_id, id, **said):
        return known
    meeting = store.meetings.get(tx.connection, tx.district_id, meeting_id)
    meeting.must_be_open()
    if moved_by is not None:
        partners.partners.get(tx.connection, tx.district_id, moved_by)
    motion = Motion(id, tx.district_id, meeting_id, text.strip(), moved_by)
    store.motions.add(tx, motion)
    _tell(tx, actor, CouncilEvent.MOVED, id, {"meeting": meeting_id})
    return motion


def vote(tx: Transaction, *, actor: Actor, id: str, votes: Mapping[str, Vote]) -> Motion:
    """Note how partners vote; a later vote of one takes the place of the earlier."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    motion = store.motions.get(tx.connection, tx.district_id, id)
    meeting = store.meetings.get(tx.connection, tx.district_id, motion.meeting_id)
    changed = store.motions.put(tx, motion.voted(votes, meeting.attended))
    _tell(tx, actor, CouncilEvent.VOTED, id, _counted(changed))
    return changed


def decide(tx: Transaction, *, actor: Actor, id: str) -> Motion:
    """Close the vote: carried by more votes for than against."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    motion = store.motions.get(tx.connection, tx.district_id, id)
    decided = store.motions.put(tx, motion.decided())
    _tell(tx, actor, CouncilEvent.DECIDED, id, _counted(decided) | {"state": str(decided.state)})
    return decided


def resolve(
    tx: Transaction, *, actor: Actor, id: str, motion_id: str, text: str, owner_id: str, due_on: date
) -> Resolution:
    """What a carried motion asks for: who does it by when."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    said = {"motion_id": motion_id, "text": text.strip(), "owner_id": owner_id, "due_on": due_on}
    if known := store.resolutions.find_again(tx.connection, tx.district_id, id, **said):
        return known
    motion = store.motions.get(tx.connection, tx.district_id, motion_id)
    if motion.state is not MotionState.CARRIED:
        raise RuleBroken(
            "resolution.not_carried",
            en="Only a motion that was carried is resolved.",
            zh="议案通过后方可形成决议。",
        )
    partners.partners.get(tx.connection, tx.district_id, owner_id)
    resolution = Resolution(id, tx.district_id, motion_id, text.strip(), owner_id, due_on)
    resolution.check(places.get_district(tx.connection, tx.district_id).local(clock.now()).date())
    store.resolutions.add(tx, resolution)
    details = {"motion": motion_id, "owner": owner_id, "due_on": due_on.isoformat()}
    _tell(tx, actor, CouncilEvent.RESOLVED, id, details)
    return resolution


def carry_out(tx: Transaction, *, actor: Actor, id: str) -> Resolution:
    """It is done; the matter with which it came back is closed too."""
    actor.must(Permission.PARTNER_CONFIGURE, tx.district_id)
    resolution = store.resolutions.get(tx.connection, tx.district_id, id)
    done = store.resolutions.put(tx, resolution.done(clock.now()))
    if resolution.matter_id is not None:
        matter = matters_store.get(tx.connection, actor.scope, tx.district_id, resolution.matter_id)
        if matter.state is not MatterState.CLOSED and actor.may(Permission.MATTER_ACT, tx.district_id):
            matters.close(tx, actor=actor, id=matter.id, outcome=OUTCOME_DONE)
    _tell(tx, actor, CouncilEvent.DONE, id, {})
    return done


def bring_back(database: Database, district_id: str, *, actor: Actor) -> int:
    """Put resolutions whose day has come into the queue; how many."""
    with database.reading([district_id]) as connection:
        today = places.get_district(connection, district_id).local(clock.now()).date()
        if not store.list_due(connection, district_id, today):
            return 0
    with database.transaction(district_id) as tx:
        due = store.list_due(tx.connection, district_id, today)
        for resolution in due:
            matter = matters.open_matter(
                tx,
                actor=actor,
                id=ids.new_id(),
                kind=MatterKind.REQUEST,
                priority=Priority.P4,
                subject=SUBJECT,
                params={"owner": resolution.owner_id, "due_on": resolution.due_on.isoformat()},
                text=resolution.text,
            )
            store.resolutions.put(tx, resolution.returned(matter.id))
            _tell(tx, actor, CouncilEvent.DUE, resolution.id, {"matter": matter.id})
    return len(due)


def _counted(motion: Motion) -> dict[str, Any]:
    return {str(vote): count for vote, count in motion.count.items()}


def _tell(tx: Transaction, actor: Actor, kind: CouncilEvent, id: str, details: dict[str, Any]) -> None:
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=id, details=details)
