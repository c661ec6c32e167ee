"""Calls, units and queues in simulated time: how soon somebody is there under a policy.

Units: seconds. Shapes: n calls, u units. Discrete events: a call takes the free unit that the policy names,
at once or when one becomes free (first come, first served within a priority), or is lost when there is no
queue. A unit is busy while it turns out, travels, works and goes home; it always starts from home. The same
calls under two policies are the same random numbers, so that their difference is the policies' (common random
numbers). Known answers: without travel, exponential times and a queue this is M/M/c (Erlang C), without a
queue M/M/c/c (Erlang B). Complexity: O(n · (u + log n)) and a policy's own work.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from anshang.kernels.snapping import Numbers, Reals

Z95 = 1.959964
Policy = Callable[[int, NDArray[np.bool_]], int]
"""Names the unit for a call (its number) among those that are free (u), or -1 for none that can go."""


@dataclass(frozen=True, slots=True)
class Calls:
    """n calls in the order of their time: when, how long somebody works there, how urgent (1 first)."""

    at_s: Reals
    work_s: Reals
    priority: Numbers


@dataclass(frozen=True, slots=True)
class Outcome:
    """For each call (n) the unit (-1: nobody ever), seconds it waited for a unit, seconds until one was
    there, and seconds that the unit was busy with it (0: nobody ever).
    """

    unit: Numbers
    wait_s: Reals
    response_s: Reals
    busy_s: Reals

    @property
    def lost(self) -> int:
        """How many calls nobody came to."""
        return int((self.unit < 0).sum())


@dataclass(frozen=True, slots=True)
class Share:
    """A share of n with its Wilson interval."""

    value: float
    low: float
    high: float
    n: int


def simulate(
    calls: Calls, travel_s: Reals, policy: Policy, *, turnout_s: float = 0.0, queued: bool = True
) -> Outcome:
    """Run the calls through u units that travel `travel_s` (n, u); inf where a unit cannot come."""
    count, units = travel_s.shape
    free = np.ones(units, dtype=bool)
    unit = np.full(count, -1, dtype=np.intp)
    began = np.full(count, np.inf)
    busy_s = np.zeros(count)
    done: list[tuple[float, int]] = []
    waiting: list[tuple[int, float, int]] = []

    def begin(call: int, now_s: float) -> bool:
        chosen = policy(call, free)
        if chosen < 0:
            return False
        free[chosen] = False
        unit[call], began[call] = chosen, now_s
        busy_s[call] = turnout_s + 2 * travel_s[call, chosen] + calls.work_s[call]
        heapq.heappush(done, (now_s + float(busy_s[call]), chosen))
        return True

    for call, at_s in enumerate(calls.at_s.tolist()):
        _catch_up(at_s, done, free, waiting, begin)
        if not begin(call, at_s) and queued:
            insort(waiting, (int(calls.priority[call]), at_s, call))
    _catch_up(np.inf, done, free, waiting, begin)
    went = unit >= 0
    wait_s = np.where(went, began - calls.at_s, np.inf)
    there_s = np.where(went, travel_s[np.arange(count), np.maximum(unit, 0)] + turnout_s, np.inf)
    return Outcome(unit, wait_s, wait_s + there_s, busy_s)


def nearest(travel_s: Reals) -> Policy:
    """The free unit that is there first."""

    def choose(call: int, free: NDArray[np.bool_]) -> int:
        row = np.where(free, travel_s[call], np.inf)
        best = int(row.argmin())
        return best if np.isfinite(row[best]) else -1

    return choose


def share_within(response_s: Reals, target_s: float) -> Share:
    """The share of calls at which somebody was there in time; a call nobody came to counts as late."""
    n = len(response_s)
    return wilson(int((response_s <= target_s).sum()), n)


def wilson(hits: int, n: int) -> Share:
    """Wilson's 95 % interval of hits among n; all of it for none."""
    if n == 0:
        return Share(0.0, 0.0, 1.0, 0)
    p, z2 = hits / n, Z95**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Share(p, max(0.0, middle - half), min(1.0, middle + half), n)


def paired(differences: Reals) -> tuple[float, float, float]:
    """The mean of paired differences and its 95 % interval (Student's t); unbounded for fewer than two."""
    n = len(differences)
    mean = float(differences.mean()) if n else 0.0
    if n < 2:
        return mean, -np.inf, np.inf
    half = _student(n - 1) * float(differences.std(ddof=1)) / sqrt(n)
    return mean, mean - half, mean + half


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t (Cornish–Fisher in 1/ν; within 1 % from ν = 3 on)."""
    if freedom == 1:
        return 12.706
    if freedom == 2:
        return 4.303
    z, v = Z95, float(freedom)
    first = (z**3 + z) / (4 * v)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    return z + first + second + third


def _catch_up(
    until_s: float,
    done: list[tuple[float, int]],
    free: NDArray[np.bool_],
    waiting: list[tuple[int, float, int]],
    begin: Callable[[int, float], bool],
) -> None:
    """Let units become free until the instant; each takes the most urgent call that waits and that it can."""
    while done and done[0][0] <= until_s:
        now_s, unit = heapq.heappop(done)
        free[unit] = True
        taken = next((entry for entry in waiting if begin(entry[2], now_s)), None)
        if taken is not None:
            waiting.remove(taken)
