"""Every row of a batch is looked at; what the receipt calls taken is on disk, once; nothing spoils the rest."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import head, line
from tests.serving import feed_client, serving

from anshang.app import create_app
from anshang.crowds import ingest, observations, store
from anshang.crowds.ingest import Intake, Receipt
from anshang.crowds.model import Observation, Sensor, SensorKind
from anshang.crowds.sealing import seal
from anshang.crowds.telemetry import HOUR_MS, list_late_hours
from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed
from anshang.people.model import Role
from anshang.settings import Settings
from anshang.web.session import Runtime

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
AT = "2026-12-31T12:00:00Z"


class Heard:
    """What an engine would be told."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []

    def __call__(self, district_id: str, rows: Any) -> None:
        assert district_id == DISTRICT
        self.rows += rows


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def intake(database: Database, night: MoveOn, heard: Heard) -> Intake:
    """An intake of a district with a line counter g1 and a head counter h1."""
    define(database, line("g1"), head("z1", "h1"))
    return Intake(database, heard)


@pytest.fixture
def feed(make: Make) -> Actor:
    return make.actor(Role.FEED)


def define(database: Database, *sensors: Sensor) -> None:
    with database.transaction(DISTRICT) as tx:
        for sensor in sensors:
            store.sensors.add(tx, sensor)


def passed(at: str = AT, sensor: str = "g1", **told: Any) -> dict[str, Any]:
    return {"sensor": sensor, "at": at, "in": 3, "out": 1} | told


def seen(at: str = AT, people: Any = 120) -> dict[str, Any]:
    return {"sensor": "h1", "at": at, "people": people}


def batch(*rows: Any) -> bytes:
    return json.dumps({"observations": rows}).encode()


def take(intake: Intake, feed: Actor, *rows: Any) -> Receipt:
    return intake.take(actor=feed, district_id=DISTRICT, batch=batch(*rows))


def stored(database: Database) -> list[Observation]:
    table = observations.observations_table
    with database.reading([DISTRICT]) as connection:
        query = table.select().order_by(table.c.at_ms, table.c.sensor_id)
        return [Observation(*row[1:6]) for row in connection.execute(query)]


def test_good_rows_are_on_disk_and_the_engine_hears_of_them(
    database: Database, intake: Intake, feed: Actor, heard: Heard
) -> None:
    receipt = take(intake, feed, passed(), seen())
    at_ms = clock.to_ms(NIGHT)
    kept = [Observation("g1", at_ms, 3, 1, None), Observation("h1", at_ms, 0, 0, 120)]
    assert (receipt.taken, receipt.repeated, receipt.refused_count) == (2, 0, 0)
    assert stored(database) == kept == heard.rows


def test_more_than_a_gate_of_its_width_lets_through_is_refused_and_nobody_has_entered(
    district: Database, night: MoveOn, feed: Actor, heard: Heard
) -> None:
    hourly = dataclasses.replace(line("g2"), period_s=3600.0)
    define(district, line("g1"), hourly, head("z1", "h1"))
    intake = Intake(district, heard)
    into = {"in": 99_999, "out": 0}
    receipt = take(
        intake,
        feed,
        passed(**into),
        passed(sensor="g2", **into),
        passed(AT[:-3] + "10Z", **{"in": 8100}),
        seen(),
    )
    assert [(each.row, each.error) for each in receipt.refused] == [
        (0, "count.beyond_gate"),
        (1, "count.beyond_gate"),
    ]
    assert [row.in_count for row in heard.rows] == [8100, 0], "ten minutes at once of a gate of 10 m may come"
    assert take(intake, feed, passed(sensor="g2", **{"in": 50_000, "out": 30_000})).taken == 1, "of an hour"


def test_the_same_batch_again_changes_nothing(
    database: Database, intake: Intake, feed: Actor, heard: Heard
) -> None:
    take(intake, feed, passed(), seen())
    again = take(intake, feed, passed(), seen(), passed("2026-12-31T12:00:10Z"))
    assert (again.taken, again.repeated, again.refused_count) == (1, 2, 0)
    assert len(stored(database)) == len(heard.rows) == 3


