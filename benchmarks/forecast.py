"""The forecast: 1,000 sensors × 8 horizons with features, on one thread; and learning 100 sensors × a year
× 5 min.

Timed is what a minute takes: counts of the last 30 days are known with their climate (made once a day), and
the present is seen, asked and put into people. The peer predicts by statsforecast's AutoETS, 20 series
extrapolated.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace
from datetime import UTC, datetime

import numpy as np
from statsforecast.models import AutoETS

from anshang.crowds.calendars import day_grid
from anshang.crowds.forecasting import LEVELS, learn
from anshang.kernels import forecast, quantiles
from anshang.kernels.climate import climate
from anshang.kernels.forecast import Rows
from benchmarks import report

START_MS = round(datetime(2024, 3, 4, tzinfo=UTC).timestamp() * 1000)
STEP_S = 300
AHEAD = np.array([3, 6, 9, 12, 15, 18, 21, 24])
SENSORS, DAYS, PEERS = 1_000, 30, 20
MINUTE_MOST_S, LEARN_MOST_S, MOST_MB = 1.0, 600.0, 1_000.0


def counts_of(sensors: int, days: int):  # type: ignore[no-untyped-def]
    """Made-up counts with a course of the day, and their grid."""
    steps = days * 86_400 // STEP_S
    grid = day_grid(START_MS, steps, STEP_S, UTC)
    rng = np.random.default_rng(1)
    course = 2 + 30 * np.exp(-(((grid.slot * STEP_S / 3600 - 17) / 3.5) ** 2))
    busy = np.exp(rng.normal(0, 0.25, days)[grid.day])
    size = rng.uniform(0.5, 2, sensors).astype(np.float32)[:, None]
    return rng.poisson(course * busy * size).astype(float), grid


def main() -> None:
    """Measure a minute and a night, report both."""
    counts, grid = counts_of(100, 365)
    begun_s = time.perf_counter()
    past = forecast.history(counts, grid, climate(counts, grid, counts.shape[1]))
    model = learn(past, counts.shape[1], AHEAD, threads=2)
    learnt_s = time.perf_counter() - begun_s
    del past, counts
    report(
        "forecast.learning_100_sensors_a_year",
        learnt_s,
        "s",
        must=f"<= {LEARN_MOST_S:.0f} s on two cores",
        ok=learnt_s <= LEARN_MOST_S,
    )
    counts, grid = counts_of(SENSORS, DAYS)
    found = climate(counts, grid, counts.shape[1])
    minute_s = min(minute(model, counts, grid, found) for _ in range(5))
    kept = [getattr(found, each.name) for each in fields(found)]
    kept_mb = (sum(each.nbytes for each in kept) + counts.nbytes) / 1e6
    begun_s = time.process_time()
    for row in counts[:PEERS, -7 * grid.slots :]:
        AutoETS(season_length=1).forecast(y=row, h=int(AHEAD[-1]), level=[80])
    peer_s = (time.process_time() - begun_s) * SENSORS / PEERS
    report(
        "forecast.1000_sensors_8_horizons",
        minute_s,
        "s",
        must=f"<= {MINUTE_MOST_S} s on one core, <= {MOST_MB:.0f} MB (here {kept_mb:.0f} MB are kept)",
        ok=minute_s <= MINUTE_MOST_S and kept_mb <= MOST_MB,
        peer="statsforecast AutoETS without a season, one fit a series",
        peer_value=peer_s,
    )


def minute(model, counts, grid, found) -> float:  # type: ignore[no-untyped-def]
    """CPU seconds of one minute's forecast."""
    begun_s = time.process_time()
    window = slice(counts.shape[1] - 8 * grid.slots, None)
    lately = replace(grid, day=grid.day[window], slot=grid.slot[window])
    last = 8 * grid.slots - 1
    past = forecast.history(counts[:, window], lately, found, np.array([last]))
    series = np.tile(np.arange(len(counts)), len(AHEAD))
    rows = Rows(series, np.full(len(series), last), np.repeat(AHEAD, len(counts)))
    asked, usual, offset = forecast.features(past, rows)
    told = forecast.predict(model, asked, threads=1)
    quantiles.people(quantiles.at_levels(told, LEVELS), usual, offset)
    return time.process_time() - begun_s


if __name__ == "__main__":
    main()
