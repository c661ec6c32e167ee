"""`/metrics`: with its key alone, what stands still, how long the queue waits, and nothing of a person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import DISTRICT, Make
from tests.crowds.conftest import row_of_zones

from anshang.app import create_app
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.matters import actions as matters
from anshang.matters.model import MatterKind, Priority
from anshang.people.model import operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from anshang.web.session import Runtime
from anshang.worker import Worker

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
KEY = "let Prometheus in"


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=row_of_zones())
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url, metrics_key=KEY))
    return TestClient(app)


def read(client: TestClient) -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_only_its_key_opens_it(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer another"}):
        assert client.get("/metrics", headers=headers).status_code == 401


def test_without_a_key_of_its_own_nobody_gets_in(database: Database, tmp_path: Path) -> None:
    client = TestClient(create_app(Settings(data_folder=tmp_path, database_url=database.url)))
    for headers in ({}, {"Authorization": "Bearer "}):
        assert client.get("/metrics", headers=headers).status_code == 401


def test_it_says_how_many_wait_and_for_how_long(
    client: TestClient, database: Database, make: Make, night: MoveOn
) -> None:
    for priority, minutes in ((Priority.P1, 0), (Priority.P1, 5), (Priority.P3, 0)):
        night(timedelta(minutes=minutes))
        with database.transaction(DISTRICT) as tx:
            matters.open_matter(
                tx, actor=make.actor(), id=ids.new_id(), kind=MatterKind.NOTE, priority=priority,
                subject="matter.note", text="13800138000 张三",
            )  # fmt: skip
    found = read(client)
    assert found["anshang_queue_waiting", DISTRICT, "1"] == 2
    assert found["anshang_queue_oldest_seconds", DISTRICT, "1"] == pytest.approx(300, abs=1)
    assert found["anshang_queue_waiting", DISTRICT, "3"] == 1
    text = client.get("/metrics", headers={"Authorization": f"Bearer {KEY}"}).text
    assert "13800138000" not in text and "张三" not in text


def test_it_says_what_stands_still_and_how_the_database_is_used(client: TestClient) -> None:
    app = client.app
    database = app.state.services[Runtime].database  # type: ignore[attr-defined]
    app.state.services[Worker].prepare()  # type: ignore[attr-defined]
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with database.reading():
            held.set()
            release.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    found = read(client)
    release.set()
    thread.join()
    pool = "reading" if database.is_sqlite else "all"
    assert found["anshang_connections_in_use", pool] >= 1
    assert found["anshang_connections_most", pool] >= 24
    assert found["anshang_job_stopped", DISTRICT, "dispatch.ladder"] == 0
    assert found["anshang_live_streams",] == 0
    before = found["anshang_commit_seconds_count",]
    with database.transaction(DISTRICT):
        pass
    assert read(client)["anshang_commit_seconds_count",] == before + 1
