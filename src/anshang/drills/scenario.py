"""A scenario is a TOML file: how full zones become, which calls come, which counters fail, who stays silent.

Minutes count from the beginning of the drill. Everything wrong in a file is listed at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from anshang.crowds.carrying import COUNT_MAX
from anshang.foundation.errors import BadInput

MINUTES_MOST = 240.0
PEOPLE_MOST = COUNT_MAX
INJECTS_MOST = 200
TARGETS = {
    "acknowledged": 30.0,
    "sent": 60.0,
    "on_scene": 300.0,
    "ordered": 120.0,
    "lookout": 60.0,
    "found": 1200.0,
}
"""Seconds within which each step should be done, unless the file says otherwise."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many people a zone has: corners of a line over minutes, level before and after them."""

    zone_id: str
    minutes: tuple[float, ...]
    people: tuple[float, ...]

    def people_at(self, minute: float) -> int:
        """The people at a minute."""
        return round(float(np.interp(minute, self.minutes, self.people)))


@dataclass(frozen=True, slots=True)
class Call:
    """A call that comes: what is said, and where."""

    minute: float
    text: str
    category_id: str | None = None
    zone_id: str | None = None
    premises_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The counter of a zone says nothing for a while."""

    zone_id: str
    from_minute: float
    until_minute: float


@dataclass(frozen=True, slots=True)
class Answers:
    """Partners that answer by themselves after so many seconds, all but the silent; one may have seen her."""

    after_s: float
    silent: frozenset[str] = frozenset()
    sees: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens in a drill."""

    name_zh: str
    name_en: str
    minutes: float
    crowds: tuple[Crowd, ...] = ()
    calls: tuple[Call, ...] = ()
    failures: tuple[Failure, ...] = ()
    answers: Answers | None = None
    targets: Mapping[str, float] = field(default_factory=lambda: dict(TARGETS))

    def failing(self, zone_id: str, minute: float) -> bool:
        """Whether the zone's counter says nothing now."""
        return any(
            one.zone_id == zone_id and one.from_minute <= minute < one.until_minute for one in self.failures
        )


def read_scenario(text: str) -> Scenario:
    """The scenario of a file; BadInput lists what is wrong with it."""
    try:
        told = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(
            "scenario.not_toml", en=f"The scenario is not TOML: {error}.", zh=f"演练脚本不是 TOML：{error}。"
        ) from error
    problems: list[str] = []
    take = _Taker(problems)
    minutes = take.number(told, "minutes", 1, MINUTES_MOST)
    targets = take.table(told, "targets")
    scenario = Scenario(
        name_zh=take.text(told, "name_zh"),
        name_en=take.text(told, "name_en"),
        minutes=minutes,
        crowds=tuple(take.each(told, "crowd", lambda one: _crowd(take, one))),
        calls=tuple(take.each(told, "call", lambda one: _call(take, one, minutes))),
        failures=tuple(take.each(told, "failure", lambda one: _failure(take, one, minutes))),
        answers=_answers(take, take.table(told, "answers")) if "answers" in told else None,
        targets=TARGETS | {name: take.number(targets, name, 1, 86_400) for name in targets},
    )
    known = {"name_zh", "name_en", "minutes", "crowd", "call", "failure", "answers", "targets"}
    problems += [f"{name}: ?" for name in sorted(set(told) - known)]
    problems += [f"targets.{name}: ?" for name in sorted(set(scenario.targets) - set(TARGETS))]
    raise_any(problems)
    return scenario


def check_against(
    scenario: Scenario,
    *,
    zones: Collection[str],
    premises: Collection[str],
    categories: Collection[str],
    partners: Collection[str],
) -> None:
    """BadInput names every zone, premises, category or partner that the district has not."""
    answers = scenario.answers or Answers(0.0)
    named: list[tuple[Collection[str], list[str | None]]] = [
        (zones, [one.zone_id for one in scenario.crowds]),
        (zones, [one.zone_id for one in scenario.calls]),
        (zones, [one.zone_id for one in scenario.failures]),
        (premises, [one.premises_id for one in scenario.calls]),
        (categories, [one.category_id for one in scenario.calls]),
        (partners, [*sorted(answers.silent), answers.sees]),
    ]
    raise_any([str(name) for known, told in named for name in told if name is not None and name not in known])


def raise_any(problems: list[str]) -> None:
    """BadInput with the problems, when there are any."""
    if problems:
        listed = "; ".join(problems[:20])
        raise BadInput(
            "scenario.problems",
            en=f"The scenario has faults: {listed}.",
            zh=f"演练脚本有误：{listed}。",
            details={"problems": problems[:100]},
        )


class _Taker:
    """Takes values out of a file and writes down what is wrong with them."""

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems

    def number(self, told: Mapping[str, Any], name: str, least: float, most: float) -> float:
        value = told.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            self._problems.append(f"{name}: {least:g}–{most:g}")
            return least
        return float(value)

    def text(self, told: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
        value = told.get(name, "")
        if not isinstance(value, str) or len(value) > 500 or (needed and not value.strip()):
            self._problems.append(f"{name}: 1–500")
            return ""
        return value.strip()

    def table(self, told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        value = told.get(name, {})
        if not isinstance(value, dict):
            self._problems.append(f"[{name}]: ?")
            return {}
        return value

    def each(self, told: Mapping[str, Any], name: str, make: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
        listed = told.get(name, [])
        right = isinstance(listed, list) and all(isinstance(one, dict) for one in listed)
        if not right or len(listed) > INJECTS_MOST:
            self._problems.append(f"[[{name}]]: 0–{INJECTS_MOST}")
            return []
        return [make(one) for one in listed]


def _crowd(take: _Taker, told: Mapping[str, Any]) -> Crowd:
    corners = told.get("people", [])
    pairs = [
        {"minute": one[0], "people": one[1]} if isinstance(one, list) and len(one) == 2 else {}
        for one in (corners if isinstance(corners, list) else [{}])
    ] or [{}]
    minutes = [take.number(pair, "minute", 0, MINUTES_MOST) for pair in pairs]
    if minutes != sorted(minutes):
        take.number({}, "people", 0, PEOPLE_MOST)
    people = tuple(take.number(pair, "people", 0, PEOPLE_MOST) for pair in pairs)
    return Crowd(take.text(told, "zone"), tuple(minutes), people)


def _call(take: _Taker, told: Mapping[str, Any], minutes: float) -> Call:
    return Call(
        minute=take.number(told, "at", 0, minutes),
        text=take.text(told, "text"),
        category_id=take.text(told, "category", needed=False) or None,
        zone_id=take.text(told, "zone", needed=False) or None,
        premises_id=take.text(told, "premises", needed=False) or None,
    )


def _failure(take: _Taker, told: Mapping[str, Any], minutes: float) -> Failure:
    begins = take.number(told, "from", 0, minutes)
    return Failure(take.text(told, "zone"), begins, take.number(told, "until", begins, MINUTES_MOST))


def _answers(take: _Taker, told: Mapping[str, Any]) -> Answers:
    silent = told.get("silent", [])
    right = isinstance(silent, list) and all(isinstance(one, str) for one in silent)
    if not right:
        take.text({}, "silent")
    return Answers(
        after_s=take.number(told, "after_s", 0, 3600),
        silent=frozenset(silent if right else []),
        sees=take.text(told, "sees", needed=False) or None,
    )
