"""The answers of the look-outs' routes."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from anshang.partners.shapes import TallyShown
from anshang.web.shapes import BothLanguages, Shown


class AlertShown(Shown):
    """That somebody is looked for, since when and where: what every volunteer is told."""

    id: str
    sort: str
    seen_at: datetime
    zone_id: str | None
    zone: BothLanguages | None = None


class LookoutShown(Shown):
    """A look-out, without a word of who it is; `sent` is where each unit is on its way to look."""

    id: str
    sort: str
    age_band: str
    seen_at: datetime
    lon: float
    lat: float
    zone_id: str | None
    premises_id: str | None
    opened_at: datetime
    notice_id: str
    state: str
    found_at: datetime | None
    vouchers: list[str]
    closed_at: datetime | None
    drill: bool
    version: int
    sent: dict[str, str] = Field(default_factory=dict)


class PlanStep(Shown):
    """A step of the plan: by when, and whether it is done."""

    step: str
    due_at: datetime
    done: bool


class PlaceShown(Shown):
    """A place where she may be: premises or an exit."""

    id: str
    name: BothLanguages
    lon: float
    lat: float
    is_exit: bool
    chance: float
    away_s: float | None
    asked: bool
    answered: bool
    watched: bool


class SendShown(Shown):
    """A unit that should look at a place."""

    unit_id: str
    call_sign: str
    place_id: str
    away_s: float
    chance: float
    gain_per_min: float


class SearchShown(Shown):
    """Where she may be now, the likeliest first, by zone, and what to do next. Null without streets."""

    at: datetime
    places: list[PlaceShown]
    zones: dict[str, float]
    ask: list[str]
    watch: list[str]
    send: list[SendShown]
    asked_share: float
    searched_share: float


class LookShown(Shown):
    """Somebody looked and found nobody."""

    id: str
    place_id: str
    kind: str
    at: datetime
    unit_id: str | None


class SeenShown(Shown):
    """A partner that says it has seen her."""

    partner_id: str
    name: BothLanguages
    premises_id: str | None
    at: datetime


class LookoutPage(LookoutShown):
    """A look-out with its plan, what was answered and looked at, and whether there is a photograph."""

    plan: list[PlanStep]
    tally: TallyShown
    seen: list[SeenShown]
    looks: list[LookShown]
    photo_id: str | None
    erased: bool


class WhoShown(Shown):
    """Who is looked for, as it was told, and what merchants read."""

    who: dict[str, str]
    words: BothLanguages


class GuardianShown(Shown):
    """Who looks for her, and the question that only the guardian can answer."""

    contact: dict[str, str]


class RecordShown(Shown):
    """A record of the vault and when it was erased."""

    kind: str
    kept_at: datetime
    erased_at: datetime | None


class ReaderShown(Shown):
    """Somebody who had opened something about her: staff by name, partners by theirs."""

    name: str
    what: str
    at: datetime


class ErasureShown(Shown):
    """What became of everything that was kept about her, and who had opened it."""

    erased_at: datetime | None
    records: list[RecordShown]
    readers: list[ReaderShown]
