"""A restart after a day of 200 sensors at 10 s: from starting `anshang serve` to the first frame, in seconds.

The operational day is nearly over, so the engine is rebuilt from 24 h: 1.7 million rows. Counted is all of
it: interpreter, imports, migrations, reading, replay, and the first full frame on a live stream that is asked
for as soon as the port answers. Once with roll-ups as a running server leaves them (to ten minutes ago), once
without any. The peer only fetches every raw row and replays them as they came, instant by instant.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import select
from tests.serving import free_port, open_account

from anshang.crowds import store
from anshang.crowds.engine import Engine
from anshang.crowds.model import Observation
from anshang.crowds.rolling import DELAY, roll_up
from anshang.crowds.telemetry import observations_table
from anshang.foundation import clock
from anshang.foundation.database import Database, insert_new
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people import store as people_store
from anshang.people.model import Role
from anshang.places import store as places
from anshang.settings import Settings
from anshang.web.session import COOKIE
from benchmarks import report
from benchmarks._ingest import DISTRICT, await_port, install
from benchmarks._product import frames, running

SENSORS = 200
PERIOD_MS = 10_000
DAY_MS = 86_400_000
LEFT = timedelta(minutes=5)
"""Of the operational day, when the data is made: more than the benchmark lasts. Rows run until then, so that
no sensor is silent and the frame shows what was rebuilt."""
VISITORS = 432
MARGIN = 3
"""Visitors more or fewer, as the day is cut at whole minutes."""
MOST_S = 3.0
ROUNDS = 3


def rows_of(end_ms: int) -> Iterator[list[tuple[object, ...]]]:
    """A day of every sensor, hour by hour: as many come as go; at the first gate now and then one more."""
    first_ms = (end_ms - DAY_MS) // PERIOD_MS * PERIOD_MS
    for begin_ms in range(first_ms, end_ms, 3_600_000):
        instants = range(begin_ms, min(begin_ms + 3_600_000, end_ms), PERIOD_MS)
        yield [
            (DISTRICT, f"s{n:03}", at_ms, passed + (n == 0 and slot % 20 == 0), passed, None, at_ms)
            for slot, at_ms in ((at_ms // PERIOD_MS, at_ms) for at_ms in instants)
            for n, passed in ((n, 2 + (slot + n) % 5) for n in range(SENSORS))
        ]


def prepare(folder: Path) -> str:
    """An installation with a day of rows and an officer's session; its token."""
    now = clock.now()
    starts = (now + LEFT).astimezone(ZoneInfo("Asia/Shanghai"))
    install(folder, [f"s{n:03}" for n in range(SENSORS)], day_starts=f"{starts:%H:%M}")
    database = Database(Settings(data_folder=folder).resolved_database_url)
    for rows in rows_of(clock.to_ms(now + LEFT)):
        database.bulk(DISTRICT, lambda c, rows=rows: insert_new(c, observations_table, rows))
    name = open_account(database, Role.DESK, DISTRICT)
    with database.transaction(EVERYWHERE) as tx:
        account = people_store.find_account_by_name(tx.connection, name)
        assert account is not None
        token, _session = people.open_session(tx, account=account, lasts=timedelta(hours=1))
    database.dispose()
    return token


def first_frame_s(folder: Path, token: str) -> float:
    """From the start of the process to the first frame, which tells everybody who came that day."""
    port = free_port()
    began_s = time.perf_counter()
    with running("serve", "--data", str(folder), port=port):
        await_port(port)
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, cookies={COOKIE: token}, timeout=60) as client:
            frame = next(frames(client))
            lasted_s = time.perf_counter() - began_s
    assert frame["full"] and abs(frame["people"] - VISITORS) <= MARGIN, frame["people"]
    return lasted_s


def median_s(folder: Path, token: str) -> float:
    """The median of a few restarts."""
    return sorted(first_frame_s(folder, token) for _ in range(ROUNDS))[ROUNDS // 2]


def replay_s(folder: Path) -> float:
    """The peer: every raw row through the engine, as it came."""
    database = Database(Settings(data_folder=folder).resolved_database_url)
    table = observations_table
    names = ("sensor_id", "at_ms", "in_count", "out_count", "people_count")
    query = select(*(table.c[name] for name in names)).where(table.c.district_id == DISTRICT)
    began_s = time.perf_counter()
    with database.reading([DISTRICT]) as connection:
        engine = Engine(places.load(connection, DISTRICT), store.list_sensors(connection, DISTRICT))
        rows = (Observation(*row) for row in connection.execute(query.order_by(table.c.at_ms)))
        for at_ms, together in groupby(rows, key=lambda row: row.at_ms):
            engine.take(list(together))
            engine.settle(clock.from_ms(at_ms))
    engine.frame(full=True)
    lasted_s = time.perf_counter() - began_s
    database.dispose()
    return lasted_s


def main() -> None:
    """Measure with raw rows only, then with roll-ups; report."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        token = prepare(folder)
        raw_s, peer_s = median_s(folder, token), replay_s(folder)
        settings = Settings(data_folder=folder)
        database = Database(settings.resolved_database_url)
        roll_up(database, DISTRICT, clock.now() - DELAY, settings.sealed_folder)
        database.dispose()
        rolled_s = median_s(folder, token)
    for name, value in (("rolled_up", rolled_s), ("raw", raw_s)):
        report(
            f"restart.first_frame_{name}",
            value,
            "s",
            must=f"<= {MOST_S:g} s",
            ok=value <= MOST_S,
            peer="fetching and replaying every raw row, without starting a server",
            peer_value=peer_s,
        )


if __name__ == "__main__":
    main()
