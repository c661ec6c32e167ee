"""The check of an installation: what a duty team needs before it can rely on the screen, and how each
stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from anshang.foundation.jobs import JobReport, JobState

DISK_SHORT_BYTES = 5_000_000_000
DISK_FULL_BYTES = 500_000_000
FILES_ENOUGH = 4_096
"""Below this a busy evening's pages may find no socket."""


class CheckState(StrEnum):
    """How a point of the check stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One point: a dictionary key, how it stands, and the figures its text shows."""

    name: str
    state: CheckState
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found: figures only, so that the judgement is pure."""

    disk_free_bytes: int
    zone_count: int
    gate_count: int
    sensor_states: tuple[str, ...]
    open_feed_count: int
    secure_cookies: bool
    local_only: bool
    untrusted_proxy: str
    """The address that says it asks for another, and is not believed; empty when there is none."""
    open_files_max: int
    desk_account_count: int
    journal_fault_count: int
    journal_sealed_on: date | None
    """The day after which the journal was looked at; None: all of it."""
    clock_trusted_at: datetime | None
    """The last instant at which the clock could be trusted, while erasure is held back; None: it is right."""
    unreadable_count: int
    """Personal records whose key is missing or does not open."""
    troubles: tuple[JobReport, ...]
    """The background work that stands still, or runs only in part."""


def judged(found: Findings) -> list[Check]:
    """Each point of the check in the order in which a new installation meets them."""
    heard = [state for state in found.sensor_states if state not in ("never", "retired")]
    fresh = [state for state in heard if state != "silent"]
    in_use = [state for state in found.sensor_states if state != "retired"]
    return [
        Check("disk.room", _room(found.disk_free_bytes), {"free_gb": round(found.disk_free_bytes / 1e9, 1)}),
        Check(
            "place.present",
            _ok(found.zone_count > 0),
            {"zones": found.zone_count, "gates": found.gate_count},
        ),
        Check("sensors.defined", _ok(bool(in_use)), {"sensors": len(in_use)}),
        Check("feed.open", _ok(found.open_feed_count > 0, CheckState.WARN), {"feeds": found.open_feed_count}),
        Check("sensors.heard", _all(heard, in_use), {"heard": len(heard), "sensors": len(in_use)}),
        Check("counts.fresh", _all(fresh, in_use), {"fresh": len(fresh), "sensors": len(in_use)}),
        Check(
            "accounts.desk",
            _ok(found.desk_account_count > 0, CheckState.WARN),
            {"accounts": found.desk_account_count},
        ),
        *_of_the_machine(found),
    ]


def _of_the_machine(found: Findings) -> list[Check]:
    """How it is reached, and whether what it keeps is whole."""
    return [
        Check("cookies.secure", _ok(found.secure_cookies or found.local_only, CheckState.WARN)),
        Check(
            "proxy.trusted",
            _ok(not found.untrusted_proxy, CheckState.WARN),
            {"address": found.untrusted_proxy},
        ),
        Check(
            "files.enough",
            _ok(found.open_files_max >= FILES_ENOUGH, CheckState.WARN),
            {"files": found.open_files_max},
        ),
        Check(
            "journal.whole",
            _ok(found.journal_fault_count == 0),
            {"faults": found.journal_fault_count, "since": str(found.journal_sealed_on or "")},
        ),
        Check(
            "clock.trusted",
            _ok(found.clock_trusted_at is None),
            {"trusted_at": f"{found.clock_trusted_at:%Y-%m-%d %H:%M} UTC" if found.clock_trusted_at else ""},
        ),
        Check("vault.readable", _ok(found.unreadable_count == 0), {"unreadable": found.unreadable_count}),
        Check("jobs.running", _running(found.troubles), _named(found.troubles)),
    ]


def _running(troubles: Sequence[JobReport]) -> CheckState:
    if any(one.critical and one.state is JobState.STOPPED for one in troubles):
        return CheckState.FAIL
    return _ok(not troubles, CheckState.WARN)


def _named(troubles: Sequence[JobReport]) -> dict[str, Any]:
    """What stands still, in the words of both languages, with the reason."""
    zh = "；".join(f"{one.zh}（{one.reason}）" if one.reason else one.zh for one in troubles)
    en = "; ".join(f"{one.en} ({one.reason})" if one.reason else one.en for one in troubles)
    return {"zh": zh, "en": en}


def _ok(holds: bool, otherwise: CheckState = CheckState.FAIL) -> CheckState:
    return CheckState.OK if holds else otherwise


def _all(some: Iterable[str], of: list[str]) -> CheckState:
    count = len(list(some))
    if not of or count == 0:
        return CheckState.FAIL
    return _ok(count == len(of), CheckState.WARN)


def _room(free_bytes: int) -> CheckState:
    if free_bytes < DISK_FULL_BYTES:
        return CheckState.FAIL
    return _ok(free_bytes >= DISK_SHORT_BYTES, CheckState.WARN)