def test_the_same_sensor_and_instant_with_other_counts_is_refused_and_the_first_word_stays(
    database: Database, intake: Intake, feed: Actor
) -> None:
    take(intake, feed, passed())
    again = take(intake, feed, seen(), passed(**{"in": 9}), passed("2026-12-31T12:00:10Z"))
    assert (again.taken, again.repeated, again.refused_count) == (2, 0, 1)
    assert [(remark.row, remark.error) for remark in again.refused] == [(1, "observation.differs")]
    assert stored(database)[0].in_count == 3


def test_a_row_twice_in_one_batch_counts_once(database: Database, intake: Intake, feed: Actor) -> None:
    receipt = take(intake, feed, passed(), passed(), passed(**{"in": 4}), passed("2026-12-31T20:00:00+08:00"))
    assert (receipt.taken, receipt.repeated, receipt.refused_count) == (1, 2, 1)
    assert len(stored(database)) == 1


def test_rows_come_in_any_order_and_from_any_zone(database: Database, intake: Intake, feed: Actor) -> None:
    ats = [
        "2026-12-31T12:00:10Z",
        "2026-12-31T19:59:00+08:00",
        "2026-12-31T11:59:30.5Z",
        "2026-12-29T00:00:00Z",
    ]
    assert take(intake, feed, *map(passed, ats)).taken == 4
    instants = [row.at_ms - clock.to_ms(NIGHT) for row in stored(database)]
    assert instants == [-60 * HOUR_MS, -60_000, -29_500, 10_000]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (passed(sensor="nobody"), "sensor.unknown"),
        (passed(sensor=""), "sensor.unknown"),
        (passed(sensor=7), "row.malformed"),
        (passed(people=3), "sensor.wrong_fields"),
        ({"sensor": "g1", "at": AT, "in": 3}, "sensor.wrong_fields"),
        ({"sensor": "g1", "at": AT}, "sensor.wrong_fields"),
        ({"sensor": "g1", "at": AT, "people": 3}, "sensor.wrong_fields"),
        ({"sensor": "h1", "at": AT, "in": 3, "out": 1}, "sensor.wrong_fields"),
        (passed(**{"in": -1}), "count.impossible"),
        (passed(**{"in": 100_001}), "count.impossible"),
        (passed(**{"out": 2**70}), "count.impossible"),
        (seen(people=10**6), "count.impossible"),
        (passed(**{"in": 1.5}), "count.malformed"),
        (passed(**{"in": 1e308}), "count.malformed"),
        (passed(**{"in": float("nan")}), "count.malformed"),
        (passed(**{"in": float("inf")}), "count.malformed"),
        (passed(**{"in": "3"}), "count.malformed"),
        (passed(**{"in": True}), "count.malformed"),
        (passed(**{"in": [3]}), "count.malformed"),
        (passed("2026-12-31T12:00:00"), "at.malformed"),
        (passed("yesterday"), "at.malformed"),
        (passed(""), "at.malformed"),
        (passed(1798718400), "at.malformed"),
        (passed("0001-01-01T00:00:00+14:00"), "at.malformed"),
        (passed("1970-01-01T00:00:00Z"), "at.too_old"),
        (passed("1999-12-31T23:59:59Z"), "at.too_old"),
        (passed("2099-01-01T00:00:00Z"), "at.future"),
        (passed("2026-12-31T13:00:01Z"), "at.future"),
        (passed(more=1), "row.malformed"),
        ({"at": AT, "in": 3, "out": 1}, "row.malformed"),
        ({}, "row.malformed"),
        ([], "row.malformed"),
        (None, "row.malformed"),
        (3, "row.malformed"),
        ("g1", "row.malformed"),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_with_its_reason_and_spoils_no_other(
    database: Database, intake: Intake, feed: Actor, row: Any, error: str
) -> None:
    receipt = take(intake, feed, passed("2026-12-31T11:59:00Z"), row, seen())
    assert receipt.taken == 2
    (remark,) = receipt.refused
    assert (remark.row, remark.error) == (1, error)
    assert remark.message["en"]
    assert remark.message["zh"]
    assert len(stored(database)) == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xd8\xff\xe0", b"observations", b'{"observations": 3}', b'{"observations": {}}', b"{}",
     b'{"observations": [], "more": 1}', b"[" * 100_000, b'{"observations": ' + b"[" * 100_000, b"1" * 5000,
     b'{"observations": [{"sensor": "g1", "at": "\xff"}]}'],
)  # fmt: skip
def test_what_is_no_batch_is_refused_as_a_whole(intake: Intake, feed: Actor, body: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        intake.take(actor=feed, district_id=DISTRICT, batch=body)
    assert refused.value.code == "batch.malformed"


@pytest.mark.parametrize(
    "row", [b'{"sensor":"g1","at":"2026-12-31T12:00:00Z","in":1,"out":1}', b"3", b"{}", b"[]"]
)
def test_a_batch_of_too_many_rows_is_refused_as_a_whole(intake: Intake, feed: Actor, row: bytes) -> None:
    body = b'{"observations":[' + b",".join([row] * 100_001) + b"]}"
    with pytest.raises(BadInput) as refused:
        intake.take(actor=feed, district_id=DISTRICT, batch=body)
    assert refused.value.code == "body.too_large"


def test_the_lists_of_a_receipt_are_short_and_its_counts_whole(intake: Intake, feed: Actor) -> None:
    receipt = take(intake, feed, *[passed(sensor="nobody")] * 250)
    assert (receipt.refused_count, len(receipt.refused)) == (250, 100)


def test_a_clock_that_is_ahead_is_taken_and_flagged(intake: Intake, feed: Actor, heard: Heard) -> None:
    receipt = take(intake, feed, passed("2026-12-31T12:02:00Z"), passed("2026-12-31T12:03:30Z"), seen())
    assert (receipt.taken, receipt.flagged_count) == (3, 1)
    assert [(remark.row, remark.error) for remark in receipt.flagged] == [(1, "clock.skewed")]


def test_old_rows_are_kept_as_history_and_mark_their_hours_but_the_engine_does_not_hear(
    database: Database, intake: Intake, feed: Actor, heard: Heard
) -> None:
    assert take(intake, feed, passed("2020-02-29T10:20:00Z"), seen()).taken == 2
    assert [row.sensor_id for row in heard.rows] == ["h1"]
    with database.reading([DISTRICT]) as connection:
        (hour_ms,) = list_late_hours(connection, DISTRICT)
    assert clock.from_ms(hour_ms).isoformat() == "2020-02-29T10:00:00+00:00"


def test_a_sensor_that_is_new_is_known_at_once_and_one_that_is_retired_soon_not(
    database: Database, intake: Intake, feed: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert take(intake, feed, passed(sensor="g2")).refused_count == 1
    define(database, line("g2"))
    monkeypatch.setattr(ingest, "NEW_SENSOR_S", 0.0)
    assert take(intake, feed, passed(sensor="g2")).taken == 1
    with database.transaction(DISTRICT) as tx:
        known = store.sensors.get(tx.connection, DISTRICT, "g2")
        retired = Sensor(
            "g2", DISTRICT, SensorKind.LINE, known.gate_id, None, "g2", "g2", 10.0, retired_at=clock.now()
        )
        store.sensors.put(tx, retired)
    monkeypatch.setattr(ingest, "SENSORS_MEMORY_S", 0.0)
    assert (
        take(intake, feed, passed("2026-12-31T12:00:10Z", sensor="g2")).refused[0].error == "sensor.unknown"
    )


def test_only_who_may_deliver_delivers(intake: Intake, make: Make) -> None:
    for role in set(Role) - {Role.FEED}:
        with pytest.raises(NotAllowed):
            intake.take(actor=make.actor(role), district_id=DISTRICT, batch=batch(passed()))
    with pytest.raises(NotAllowed):
        intake.take(actor=make.actor(Role.FEED), district_id="elsewhere", batch=batch(passed()))


def test_batches_that_come_together_are_each_taken_once_and_a_bad_one_spoils_none(
    database: Database, intake: Intake, feed: Actor
) -> None:
    """Eight senders at once, two of them sending the same; commits are shared."""
    start = threading.Barrier(8)

    def send(sender: int) -> int:
        start.wait()
        taken = 0
        for n in range(20):
            at = f"2026-12-31T11:{n:02}:{sender // 2 * 10:02}Z"
            taken += take(intake, feed, passed(at), passed(sensor="nobody"), passed(**{"in": "x"})).taken
        return taken

    with ThreadPoolExecutor(8) as senders:
        taken = list(senders.map(send, range(8)))
    assert sum(taken) == len(stored(database)) == 80


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Iterator[FastAPI]:
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url))
    yield app
    app.state.services[Runtime].database.dispose()


