"""One answer from raw rows, roll-ups and sealed files: no seam, nothing twice."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import DISTRICT

from anshang.crowds import observations, rolling, sealing, sums
from anshang.crowds.model import Observation
from anshang.crowds.telemetry import DAY_MS, HOUR_MS, MINUTE_MS, ROLLED, list_late_hours, put_mark, read_mark
from anshang.foundation import clock
from anshang.foundation.database import Database

pytestmark = pytest.mark.postgres

DAY = clock.to_ms(datetime(2026, 12, 29, tzinfo=UTC))


class Bucket(NamedTuple):
    """What a sensor's bucket holds."""

    in_count: int
    out_count: int
    last_ms: int
    people_last: int
    people_max: int
    people_sum: int
    row_count: int


def line(sensor: str, at_ms: int, in_count: int = 3, out_count: int = 1) -> Observation:
    return Observation(sensor, at_ms, in_count, out_count, None)


def head(sensor: str, at_ms: int, people: int) -> Observation:
    return Observation(sensor, at_ms, 0, 0, people)


def keep(database: Database, rows: list[Observation], received_ms: int) -> None:
    database.bulk(DISTRICT, lambda c: observations.add_new(c, DISTRICT, rows, received_ms))


def told(counts: sums.Sums) -> dict[tuple[str, int], Bucket]:
    """The answer by sensor and bucket."""
    columns = [counts.in_count, counts.out_count, counts.last_ms, counts.people_last, counts.people_max,
               counts.people_sum, counts.row_count]  # fmt: skip
    keys = zip((counts.sensor_ids[n] for n in counts.sensor.tolist()), counts.at_ms.tolist(), strict=True)
    rows = (Bucket(*row) for row in zip(*(column.tolist() for column in columns), strict=True))
    answer = dict(zip(keys, rows, strict=True))
    assert len(answer) == len(counts.at_ms), "a bucket came twice"
    return answer


def expected(rows: list[Observation], step_ms: int) -> dict[tuple[str, int], Bucket]:
    """The same by plain counting."""
    groups: dict[tuple[str, int], list[Observation]] = defaultdict(list)
    for row in rows:
        groups[row.sensor_id, row.at_ms // step_ms * step_ms].append(row)
    return {key: _bucket(sorted(group, key=lambda row: row.at_ms)) for key, group in groups.items()}


def _bucket(group: list[Observation]) -> Bucket:
    people = [row.people_count for row in group if row.people_count is not None]
    return Bucket(
        sum(row.in_count for row in group),
        sum(row.out_count for row in group),
        group[-1].at_ms,
        people[-1] if people else -1,
        max(people, default=-1),
        sum(people),
        len(group),
    )


def ask(
    database: Database,
    step_s: int,
    from_ms: int = DAY - DAY_MS,
    to_ms: int = DAY + 3 * DAY_MS,
    folder: Path | None = None,
    sensors: list[str] | None = None,
) -> dict[tuple[str, int], Bucket]:
    with database.reading([DISTRICT]) as connection:
        return told(observations.read_counts(connection, DISTRICT, sensors, from_ms, to_ms, step_s, folder))


def sample(days: int = 3) -> list[Observation]:
    """Three sensors over some days, every ten minutes and some seconds."""
    rows = []
    for at_ms in range(DAY, DAY + days * DAY_MS, 600_000):
        rows += [
            line("g1", at_ms, at_ms // 600_000 % 7),
            line("g2", at_ms + 17_000),
            head("h1", at_ms + 31_000, 40),
        ]
    return rows


@pytest.mark.parametrize("step_s", [0, 10, 60, 300, 900, 3600, 7200, 86_400])
def test_rows_answer_in_any_step(database: Database, step_s: int) -> None:
    rows = sample(1)
    keep(database, rows, DAY)
    assert ask(database, step_s) == expected(rows, step_s * 1000 or 1)


@pytest.mark.parametrize("step_s", [0, 60, 300, 900, 3600, 86_400])
def test_the_answer_is_the_same_before_and_after_rolling_up_and_sealing(
    database: Database, tmp_path: Path, step_s: int
) -> None:
    rows = sample()
    keep(database, rows, DAY)
    before = ask(database, step_s)
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + 2 * DAY_MS + 20 * MINUTE_MS), tmp_path)
    assert ask(database, step_s, folder=tmp_path) == before
    sealing.seal(database, DISTRICT, clock.from_ms(DAY + DAY_MS + HOUR_MS), tmp_path)
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert ask(database, step_s, folder=tmp_path) == before == expected(rows, step_s * 1000 or 1)


