"""The trained forecast of zones: trees over what is usual, mixed with the outlook that needs no training.

Pure of store and clock. The trees know quarters of an hour; what they say of an instant is the mean of the
quarters before and after it. Near instants are told better by today's course alone, far ones by the trees:
for each horizon the share of the trees is learnt on a week they had not seen. Shapes: S zones, T quarters,
F steps of FINE_S, O origins, H horizons, L levels learnt. Quantiles are of log(people + offset), the offset
being that of the climate.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from anshang.crowds.ahead import HORIZONS_S
from anshang.crowds.forecasting import learn
from anshang.kernels import conformal, forecast
from anshang.kernels.climate import climate
from anshang.kernels.damped import Earlier, earlier_errors, look_ahead
from anshang.kernels.daygrid import DAY_S, HOUR_S, DayGrid, Ints, Reals
from anshang.kernels.forecast import History, Model, Rows
from anshang.kernels.quantiles import LEVELS, at_levels
from anshang.kernels.skill import NINE, covered, weighted_quantile_loss
from anshang.kernels.trees import lightgbm as lgb

QUARTER_S, FINE_S = 900, 300
FINE = QUARTER_S // FINE_S
AHEAD = np.arange(1, HORIZONS_S[-1] // QUARTER_S + 2, dtype=np.int64)
MEMORY_FINE = 26 * HOUR_S // FINE_S
"""How far back the outlook without training looks."""
EARLIER_DAYS = 35
"""From how many days before the last two weeks it takes how it erred at a time of day."""
FORM = 2
"""Of what is packed and of the features; counted up when either changes."""
WEEK = 7 * DAY_S // QUARTER_S
SHARES = np.arange(11) / 10
EVERY = HOUR_S // QUARTER_S
"""A trial asks once an hour."""


@dataclass(frozen=True, slots=True)
class Trained:
    """Trees, their share in the forecast of each horizon (H,), and the factors of its widths (H, L)."""

    zone_ids: tuple[str, ...]
    trees: Model
    shares: Reals
    factors: Reals
    learnt_weather: bool = False
    """Whether the trees ask for the weather."""

    def packed(self) -> str:
        """As text to keep."""
        told = {
            "form": FORM,
            "zone_ids": self.zone_ids,
            "trees": [[tree.model_to_string() for tree in trees] for trees in self.trees],
            "shares": self.shares.tolist(),
            "factors": self.factors.tolist(),
            "learnt_weather": self.learnt_weather,
        }
        return base64.b85encode(zlib.compress(json.dumps(told).encode())).decode()


def unpacked(content: str) -> Trained:
    """What `packed` made; ValueError when it is not, or is of another release."""
    try:
        told = json.loads(zlib.decompress(base64.b85decode(content)))
        if told.get("form") != FORM:
            raise ValueError("it is of another release")
        trees = Model(*(tuple(lgb.Booster(model_str=text) for text in texts) for texts in told["trees"]))
        shares, factors = np.array(told["shares"]), np.array(told["factors"])
        return Trained(tuple(told["zone_ids"]), trees, shares, factors, told.get("learnt_weather", False))
    except (ValueError, zlib.error, KeyError, lgb.basic.LightGBMError) as error:
        raise ValueError(f"no trained forecast: {error}") from error


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a district's zones: quarters (S, T) with their grid, and of the last weeks finer steps
    (S, F), both ending together.
    """

    quarters: Reals
    grid: DayGrid
    """In the last two weeks its weather is what was told beforehand."""
    fine: Reals

    @property
    def missing(self) -> int:
        """How many fine steps there would be before the first that is known."""
        return int(self.quarters.shape[1] * FINE - self.fine.shape[1])


class Figures(NamedTuple):
    """How a forecast did over a week (H,): weighted quantile loss, error in people, share inside 80 %."""

    loss: Reals
    error: Reals
    covered80: Reals


