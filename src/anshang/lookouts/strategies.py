"""Whom to ask when, and where units look: three strategies for the same search.

A strategy plans as long as nobody has found her; what it knows is when and where she was last seen, her age
band, the streets and what the premises are. What she really does it does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anshang.kernels.daygrid import Bools, Ints, Reals
from anshang.kernels.search import Ground, Looks, after, ask_next, send_next, spread
from anshang.lookouts.model import ATTRACTION, DETECTION, EXIT_ATTRACTION
from anshang.partners.doors import Doors

MINUTE_S = 60.0
NOTICE_MIN = 2
"""The notice goes out two minutes after the call."""
LAST_MIN = 30
SUPPOSED_S = 180.0
"""So long before the call she is supposed to have been lost, when nobody knows."""
SEARCH_S = 90.0
RINGS = ((2, 110.0), (5, 250.0), (10, 420.0), (15, 700.0))
"""Asking the nearest: from this minute on all premises within so many seconds of a grown-up's walk."""
COVER, COVER_LATER, LATER_MIN = 0.955, 0.91, 8
AHEAD_S, EVERY_S, MOST_AT_ONCE = 180.0, 30.0, 400
"""Ours: asks every EVERY_S those who hold COVER of where she can be AHEAD_S later, falling until LATER_MIN to
COVER_LATER: the wider she may have strayed, the less one more message gains.
"""
FINDS_IN_PREMISES = 0.4
"""A unit that looks into premises for a moment; at an exit it finds as DETECTION says."""


@dataclass(frozen=True, slots=True)
class Quarter:
    """The n places of a district: seconds between them (n, n) for a grown-up, what draws, exits."""

    seconds: Reals
    attraction: Reals
    is_exit: Bools


@dataclass(frozen=True, slots=True)
class Scene:
    """What a strategy knows: the quarter, where she was last seen, her pace, where units stand."""

    quarter: Quarter
    seen_at: int
    pace: float
    units: Ints

    @property
    def away_s(self) -> Reals:
        """Seconds of a grown-up's walk from where she was last seen (n,)."""
        found: Reals = self.quarter.seconds[self.seen_at]
        return found


@dataclass(frozen=True, slots=True)
class Visit:
    """A unit at a place from one instant to another (s after the call)."""

    place: int
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Search:
    """What was planned: when each place was asked (n,), s after the call, inf never; units' visits."""

    asked_s: Reals
    visits: tuple[Visit, ...]


class _Units:
    """The units of a search: where each is, from when on it is free, and what they have visited."""

    def __init__(self, scene: Scene, free_s: float) -> None:
        self._seconds = scene.quarter.seconds
        self.at = scene.units.copy()
        self.free_s = np.full(len(self.at), free_s)
        self.visits: list[Visit] = []

    def go(self, unit: int, place: int, from_s: float) -> Visit:
        """Send one of them to look at a place."""
        there_s = from_s + float(self._seconds[self.at[unit], place])
        visit = Visit(place, there_s, there_s + SEARCH_S)
        self.visits.append(visit)
        self.free_s[unit], self.at[unit] = visit.to_s, place
        return visit


def attraction_of(doors: Doors) -> Reals:
    """How much each door draws somebody who strays (n,)."""
    trade = {premises.id: premises.trade for premises in doors.place.premises}
    return np.array([ATTRACTION[trade[id]] if id in trade else EXIT_ATTRACTION for id in doors.ids])


def cover_after(since_call_s: float) -> float:
    """How much of where she can be is to be asked so long after the call (s)."""
    return float(np.interp(since_call_s / MINUTE_S, (NOTICE_MIN, LATER_MIN), (COVER, COVER_LATER)))


Strategy = Callable[[Scene], Search]


def ask_everyone(scene: Scene) -> Search:
    """Every premises at once; units look at what is nearest."""
    asked_s = np.where(scene.quarter.is_exit, np.inf, NOTICE_MIN * MINUTE_S)
    return Search(asked_s, _nearest_first(scene))


def ask_nearest(scene: Scene) -> Search:
    """The nearest premises, in rings that widen as the clock runs; units look at what is nearest."""
    away_s = np.where(scene.quarter.is_exit, np.inf, scene.away_s)
    asked_s = np.full(len(away_s), np.inf)
    for minute, within_s in reversed(RINGS):
        asked_s[away_s <= within_s] = minute * MINUTE_S
    return Search(asked_s, _nearest_first(scene))


def ask_likely(scene: Scene) -> Search:
    """Ours: those who together hold most of where she can be by then; units go where they gain most."""
    is_exit = scene.quarter.is_exit
    ground = Ground(scene.away_s, scene.quarter.attraction, is_exit)
    asked_s = np.full(len(is_exit), np.inf)
    units = _Units(scene, free_s=0.0)
    for now_s in np.arange(MINUTE_S, LAST_MIN * MINUTE_S, EVERY_S).tolist():
        elapsed_s = now_s + SUPPOSED_S
        if now_s >= NOTICE_MIN * MINUTE_S:
            inside = np.where(is_exit, 0.0, spread(ground, elapsed_s + AHEAD_S, scene.pace))
            inside /= max(inside.sum(), 1e-12)
            asked_s[ask_next(inside, asked_s < np.inf, cover_after(now_s), MOST_AT_ONCE)] = now_s
        looks = _looks(asked_s, units.visits, now_s)
        _send(scene, after(spread(ground, elapsed_s, scene.pace), looks, elapsed_s), units, now_s)
    return Search(asked_s, tuple(units.visits))


def _looks(asked_s: Reals, visits: list[Visit], now_s: float) -> Looks:
    """What has found nobody so far: merchants who have answered, units that have looked."""
    asked = np.flatnonzero(asked_s + DETECTION.answer_median_s <= now_s)
    seen = [visit for visit in visits if visit.to_s <= now_s]
    place = np.concatenate([asked, [visit.place for visit in seen]]).astype(np.int64)
    at_s = np.concatenate([np.full(len(asked), now_s), [visit.to_s for visit in seen]]) + SUPPOSED_S
    chance = np.concatenate([np.full(len(asked), DETECTION.inside), np.full(len(seen), DETECTION.patrol)])
    return Looks(place, at_s, chance)


def _send(scene: Scene, likely: Reals, units: _Units, now_s: float) -> None:
    free = np.flatnonzero(units.free_s <= now_s)
    if not len(free):
        return
    finds = np.where(scene.quarter.is_exit, DETECTION.patrol, FINDS_IN_PREMISES)
    places, gains = send_next(likely, scene.quarter.seconds[units.at[free]], finds, SEARCH_S)
    for unit, place, gain in zip(free.tolist(), places.tolist(), gains.tolist(), strict=True):
        if gain > 0:
            units.go(unit, place, now_s)


def _nearest_first(scene: Scene) -> tuple[Visit, ...]:
    """Units go to the places nearest to where she was last seen, one after the other."""
    units = _Units(scene, free_s=MINUTE_S)
    for place in np.argsort(scene.away_s, kind="stable").tolist():
        unit = int(units.free_s.argmin())
        if not units.go(unit, place, float(units.free_s[unit])).from_s < LAST_MIN * MINUTE_S:
            return tuple(units.visits[:-1])
    return tuple(units.visits)


STRATEGIES: dict[str, Strategy] = {
    "ask_nearest": ask_nearest,
    "ask_everyone": ask_everyone,
    "anshang": ask_likely,
}