def test_a_question_for_some_sensors_is_answered_for_them(database: Database, tmp_path: Path) -> None:
    rows = sample()
    keep(database, rows, DAY)
    wanted = expected([row for row in rows if row.sensor_id != "g2"], HOUR_MS)
    assert ask(database, 3600, sensors=["g1", "h1", "never"]) == wanted
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + 2 * DAY_MS))
    sealing.seal(database, DISTRICT, clock.from_ms(DAY + DAY_MS), tmp_path)
    assert ask(database, 3600, folder=tmp_path, sensors=["g1", "h1", "never"]) == wanted
    assert ask(database, 0, folder=tmp_path, sensors=["never"]) == {}


def test_a_question_that_begins_and_ends_within_a_step_counts_only_what_lies_between(
    database: Database,
) -> None:
    rows = sample(1)
    keep(database, rows, DAY)
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + DAY_MS))
    from_ms, to_ms = DAY + 37 * MINUTE_MS + 5, DAY + 3 * HOUR_MS + 20 * MINUTE_MS + 17_000
    inside = [row for row in rows if from_ms <= row.at_ms < to_ms]
    assert ask(database, 3600, from_ms, to_ms) == expected(inside, HOUR_MS)


def test_a_row_that_comes_late_is_in_the_next_answer_and_in_the_next_roll_up(
    database: Database, tmp_path: Path
) -> None:
    rows = sample()
    keep(database, rows, DAY + 3 * DAY_MS)
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + 2 * DAY_MS), tmp_path)
    sealing.seal(database, DISTRICT, clock.from_ms(DAY + DAY_MS), tmp_path)
    late = [line("g1", DAY + 5 * HOUR_MS + 1, 50), line("g2", DAY + DAY_MS + 90_001, 60)]
    keep(database, late, DAY + 3 * DAY_MS)
    wanted = expected(rows + late, HOUR_MS)
    assert ask(database, 3600, folder=tmp_path) == wanted
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + 2 * DAY_MS), tmp_path)
    with database.reading([DISTRICT]) as connection:
        held = list_late_hours(connection, DISTRICT)
        rolled_ms = read_mark(connection, DISTRICT, ROLLED)
    assert rolled_ms == DAY + 2 * DAY_MS
    assert {hour_ms for hour_ms in held if hour_ms < rolled_ms} == set()
    assert ask(database, 3600, folder=tmp_path) == wanted
    sealing.seal(database, DISTRICT, clock.from_ms(DAY + DAY_MS), tmp_path)
    assert ask(database, 3600, folder=tmp_path) == wanted
    assert ask(database, 0, folder=tmp_path) == expected(rows + late, 1)


def test_rolling_up_minute_by_minute_gives_the_same_as_at_once(database: Database) -> None:
    rows = [line("g1", DAY + n * 20_000, n) for n in range(600)]
    keep(database, rows, DAY)
    for minute in range(7, 190, 7):
        rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + minute * MINUTE_MS))
    for step_s in (60, 900, 3600):
        assert ask(database, step_s) == expected(rows, step_s * 1000)


def test_rolling_up_twice_changes_nothing_and_finds_nothing_to_do(database: Database) -> None:
    keep(database, sample(1), DAY)
    until_at = clock.from_ms(DAY + DAY_MS)
    assert rolling.roll_up(database, DISTRICT, until_at) > 0
    before = ask(database, 900)
    assert rolling.roll_up(database, DISTRICT, until_at) == 0
    assert ask(database, 900) == before


def test_years_without_a_row_are_passed_over(database: Database) -> None:
    keep(database, [line("g1", DAY - 3000 * DAY_MS), line("g1", DAY)], DAY)
    assert rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + HOUR_MS)) <= 5
    assert len(ask(database, 3600, 0)) == 2


