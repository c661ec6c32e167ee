"""The people of a demonstration: scaled from recorded counts, conserved, never negative."""

from __future__ import annotations

from datetime import date
from itertools import islice

import numpy as np
import pytest

from anshang.demonstration.night import BLOCK_SLOTS, DAY_SLOTS, Day, days, net_flows
from anshang.demonstration.scenes import REFERENCE_ON, WUYI_PEAK_PEOPLE, Scene, open_scene
from anshang.demonstration.staging import RESIDENT_COUNT
from anshang.foundation.errors import BadInput

HOUR_SLOTS = 360


@pytest.fixture(scope="module")
def scene() -> Scene:
    return open_scene("wuyi")


@pytest.fixture(scope="module")
def eve(scene: Scene) -> Day:
    return first_days(scene, REFERENCE_ON, 1)[0]


def first_days(scene: Scene, first_on: date, number: int, seed: int = 1) -> list[Day]:
    return list(islice(days(scene.staging, scene.records, first_on, seed=seed), number))


def density(scene: Scene, day: Day, zone: str) -> np.ndarray:
    return day.people[scene.staging.zone_ids.index(zone)] / scene.place.zones[zone].usable_m2


def at_hour(hours: float) -> int:
    """The slot that ends at this hour of the wall clock; 24.5 is half past midnight."""
    return int((hours - 5) * HOUR_SLOTS) - 1


def test_the_peak_is_the_published_one_half_an_hour_after_midnight(eve: Day) -> None:
    total = eve.people.sum(axis=0)
    assert total.max() == pytest.approx(WUYI_PEAK_PEOPLE, rel=0.005)
    assert abs(int(total.argmax()) - at_hour(24.5)) < HOUR_SLOTS / 2


def test_a_gates_hourly_total_is_its_sensors_recorded_count_times_its_scale(scene: Scene) -> None:
    eve, after = first_days(scene, REFERENCE_ON, 2)
    recorded = scene.records.hours_from(REFERENCE_ON, 48)
    expected = np.rint(recorded @ scene.staging.gate_mix.T).T
    for number, day in enumerate((eve, after)):
        passed = (day.passed_in + day.passed_out).reshape(len(expected), 24, HOUR_SLOTS).sum(axis=2)
        passed[:, 0] -= day.opening
        assert (passed == expected[:, 24 * number : 24 * number + 24]).all()
    assert not after.opening.any()


def test_the_people_already_there_are_let_in_during_the_first_ten_minutes(scene: Scene, eve: Day) -> None:
    started = eve.people.sum(axis=0)
    assert started[0] == pytest.approx(RESIDENT_COUNT * len(scene.staging.zone_ids), rel=0.1)
    assert 2_000 < started[BLOCK_SLOTS - 1] < 10_000


def test_people_are_conserved_through_gates_from_nothing_on(scene: Scene) -> None:
    people = np.zeros(len(scene.staging.zone_ids))
    for day in first_days(scene, REFERENCE_ON, 2):
        for slots in range(0, DAY_SLOTS, HOUR_SLOTS):
            hour = slice(slots, slots + HOUR_SLOTS)
            people += scene.staging.joins @ (day.passed_in[:, hour] - day.passed_out[:, hour]).sum(axis=1)
            assert (people == day.people[:, slots + HOUR_SLOTS - 1]).all()


@pytest.mark.parametrize(
    "first_on", [REFERENCE_ON, date(2024, 4, 6), date(2024, 10, 20), date(2025, 10, 19), date(2025, 12, 30)]
)
def test_no_zone_and_no_count_ever_falls_below_zero(scene: Scene, first_on: date) -> None:
    """Days on which recorded sensors jump, and the passage from the last recorded day to the first."""
    for day in first_days(scene, first_on, 3):
        assert min(a.min() for a in (day.people, day.passed_in, day.passed_out, day.seen)) >= 0


def test_a_zone_goes_from_two_over_three_to_four_and_back(scene: Scene, eve: Day) -> None:
    crowded = density(scene, eve, "z18")
    assert crowded[: at_hour(19.5)].max() < 2.0
    assert 2.0 < crowded[at_hour(22)] < 3.0
    assert 3.0 < crowded[at_hour(23)] < 4.0
    assert (crowded > 4.2).sum() > 180
    assert (crowded[at_hour(26) :] < 2.0).all()
    terrace = density(scene, eve, "z47")
    assert terrace.max() > 5.0
    assert (terrace[at_hour(27) :] < 2.0).all()


def test_most_zones_stay_below_two_and_few_pass_four(scene: Scene, eve: Day) -> None:
    tops = [density(scene, eve, zone).max() for zone in scene.staging.zone_ids]
    assert 2 <= sum(top > 4 for top in tops) <= 5
    assert sum(0.5 <= top <= 2 for top in tops) > len(tops) / 2


def test_gates_carry_plausible_flows(scene: Scene, eve: Day) -> None:
    widths = np.array([scene.place.gates[gate].width_m for gate in scene.staging.gate_ids])
    hourly = (eve.passed_in + eve.passed_out).reshape(len(widths), 24, HOUR_SLOTS).sum(axis=2)
    assert (hourly.max(axis=1) / 60 / widths).max() < 60


def test_head_counters_see_the_truth_with_a_little_noise(scene: Scene, eve: Day) -> None:
    truth = eve.people[list(scene.staging.heads)]
    wrong = (eve.seen - truth) / np.maximum(truth, 1)
    busy = truth > 500
    assert 0.002 < np.abs(wrong[busy]).mean() < 0.03
    assert np.abs(wrong[busy]).max() < 0.1


def test_the_same_seed_gives_the_same_night_and_another_one_another(scene: Scene, eve: Day) -> None:
    again = first_days(scene, REFERENCE_ON, 1)[0]
    other = first_days(scene, REFERENCE_ON, 1, seed=2)[0]
    assert (again.passed_in == eve.passed_in).all()
    assert (again.seen == eve.seen).all()
    assert (other.passed_in != eve.passed_in).any()
    assert (other.passing == eve.passing).all()


def test_net_flows_make_the_wanted_change_by_the_easier_gates() -> None:
    """One zone with two gates: the change is shared in proportion to the passing."""
    joins = np.array([[1.0, -1.0]])
    flows = net_flows(joins, np.array([299, 99]), np.array([100.0]))
    assert flows == pytest.approx([75.0, -25.0])
    assert joins @ flows == pytest.approx([100.0])


def test_an_unknown_place_is_refused() -> None:
    with pytest.raises(BadInput) as refusal:
        open_scene("atlantis")
    assert "helsinki" in refusal.value.en and "wuyi" in refusal.value.zh


@pytest.mark.slow
def test_helsinki_fills_with_people_too() -> None:
    scene = open_scene("helsinki")
    assert scene.place.counts["premises"] > 400
    assert "OpenStreetMap" in (scene.place.district.credit_en or "")
    assert scene.place.district.time_zone == "Europe/Helsinki"
    assert len(scene.staging.zone_ids) >= 20
    (day,) = first_days(scene, REFERENCE_ON, 1)
    assert day.people.min() >= 0
    usable_m2 = sum(scene.place.zones[zone].usable_m2 for zone in scene.staging.zone_ids)
    assert 0.8 < day.people.sum(axis=0).max() / usable_m2 < 1.0
    assert 2.0 < max(density(scene, day, zone).max() for zone in scene.staging.zone_ids) < 4.0
