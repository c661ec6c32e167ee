"""What an engine gives out to other threads after each step; nothing of it is written to again."""

from __future__ import annotations

from typing import Any, NamedTuple

from anshang.crowds.occupancy import Floats

ZoneFigures = tuple[str, float | None, float | None, float | None, float | None, int | None]
"""Zone id, people, low, high, density (people per m²), level."""


class Given(NamedTuple):
    """What the last whole step found: figures by zone, densities (Z), people in all zones together."""

    zones: dict[str, dict[str, Any]]
    densities: Floats
    total: dict[str, int | None]

    def zone_figures(self) -> list[ZoneFigures]:
        """What is kept each minute; None where unknown."""
        return [
            (id, of["people"], of["low"], of["high"], of["density"], of["level"])
            for id, of in self.zones.items()
        ]

    @property
    def unsure(self) -> float:
        """How many people more or fewer there may be in all zones that are known."""
        people, high = self.total["people"], self.total["high"]
        return 0.0 if people is None or high is None else float(high - people)
