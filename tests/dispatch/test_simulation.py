"""Simulated nights of a district: the same seed the same night, more units never later, torn files named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import london
from tests.dispatch.conftest import EAST, MIDDLE_LAT, WEST, street
from typer.testing import CliRunner

from anshang.cli import app
from anshang.dispatch.ladder import DEFAULT
from anshang.dispatch.simulation import Base, Given, Plan, overload, read_bases, read_calls, run
from anshang.foundation.errors import BadInput, RuleBroken
from anshang.places.document import read_document
from anshang.places.model import Place

WEST_UNIT, EAST_UNIT = Base("w", WEST, MIDDLE_LAT), Base("e", EAST, MIDDLE_LAT)
PLAN = Plan(hours=5, rate_per_h=20, work_s=300, runs=6)


@pytest.fixture
def place() -> Place:
    return read_document(street())


def test_the_same_seed_is_the_same_night_under_every_policy(place: Place) -> None:
    once = run(place, [WEST_UNIT, EAST_UNIT], DEFAULT, ["nearest", "cover"], PLAN)
    again = run(place, [WEST_UNIT, EAST_UNIT], DEFAULT, ["nearest"], PLAN)
    assert (once.figures[0].response_s == again.figures[0].response_s).all()
    assert once.figures[0].n == once.figures[1].n
    other = run(place, [WEST_UNIT], DEFAULT, ["nearest"], replace(PLAN, seed=2))
    assert other.figures[0].n != once.figures[0].n


def test_more_units_and_fewer_people_are_sooner_there(place: Place) -> None:
    one = run(place, [WEST_UNIT], DEFAULT, ["nearest"], PLAN).figures[0]
    two = run(place, [WEST_UNIT, EAST_UNIT], DEFAULT, ["nearest"], PLAN).figures[0]
    dense = run(place, [WEST_UNIT, EAST_UNIT], DEFAULT, ["nearest"], replace(PLAN, density_per_m2=4.0))
    assert two.median_s < one.median_s
    assert dense.figures[0].median_s > two.median_s
    assert two.within[0].low <= two.within[0].value <= two.within[0].high
    assert [share.n for share in two.within] == [two.n] * 3


def test_a_policy_against_itself_differs_by_nothing(place: Place) -> None:
    """With one unit there is nothing to choose: both policies are one."""
    told = run(place, [WEST_UNIT], DEFAULT, ["nearest", "cover"], PLAN)
    assert told.differences == {"cover": ((0.0, 0.0, 0.0),) * 3}


def test_calls_that_outrun_the_units_are_said_in_words_and_figures(place: Place) -> None:
    calm = run(place, [WEST_UNIT, EAST_UNIT], DEFAULT, ["nearest"], PLAN)
    assert 0.8 < calm.figures[0].utilisation < 1.2, "20 calls an hour of some 5 min and the way, for two"
    few = run(place, [WEST_UNIT, EAST_UNIT], DEFAULT, ["nearest"], replace(PLAN, rate_per_h=5.0)).figures[0]
    assert few.utilisation < 0.4
    assert overload(few, 2) is None
    flood = run(place, [WEST_UNIT], DEFAULT, ["nearest"], PLAN).figures[0]
    assert flood.utilisation == pytest.approx(2 * calm.figures[0].utilisation, rel=0.15)
    words = overload(flood, 1)
    assert words is not None
    zh, en = words
    assert f"{flood.utilisation:.0%}" in en and f"{flood.utilisation:.0%}" in zh
    assert "grows without end" in en
    assert "至少需要" in zh
    longer = run(place, [WEST_UNIT], DEFAULT, ["nearest"], replace(PLAN, hours=15, runs=2)).figures[0]
    assert longer.median_s > 1.5 * flood.median_s, "it does grow"


def test_recorded_calls_outrun_the_units_while_they_come(place: Place) -> None:
    def given(apart_s: float) -> Given:
        lon_lat = np.array([[WEST, MIDDLE_LAT]] * 20)
        return Given(np.arange(20) * apart_s, lon_lat, np.full(20, 3, np.intp))

    calm, flood, single = (
        run(place, [WEST_UNIT], DEFAULT, ["nearest"], PLAN, given=calls).figures[0]
        for calls in (given(3600.0), given(60.0), given(0.0))
    )
    assert calm.utilisation < 0.2
    assert flood.utilisation > 1
    assert overload(single, 1) is not None, "all at once"


@pytest.mark.parametrize(
    ("bases", "policies", "changes"),
    [
        ([], ["nearest"], {}),
        ([WEST_UNIT], ["random"], {}),
        ([WEST_UNIT], [], {}),
        ([WEST_UNIT], ["nearest"], {"runs": 0}),
        ([WEST_UNIT], ["nearest"], {"rate_per_h": 0.0}),
        ([WEST_UNIT], ["nearest"], {"rate_per_h": 1e9}),
        ([WEST_UNIT], ["nearest"], {"density_per_m2": 9.0}),
        ([WEST_UNIT], ["nearest"], {"work_s": 0.0}),
        ([Base("far", 113.5, 28.5)], ["nearest"], {}),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    place: Place, bases: list[Base], policies: list[str], changes: dict[str, float]
) -> None:
    with pytest.raises(BadInput):
        run(place, bases, DEFAULT, policies, replace(PLAN, **changes))  # type: ignore[arg-type]


def test_a_place_without_streets_is_refused(place: Place) -> None:
    with pytest.raises(RuleBroken):
        run(replace(place, walkways=()), [WEST_UNIT], DEFAULT, ["nearest"], PLAN)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("at,lon\n2026-01-01T00:00:00Z,112.97\n", "line 2"),
        ("at,lon,lat\n2026-01-01T00:00:00,112.97,28.19\n", "line 2"),
        ("at,lon,lat\n2026-01-01T00:00:00Z,112.97,28.19\nyesterday,112.97,28.19\n", "line 3"),
        ("at,lon,lat\n2026-01-01T00:00:00Z,1129.7,28.19\n", "line 2"),
        ("at,lon,lat\n", "no calls"),
    ],
)
def test_a_torn_file_of_calls_is_named_with_its_line(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(BadInput, match=line):
        read_calls(file)


def test_recorded_calls_and_units_of_a_file_are_played(place: Place, tmp_path: Path) -> None:
    calls, units = tmp_path / "calls.csv", tmp_path / "units.csv"
    calls.write_text(
        f"at,lon,lat,priority\n2026-01-01T01:00:00+08:00,{EAST},{MIDDLE_LAT},1\n"
        f"2025-12-31T16:00:00Z,{WEST},{MIDDLE_LAT},\n",
        "utf-8",
    )
    units.write_text(f"unit,lon,lat\nk1,{WEST},{MIDDLE_LAT}\n", "utf-8")
    given = read_calls(calls)
    assert (given.at_s.tolist(), given.priority.tolist()) == ([0.0, 3600.0], [3, 1])
    told = run(place, read_bases(units), DEFAULT, ["nearest"], replace(PLAN, runs=2), given=given)
    assert told.figures[0].n == 4
    units.write_text("unit,lon\nk1,1\n", "utf-8")
    with pytest.raises(BadInput, match="line 2"):
        read_bases(units)


@pytest.mark.slow
def test_the_command_plays_draws_and_tells(tmp_path: Path) -> None:
    data, document = tmp_path / "data", tmp_path / "place.geojson"
    document.write_bytes(street())
    runner = CliRunner()
    begin = ["init", "--data", str(data), "--district", str(document), "--password-stdin"]
    begun = runner.invoke(app, begin, input="a long enough one\n")
    assert begun.exit_code == 0, begun.output
    png = tmp_path / "curve.png"
    words = [
        "dispatch",
        "simulate",
        "--data",
        str(data),
        "--runs",
        "3",
        "--rate",
        "30",
        "--json",
        "--png",
        str(png),
    ]
    told = runner.invoke(app, words)
    assert told.exit_code == 0, told.output
    result = json.loads(told.stdout)
    assert [one["policy"] for one in result["policies"]] == ["nearest", "cover"]
    assert result["targets_s"] == [60.0, 180.0, 300.0]
    assert all(one["utilisation"] > 0 for one in result["policies"])
    assert runner.invoke(app, [*words, "--rate", "900"]).stdout.count("grows without end") == 2
    assert png.read_bytes().startswith(b"\x89PNG")
    assert runner.invoke(app, [*words, "--runs", "0"]).exit_code == 2


def test_london_2009_says_how_often_the_nearest_came_first_and_how_well_times_are_foretold() -> None:
    if not london.FOLDER.exists():
        pytest.skip("the recorded London calls are not at ../shared/data")
    fires = london.read_fires()
    assert len(fires.all_seconds) == 6708
    assert np.median(fires.all_seconds) == 296
    assert [round((fires.all_seconds <= target).mean(), 3) for target in (180, 300)] == [0.076, 0.517]
    assert 0.70 < fires.nearest.mean() < 0.77
    law, apart_m, truth = london.halves(fires)
    low, high = law.interval_s(apart_m)
    assert ((truth >= low) & (truth <= high)).mean() == pytest.approx(0.8, abs=0.03)
