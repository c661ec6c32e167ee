"""A night of calls under one policy and under another: what a district's posts achieve, with intervals.

Each run draws its calls once and plays them under every policy. Units start from home, walk at the speed of
one density everywhere, and true travel times differ from the reckoned ones by a fifth. It says by what the
policies differ, not what a certain night will be.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from anshang.dispatch.model import Ladder
from anshang.dispatch.roster import Locator
from anshang.foundation.errors import BadInput
from anshang.kernels.matching import SPREAD_SHARE
from anshang.kernels.reach import Cover, cover, within_reach
from anshang.kernels.response import Calls, Outcome, Policy, Share, nearest, paired, share_within, simulate
from anshang.kernels.routing import LIMIT_S, EdgeTimes, Goals, seconds_between
from anshang.kernels.snapping import Reals, Spots
from anshang.places.model import Place
from anshang.places.streets import Streets, prepare_streets

T = TypeVar("T")
POLICIES = ("nearest", "cover")
COVER_WEIGHT_S = 600.0
"""Seconds on the way that leaving all streets without cover is worth, under the policy `cover`."""
RUNS_MAX = 10_000
CALLS_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Base:
    """Where a unit of the simulation waits (degrees)."""

    unit_id: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated: calls at a rate for some hours, or those of a file; `density_per_m2` everywhere."""

    hours: float = 6.0
    rate_per_h: float = 10.0
    work_s: float = 600.0
    density_per_m2: float = 0.5
    runs: int = 20
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Given:
    """Calls that were recorded: seconds from the first, degrees, priority."""

    at_s: Reals
    lon_lat: Reals
    priority: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a policy achieved over all runs. `utilisation` is the work that calls bring as a share of what the
    units can do in the same time: from 1 on the queue grows without end, and the figures depend on the hours.
    """

    policy: str
    n: int
    lost: int
    utilisation: float
    median_s: float
    p90_s: float
    within: tuple[Share, ...]
    response_s: Reals


@dataclass(frozen=True, slots=True)
class Result:
    """Every policy's figures, and for each later policy and tier the paired difference to the first."""

    unit_count: int
    targets_s: tuple[float, ...]
    figures: tuple[Figures, ...]
    differences: dict[str, tuple[tuple[float, float, float], ...]]


