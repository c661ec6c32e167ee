"""Readings that no crowd makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.kernels.forecasts import street

from anshang.kernels.faults import bursts, dead, impossible, stuck


def test_a_sensor_that_sticks_is_seen_after_a_while_and_only_from_then_on() -> None:
    counts, grid = street(10)
    counts[1, 100:140] = 57
    found = stuck(counts, grid.step_s)
    assert not found[1, :112].any()
    assert found[1, 112:140].all()
    assert not found[0].any()
    assert not found[1, 141:].any()


def test_an_empty_night_is_no_sensor_that_sticks() -> None:
    assert not stuck(np.zeros((1, 500)), 300).any()


def test_one_reading_of_a_thousand_million_is_none_and_a_great_night_is_one() -> None:
    counts, _ = street(20)
    counts[0, 300] = 1e9
    counts[1, 310] = counts[1].max() * 6
    found = impossible(counts, 240)
    assert found[0, 300]
    assert found.sum() == 1


def test_a_sensor_never_seen_before_is_not_judged() -> None:
    counts = np.full((1, 50), np.nan)
    counts[0, 40:] = 500
    assert not impossible(counts, 30).any()


def evenings(days: int, seed: int = 3) -> np.ndarray:
    """Three sensors by the hour: busy by day, hardly anybody from one to five, and a quiet lane."""
    rng = np.random.default_rng(seed)
    hours = np.arange(days * 24) % 24
    busy = np.where((hours >= 1) & (hours < 5), 0.3, 80 + 60 * np.sin((hours - 8) / 24 * 2 * np.pi))
    return np.array([rng.poisson(busy), rng.poisson(3 * busy), rng.poisson(0.004 * busy)]).astype(float)


def test_zeros_through_a_working_day_are_a_dead_sensor() -> None:
    counts = evenings(30)
    counts[0, 20 * 24 + 8 : 20 * 24 + 20] = 0
    found = dead(counts, 24, 3600)
    assert found[0, 20 * 24 + 11 : 20 * 24 + 20].all(), "from the fourth hour on"
    assert found.sum() == 9


def test_a_sensor_that_stays_dead_does_not_become_usual() -> None:
    counts = evenings(40)
    counts[0, 20 * 24 :] = 0
    found = dead(counts, 24, 3600).reshape(3, 40, 24)[0]
    assert found[21:, 9:].all()


def test_quiet_nights_and_a_quiet_lane_are_no_dead_sensors() -> None:
    for seed in range(10):
        assert not dead(evenings(60, seed), 24, 3600).any()


def test_what_a_sensor_kept_over_an_outage_is_a_burst() -> None:
    counts = evenings(30)
    begin = 20 * 24 + 8
    for gap in (np.nan, 0.0):
        kept = counts.copy()
        kept[1, begin : begin + 10] = gap
        kept[1, begin + 10] = counts[1, begin : begin + 11].sum()
        found = bursts(kept, 24)
        assert found[1, begin + 10]
        assert found.sum() == 1


def test_a_great_night_is_no_burst_and_neither_is_the_hour_after_an_outage() -> None:
    counts = evenings(30)
    counts[0, 25 * 24 + 18 : 25 * 24 + 24] *= 6
    counts[1, 20 * 24 + 8 : 20 * 24 + 12] = np.nan
    assert not bursts(counts, 24).any()


RECORDED = Path(__file__).parents[3] / "shared" / "data" / "crowds"


def recorded(name: str, labels: str, stamps: str, columns: tuple[str, str], step_s: int) -> list[np.ndarray]:
    """Counts and, where the file has them, rows its source marked as a backlog, each (sensors, steps)."""
    path = RECORDED / name
    if not path.is_file():
        pytest.skip(f"recorded counts are not part of the project: {path}")
    table = pq.read_table(path)
    at_s = table[stamps].to_numpy().astype("datetime64[s]").astype(np.int64)
    step = (at_s - at_s.min() // 86_400 * 86_400) // step_s
    _, sensor = np.unique(table[labels].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    shape = (sensor.max() + 1, step.max() + 1)
    counts, marked = np.full(shape, np.nan), np.zeros(shape, bool)
    counts[sensor, step] = table[columns[0]].to_numpy() + table[columns[1]].to_numpy()
    if "suspect_backlog" in table.schema.names:
        marked[sensor, step] = table["suspect_backlog"].to_pylist()
    return [counts, marked]


@pytest.mark.realdata
@pytest.mark.slow
def test_a_year_of_a_station_has_quiet_nights_and_no_fault() -> None:
    name = "zurich_hardbruecke_5min/hardbruecke_2020_5min.parquet"
    counts, _ = recorded(name, "counter", "timestamp", ("in_count", "out_count"), 300)
    assert not dead(counts, 288, 300).any()
    assert not bursts(counts, 288).any()


@pytest.mark.realdata
@pytest.mark.slow
def test_outages_of_a_shopping_street_are_dead_hours_and_end_in_bursts() -> None:
    name = "heidenheim_zone_30min/heidenheim_30min.parquet"
    counts, marked = recorded(name, "sensor", "datetime_utc", ("person_in", "person_out"), 1800)
    found = bursts(counts, 48)
    assert (found & marked).sum() >= 15, "most that the source marked after a silence of known length"
    assert (found & ~marked).sum() <= 3
    assert dead(counts, 48, 1800).any(axis=1).all()
