"""When which sensor sends what."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from anshang.demonstration.night import DAY_SLOTS
from anshang.demonstration.programme import SILENT_FOR, SILENT_FROM, Programme
from anshang.demonstration.scenes import REFERENCE_ON, Scene, open_scene
from anshang.foundation.errors import BadInput


@pytest.fixture(scope="module")
def scene() -> Scene:
    return open_scene("wuyi")


@pytest.fixture
def programme(scene: Scene) -> Programme:
    return Programme(scene, REFERENCE_ON)


def test_recorded_hours_are_played_at_the_same_local_hour(programme: Programme) -> None:
    assert programme.started_at == datetime(2024, 12, 30, 21, tzinfo=UTC)
    assert programme.instant_of(time(19, 30)) == datetime(2024, 12, 31, 11, 30, tzinfo=UTC)
    assert programme.instant_of(time(0, 30)) == datetime(2024, 12, 31, 16, 30, tzinfo=UTC)
    assert programme.slots_until(programme.instant_of(time(19, 30))) == 14.5 * 360


def test_every_sensor_sends_one_row_for_every_slot(programme: Programme) -> None:
    rows = programme.rows(0)
    assert [row["sensor"] for row in rows] == [sensor.id for sensor in programme.sensors]
    assert {row["at"] for row in rows} == {"2024-12-30T21:00:10Z"}
    assert sum("people" in row for row in rows) == len(programme.scene.staging.heads)
    assert all(set(row) in ({"sensor", "at", "in", "out"}, {"sensor", "at", "people"}) for row in rows)


def test_one_sensor_is_silent_for_forty_five_minutes_and_sends_its_rows_afterwards(
    programme: Programme,
) -> None:
    gate = programme.scene.staging.gate_ids[programme.scene.staging.silent_gate]
    assert programme.scene.place.gates[gate].name_en == "Wuyi Station Exit A"
    first = programme.slots_until(programme.started_at + SILENT_FROM)
    after = programme.slots_until(programme.started_at + SILENT_FROM + SILENT_FOR)
    sent = {
        slot: [r["at"] for r in programme.rows(slot) if r["sensor"] == gate]
        for slot in range(first - 2, after + 3)
    }
    assert [len(sent[slot]) for slot in (first - 1, first, after - 1, after, after + 1)] == [1, 0, 0, 271, 1]
    everything = sorted(str(at) for ats in sent.values() for at in ats)
    assert len(everything) == len(set(everything)) == len(sent)


def test_the_feed_goes_on_into_the_next_day(programme: Programme) -> None:
    assert programme.rows(DAY_SLOTS)[0]["at"] == "2024-12-31T21:00:10Z"
    with pytest.raises(ValueError, match="over"):
        programme.rows(0)


def test_a_day_without_record_cannot_be_played(scene: Scene) -> None:
    with pytest.raises(BadInput):
        Programme(scene, date(2025, 1, 1)).rows(0)


def test_local_time_is_the_districts(scene: Scene) -> None:
    assert Programme(scene, REFERENCE_ON).zone_info.key == scene.place.district.time_zone
