"""The background work as it is wired: what fails is seen, and keeps nobody else's work back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection

from anshang.app import create_app
from anshang.crowds import actions, store
from anshang.crowds.engine import Engine
from anshang.crowds.ingest import Intake, Row
from anshang.crowds.model import Level
from anshang.crowds.watch import Watch
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import StorageFailed
from anshang.foundation.jobs import Job, JobState, Supervisor
from anshang.journal import store as journal_store
from anshang.people.model import operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from anshang.vault import actions as vault
from anshang.vault import store as records
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose, RecordKind
from anshang.web.session import Runtime
from anshang.worker import Worker
from tests.crowds.conftest import line, row_of_zones

MoveOn = Callable[[timedelta], None]
BROKEN, WELL = "a", "b"


def prepare(database: Database, district_id: str) -> None:
    """A district with a counter at every gate."""
    document = json.loads(row_of_zones())
    document["anshang"]["district"]["id"] = district_id
    actor = operator_actor(district_id)
    with database.transaction(district_id) as tx:
        places.import_document(tx, actor=actor, document=json.dumps(document).encode())
        for number in range(4):
            sensor = replace(line(f"g{number}"), district_id=district_id)
            actions.define_sensor(tx, actor=actor, sensor=sensor)


@pytest.fixture
def app(database: Database, night: MoveOn, tmp_path: Path) -> FastAPI:
    """An application with two districts; no lane has begun."""
    for district_id in (BROKEN, WELL):
        prepare(database, district_id)
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url))
    app.state.services[Worker].prepare()
    return app


def run(supervisor: Supervisor, *lanes: str) -> None:
    """One round of these lanes, or of all."""
    for lane in lanes or dict.fromkeys(job.lane for job in supervisor.jobs):
        supervisor.run_due(lane)


def faults(supervisor: Supervisor) -> set[tuple[str, str]]:
    """The jobs that are not well, and where."""
    return {(one.name, one.district_id) for one in supervisor.report() if one.state is not JobState.OK}


def test_a_district_that_cannot_be_saved_shows_its_crowd_and_stops_no_other(
    app: FastAPI, night: MoveOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, watch, worker = (
        app.state.services[Runtime].database,
        app.state.services[Watch],
        app.state.services[Worker],
    )
    intake: Intake = app.state.services[Intake]
    whole = database.transaction

    def transaction(district_id: str) -> AbstractContextManager[Transaction]:
        if district_id == BROKEN:
            raise StorageFailed("storage.failed", en="full", zh="满")
        return whole(district_id)

    monkeypatch.setattr(database, "transaction", transaction)
    now_s = 0.0
    supervisor = Supervisor(worker.supervisor.jobs, lambda: [BROKEN, WELL], lambda: now_s)
    for entered in (3500, 0, 0):
        now_s += 10
        at = clock.now().isoformat()
        for district_id in (BROKEN, WELL):
            intake.take_rows(district_id, [Row(f"g{n}", at, 0 if n else entered, 0) for n in range(4)])
            watch.step(district_id)
        run(supervisor, "alarms")
        night(timedelta(seconds=70 if entered else 0))
    for district_id in (BROKEN, WELL):
        frame = json.loads(watch.full_frame(district_id) or b"{}")
        assert (frame["at"], frame["zones"]["z0"]["level"]) == (clock.now().isoformat(), 3)
    with database.reading([BROKEN, WELL]) as connection:
        assert [state.level for state in store.list_zone_states(connection, WELL)] == [Level.ALERT]
        assert store.list_zone_states(connection, BROKEN) == []
    assert [one.name for one in supervisor.troubles(BROKEN)] == ["crowds.save"]
    assert supervisor.troubles(WELL) == []


def test_a_district_that_cannot_be_built_keeps_the_server_from_nothing(
    database: Database, night: MoveOn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for district_id in (BROKEN, WELL):
        prepare(database, district_id)
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url))
    watch = app.state.services[Watch]
    whole, broken = watch._build, [True]

    def build(connection: Connection, district_id: str, now: datetime) -> Engine:
        if district_id == BROKEN and broken:
            raise ValueError("a row that nobody can read")
        return whole(connection, district_id, now)

    monkeypatch.setattr(watch, "_build", build)
    now_s = 0.0
    app.state.services[Worker].prepare()
    supervisor = Supervisor(app.state.services[Worker].supervisor.jobs, lambda: [BROKEN, WELL], lambda: now_s)
    assert json.loads(watch.full_frame(WELL) or b"{}")["zones"]
    for now_s in (10.0, 40.0):  # noqa: B007 - the supervisor's clock
        run(supervisor)
    assert {"crowds.refresh", "crowds.step"} <= {one.name for one in supervisor.troubles(BROKEN)}
    assert supervisor.troubles(WELL) == []
    broken.clear()
    now_s = 200.0
    run(supervisor)
    now_s = 210.0
    run(supervisor)
    assert supervisor.troubles(BROKEN) == []
    assert json.loads(watch.full_frame(BROKEN) or b"{}")["zones"]


def test_a_new_district_is_watched_at_once(app: FastAPI) -> None:
    supervisor: Supervisor = app.state.services[Worker].supervisor
    supervisor.run_due("districts")
    prepare(app.state.services[Runtime].database, "c")
    supervisor.run_due("districts")
    assert app.state.services[Watch].full_frame("c") is not None
    run(supervisor, "engine")
    assert [one.reason for one in supervisor.report() if one.district_id == "c" and one.failures] == []


@pytest.mark.parametrize("critical", [True, False])
def test_health_is_503_while_a_job_that_matters_stands_still_and_says_which(
    app: FastAPI, critical: bool
) -> None:
    now_s = 0.0

    def die(_: str) -> None:
        raise RuntimeError

    job = Job(
        name="dispatch.ladder", run=die, every_s=1.0, lane="ladder", critical=critical, en="Ladder", zh="阶梯"
    )
    app.state.services.add(
        replace(
            app.state.services[Runtime], supervisor=Supervisor([job], lambda: [BROKEN, WELL], lambda: now_s)
        )
    )
    client = TestClient(app)
    assert client.get("/api/health").json()["state"] == "ok"
    run(app.state.services[Runtime].supervisor)
    now_s = 6.0
    answer = client.get("/api/health")
    assert answer.status_code == (503 if critical else 200)
    (shown,) = answer.json()["jobs"]
    assert (shown["name"], shown["state"], shown["districts"]) == (
        "dispatch.ladder",
        "stopped",
        [BROKEN, WELL],
    )
    assert (shown["failures"], shown["reason"]) == (1, "RuntimeError")


def test_health_is_503_while_nothing_can_be_written(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = app.state.services[Runtime]
    now_s = 0.0
    app.state.services.add(
        replace(runtime, supervisor=Supervisor(runtime.supervisor.jobs, lambda: [WELL], lambda: now_s))
    )
    client = TestClient(app)
    run(app.state.services[Runtime].supervisor)
    now_s = 10.0
    run(app.state.services[Runtime].supervisor)
    assert client.get("/api/health").status_code == 200

    def full(*_: object) -> None:
        raise StorageFailed("storage.failed", en="The disk is full.", zh="磁盘已满。")

    monkeypatch.setattr(runtime.database, "bulk", full)
    monkeypatch.setattr(runtime.database, "transaction", full)
    for now_s in (20.0, 40.0):  # noqa: B007 - the supervisor's clock
        run(app.state.services[Runtime].supervisor)
    answer = client.get("/api/health")
    assert answer.status_code == 503
    (shown,) = [one for one in answer.json()["jobs"] if one["name"] == "storage.write"]
    assert (shown["state"], shown["reason"]) == ("stopped", "The disk is full.")


def test_expired_records_are_erased_whatever_else_fails(
    app: FastAPI, night: MoveOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A roll-up that fails in one district once kept the personal records of all for months."""
    database, keyring = app.state.services[Runtime].database, app.state.services[Keyring]
    for district_id in (BROKEN, WELL):
        actor = operator_actor(district_id).lent(Permission.PERSON_KEEP)
        for number in range(2):
            with database.transaction(district_id) as tx:
                vault.keep(
                    tx, keyring, actor=actor, id=f"00000000-0000-7000-8000-0000000000{district_id}{number}",
                    subject_id="s", kind=RecordKind.CONTACT, purpose=Purpose.LOOKOUT, content=b"+86 1",
                )  # fmt: skip
    night(timedelta(days=30))

    def unreadable(*_: object, **__: object) -> int:
        raise OSError("a sealed file cannot be read")

    monkeypatch.setattr("anshang.crowds.room.roll_up", unreadable)
    monkeypatch.setattr("anshang.crowds.room.seal", unreadable)
    supervisor: Supervisor = app.state.services[Worker].supervisor
    broken_id = f"00000000-0000-7000-8000-0000000000{BROKEN}0"
    monkeypatch.setattr(
        type(keyring),
        "destroy",
        _stubborn(type(keyring).destroy, broken_id),  # one key that resists
    )
    now_s = 100.0
    worker = Supervisor(supervisor.jobs, lambda: [BROKEN, WELL], lambda: now_s)
    run(worker)
    now_s = 200.0
    run(worker)
    left = {
        record.id
        for district_id in (BROKEN, WELL)
        for record in _records(database, district_id)
        if record.erased_at is None
    }
    assert left == set()
    assert {name for name, _ in faults(worker)} >= {"counts.roll_up", "counts.seal"}