def said(trees: Model, past: History, origins: Ints, threads: int = 1) -> Reals:
    """What the trees say at origins (O,) among `past.at`: (S, O, H, L), NaN where nothing is known."""
    zones = np.arange(len(past.counts))
    series, origin, ahead = (each.ravel() for each in np.meshgrid(zones, origins, AHEAD, indexing="ij"))
    asked, usual, offset = forecast.features(past, Rows(series, origin, ahead))
    log_people = forecast.predict(trees, asked, threads) + np.log(usual + offset)[:, None]
    people = np.exp(log_people.reshape(len(zones), len(origins), len(AHEAD), len(LEVELS)))
    before = np.array(HORIZONS_S) // QUARTER_S - 1
    found: Reals = np.log((people[:, :, before] + people[:, :, before + 1]) / 2)
    return found


def mixed(plain: Reals, trees: Reals, shares: Reals) -> Reals:
    """Both together (S, O, H, L); where the trees know nothing, the other alone."""
    share = shares[:, None]
    found: Reals = np.sort(np.where(np.isnan(trees), plain, share * trees + (1 - share) * plain), axis=-1)
    return found


def widened(told: Reals, factors: Reals) -> Reals:
    """Quantiles (S, H, L) with their widths corrected."""
    return np.stack(
        [conformal.widened(told[:, place], factors[place]) for place in range(len(HORIZONS_S))], axis=1
    )


def _earlier(record: Record, past: History, fine_ahead: Ints) -> Earlier:
    """How the outlook without training erred before the last two weeks."""
    known = record.quarters.shape[1] - 2 * WEEK
    window = slice(max(0, known - EARLIER_DAYS * past.grid.slots), known)
    days = replace(past.grid, day=past.grid.day[window], slot=past.grid.slot[window])
    usual = past.climate.usual[:, days.day, days.slot].astype(float)
    return earlier_errors(record.quarters[:, window], usual, days, FINE_S, fine_ahead)


class _Weeks:
    """The last two weeks of a record as they came, and what the outlook without training said then."""

    def __init__(self, record: Record, past: History) -> None:
        last = record.quarters.shape[1] - len(AHEAD) - 1
        self.past, self.offset = past, past.climate.offset
        self.origins = np.arange(record.quarters.shape[1] - 2 * WEEK, last, EVERY)
        self.first_week = self.origins < record.quarters.shape[1] - WEEK
        self.day = past.grid.day[self.origins]
        fine_ahead = np.array(HORIZONS_S) // FINE_S
        earlier = _earlier(record, past, fine_ahead)
        self.earlier = {slot: earlier.at(slot) for slot in np.unique(past.grid.slot[self.origins]).tolist()}
        now = (self.origins + 1) * FINE - record.missing
        self.came = record.fine[:, now[:, None] - 1 + fine_ahead]
        parts = [self._plain(record, int(each), fine_ahead) for each in now]
        self.plain = np.stack(parts, axis=1)

    def _plain(self, record: Record, now: int, fine_ahead: Ints) -> Reals:
        """What was said at a step of the fine record (S, H, L)."""
        steps = (np.arange(now - MEMORY_FINE, now + fine_ahead[-1]) + record.missing) // FINE
        grid, found = self.past.grid, self.past.climate
        usual = found.usual[:, grid.day[steps], grid.slot[steps]].astype(float)
        lately = record.fine[:, now - MEMORY_FINE : now]
        earlier = self.earlier[int(grid.slot[steps[MEMORY_FINE - 1]])]
        told = look_ahead(lately, usual, FINE_S, fine_ahead, earlier)
        logs: Reals = np.log(told.quantiles + self.offset[:, None, None])
        return logs

    def losses(self, told: Reals) -> list[float]:
        """The weighted quantile loss of each horizon in the first week."""
        places = range(len(HORIZONS_S))
        return [weighted_quantile_loss(*self._known(told, place, self.first_week)) for place in places]

    def figures(self, told: Reals) -> Figures:
        """How it did in the last week, each day's widths corrected by the days before."""
        second = ~self.first_week
        rows, wide = [], told.copy()
        for place in range(len(HORIZONS_S)):
            for day in np.unique(self.day[second]).tolist():
                today = self.day == day
                factors = self.factors(told, place, self.day < day)
                wide[:, today, place] = conformal.widened(
                    told[:, today, place].reshape(-1, len(LEVELS)), factors
                ).reshape(wide[:, today, place].shape)
            people, came = self._known(wide, place, second)
            error = float(np.abs(people[:, NINE.tolist().index(0.5)] - came).mean()) if len(came) else np.nan
            rows.append(
                (weighted_quantile_loss(people, came), error, covered(people[:, 0], people[:, -1], came))
            )
        return Figures(*np.array(rows).T)

    def factors(self, told: Reals, place: int, which: Reals) -> Reals:
        """By how much the widths of a horizon should have been wider over some of the origins (L,)."""
        came = np.log(self.came[:, which, place] + self.offset[:, None]).ravel()
        deviation = told[:, which, place].reshape(-1, len(LEVELS))
        known = ~np.isnan(came) & ~np.isnan(deviation).any(axis=1)
        return conformal.factors(deviation[known], came[known])

    def _known(self, told: Reals, place: int, which: Reals) -> tuple[Reals, Reals]:
        """People at NINE levels (n, 9) and what came (n,), where both are known."""
        logs = at_levels(told[:, which, place].reshape(-1, len(LEVELS)), NINE)
        offset = np.repeat(self.offset, int(which.sum()))[:, None]
        people, came = np.maximum(np.exp(logs) - offset, 0.0), self.came[:, which, place].ravel()
        known = ~np.isnan(came) & ~np.isnan(people).any(axis=1)
        return people[known], came[known]


