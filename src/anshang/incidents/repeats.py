"""What a report said when it came: an incident changes, a repetition of its report does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from anshang.foundation.errors import RuleBroken
from anshang.incidents.model import Incident, IncidentKind, Spot
from anshang.journal import store as journal_store
from anshang.matters.model import Priority
from anshang.people.actions import digest_of


def said_first(category_id: str | None, priority: Priority | None, spot: Spot) -> dict[str, Any]:
    """What was reported, as the journal keeps it: the place as a digest, which tells a repetition."""
    place = f"{spot.lon} {spot.lat} {spot.zone_id} {spot.premises_id}"
    return {"category": category_id, "priority": priority, "place": digest_of(place)[:16]}


def must_repeat(connection: Connection, known: Incident, original: Mapping[str, Any]) -> Incident:
    """What is there; RuleBroken when the first report with this id said something else: that is no retry."""
    for entry in journal_store.list_of_subject(connection, known.district_id, [known.id]):
        if entry.kind == IncidentKind.REPORTED and entry.details.get("said", original) != original:
            raise RuleBroken(
                "incidents.taken", en="This id is in use for something else.", zh="该编号已用于其他内容。"
            )
    return known
