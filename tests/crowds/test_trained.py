"""The trained forecast of a district: kept, compared, shown when it was better, and put back by a person."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import text
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import ENGINE, kinds, row_of_zones
from typer.testing import CliRunner

from anshang import cli
from anshang.crowds import observations, trained, trained_actions, trained_store
from anshang.crowds.ahead import HORIZONS_S
from anshang.crowds.calendars import day_grid
from anshang.crowds.model import CrowdKind, ModelState, TrainedModel
from anshang.crowds.outlook import Outlooks
from anshang.crowds.past import Usual, read_past
from anshang.crowds.telemetry import HOUR_MS, ROLLED, put_mark, zone_history_table
from anshang.crowds.trained import Trained, unpacked
from anshang.crowds.training import read_record, train_district
from anshang.crowds.training_process import TrainingProcess
from anshang.crowds.watch import Watch
from anshang.foundation import clock, ids
from anshang.foundation.database import Database, put_all
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, StorageFailed
from anshang.journal import store as journal
from anshang.kernels import forecast
from anshang.kernels.climate import climate
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places_actions
from anshang.places import store as places

pytestmark = pytest.mark.postgres
MoveOn = Callable[[timedelta], None]
ZONES = ("z0", "z1", "z2")
QUARTER_MS, DAY_QUARTERS = 900_000, 96
EPOCH_ON = date(1970, 1, 1).toordinal()


def crowd(days: int, seed: int = 5) -> np.ndarray:
    """People in three zones by the quarter: a day's course, and surges that have gone within the hour."""
    rng = np.random.default_rng(seed)
    quarters = days * DAY_QUARTERS
    course = 1000 + 700 * np.sin(np.arange(quarters) / DAY_QUARTERS * 2 * np.pi)
    surge = np.zeros((3, quarters))
    for step in range(1, quarters):
        surge[:, step] = 0.55 * surge[:, step - 1] + rng.normal(0, 0.16, 3)
    told: np.ndarray = course * np.exp(surge)
    return told


