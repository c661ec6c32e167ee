"""Counts of any place from a file: long or wide, any even step, and nothing filled in silently."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anshang.crowds.count_table import read_counts
from anshang.foundation.errors import BadInput

FIRST = datetime(2024, 5, 6, tzinfo=UTC)


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def long_lines(step_min: int = 15, rows: int = 200, zone: str = "+00:00") -> list[str]:
    at = [(FIRST + timedelta(minutes=step_min * i)).strftime("%Y-%m-%d %H:%M:%S") + zone for i in range(rows)]
    return ["sensor,at,count", *(f"{name},{stamp},{i}" for i, stamp in enumerate(at) for name in ("A", "B"))]


@pytest.mark.parametrize("step_min", [1, 5, 15, 30, 60])
def test_the_step_is_found(tmp_path: Path, step_min: int) -> None:
    table = read_counts(written(tmp_path / "c.csv", long_lines(step_min)))
    assert (table.step_s, table.sensors) == (step_min * 60, ["A", "B"])
    assert table.counts[0, :3].tolist() == [0, 1, 2]


def test_in_and_out_are_added(tmp_path: Path) -> None:
    lines = ["sensor,at,in_count,out_count", "A,2024-05-06 00:00,3,4", "A,2024-05-06 01:00,1,0"]
    assert read_counts(written(tmp_path / "c.csv", lines)).counts.tolist() == [[7, 1]]


def test_a_wide_table_reads_like_a_long_one(tmp_path: Path) -> None:
    long = read_counts(written(tmp_path / "long.csv", long_lines(zone="")))
    stamps = [FIRST.replace(tzinfo=None) + timedelta(minutes=15 * i) for i in range(200)]
    columns = pa.table(
        {"at": stamps, "A": list(range(200)), "B": [float(i) for i in range(200)], "name": ["x"] * 200}
    )
    pq.write_table(columns, tmp_path / "wide.parquet")
    wide = read_counts(tmp_path / "wide.parquet")
    np.testing.assert_array_equal(wide.counts, long.counts)
    assert wide.sensors == ["A", "B"]
    assert "column left out, it holds no number: name" in wide.notes


def test_gaps_stay_and_are_told(tmp_path: Path) -> None:
    lines = long_lines()
    del lines[21:41]
    table = read_counts(written(tmp_path / "c.csv", lines))
    assert np.isnan(table.counts[:, 10:20]).all()
    assert table.notes["steps without a reading between the first and last of a sensor"] == 20


def test_of_two_readings_the_later_counts_and_it_is_told(tmp_path: Path) -> None:
    lines = [*long_lines(), "A,2024-05-06 00:00:00+00:00,77"]
    table = read_counts(written(tmp_path / "c.csv", lines))
    assert table.counts[0, 0] == 77
    assert table.notes["readings for a step that has one already; the later in the file counts"] == 1


def test_unreadable_counts_and_times_are_told_not_taken(tmp_path: Path) -> None:
    lines = [
        *long_lines(),
        "A,yesterday,5",
        "A,2024-05-07 00:00:00+00:00,many",
        "B,2024-05-08 12:00:00+00:00,-4",
    ]
    table = read_counts(written(tmp_path / "c.csv", lines))
    assert table.notes["times that cannot be read"] == 1
    assert table.notes["counts that cannot be read"] == 2


def test_times_without_a_zone_among_some_with_one_are_left_out(tmp_path: Path) -> None:
    lines = [*long_lines(), "A,2024-05-08 09:00:00,5"]
    table = read_counts(written(tmp_path / "c.csv", lines))
    assert table.notes["distinct times with a zone among some without, left out"] == 1
    assert not np.isin(5000, table.counts)
    assert table.counts.shape[1] == 200


def test_two_offsets_in_one_file_are_one_time(tmp_path: Path) -> None:
    lines = ["sensor,at,count", "A,2024-05-06T00:00:00+02:00,1", "A,2024-05-05T23:00:00+00:00,2"]
    table = read_counts(written(tmp_path / "c.csv", lines), "Europe/Berlin")
    assert table.counts.tolist() == [[1, 2]]


def test_both_nights_of_the_changing_clocks_keep_their_hours(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime(2024, 3, 30, tzinfo=zone).astimezone(UTC)
    at = [begin + timedelta(hours=i) for i in range(48)]
    lines = [
        "sensor,at,count",
        *(f"A,{each.astimezone(zone):%Y-%m-%d %H:%M},{i}" for i, each in enumerate(at)),
    ]
    table = read_counts(written(tmp_path / "c.csv", lines), "Europe/Berlin")
    assert table.counts[0].tolist() == list(range(48))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("<html>", "neither CSV nor Parquet"),
        ("sensor,count\nA,1\n", "no column of times"),
        ("sensor,at\nA,2024-05-06 00:00\n", "no column of counts"),
        ("sensor,at,count\nA,2024-05-06 00:00,x\n", "no readable count"),
        ("what,at,n\nA,2024-05-06 00:00,1\nB,2024-05-06 00:00,1\n", "no column that says the sensor"),
        ("sensor,at,count\nA,2024-05-06 00:00,1\n", "one instant only"),
        ("sensor,at,count\nA,2024-05-06 00:00,1\nA,2024-05-09 00:00,1\n", "1 min to 1 h"),
        ("sensor,at,count\nA,2024-05-06 00:00:00,1\nA,2024-05-06 00:00:07,1\n", "1 min to 1 h"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_reason(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "c.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=word) as refused:
        read_counts(path)
    assert refused.value.zh
