"""Simulated losses: the same for every strategy, and none that knows more than it may."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from anshang.cli import app
from anshang.demonstration.scenes import wuyi_scene
from anshang.foundation.errors import BadInput
from anshang.lookouts import simulation
from anshang.lookouts.simulation import Quarter, quarter, simulate
from anshang.lookouts.strategies import (
    AHEAD_S,
    COVER,
    COVER_LATER,
    STRATEGIES,
    SUPPOSED_S,
    Scene,
    cover_after,
)

NAMES = ["ask_nearest", "ask_everyone", "anshang"]


@pytest.fixture(scope="module")
def wuyi() -> Quarter:
    return quarter(wuyi_scene().place)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["lookout", "simulate", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_gives_one_object_and_the_same_seed_the_same_losses() -> None:
    code, out, err = run("--runs", "60", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert [each["name"] for each in told["strategies"]] == NAMES
    for each in told["strategies"]:
        assert set(each) == {
            "name", "median_s", "p90_s", "found_within_20_min_share", "messages", "person_minutes",
        }  # fmt: skip
        assert 0 < each["median_s"] <= each["p90_s"] <= 3600
        assert 0 <= each["found_within_20_min_share"] <= 1
    assert run("--runs", "60", "--json")[1] == out
    assert run("--runs", "60", "--json", "--seed", "2")[1] != out


def test_the_table_says_that_it_is_a_model() -> None:
    code, out, _ = run("--runs", "20")
    assert code == 0
    assert "model" in out
    assert all(name in out for name in NAMES)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--runs", "0"], "runs"),
        (["--district", "atlantis", "--data", "/nowhere"], "no installation"),
        (["--district", __file__], "JSON"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments: list[str], word: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert word in err


def test_a_district_without_premises_is_refused() -> None:
    place = replace(wuyi_scene().place, premises=())
    with pytest.raises(BadInput, match="no premises"):
        quarter(place)


def test_everybody_who_is_asked_is_asked_after_the_notice_and_only_premises(wuyi: Quarter) -> None:
    scene = Scene(wuyi, 7, 0.6, np.array([1, 2, 3]))
    for strategy in STRATEGIES.values():
        search = strategy(scene)
        assert search.asked_s.min() == 120
        assert np.isinf(search.asked_s[wuyi.is_exit]).all()
        assert all(visit.from_s < visit.to_s for visit in search.visits)


def test_nobody_is_asked_where_she_cannot_be_yet(wuyi: Quarter) -> None:
    scene = Scene(wuyi, 7, 0.45, np.array([1, 2, 3]))
    asked_s = STRATEGIES["anshang"](scene).asked_s
    first = asked_s == 120
    assert 0 < first.sum() < 60
    assert wuyi.seconds[7, first].max() <= (120 + SUPPOSED_S + AHEAD_S) * 0.45


def test_the_share_that_is_asked_falls_for_some_minutes_and_no_longer() -> None:
    shares = [cover_after(minute * 60) for minute in range(61)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == shares[2] == COVER
    assert COVER > shares[5] > shares[8] == shares[60] == COVER_LATER


@pytest.mark.slow
def test_ours_finds_sooner_than_the_nearest_with_no_more_messages(wuyi: Quarter) -> None:
    achieved = {each.name: each for each in simulate(wuyi, 2_000)}
    ours, nearest, everyone = achieved["anshang"], achieved["ask_nearest"], achieved["ask_everyone"]
    assert ours.p90_s < 0.85 * nearest.p90_s
    assert ours.messages.mean() <= nearest.messages.mean()
    assert ours.median_s <= 1.05 * everyone.median_s
    assert ours.messages.mean() <= 0.40 * everyone.messages.mean()


def test_it_holds_when_people_stray_otherwise_than_thought(
    wuyi: Quarter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "STAYS_SHARE", 0.1)
    monkeypatch.setattr(simulation, "DRAWN_S", 300.0)
    monkeypatch.setattr(simulation, "DWELLS_S", 120.0)
    achieved = {each.name: each for each in simulate(wuyi, 400)}
    assert achieved["anshang"].p90_s < achieved["ask_nearest"].p90_s
