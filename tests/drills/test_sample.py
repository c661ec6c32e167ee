"""The scenario that is there to begin with can be begun as it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anshang.demonstration.wuyi import draw_wuyi
from anshang.drills.sample import FULL_PER_M2, sample
from anshang.drills.scenario import PEOPLE_MOST, check_against, read_scenario
from anshang.incidents.catalogue import BUILT_IN
from anshang.places.document import read_document
from anshang.places.model import NAME_LENGTH_MAX, Place


@pytest.fixture(scope="module")
def wuyi() -> Place:
    return read_document(json.dumps(draw_wuyi()).encode())


def test_the_sample_of_the_shipped_district_can_be_begun(wuyi: Place) -> None:
    """Its largest square is too large to be filled: more people than one counter can tell."""
    assert max(zone.usable_m2 for zone in wuyi.zones.values()) * FULL_PER_M2 > PEOPLE_MOST
    scenario = read_scenario(sample(wuyi))
    check_against(scenario, zones=wuyi.zones, premises=(), categories=BUILT_IN, partners=())
    (crowd,) = scenario.crowds
    assert max(crowd.people) >= 4.0 * wuyi.zones[crowd.zone_id].usable_m2


@given(
    name=st.text(min_size=1, max_size=NAME_LENGTH_MAX),
    usable_m2=st.floats(min_value=1, max_value=1e7),
)
def test_the_sample_of_any_district_can_be_begun(wuyi: Place, name: str, usable_m2: float) -> None:
    """Whatever its zones are called, and however large they are."""
    zones = {
        id: replace(zone, name_zh=name, name_en=name, usable_m2=usable_m2)
        for id, zone in list(wuyi.zones.items())[:3]
    }
    place = replace(wuyi, zones=zones)
    check_against(read_scenario(sample(place)), zones=zones, premises=(), categories=BUILT_IN, partners=())
