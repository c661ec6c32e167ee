"""The interval of the present holds the truth, on evenings on which sensors err as it is stated of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.crowds.conftest import LINES, head, passed, people, run, seen
from tests.crowds.evening import Errors, play

from anshang.crowds.engine import Engine
from anshang.crowds.model import Crossing, Level
from anshang.places.model import Place

EVENINGS = 24
CAMERAS_OFF = Errors(gate_share=0.05, camera_share=0.10)
GATES_OFF = Errors(gate_share=0.15, camera_share=0.02)
BOTH_OFF = Errors(gate_share=0.15, camera_share=0.10)
NO_CAMERA = Errors(gate_share=0.05, camera_share=0.0, camera_every=0)
CAMERA_EVERYWHERE = Errors(gate_share=0.05, camera_share=0.10, camera_every=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "errors",
    [CAMERAS_OFF, GATES_OFF, BOTH_OFF, NO_CAMERA, CAMERA_EVERYWHERE],
    ids=["cameras", "gates", "both", "no camera", "everywhere"],
)
def test_the_interval_holds_the_truth_although_sensors_are_off_all_evening(errors: Errors) -> None:
    evenings = [play(errors, seed) for seed in range(EVENINGS)]
    held = np.mean([evening.held for evening in evenings])
    assert 0.93 <= held <= 0.97
    together = np.mean([evening.sums_held for evening in evenings])
    assert 0.92 <= together <= 0.98, "errors of zones beside each other are known together"


def test_a_day_begins_with_next_to_nobody_uncounted(place: Place) -> None:
    """1,000 m² of street at 05:00, by the counts of recorded streets: fewer than ten; not forty either way."""
    engine = Engine(place, LINES)
    run(engine, [passed("g0", 10, 30), *(passed(gate, 10, 0) for gate in ("g1", "g2", "g3"))], 20)
    zone = engine.frame(full=True)["zones"]["z0"]
    assert zone["people"] == 30
    assert 5 < zone["high"] - zone["people"] < 20


def test_a_camera_that_shows_a_fifth_too_many_makes_no_serious_level_where_the_gates_know_better(
    place: Place,
) -> None:
    """3,500 people came through a gate, one by one; the camera that is stated to err by a tenth sees 4,200."""
    engine = Engine(place, [*LINES, head("z0", error_share=0.10)])
    rows = []
    for second in range(10, 7210, 10):
        inside = min(3500, second)
        rows += [passed("g0", second, 10 if second <= 3500 else 0), seen("z0", second, round(1.2 * inside))]
    events = run(engine, rows, 7200)
    levels = [event.after for event in events if isinstance(event, Crossing) and event.zone_id == "z0"]
    assert max(levels) is Level.ALERT
    zone = engine.frame(full=True)["zones"]["z0"]
    assert zone["low"] <= 3500 <= zone["high"]
    assert abs(zone["people"] - 3500) < 150


def test_whom_a_gate_between_two_zones_misses_the_district_still_knows(place: Place) -> None:
    engine = Engine(place, LINES)
    rows = [passed("g0", 10, 2000)]
    rows += [passed("g1", second, 100, 100) for second in range(20, 3600, 10)]
    run(engine, rows, 3600)
    frame = engine.frame(full=True)
    width = {id: zone["high"] - zone["low"] for id, zone in frame["zones"].items()}
    assert min(width["z0"], width["z1"]) > 100
    assert frame["high"] - frame["low"] < 1.5 * min(width["z0"], width["z1"])
    assert frame["low"] <= frame["people"] == 2000 <= frame["high"]


def test_what_a_camera_teaches_of_one_zone_the_zone_beside_it_learns_too(place: Place) -> None:
    """A gate that misses a twelfth of those who go on from one zone to the next: the camera finds them."""
    lines = [replace(each, error_share=0.3) for each in LINES]
    engine = Engine(place, [*lines, head("z1", error_share=0.01)])
    rows = [passed("g0", 10, 12_000)]
    for count in range(1, 359):
        second = 10 + 10 * count
        rows += [passed("g1", second, 22), seen("z1", second, 24 * count)]  # 24 pass, 22 are counted
    run(engine, rows, 3590)
    before, beside, _ = people(engine)
    assert abs(beside - 24 * 358) < 200
    assert abs(before - (12_000 - 24 * 358)) < 250, "by the gates alone there are 700 more"