def post(client: TestClient, content: bytes, **headers: str) -> Any:
    return client.post(f"/api/observations?district={DISTRICT}", content=content, headers=headers)


def test_a_batch_over_http_is_answered_row_by_row(app: FastAPI, night: MoveOn) -> None:
    define(app.state.services[Runtime].database, line("g1"))
    answer = post(feed_client(app, DISTRICT), batch(passed(), passed(sensor="nobody")))
    assert answer.status_code == 200
    assert answer.json()["taken"] == 1
    assert answer.json()["refused"][0]["error"] == "sensor.unknown"


@pytest.mark.parametrize("body", [b"NaN", b"{}", b"\x00\x01\x02"])
def test_no_batch_over_http_is_a_bad_request_in_both_languages(app: FastAPI, body: bytes) -> None:
    answer = post(feed_client(app, DISTRICT), body)
    assert answer.status_code == 400
    assert answer.json()["message"].keys() == {"en", "zh"}


def test_a_body_of_a_hundred_megabytes_is_refused_without_being_read(app: FastAPI) -> None:
    assert post(feed_client(app, DISTRICT), b"{}", **{"Content-Length": "100000000"}).status_code == 413


def test_a_body_that_does_not_say_its_length_is_refused_once_it_is_too_long(app: FastAPI) -> None:
    key = feed_client(app, DISTRICT).headers["Authorization"]
    head = f"POST /api/observations?district={DISTRICT} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
    with (
        serving(app) as address,
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as sender,
    ):
        sender.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        with suppress(ConnectionError):
            for _ in range(100):
                sender.sendall(b"F4240\r\n" + b" " * 1_000_000 + b"\r\n")
        sender.settimeout(5)
        answer = b""
        with suppress(ConnectionError):
            answer = sender.recv(100)
    assert b" 413 " in answer or not answer  # hung up on while it still sent
    assert len(stored(app.state.services[Runtime].database)) == 0


def test_a_million_rows_are_refused(app: FastAPI) -> None:
    answer = post(feed_client(app, DISTRICT), b'{"observations":[' + b"{}," * 1_000_000 + b"{}]}")
    assert answer.status_code == 413


def test_a_row_that_is_sealed_by_now_is_known_when_it_comes_again(
    database: Database, night: MoveOn, heard: Heard, feed: Actor, tmp_path: Path
) -> None:
    define(database, line("g1"))
    intake = Intake(database, heard, sealed_folder=tmp_path)
    old = (NIGHT - timedelta(days=3)).isoformat()
    assert take(intake, feed, passed(old)).taken == 1
    assert seal(database, DISTRICT, NIGHT, tmp_path) == 1
    later = (NIGHT - timedelta(days=3, seconds=-10)).isoformat()
    receipt = take(intake, feed, passed(old), passed(later))
    assert (receipt.taken, receipt.repeated, receipt.refused) == (1, 1, [])
    receipt = take(intake, feed, passed(old) | {"in": 4})
    assert (receipt.taken, [remark.error for remark in receipt.refused]) == (0, ["observation.differs"])