def run(
    place: Place,
    bases: Sequence[Base],
    ladder: Ladder,
    policies: Sequence[str],
    plan: Plan,
    *,
    given: Given | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Result:
    """Play the plan under every policy. BadInput for what cannot be simulated."""
    _check(bases, policies, plan)
    streets = prepare_streets(place)
    locator = Locator(place, streets)
    homes = locator.spots([(base.lon, base.lat) for base in bases])
    if (homes.edge < 0).any():
        lost = [base.unit_id for base, edge in zip(bases, homes.edge, strict=True) if edge < 0]
        raise BadInput(
            "simulation.unit_nowhere",
            en=f"These units are near no walkway: {', '.join(lost)}.",
            zh=f"这些单元附近没有步行通道：{'、'.join(lost)}。",
        )
    times = streets.times(dict.fromkeys(place.zones, plan.density_per_m2))
    at_home = _cover_at_home(streets, times, homes, ladder)
    outcomes: dict[str, list[Outcome]] = {policy: [] for policy in policies}
    for number in range(plan.runs):
        chance = np.random.default_rng((plan.seed, number))
        calls, spots = (
            _draw(streets, plan, chance) if given is None else _replay(locator, given, plan, chance)
        )
        reckoned_s = _reckoned(streets, times, homes, spots)
        travel_s = reckoned_s * _off(chance, reckoned_s.shape)
        for policy in policies:
            rule = nearest(reckoned_s) if policy == "nearest" else _covering(reckoned_s, at_home)
            outcomes[policy].append(simulate(calls, travel_s, rule, turnout_s=ladder.notice_s))
        progress((number + 1) / plan.runs)
    targets_s = tuple(rung.target_s for rung in ladder.rungs)
    return _told(outcomes, targets_s, len(bases), _span_s(plan, given))


def _span_s(plan: Plan, given: Given | None) -> float:
    """How long calls come; without end for a single recorded one."""
    if given is None:
        return plan.hours * 3600
    count = len(given.at_s)
    return float(given.at_s[-1] - given.at_s[0]) * count / (count - 1) if count > 1 else np.inf


def overload(figures: Figures, unit_count: int) -> tuple[str, str] | None:
    """That calls outrun the units, in Chinese and English; None when they do not."""
    if figures.utilisation < 1:
        return None
    needed = int(figures.utilisation * unit_count) + 1
    return (
        f"警情超出力量（{figures.policy}）：所需工作量为 {unit_count} 个单位处置能力的"
        f" {figures.utilisation:.0%}，"
        f"排队将无限增长；响应时间取决于模拟时长，不能用于评估。至少需要 {needed} 个单位。",
        f"Calls outrun the units ({figures.policy}): they bring {figures.utilisation:.0%} of the work that "
        f"{unit_count} units can do, so the queue grows without end. Response times depend on how many hours "
        f"are simulated and say nothing of the policy. At least {needed} units are needed.",
    )


def read_calls(path: Path) -> Given:
    """Calls of a CSV with columns at (with its zone), lon, lat, perhaps priority; BadInput names the line."""
    rows = _rows(path, "at, lon, lat", _call)
    if not rows:
        raise BadInput(
            "simulation.no_calls", en=f"{path.name} holds no calls.", zh=f"{path.name} 中没有警情。"
        )
    at, lon, lat, priority = (np.array(column) for column in zip(*rows, strict=True))
    order = np.argsort(at, kind="stable")
    return Given(at[order] - at.min(), np.column_stack([lon, lat])[order], priority.astype(np.intp)[order])


def read_bases(path: Path) -> list[Base]:
    """Units of a CSV with columns unit, lon and lat; BadInput names the line."""
    return _rows(path, "unit, lon, lat", lambda row: Base(row["unit"], float(row["lon"]), float(row["lat"])))


def _rows(path: Path, needed: str, read: Callable[[dict[str, str]], T]) -> list[T]:
    """Every row of a CSV as `read` makes it; BadInput names the first line that cannot be read."""
    found: list[T] = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        for row in rows:
            try:
                found.append(read(row))
            except (KeyError, TypeError, ValueError) as error:
                raise BadInput(
                    "simulation.bad_row",
                    en=f"{path.name}, line {rows.line_num}: these are needed: {needed} ({error}).",
                    zh=f"{path.name} 第 {rows.line_num} 行：需要 {needed}（{error}）。",
                ) from error
    return found


def _call(row: dict[str, str]) -> tuple[float, float, float, int]:
    lon, lat = float(row["lon"]), float(row["lat"])
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise ValueError(f"{lon}, {lat}")
    return _instant(row["at"]), lon, lat, min(4, max(1, int(row.get("priority") or 3)))


def _instant(text: str) -> float:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"“{text}” bears no zone")
    return at.timestamp()


def _check(bases: Sequence[Base], policies: Sequence[str], plan: Plan) -> None:
    """BadInput for what cannot be simulated."""
    problems = (
        (not bases, "There is no unit to send.", "没有可派的单元。"),
        (
            not policies or bool(set(policies) - set(POLICIES)),
            f"A policy is one of: {', '.join(POLICIES)}.",
            f"策略可选：{'、'.join(POLICIES)}。",
        ),
        (not 1 <= plan.runs <= RUNS_MAX, f"Give 1 to {RUNS_MAX} runs.", f"运行次数为 1 至 {RUNS_MAX}。"),
        (
            not 0 < plan.rate_per_h * plan.hours <= CALLS_MAX,
            f"A run has more than 0 and at most {CALLS_MAX} calls.",
            f"每次运行的警情数须大于 0 且不超过 {CALLS_MAX}。",
        ),
        (not 0 <= plan.density_per_m2 < 5, "The density is 0 to 5 people/m².", "密度为 0 至 5 人/㎡。"),
        (
            not 0 < plan.work_s <= 86_400,
            "Work lasts more than 0 s and at most a day.",
            "处置时间须为 0 至 1 天。",
        ),
    )
    for wrong, en, zh in problems:
        if wrong:
            raise BadInput("simulation.bad_plan", en=en, zh=zh)