def _stubborn(destroy: Callable[..., None], id: str) -> Callable[..., None]:
    def instead(keyring: object, *words: str) -> None:
        if id in words:
            raise OSError("read-only")
        destroy(keyring, *words)

    return instead


def _records(database: Database, district_id: str) -> list[records.Record]:
    with database.reading([district_id]) as connection:
        return records.list_of_subjects(connection, district_id, ["s"])


def test_under_a_wrong_clock_nothing_is_erased_or_sealed_and_health_says_so(app: FastAPI) -> None:
    """A clock of another year once destroyed every key within a minute, and sealed days that had not come."""
    database, keyring = app.state.services[Runtime].database, app.state.services[Keyring]
    with database.transaction(WELL) as tx:
        vault.keep(
            tx, keyring, actor=operator_actor(WELL), id="00000000-0000-7000-8000-000000000001",
            subject_id="s", kind=RecordKind.CONTACT, purpose=Purpose.PARTNER, content=b"+86 1",
        )  # fmt: skip
    now_s = 100.0
    supervisor = Supervisor(app.state.services[Worker].supervisor.jobs, lambda: [BROKEN, WELL], lambda: now_s)
    run(supervisor, "erasure", "housekeeping")
    with clock.standing_at(clock.now() + timedelta(days=500)):
        now_s = 4000.0
        run(supervisor, "erasure", "housekeeping")
        held = {one.name for one in supervisor.report() if "confirm-clock" in one.reason}
    assert held >= {"vault.erase", "vault.orphans", "retention.apply", "journal.seal"}
    assert [record.erased_at for record in _records(database, WELL)] == [None]
    assert keyring.list_keys() == [(WELL, "00000000-0000-7000-8000-000000000001")]
    with database.reading([WELL]) as connection:
        assert journal_store.list_seals(connection, WELL) == []
    now_s = 9000.0
    run(supervisor, "erasure", "housekeeping")
    assert {name for name, _ in faults(supervisor)} & held == set(), "the clock is right again"


