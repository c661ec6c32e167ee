"""The trained forecast of a district at work: made ready every four hours, asked every minute, its widths
corrected by how its own forecasts came out.

Loaded only where a model is in use, because of what it brings with it. Holds nothing that cannot be made
again from the store, but the outcomes of the last days, without which the widths are those of the training.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields, replace

import numpy as np

from anshang.crowds.ahead import HORIZONS_S, WeatherUse
from anshang.crowds.telemetry import QUARTER_MS
from anshang.crowds.trained import AHEAD, QUARTER_S, Trained, mixed, said, unpacked, widened
from anshang.kernels import conformal, forecast
from anshang.kernels.climate import Climate, climate
from anshang.kernels.daygrid import DayGrid, Reals, mean_known

QUARTER_MINUTES = QUARTER_S // 60
DAY_QUARTERS = 86_400 // QUARTER_S
DAYS_AFTER = 2
WINDOW_DAYS, CLIMATE_DAYS = 9, 36
"""Of counts and of the climate: as far back as the features look."""
OUTCOMES_MIN, OUTCOMES_MAX = 2 * DAY_QUARTERS, 7 * DAY_QUARTERS


@dataclass(slots=True)
class Living:
    """A model at work: the last days of its zones (S, T) from `first_ms` on, and what is usual on them."""

    model_id: str
    trained: Trained
    first_ms: int
    quarters: Reals
    grid: DayGrid
    climate: Climate
    watch: int
    """The four hours it was made ready for."""
    waiting: deque[tuple[int, int, Reals]]
    outcomes: tuple[deque[tuple[Reals, Reals]], ...]

    def quantiles(self, minutes: Reals, end_ms: int, plain: Reals, quarter_ms: int | None = None) -> Reals:
        """People ahead (S, H, L) from the last minutes (S, M) up to `end_ms` and from what the outlook
        without training says of them (S, H, L); NaN where that says nothing. At the end of a quarter
        (`quarter_ms`, told once) what came is held against what was said.
        """
        last = self._see(minutes, end_ms)
        begin = max(0, last + 1 - WINDOW_DAYS * DAY_QUARTERS)
        window = slice(begin, last + 1)
        lately = replace(self.grid, day=self.grid.day[window], slot=self.grid.slot[window])
        now = np.array([last - begin])
        past = forecast.history(self.quarters[:, window], lately, self.climate, now)
        offset = self.climate.offset[:, None, None]
        told = mixed(
            np.log(plain + offset)[:, None], said(self.trained.trees, past, now), self.trained.shares
        )
        told = told[:, 0]
        if quarter_ms is not None:
            self._compare(mean_known(minutes[:, -5:], axis=1), told, quarter_ms)
        found: Reals = np.maximum(np.exp(widened(told, self._factors())) - offset, 0.0)
        return found

    def weather_use(self, end_ms: int) -> WeatherUse:
        """Whether the weather of the next two hours is reckoned with, as far as it is usually told."""
        if not self.trained.learnt_weather:
            return WeatherUse.NONE
        if self.grid.weather is None:
            return WeatherUse.MISSING
        now = np.full(len(AHEAD), (end_ms - self.first_ms) // QUARTER_MS)
        then = self.grid.weather[forecast.target_of(self.grid, forecast.Rows(now, now, AHEAD))]
        usually = ~np.isnan(self.grid.weather).all(axis=(0, 1))
        return WeatherUse.MISSING if np.isnan(then[:, usually]).any() else WeatherUse.USED

    def _see(self, minutes: Reals, end_ms: int) -> int:
        """Put the last day's minutes into quarters; the place of the one that is now: the last 15 minutes."""
        begun = end_ms // 60_000 % QUARTER_MINUTES
        whole = minutes[:, : minutes.shape[1] - begun]
        many = min(DAY_QUARTERS, whole.shape[1] // QUARTER_MINUTES)
        parts = whole[:, whole.shape[1] - many * QUARTER_MINUTES :].reshape(len(whole), many, QUARTER_MINUTES)
        end = (end_ms // QUARTER_MS * QUARTER_MS - self.first_ms) // QUARTER_MS
        self.quarters[:, end - many : end] = mean_known(parts, axis=2)
        if begun:
            self.quarters[:, end] = mean_known(minutes[:, -QUARTER_MINUTES:], axis=1)
        return int(end) if begun else int(end) - 1

    def _compare(self, came: Reals, told: Reals, end_ms: int) -> None:
        """Remember what is said now, and what came of what was said for now."""
        logs = np.log(came + self.climate.offset)
        while self.waiting and self.waiting[0][0] < end_ms - HORIZONS_S[-1] * 1000:
            self.waiting.popleft()
        for said_ms, place, before in self.waiting:
            if said_ms + HORIZONS_S[place] * 1000 == end_ms:
                known = ~np.isnan(logs) & ~np.isnan(before).any(axis=1)
                self.outcomes[place].append((before[known], logs[known]))
        self.waiting.extend((end_ms, place, told[:, place].copy()) for place in range(len(HORIZONS_S)))

    def _factors(self) -> Reals:
        """The widths' factors (H, L): of the last week here, or of the training as long as that is short."""
        found = self.trained.factors.copy()
        for place, seen in enumerate(self.outcomes):
            if len(seen) >= OUTCOMES_MIN:
                told, came = (np.concatenate(each) for each in zip(*seen, strict=True))
                stride = max(1, len(came) // 20_000)
                found[place] = conformal.factors(told[::stride], came[::stride])
        return found


def wake(
    model_id: str,
    content: str,
    zone_ids: list[str],
    quarters: Reals,
    grid: DayGrid,
    first_ms: int,
    watch: int,
) -> Living | None:
    """A model made ready from its zones' quarters (S, T) of the last months, which go on, still empty, for
    DAYS_AFTER days; None when it was trained for other zones. ValueError when its content is none.
    """
    trained = unpacked(content)
    if trained.zone_ids != tuple(zone_ids):
        return None
    found = climate(quarters, grid, quarters.shape[1])
    today = int(grid.day[-1]) - DAYS_AFTER
    first = max(0, today - CLIMATE_DAYS)
    begin = int(np.searchsorted(grid.day, max(first, today - WINDOW_DAYS - 1)))
    kept = {
        each.name: np.ascontiguousarray(value[:, first:])
        for each in fields(found)
        if (value := getattr(found, each.name)).ndim == 3
    }
    return Living(
        model_id,
        trained,
        first_ms + begin * QUARTER_MS,
        quarters[:, begin:].copy(),
        grid.later(first, begin),
        replace(found, **kept),
        watch,
        deque(),
        tuple(deque(maxlen=OUTCOMES_MAX) for _ in HORIZONS_S),
    )
