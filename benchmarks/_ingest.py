"""What the two ingest benchmarks share: a real server with sensors and a feed's key, and a lean client."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import pysqlite3
import uvicorn
from tests.crowds.conftest import row_of_zones
from tests.serving import free_port

from anshang.app import create_app
from anshang.crowds import store
from anshang.crowds.model import Sensor, SensorKind
from anshang.crowds.telemetry import observations_table
from anshang.foundation import clock, ids, migrations
from anshang.foundation.database import Database
from anshang.people import actions as people
from anshang.people.model import operator_actor
from anshang.places import actions as places
from anshang.settings import Settings

DISTRICT = "wuyi"
START_S = 60.0


@contextmanager
def serving(folder: Path, sensor_ids: list[str], *, now_ms: int | None = None) -> Iterator[tuple[int, str]]:
    """A server in a process of its own, with line counters of these ids; its port and a feed's key."""
    key = install(folder, sensor_ids)
    port = free_port()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(folder, port, now_ms, theirs), daemon=True
    )
    server.start()
    try:
        await_port(port)
        yield port, key
    finally:
        ours.send(None)
        server.join(10)
        server.kill()


def stored_rows(folder: Path) -> int:
    """The rows in the database, counted from outside."""
    with pysqlite3.connect(f"file:{folder / 'anshang.db'}?mode=ro", uri=True) as connection:
        return int(connection.execute("SELECT count(*) FROM observations").fetchone()[0])


def raw_table(folder: Path) -> tuple[Any, str]:
    """What the peers write to: a table of the same shape, as durable as ours, and the statement to insert."""
    connection = pysqlite3.connect(str(folder / "peer.db"), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    columns = ", ".join(f"{c.name} {c.type} {'' if c.nullable else 'NOT NULL'}" for c in observations_table.c)
    key = ", ".join(c.name for c in observations_table.primary_key)
    connection.execute(f"CREATE TABLE observations ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID")
    return connection, f"INSERT INTO observations VALUES ({', '.join('?' * len(observations_table.c))})"


class Feed:
    """One connection that posts batches and reads answers, with as little work of its own as can be."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, key: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._head = (
            f"POST /api/observations?district={DISTRICT} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()

    @classmethod
    async def open(cls, port: int, key: str) -> Feed:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port), port, key)

    async def post(self, body: bytes) -> dict[str, Any]:
        """Post a batch and return the answer; an error is an error of the benchmark."""
        self._writer.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        begin = head.index(b"content-length:") + 15
        content = await self._reader.readexactly(int(head[begin : head.index(b"\r\n", begin)]))
        assert b" 200 " in head[:20], (head, content[:300])
        answer: dict[str, Any] = msgspec.json.decode(content)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def install(folder: Path, sensor_ids: list[str], *, day_starts: str = "05:00") -> str:
    """A district with a row of zones, one of these sensors at every gate, and a feed; the feed's key."""
    database = Database(Settings(data_folder=folder).resolved_database_url)
    migrations.upgrade(database)
    operator = operator_actor(DISTRICT)
    with database.transaction(DISTRICT) as tx:
        document = row_of_zones(len(sensor_ids) - 1).replace(b'"05:00"', f'"{day_starts}"'.encode())
        places.import_document(tx, actor=operator, document=document)
        for number, id in enumerate(sensor_ids):
            store.sensors.add(tx, Sensor(id, DISTRICT, SensorKind.LINE, f"g{number}", None, id, id, 10.0))
        _feed, key = people.open_feed(tx, actor=operator, id=ids.new_id(), name="benchmark")
    database.dispose()
    return key


def _serve(folder: Path, port: int, now_ms: int | None, stop: Connection) -> None:
    if now_ms is not None:
        clock.run_from(clock.from_ms(now_ms) + timedelta(seconds=1), speed=1.0)
    config = uvicorn.Config(
        create_app(Settings(data_folder=folder)),
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )

    async def run() -> None:
        server = uvicorn.Server(config)
        asyncio.get_running_loop().add_reader(stop.fileno(), lambda: setattr(server, "should_exit", True))
        await server.serve()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())


def await_port(port: int) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the server did not start")
