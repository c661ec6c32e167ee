"""What each level of a zone asks of units and shops, when an order is given; words are ours.

None asks a volunteer or a guard to search, detain or take documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from anshang.crowds.model import Level
from anshang.matters.model import Priority


@dataclass(frozen=True, slots=True)
class Response:
    """What a level asks: how many units (None: all), how urgently, of which shops; and its measures."""

    units: int | None
    priority: Priority
    groups: bool
    beside: bool
    measures: tuple[str, ...]
    zh: str
    en: str


RESPONSES: Mapping[Level, Response] = MappingProxyType({
    Level.CAUTION: Response(
        2, Priority.P3, False, False, ("staff.to_zone", "shops.told"),
        "门前人多：请把排队引到店内或沿墙，保持通道畅通；暂停门口促销和表演。",
        "It is crowded outside: please queue people inside or along the wall, keep "
        "the way clear, and stop shows at the door.",
    ),
    Level.ALERT: Response(
        4, Priority.P2, True, False, ("exits.staffed", "shops.told"),
        "门前已很拥挤：请停止揽客，打开店门供人暂避，让顾客分批离开，听从现场民警指挥。",
        "It is very crowded outside: please stop drawing people in, open your doors "
        "as a refuge, let customers leave in small groups, follow the officers.",
    ),
    Level.SERIOUS: Response(
        None, Priority.P1, True, True, ("all_units", "shops.told"),
        "情况紧急：请打开全部出口和穿店通道，让人离开，不要让人进入，听从现场民警指挥。",
        "It is dangerous outside: please open every exit and the way through your "
        "shop, let people out and nobody in, follow the officers.",
    ),
})  # fmt: skip
