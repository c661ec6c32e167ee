"""The first steps of a report's life, and the clocks that start with it."""

from __future__ import annotations

from datetime import datetime, timedelta

from anshang.foundation import clock, ids
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput
from anshang.incidents.categories import Category
from anshang.incidents.model import FROM_PHONES, SELF_STARTED, Incident, Moment, Source, Step
from anshang.matters.model import ClockKind, Due, Priority

ANSWER_WITHIN_S = {Priority.P1: 30.0, Priority.P2: 60.0, Priority.P3: 180.0, Priority.P4: 900.0}
ARRIVE_WITHIN_S = 600.0
"""While nobody has said what it is."""
OLDEST = timedelta(hours=24)


def first_moments(incident: Incident, now: datetime, by: str) -> list[Moment]:
    """The call, its answer unless our own people found it, and that somebody has said what it is."""
    told = {Step.CALL: incident.called_at}
    if incident.source not in SELF_STARTED:
        told[Step.ANSWERED] = now
    if incident.category_id is not None:
        told[Step.CLASSIFIED] = now
    return [
        Moment(ids.new_id(), incident.district_id, incident.id, step, at, now, by)
        for step, at in told.items()
    ]


def call_time(tx: Transaction, source: Source, claimed: datetime | None, now: datetime) -> datetime:
    """When the call came; a clock that is ahead of ours means now. BadInput when a desk names one older than
    OLDEST, while a phone's clock refuses nothing.
    """
    if source in FROM_PHONES:
        return tx.instant(claimed, since=now - OLDEST)
    called_at = min(claimed or now, now)
    if called_at < now - OLDEST:
        raise BadInput(
            "incident.bad_call", en="The call came within the last day.", zh="报警时间须在最近一天之内。"
        )
    return called_at


def due_of(priority: Priority, category: Category | None, called_at: datetime) -> list[Due]:
    """When it is to be answered, from now, and when somebody is to be there, from the call."""
    params = {"priority": int(priority)}
    answer_s = ANSWER_WITHIN_S[priority]
    arrive_s = ARRIVE_WITHIN_S if category is None else category.arrive_within_s
    gone_s = (clock.now() - called_at).total_seconds()
    return [
        Due(ClockKind.ACKNOWLEDGE, answer_s, "due.answer", params | {"within_s": answer_s}),
        Due(ClockKind.ARRIVE, arrive_s - gone_s, "due.arrive", params | {"within_s": arrive_s}),
    ]
