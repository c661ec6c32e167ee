"""Durable observations a second over HTTP in batches of 500, beside the same rows written raw in one run.

The peer is `executemany` of the same SQLite into a table of the same shape, on disk after every 500 rows.
Ours is the real server (uvicorn, one process) and a client that speaks bare HTTP/1.1 over a few connections.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import msgspec

from anshang.foundation import clock
from benchmarks import report
from benchmarks._ingest import DISTRICT, Feed, raw_table, serving, stored_rows

BATCH = 500
INSTANTS = 5
STEP_MS = 200
CONNECTIONS = 8
PER_CONNECTION = 150
BEGIN_MS = 1_798_675_200_000
ROUNDS = 3
Row = tuple[str, str, int, int, int, None, int]


def rows_of(connection: int, number: int) -> list[Row]:
    """A gateway's batch: its 100 sensors at five instants. Five people each way in four seconds, and no
    sensor is silent: alarms are not the matter.
    """
    begin_ms = BEGIN_MS + number * INSTANTS * STEP_MS
    passed = int(number % 4 == 0)
    return [
        (DISTRICT, f"s{connection}-{n:03}", begin_ms + instant * STEP_MS, passed, passed, None, begin_ms)
        for instant in range(INSTANTS)
        for n in range(BATCH // INSTANTS)
    ]


def peer(folder: Path) -> float:
    """Rows a second."""
    connection, insert = raw_table(folder)
    batches = [rows_of(c, n) for n in range(PER_CONNECTION) for c in range(CONNECTIONS)]
    began_s = time.perf_counter()
    for batch in batches:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, batch)
        connection.execute("COMMIT")
    lasted_s = time.perf_counter() - began_s
    connection.close()
    return len(batches) * BATCH / lasted_s


async def post_all(port: int, key: str, bodies: list[list[bytes]]) -> float:
    """Post every connection's batches, each after the answer to the one before; rows a second."""
    feeds = [await Feed.open(port, key) for _ in bodies]

    async def post(feed: Feed, own: list[bytes]) -> int:
        return sum([(await feed.post(body))["taken"] for body in own])

    began_s = time.perf_counter()
    taken = await asyncio.gather(*(post(feed, own) for feed, own in zip(feeds, bodies, strict=True)))
    lasted_s = time.perf_counter() - began_s
    for feed in feeds:
        feed.close()
    assert sum(taken) == CONNECTIONS * PER_CONNECTION * BATCH, taken
    return sum(taken) / lasted_s


def ours(folder: Path) -> float:
    """Rows a second, all of them found in the database afterwards."""
    sensors = sorted({row[1] for c in range(CONNECTIONS) for row in rows_of(c, 0)})
    bodies = [[_body(rows_of(c, n)) for n in range(PER_CONNECTION)] for c in range(CONNECTIONS)]
    with serving(folder, sensors, now_ms=BEGIN_MS + PER_CONNECTION * INSTANTS * STEP_MS) as (port, key):
        rate = asyncio.run(post_all(port, key, bodies))
        assert stored_rows(folder) == CONNECTIONS * PER_CONNECTION * BATCH
    return rate


def _body(rows: list[Row]) -> bytes:
    told = [{"sensor": row[1], "at": clock.from_ms(row[2]), "in": row[3], "out": row[4]} for row in rows]
    return msgspec.json.encode({"observations": told})


def main() -> None:
    """Both in turn, a few times; the median pair by ratio is reported."""
    pairs = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            pairs.append((ours(Path(folder)), peer(Path(folder))))
    value, peer_value = sorted(pairs, key=lambda pair: pair[0] / pair[1])[ROUNDS // 2]
    report(
        "ingest.durable_rows_per_s",
        value,
        "rows/s",
        must=">= 100000 and >= 0.4 of the peer",
        ok=value >= 100_000 and value >= 0.4 * peer_value,
        peer="sqlite3.executemany, committed each 500 rows",
        peer_value=peer_value,
    )


if __name__ == "__main__":
    main()
