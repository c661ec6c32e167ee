"""How good the forecast of a district has been: its errors and intervals, and its warnings, over some weeks.

Warnings and dangerous levels are read from the journal, so what is told here can be followed entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import Connection

from anshang.crowds import trained_store as store
from anshang.crowds.episodes import OUTCOME_AVERTED, OUTCOME_CAME, OUTCOME_PASSED
from anshang.crowds.model import CrowdKind
from anshang.crowds.thresholds import WARNED_FROM
from anshang.foundation import clock
from anshang.journal import store as journal
from anshang.journal.model import Entry


@dataclass(frozen=True, slots=True)
class HorizonQuality:
    """Forecasts of one horizon, with or without a trained model: how many (zone and quarter), the mean error
    in people, that of saying that nothing changes, the weighted quantile loss, the shares inside the
    intervals.
    """

    horizon_s: int
    trained: bool
    forecasts_count: int
    error: float
    error_still: float
    loss: float
    covered80: float
    covered95: float


@dataclass(frozen=True, slots=True)
class WarningQuality:
    """Warnings that ended: the level came, or it was averted, or it passed by itself (a false alarm); how
    often the level came unwarned; the median time from warning to level (s).
    """

    came: int
    averted: int
    passed: int
    missed: int
    lead_s: float | None


@dataclass(frozen=True, slots=True)
class ForecastQuality:
    """Both, over [from_at, to_at)."""

    from_at: datetime
    to_at: datetime
    horizons: tuple[HorizonQuality, ...]
    warnings: WarningQuality


def quality(connection: Connection, district_id: str, from_at: datetime, to_at: datetime) -> ForecastQuality:
    """How good the forecast was over a span."""
    return ForecastQuality(
        from_at,
        to_at,
        horizons(connection, district_id, from_at, to_at),
        warnings(_entries(connection, district_id, from_at, to_at)),
    )


def horizons(
    connection: Connection, district_id: str, from_at: datetime, to_at: datetime
) -> tuple[HorizonQuality, ...]:
    """How good its forecasts of each horizon were over a span."""
    sums = store.sum_outcomes(connection, district_id, clock.to_ms(from_at), clock.to_ms(to_at))
    return tuple(_horizon(horizon_s, trained, each) for (horizon_s, trained), each in sums.items())


def warnings(entries: Iterable[Entry]) -> WarningQuality:
    """What became of warnings, from journal entries in their order; drills are left out."""
    ends = {OUTCOME_CAME: 0, OUTCOME_AVERTED: 0, OUTCOME_PASSED: 0}
    warned: set[str] = set()
    reached, leads = 0, []
    for entry in entries:
        if entry.drill:
            continue
        if entry.kind == CrowdKind.LEVEL_CROSSED:
            if entry.details["from"] < WARNED_FROM <= entry.details["to"]:
                reached += entry.subject_id not in warned
        elif entry.kind == CrowdKind.WARNING_RAISED:
            warned.add(entry.subject_id)
        elif entry.kind == CrowdKind.WARNING_CLOSED:
            warned.discard(entry.subject_id)
            outcome = entry.details["outcome"]
            ends[outcome] = ends.get(outcome, 0) + 1
            if outcome == OUTCOME_CAME:
                leads.append(float(entry.details["lasted_s"]))
    return WarningQuality(
        ends[OUTCOME_CAME],
        ends[OUTCOME_AVERTED],
        ends[OUTCOME_PASSED],
        reached,
        median(leads) if leads else None,
    )


def _entries(connection: Connection, district_id: str, from_at: datetime, to_at: datetime) -> list[Entry]:
    kinds = [CrowdKind.LEVEL_CROSSED, CrowdKind.WARNING_RAISED, CrowdKind.WARNING_CLOSED]
    return journal.list_of_kinds(connection, district_id, [str(kind) for kind in kinds], from_at, to_at)


def _horizon(horizon_s: int, trained: bool, sums: dict[str, float]) -> HorizonQuality:
    many = sums["zones_count"]
    return HorizonQuality(
        horizon_s,
        trained,
        int(many),
        sums["error_sum"] / many,
        sums["still_sum"] / many,
        sums["loss_sum"] / sums["people_sum"] if sums["people_sum"] > 0 else 0.0,
        sums["inside80_count"] / many,
        sums["inside95_count"] / many,
    )
