"""An assignment is one unit asked to go to one incident: offered, then accepted, refused or left unanswered,
then moving, on the scene, done. A unit has one at a time.

No unit and nobody in it is ever ranked by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from anshang.foundation.errors import BadInput, RuleBroken
from anshang.incidents.categories import Task
from anshang.incidents.model import Step
from anshang.matters.model import Priority
from anshang.patrols.model import UnitStatus

LOSS_PER_S = MappingProxyType({Priority.P1: 8.0, Priority.P2: 4.0, Priority.P3: 2.0, Priority.P4: 1.0})
"""What a second of lateness weighs when several incidents want the same unit."""


class AssignmentState(StrEnum):
    """Where an assignment stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    MOVING = "moving"
    ON_SCENE = "on_scene"
    DONE = "done"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    STOOD_DOWN = "stood_down"


STATUS_OF: Mapping[AssignmentState, UnitStatus] = MappingProxyType(
    {
        AssignmentState.OFFERED: UnitStatus.OFFERED,
        AssignmentState.ACCEPTED: UnitStatus.ASSIGNED,
        AssignmentState.MOVING: UnitStatus.MOVING,
        AssignmentState.ON_SCENE: UnitStatus.ON_SCENE,
    }
)
"""The states in which an assignment is live, and what its unit is doing then."""

STEP_OF: Mapping[AssignmentState, Step] = MappingProxyType(
    {
        AssignmentState.OFFERED: Step.DISPATCHED,
        AssignmentState.ACCEPTED: Step.ACKNOWLEDGED,
        AssignmentState.MOVING: Step.MOVING,
        AssignmentState.ON_SCENE: Step.ON_SCENE,
        AssignmentState.DONE: Step.CONTROLLED,
    }
)
"""The step of the incident's life that each tells."""

GOING = (AssignmentState.ACCEPTED, AssignmentState.MOVING, AssignmentState.ON_SCENE, AssignmentState.DONE)
UNSERVED = frozenset({AssignmentState.REFUSED, AssignmentState.UNANSWERED})
"""Who was asked and does not go."""


class Because(StrEnum):
    """Why a unit cannot go, or was called off."""

    TOO_FAR = "too_far"
    BUSY = "busy"
    UNFIT = "unfit"
    UNSAFE = "unsafe"
    OTHER = "other"
    NONE = ""
    PREEMPTED = "preempted"
    CLOSED = "closed"
    CALLED_OFF = "called_off"


class AssignmentKind(StrEnum):
    """What can happen to an assignment, a rung of the ladder and the ladder itself (journal kinds)."""

    OFFERED = "assignment.offered"
    ACCEPTED = "assignment.accepted"
    REFUSED = "assignment.refused"
    UNANSWERED = "assignment.unanswered"
    MOVING = "assignment.moving"
    ON_SCENE = "assignment.on_scene"
    DONE = "assignment.done"
    STOOD_DOWN = "assignment.stood_down"
    NOBODY_LEFT = "assignment.nobody_left"
    BEGUN = "rung.begun"
    MET = "rung.met"
    MISSED = "rung.missed"
    RAISED = "rung.raised"
    LADDER_CHANGED = "ladder.changed"


@dataclass(frozen=True, slots=True)
class Assignment:
    """One unit asked to go to one incident. `expected_s` is the travel time that was reckoned when it was
    asked; `onward` when the next unit is asked by itself, should this one not go.
    """

    id: str
    district_id: str
    incident_id: str
    unit_id: str
    task: Task
    state: AssignmentState
    offered_at: datetime
    offered_by: str
    answer_by: datetime
    expected_s: float | None = None
    onward: bool = True
    answered_at: datetime | None = None
    moving_at: datetime | None = None
    on_scene_at: datetime | None = None
    ended_at: datetime | None = None
    because: Because = Because.NONE
    words: str = ""
    drill: bool = False
    version: int = 1

    @property
    def live(self) -> bool:
        """Whether the unit is bound by it."""
        return self.state in STATUS_OF

    @property
    def last_at(self) -> datetime:
        """When its last step was taken."""
        steps = (self.offered_at, self.answered_at, self.moving_at, self.on_scene_at)
        return max(at for at in steps if at is not None)

    def has_reached(self, state: AssignmentState) -> bool:
        """Whether it was accepted and has taken this step, or one after it."""
        return self.state in GOING and GOING.index(self.state) >= GOING.index(state)

    def settled_by(self, later: Assignment) -> bool:
        """Whether one of the same incident that was asked later stands in its stead: asked after this one had
        ended, called off or done since, or done with the incident after having been there.
        """
        ended_at = self.ended_at or self.offered_at
        if later.offered_at > ended_at or (later.state is AssignmentState.DONE and later.on_scene_at):
            return True
        return later.state not in UNSERVED and later.ended_at is not None and later.ended_at > ended_at

    def answered(self, accepted: bool, because: Because, words: str, at: datetime) -> Assignment:
        """The unit goes, or says why not. An answer that comes late may still accept what nobody withdrew."""
        late = self.state is AssignmentState.UNANSWERED and accepted
        if self.state is not AssignmentState.OFFERED and not late:
            raise _over()
        if accepted:
            return replace(self, state=AssignmentState.ACCEPTED, answered_at=at, ended_at=None)
        if because is Because.NONE:
            raise BadInput("assignment.no_reason", en="Say why you cannot go.", zh="请说明不能前往的理由。")
        state = AssignmentState.REFUSED
        return replace(self, state=state, answered_at=at, ended_at=at, because=because, words=words)

    def moved(self, to: AssignmentState, at: datetime) -> Assignment:
        """A step further; RuleBroken unless it was accepted and the step comes later than the last one."""
        if self.state not in GOING[:-1] or to not in GOING[GOING.index(self.state) + 1 :]:
            raise _over()
        if to is AssignmentState.MOVING:
            return replace(self, state=to, moving_at=at)
        if to is AssignmentState.ON_SCENE:
            return replace(self, state=to, on_scene_at=at)
        return replace(self, state=to, ended_at=at)

    def left_unanswered(self, now: datetime) -> Assignment:
        """Its time to answer is over."""
        return replace(self, state=AssignmentState.UNANSWERED, ended_at=now)

    def given_back(self, because: Because, now: datetime) -> Assignment:
        """The unit cannot go on with it, whatever step it has taken, and the next one is asked, however this
        one was; RuleBroken when it is over.
        """
        if not self.live:
            raise _over()
        return replace(self, state=AssignmentState.REFUSED, ended_at=now, because=because, onward=True)

    def stood_down(self, because: Because, words: str, now: datetime) -> Assignment:
        """It need not go any more; RuleBroken when it is over."""
        if not self.live:
            raise _over()
        state = AssignmentState.STOOD_DOWN
        return replace(self, state=state, ended_at=now, because=because, words=words)


