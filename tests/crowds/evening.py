"""A simulated evening: a crowd that comes, moves through a grid of zones and leaves, and sensors that err as
it is stated of them: each gate and each camera by its own share, the same all evening.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from tests.conftest import DISTRICT, NIGHT
from tests.crowds.conftest import T0_MS

from anshang.crowds.engine import Engine
from anshang.crowds.model import Observation, Sensor, SensorKind
from anshang.crowds.occupancy import FRESH_SHARE, GATE_BIAS_SHARE
from anshang.places.document import read_document
from anshang.places.model import Place

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PERIOD_S = 60
STEPS = 300
WIDE, DEEP = 4, 4
MOST_PEOPLE, LEAST_PEOPLE = 2000.0, 150.0
LOOPS_PER_MIN, BOTH_WAYS_PER_MIN = 16.0, (2.0, 24.0)


@dataclass(frozen=True)
class Errors:
    """What is stated of gates and cameras, and so what they are drawn from; cameras over every n-th zone."""

    gate_share: float
    camera_share: float
    camera_every: int = 2


@dataclass(frozen=True)
class Evening:
    """The truth (steps, zones), and what is shown of it at each step: people, low, high (steps, zones), and
    the sigmas of the sums of every WIDE zones beside each other (steps, DEEP).
    """

    truth: Floats
    people: Floats
    low: Floats
    high: Floats
    sum_sigma: Floats

    @property
    def held(self) -> float:
        """The share of zones and instants at which the interval holds the truth."""
        return float(np.mean((self.low <= self.truth) & (self.truth <= self.high)))

    @property
    def sums_held(self) -> float:
        """The same of the sums of zones beside each other."""
        off = (self.people - self.truth).reshape(len(self.truth), -1, WIDE).sum(axis=2)
        return float(np.mean(np.abs(off) <= 1.96 * self.sum_sigma + WIDE / 2))

    @property
    def error(self) -> float:
        """The mean absolute error of a zone, in people."""
        return float(np.abs(self.people - self.truth).mean())

    @property
    def width(self) -> float:
        """The mean width of a zone's interval, in people."""
        return float((self.high - self.low).mean())


def grid(wide: int = WIDE, deep: int = DEEP) -> Place:
    """Zones of 1,000 m² with a gate between neighbours, and to the outside at the west and east ends."""
    size, lon, lat = 0.0004, 112.9, 28.1
    features = []
    for n in range(wide * deep):
        x, y = n % wide, n // wide
        west, south = lon + x * size, lat + y * size
        east, north = west + size, south + size
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        zone = {"kind": "zone", "space": "moving", "usable_m2": 1000.0, "thresholds": None}
        features.append(_feature(f"z{n}", "Polygon", [ring], zone))
        middle = south + size / 2
        gates = [("e", n + 1 if x < wide - 1 else None, [east, middle])]
        gates += [("w", None, [west, middle])] if x == 0 else []
        gates += [("n", n + wide, [west + size / 2, north])] if y < deep - 1 else []
        for way, other, spot in gates:
            between = [f"z{n}", "outside" if other is None else f"z{other}"]
            gate = {"kind": "gate", "between": between, "width_m": 8.0}
            features.append(_feature(f"g{n}{way}", "Point", spot, gate))
    head = {
        "format": 1,
        "district": {
            "id": DISTRICT, "name": {"zh": "格", "en": "grid"}, "time_zone": "Asia/Shanghai", "country": None,
            "credit": None, "schematic": True, "coordinates": "WGS84", "day_starts": "05:00",
        },
    }  # fmt: skip
    return read_document(
        json.dumps({"type": "FeatureCollection", "anshang": head, "features": features}).encode()
    )


def _feature(id: str, kind: str, spot: object, told: dict[str, object]) -> dict[str, object]:
    shape = {"type": kind, "coordinates": spot}
    return {
        "type": "Feature",
        "id": id,
        "geometry": shape,
        "properties": told | {"name": {"zh": id, "en": id}},
    }


def sensors_of(place: Place, errors: Errors) -> list[Sensor]:
    """A line counter at every gate, cameras over every n-th zone."""
    lines = [
        Sensor(id, DISTRICT, SensorKind.LINE, id, None, id, id, PERIOD_S, error_share=errors.gate_share)
        for id in place.gates
    ]
    seen = list(place.zones)[:: errors.camera_every] if errors.camera_every else []
    return lines + [
        Sensor(
            f"h{id}", DISTRICT, SensorKind.HEAD, None, id, id, id, PERIOD_S, error_share=errors.camera_share
        )
        for id in seen
    ]


