"""Observations of the OGC SensorThings API become rows, or the reason why not."""

from __future__ import annotations

import json

import pytest

from anshang.connectors.sensorthings import read_observation, sensor_of
from anshang.crowds.ingest import REASONS, Row

AT = "2026-12-31T12:00:00Z"
BAD_RESULTS = ["120", True, None, [3, 1], {"in": 3}, {"in": 3, "out": 1, "people": 4}, {"in": "3", "out": 1}]
NO_OBSERVATIONS = [
    b"",
    b"{",
    b"[]",
    b"NaN",
    b"\xff\xd8\xff",
    b"[" * 100_000,
    b'{"phenomenonTime": "2026-12-31T12:00:00Z"}',
    b'{"phenomenonTime": 3, "result": 3}',
    b'{"phenomenonTime": "2026-12-31T12:00:00Z", "result": NaN}',
    b'{"phenomenonTime": "2026-12-31T12:00:00Z", "result": 1e999}',
]


def observation(result: object, at: object = AT, **more: object) -> bytes:
    return json.dumps({"phenomenonTime": at, "result": result} | more).encode()


def test_a_number_is_a_head_count() -> None:
    assert read_observation("h03", observation(120)) == Row("h03", AT, people=120)
    assert read_observation("h03", observation(120.0)) == Row("h03", AT, people=120)


def test_an_object_is_a_count_of_passages() -> None:
    assert read_observation("g07", observation({"in": 3, "out": 1})) == Row("g07", AT, in_=3, out=1)


def test_the_instant_of_an_interval_is_its_end() -> None:
    whole = observation(1, f"2026-12-31T11:59:50Z/{AT}")
    assert read_observation("h03", whole) == Row("h03", AT, people=1)


def test_the_result_time_stands_in_for_the_phenomenon() -> None:
    assert read_observation("h03", observation(1, None, resultTime=AT)) == Row("h03", AT, people=1)


def test_what_we_do_not_read_does_no_harm() -> None:
    whole = observation(5, resultTime=None, parameters={"a": 1}, **{"@iot.id": 7, "FeatureOfInterest": {}})
    assert read_observation("h03", whole) == Row("h03", AT, people=5)


def test_half_a_person_is_no_count() -> None:
    assert read_observation("h03", observation(1.5)) == "count.malformed"


@pytest.mark.parametrize("result", BAD_RESULTS)
def test_a_result_that_is_no_count_is_refused(result: object) -> None:
    assert read_observation("h03", observation(result)) in REASONS


@pytest.mark.parametrize("content", NO_OBSERVATIONS)
def test_what_is_no_observation_is_refused(content: bytes) -> None:
    assert read_observation("h03", content) in REASONS


@pytest.mark.parametrize(("level", "sensor"), [("Datastreams(g07)", "g07"), ("Datastreams('g07')", "g07")])
def test_the_topic_names_the_sensor(level: str, sensor: str) -> None:
    assert sensor_of(level) == sensor


@pytest.mark.parametrize("level", ["Datastreams()", "Datastreams", "Things(g07)", "Datastreams(g07)(x)", ""])
def test_another_level_names_none(level: str) -> None:
    assert sensor_of(level) is None
