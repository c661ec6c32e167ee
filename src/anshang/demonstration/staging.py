"""How the recorded sensors drive a place: which sensor stands behind which zone and gate, and how strongly.

The recorded sensors and the place are laid over each other by rank: the sensor that is third from the north
stands at the same height as a zone that is third of so many from the north, and likewise from the west. Each
zone and each gate follows the three nearest sensors. What is invented is said in the guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anshang.demonstration.records import Records
from anshang.places.model import Gate, Place

Reals = NDArray[np.float64]

NEAREST_COUNT = 3
INNER_FLOW_PEAK_PER_M_MIN = 14.0
OUTER_FLOW_PEAK_PER_M_MIN = 26.0
"""People per metre of width and minute, both ways together, in the busiest recorded hour of the night the
figures are scaled on. Stations and crossings at the rim are narrow and busy."""
RESIDENT_COUNT = 40
"""People in every zone at any hour: residents, guards, night staff."""


@dataclass(frozen=True, slots=True)
class Staging:
    """A place ready to be filled with people. Zones, gates and recorded sensors are numbered in order.

    `joins`: shape (zones, gates), +1 where `in` leads into the zone and -1 where it leads out of it.
    `zone_mix`: (zones, sensors), people in the zone per person counted in an hour. `gate_mix`: (gates,
    sensors), people passing the gate per person counted. `heads`: the zones with a head counter.
    """

    zone_ids: tuple[str, ...]
    gate_ids: tuple[str, ...]
    joins: Reals
    zone_mix: Reals
    gate_mix: Reals
    heads: tuple[int, ...]
    silent_gate: int


def stage(
    place: Place,
    records: Records,
    reference: Reals,
    *,
    draws: Mapping[str, float],
    head_zones: Sequence[str],
    silent_gate: str,
    peak_people: float,
) -> Staging:
    """Lay the recorded sensors over the zones in `draws`, so that `reference` peaks at `peak_people` people.

    `reference` are the hourly counts of the night that sets the scale, shape (hours, sensors).
    """
    zone_ids = tuple(sorted(draws))
    gates = [gate for gate in place.gates.values() if {gate.zone_a, gate.zone_b} & set(zone_ids)]
    zone_spots = np.array([_middle(place.zones[zone].polygon[0]) for zone in zone_ids])
    gate_spots = np.array([_middle(gate.line) for gate in gates])
    full = np.array([draws[zone] * place.zones[zone].usable_m2 for zone in zone_ids])
    zone_mix = _mix(_distances(zone_spots, records), reference, full)
    peak = (reference @ zone_mix.T).sum(axis=1).max()
    zone_mix *= (peak_people - RESIDENT_COUNT * len(zone_ids)) / peak
    busiest = np.array([_flow_peak(gate, set(zone_ids)) * gate.width_m * 60 for gate in gates])
    gate_ids = tuple(gate.id for gate in gates)
    return Staging(
        zone_ids=zone_ids,
        gate_ids=gate_ids,
        joins=_joins(zone_ids, gates),
        zone_mix=zone_mix,
        gate_mix=_mix(_distances(gate_spots, records), reference, busiest),
        heads=tuple(zone_ids.index(zone) for zone in head_zones),
        silent_gate=gate_ids.index(silent_gate),
    )


def _middle(line: Sequence[tuple[float, float]]) -> tuple[float, float]:
    x, y = np.array(line).mean(axis=0).tolist()
    return x, y


def _flow_peak(gate: Gate, counted: set[str]) -> float:
    inner = gate.zone_a in counted and gate.zone_b in counted
    return INNER_FLOW_PEAK_PER_M_MIN if inner else OUTER_FLOW_PEAK_PER_M_MIN


def _joins(zone_ids: Sequence[str], gates: Sequence[Gate]) -> Reals:
    numbers = {zone: number for number, zone in enumerate(zone_ids)}
    joins = np.zeros((len(zone_ids), len(gates)))
    for column, gate in enumerate(gates):
        if gate.zone_a in numbers:
            joins[numbers[gate.zone_a], column] = 1.0
        if gate.zone_b in numbers:
            joins[numbers[gate.zone_b], column] = -1.0
    return joins


def _ranks(values: Reals) -> Reals:
    """The rank of each value between 0 and 1; equal values share the first rank."""
    _, place = np.unique(values, return_inverse=True)
    return np.asarray(place / max(1, int(place.max())), float)


def _distances(spots: Reals, records: Records) -> Reals:
    """Distance of every spot to every recorded sensor, both ranked into the unit square, (spots, sensors)."""
    own = np.column_stack([_ranks(spots[:, 0]), _ranks(spots[:, 1])])
    theirs = np.column_stack([_ranks(records.where_lonlat[:, 0]), _ranks(records.where_lonlat[:, 1])])
    gaps = own[:, None, :] - theirs[None, :, :]
    found: Reals = np.hypot(gaps[..., 0], gaps[..., 1])
    return found


def _mix(distances: Reals, reference: Reals, tops: Reals) -> Reals:
    """What each row takes of its nearest sensors by inverse distance; its `reference` peaks at `tops`."""
    far = np.sort(distances, axis=1)[:, NEAREST_COUNT - 1 : NEAREST_COUNT]
    weights = np.where(distances <= far, 1.0 / (distances + 0.05), 0.0)
    mix: Reals = weights * (tops / (reference @ weights.T).max(axis=0))[:, None]
    return mix
