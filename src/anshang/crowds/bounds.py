"""How many people there can be at most: what gates can bring until then, and what ground can hold.

A forecast of a crowd that grows fast must not run past either. Source of the flow: Guide to Safety at Sports
Grounds (Green Guide), 82 people per metre of width and minute on the level.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anshang.crowds.ahead import HORIZONS_S
from anshang.crowds.model import LevelRules
from anshang.kernels.daygrid import Reals
from anshang.places.model import Place

GATE_FLOW_MAX = 82.0
"""People per metre and minute: more never passes, were all going in."""
DENSITY_MAX, ABOVE_SERIOUS = 7.0, 1.5
"""People per m²; where level 4 is set higher, so many times its rise."""


def most_people(place: Place, rules: Sequence[LevelRules], people: Reals) -> tuple[Reals, Reals]:
    """The most people at each horizon, in each zone of the place (S, H) and in all of them (H,), from the
    people now (S,). Never fewer than there are; ground or gates of which nothing is known bound nothing.
    """
    minutes = np.array(HORIZONS_S) / 60
    order = {zone_id: number for number, zone_id in enumerate(place.zones)}
    width_m, outside_m = np.zeros(len(order)), 0.0
    for gate in place.gates.values():
        for zone_id in (gate.zone_a, gate.zone_b):
            if zone_id is None:
                outside_m += gate.width_m
            else:
                width_m[order[zone_id]] += gate.width_m
    held = np.array([
        max(DENSITY_MAX, ABOVE_SERIOUS * rule.rises[-1]) * zone.usable_m2
        for zone, rule in zip(place.zones.values(), rules, strict=True)
    ])  # fmt: skip
    brought = people[:, None] + _flow(width_m[:, None], minutes)
    zones: Reals = np.maximum(np.minimum(brought, held[:, None]), people[:, None])
    together = np.nansum(people) + _flow(np.array(outside_m), minutes)
    return zones, np.minimum(together, np.nansum(np.maximum(held, np.nan_to_num(people))))


def _flow(width_m: Reals, minutes: Reals) -> Reals:
    """What passes gates of this width until then; without any, nobody knows how people come."""
    return np.where(width_m > 0, width_m * GATE_FLOW_MAX * minutes, np.inf)
