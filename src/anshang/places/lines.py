"""Reads the text of a place document and remembers on which line of the file each feature begins."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from anshang.foundation.errors import BadInput

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Lined:
    """A JSON value and the line of the file it begins on, counted from 1."""

    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class LinedDocument:
    """The top level of a GeoJSON file: its features one by one, and its other members by name."""

    features: list[Lined]
    members: dict[str, Lined]


def read_lined(document: bytes) -> LinedDocument:
    """Take the file apart; BadInput when it is not UTF-8, not JSON, or not a FeatureCollection."""
    text = _checked_json(_text(document))
    features: list[Lined] = []
    members: dict[str, Lined] = {}
    lines = _LineCounter(text)
    at = _after(text, 0, "{")
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _after(text, at, ":")
        if key == "features" and text[at] == "[":
            at = _read_features(text, _after(text, at, "["), lines, features)
        else:
            line = lines.at(at)
            value, at = _DECODER.raw_decode(text, at)
            members[key] = Lined(line, value)
        at = _after(text, at, ",")
    if "type" not in members or members["type"].value != "FeatureCollection" or "features" in members:
        raise _not_a_collection()
    return LinedDocument(features, members)


def _read_features(text: str, at: int, lines: _LineCounter, into: list[Lined]) -> int:
    """Read the elements of the array whose first one begins at `at`; the place after its closing bracket."""
    while text[at] != "]":
        line = lines.at(at)
        value, at = _DECODER.raw_decode(text, at)
        into.append(Lined(line, value))
        at = _after(text, at, ",")
    return at + 1


class _LineCounter:
    """Line numbers of growing offsets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._line = 1

    def at(self, offset: int) -> int:
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line


def _after(text: str, at: int, sign: str) -> int:
    """The place of the next thing after white space, `sign` if it is there, and white space."""
    at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
    if text[at] == sign:
        at = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]
    return at


def _text(document: bytes) -> str:
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        raise BadInput(
            "place.not_text",
            en=f"Line {line}: the file is not UTF-8 text. Is it really a GeoJSON file?",
            zh=f"第 {line} 行：文件不是 UTF-8 文本，请确认是否为 GeoJSON 文件。",
            details={"line": line},
        ) from error
    if not text.strip():
        raise BadInput("place.empty_file", en="The file is empty.", zh="文件为空。")
    return text


def _checked_json(text: str) -> str:
    """`text` when it is one JSON object; the walk through it afterwards need not look for mistakes again."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(
            "place.not_json",
            en=f"Line {error.lineno}, column {error.colno}: not valid JSON ({error.msg}).",
            zh=f"第 {error.lineno} 行第 {error.colno} 列：不是有效的 JSON（{error.msg}）。",
            details={"line": error.lineno, "column": error.colno},
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(
            "place.not_readable",
            en="The file holds a number that is far too long or is nested far too deeply.",
            zh="文件中有过长的数字，或嵌套层数过多。",
        ) from error
    if not isinstance(value, dict):
        raise _not_a_collection()
    return text


def _not_a_collection() -> BadInput:
    return BadInput(
        "place.not_geojson",
        en="The file is JSON, but not a GeoJSON FeatureCollection.",
        zh="文件是 JSON，但不是 GeoJSON FeatureCollection。",
    )