def _draw(streets: Streets, plan: Plan, chance: np.random.Generator) -> tuple[Calls, Spots]:
    """Poisson calls, evenly along all walkways, with work that lasts exponentially long."""
    count = max(1, int(chance.poisson(plan.rate_per_h * plan.hours)))
    at_s = np.sort(chance.uniform(0, plan.hours * 3600, count))
    length_m = streets.graph.length_m
    edge = chance.choice(len(length_m), count, p=length_m / length_m.sum())
    spots = Spots(edge.astype(np.intp), chance.uniform(0, 1, count), np.zeros(count))
    priority = chance.choice([1, 2, 3, 4], count, p=[0.1, 0.2, 0.4, 0.3]).astype(np.intp)
    return Calls(at_s, chance.exponential(plan.work_s, count), priority), spots


def _replay(locator: Locator, given: Given, plan: Plan, chance: np.random.Generator) -> tuple[Calls, Spots]:
    """The recorded calls, with work that lasts exponentially long."""
    spots = locator.spots([(lon, lat) for lon, lat in given.lon_lat.tolist()])
    work_s = chance.exponential(plan.work_s, len(given.at_s))
    return Calls(given.at_s, work_s, given.priority), spots


def _reckoned(streets: Streets, times: EdgeTimes, homes: Spots, spots: Spots) -> Reals:
    """Seconds of every unit to every call (n, u), as they are reckoned when somebody is sent."""
    on_foot = Goals(homes, np.zeros(len(homes), dtype=bool))
    return seconds_between(streets.graph, times, spots, on_foot, limit_s=4 * LIMIT_S)


def _off(chance: np.random.Generator, shape: tuple[int, ...]) -> Reals:
    """By what factor true times differ from those that were reckoned: 1 on average."""
    spread = np.sqrt(np.log1p(SPREAD_SHARE**2))
    return chance.lognormal(-(spread**2) / 2, spread, shape)


def _cover_at_home(streets: Streets, times: EdgeTimes, homes: Spots, ladder: Ladder) -> Cover:
    """Which metres of street each unit covers from home within the middle rung."""
    targets = [rung.target_s for rung in ladder.rungs]
    target_s = np.array([targets[len(targets) // 2]])
    (stretches,) = within_reach(streets.graph, times.walk_s, homes, target_s, ladder.notice_s)
    length_m = streets.graph.length_m
    return cover(stretches, length_m, len(homes), float(length_m.sum()))


def _covering(travel_s: Reals, at_home: Cover) -> Policy:
    """The free unit that is soon there and leaves the least without cover."""

    def choose(call: int, free: NDArray[np.bool_]) -> int:
        numbers = np.where(free, np.arange(len(free)), -1)
        losses = at_home.of(numbers).losses
        cost = np.where(free, travel_s[call], np.inf) + COVER_WEIGHT_S * losses
        best = int(cost.argmin())
        return best if np.isfinite(cost[best]) else -1

    return choose


def _told(
    outcomes: dict[str, list[Outcome]], targets_s: tuple[float, ...], unit_count: int, span_s: float
) -> Result:
    figures = []
    runs_count = len(next(iter(outcomes.values())))
    capacity_s = max(unit_count * span_s * runs_count, 1.0)
    shares: dict[str, Reals] = {}
    for policy, runs in outcomes.items():
        response_s = np.concatenate([one.response_s for one in runs])
        figures.append(
            Figures(
                policy=policy,
                n=len(response_s),
                lost=sum(one.lost for one in runs),
                utilisation=sum(float(one.busy_s.sum()) for one in runs) / capacity_s,
                median_s=float(np.median(response_s)),
                p90_s=float(np.quantile(response_s, 0.9, method="higher")),
                within=tuple(share_within(response_s, target_s) for target_s in targets_s),
                response_s=response_s,
            )
        )
        shares[policy] = np.array(
            [[share_within(one.response_s, target_s).value for target_s in targets_s] for one in runs]
        )
    first, *others = outcomes
    differences = {
        policy: tuple(paired(column) for column in (shares[policy] - shares[first]).T) for policy in others
    }
    return Result(unit_count, targets_s, tuple(figures), differences)
