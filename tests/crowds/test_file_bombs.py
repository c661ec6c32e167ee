"""A small file does not become a large memory."""

from __future__ import annotations

import tracemalloc
from datetime import UTC
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anshang.crowds.weather_files import read_weather
from anshang.foundation.errors import BadInput

HOUR = "2026-01-01T00:00:00Z"


def written(folder: Path, rain: pa.Array) -> Path:
    path = folder / "weather.parquet"
    at = pa.array([f"2026-01-{1 + n // 24 % 28:02}T{n % 24:02}:00:00Z" for n in range(len(rain))])
    pq.write_table(pa.table({"at": at, "rain_mm": rain}), path, compression="zstd")
    return path


def one_word(rows: int, size: int) -> pa.Array:
    """Many rows that share one long text."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["1" * size]))


@pytest.mark.parametrize(
    "rain",
    [
        one_word(2_000, 1_000_000),
        one_word(2_000, 1_000),
        pa.array(["1" * 20_000] * 200),
        pa.array([[1.0]] * 9),
    ],
    ids=["shared", "shared little", "plain", "lists"],
)
def test_a_column_that_would_unfold_into_gigabytes_is_refused(tmp_path: Path, rain: pa.Array) -> None:
    path = written(tmp_path, rain)
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    tracemalloc.start()
    with pytest.raises(BadInput) as refusal:
        read_weather(path, UTC)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.value.code == "file.bad_column" and refusal.value.zh
    assert peak < 20_000_000 and pool.bytes_allocated() - before < 20_000_000


@pytest.mark.parametrize("as_text", [True, False])
def test_texts_and_figures_of_a_proper_file_are_read(tmp_path: Path, as_text: bool) -> None:
    rain = pa.array(["0.5", None, "2"] if as_text else [0.5, None, 2.0])
    found = read_weather(written(tmp_path, rain.dictionary_encode() if as_text else rain), UTC)
    assert [hour.rain_mm for hour in found] == [0.5, None, 2.0]