def test_minutes_are_answered_from_rows_once_their_roll_ups_are_gone(
    database: Database, tmp_path: Path
) -> None:
    rows = sample(1)
    keep(database, rows, DAY)
    later = clock.from_ms(DAY + 40 * DAY_MS)
    rolling.roll_up(database, DISTRICT, later, tmp_path)
    sealing.seal(database, DISTRICT, later, tmp_path)
    with database.reading([DISTRICT]) as connection:
        gone = observations.read_rollups(connection, DISTRICT, 60, (0, DAY + DAY_MS))
    assert len(gone.at_ms) == 0
    assert ask(database, 60, folder=tmp_path) == expected(rows, MINUTE_MS)


def test_the_engine_gets_minutes_with_their_newest_row_and_last_head_count(database: Database) -> None:
    rows = [
        line("g1", DAY + 1_000, 3),
        line("g1", DAY + 59_000, 4),
        head("h1", DAY, 9),
        head("h1", DAY + 30_000, 7),
    ]
    keep(database, rows, DAY)
    with database.reading([DISTRICT]) as connection:
        day = observations.minute_sums(connection, DISTRICT, DAY, DAY + DAY_MS)
        nothing = observations.minute_sums(connection, DISTRICT, 0, 1)
    assert day.sensor_ids == ["g1", "h1"] or sorted(day.sensor_ids) == ["g1", "h1"]
    found = {
        day.sensor_ids[s]: (at, i, p)
        for s, at, i, p in zip(day.sensor.tolist(), day.at_ms.tolist(), day.in_count, day.people, strict=True)
    }
    assert found["g1"][:2] == (DAY + 59_000, 7.0)
    assert np.isnan(found["g1"][2])
    assert found["h1"] == (DAY + 30_000, 0.0, 7.0)
    assert nothing.sensor_ids == []
    assert len(nothing.at_ms) == 0


ROW = st.tuples(
    st.sampled_from(["a", "b"]),
    st.integers(0, 3 * HOUR_MS - 1),
    st.integers(0, 100_000),
    st.none() | st.integers(0, 100_000),
)


@given(
    batches=st.lists(st.lists(ROW, max_size=8), max_size=6),
    rolls=st.lists(st.integers(0, 200), max_size=6),
    step_s=st.sampled_from([60, 300, 900, 3600]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.slow
def test_roll_ups_equal_the_sums_of_the_rows_whatever_comes_when(
    template: Path, tmp_path_factory: pytest.TempPathFactory, batches: list, rolls: list[int], step_s: int
) -> None:
    """Rows come in any order, between rollings up to any minute."""
    path = tmp_path_factory.mktemp("rolled") / "anshang.db"
    path.write_bytes(template.read_bytes())
    database = Database(f"sqlite:///{path}")
    rows: dict[tuple[str, int], Observation] = {}
    for number, batch in enumerate(batches):
        fresh = {}
        for sensor, at_ms, count, people in batch:
            key = (sensor, DAY + at_ms)
            if key not in rows:
                fresh[key] = Observation(*key, 0 if people is not None else count, 0, people)
        if fresh:
            keep(database, list(fresh.values()), DAY + DAY_MS)
        rows |= fresh
        for minute in rolls[number : number + 1]:
            rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + minute * MINUTE_MS))
        assert ask(database, step_s) == expected(list(rows.values()), step_s * 1000)
    database.dispose()


def keep_minutes(database: Database, minutes: int) -> None:
    for minute in range(minutes):
        zones = [
            ("z1", 100 + minute, 90, 110 + minute, 1.0 + minute / 60, minute // 60),
            ("z2", None, None, None, None, None),
        ]
        database.bulk(
            DISTRICT,
            lambda c, m=minute, z=zones: observations.keep_zone_minutes(c, DISTRICT, DAY + m * MINUTE_MS, z),
        )


def test_a_zones_history_is_the_same_before_and_after_rolling_up(database: Database) -> None:
    keep_minutes(database, 130)

    def history(step_s: int) -> list[observations.ZonePoint]:
        with database.reading([DISTRICT]) as connection:
            return observations.zone_history(connection, DISTRICT, "z1", DAY, DAY + 3 * HOUR_MS, step_s)

    before = {step_s: history(step_s) for step_s in (60, 300, 900, 3600)}
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + 125 * MINUTE_MS))
    for step_s, points in before.items():
        assert history(step_s) == [pytest.approx(point) for point in points]
    assert [point.at_ms for point in history(3600)] == [DAY, DAY + HOUR_MS, DAY + 2 * HOUR_MS]
    assert history(3600)[1].people == pytest.approx(100 + 89.5)
    assert (history(3600)[1].low, history(3600)[1].high, history(3600)[1].level) == (90, 229, 1)


