"""Thousands of simulated losses on a district: how soon each strategy finds, with the same losses for all.

THE WALKER IS A MODEL, not a record of children: she was lost one to five minutes before the call; again and
again she chooses to stay where she is (for eight minutes on average), to go on to premises that are near
and draw her, or, now and then, to an exit; she goes in or stands at the door, and stays for five minutes on
average. Strategies do not know this model: they reckon with a distance that grows with time. A loss ends
when she is found, or after an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anshang.foundation.errors import BadInput
from anshang.kernels.daygrid import Reals
from anshang.lookouts.model import DETECTION, PACE, AgeBand
from anshang.lookouts.strategies import STRATEGIES, Quarter, Scene, Search, attraction_of
from anshang.partners.doors import prepare_doors
from anshang.places.model import Place

HOUR_S, TARGET_S = 3_600.0, 1_200.0
STAYS_SHARE, STAYS_S = 0.35, 480.0
EXIT_SHARE, EXIT_S = 0.04, 1_800.0
INSIDE_SHARE, DWELLS_S = 0.75, 300.0
DRAWN_S = 150.0
"""How far off (s for a grown-up) premises draw a third as much."""
PASSES_S = 8.0
"""A detour of that much is on the way."""
LOST_BEFORE_S = (60.0, 300.0)
UNITS = 6
ASK_MIN = 1.0
"""What a notice costs the one who is asked, in minutes."""
RUNS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Stay:
    """The walker at a place; `how` likely a merchant who was asked finds her there, and a unit."""

    place: int
    from_s: float
    to_s: float
    how: float
    patrol: float


@dataclass(frozen=True, slots=True)
class Achieved:
    """What a strategy achieved: seconds from the call (n,), an hour when it did not find; what it cost."""

    name: str
    found_s: Reals
    messages: Reals
    person_minutes: Reals

    @property
    def median_s(self) -> float:
        """Half are found sooner."""
        return float(np.median(self.found_s))

    @property
    def p90_s(self) -> float:
        """Nine of ten are found sooner."""
        return float(np.quantile(self.found_s, 0.9))

    @property
    def within_share(self) -> float:
        """The share found within twenty minutes."""
        return float(np.mean(self.found_s < TARGET_S))


def quarter(place: Place, density_per_m2: float = 0.5) -> Quarter:
    """The places of a district; BadInput when it has too few premises."""
    if len(place.premises) < 2:
        raise BadInput(
            "lookout.no_premises",
            en="The district has no premises that could be asked.",
            zh="该商圈没有可询问的商户。",
        )
    doors = prepare_doors(place)
    times = doors.streets.times(dict.fromkeys(place.zones, density_per_m2))
    return Quarter(doors.seconds_apart(times), attraction_of(doors), doors.is_exit)


def simulate(
    ground: Quarter,
    runs: int,
    seed: int = 1,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Achieved]:
    """Every strategy on the same losses."""
    if not 1 <= runs <= RUNS_MAX:
        raise BadInput("lookout.runs", en=f"1 to {RUNS_MAX:,} runs.", zh=f"运行次数须为 1 至 {RUNS_MAX}。")
    found = {name: np.zeros((3, runs)) for name in STRATEGIES}
    bands, premises = list(AgeBand), np.flatnonzero(~ground.is_exit)
    for run in range(runs):
        rng = np.random.default_rng((seed, run))
        band = bands[int(rng.integers(len(bands)))]
        seen_at = int(rng.choice(premises))
        units = rng.choice(premises, UNITS)
        stays = _walk(ground, seen_at, PACE[band], rng)
        luck = rng.random(4_096)
        answers_s = DETECTION.answer_median_s * np.exp(
            rng.normal(0, DETECTION.answer_spread, len(ground.attraction))
        )
        scene = Scene(ground, seen_at, PACE[band], units)
        for name, strategy in STRATEGIES.items():
            search = strategy(scene)
            found_s = _found_s(search, stays, answers_s, luck)
            messages = float((search.asked_s <= found_s).sum())
            busy_min = sum(max(0.0, min(v.to_s, found_s) - v.from_s) for v in search.visits) / 60
            found[name][:, run] = found_s, messages, messages * ASK_MIN + busy_min
        progress((run + 1) / runs)
    return [Achieved(name, *columns) for name, columns in found.items()]


def _walk(ground: Quarter, begin: int, pace: float, rng: np.random.Generator) -> list[Stay]:
    """Where she is until an hour after the call; instants in seconds after the call."""
    now_s = -float(rng.uniform(*LOST_BEFORE_S))
    at, stays = begin, []
    while now_s < HOUR_S:
        if rng.random() < STAYS_SHARE:
            until_s = now_s + float(rng.exponential(STAYS_S))
            stays.append(Stay(at, now_s, until_s, DETECTION.door, DETECTION.patrol))
            now_s = until_s
        leaves = rng.random() < EXIT_SHARE
        draws = np.where(ground.is_exit == leaves, ground.attraction, 0.0)
        draws = draws * np.exp(-ground.seconds[at] / DRAWN_S)
        draws[at] = 0.0
        if draws.sum() <= 0:
            stays.append(Stay(at, now_s, HOUR_S, DETECTION.door, DETECTION.patrol))
            break
        to = int(rng.choice(len(draws), p=draws / draws.sum()))
        stays += _passed(ground, at, to, now_s, pace)
        now_s += float(ground.seconds[at, to]) / pace
        stay_s = float(rng.exponential(EXIT_S if leaves else DWELLS_S))
        inside = not leaves and rng.random() < INSIDE_SHARE
        how = DETECTION.inside if inside else DETECTION.door
        stays.append(
            Stay(to, now_s, now_s + stay_s, how, DETECTION.patrol_inside if inside else DETECTION.patrol)
        )
        now_s, at = now_s + stay_s, to
    return stays


def _passed(ground: Quarter, at: int, to: int, now_s: float, pace: float) -> list[Stay]:
    """The doors she goes by on her way."""
    way_s = float(ground.seconds[at, to])
    detour = ground.seconds[at] + ground.seconds[to] - way_s
    on_way = np.flatnonzero((detour <= PASSES_S) & ~ground.is_exit)
    there_s = now_s + ground.seconds[at, on_way] / pace
    return [
        Stay(place, begin, begin + PASSES_S / pace, DETECTION.passing, DETECTION.patrol)
        for place, begin in zip(on_way.tolist(), there_s.tolist(), strict=True)
        if place not in (at, to)
    ]


def _found_s(search: Search, stays: list[Stay], answers_s: Reals, luck: Reals) -> float:
    """When she is found: the first stay at which somebody who looks is lucky, the luck being the same."""
    looks_s = search.asked_s + answers_s
    best = HOUR_S
    for number, stay in enumerate(stays):
        if stay.from_s >= best:
            break
        at_s = max(stay.from_s, float(looks_s[stay.place]))
        if at_s < stay.to_s and luck[number % len(luck)] < stay.how:
            best = min(best, at_s)
        for visit in search.visits:
            if visit.place == stay.place and luck[(number + 2_048) % len(luck)] < stay.patrol:
                meets_s = max(stay.from_s, visit.from_s)
                if meets_s < min(stay.to_s, visit.to_s):
                    best = min(best, meets_s)
    return max(best, 0.0)
