"""How good forecasts were: errors, intervals, and warnings judged by episode.

Shapes: n forecasts, L levels; episodes are half-open runs of steps. Sources: pinball loss and its weighted
sum (WQL) as in Koenker and Bassett 1978; MASE after Hyndman and Koehler 2006; average precision as the area
under the precision–recall steps; Brier 1950. Complexity: n log n at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anshang.kernels.daygrid import Bools, Ints, Reals

NINE = np.arange(1, 10) / 10
"""The levels of the weighted quantile loss."""


def pinball(quantiles: Reals, outcome: Reals, levels: Reals = NINE) -> Reals:
    """Twice the pinball loss (n, L) of quantiles (n, L) at levels (L,)."""
    error = outcome[:, None] - quantiles
    found: Reals = 2 * np.maximum(levels * error, (levels - 1) * error)
    return found


def weighted_quantile_loss(quantiles: Reals, outcome: Reals, levels: Reals = NINE) -> float:
    """The mean pinball loss over levels as a share of all that came; NaN when nobody came."""
    total = float(np.abs(outcome).sum())
    return (
        float(pinball(quantiles, outcome, levels).mean(axis=1).sum()) / total if total > 0 else float("nan")
    )


def covered(low: Reals, high: Reals, outcome: Reals) -> float:
    """The share of outcomes inside [low, high]; NaN without any."""
    return float(np.mean((outcome >= low) & (outcome <= high))) if len(outcome) else float("nan")


def average_precision(chance: Reals, came: Bools) -> float:
    """The area under precision over recall, ties taken together; NaN when nothing came."""
    if not came.any():
        return float("nan")
    order = np.argsort(-chance, kind="stable")
    hits = np.cumsum(came[order])
    last = np.append(np.flatnonzero(np.diff(chance[order]) != 0), len(chance) - 1)
    recall, precision = hits[last] / hits[-1], hits[last] / (last + 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def brier(chance: Reals, came: Bools) -> float:
    """The mean square of the difference between a chance and what came."""
    return float(np.mean((chance - came) ** 2)) if len(came) else float("nan")


def runs(flags: Bools, gap: int) -> list[tuple[int, int]]:
    """Runs [first, end) of true steps; those at most `gap` steps apart are one."""
    on = np.flatnonzero(flags)
    if not len(on):
        return []
    breaks = np.flatnonzero(np.diff(on) > gap + 1)
    firsts, lasts = np.append(on[0], on[breaks + 1]), np.append(on[breaks], on[-1])
    return [(int(a), int(b) + 1) for a, b in zip(firsts, lasts, strict=True)]


@dataclass(frozen=True, slots=True)
class Tally:
    """Warnings against what came: onsets, those warned of in time, episodes, false ones; leads in steps."""

    onsets: int
    warned: int
    episodes: int
    false: int
    leads: tuple[int, ...]

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.onsets + other.onsets,
            self.warned + other.warned,
            self.episodes + other.episodes,
            self.false + other.false,
            self.leads + other.leads,
        )


NOTHING = Tally(0, 0, 0, 0, ())


def tally(warned: Bools, came: Bools, ahead: int, gap: int, slack: int) -> Tally:
    """Judge one series: `warned[t]` says at step t that step t + ahead will be over; `came[t]` that t was
    over.

    Runs at most `gap` steps apart are one, of warnings as of what came. An onset counts as warned of when a
    warning that began at least `ahead` steps before it stood for it: its targets, `slack` steps wider on both
    sides, hold the onset. A warning is false when nothing came within its targets, as wide.
    """
    came_runs = runs(came, gap)
    warnings = runs(warned, gap)
    over = np.append(np.cumsum(came), 0)
    leads = []
    for onset, _ in came_runs:
        begun = [
            a
            for a, b in warnings
            if a + ahead <= onset + slack and onset < b + ahead + slack and a <= onset - ahead
        ]
        if begun:
            leads.append(onset - min(begun))
    false = 0
    for first, end in warnings:
        a, b = max(first + ahead - slack, 0), min(end + ahead + slack, len(came))
        seen = over[b - 1] - (over[a - 1] if a > 0 else 0) if b > a else 0
        false += seen == 0
    return Tally(len(came_runs), len(leads), len(warnings), int(false), tuple(leads))


def persisted(chance: Reals, threshold: float, steps: int) -> Bools:
    """Where a chance has been at least the threshold for `steps` steps in a row (NaN is below)."""
    above = chance >= threshold
    held = above.copy()
    for back in range(1, steps):
        held[back:] &= above[:-back]
        held[:back] = False
    return held


def mean_absolute_scaled_error(error: Reals, scale: Reals, series: Ints) -> float:
    """The mean of absolute errors (n,) over each series' naive error (S,), where it has one."""
    own = scale[series]
    good = own > 0
    return float(np.mean(error[good] / own[good])) if good.any() else float("nan")
