"""Why a unit is not sent; all but `taken` ask a person, who may insist."""

from __future__ import annotations

from collections.abc import Sequence

from anshang.foundation.errors import RuleBroken
from anshang.matters.model import Matter
from anshang.patrols.actions import unfit
from anshang.patrols.model import Reason, Unit


def taken(unit: Unit, matter: Matter) -> RuleBroken:
    """It is on its way already, and nobody may change that."""
    return RuleBroken(
        "unit.taken",
        en=f"{unit.call_sign} is on its way to {matter.number:04d} already.",
        zh=f"{unit.call_sign} 已派往 {matter.number:04d}。",
        details={"unit": unit.id, "incident": matter.id, "number": matter.number},
    )


def preempts(unit: Unit, matter: Matter) -> RuleBroken:
    """It is bound to something less urgent."""
    return RuleBroken(
        "unit.preempts",
        en=f"{unit.call_sign} is bound to {matter.number:04d} (P{matter.priority}). Call it off from there?",
        zh=f"{unit.call_sign} 正处理 {matter.number:04d}（P{matter.priority}）。要将其调离吗？",
        details={"unit": unit.id, "incident": matter.id, "number": matter.number},
    )


def not_free(unit: Unit) -> RuleBroken:
    """It says that it is busy, or has a break."""
    return RuleBroken(
        "unit.not_free",
        en=f"{unit.call_sign} says it is not free. Send it all the same?",
        zh=f"{unit.call_sign} 当前不空闲。仍要派出吗？",
        details={"unit": unit.id, "status": str(unit.status)},
    )


def looks_only(unit: Unit, reasons: Sequence[Reason]) -> RuleBroken:
    """It may not help whoever calls, but may look from the edge."""
    why = unfit(reasons)
    return RuleBroken(
        "unit.looks_only",
        en=f"{why.en} Send {unit.call_sign} to look from the edge all the same?",
        zh=f"{why.zh}仍要派 {unit.call_sign} 在外围查看吗？",
        details={"unit": unit.id, **why.details},
    )
