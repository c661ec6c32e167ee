"""The answers of the incidents' routes."""

from __future__ import annotations

from datetime import datetime

from anshang.web.shapes import Shown


class IncidentShown(Shown):
    """An incident; number, priority, text and state are its matter's."""

    id: str
    category_id: str | None
    suggested_id: str | None
    source: str
    called_at: datetime
    lon: float | None
    lat: float | None
    zone_id: str | None
    premises_id: str | None
    place_words: str
    answers: dict[str, str]
    cancelled: bool
    drill: bool
    version: int


class QuestionShown(Shown):
    """Something to ask."""

    key: str
    zh: str
    en: str
    answer: str


class ActionShown(Shown):
    """Something to do, by `anybody` or the `police`."""

    zh: str
    en: str
    doer: str


class CategoryShown(Shown):
    """A kind of incident."""

    id: str
    parent_id: str | None
    name_zh: str
    name_en: str
    priority: int
    arrive_within_s: float
    task: str
    questions: list[QuestionShown]
    steps: list[ActionShown]
    keywords: list[str]
    retired: bool


class MomentShown(Shown):
    """When a step happened, as somebody told it."""

    id: str
    step: str
    at: datetime
    recorded_at: datetime
    recorded_by: str
    unit_id: str | None
    corrects: str | None


class SuggestionShown(Shown):
    """A category that the text speaks of, and the words by which."""

    category_id: str
    words: list[str]


class Near(Shown):
    """Another incident that may be the same one: how far (m) and long (s) apart, whether of one category."""

    id: str
    number: int
    apart_m: float | None
    apart_s: float
    same_zone: bool
    same_category: bool


class Grounds(Shown):
    """What speaks for a category, for another incident, and what the premises have seen in the last year by
    category.
    """

    suggestion: SuggestionShown | None
    near: list[Near]
    at_premises: dict[str, int]


class LinkShown(Shown):
    """Another incident that belongs to this one; `repeats` when this is the duplicate."""

    other_id: str
    other_number: int
    kind: str
    repeats: bool


class TransferShown(Shown):
    """An offer to another body and its answer."""

    id: str
    to_body_id: str
    reason: str
    offered_at: datetime
    accepted: bool | None
    answer: str
    answered_at: datetime | None


class IncidentPage(IncidentShown):
    """An incident with everything known of it. `at` is the time of each step that was told; `spans_s` are the
    intervals (s) that can be told. `call_back` when there is a number to call back.
    """

    category: CategoryShown | None
    at: dict[str, datetime]
    missing: list[str]
    out_of_order: list[str]
    spans_s: dict[str, float | None]
    moments: list[MomentShown]
    grounds: Grounds
    links: list[LinkShown]
    transfers: list[TransferShown]
    photos: list[str]
    call_back: bool
