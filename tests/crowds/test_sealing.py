"""Sealed rows are complete, on disk, and gone from the database only then; killed anywhere, nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.conftest import DISTRICT

from anshang.crowds import observations, sealed, sealing, sums
from anshang.crowds.model import Observation
from anshang.crowds.telemetry import DAY_MS, HOUR_MS
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.errors import StorageFailed

pytestmark = pytest.mark.postgres

DAY = clock.to_ms(datetime(2026, 12, 29, tzinfo=UTC))
BEFORE = clock.from_ms(DAY + 2 * DAY_MS + HOUR_MS)


def rows_of(days: int = 3) -> list[Observation]:
    rows = []
    for at_ms in range(DAY, DAY + days * DAY_MS, 1_800_000):
        rows += [Observation("g1", at_ms, 3, 1, None), Observation("h1", at_ms + 5_000, 0, 0, 40)]
    return rows


def keep(database: Database, rows: list[Observation]) -> None:
    database.bulk(DISTRICT, lambda c: observations.add_new(c, DISTRICT, rows, DAY))


def everything(database: Database, folder: Path) -> list[tuple[str, int, int, int, int, int]]:
    """All rows by the one question."""
    with database.reading([DISTRICT]) as connection:
        found = observations.read_counts(connection, DISTRICT, None, 0, DAY + 9 * DAY_MS, 0, folder)
    names = [found.sensor_ids[place] for place in found.sensor.tolist()]
    columns = (found.at_ms, found.in_count, found.out_count, found.people_last, found.row_count)
    return sorted(zip(names, *(column.tolist() for column in columns), strict=True))


def meant(rows: list[Observation]) -> list[tuple[str, int, int, int, int, int]]:
    return sorted(
        (*row[:4], sums.NOBODY if row.people_count is None else row.people_count, 1) for row in rows
    )


def raw_count(database: Database) -> int:
    with database.reading([DISTRICT]) as connection:
        return sum(
            table.num_rows for table in observations.raw_tables(connection, DISTRICT, 0, DAY + 9 * DAY_MS)
        )


def test_whole_days_that_are_over_are_sealed_sorted_and_leave_the_database(
    database: Database, tmp_path: Path
) -> None:
    rows = rows_of()
    keep(database, rows)
    shares: list[float] = []
    assert sealing.seal(database, DISTRICT, BEFORE, tmp_path, shares.append) == 2 * 96
    assert shares == [0.5, 1.0]
    files = sorted(path.name for path in (tmp_path / DISTRICT).iterdir())
    assert files == ["2026-12-29.parquet", "2026-12-30.parquet"]
    assert raw_count(database) == 96
    table = pq.read_table(tmp_path / DISTRICT / files[0])
    keys = list(zip(table["sensor_id"].to_pylist(), table["at_ms"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert (
        pq.ParquetFile(tmp_path / DISTRICT / files[0]).metadata.row_group(0).column(1).compression == "ZSTD"
    )
    assert everything(database, tmp_path) == meant(rows)


def test_sealing_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    keep(database, rows_of())
    sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    file = sealed.file_of(tmp_path, DISTRICT, sealed.day_of(DAY))
    before = file.stat().st_mtime_ns
    assert sealing.seal(database, DISTRICT, BEFORE, tmp_path) == 0
    assert file.stat().st_mtime_ns == before


def test_a_district_without_rows_seals_nothing(database: Database, tmp_path: Path) -> None:
    assert sealing.seal(database, DISTRICT, BEFORE, tmp_path) == 0
    assert list(tmp_path.rglob("*.parquet")) == []


def test_late_rows_are_merged_and_rows_that_come_again_are_not_doubled(
    database: Database, tmp_path: Path
) -> None:
    rows = rows_of()
    keep(database, rows)
    sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    late = [Observation("g1", DAY + 1, 7, 7, None), Observation("g2", DAY + 2, 5, 5, None)]
    keep(database, [*late, rows[0]])
    assert everything(database, tmp_path) == meant(rows + late)
    sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    assert everything(database, tmp_path) == meant(rows + late)
    assert raw_count(database) == 96


def test_the_first_word_stays_when_a_sealed_row_comes_again_with_other_counts(
    database: Database, tmp_path: Path
) -> None:
    rows = rows_of()
    keep(database, rows)
    sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    keep(database, [rows[0]._replace(in_count=99)])
    assert everything(database, tmp_path) == meant(rows)
    sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    assert everything(database, tmp_path) == meant(rows)


def test_a_row_that_comes_between_reading_and_removing_stays(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of()
    keep(database, rows)
    late = Observation("g9", DAY + 3 * HOUR_MS + 1, 1, 1, None)
    written = sealing.write_file

    def write_then_receive(file: Path, unsealed: object) -> None:
        written(file, unsealed)
        if file.stem == "2026-12-29":
            keep(database, [late])

    monkeypatch.setattr(sealing, "write_file", write_then_receive)
    sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    assert everything(database, tmp_path) == meant([*rows, late])
    monkeypatch.undo()
    sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    assert everything(database, tmp_path) == meant([*rows, late])
    assert raw_count(database) == 96


def test_a_left_over_of_a_killed_run_is_written_over(database: Database, tmp_path: Path) -> None:
    keep(database, rows_of())
    (tmp_path / DISTRICT).mkdir()
    (tmp_path / DISTRICT / ".2026-12-29.parquet.new").write_bytes(b"half a file")
    sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    assert everything(database, tmp_path) == meant(rows_of())


def test_a_file_that_cannot_be_written_removes_nothing(database: Database, tmp_path: Path) -> None:
    keep(database, rows_of())
    (tmp_path / DISTRICT).write_text("not a folder")
    with pytest.raises(StorageFailed) as refused:
        sealing.seal(database, DISTRICT, BEFORE, tmp_path)
    assert refused.value.zh
    with pytest.raises(StorageFailed):
        sealing.seal(database, DISTRICT, BEFORE, tmp_path / DISTRICT)
    assert raw_count(database) == 3 * 96


def test_two_runs_and_late_rows_at_the_same_time_lose_and_double_nothing(
    database: Database, tmp_path: Path
) -> None:
    rows = rows_of(2)
    keep(database, rows)
    late = [Observation("late", DAY + n * 60_000 + 1, 1, 1, None) for n in range(40)]

    def run(_number: int) -> None:
        for _ in range(4):
            sealing.seal(database, DISTRICT, BEFORE, tmp_path)

    with ThreadPoolExecutor(4) as at_once:
        runs = [at_once.submit(run, number) for number in range(3)]
        for row in late:
            keep(database, [row])
        for each in runs:
            each.result()
    assert everything(database, tmp_path) == meant(rows + late)


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from anshang.crowds import sealing
    from anshang.foundation import clock
    from anshang.foundation.database import Database
    point, url, folder, before_ms = sys.argv[1:]
    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)
    if point == "before the file has its name":
        Path.replace = die
    elif point == "before the rows go":
        sealing._let_go = die
    else:
        went = sealing._let_go
        hours = []
        def some(*told, **named):
            hours.append(1)
            return went(*told, **named) if len(hours) < 5 else die()
        sealing._let_go = some
    sealing.seal(Database(url), "wuyi", clock.from_ms(int(before_ms)), Path(folder))
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before the file has its name", "before the rows go", "while the rows go"])
def test_killed_at_any_point_a_second_run_neither_loses_nor_doubles(
    database: Database, tmp_path: Path, point: str
) -> None:
    rows = rows_of()
    keep(database, rows)
    folder = tmp_path / "sealed"
    told = [point, database.url, str(folder), str(clock.to_ms(BEFORE))]
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), *told], env=os.environ, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert everything(database, folder) == meant(rows)
    sealing.seal(database, DISTRICT, BEFORE, folder)
    assert everything(database, folder) == meant(rows)
    assert raw_count(database) == 96
