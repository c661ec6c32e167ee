"""The board of an incident, or of the whole duty: who commands, what was said to whom and who has read it,
who answers a roll-call, who works alone.

Everybody on a board sees the same one; a message goes to all of them or to one unit, never through a chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from anshang.foundation.errors import BadInput, RuleBroken
from anshang.patrols.model import Personal


class MessageKind(StrEnum):
    """What a message is."""

    MESSAGE = "message"
    ETHANE = "ethane"
    DECISION = "decision"


ETHANE = ("major", "exact_place", "kind", "hazards", "access", "casualties", "services")
"""The points of an M/ETHANE report, in their order."""


class BoardKind(StrEnum):
    """What can happen on a board (journal kinds)."""

    TAKEN = "command.taken"
    HANDED_OVER = "command.handed_over"
    SENT = "message.sent"
    READ = "message.read"
    CALLED = "rollcall.called"
    PRESENT = "rollcall.answered"
    SILENT = "rollcall.silent"
    ALONE = "lone.begun"
    BACK = "lone.ended"
    OVERDUE = "lone.overdue"


@dataclass(frozen=True, slots=True)
class Command:
    """Who commands at an incident, since when; `id` is the incident's."""

    id: str
    district_id: str
    commander_id: str
    since_at: datetime
    reason: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """Something said on a board: to everybody (`to_unit_id` None) or to one unit; `at` is when it was
    written, `received_at` when it came.
    """

    id: str
    district_id: str
    incident_id: str | None
    from_id: str
    from_unit_id: str | None
    to_unit_id: str | None
    kind: MessageKind
    text: str
    report: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None
    received_at: datetime | None = None
    drill: bool = False
    version: int = 1

    def check(self) -> None:
        """BadInput for an empty one, or a report with points nobody knows."""
        if self.kind is MessageKind.ETHANE:
            if not self.report or not set(self.report) <= set(ETHANE):
                raise BadInput(
                    "message.bad_report",
                    en=f"A report has these points: {', '.join(ETHANE)}.",
                    zh=f"报告须包含以下要素：{'、'.join(ETHANE)}。",
                )
        elif not self.text.strip():
            raise BadInput("message.empty", en="Say something.", zh="请填写内容。")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Somebody has read a message."""

    id: str
    district_id: str
    message_id: str
    reader_id: str
    unit_id: str | None
    at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class RollCall:
    """All units on duty are asked whether they are well; who is silent is told to the supervisor."""

    id: str
    district_id: str
    incident_id: str | None
    asked_at: datetime
    asked_by: str
    answer_by: datetime
    unit_ids: tuple[str, ...]
    silent_at: datetime | None = None
    drill: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Presence:
    """A unit has answered a roll-call."""

    id: str
    district_id: str
    roll_call_id: str
    unit_id: str
    at: datetime
    words: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class LoneTimer:
    """Somebody works alone and says so again before `due_at`, or help is sent to look."""

    id: str
    district_id: str
    unit_id: str
    begun_by: str
    begun_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    overdue_at: datetime | None = None
    version: int = 1

    def ended(self, at: datetime) -> LoneTimer:
        """They are back; RuleBroken when the timer has ended."""
        if self.ended_at is not None:
            raise RuleBroken("lone.ended", en="This timer has ended.", zh="该计时已结束。")
        return replace(self, ended_at=at)


PERSONAL = MappingProxyType(
    {
        "Command.commander_id": Personal("staff", "who answers for decisions", "3 years, as the journal"),
        "Message.from_id": Personal("staff", "who said it", "3 years, as the journal"),
        "Receipt.reader_id": Personal("staff", "who knows it", "3 years, as the journal"),
        "LoneTimer.begun_by": Personal("staff", "whom to look for", "3 years, as the journal"),
    }
)
"""Fields that name somebody of the staff, by account."""