def test_a_key_that_was_being_written_when_the_machine_stopped_is_gone_after_a_start(
    app: FastAPI, tmp_path: Path
) -> None:
    """It may be a wrapped copy of a key that is destroyed later."""
    stray = tmp_path / "vault" / WELL / "01" / "00000000-0000-7000-8000-000000000001.new"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"a wrapped key")
    app.state.services[Worker].prepare()
    assert not stray.exists()


@pytest.mark.parametrize(
    ("urgent", "slow"),
    [
        ("dispatch.ladder", "forecasts.follow"),
        ("dispatch.ladder", "dispatch.reach"),
        ("lookouts.search", "journal.seal"),
        ("lookouts.search", "counts.seal"),
        ("vault.erase", "counts.roll_up"),
        ("crowds.save", "crowds.step"),
        ("crowds.step", "crowds.refresh"),
        ("storage.write", "crowds.save"),
        ("council.bring_back", "vault.erase"),
        ("drills.play", "dispatch.ladder"),
    ],
)
def test_what_must_not_wait_for_another_has_a_lane_of_its_own(app: FastAPI, urgent: str, slow: str) -> None:
    lanes = {one.name: one.lane for one in app.state.services[Worker].supervisor.jobs}
    assert lanes[urgent] != lanes[slow]
