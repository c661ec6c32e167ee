"""Counts over MQTT, from a real broker: what is not on disk comes again."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
from tests.conftest import DISTRICT, NIGHT
from tests.crowds.conftest import head, line

from anshang.connectors import mqtt
from anshang.crowds import observations, store
from anshang.crowds.ingest import Intake, Receipt, Row
from anshang.crowds.model import Observation
from anshang.foundation import feeds
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, StorageFailed
from anshang.foundation.feeds import Feed

BROKER = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
needs_broker = pytest.mark.skipif(
    BROKER is None, reason="mosquitto is not installed (Debian: apt-get install mosquitto)"
)
BATCHES = f"anshang/{DISTRICT}/observations"
HEADS = f"anshang/{DISTRICT}/Datastreams(h03)/Observations"
AT = NIGHT.isoformat()


class Broker:
    """A broker of our own on a free port of this machine, with its memory on disk."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        told = f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
        (folder / "mosquitto.conf").write_text(told + "autosave_interval 1\nuser root\n")

    def start(self) -> None:
        assert BROKER is not None
        self.process = subprocess.Popen(
            [BROKER, "-c", self.folder / "mosquitto.conf"], stderr=subprocess.DEVNULL
        )
        for _ in range(100):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the broker does not answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


class Forgetful(Intake):
    """An intake whose disk is full for the first few batches."""

    failures = 0

    def take_rows(self, district_id: str, rows: Sequence[Row | str]) -> Receipt:
        if self.failures:
            self.failures -= 1
            raise StorageFailed("storage.failed", en="Full.", zh="已满。")
        return super().take_rows(district_id, rows)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Broker(folder)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def taken() -> list[Observation]:
    return []


@pytest.fixture
def intake(
    database: Database, taken: list[Observation], night: object, monkeypatch: pytest.MonkeyPatch
) -> Forgetful:
    monkeypatch.setattr(mqtt, "PAUSE_MIN_S", 0.1)
    with database.transaction(DISTRICT) as tx:
        store.sensors.add(tx, line("g07"))
        store.sensors.add(tx, head("z03", "h03"))
    return Forgetful(database, lambda _district, rows: taken.extend(rows))


def batch(*rows: dict[str, object]) -> bytes:
    return json.dumps({"observations": rows}).encode()


def passage(second: int, in_count: int = 3) -> dict[str, object]:
    return {"sensor": "g07", "at": AT.replace(":00+", f":{second:02}+"), "in": in_count, "out": 1}


@asynccontextmanager
async def following(broker: Broker, intake: Intake) -> AsyncIterator[mqtt.Tally]:
    """The connector at work within the block."""
    stop, tally = asyncio.Event(), mqtt.Tally()
    work = asyncio.create_task(
        mqtt.follow(
            host="127.0.0.1", port=broker.port, user="", password="", client_id="anshang-test", intake=intake,
            stop=stop, tally=tally,
        )
    )  # fmt: skip
    try:
        yield tally
    finally:
        stop.set()
        await asyncio.wait_for(work, 10)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


async def publish(broker: Broker, *messages: tuple[str, bytes]) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as sensor:
        for topic, content in messages:
            await sensor.publish(topic, content, qos=1)


def rows_of(database: Database) -> int:
    with database.reading([DISTRICT]) as connection:
        return int(observations.read_counts(connection, DISTRICT, None, 0, 2**42, 0).row_count.sum())


@needs_broker
@pytest.mark.slow
async def test_batches_and_sensorthings_observations_are_taken(
    broker: Broker, intake: Intake, database: Database, taken: list[Observation]
) -> None:
    async with following(broker, intake) as tally:
        await until(lambda: tally.connected)
        thing = json.dumps({"phenomenonTime": AT, "result": 120}).encode()
        await publish(broker, (BATCHES, batch(passage(0), passage(10))), (HEADS, thing))
        await until(lambda: tally.taken_count == 3)
    assert sorted((row.sensor_id, row.in_count, row.people_count) for row in taken) == [
        ("g07", 3, None), ("g07", 3, None), ("h03", 0, 120),
    ]  # fmt: skip
    assert rows_of(database) == 3


