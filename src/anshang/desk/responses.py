"""What the order of each level asks of units and shops, read once from the file beside this one; and which
units it takes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec

from anshang.crowds.model import Level
from anshang.matters.model import Priority
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Unit


@dataclass(frozen=True, slots=True)
class Response:
    """What a level asks: how many units (0: all that the reserve leaves), the share of the free ones and how
    many of the police stay free, how urgently, of which shops; and its measures.
    """

    level: Level
    units: int
    priority: Priority
    reserve_share: float
    reserve_police: int
    groups: bool
    beside: bool
    measures: tuple[str, ...]
    zh: str
    en: str

    def taken(
        self, free: Sequence[Unit], going: Sequence[Unit], only: frozenset[str] | None = None
    ) -> list[Unit]:
        """Which of the `free` units it takes, in their order, beside those that are `going`: with `only` none
        but these. The reserve is never more than half of the police, so that somebody can go.
        """
        keep = int(self.reserve_share * (len(free) + len(going)))
        keep_police = min(self.reserve_police, _police([*free, *going]) // 2)
        staying, police, chosen = len(free), _police(free), list[Unit]()
        for unit in free:
            if self.units and len(going) + len(chosen) >= self.units:
                break
            is_police = _police([unit])
            if staying - 1 < keep or police - is_police < keep_police * is_police:
                continue
            if only is None or unit.id in only:
                chosen.append(unit)
                staying, police = staying - 1, police - is_police
        return chosen


def _police(units: Iterable[Unit]) -> int:
    """How many of them are of the police."""
    return sum(KINDS[unit.kind_id].police for unit in units)


_told = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))["response"]

RESPONSES = MappingProxyType({one.level: one for one in msgspec.convert(_told, list[Response])})
