"""Where a lost person may be, what a look that found nobody says, and where to look next.

Shapes: n places (premises, exits, stretches of street), k looks, u units. Probabilities of places sum to 1.
Model: from where she was last seen somebody strays ever farther, at her own pace through today's crowd, to
what attracts her; nobody is farther than she can have walked. A look that found nobody makes its place less
likely by its chance to have found her, and says less as time goes by, because she may have come since.
Source of the form: Koopman's search theory and Stone, Theory of Optimal Search, 1975. Complexity: linear in
n, and n × u for units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anshang.kernels.daygrid import Bools, Ints, Reals

STRAYS = 0.2
"""How far off (s for a grown-up) a place is a third as likely, for each second that she is gone."""
LEAVES_PER_S = 0.04 / 600
"""How soon somebody leaves through an exit that she has reached."""
COMES_BACK_S = 600.0
"""After so long a look says half as much."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The n places of a search: seconds of a grown-up's walk from where she was last seen; what draws."""

    seconds: Reals
    attraction: Reals
    is_exit: Bools


@dataclass(frozen=True, slots=True)
class Looks:
    """k looks that found nobody: their place, when (s since she was last seen), the chance they had."""

    place: Ints
    at_s: Reals
    chance: Reals


def spread(ground: Ground, elapsed_s: float, pace: float) -> Reals:
    """The probability of each of n places (n,), which may be none, after a time; `pace` is her speed over a
    grown-up's.
    """
    reach_s = elapsed_s * pace
    within = ground.seconds <= reach_s
    near = np.where(within, np.exp(-ground.seconds / max(STRAYS * elapsed_s, 1e-9)), 0.0)
    inside = np.where(ground.is_exit, 0.0, ground.attraction * near)
    free_s = np.maximum(elapsed_s - ground.seconds / max(pace, 1e-9), 0.0)
    leaves = np.where(ground.is_exit & within, ground.attraction * free_s * LEAVES_PER_S * near, 0.0)
    left = min(0.5, float(leaves.sum()))
    weight = _normal(inside) * (1 - left) + _normal(leaves) * left
    if weight.sum() <= 0:
        weight = (ground.seconds <= ground.seconds.min(initial=np.inf)).astype(float)
    return _normal(weight)


def _normal(weight: Reals) -> Reals:
    total = float(weight.sum())
    return weight / total if total > 0 else np.zeros_like(weight)


def after(before: Reals, looks: Looks, now_s: float) -> Reals:
    """Probabilities (n,) after looks that found nobody (Bayes); a place that was searched never rises by it.

    That holds for its odds against any place that was searched less.
    """
    age_s = np.maximum(now_s - looks.at_s, 0.0)
    kept = 1 - looks.chance * 0.5 ** (age_s / COMES_BACK_S)
    factor = np.ones(len(before))
    np.multiply.at(factor, looks.place, kept)
    found = before * factor
    return _normal(found) if found.sum() > 0 else before


def ask_next(chance: Reals, asked: Bools, cover: float, most: int) -> Ints:
    """Which places to ask now, likeliest first: until those that were asked hold `cover` of the probability.

    At most `most`, none without any probability.
    """
    lacks = cover - float(chance[asked].sum())
    order = np.argsort(-np.where(asked, 0.0, chance), kind="stable")
    gained = np.cumsum(np.where(asked, 0.0, chance)[order])
    wanted = int(np.searchsorted(gained, lacks)) + 1 if lacks > 0 else 0
    chosen = order[: min(wanted, most)]
    return chosen[(chance[chosen] > 0) & ~asked[chosen]]


def send_next(chance: Reals, travel_s: Reals, find: Reals, search_s: float) -> tuple[Ints, Reals]:
    """For each of u units the place to search (u,), and the probability a minute that it gains (u,).

    `travel_s` is (u, n), `find` (n,) the chance to find somebody who is there. Units get different places,
    the one with most to gain first.
    """
    gain = chance * find / (travel_s + search_s) * 60
    gain = np.where(np.isfinite(travel_s), gain, 0.0)
    place, gained = np.full(len(gain), -1, np.int64), np.zeros(len(gain))
    for _ in range(len(gain)):
        unit, best = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[unit, best] <= 0:
            break
        place[unit], gained[unit] = best, gain[unit, best]
        gain[unit, :] = 0
        gain[:, best] = 0
    return place, gained
