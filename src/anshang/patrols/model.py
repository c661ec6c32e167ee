"""Units that can be sent: their kinds, crews, duty and status, and who is fit for what.

Of the people in a crew only what a task needs is kept: until when they are insured and trained, and whether
they are of age. No unit and nobody in it is ever ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from anshang.foundation.errors import RuleBroken
from anshang.incidents.categories import Task
from anshang.people.model import Role


class Mode(StrEnum):
    """How a unit moves."""

    WALKING = "walking"
    CYCLING = "cycling"
    DRIVING = "driving"
    FLYING = "flying"
    FIXED = "fixed"


class Skill(StrEnum):
    """What somebody of a crew can do beside walking a beat."""

    FIRST_AID = "first_aid"
    MEDIATION = "mediation"
    ENGLISH = "english"
    JAPANESE = "japanese"
    KOREAN = "korean"
    SIGN_LANGUAGE = "sign_language"
    RADIO = "radio"


FOR_ADULTS = frozenset({Task.SEPARATE, Task.IDENTIFY, Task.CROWD})
POLICE_ONLY = frozenset({Task.SEPARATE, Task.IDENTIFY})


class UnitStatus(StrEnum):
    """What a unit is doing."""

    OFF_DUTY = "off_duty"
    FREE = "free"
    BUSY = "busy"
    BREAK = "break"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    MOVING = "moving"
    ON_SCENE = "on_scene"


OWN_STATUS = frozenset({UnitStatus.FREE, UnitStatus.BUSY, UnitStatus.BREAK})
"""What a crew says of itself while it is on duty."""
SENT = frozenset({UnitStatus.OFFERED, UnitStatus.ASSIGNED, UnitStatus.MOVING, UnitStatus.ON_SCENE})
"""What follows from what it was sent to."""


class PatrolKind(StrEnum):
    """What can happen to units (journal kinds)."""

    DEFINED = "unit.defined"
    RETIRED = "unit.retired"
    KEYED = "unit.keyed"
    STATUS_SET = "unit.status_set"
    BEGUN = "duty.begun"
    ENDED = "duty.ended"
    QUALIFIED = "member.qualified"


@dataclass(frozen=True, slots=True)
class UnitKind:
    """A kind of unit; `speed_m_per_s` on a free street, 0 for one that stays where it is."""

    id: str
    name_zh: str
    name_en: str
    mode: Mode
    speed_m_per_s: float
    tasks: tuple[Task, ...]
    police: bool = False
    insured: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """Somebody who can be sent. `since_at` is since when it has its status; a crew only while on duty."""

    id: str
    district_id: str
    kind_id: str
    call_sign: str
    name_zh: str
    name_en: str
    post_id: str | None
    body_id: str | None
    status: UnitStatus
    since_at: datetime
    duty_id: str | None = None
    device_digest: str | None = None
    retired_at: datetime | None = None
    version: int = 1

    def begun(self, duty_id: str, at: datetime) -> Unit:
        """On duty from now; RuleBroken when it is already, or retired."""
        if self.retired_at is not None:
            raise RuleBroken("unit.retired", en="This unit is retired.", zh="该单元已停用。")
        if self.duty_id is not None:
            raise RuleBroken("unit.on_duty", en="This unit is on duty already.", zh="该单元已在岗。")
        return replace(self, status=UnitStatus.FREE, since_at=at, duty_id=duty_id)

    def ended(self, at: datetime) -> Unit:
        """Off duty from now; RuleBroken while it is sent somewhere."""
        self._must_not_be_sent()
        return replace(self, status=UnitStatus.OFF_DUTY, since_at=at, duty_id=None)

    def told(self, status: UnitStatus, at: datetime) -> Unit:
        """What the crew says it is doing; RuleBroken off duty, or while it is sent somewhere."""
        self._must_not_be_sent()
        return self.employed(status, at)

    def employed(self, status: UnitStatus, at: datetime) -> Unit:
        """What it is doing since the instant; RuleBroken off duty."""
        if self.duty_id is None:
            raise RuleBroken("unit.off_duty", en="This unit is not on duty.", zh="该单元未在岗。")
        return self if status is self.status else replace(self, status=status, since_at=at)

    def _must_not_be_sent(self) -> None:
        if self.status in SENT:
            raise RuleBroken(
                "unit.sent",
                en="This unit has a task; finish it or give it back first.",
                zh="该单元正有任务，请先完成或退回任务。",
            )


@dataclass(frozen=True, slots=True)
class Duty:
    """A unit's time on duty and its crew, by account."""

    id: str
    district_id: str
    unit_id: str
    crew: tuple[str, ...]
    began_at: datetime
    ended_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """What a task needs to know of somebody in a crew; `id` is the account's. A trusted volunteer on duty is
    told whom a look-out is for, others only that there is one.
    """

    id: str
    district_id: str
    insured_until: date | None
    trained_until: date | None
    adult: bool
    skills: tuple[str, ...] = ()
    trusted: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Personal:
    """Why a personal field is kept, and for how long."""

    kind: str
    purpose: str
    retention: str


