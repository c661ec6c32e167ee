"""A drill: which scenario plays since when, and what the score was. Its district is a copy that bears the
real one's code with `-drill`; whatever happens there is marked and enters no figure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from anshang.foundation.errors import RuleBroken


class DrillKind(StrEnum):
    """What can happen to drills (journal kinds)."""

    BEGUN = "drill.begun"
    ENDED = "drill.ended"


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill of a district; `scenario` is its file, `score` the steps with their times once it has ended."""

    id: str
    district_id: str
    name_zh: str
    name_en: str
    scenario: str
    begun_at: datetime
    begun_by: str
    ended_at: datetime | None = None
    score: list[dict[str, Any]] | None = None
    version: int = 1

    def ended(self, at: datetime, score: list[dict[str, Any]]) -> Drill:
        """It is over, with its score; RuleBroken when it was before."""
        if self.ended_at is not None:
            raise RuleBroken("drill.over", en="This drill is over.", zh="该演练已结束。")
        return replace(self, ended_at=at, score=score)


class Step(StrEnum):
    """What is timed of an inject."""

    ACKNOWLEDGED = "acknowledged"
    SENT = "sent"
    ON_SCENE = "on_scene"
    ORDERED = "ordered"
    LOOKOUT = "lookout"
    FOUND = "found"
    NOT_PLAYED = "not_played"
    """The inject never came: a fault of ours, which is shown and counts for nobody."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A step of an inject: within how many seconds it should be done, and was (None: never)."""

    inject: str
    step: Step
    target_s: float
    took_s: float | None

    @property
    def met(self) -> bool:
        """Whether it was done in time."""
        return self.took_s is not None and self.took_s <= self.target_s
