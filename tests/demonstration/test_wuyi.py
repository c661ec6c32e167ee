"""The invented quarter."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from anshang.demonstration import wuyi_plan
from anshang.demonstration.wuyi import draw_wuyi, draws
from anshang.places.document import read_document, to_text
from anshang.places.model import Place, PostType, Space, Way


@pytest.fixture(scope="module")
def place() -> Place:
    return read_document(to_text(draw_wuyi()).encode())


def test_the_document_is_sound_and_large_enough(place: Place) -> None:
    counts = place.counts
    assert counts["zones"] >= 24
    assert counts["gates"] >= 40
    assert counts["walkways"] >= 300
    assert counts["premises"] >= 120
    assert counts["posts"] == 12
    assert 250_000 <= sum(zone.usable_m2 for zone in place.zones.values()) <= 320_000
    assert {zone.space for zone in place.zones.values()} == set(Space)
    assert {walkway.way for walkway in place.walkways} == set(Way)
    assert {post.post_kind for post in place.posts} == set(PostType)


def test_it_says_that_it_is_a_schematic(place: Place) -> None:
    assert place.district.schematic
    assert "示意" in place.district.name_zh
    assert "schematic" in place.district.name_en
    assert place.district.credit_zh and "虚构" in place.district.credit_zh


def test_every_name_is_in_both_languages_and_no_two_are_the_same(place: Place) -> None:
    named = [*place.zones.values(), *place.gates.values(), *place.premises, *place.posts]
    for thing in named:
        assert re.search(r"[一-鿿]", thing.name_zh), thing
        assert re.search(r"[A-Za-z]", thing.name_en) and not re.search(r"[一-鿿]", thing.name_en), thing
    for kind in (place.zones.values(), place.gates.values(), place.premises, place.posts):
        assert max(Counter(thing.name_zh for thing in kind).values()) == 1
        assert max(Counter(thing.name_en for thing in kind).values()) == 1


def test_it_lies_where_it_says_and_streets_are_not_a_chessboard(place: Place) -> None:
    assert place.district.centre_lon == pytest.approx(112.976, abs=0.002)
    assert place.district.centre_lat == pytest.approx(28.196, abs=0.002)
    west_ends = {round(zone.polygon[0][0][0]) for zone in place.zones.values()}
    assert len(west_ends) > 0.8 * len(place.zones)


def test_every_zone_can_be_left(place: Place) -> None:
    reached = {gate.zone_a for gate in place.gates.values() if gate.zone_b is None}
    for _ in place.zones:
        for gate in place.gates.values():
            if gate.zone_b is not None and {gate.zone_a, gate.zone_b} & reached:
                reached |= {gate.zone_a, gate.zone_b}
    assert reached == set(place.zones)


def test_it_is_drawn_the_same_every_time_and_every_zone_has_a_draw() -> None:
    assert draw_wuyi() == draw_wuyi()
    assert set(draws()) == {ground.id for ground in wuyi_plan.GROUNDS}
