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
from anshang.lookouts.model import DETECTION

MINUTE_S = 60.0
NOTICE_MIN = 2
"""The notice goes out two minutes after the call."""
LAST_MIN = 30
SUPPOSED_S = 180.0
"""So long before the call she is supposed to have been lost, when nobody knows."""
SEARCH_S = 90.0
RINGS = ((2, 110.0), (5, 250.0), (10, 420.0), (15, 700.0))
"""Asking the nearest: from this minute on all premises within so many seconds of a grown-up's walk."""
COVER, AHEAD_S, EVERY_S, MOST_AT_ONCE = 0.975, 120.0, 30.0, 400
"""Ours: asks every EVERY_S those who hold COVER of where she can be AHEAD_S later."""
FINDS_IN_PREMISES = 0.4
"""A unit that looks into premises for a moment; at an exit it finds as DETECTION says."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a strategy knows: n places; seconds between them (n, n) for a grown-up; where units stand."""

    seconds: Reals
    attraction: Reals
    is_exit: Bools
    seen_at: int
    pace: float
    units: Ints


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


Strategy = Callable[[Scene], Search]


def ask_everyone(scene: Scene) -> Search:
    """Every premises at once; units look at what is nearest."""
    asked_s = np.where(scene.is_exit, np.inf, NOTICE_MIN * MINUTE_S)
    return Search(asked_s, _nearest_first(scene))


def ask_nearest(scene: Scene) -> Search:
    """The nearest premises, in rings that widen as the clock runs; units look at what is nearest."""
    away_s = np.where(scene.is_exit, np.inf, scene.seconds[scene.seen_at])
    asked_s = np.full(len(away_s), np.inf)
    for minute, within_s in reversed(RINGS):
        asked_s[away_s <= within_s] = minute * MINUTE_S
    return Search(asked_s, _nearest_first(scene))


def ask_likely(scene: Scene) -> Search:
    """Ours: those who together hold most of where she can be by then; units go where they gain most."""
    ground = Ground(scene.seconds[scene.seen_at], scene.attraction, scene.is_exit)
    asked_s = np.full(len(scene.attraction), np.inf)
    free_s, at = np.zeros(len(scene.units)), scene.units.copy()
    visits: list[Visit] = []
    for now_s in np.arange(MINUTE_S, LAST_MIN * MINUTE_S, EVERY_S).tolist():
        elapsed_s = now_s + SUPPOSED_S
        if now_s >= NOTICE_MIN * MINUTE_S:
            coming = spread(ground, elapsed_s + AHEAD_S, scene.pace)
            inside = np.where(scene.is_exit, 0.0, coming)
            chosen = ask_next(inside / max(inside.sum(), 1e-12), asked_s < np.inf, COVER, MOST_AT_ONCE)
            asked_s[chosen] = now_s
        likely = after(spread(ground, elapsed_s, scene.pace), _looks(asked_s, visits, now_s), elapsed_s)
        _send(scene, likely, free_s, at, visits, now_s)
    return Search(asked_s, tuple(visits))


def _looks(asked_s: Reals, visits: list[Visit], now_s: float) -> Looks:
    """What has found nobody so far: merchants who have answered, units that have looked."""
    asked = np.flatnonzero(asked_s + DETECTION.answer_median_s <= now_s)
    seen = [visit for visit in visits if visit.to_s <= now_s]
    place = np.concatenate([asked, [visit.place for visit in seen]]).astype(np.int64)
    at_s = np.concatenate([np.full(len(asked), now_s), [visit.to_s for visit in seen]]) + SUPPOSED_S
    chance = np.concatenate([np.full(len(asked), DETECTION.inside), np.full(len(seen), DETECTION.patrol)])
    return Looks(place, at_s, chance)


def _send(scene: Scene, likely: Reals, free_s: Reals, at: Ints, visits: list[Visit], now_s: float) -> None:
    free = np.flatnonzero(free_s <= now_s)
    if not len(free):
        return
    travel_s = scene.seconds[at[free]]
    finds = np.where(scene.is_exit, DETECTION.patrol, FINDS_IN_PREMISES)
    places, gains = send_next(likely, travel_s, finds, SEARCH_S)
    for unit, place, gain in zip(free.tolist(), places.tolist(), gains.tolist(), strict=True):
        if gain > 0:
            there_s = now_s + float(scene.seconds[at[unit], place])
            visits.append(Visit(place, there_s, there_s + SEARCH_S))
            free_s[unit], at[unit] = there_s + SEARCH_S, place


def _nearest_first(scene: Scene) -> tuple[Visit, ...]:
    """Units go to the places nearest to where she was last seen, one after the other."""
    order = np.argsort(scene.seconds[scene.seen_at], kind="stable")
    free_s, at = np.full(len(scene.units), MINUTE_S), scene.units.copy()
    visits: list[Visit] = []
    for place in order.tolist():
        unit = int(free_s.argmin())
        there_s = float(free_s[unit] + scene.seconds[at[unit], place])
        if not there_s < LAST_MIN * MINUTE_S:
            break
        visits.append(Visit(place, there_s, there_s + SEARCH_S))
        free_s[unit], at[unit] = there_s + SEARCH_S, place
    return tuple(visits)


STRATEGIES: dict[str, Strategy] = {
    "ask_nearest": ask_nearest,
    "ask_everyone": ask_everyone,
    "anshang": ask_likely,
}
