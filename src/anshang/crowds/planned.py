"""What is planned and draws people: entered by a person or from a calendar, known to the forecast before."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from anshang.crowds.model import PlannedEvent
from anshang.foundation.errors import BadInput, RuleBroken

LONGEST = timedelta(days=31)
EXPECTED_MOST = 2_000_000
_NAMESPACE = uuid.UUID("5d6f0a52-7a77-4e0b-9a0e-8f0b6d3a4c11")


class PlannedKind(StrEnum):
    """What can happen to a plan (journal kinds)."""

    ENTERED = "event.entered"
    IMPORTED = "event.imported"
    WITHDRAWN = "event.withdrawn"


@dataclass(frozen=True, slots=True)
class Plan:
    """An event in the district, or in one zone; the same kind of event bears the same name each time."""

    id: str
    district_id: str
    name: str
    zone_id: str | None
    start_at: datetime
    end_at: datetime
    expected_count: int | None
    withdrawn_at: datetime | None = None
    version: int = 1

    def check(self) -> None:
        """BadInput unless it begins before it ends, within a month, with a name."""
        if not self.name.strip():
            raise BadInput("event.nameless", en="Say what it is.", zh="请填写活动名称。")
        if not self.start_at < self.end_at <= self.start_at + LONGEST:
            raise BadInput(
                "event.times",
                en="An event ends after it begins, and lasts a month at most.",
                zh="活动的结束须晚于开始，且最长一个月。",
            )
        if self.expected_count is not None and not 0 <= self.expected_count <= EXPECTED_MOST:
            raise BadInput("event.expected", en="So many people cannot be expected.", zh="预计人数不合理。")

    def withdrawn(self, at: datetime) -> Plan:
        """It does not take place; RuleBroken when it was withdrawn before."""
        if self.withdrawn_at is not None:
            raise RuleBroken("event.withdrawn", en="This event was withdrawn.", zh="该活动已取消。")
        return replace(self, withdrawn_at=at)

    @property
    def event(self) -> PlannedEvent:
        """As the forecast knows it."""
        return PlannedEvent(self.name, self.start_at, self.end_at, self.expected_count)


def id_of(district_id: str, event: PlannedEvent) -> str:
    """The id of an event from a file: the same one is the same again, however often it is read."""
    return str(uuid.uuid5(_NAMESPACE, f"{district_id} {event.name} {event.start_at.isoformat()}"))
