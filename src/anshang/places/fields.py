"""Reads the members of one JSON object of a place document; a mistake becomes a problem, never an exception.

A getter that meets a mistake notes it and returns a stand-in of the right type; `clean` says whether any did,
and what was read from an object that is not clean is thrown away.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import time
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from anshang.foundation.ids import CODE_PATTERN
from anshang.places.model import NAME_LENGTH_MAX, Line, Position, Rings, Thresholds
from anshang.places.problems import Problems

Choice = TypeVar("Choice", bound=StrEnum)

_CODE = re.compile(CODE_PATTERN)
_NODE = re.compile(r"[^\x00-\x1f]{1,64}")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LANGUAGES = {"zh": ("Chinese", "中文"), "en": ("English", "英文")}
_GEOMETRIES: dict[str, tuple[int, int]] = {"Point": (0, 1), "LineString": (1, 2), "Polygon": (2, 4)}
"""How deep the positions of a kind of geometry are nested, and how many each list must have."""


class Fields:
    """The members of one object on one line of the file."""

    def __init__(self, members: dict[str, Any], problems: Problems, line: int, feature: str | None) -> None:
        self.problems = problems
        self.line = line
        self.feature = feature
        self.clean = True
        self._members = members
        self._asked: set[str] = set()

    def wrong(self, error: str, **values: object) -> None:
        """Note a problem here."""
        self.clean = False
        self.problems.add(self.line, self.feature, error, **values)

    def refuse_rest(self, kind: str) -> None:
        """Note every member that was never asked for: a slip of the pen would else be silently ignored."""
        for name in sorted(self._members.keys() - self._asked):
            self.wrong("field.unknown", field=name, kind=kind)

    def member(self, field: str) -> Any:
        """The member, None when it is null or absent."""
        self._asked.add(field)
        return self._members.get(field)

    def required(self, field: str) -> Any:
        """The member; a problem when it is null or absent."""
        value = self.member(field)
        if value is None:
            self.wrong("field.missing", field=field)
        return value

    def inner(self, field: str) -> Fields | None:
        """The fields of an object that must be there, None when it is not."""
        value = self.required(field)
        if value is not None and not isinstance(value, dict):
            self.wrong("field.object", field=field)
        return _Inner(value, self) if isinstance(value, dict) else None

    def text(self, field: str) -> str:
        """A text that must be there."""
        value = self.required(field)
        if value is not None and not isinstance(value, str):
            self.wrong("field.text", field=field)
        return value if isinstance(value, str) else ""

    def number(self, field: str, *, most: float) -> float:
        """A number more than 0 and at most `most` that must be there."""
        value = self.required(field)
        if value is None:
            return 1.0
        if not _finite(value):
            self.wrong("field.number", field=field)
            return 1.0
        if not 0 < value <= most:
            self.wrong("field.range", field=field, value=f"{value:g}", low=0, high=f"{most:g}")
        return float(value)

    def flag(self, field: str) -> bool:
        """True or false; false when absent."""
        value = self.member(field)
        if value is not None and not isinstance(value, bool):
            self.wrong("field.bool", field=field)
        return value is True

    def choice(self, field: str, kind: type[Choice], default: Choice | None = None) -> Choice:
        """One of the words of an enumeration; it must be there unless there is a default."""
        if default is not None and self.member(field) is None:
            return default
        value = self.text(field)
        if value in kind.__members__.values():
            return kind(value)
        if isinstance(self._members.get(field), str):
            self.wrong("field.choice", field=field, value=value, choices=", ".join(kind))
        return next(iter(kind))

    def code(self, field: str, value: Any) -> str:
        """`value` as the code of a district, zone or feature."""
        if value is None:
            self.wrong("field.missing", field=field)
        elif not isinstance(value, str):
            self.wrong("field.text", field=field)
        elif not _CODE.fullmatch(value):
            self.wrong("field.code", field=field, value=value)
        else:
            return value
        return ""

    def node(self, field: str) -> str:
        """The name of a node of the walk graph."""
        value = self.text(field)
        if value and not (_NODE.fullmatch(value) and _encodable(value)):
            self.wrong("field.code", field=field, value=value)
        return value

    def names(self, field: str = "name") -> dict[str, str]:
        """The name in both languages as `name_zh` and `name_en`, cut at 200 characters."""
        inner = self.inner(field)
        return {f"name_{lang}": inner._name(field, lang) if inner else "" for lang in _LANGUAGES}

    def credit(self) -> dict[str, str | None]:
        """Whom the data is owed to, in both languages or not at all."""
        if self.member("credit") is None:
            return {"credit_zh": None, "credit_en": None}
        names = self.names("credit")
        return {"credit_zh": names["name_zh"], "credit_en": names["name_en"]}

    def zone(self) -> str | None:
        """The zone a thing lies in, if any."""
        value = self.member("zone")
        return None if value is None else self.code("zone", value)

    def thresholds(self) -> Thresholds | None:
        """A zone's own thresholds, if any."""
        value = self.member("thresholds")
        if value is None:
            return None
        if isinstance(value, dict) and value.keys() == {"rises", "falls"}:
            rises, falls = _four(value["rises"]), _four(value["falls"])
            if rises and falls and (thresholds := Thresholds(rises, falls)).sound:
                return thresholds
        self.wrong("thresholds.unsound")
        return None

    def time_zone(self) -> str:
        """The name of a time zone."""
        value = self.text("time_zone")
        if value and not _is_time_zone(value):
            self.wrong("field.time_zone", value=value)
        return value

    def day_starts(self) -> time:
        """When the district's day starts, 05:00 unless said."""
        value = self.member("day_starts") or "05:00"
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            self.wrong("field.time", value=str(value))
            return time(5)
        return time.fromisoformat(value)

    def country(self) -> str | None:
        """A country code of two capitals, if any."""
        value = self.member("country")
        if value is not None and not (isinstance(value, str) and re.fullmatch(r"[A-Z]{2}", value)):
            self.wrong("field.country", value=str(value))
        return value if isinstance(value, str) else None

    def shape(self, geometry: Any, kinds: Iterable[str]) -> Rings:
        """The positions of a GeoJSON geometry of one of the kinds, heights left out; empty when wrong."""
        expected = list(kinds)
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        if kind not in expected:
            self.wrong("geometry.kind", expected=" / ".join(expected), value=str(kind))
            return ()
        depth, least = _GEOMETRIES[kind]
        coordinates = geometry.get("coordinates")
        for _ in range(2 - depth):
            coordinates = [coordinates]
        lines = coordinates if isinstance(coordinates, list) else []
        rings = tuple(self._line(line, least) for line in lines)
        if not rings:
            self.wrong("geometry.short", least=least)
        if kind == "Polygon" and any(ring and ring[0] != ring[-1] for ring in rings):
            self.wrong("geometry.open")
        return rings

    def _line(self, line: Any, least: int) -> Line:
        if not isinstance(line, list) or len(line) < least:
            self.wrong("geometry.short", least=least)
            return ()
        return tuple(self._positions(line))

    def _positions(self, line: list[Any]) -> Iterator[Position]:
        """The positions up to the first wrong one: one problem says enough of a line."""
        for position in line:
            good = isinstance(position, list) and len(position) in (2, 3) and all(map(_finite, position))
            if not good:
                self.wrong("geometry.position")
                return
            lon, lat = float(position[0]), float(position[1])
            if not (-180 <= lon <= 180 and -90 <= lat <= 90):
                self.wrong("geometry.range", lon=f"{lon:g}", lat=f"{lat:g}")
                return
            yield lon, lat

    def _name(self, field: str, language: str) -> str:
        value = self.member(language)
        if value is None or (isinstance(value, str) and not value.strip()):
            english, chinese = _LANGUAGES[language]
            self.wrong("name.missing", english=english, chinese=chinese)
        elif not isinstance(value, str):
            self.wrong("field.text", field=f"{field}.{language}")
        elif not _printable(value):
            self.wrong("name.unprintable", field=f"{field}.{language}")
        else:
            return value.strip()[:NAME_LENGTH_MAX].strip()
        return ""


class _Inner(Fields):
    """An object within another one: its mistakes are the outer one's."""

    def __init__(self, members: dict[str, Any], outer: Fields) -> None:
        super().__init__(members, outer.problems, outer.line, outer.feature)
        self._outer = outer

    def wrong(self, error: str, **values: object) -> None:
        self._outer.wrong(error, **values)


def _finite(value: Any) -> bool:
    """Whether it is a number a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _four(value: Any) -> tuple[float, float, float, float] | None:
    if not isinstance(value, list) or len(value) != 4 or not all(map(_finite, value)):
        return None
    first, second, third, fourth = map(float, value)
    return first, second, third, fourth


def _encodable(value: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _printable(value: str) -> bool:
    """Whether no sign is a control character (a tab or a line break too) or half a character."""
    return not any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in value)


@lru_cache(maxsize=32)
def _is_time_zone(name: str) -> bool:
    read: Callable[[str], ZoneInfo] = ZoneInfo
    try:
        read(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