def train(
    record: Record,
    zone_ids: tuple[str, ...],
    running: Trained | None,
    threads: int,
    progress: Callable[[float], None],
) -> tuple[Trained, dict[str, Figures]]:
    """Learn from all but the last two weeks, take the shares from the first of them, try it on the second.

    With the weather and without it, where that is known; what was better in the first week is kept. The
    figures are those of the new forecast (`mine`), of the one in use (`running`) and of the outlook without
    training (`plain`), over the same hours of the last week.
    """
    known = record.quarters.shape[1] - 2 * WEEK
    found = climate(record.quarters, record.grid, known)
    past = forecast.history(record.quarters, record.grid, found)
    progress(0.1)
    weeks = _Weeks(record, past)
    progress(0.2)
    ways = (
        [past] if past.grid.weather is None else [past, replace(past, grid=replace(past.grid, weather=None))]
    )
    tried = []
    for way in ways:
        tried.append(_learnt(way, known, weeks, threads))
        progress(0.2 + 0.7 * len(tried) / len(ways))
    best = min(tried, key=lambda one: one.loss)
    plain = weeks.figures(weeks.plain)
    figures = {"mine": weeks.figures(best.told), "plain": plain, "running": plain}
    if running is not None and running.zone_ids == zone_ids:
        theirs = mixed(weeks.plain, said(running.trees, past, weeks.origins, threads), running.shares)
        figures["running"] = weeks.figures(theirs)
    both = np.ones(len(weeks.origins), dtype=bool)
    factors = np.stack([weeks.factors(best.told, place, both) for place in range(len(HORIZONS_S))])
    progress(1.0)
    asks = best.past.grid.weather is not None and forecast.asks_weather(best.trees)
    return Trained(zone_ids, best.trees, best.shares, factors, asks), figures


class _Learnt(NamedTuple):
    """Trees with their shares (H,), what they said over the two weeks, and their loss in the first."""

    past: History
    trees: Model
    shares: Reals
    told: Reals
    loss: float


def _learnt(past: History, known: int, weeks: _Weeks, threads: int) -> _Learnt:
    trees = learn(past, known, AHEAD, threads)
    mine = said(trees, past, weeks.origins, threads)
    every = np.tile(SHARES[:, None], len(HORIZONS_S))
    losses = np.array([weeks.losses(mixed(weeks.plain, mine, share)) for share in every])
    shares = SHARES[np.argmin(losses, axis=0)]
    return _Learnt(past, trees, shares, mixed(weeks.plain, mine, shares), float(losses.min(axis=0).mean()))
