"""Readings that no crowd makes: a sensor that sticks or is dead, a number that cannot be, or that was kept
over an outage. They become gaps, never guesses.

Shapes: counts (S, T) in people per step, NaN where nobody counted. Each step is judged by it and earlier
ones, the highest possible count by the first `known` steps alone. Complexity: linear.
"""

from __future__ import annotations

import numpy as np

from anshang.kernels.daygrid import Bools, Reals

STUCK_STEPS, STUCK_S = 12, 10_800
"""Alike for that many steps, and that long: a crowd is not."""
FAR_TIMES, FAR_COUNT = 20.0, 200.0
"""A count beyond that many times what 99 of 100 were, and as many people more, is none."""

DEAD_S, DEAD_DAYS, DEAD_ZEROS_SHARE = 10_800, 7, 0.02
"""Zeros for longer than that, where on so many days hardly any was counted."""
BURST_STEPS, BURST_TIMES, BURST_COUNT = 2, 2.0, 50.0
"""After that many mute steps, a count beyond that many times the most at that time of day and more."""


def stuck(counts: Reals, step_s: int) -> Bools:
    """Steps at which the same count, not zero, has come for STUCK_STEPS steps and STUCK_S seconds."""
    alike = np.zeros(counts.shape, bool)
    alike[:, 1:] = (counts[:, 1:] == counts[:, :-1]) & (counts[:, 1:] != 0)
    step = np.arange(counts.shape[1])
    begun = np.maximum.accumulate(np.where(alike, 0, step), axis=1)
    found: Bools = step - begun >= max(STUCK_STEPS, STUCK_S // step_s)
    return found


def impossible(counts: Reals, known: int) -> Bools:
    """Counts far beyond all that the first `known` steps held."""
    found = np.zeros(counts.shape, bool)
    for place, row in enumerate(counts):
        seen = row[:known][~np.isnan(row[:known])]
        if len(seen):
            with np.errstate(invalid="ignore"):
                found[place] = row > FAR_TIMES * np.quantile(seen, 0.99) + FAR_COUNT
    return found


def unusual_zeros(counts: Reals, slots: int) -> Bools:
    """Zeros at times of the day (of `slots` steps) at which, on at least DEAD_DAYS earlier days, somebody was
    counted nearly always. A quiet night has been quiet before, so it is none.
    """
    found = np.zeros(counts.shape, bool)
    known, empty = np.zeros((len(counts), slots)), np.zeros((len(counts), slots))
    for begin in range(0, counts.shape[1], slots):
        today = counts[:, begin : begin + slots]
        width = today.shape[1]
        busy = (known >= DEAD_DAYS) & (empty <= DEAD_ZEROS_SHARE * known)
        odd = (today == 0) & busy[:, :width]
        found[:, begin : begin + width] = odd
        known[:, :width] += ~np.isnan(today)
        empty[:, :width] += (today == 0) & ~odd
    return found


def dead(counts: Reals, slots: int, step_s: int) -> Bools:
    """Steps at which unusual zeros have lasted longer than DEAD_S."""
    odd = unusual_zeros(counts, slots)
    step = np.arange(counts.shape[1])
    before = np.maximum.accumulate(np.where(odd, -1, step), axis=1)
    found: Bools = odd & ((step - before) * step_s > DEAD_S)
    return found


def bursts(counts: Reals, slots: int) -> Bools:
    """Counts that come after at least BURST_STEPS without any (gaps, unusual zeros, bursts), and are more
    than BURST_TIMES what was ever counted at that time of the day: what a sensor kept meanwhile.
    """
    mute = np.isnan(counts) | unusual_zeros(counts, slots)
    found = np.zeros(counts.shape, bool)
    days, most = np.zeros((len(counts), slots)), np.zeros((len(counts), slots))
    for step in range(counts.shape[1]):
        slot, now = step % slots, counts[:, step]
        after = mute[:, max(0, step - BURST_STEPS) : step].all(axis=1) & (days[:, slot] >= DEAD_DAYS)
        found[:, step] = after & (now > BURST_TIMES * most[:, slot] + BURST_COUNT)
        mute[:, step] |= found[:, step]
        heard = ~mute[:, step]
        days[:, slot] += heard
        most[:, slot] = np.where(heard, np.maximum(most[:, slot], now), most[:, slot])
    return found


def outages(counts: Reals, slots: int, step_s: int) -> dict[str, Bools]:
    """What an outage leaves behind: zeros through hours never empty before, and what was kept meanwhile."""
    return {"dead": dead(counts, slots, step_s), "burst": bursts(counts, slots)}


def without_outages(counts: Reals, slots: int, step_s: int) -> Reals:
    """Counts (S, T) with gaps in place of what outages leave behind."""
    found = outages(counts, slots, step_s)
    clean: Reals = np.where(found["dead"] | found["burst"], np.nan, counts)
    return clean
