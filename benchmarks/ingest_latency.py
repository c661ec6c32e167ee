"""How long 40 senders wait for the answer that their rows are on disk, each posting 500 rows a second.

The peer writes the same batches raw with `executemany`, one after the other, each flushed to disk.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import msgspec

from anshang.foundation import clock
from benchmarks import percentile, report
from benchmarks._ingest import DISTRICT, Feed, raw_table, serving, stored_rows

CLIENTS = 40
SENSORS = 50
INSTANTS = 10
SECONDS = 30
WARM_UP_SECONDS = 3
BATCH = SENSORS * INSTANTS


def sensors_of(client: int) -> list[str]:
    """The sensors of one sender."""
    return [f"s{client:02}-{n:02}" for n in range(SENSORS)]


def body(client: int, begin_ms: int) -> bytes:
    """A second of a sender: every sensor ten times, one person each way in all: no gate is overfull."""
    rows = [
        {
            "sensor": id,
            "at": clock.from_ms(begin_ms + 100 * instant),
            "in": int(instant == 0),
            "out": int(instant == 0),
        }
        for instant in range(INSTANTS)
        for id in sensors_of(client)
    ]
    return msgspec.json.encode({"observations": rows})


async def send(feed: Feed, client: int, waits_s: list[float]) -> int:
    """Post once a second, at a moment of its own in the second; how many rows were taken."""
    taken = 0
    due_s = time.monotonic() + client / CLIENTS
    begin_ms = clock.to_ms(clock.now()) - 1000
    for second in range(WARM_UP_SECONDS + SECONDS):
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        content = body(client, begin_ms + 1000 * second)
        began_s = time.perf_counter()
        answer = await feed.post(content)
        if second >= WARM_UP_SECONDS:
            waits_s.append(time.perf_counter() - began_s)
        taken += answer["taken"]
        due_s += 1.0
    return taken


def ours(folder: Path) -> tuple[float, bool]:
    """The 99th percentile of the waits (s), and whether every row is there."""
    waits_s: list[float] = []

    async def send_all(port: int, key: str) -> int:
        feeds = [await Feed.open(port, key) for _ in range(CLIENTS)]
        taken = await asyncio.gather(*(send(feed, n, waits_s) for n, feed in enumerate(feeds)))
        for feed in feeds:
            feed.close()
        return sum(taken)

    every = [id for client in range(CLIENTS) for id in sensors_of(client)]
    with serving(folder, every) as (port, key):
        taken = asyncio.run(send_all(port, key))
        sent = CLIENTS * BATCH * (WARM_UP_SECONDS + SECONDS)
        kept = stored_rows(folder)
    return percentile(waits_s, 0.99), sent == taken == kept


def peer(folder: Path) -> float:
    """The 99th percentile (s) of writing a batch."""
    connection, insert = raw_table(folder)
    waits_s = []
    for n in range(CLIENTS * 5):
        rows = [(DISTRICT, id, n * 1000 + i, 2, 2, None, n) for i in range(INSTANTS) for id in sensors_of(0)]
        began_s = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows)
        connection.execute("COMMIT")
        waits_s.append(time.perf_counter() - began_s)
    connection.close()
    return percentile(waits_s, 0.99)


def main() -> None:
    """Measure both, report."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        wait_s, whole = ours(Path(folder))
        peer_s = peer(Path(folder))
    report(
        "ingest.wait_p99",
        wait_s * 1000,
        "ms",
        must="p99 <= 60 ms, none lost",
        ok=wait_s <= 0.06 and whole,
        peer="sqlite3.executemany of the same batches, one by one",
        peer_value=peer_s * 1000,
    )


if __name__ == "__main__":
    main()