def leading_on(theirs: Sequence[Assignment]) -> list[Assignment]:
    """Of all assignments of an incident (oldest first) those in whose stead the next unit is to be asked."""
    if any(one.live for one in theirs):
        return []
    return [
        one
        for number, one in enumerate(theirs)
        if one.state in UNSERVED and one.onward and not any(map(one.settled_by, theirs[number + 1 :]))
    ]


def _over() -> RuleBroken:
    return RuleBroken(
        "assignment.over",
        en="This task has moved on or is over; look again.",
        zh="该任务已进入其他环节或已结束，请刷新。",
    )


class MetBy(StrEnum):
    """What counts for a rung."""

    ARRIVAL = "arrival"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Rung:
    """Who is to be there after how long: units of these kinds, `target_s` after the step it starts with."""

    id: str
    name_zh: str
    name_en: str
    place_class: str
    kinds: tuple[str, ...]
    starts: Step
    target_s: float
    met_by: MetBy = MetBy.ARRIVAL


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs by their target; for which priorities it begins, after how long a missed rung goes to the
    supervisor (s), how long anybody takes to set out (s), and how long a unit has to answer before the next
    one is asked, for P1 to P4 (s).
    """

    priorities: tuple[Priority, ...]
    rungs: tuple[Rung, ...]
    raise_after_s: float
    notice_s: float
    answer_within_s: tuple[float, float, float, float]

    def answer_by(self, priority: Priority, now: datetime) -> datetime:
        """Until when a unit that is asked now may answer."""
        return now + timedelta(seconds=self.answer_within_s[priority - 1])

    def check(self, kinds: Mapping[str, object]) -> None:
        """BadInput unless it can be climbed."""
        targets = [rung.target_s for rung in self.rungs]
        if not targets or targets != sorted(set(targets)) or not 10 <= targets[0] <= targets[-1] <= 3600:
            raise BadInput(
                "ladder.bad_targets",
                en="Targets grow from rung to rung, between 10 seconds and an hour.",
                zh="各级目标时间须逐级递增，介于 10 秒与 1 小时之间。",
            )
        if len({rung.id for rung in self.rungs}) < len(self.rungs):
            raise BadInput("ladder.twice", en="Two rungs have one id.", zh="两级使用了同一编号。")
        if unknown := {kind for rung in self.rungs for kind in rung.kinds} - set(kinds):
            raise BadInput(
                "ladder.no_such_kind",
                en=f"There is no such kind of unit: {', '.join(sorted(unknown))}.",
                zh=f"没有该类单元：{'、'.join(sorted(unknown))}。",
            )


@dataclass(frozen=True, slots=True)
class RungRun:
    """A rung of the ladder of one incident: until when somebody is to be there, and what became of it."""

    id: str
    district_id: str
    incident_id: str
    rung_id: str
    due_at: datetime
    met_at: datetime | None = None
    met_by: str | None = None
    missed_at: datetime | None = None
    raised_at: datetime | None = None
    drill: bool = False
    version: int = 1

    def news(self, now: datetime, raise_after_s: float) -> RungRun | None:
        """What it becomes now if nobody came: missed, later raised to the supervisor; None for no change."""
        if self.met_at is not None or now < self.due_at:
            return None
        if self.missed_at is None:
            return replace(self, missed_at=now)
        if self.raised_at is None and now >= self.due_at + timedelta(seconds=raise_after_s):
            return replace(self, raised_at=now)
        return None
