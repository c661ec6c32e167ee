"""The back-test as anybody runs it: from a file to figures, a report and one object of JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.kernels.forecasts import START_MS, street
from typer.testing import CliRunner

from anshang.cli import app
from anshang.crowds import backtest, forecasting, judging
from anshang.crowds.backtest import OURS
from anshang.crowds.forecasting import (
    FEW_DAYS,
    LEVELS,
    MIDDLE,
    Forecaster,
    Outcomes,
    Told,
    held_out,
    with_present,
)
from anshang.crowds.judging import Case
from anshang.foundation.errors import BadInput
from anshang.kernels import forecast
from anshang.kernels.climate import climate
from anshang.kernels.forecast import History, Rows, history, outcome, target_of

PEERS = {"historical_mean", "last_8_weeks", "seasonal_naive", "persistence", "lightgbm_plain"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    counts, grid = street(60, sensors=2)
    first = datetime.fromtimestamp(START_MS / 1000, UTC)
    lines = ["at,North gate,南门"]
    for step, (north, south) in enumerate(counts.T):
        at = first + timedelta(seconds=step * grid.step_s)
        lines += [f"{at:%Y-%m-%d %H:%M},{north:.0f},{south:.0f}"]
    path = tmp_path_factory.mktemp("counts") / "counts.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["crowd", "backtest", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow
def test_one_command_gives_one_object_with_every_method_and_a_report(file: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("name,start\nfair,2024-04-27\n")
    places = tmp_path / "places.csv"
    places.write_text("sensor,lon,lat\nNorth gate,-0.5,51.5\n南门,-0.51,51.49\n", encoding="utf-8")
    code, out, err = run(
        str(file), "--json", "--horizons", "15,60,120", "--test-from", "2024-04-20", "--holidays", "GB-ENG",
        "--events", str(events), "--locations", str(places), "--out", str(tmp_path / "report"),
    )  # fmt: skip
    assert code == 0, err
    told = json.loads(out)
    assert (told["step_s"], told["sensors"], told["test_from"]) == (3600, 2, "2024-04-20")
    assert {each["method"] for each in told["results"]} == {OURS} | PEERS
    assert {(each["horizon_s"], each["days"]) for each in told["results"]} == {
        (horizon, days) for horizon in (3600, 7200) for days in ("all", "irregular")
    }
    ours = next(each for each in told["results"] if each["method"] == OURS and each["days"] == "all")
    assert 0 < ours["wql"] < ours["mae_over_mean"] * 1.2
    assert ours["mase"] < 1
    assert {(each["method"], each["lead_s"]) for each in told["warnings"]} == {
        (method, lead) for method in {OURS} | PEERS for lead in (3600, 7200)
    }
    assert "horizon is no whole number of steps: 15 min" in told["notes"]
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 5
    assert "客流预测回测" in page
    assert (tmp_path / "report" / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_without_peers_only_ours_is_tried_and_told_as_a_table(file: Path) -> None:
    code, out, _ = run(str(file), "--peers", "none", "--horizons", "60")
    assert code == 0
    assert OURS in out
    assert "persistence" not in out
    assert "warnings" in out


@pytest.mark.slow
def test_the_weather_changes_what_is_said(file: Path, tmp_path: Path) -> None:
    weather = tmp_path / "weather.csv"
    hours = [
        f"2024-{month:02}-{day:02} {hour:02}:00"
        for month in (3, 4)
        for day in range(1, 31)
        for hour in range(24)
    ]
    weather.write_text("at,rain_mm\n" + "".join(f"{at},{n % 7}\n" for n, at in enumerate(hours)))

    def error(*more: str) -> float:
        code, out, err = run(str(file), "--json", "--peers", "none", "--horizons", "60", *more)
        assert code == 0, err
        return float(json.loads(out)["results"][0]["mae"])

    assert error("--weather", str(weather)) != error()


def test_weather_that_cannot_be_is_refused(file: Path, tmp_path: Path) -> None:
    weather = tmp_path / "weather.csv"
    weather.write_text("at,rain_mm,temperature_c\n2024-04-01 10:00,0,451\n")
    code, _, err = run(str(file), "--peers", "none", "--weather", str(weather))
    assert code == 2
    assert "temperature is -60 to 60" in err.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--horizons", "15"], "whole number of steps"),
        (["--horizons", "soon"], "are no minutes"),
        (["--test-from", "2024-03-08"], "days to learn from"),
        (["--test-from", "2030-01-01"], "days to learn from"),
        (["--test-from", "May"], "is no day"),
        (["--peers", "some"], "all or none"),
        (["--holidays", "Atlantis"], "No holidays are known"),
        (["--time-zone", "Mars/Olympus"], "is no time zone"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_both_languages(
    file: Path, arguments: list[str], word: str
) -> None:
    code, _, err = run(str(file), *arguments)
    assert code == 2
    assert word in err.replace("\n", " ")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in err)


def oracle(past: History, known: int, rows: Rows) -> Told:
    came = past.counts[rows.series, rows.origin + rows.ahead]
    return Told(came, np.repeat(came[:, None], 11, axis=1))


def case() -> Case:
    counts, grid = street(60)
    begin = 40 * 24
    plan = backtest.plan_from(grid, counts.shape[1], [3600], begin)
    seen = history(counts, grid, climate(counts, grid, begin))
    return Case(seen, begin, 1, backtest.limits(counts, grid, plan), backtest.irregular(counts, grid, begin))


def test_who_knows_the_future_scores_perfectly() -> None:
    given = case()
    rows = backtest._rows(given, given.begin, given.past.counts.shape[1], np.array([2]))
    told = oracle(given.past, given.begin, rows)
    outcome = judging.Outcome(rows.series, rows.origin, told.point, told.quantiles)
    whole = judging.score("oracle", given, 2, outcome, 0.0)[0]
    assert (whole.mae, whole.wql, whole.cover80) == (0, 0, 1)
    alarm = judging.judge_alarms("oracle", given, 2, {2: outcome}, [given.begin])
    assert alarm.onset_recall == 1
    assert alarm.false_episodes_per_sensor_day == 0
    assert alarm.average_precision == 1
    assert alarm.median_lead_s == 2 * 3600


@pytest.mark.parametrize(
    ("lead", "knows", "recall"), [(2, 2, 1.0), (2, 3, 1.0), (2, 4, 1.0), (2, 5, 0.0), (3, 2, 0.0)]
)
def test_forecasts_from_the_lead_to_two_hours_later_warn(lead: int, knows: int, recall: float) -> None:
    """The steps are hours. One that looks nearer comes too late for the lead; one farther is of another time."""
    given = case()
    told = {}
    for ahead in {lead, knows}:
        rows = backtest._rows(given, given.begin, given.past.counts.shape[1], np.array([ahead]))
        said = oracle(given.past, given.begin, rows)
        quantiles = said.quantiles * (ahead == knows)
        told[ahead] = judging.Outcome(rows.series, rows.origin, said.point, quantiles)
    assert judging.judge_alarms("oracle", given, lead, told, [given.begin]).onset_recall == recall


@pytest.mark.slow
def test_on_a_surprise_great_day_ours_is_better_than_trees_alone_and_than_no_change() -> None:
    """An open Sunday in no calendar: four times as many as ever, and from the morning on."""
    counts, grid = street(34, step_s=1_800, sensors=3, seed=6)
    rng = np.random.default_rng(2)
    for day in (27, 31):
        great = np.flatnonzero(grid.day == day)
        hours = grid.slot[great] / 2
        course = 60 + 900 * np.exp(-(((hours - 14) / 4.5) ** 2))
        counts[:, great] = rng.poisson(course * np.array([[2.0], [1.2], [1.6]]))
    plan = replace(
        backtest.plan_from(grid, counts.shape[1], [1_800, 3_600, 7_200], 24 * 48),
        peers=("persistence", "lightgbm_plain"),
    )
    scores = backtest.run(counts, grid, plan).scores
    for horizon_s in plan.horizons_s:
        told = {
            each.method: each.wql
            for each in scores
            if each.horizon_s == horizon_s and each.days == "irregular"
        }
        assert told[OURS] < told["persistence"], (horizon_s, told)
        assert told[OURS] < told["lightgbm_plain"], (horizon_s, told)


def test_what_tells_better_lately_is_believed_more_and_a_gap_leaves_the_trees_alone() -> None:
    counts, grid = street(30)
    counts[1, 24 * 24 :] *= 4
    counts[2, 28 * 24 + 10 :] = np.nan
    past = history(counts, grid, climate(counts, grid, 24 * 24))
    at = np.arange(24 * 24, 29 * 24)
    rows = Rows(np.tile(np.arange(3), len(at)), np.repeat(at, 3), np.ones(3 * len(at), np.int64))
    day, slot = target_of(grid, rows)
    usual, offset = past.climate.usual[rows.series, day, slot].astype(float), past.climate.offset[rows.series]
    came = outcome(past, rows, usual)
    knowing = np.where(rows.series == 0, came, 0.0)
    said = knowing[:, None] + np.linspace(-0.3, 0.3, 7)
    moved = (with_present(past, rows, said, came, (usual, offset)) - said)[:, 3].reshape(-1, 3)
    stays = np.log((counts[rows.series, rows.origin] + offset) / (usual + offset)).reshape(-1, 3)
    with np.errstate(invalid="ignore"):  # where both say the same
        share = moved / (stays - knowing.reshape(-1, 3))
    assert np.nanmedian(share[15:24, 1]) > 0.9
    assert np.nanmax(share[7:24, 0]) < 0.1
    assert (moved[-12:, 2] == 0).all()


def test_where_few_days_are_known_the_chance_to_warn_at_is_chosen_anew_soon() -> None:
    """Ten days without one false warning, then one each day of every sensor, told less surely than the rest."""
    given = case()
    grid, slots = given.past.grid, given.past.grid.slots
    rows = backtest._rows(given, given.begin, given.past.counts.shape[1], np.array([2]))
    quantiles = oracle(given.past, given.begin, rows).quantiles
    target = rows.origin + 2
    wrong = (target >= given.begin + 10 * slots) & (grid.slot[target] == 3)
    over = np.where(np.arange(11) >= 4, 2.0, 0.0) * given.limits[rows.series[wrong], None]
    quantiles[wrong] = over
    told = {2: judging.Outcome(rows.series, rows.origin, quantiles[:, 5], quantiles)}
    alarm = judging.judge_alarms("nightly", given, 2, told, [given.begin])
    assert alarm.false_episodes_per_sensor_day <= 0.25, "as soon as it shows, within two days"
    assert alarm.onset_recall == 1


def test_every_target_of_the_test_is_asked_for_once_and_none_before_it() -> None:
    given = case()
    end = given.past.counts.shape[1]
    rows = [backtest._rows(given, *fold, np.array([1])) for fold in ((given.begin, 50 * 24), (50 * 24, end))]
    targets = np.concatenate([each.origin + 1 for each in rows])
    assert targets.min() == given.begin
    assert targets.max() == end - 1
    assert len(targets) == 3 * (end - given.begin)


def test_a_reading_of_a_thousand_million_spoils_nothing() -> None:
    counts, grid = street(40)
    counts[0, 500] = 1e9
    counts[1, 30 * 24 :] = 8
    clean, left_out = backtest.cleaned(counts, grid, 30 * 24)
    assert left_out["impossible"] == 1
    assert left_out["stuck"] > 200
    assert np.nanmax(clean) < 5_000


def test_too_short_a_record_is_refused() -> None:
    _, grid = street(9)
    with pytest.raises(BadInput, match="at least 10 and 1"):
        backtest.plan_from(grid, 9 * 24, [3600], None)


def test_widths_learnt_on_few_days_are_wider_than_the_same_learnt_on_many() -> None:
    """The hours of one day err alike: a record of a day knows as little as one error."""
    slots = 24

    def factors(days: int) -> np.ndarray:
        rng = np.random.default_rng(3)
        n = 28 * slots
        target = np.linspace(0, days * slots - 1, n).astype(np.int64)
        deviation = np.tile(np.linspace(-1, 1, len(LEVELS)), (n, 1))
        return Outcomes(target, deviation, rng.normal(size=n)).factors(days * slots, slots)

    one, two, many = factors(1), factors(2), factors(28)
    assert one / many == pytest.approx(1 + FEW_DAYS, rel=0.03)
    assert (one > two).all() and (two > many).all()
    assert FEW_DAYS > 0


def test_a_record_of_twelve_days_gets_intervals_as_wide_as_they_say() -> None:
    """Counts that stray from their course by chance alone, by 15 %: the 80 % interval holds 80 % of them."""
    days, known, series = 12, 10 * 24, 12
    _, grid = street(days, sensors=1)
    course = 30 + 400 * np.exp(-(((grid.slot - 17) / 3.5) ** 2))
    counts = np.round(course * np.exp(np.random.default_rng(1).normal(0, 0.15, (series, days * 24))))
    past = history(counts, grid, climate(counts, grid, known))
    origin = np.arange(known - 1, days * 24 - 1)
    asked = len(origin) * series
    rows = Rows(np.tile(np.arange(series), len(origin)), np.repeat(origin, series), np.ones(asked, np.int64))
    forecaster = Forecaster(1)
    told = forecaster.tell(past, known, rows).quantiles
    came = counts[rows.series, rows.origin + 1]
    assert ((told[:, 1] <= came) & (came <= told[:, -2])).mean() == pytest.approx(0.8, abs=0.05)
    held_out_hours = known - held_out(past, known) - 1
    assert len(forecaster.outcomes[1].target) == series * held_out_hours + asked, "each outcome counts once"


@pytest.mark.parametrize("days", [10, 13, 16, 20, 21, 24, 30])
def test_the_model_that_shows_the_widths_halves_the_past_as_the_one_in_use(
    days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Widths learnt on every other week are wider than on every other day: no factor of one fits the other."""
    ways: list[bool] = []

    def fit(past: History, rows: Rows, *, by_weeks: bool, threads: int) -> None:
        by_days = past.grid.day[rows.origin] % 2 == 1
        ways.append(bool((forecast._second_half(past.grid, rows, by_weeks=by_weeks) == by_days).all()))

    def nothing(model: None, past: History, rows: Rows, threads: int) -> tuple[np.ndarray, ...]:
        n = len(rows.series)
        return np.zeros((n, 7)), np.zeros(n), np.ones(n), np.ones(n)

    monkeypatch.setattr(forecast, "fit", fit)
    monkeypatch.setattr(forecasting, "_outcome", nothing)
    counts, grid = street(days + 2)
    known = days * 24
    past = history(counts, grid, climate(counts, grid, known))
    one = np.ones(1, np.int64)
    Forecaster(1).tell(past, known, Rows(0 * one, known * one, one))
    assert ways == [days < 21] * 2


def test_false_episodes_are_counted_on_days_that_nothing_was_chosen_on() -> None:
    """A method that cries on two nights: before them nothing spoke against a low chance, afterwards it does."""
    given = case()
    end = given.past.counts.shape[1]
    rows = backtest._rows(given, given.begin, end, np.array([2]))
    slot, day = given.past.grid.slot[rows.origin], given.past.grid.day[rows.origin]
    cries = np.isin(day, (50, 51)) & (slot == 2)  # at night, when nothing comes
    told = np.where(cries[:, None], given.limits[rows.series][:, None] * (0.6 + LEVELS), 0.0)
    crying = judging.Outcome(rows.series, rows.origin, told[:, MIDDLE], told)
    found = judging.judge_alarms("cries", given, 2, {2: crying}, [given.begin])
    assert found.threshold_prob > 0.6, "learnt from what came"
    assert found.false_episodes_per_sensor_day == pytest.approx(6 / 30, rel=0.05), (
        "all six stand as they were"
    )
    assert found.times_budget == pytest.approx(found.false_episodes_per_sensor_day / judging.FALSE_MAX_A_DAY)