@needs_broker
@pytest.mark.slow
async def test_bad_messages_are_counted_and_harm_nothing(
    broker: Broker, intake: Intake, database: Database
) -> None:
    feeds.begin_anew()
    async with following(broker, intake) as tally:
        await until(lambda: tally.connected)
        await publish(
            broker,
            (BATCHES, b"\xff\xd8\xff"),
            (BATCHES, b""),
            ("anshang/Bad District!/observations", batch(passage(0))),
            ("anshang/nowhere/observations", batch(passage(0))),
            (f"anshang/{DISTRICT}/Things(7)/Observations", b"{}"),
            (HEADS, b'{"phenomenonTime": "2026-12-31T12:00:00Z", "result": "120"}'),
            (BATCHES, batch(passage(0), {"sensor": "g07", "at": AT, "in": float("nan"), "out": 1})),
        )
        await until(lambda: tally.message_count == 7)
        await until(lambda: tally.taken_count == 1)
    assert (tally.bad_message_count, tally.refused_count, rows_of(database)) == (4, 3, 1)
    known = {(one.district_id, one.feed): one for one in feeds.list_records([feeds.UNASSIGNED, DISTRICT])}
    assert known[feeds.UNASSIGNED, Feed.MQTT].refused_count == 5, "four unreadable, one of no district"
    theirs = [known[DISTRICT, feed] for feed in (Feed.MQTT, Feed.SENSORTHINGS) if (DISTRICT, feed) in known]
    assert sum(one.refused_count for one in theirs) == 2
    assert sum(one.taken_count for one in theirs) == 1


@needs_broker
@pytest.mark.slow
async def test_what_could_not_be_written_comes_again(
    broker: Broker, intake: Forgetful, database: Database
) -> None:
    async with following(broker, intake) as tally:
        await until(lambda: tally.connected)
        intake.failures = 2
        await publish(broker, *((BATCHES, batch(passage(second))) for second in range(6)))
        await until(lambda: rows_of(database) == 6)
    assert intake.failures == 0


@needs_broker
@pytest.mark.slow
async def test_an_unforeseen_error_ends_nothing_and_keeps_no_other_message_waiting(
    broker: Broker, intake: Forgetful, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any error but two once ended the intake for good, and silently."""
    monkeypatch.setattr(mqtt, "AGAIN_S", 0.0)
    whole, tries = intake.take_rows, list[int]()

    def take_rows(district_id: str, rows: Sequence[Row | str]) -> Receipt:
        if len(rows) == 2:
            tries.append(1)
            raise RuntimeError("unforeseen")
        return whole(district_id, rows)

    monkeypatch.setattr(intake, "take_rows", take_rows)
    async with following(broker, intake) as tally:
        await until(lambda: tally.connected)
        await publish(broker, (BATCHES, batch(passage(0), passage(1))), (BATCHES, batch(passage(2))))
        await until(lambda: rows_of(database) == 1 and tally.bad_message_count == 1)
        await publish(broker, (BATCHES, batch(passage(3))))
        await until(lambda: rows_of(database) == 2)
    assert len(tries) == mqtt.TRIES


@needs_broker
@pytest.mark.slow
async def test_it_gets_on_while_the_broker_is_there_and_nothing_comes(
    broker: Broker, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "ALIVE_S", 0.05)
    beats: list[object] = []
    stop = asyncio.Event()
    work = asyncio.create_task(
        mqtt.follow(
            host="127.0.0.1", port=broker.port, user="", password="", client_id="anshang-test", intake=intake,
            stop=stop, got_on=lambda error=None: beats.append(error),
        )
    )  # fmt: skip
    await until(lambda: len(beats) > 2)
    stop.set()
    await asyncio.wait_for(work, 10)


@needs_broker
@pytest.mark.slow
async def test_what_is_published_while_we_are_away_waits_for_us(
    broker: Broker, intake: Intake, database: Database
) -> None:
    async with following(broker, intake) as tally:
        await until(lambda: tally.connected)
    await publish(broker, *((BATCHES, batch(passage(second))) for second in range(20)))
    async with following(broker, intake) as tally:
        await until(lambda: tally.taken_count == 20)
    assert rows_of(database) == 20


@needs_broker
@pytest.mark.slow
async def test_a_broker_that_goes_and_comes_back_is_found_again(
    broker: Broker, intake: Intake, database: Database
) -> None:
    async with following(broker, intake) as tally:
        await until(lambda: tally.connected)
        await asyncio.to_thread(broker.stop)
        await until(lambda: not tally.connected)
        await asyncio.to_thread(broker.start)
        await until(lambda: tally.connected)
        await publish(broker, (BATCHES, batch(passage(0))))
        await until(lambda: tally.taken_count == 1)


@pytest.mark.slow
async def test_without_a_broker_it_waits_and_still_stops(tmp_path: Path, intake: Intake) -> None:
    async with following(Broker(tmp_path), intake) as tally:
        await asyncio.sleep(0.3)
        assert not tally.connected


def test_an_installation_keeps_its_client_id(tmp_path: Path) -> None:
    first = mqtt.client_id_of(tmp_path)
    assert first.startswith("anshang-")
    assert mqtt.client_id_of(tmp_path) == first


@pytest.mark.parametrize(
    "topic", ["anshang/observations", "anshang//observations", "anshang/a/b/c/Observations"]
)
def test_another_topic_is_none_of_ours(topic: str) -> None:
    with pytest.raises(BadInput) as refused:
        mqtt.read_message(topic, batch(passage(0)))
    assert refused.value.zh