PERSONAL: Mapping[str, Personal] = MappingProxyType(
    {
        "Member.insured_until": Personal("staff", "insured before a risky task", "while the account is open"),
        "Member.trained_until": Personal("staff", "trained for the task", "while the account is open"),
        "Member.adult": Personal("staff", "of an age for the task", "while the account is open"),
        "Member.skills": Personal("staff", "fit for the task", "while the account is open"),
        "Member.trusted": Personal("staff", "which alerts they get", "while the account is open"),
        "Duty.crew": Personal("staff", "who is on duty, and true hours", "3 years, as the journal"),
    }
)
"""Every personal field of this room; a test fails when one is missing here."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something cannot be asked of a unit, with the rule if there is one."""

    code: str
    zh: str
    en: str
    rule: str = ""


CREW_BY_THEMSELVES = {True: frozenset({Role.PATROL}), False: frozenset({Role.PATROL, Role.VOLUNTEER})}
"""Whose accounts go on duty by themselves, with a police unit or with another."""
CREW_NAMED = {
    True: CREW_BY_THEMSELVES[True] | {Role.DESK, Role.SUPERVISOR},
    False: CREW_BY_THEMSELVES[False] | {Role.DESK, Role.SUPERVISOR, Role.PARTNER, Role.MEDIATOR},
}
"""Whom the desk may put in a crew, of a police unit or of another."""
NO_CREW = Reason(
    "crew", "有成员不得编入该类单元。", "A member may not serve with this kind of unit.", "units.md"
)


def may_crew(kind: UnitKind, role: Role | None, *, named: bool) -> bool:
    """Whether somebody of the role may be in the crew of a kind of unit, `named` by the desk or by
    themselves. None: the account is closed, or has no access to the district.
    """
    return role in (CREW_NAMED if named else CREW_BY_THEMSELVES)[kind.police]


def unfitness(
    kind: UnitKind,
    crew: Sequence[Member | None],
    task: Task,
    on: date,
    roles: Sequence[Role | None] = (),
) -> tuple[Reason, ...]:
    """Why a unit with this crew, of these roles, may not do a task on a day; empty when it may. A crew member
    of whom nothing is known (None) is neither insured nor trained.
    """
    if task not in kind.tasks or (task in POLICE_ONLY and not kind.police):
        rule = "保安服务管理条例 Art. 30" if task in POLICE_ONLY else ""
        return (Reason("task", "该类单元不承担此任务。", "This kind of unit does not do this.", rule),)
    reasons = [] if all(may_crew(kind, role, named=True) for role in roles) else [NO_CREW]
    volunteers = "志愿服务条例 Art. 15–17"
    if kind.insured and not all(_holds(one.insured_until if one else None, on) for one in crew):
        reasons.append(
            Reason("insurance", "有成员没有有效保险。", "A member has no valid insurance.", volunteers)
        )
    if kind.insured and not all(_holds(one.trained_until if one else None, on) for one in crew):
        reasons.append(
            Reason("training", "有成员的培训已过期或缺失。", "A member is not trained.", volunteers)
        )
    if not kind.police and task in FOR_ADULTS and not all(one is not None and one.adult for one in crew):
        reasons.append(Reason("age", "该任务仅限成年人。", "This task is for adults.", volunteers))
    return tuple(reasons)


def _holds(until: date | None, on: date) -> bool:
    return until is not None and until >= on
