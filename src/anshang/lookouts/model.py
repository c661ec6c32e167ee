"""Who is looked for, what draws people, and how well a look finds somebody who is there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from anshang.places.model import Trade


class AgeBand(StrEnum):
    """How old somebody is, as far as a search needs it."""

    SMALL = "small"
    CHILD = "child"
    YOUTH = "youth"
    ELDERLY = "elderly"


PACE = {AgeBand.SMALL: 0.45, AgeBand.CHILD: 0.6, AgeBand.YOUTH: 0.85, AgeBand.ELDERLY: 0.5}
"""Speed over that of a grown-up in the same crowd, with pauses."""

ATTRACTION = {
    Trade.SHOP: 1.0,
    Trade.FOOD: 1.2,
    Trade.HOTEL: 0.5,
    Trade.TRANSPORT: 1.5,
    Trade.TOILET: 1.0,
    Trade.SERVICE: 0.4,
    Trade.CULTURE: 1.5,
    Trade.OTHER: 0.4,
}
"""How much premises draw somebody who strays; an exit draws EXIT_ATTRACTION."""
EXIT_ATTRACTION = 1.0


@dataclass(frozen=True, slots=True)
class Detection:
    """How well somebody is found by those who know whom to look for."""

    inside: float = 0.85
    """By a merchant who was asked, when she is in the premises."""
    door: float = 0.5
    """By the same, when she stands outside the door."""
    passing: float = 0.12
    """By the same, when she only goes by."""
    patrol: float = 0.8
    """By a unit at the same place, outside."""
    patrol_inside: float = 0.3
    """By the same, when she is in the premises."""
    answer_median_s: float = 60.0
    answer_spread: float = 0.5
    """Of the logarithm: how long after the notice a merchant looks."""


DETECTION = Detection()
