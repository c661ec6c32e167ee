"""Warnings: a zone is expected to become dangerously dense. One episode for each zone, raised once and
closed.

It is raised when the chance of an alert within the hour reaches the zone's threshold (`thresholds.py`) three
minutes in a row; it closes by itself when the level is reached (the alarm of the level takes over), or when
the danger has stayed unlikely for ten minutes. What was done meanwhile decides whether it was averted or
has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from anshang.crowds import store
from anshang.crowds.ahead import LEVELS_TOLD, NEAR_S, Outlook, ZoneOutlook
from anshang.crowds.alarms import open_episode, retell_episode
from anshang.crowds.model import CrowdKind, Level
from anshang.crowds.thresholds import WARNED_FROM
from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.journal import actions as journal
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import Matter, Priority

SUBJECT_WARNING = "matter.crowd.warning"
OUTCOME_CAME, OUTCOME_AVERTED, OUTCOME_PASSED = "outcome.came", "outcome.averted", "outcome.passed"
OVER_SHARE = 0.5
"""A danger is over when its chance is below that share of the zone's threshold."""
PERSISTS, QUIET = timedelta(minutes=3), timedelta(minutes=10)
MOVED_S = 600.0
"""A warning is told anew when its instant moves by more, or its level rises."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A level that is likely enough to warn of within the hour: how likely, and by when half so likely."""

    zone_id: str
    level: Level
    at: datetime
    chance: float


def expected(outlook: Outlook, zone: ZoneOutlook, share: float = 1.0) -> Expected | None:
    """The highest level from WARNED_FROM on whose chance within the hour reaches the zone's threshold, or a
    share of it; None when none does.
    """
    for level, by in zip(reversed(LEVELS_TOLD), reversed(zone.chances_by), strict=True):
        if level < WARNED_FROM:
            return None
        if by[-1] >= share * zone.warns_at:
            horizon_s = next(s for s, chance in zip(NEAR_S, by, strict=True) if chance >= by[-1] / 2)
            return Expected(zone.zone_id, level, outlook.at + timedelta(seconds=horizon_s), by[-1])
    return None


@dataclass(slots=True)
class Persistence:
    """Since when each zone of a district has been expected to rise, or has been quiet."""

    likely_since: dict[str, datetime] = field(default_factory=dict)
    quiet_since: dict[str, datetime] = field(default_factory=dict)

    def likely(self, zone_id: str, is_likely: bool, now: datetime) -> bool:
        """Whether it has been likely for long enough."""
        return _lasting(self.likely_since, zone_id, is_likely, now) >= PERSISTS

    def quiet(self, zone_id: str, is_quiet: bool, now: datetime) -> bool:
        """Whether it has been quiet for long enough."""
        return _lasting(self.quiet_since, zone_id, is_quiet, now) >= QUIET


def _lasting(since: dict[str, datetime], zone_id: str, holds: bool, now: datetime) -> timedelta:
    if not holds:
        since.pop(zone_id, None)
        return timedelta(-1)
    return now - since.setdefault(zone_id, now)


def follow(
    tx: Transaction,
    *,
    actor: Actor,
    outlook: Outlook,
    levels: Mapping[str, Level | None],
    persistence: Persistence,
) -> list[Matter]:
    """Raise, retell and close the warnings of a district as its outlook says; what changed."""
    actor.must(Permission.CROWD_MEASURE, tx.district_id)
    waiting = {
        m.zone_id: m for m in matters_store.list_waiting_about(tx.connection, tx.district_id, SUBJECT_WARNING)
    }
    changed = []
    for zone in outlook.zones:
        level, known = levels.get(zone.zone_id), waiting.get(zone.zone_id)
        danger = expected(outlook, zone)
        lasting = persistence.likely(zone.zone_id, danger is not None, outlook.at)
        quiet = persistence.quiet(zone.zone_id, expected(outlook, zone, OVER_SHARE) is None, outlook.at)
        reached = level is not None and level >= WARNED_FROM
        if known is None:
            if danger is not None and lasting and level is not None and not reached:
                changed.append(_raise(tx, actor, danger))
        elif reached or quiet:
            changed.append(_close(tx, actor, known, reached=reached))
        elif danger is not None and _moved(known, danger):
            changed.append(retell_episode(tx, actor, known, _params(danger), _priority(danger.level)))
    return changed


def _raise(tx: Transaction, actor: Actor, danger: Expected) -> Matter:
    params = _params(danger)
    journal.record(
        tx, actor_id=actor.id, kind=CrowdKind.WARNING_RAISED, subject_id=danger.zone_id, details=params
    )
    return open_episode(tx, actor, SUBJECT_WARNING, _priority(danger.level), params)


def _close(tx: Transaction, actor: Actor, known: Matter, *, reached: bool) -> Matter:
    """End an episode: the level came, or something was done and it did not, or it passed by itself."""
    zone_id = known.zone_id or ""
    taken = [
        m
        for m in store.list_measures(tx.connection, tx.district_id, zone_id)
        if m.taken_at >= known.opened_at
    ]
    outcome = OUTCOME_CAME if reached else OUTCOME_AVERTED if taken else OUTCOME_PASSED
    lasted_s = (clock.now() - known.opened_at).total_seconds()
    details = {"outcome": outcome, "lasted_s": round(lasted_s, 1), "measures": len(taken)}
    journal.record(tx, actor_id=actor.id, kind=CrowdKind.WARNING_CLOSED, subject_id=zone_id, details=details)
    return matters.close(tx, actor=actor, id=known.id, outcome=outcome)


def _moved(known: Matter, danger: Expected) -> bool:
    at = datetime.fromisoformat(known.params["expected_at"])
    return danger.level > known.params["level"] or abs((danger.at - at).total_seconds()) > MOVED_S


def _params(danger: Expected) -> dict[str, Any]:
    return {
        "zone": danger.zone_id,
        "level": int(danger.level),
        "expected_at": danger.at.isoformat(),
        "chance": danger.chance,
    }


def _priority(level: Level) -> Priority:
    return Priority.P2 if level >= Level.SERIOUS else Priority.P3
