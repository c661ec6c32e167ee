"""From a place to its street graph."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.places.conftest import SAMPLE, square, walkway, zone

from anshang.foundation.errors import RuleBroken
from anshang.kernels.routing import Goals, seconds_between
from anshang.places.document import read_document, to_text
from anshang.places.model import Place
from anshang.places.streets import LIFT_WAIT_S, prepare_streets


def place_of(*features: dict[str, Any]) -> Place:
    """One zone about the origin of the sample, and these walkways."""
    document = copy.deepcopy(SAMPLE)
    document["features"] = [zone("zone-a", square(0, 0)), *features]
    return read_document(to_text(document).encode())


def way(id: str, start: str, end: str, *steps: tuple[float, float], **properties: Any) -> dict[str, Any]:
    """A walkway of a hundred metres, with properties of its own."""
    drawn = walkway(id, start, end, *steps)
    drawn["properties"] |= {"length_m": 134.0} | properties
    return drawn


STREET = way("w1", "n1", "n2", (0.1, 0.5), (0.9, 0.5))
STAIRS = way("w2", "n2", "n3", (0.9, 0.5), (2.0, 0.5), way="stairs")
LANE = way("w3", "n3", "n4", (2.0, 0.5), (3.0, 0.5), width_m=2.0)
LIFT = way("w4", "n4", "n5", (3.0, 0.5), (3.1, 0.5), way="lift")


def test_walkways_become_edges_with_times_by_the_zone_they_lie_in() -> None:
    streets = prepare_streets(place_of(STREET, STAIRS, LANE, LIFT))
    assert streets.zone_of_edge.tolist() == [0, -1, -1, -1]
    assert streets.node_ids == ("n1", "n2", "n3", "n4", "n5")
    times = streets.times({"zone-a": 0.0})
    assert times.walk_s == pytest.approx([100, 200, 100, 100 + LIFT_WAIT_S])
    assert np.isfinite(times.drive_s).tolist() == [True, False, False, False]
    crowded = streets.times({"zone-a": 2.0})
    assert crowded.walk_s[0] == pytest.approx(134 / 0.61, rel=0.01)
    assert crowded.walk_s[1:].tolist() == times.walk_s[1:].tolist()


def test_an_unknown_zone_is_not_taken_as_empty() -> None:
    streets = prepare_streets(place_of(STREET))
    assert streets.times({"zone-a": None}).walk_s[0] == streets.times({}).walk_s[0] > 120


def test_positions_find_their_walkway_and_people_their_streets() -> None:
    place = place_of(STREET, STAIRS)
    streets = prepare_streets(place)
    ends = np.array([place.walkways[0].line[0], place.walkways[1].line[-1]])
    spots = streets.spots(ends)
    assert spots.edge.tolist() == [0, 1]
    goals = Goals(spots.taken(np.array([1])), np.zeros(1, bool))
    seconds = seconds_between(
        streets.graph, streets.times({"zone-a": 0.0}), spots.taken(np.array([0])), goals
    )
    assert seconds[0, 0] == pytest.approx(300, abs=0.01)
    assert streets.people({"zone-a": 50.0}).tolist() == [50, 0]
    assert streets.people({}).tolist() == [0, 0]


def test_a_place_without_walkways_says_so() -> None:
    place = place_of(STREET)
    with pytest.raises(RuleBroken, match="no walkways"):
        prepare_streets(replace(place, walkways=()))