def remembered(database: Database, days: int) -> int:
    """Fill the store with that many days up to now, the last 17 also by the minute; until when (ms)."""
    until_ms = clock.to_ms(clock.now()) // QUARTER_MS * QUARTER_MS
    people = crowd(days)
    first_ms = until_ms - people.shape[1] * QUARTER_MS
    rows = [
        (DISTRICT, zone, 900, first_ms + step * QUARTER_MS, n, n, n, n / 1000, 0)
        for zone, course in zip(ZONES, people.tolist(), strict=True)
        for step, n in enumerate(course)
    ]
    fine_from = max(0, people.shape[1] - 17 * DAY_QUARTERS)
    rows += [
        (DISTRICT, zone, 60, first_ms + step * QUARTER_MS + minute * 60_000, n, n, n, n / 1000, 0)
        for zone, course in zip(ZONES, people.tolist(), strict=True)
        for step, n in enumerate(course)
        if step >= fine_from
        for minute in range(15)
    ]

    def keep(connection) -> None:  # type: ignore[no-untyped-def]
        put_all(connection, zone_history_table, rows)
        put_mark(connection, DISTRICT, ROLLED, until_ms)

    database.bulk(DISTRICT, keep)
    return until_ms


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that takes a moment: fewer rows and rounds."""
    monkeypatch.setattr(forecast, "ROWS_MAX", 12_000)
    monkeypatch.setattr(forecast, "MIDDLE_ROUNDS", 60)
    monkeypatch.setattr(forecast, "AROUND_ROUNDS", 30)


def train(database: Database) -> TrainedModel:
    return train_district(database, DISTRICT, actor=ENGINE, threads=1)


def models(database: Database) -> list[TrainedModel]:
    with database.reading([DISTRICT]) as connection:
        return trained_store.list_trained(connection, DISTRICT)


def outlooks(database: Database) -> Outlooks:
    watch = Watch(database)
    watch.load(DISTRICT)
    return Outlooks(database, watch)


def choose(database: Database, make: Make, id: str, role: Role = Role.SUPERVISOR) -> None:
    with database.transaction(DISTRICT) as tx:
        trained_actions.choose(tx, actor=make.actor(role), id=id)


def kept(database: Database, gain: float, trees: str = "x") -> TrainedModel:
    """A model with made-up figures that was better or worse by a share than what was in use."""

    def figures(loss: float) -> dict[str, list[float | None]]:
        return {name: [loss] * len(HORIZONS_S) for name in ("loss", "error", "covered80")}

    told = {"mine": figures(1 - gain), "running": figures(1.0), "plain": figures(1.0)}
    model = TrainedModel(ids.new_id(), DISTRICT, clock.now(), NIGHT, 28, 3, ModelState.NOT_BETTER, told)
    with database.transaction(DISTRICT) as tx:
        return trained_actions.keep(tx, actor=ENGINE, model=model, trees=trees)


@pytest.mark.slow
def test_a_model_that_was_better_on_the_last_week_is_shown_and_says_what_comes(
    district: Database, night: MoveOn, quick: None
) -> None:
    remembered(district, 35)
    seen: list[float] = []
    model = train_district(district, DISTRICT, actor=ENGINE, threads=1, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert (model.state, model.days_count, model.zones_count) == (ModelState.IN_USE, 35, 3)
    assert model.gain_share > 0.05
    assert kinds(district) == [CrowdKind.FORECAST_TRAINED, CrowdKind.FORECAST_CHOSEN]
    mine = model.figures["mine"]
    assert all(0.6 < share < 0.95 for share in mine["covered80"] if share is not None)
    looking = outlooks(district)
    outlook = looking.renew(DISTRICT)
    assert outlook is not None
    assert outlook.basis == "trained"
    assert [zone.zone_id for zone in outlook.zones] == list(ZONES)
    for zone in outlook.zones:
        for low, middle, high in zip(zone.people.low, zone.people.middle, zone.people.high, strict=True):
            assert 0 < low < middle < high
    again = train(district)
    assert (again.state, round(again.gain_share, 6)) == (ModelState.NOT_BETTER, 0.0)
    assert [each.state for each in models(district)] == [ModelState.NOT_BETTER, ModelState.IN_USE]


def _spoil(database: Database, until_ms: int, changed: str, hours: tuple[float, float]) -> None:
    """Change what is kept of z1 in a span of hours before `until_ms`."""
    from_ms, to_ms = (until_ms - round(hour * HOUR_MS) for hour in hours)
    told = {"from_ms": from_ms, "to_ms": to_ms}
    where = "WHERE zone_id = 'z1' AND at_ms >= :from_ms AND at_ms < :to_ms"
    database.bulk(DISTRICT, lambda connection: connection.execute(text(f"{changed} {where}"), told))


@pytest.mark.slow
def test_dead_hours_and_what_was_kept_over_them_are_not_learnt(district: Database, night: MoveOn) -> None:
    until_ms = remembered(district, 30)
    with district.reading([DISTRICT]) as connection:
        before, *_ = read_record(connection, DISTRICT)
    _spoil(district, until_ms, "UPDATE zone_history SET people = 0", (60, 50))
    _spoil(district, until_ms, "UPDATE zone_history SET people = 30000", (50, 49.75))
    with district.reading([DISTRICT]) as connection:
        after, *_ = read_record(connection, DISTRICT)
    gone = np.argwhere(np.isnan(after.quarters) & ~np.isnan(before.quarters))
    end = after.quarters.shape[1]
    assert gone.tolist() == [[1, end - back] for back in range(4 * 57, 4 * 49, -1)][: 4 * 7 + 1]
    fine_gone = np.isnan(after.fine) & ~np.isnan(before.fine)
    assert fine_gone.sum() == 3 * len(gone)


@pytest.mark.slow
def test_dead_hours_are_not_usual(district: Database, night: MoveOn) -> None:
    until_ms = remembered(district, 30)
    _spoil(district, until_ms, "UPDATE zone_history SET people = 0", (60, 50))

    def usual() -> Usual:
        place_of = ZoneInfo("Asia/Shanghai")
        today = clock.now().astimezone(place_of).date().toordinal() - EPOCH_ON
        with district.reading([DISTRICT]) as connection:
            known = places.load(connection, DISTRICT).district
            past = read_past(connection, known, list(ZONES), clock.now(), place_of, today)
        assert past.usual is not None
        return past.usual

    dead = usual()
    _spoil(district, until_ms, "DELETE FROM zone_history", (57, 50))
    gaps = usual()
    np.testing.assert_array_equal(dead.people, gaps.people)
    np.testing.assert_array_equal(dead.noise, gaps.noise)


@pytest.mark.slow
def test_it_is_tried_on_days_that_it_has_not_seen(district: Database, night: MoveOn, quick: None) -> None:
    """What came in the last two weeks changes nothing of what is learnt."""
    until_ms = remembered(district, 35)
    first = train(district)

    def change(connection) -> None:  # type: ignore[no-untyped-def]
        connection.execute(
            text("UPDATE zone_history SET people = people * 0.5 WHERE at_ms >= :from_ms"),
            {"from_ms": until_ms - 14 * DAY_QUARTERS * QUARTER_MS},
        )

    district.bulk(DISTRICT, change)
    second = train(district)
    with district.reading([DISTRICT]) as connection:
        told = [unpacked(trained_store.read_trees(connection, DISTRICT, m.id) or "") for m in (first, second)]
    assert _texts(told[0]) == _texts(told[1])
    assert first.figures["mine"] != second.figures["mine"]


def _texts(trained: Trained) -> list[str]:
    return [tree.model_to_string() for trees in trained.trees for tree in trees]


def test_few_days_are_refused_and_nothing_is_kept(district: Database, night: MoveOn) -> None:
    with pytest.raises(BadInput) as refusal:
        train(district)
    remembered(district, 20)
    with pytest.raises(BadInput) as refusal:
        train(district)
    assert "20" in refusal.value.en
    assert models(district) == []
    assert kinds(district) == []


def test_a_person_puts_a_former_one_back_or_takes_none(district: Database, make: Make) -> None:
    first, second = kept(district, 0.1), kept(district, 0.2)
    worse = kept(district, -0.1)
    assert [m.state for m in models(district)] == [
        ModelState.NOT_BETTER,
        ModelState.IN_USE,
        ModelState.REPLACED,
    ]
    choose(district, make, first.id)
    assert [m.id for m in models(district) if m.state is ModelState.IN_USE] == [first.id]
    choose(district, make, first.id)
    choose(district, make, trained_actions.PLAIN)
    choose(district, make, trained_actions.PLAIN)
    assert {m.state for m in models(district)} == {ModelState.NOT_BETTER, ModelState.REPLACED}
    choose(district, make, worse.id)
    assert kinds(district)[-3:] == [CrowdKind.FORECAST_CHOSEN] * 3
    before = kinds(district)
    for role in (Role.DESK, Role.PATROL, Role.PARTNER):
        with pytest.raises(NotAllowed):
            choose(district, make, second.id, role)
    with pytest.raises(NotFound):
        choose(district, make, ids.new_id())
    assert kinds(district) == before


def test_only_the_last_models_are_kept_and_the_one_in_use(district: Database, night: MoveOn) -> None:
    shown = kept(district, 0.1)
    for _ in range(trained_actions.KEPT_COUNT + 3):
        night(timedelta(days=1))
        kept(district, -0.1)
    left = models(district)
    assert len(left) == trained_actions.KEPT_COUNT + 1
    assert left[-1].id == shown.id
    with district.reading([DISTRICT]) as connection:
        assert all(trained_store.read_trees(connection, DISTRICT, model.id) for model in left)


def test_what_could_not_be_compared_is_not_better(district: Database) -> None:
    model = kept(district, 0.5)
    nothing = {name: {key: [None] * 6 for key in told} for name, told in model.figures.items()}
    assert replace(model, figures=nothing).gain_share == 0.0


def test_a_model_that_cannot_be_read_or_is_of_other_zones_leaves_the_plain_outlook(
    district: Database, night: MoveOn
) -> None:
    remembered(district, 8)
    kept(district, 0.1, trees="broken")
    looking = outlooks(district)
    for _ in range(3):
        outlook = looking.renew(DISTRICT)
        assert outlook is not None
        assert outlook.basis == "weeks"
    kept(district, 0.2, trees=Trained(("elsewhere",), small_model(), np.ones(6), np.ones((6, 7))).packed())
    outlook = looking.renew(DISTRICT)
    assert outlook is not None
    assert outlook.basis == "weeks"


def small_model() -> forecast.Model:
    """Learnt from quarters in no time."""
    counts = crowd(14)
    grid = day_grid(clock.to_ms(NIGHT), counts.shape[1], trained.QUARTER_S, UTC)
    past = forecast.history(counts, grid, climate(counts, grid, 10 * DAY_QUARTERS))
    rows = forecast.Rows(np.zeros(500, int), np.arange(800, 1300), np.full(500, 2))
    assert forecast.features(past, rows)[0].shape[1] == 43, "other features are another trained.FORM"
    return forecast.fit(past, rows)


@pytest.mark.slow
def test_a_model_of_another_release_is_passed_over(
    district: Database, night: MoveOn, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered(district, 35)
    kept(district, 0.1, trees=Trained(ZONES, small_model(), np.ones(6), np.ones((6, 7))).packed())
    monkeypatch.setattr(trained, "FORM", trained.FORM + 1)
    outlook = outlooks(district).renew(DISTRICT)
    assert outlook is not None
    assert outlook.basis == "weeks"
    model = train(district)
    assert model.figures["running"] == model.figures["plain"]


def test_a_full_disk_leaves_the_model_in_use(district: Database) -> None:
    if not district.is_sqlite:
        pytest.skip("a full disk is made with SQLite's page limit")
    shown = kept(district, 0.1)
    with district.owning() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(StorageFailed):
        kept(district, 0.2, trees="x" * 2_000_000)
    assert [(m.id, m.state) for m in models(district)] == [(shown.id, ModelState.IN_USE)]


def failures(database: Database) -> list[str]:
    with database.reading([DISTRICT]) as connection:
        entries = journal.list_after(connection, DISTRICT, 0)
    return [e.details["reason"] for e in entries if e.kind == CrowdKind.FORECAST_FAILED]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; sys.exit('no space left on device')", "no space left on device"),
        (f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})", "ended by signal 9"),
        ("raise SystemExit(3)", "ended with 3"),
        ("pass", None),
    ],
)
def test_how_a_nights_training_ended_is_in_the_journal(
    district: Database, night: MoveOn, tmp_path: Path, program: str, reason: str | None
) -> None:
    with district.reading([DISTRICT]) as connection:
        place = places.get_district(connection, DISTRICT)
    hour = clock.now().astimezone(ZoneInfo(place.time_zone)).hour
    for at, told in ((hour + 1, []), (hour, [reason] if reason else [])):
        training = TrainingProcess(
            district, tmp_path, at % 24, threading.Event(), (sys.executable, "-c", program)
        )
        for _ in range(2):
            training.go_on(place)
        assert failures(district) == told


def test_a_training_ends_with_the_server(district: Database, night: MoveOn, tmp_path: Path) -> None:
    with district.reading([DISTRICT]) as connection:
        place = places.get_district(connection, DISTRICT)
    hour = clock.now().astimezone(ZoneInfo(place.time_zone)).hour
    stopping = threading.Event()
    stopping.set()
    program = (sys.executable, "-c", "import time; time.sleep(600)")
    TrainingProcess(district, tmp_path, hour, stopping, program).go_on(place)
    assert failures(district) == []


def test_how_forecasts_came_out_is_kept_by_the_quarter(district: Database, night: MoveOn) -> None:
    begun = clock.now()
    looking = outlooks(district)
    for _ in range(150):
        night(timedelta(minutes=1))
        now_ms = clock.to_ms(clock.now()) // 60_000 * 60_000
        rows = [(zone, 500.0, 450.0, 550.0, 0.5, 0) for zone in ZONES]

        def keep(connection, now_ms=now_ms, rows=rows) -> None:  # type: ignore[no-untyped-def]
            observations.keep_zone_minutes(connection, DISTRICT, now_ms, rows)

        district.bulk(DISTRICT, keep)
        looking.keep(DISTRICT, [(now_ms, rows)])
        looking.renew(DISTRICT)
        looking.keep(DISTRICT, [(now_ms, rows)])
    span = (clock.to_ms(begun), clock.to_ms(clock.now()) + 60_000)
    with district.reading([DISTRICT]) as connection:
        sums = trained_store.sum_outcomes(connection, DISTRICT, *span)
    assert sums[900, False]["instants"] >= 8
    assert sums[7200, False]["instants"] >= 1
    assert sums[900, False]["zones_count"] == 3 * sums[900, False]["instants"]
    assert sums[900, False]["error_sum"] < 0.1 * sums[900, False]["people_sum"]


def test_models_are_listed_compared_and_put_back_from_the_command_line(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        folder = Path(database.url.removeprefix("sqlite:///")).parent
    else:
        folder = tmp_path
        monkeypatch.setenv("ANSHANG_DATABASE_URL", database.url)
        monkeypatch.setenv("ANSHANG_DATABASE_OWNER_URL", database._owner_url)
    with database.transaction(DISTRICT) as tx:
        places_actions.import_document(tx, actor=operator_actor(DISTRICT), document=row_of_zones())
    first, second = kept(database, 0.1), kept(database, 0.2)

    def models_told(*words: str) -> str:
        told = CliRunner().invoke(cli.app, ["crowd", "models", "--data", str(folder), *words])
        assert told.exit_code == 0, told.output
        return told.output

    lines = {line.split()[1]: line for line in models_told().splitlines() if "UTC" in line}
    assert "使用中" in lines[second.id[-8:]]
    assert "0.8000" in lines[second.id[-8:]]
    assert "已替换" in lines[first.id[-8:]]
    lines = {
        line.split()[1]: line for line in models_told("--use", first.id[-8:]).splitlines() if "UTC" in line
    }
    assert "使用中" in lines[first.id[-8:]]
    assert "outlook without training" in models_told("--use", "plain")