def play(errors: Errors, seed: int) -> Evening:
    """Five hours, stepped every minute."""
    place = grid()
    rng = np.random.default_rng(seed)
    sensors = sensors_of(place, errors)
    engine = Engine(place, sensors)
    incidence = _incidence(place)
    into, out = _passages(incidence, rng)
    truth = np.cumsum((into - out) @ incidence.T, axis=0).astype(float)
    counted = _miscounted(into, out, errors.gate_share, rng)
    cameras = [list(place.zones).index(s.zone_id or "") for s in sensors if s.kind is SensorKind.HEAD]
    shown = _shown(truth[:, cameras], errors.camera_share, rng)
    frames = list(_run(engine, sensors, counted, shown))
    people, low, high, sum_sigma = (np.array([frame[n] for frame in frames]) for n in range(4))
    return Evening(truth, people, low, high, sum_sigma)


def _run(
    engine: Engine, sensors: list[Sensor], counted: tuple[Ints, Ints], shown: Ints
) -> Iterator[tuple[Floats, Floats, Floats, list[float]]]:
    into, out = counted
    strips = np.kron(np.eye(DEEP), np.ones(WIDE)).astype(bool)
    for step in range(len(into)):
        at_ms = T0_MS + step * PERIOD_S * 1000
        passed = zip(into[step].tolist(), out[step].tolist(), strict=True)
        told = [(a, b, None) for a, b in passed] + [(0, 0, heads) for heads in shown[step].tolist()]
        engine.take([Observation(s.id, at_ms, *row) for s, row in zip(sensors, told, strict=True)])
        engine.settle(NIGHT + timedelta(seconds=step * PERIOD_S))
        people, low, high = np.array([each[1:4] for each in engine.zone_figures()], float).T
        yield people, low, high, [engine.occupancy.sigma_of_sum(strip) for strip in strips]


def _incidence(place: Place) -> Floats:
    """What one passage in adds to each zone (zones, gates)."""
    zones = {id: n for n, id in enumerate(place.zones)}
    incidence = np.zeros((len(zones), len(place.gates)))
    for gate, each in enumerate(place.gates.values()):
        incidence[zones[each.zone_a], gate] += 1
        if each.zone_b is not None:
            incidence[zones[each.zone_b], gate] -= 1
    return incidence


def _passages(incidence: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Passages of each step and gate in and out: net ones as the crowd wants, and through traffic."""
    zones, gates = incidence.shape
    hours = np.arange(STEPS + 1) * PERIOD_S / 3600
    peak, spread = rng.uniform(2.0, 3.5, zones), rng.uniform(0.8, 1.4, zones)
    most = rng.uniform(0.2, 1.0, zones) * MOST_PEOPLE
    wanted = most * np.exp(-(((hours[:, None] - peak) / spread) ** 2))
    wanted += LEAST_PEOPLE * np.minimum(1.0, hours[:, None] * 2)
    wanted -= wanted[0]
    net = np.diff(wanted, axis=0) @ np.linalg.pinv(incidence).T
    loops = rng.normal(0, LOOPS_PER_MIN, gates)
    loops -= np.linalg.pinv(incidence) @ (incidence @ loops)  # through traffic that piles up nowhere
    net += loops * np.minimum(1.0, hours[1:, None])
    both = rng.uniform(*BOTH_WAYS_PER_MIN, gates) * np.minimum(1.0, hours[1:, None] * 2)
    into, out = rng.poisson(both + np.maximum(net, 0)), rng.poisson(both + np.maximum(-net, 0))
    return _never_below_zero(into, out, incidence)


def _never_below_zero(into: Ints, out: Ints, incidence: Floats) -> tuple[Ints, Ints]:
    """Where a zone would hold fewer than nobody, those who leave it have not come to its gates."""
    present = np.zeros(len(incidence))
    for step in range(len(into)):
        change = incidence @ (into[step] - out[step])
        for zone in np.flatnonzero(present + change < 0):
            gates = np.flatnonzero(incidence[zone] > 0)
            into[step, gates[0]] += int(np.ceil(-(present + change)[zone]))
        present += incidence @ (into[step] - out[step])
        present = np.maximum(present, 0)
    return into, out


def _miscounted(into: Ints, out: Ints, share: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """What the gates count of it: each misses (or counts twice) its own share, a little more one way."""
    bias = rng.normal(0, GATE_BIAS_SHARE * share, into.shape[1])
    one_way = rng.normal(0, 0.1 * GATE_BIAS_SHARE * share, into.shape[1])
    return _counted(into, bias + one_way, rng), _counted(out, bias - one_way, rng)


def _counted(passed: Ints, bias: Floats, rng: np.random.Generator) -> Ints:
    """One in a hundred is missed and one in a hundred counted twice by chance, the bias beside that."""
    missed = rng.binomial(passed, 0.01 + np.clip(bias, 0, 0.9))
    return passed - missed + rng.binomial(passed, 0.01 + np.clip(-bias, 0, 0.9))


def _shown(truth: Floats, share: float, rng: np.random.Generator) -> Ints:
    """What cameras see: each off by its own share all evening, and a little by chance."""
    steady = rng.normal(0, share, truth.shape[1])
    chance = rng.normal(0, FRESH_SHARE * share, truth.shape)
    return np.maximum(0, np.rint(truth * np.maximum(0.1, 1 + steady + chance))).astype(int)
