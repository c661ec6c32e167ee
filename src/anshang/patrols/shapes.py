"""The answers of the units' routes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from anshang.foundation import clock
from anshang.patrols.model import Unit
from anshang.patrols.positions import SIMULATED, Fix
from anshang.patrols.whereabouts import STALE_S
from anshang.web.shapes import BothLanguages, Shown


class KindShown(Shown):
    """A kind of unit."""

    id: str
    name_zh: str
    name_en: str
    mode: str
    speed_m_per_s: float
    tasks: list[str]
    police: bool
    insured: bool


class FixShown(Shown):
    """Where a unit was last: degrees, when, how old (s), and whether that is too old to send it by. A
    `simulated` one was told by no device: in a drill, where it stood as that began.
    """

    lon: float
    lat: float
    at: datetime
    age_s: float
    accuracy_m: float | None
    stale: bool
    simulated: bool


class UnitShown(Shown):
    """A unit, what it is doing since when, and where it was last."""

    id: str
    kind_id: str
    call_sign: str
    name_zh: str
    name_en: str
    post_id: str | None
    body_id: str | None
    status: str
    since_at: datetime
    duty_id: str | None
    retired_at: datetime | None
    version: int
    fix: FixShown | None


class DutyShown(Shown):
    """A unit's time on duty."""

    id: str
    unit_id: str
    crew: list[str]
    began_at: datetime
    ended_at: datetime | None


class MyDuty(Shown):
    """The duty of whoever asks, and its unit; null when on none."""

    duty: DutyShown | None
    unit: UnitShown | None


class KeyShown(Shown):
    """A device's key, shown once."""

    key: str


class MemberShown(Shown):
    """What is known of a member."""

    id: str
    insured_until: date | None
    trained_until: date | None
    adult: bool
    skills: list[str]
    trusted: bool
    version: int


class StaffShown(Shown):
    """Somebody who may be in a crew, and what is known of them; version 0 when nothing is."""

    id: str
    name: str
    role: str
    insured_until: date | None
    trained_until: date | None
    adult: bool | None
    skills: list[str]
    trusted: bool
    version: int


class RefusedShown(Shown):
    """A position that is not used, and why; positions are counted from 0."""

    number: int
    code: str
    message: BothLanguages


class ReceiptShown(Shown):
    """What became of the positions."""

    taken: int
    repeated: int
    refused: list[RefusedShown]


def shown_unit(unit: Unit, fix: Fix | None) -> UnitShown:
    """A unit and its newest position, which is shown while it is on duty only."""
    shown: dict[str, Any] = {name: getattr(unit, name) for name in UnitShown.model_fields if name != "fix"}
    if fix is None or unit.duty_id is None:
        return UnitShown(**shown, fix=None)
    age_s = max(0.0, (clock.to_ms(clock.now()) - fix.at_ms) / 1000)
    seen = FixShown(
        lon=fix.lon,
        lat=fix.lat,
        at=clock.from_ms(fix.at_ms),
        age_s=round(age_s, 1),
        accuracy_m=fix.accuracy_m,
        stale=age_s > STALE_S,
        simulated=fix.source == SIMULATED,
    )
    return UnitShown(**shown, fix=seen)
