"""Files of counts as tables, a piece at a time: CSV in UTF-8 or GB 18030, Parquet, and both inside gzip.

What a file is, is seen by its content, not its name. Values stay as they are written: judging them, row by
row, is for `file_values`.
"""

from __future__ import annotations

import csv
import gzip
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from anshang.foundation.errors import BadInput

SAMPLE_BYTES = 1 << 16
BLOCK_BYTES = 1 << 22
ROWS_AT_ONCE = 20_000
TEXT_BYTES_MAX = 256
"""Longer than the name of any sensor, shorter than what could fill the memory."""
PAGE_BYTES = 1 << 16
IN_MEMORY_MAX_BYTES = 1 << 26
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
DELIMITERS = (",", ";", "\t", "|")
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_UNREADABLE = (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeError, csv.Error)


class Piece(NamedTuple):
    """Rows: the columns asked for, lines with another number of columns, the share of the file read."""

    table: pa.Table
    broken: list[str]
    share: float


@dataclass(frozen=True, slots=True)
class FileTable:
    """A file that is open: its columns, and its rows once."""

    path: Path
    names: list[str]
    opened: IO[bytes]
    raw: IO[bytes]
    encoding: str | None
    delimiter: str

    def close(self) -> None:
        """Let go of the file."""
        self.opened.close()
        self.raw.close()

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """The rows, at most ROWS_AT_ONCE at a time; BadInput when the file breaks off or breaks its form."""
        with _in_words(self.path):
            yield from self._of_parquet(columns) if self.encoding is None else self._of_csv(columns)

    def _of_parquet(self, columns: Sequence[str]) -> Iterator[Piece]:
        texts = _texts_of(pq.ParquetFile(self.opened), columns)
        file = pq.ParquetFile(self.opened, read_dictionary=texts)
        done, total = 0, max(1, file.metadata.num_rows)
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(columns)):
            for column in batch.columns:
                _refuse_wide(column)
            done += batch.num_rows
            yield Piece(pa.Table.from_batches([batch]), [], done / total)

    def _of_csv(self, columns: Sequence[str]) -> Iterator[Piece]:
        broken: list[str] = []

        def pass_over(row: pacsv.InvalidRow) -> str:
            broken.append(str(row.text))
            return "skip"

        size_bytes = max(1, self.path.stat().st_size)
        reader = pacsv.open_csv(
            self.opened,
            pacsv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False, encoding=self.encoding),
            pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=pass_over
            ),
            pacsv.ConvertOptions(
                include_columns=list(columns), column_types=dict.fromkeys(self.names, pa.binary())
            ),
        )
        for batch in reader:
            table = pa.Table.from_batches([batch])
            for begin in range(0, max(1, table.num_rows), ROWS_AT_ONCE):
                yield Piece(table.slice(begin, ROWS_AT_ONCE), broken.copy(), self.raw.tell() / size_bytes)
                broken.clear()


def _texts_of(file: pq.ParquetFile, columns: Sequence[str]) -> list[str]:
    """The columns of text, to be read as the file keeps them, each value once: a kilobyte of file may stand
    for gigabytes. BadInput for one that holds no single values, or values longer than any name.
    """
    texts = []
    for name in columns:
        kind = file.schema_arrow.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_nested(kind):
            raise _bad_column(f"{kind}", f"{kind}")
        if pa.types.is_fixed_size_binary(kind) and kind.byte_width > TEXT_BYTES_MAX:
            raise _too_wide()
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
            texts.append(name)
    for group in range(file.metadata.num_row_groups):
        for index in range(file.metadata.num_columns):
            chunk = file.metadata.row_group(group).column(index)
            most = TEXT_BYTES_MAX * (chunk.num_values + 1) + PAGE_BYTES
            if chunk.path_in_schema in texts and chunk.total_uncompressed_size > most:
                raise _too_wide()
    return texts


def _refuse_wide(column: pa.Array) -> None:
    if pa.types.is_dictionary(column.type) and len(column.dictionary):
        widest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
        if widest > TEXT_BYTES_MAX:
            raise _too_wide()


def _too_wide() -> BadInput:
    return _bad_column(f"text longer than {TEXT_BYTES_MAX} bytes", f"超过 {TEXT_BYTES_MAX} 字节的文本")


def _bad_column(en: str, zh: str) -> BadInput:
    return BadInput("file.bad_column", en=f"A column holds {en}, not values.", zh=f"某列为{zh}，不是单值。")


def open_table(path: Path) -> FileTable:
    """The file as a table, to be closed; BadInput when it is none that we read."""
    with _in_words(path):
        raw = path.open("rb")
        opened = _unpacked(raw)
        sample = opened.read(SAMPLE_BYTES)
        opened.seek(0)
        if sample.startswith(PARQUET):
            opened = raw if opened is raw else _spooled(opened)
            return FileTable(path, pq.ParquetFile(opened).schema_arrow.names, opened, raw, None, "")
        encoding = _encoding(path, sample)
        head = sample.decode(encoding, "ignore").lstrip("\ufeff").splitlines()[0]
        delimiter = max(DELIMITERS, key=head.count)
        names = next(csv.reader([head], delimiter=delimiter))
        return FileTable(path, names, opened, raw, encoding, delimiter)


def find_column(names: Sequence[str], told: str | None, common: Sequence[str], what: str) -> str | None:
    """The column told (BadInput when there is none of that name), or one with a common name, or None."""
    if told is None:
        by_name = {name.strip().lower(): name for name in reversed(names)}
        return next((by_name[name] for name in common if name in by_name), None)
    if told not in names:
        listed = ", ".join(names)[:300]
        raise BadInput(
            "file.no_column",
            en=f"There is no column “{told}” ({what}); there are: {listed}.",
            zh=f"没有“{told}”列（{what}）；现有列：{listed}。",
        )
    return told


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    packed = raw.read(2) == GZIP
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[return-value]


def _spooled(opened: IO[bytes]) -> IO[bytes]:
    """Parquet is read from its end, which gzip cannot."""
    spool: Any = tempfile.SpooledTemporaryFile(IN_MEMORY_MAX_BYTES)  # noqa: SIM115 - lives as long as its table
    shutil.copyfileobj(opened, spool)
    spool.seek(0)
    return spool  # type: ignore[no-any-return]


def _encoding(path: Path, sample: bytes) -> str:
    """The encoding of a text file; BadInput when it is no table in text."""
    text = sample.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        raise _unreadable(path, "the file is empty", "文件为空")
    if _UNPRINTABLE.search(text) or text.startswith((b"<", b"{", b"[")):
        raise _unreadable(path, "it is neither CSV nor Parquet", "既不是 CSV 也不是 Parquet")
    for encoding in ("utf-8", "gb18030"):
        try:
            text[: text.rfind(b"\n") + 1 or None].decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise _unreadable(path, "its text is neither UTF-8 nor GB 18030", "文本编码既不是 UTF-8 也不是 GB 18030")


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Say in words what keeps a file from being read."""
    try:
        yield
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise _unreadable(path, reason[:200], reason[:200]) from None


def _unreadable(path: Path, en: str, zh: str) -> BadInput:
    return BadInput(
        "file.unreadable", en=f"Cannot read {path.name}: {en}.", zh=f"无法读取 {path.name}：{zh}。"
    )
