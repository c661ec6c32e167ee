"""What is taken for a position of a unit, and what is not, with its reason."""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anshang.patrols.model import Mode
from anshang.patrols.positions import FASTEST_M_PER_S, REASONS, Fix, Sifted, Told, apart_m, sift

NOW = 1_798_718_400_000
CENTRE = (112.97, 28.19)
LON, LAT = CENTRE


def sifted(*told: Told, last: Fix | None = None, mode: Mode = Mode.WALKING, began_ms: int = 0) -> Sifted:
    return sift(
        told,
        unit_id="u1",
        source="phone",
        mode=mode,
        began_ms=began_ms,
        centre=CENTRE,
        last=last,
        now_ms=NOW,
    )


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Told(NOW, 0.0, 0.0), "position.nowhere"),
        (Told(NOW, nan, LAT), "position.malformed"),
        (Told(NOW, LON, inf), "position.malformed"),
        (Told(NOW, LON, LAT, -1.0), "position.malformed"),
        (Told(NOW, LON, LAT, nan), "position.malformed"),
        (Told(NOW, LON + 1, LAT), "position.far"),
        (Told(NOW + 121_000, LON, LAT), "position.ahead"),
        (Told(NOW - 86_400_001, LON, LAT), "position.old"),
        (Told(NOW, LON, LAT, 501.0), "position.vague"),
    ],
)
def test_what_cannot_be_a_position_is_refused_with_its_reason(told: Told, code: str) -> None:
    good = Told(NOW - 1000, LON, LAT, 5.0)
    found = sifted(good, told)
    assert found.refused == [(1, code)]
    assert [fix.at_ms for fix in found.fixes] == [good.at_ms], "one bad row spoils no other"
    assert code in REASONS


def test_before_duty_began_nobody_is_followed() -> None:
    found = sifted(Told(NOW - 60_000, LON, LAT), Told(NOW, LON, LAT), began_ms=NOW - 30_000)
    assert found.refused == [(0, "position.off_duty")]


def test_nobody_jumps_but_one_who_was_silent_may_be_far_away() -> None:
    last = Fix("u1", NOW - 10_000, LON, LAT, 5.0, "phone")
    away = LON + 0.01  # about 980 m
    assert sifted(Told(NOW, away, LAT, 5.0), last=last).refused == [(0, "position.jump")]
    assert sifted(Told(NOW, away, LAT, 5.0), last=last._replace(at_ms=NOW - 600_000)).refused == []
    assert sifted(Told(NOW, away, LAT, 5.0), last=last, mode=Mode.DRIVING).refused == [(0, "position.jump")]


def test_a_phone_that_was_offline_tells_all_in_any_order() -> None:
    told = [Told(NOW - 10_000 * n, LON + 0.0001 * n, LAT, 10.0) for n in range(100)]
    found = sifted(*told)
    assert found.refused == []
    assert [fix.at_ms for fix in found.fixes] == sorted(one.at_ms for one in told)


def test_chinese_map_coordinates_are_moved_to_where_they_are() -> None:
    (fix,) = sifted(Told(NOW, LON, LAT, gcj02=True)).fixes
    assert 300 < apart_m((fix.lon, fix.lat), CENTRE) < 800
    assert sifted(Told(NOW, nan, LAT, gcj02=True)).refused == [(0, "position.malformed")]


@given(
    st.lists(
        st.builds(
            Told,
            st.integers(NOW - 90_000_000, NOW + 200_000),
            st.floats(allow_nan=True, allow_infinity=True),
            st.floats(allow_nan=True, allow_infinity=True),
            st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_whatever_a_device_says_each_row_is_taken_or_refused(told: list[Told]) -> None:
    found = sifted(*told)
    assert len(found.fixes) + len(found.refused) == len(told)
    assert {code for _, code in found.refused} <= set(REASONS)
    assert all(apart_m(CENTRE, (fix.lon, fix.lat)) <= 20_000 for fix in found.fixes)


@given(
    st.lists(st.tuples(st.integers(0, 600), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01)), max_size=30),
    st.sampled_from(list(Mode)),
)
def test_what_is_taken_could_have_been_walked_driven_or_flown(
    steps: list[tuple[int, float, float]], mode: Mode
) -> None:
    told = [Told(NOW - 1000 * s, LON + x, LAT + y, 10.0) for s, x, y in steps]
    fixes = sifted(*told, mode=mode).fixes
    for before, after in pairwise(fixes):
        metres = apart_m((before.lon, before.lat), (after.lon, after.lat))
        assert metres <= 50 + FASTEST_M_PER_S[mode] * (after.at_ms - before.at_ms) / 1000 + 1e-6
