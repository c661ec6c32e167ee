"""A matter is something that waits for a person: open, then acknowledged, then closed; perhaps opened again.

Its subject is a dictionary key with parameters, so that the console says it in either language; `text` is
what a person typed. Free text is kept in the row and never in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from anshang.foundation.errors import BadInput, RuleBroken

ACCOUNT, ACCOUNT_NAME = "account", "account_name"
"""The parameter of a matter that names an account, and the one with its name as it is when it is shown:
a name is kept with the account alone, and goes with it.
"""


class MatterKind(StrEnum):
    """What sort of matter it is; the rooms above add theirs by opening them."""

    CROWD = "crowd"
    SENSOR = "sensor"
    REQUEST = "request"
    NOTE = "note"
    INCIDENT = "incident"
    LOOKOUT = "lookout"


ALARMS = frozenset({MatterKind.CROWD, MatterKind.SENSOR})
"""What the system itself raises."""
SHELVED_MOST = timedelta(hours=8)
"""No alarm is put aside for longer: the next shift sees it again."""


class Priority(IntEnum):
    """P1 threatens life now; P4 can wait for a quiet hour."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4


class MatterState(StrEnum):
    """Where a matter stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class ClockKind(StrEnum):
    """What a clock waits for."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    ARRIVE = "arrive"


class MatterEvent(StrEnum):
    """What can happen to a matter (journal kinds)."""

    OPENED = "matter.opened"
    ACKNOWLEDGED = "matter.acknowledged"
    RELEASED = "matter.released"
    NOTED = "matter.noted"
    REPRIORITISED = "matter.reprioritised"
    ENTRUSTED = "matter.entrusted"
    CLOSED = "matter.closed"
    REOPENED = "matter.reopened"
    SHELVED = "matter.shelved"
    UNSHELVED = "matter.unshelved"


@dataclass(frozen=True, slots=True)
class Due:
    """A clock to start: what it waits for, for how long, and the dictionary key that explains why."""

    kind: ClockKind
    within_s: float
    because: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock of a matter: running, or met by what it waits for and by nothing else. One that is not met when
    the matter closes stays so.
    """

    id: str
    district_id: str
    matter_id: str
    kind: ClockKind
    due_at: datetime
    because: str
    params: dict[str, Any]
    met_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person wrote about a matter."""

    id: str
    district_id: str
    matter_id: str
    at: datetime
    author_id: str
    text: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing in the queue."""

    id: str
    district_id: str
    number: int
    kind: MatterKind
    priority: Priority
    subject: str
    params: dict[str, Any]
    text: str
    zone_id: str | None
    body_id: str | None
    state: MatterState
    opened_at: datetime
    opened_by: str
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    outcome: str = ""
    drill: bool = False
    shelved_until: datetime | None = None
    version: int = 1

    def is_shelved(self, now: datetime) -> bool:
        """Whether it is put aside for a time."""
        return self.shelved_until is not None and now < self.shelved_until

    def shelved(self, until: datetime, now: datetime) -> Matter:
        """Put aside an alarm with an end; RuleBroken for anything else, for priority 1, and when closed."""
        self._must_not_be_closed()
        if self.kind not in ALARMS or self.priority is Priority.P1:
            raise RuleBroken(
                "matter.not_shelvable",
                en="Only alarms are put aside, and none of priority 1.",
                zh="只能搁置告警，且一级告警不得搁置。",
            )
        if not now < until <= now + SHELVED_MOST:
            raise BadInput(
                "matter.shelf_end",
                en="An alarm is put aside until an instant within the next 8 hours.",
                zh="告警搁置须有终止时间，最长 8 小时。",
            )
        return replace(self, shelved_until=until)

    def unshelved(self) -> Matter:
        """It counts again."""
        return replace(self, shelved_until=None)

    def acknowledged(self, by: str, at: datetime) -> Matter:
        """Somebody has seen it and takes care; RuleBroken when closed."""
        self._must_not_be_closed()
        return replace(self, state=MatterState.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=by)

    def released(self) -> Matter:
        """Whoever took care does not any more: it waits again; RuleBroken unless acknowledged."""
        if self.state is not MatterState.ACKNOWLEDGED:
            raise RuleBroken(
                "matter.not_acknowledged",
                en="Nobody takes care of this matter.",
                zh="该事项尚无人确认接收。",
            )
        return replace(self, state=MatterState.OPEN, acknowledged_at=None, acknowledged_by=None)

    def reprioritised(self, priority: Priority) -> Matter:
        """It is more or less urgent than thought; RuleBroken when closed."""
        self._must_not_be_closed()
        changed = replace(self, priority=priority)
        return changed.unshelved() if priority < self.priority else changed

    def retold(self, subject: str, params: dict[str, Any], priority: Priority) -> Matter:
        """The same matter as it stands now; a more urgent one waits to be acknowledged again."""
        self._must_not_be_closed()
        changed = replace(self, subject=subject, params=params, priority=priority)
        if priority < self.priority:
            changed = changed.unshelved()
            return changed.released() if self.state is MatterState.ACKNOWLEDGED else changed
        return changed

    def entrusted(self, body_id: str) -> Matter:
        """Another body takes care from now on; RuleBroken when closed."""
        self._must_not_be_closed()
        return replace(self, body_id=body_id)

    def closed(self, by: str, at: datetime, outcome: str) -> Matter:
        """It is settled, with the outcome in a person's words or a dictionary key; RuleBroken when closed."""
        self._must_not_be_closed()
        return replace(
            self,
            state=MatterState.CLOSED,
            closed_at=at,
            closed_by=by,
            outcome=outcome,
            shelved_until=None,
        )

    def reopened(self) -> Matter:
        """It was not settled after all; RuleBroken unless closed."""
        if self.state is not MatterState.CLOSED:
            raise RuleBroken("matter.not_closed", en="This matter is not closed.", zh="该事项尚未关闭。")
        return replace(
            self,
            state=MatterState.OPEN,
            acknowledged_at=None,
            acknowledged_by=None,
            closed_at=None,
            closed_by=None,
            outcome="",
        )

    def _must_not_be_closed(self) -> None:
        if self.state is MatterState.CLOSED:
            raise RuleBroken("matter.closed", en="This matter is closed.", zh="该事项已关闭。")


def started(due: Due, matter: Matter, id: str, at: datetime) -> Clock:
    """The clock of a matter that starts at the instant."""
    due_at = at + timedelta(seconds=due.within_s)
    return Clock(id, matter.district_id, matter.id, due.kind, due_at, due.because, due.params)