def test_a_zones_minute_that_is_told_late_is_rolled_up_again(database: Database) -> None:
    keep_minutes(database, 120)
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + 2 * HOUR_MS))
    zones = [("z1", 1000, 1, 2000, 9.0, 4)]
    database.bulk(DISTRICT, lambda c: observations.keep_zone_minutes(c, DISTRICT, DAY + 5 * MINUTE_MS, zones))

    def first_hour() -> observations.ZonePoint:
        with database.reading([DISTRICT]) as connection:
            return observations.zone_history(connection, DISTRICT, "z1", DAY, DAY + 2 * HOUR_MS, 3600)[0]

    assert first_hour().high == 2000
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + 2 * HOUR_MS))
    assert first_hour().high == 2000


def test_what_is_remembered_without_a_level_never_erases_one(database: Database) -> None:
    """Engines also replay past minutes, and then know people but no level."""
    for minute, level in ((0, 3), (0, None), (1, None)):
        zones = [("z1", 100, 90, 110, 3.1, level)]
        database.bulk(
            DISTRICT,
            lambda c, m=minute, z=zones: observations.keep_zone_minutes(c, DISTRICT, DAY + m * MINUTE_MS, z),
        )
    with database.reading([DISTRICT]) as connection:
        points = observations.zone_history(connection, DISTRICT, "z1", DAY, DAY + HOUR_MS, 60)
    assert [(point.people, point.level) for point in points] == [(100, 3), (100, None)]


def test_an_unknown_zone_is_unknown_in_its_history(database: Database) -> None:
    keep_minutes(database, 3)
    with database.reading([DISTRICT]) as connection:
        points = observations.zone_history(connection, DISTRICT, "z2", DAY, DAY + HOUR_MS, 60)
    assert [point.people for point in points] == [None, None, None]


def test_a_districts_history_adds_its_known_zones_and_says_how_many_were_unknown(database: Database) -> None:
    keep_minutes(database, 130)

    def history(step_s: int) -> list[observations.DistrictPoint]:
        with database.reading([DISTRICT]) as connection:
            return observations.district_history(connection, DISTRICT, DAY, DAY + 3 * HOUR_MS, step_s)

    before = {step_s: history(step_s) for step_s in (60, 3600)}
    rolling.roll_up(database, DISTRICT, clock.from_ms(DAY + 125 * MINUTE_MS))
    for step_s, points in before.items():
        assert history(step_s) == [pytest.approx(point) for point in points]
    with database.reading([DISTRICT]) as connection:
        zone = observations.zone_history(connection, DISTRICT, "z1", DAY, DAY + 3 * HOUR_MS, 3600)
    assert [(p.at_ms, p.people) for p in history(3600)] == [(p.at_ms, p.people) for p in zone]
    assert {point.unknown_zones for point in history(60)} == {1}  # z2 of `keep_minutes` was never known


def test_a_mark_is_kept_for_its_district_only(database: Database) -> None:
    database.bulk(DISTRICT, lambda c: put_mark(c, DISTRICT, ROLLED, 7))
    with database.reading([DISTRICT, "elsewhere"]) as connection:
        assert read_mark(connection, DISTRICT, ROLLED) == 7
        assert read_mark(connection, "elsewhere", ROLLED) is None


def test_folding_keeps_sums_exact_up_to_a_full_day_of_full_counts() -> None:
    count = 8640
    at_ms = DAY + np.arange(count) * 10_000
    full = np.full(count, 100_000, np.int64)
    day = sums.fold(sums.of_rows(["a"], np.zeros(count, np.int64), at_ms, full, full, full), DAY_MS)
    assert day.in_count.tolist() == day.people_sum.tolist() == [864_000_000]
    assert day.people_last.tolist() == [100_000]


def test_the_delay_leaves_on_time_rows_alone() -> None:
    assert timedelta(milliseconds=2 * observations.LATE_MS) <= rolling.DELAY
