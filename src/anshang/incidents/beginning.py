"""The first steps of a report's life."""

from __future__ import annotations

from datetime import datetime

from anshang.foundation import ids
from anshang.incidents.model import SELF_STARTED, Incident, Moment, Step


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
