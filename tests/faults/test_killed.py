"""What a killed server had acknowledged is there when it comes back, and nothing that nobody sent.

A killed process shows that every answer comes after its commit; what a power cut does to the disk's own memory
is left to SQLite's `synchronous=FULL`.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from tests.conftest import DISTRICT
from tests.faults.conftest import FORGE, GATES, Installation, kept_keys, keys_of, rows

from anshang.foundation import ids
from anshang.journal import store as journal
from anshang.matters.model import MatterEvent

ROUNDS = 20
SENDERS = 4
ROWS_A_BATCH = 25
SEED = 20261231


class Forge:
    """Starts the server again and again, and kills it."""

    def __init__(self, installation: Installation, process: subprocess.Popen[str]) -> None:
        self._installation = installation
        self._process = process
        self._running = 0

    def start(self) -> None:
        assert self._process.stdin is not None
        print(*self._installation.words, file=self._process.stdin, flush=True)
        self._running = int(self._said())
        self._installation.ready()

    def kill(self) -> None:
        os.kill(self._running, signal.SIGKILL)
        assert self._said() == "gone"
        self._running = 0

    def end(self) -> None:
        if self._running:
            self.kill()
        self._process.terminate()
        self._process.wait(10)

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def forge(installation: Installation) -> Iterator[Forge]:
    """A forge that leaves nothing running."""
    process = subprocess.Popen(
        [sys.executable, "-c", FORGE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    made = Forge(installation, process)
    try:
        yield made
    finally:
        made.end()


class Senders:
    """Gateways that each send one batch after the other, again until it is acknowledged; and a desk that
    writes matters and reports incidents.
    """

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.sent: set[tuple[str, int]] = set()
        self.acknowledged: set[tuple[str, int]] = set()
        self.matters: set[str] = set()
        self.answers = 0
        self.refusals: list[str] = []
        self.desk = installation.signed_in()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]
        for told in (
            ("/api/matters", {"kind": "note", "priority": 4}),
            ("/api/incidents", {"source": "phone"}),
        ):
            self._threads.append(threading.Thread(target=self._write, args=told))

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for_answers(self, count: int) -> None:
        until, goal = time.monotonic() + 20, self.answers + count
        while self.answers < goal:
            assert time.monotonic() < until, "nothing is acknowledged any more"
            time.sleep(0.002)

    def _send(self, number: int) -> None:
        first = 0
        with self.installation.feed() as client:
            while not self._stop.is_set():
                batch = rows(GATES[number], first, ROWS_A_BATCH)
                self.sent.update(keys_of(batch))
                answer = self._post(client, "/api/observations", {"observations": batch})
                if answer is None:
                    continue
                receipt = answer.json()
                if receipt["taken"] + receipt["repeated"] != ROWS_A_BATCH:
                    self.refusals.append(answer.text)
                self.acknowledged.update(keys_of(batch))
                self.answers += 1
                first += ROWS_A_BATCH

    def _write(self, path: str, told: dict[str, object]) -> None:
        id = ids.new_id()
        while not self._stop.is_set():
            if self._post(self.desk, path, {"id": id, "text": "x", **told}) is not None:
                self.matters.add(id)
                id = ids.new_id()
            time.sleep(0.01)

    def _post(self, client: httpx.Client, path: str, told: object) -> httpx.Response | None:
        """The answer when it is a good one; None while the server is away."""
        try:
            answer = client.post(path, json=told)
        except httpx.TransportError:
            time.sleep(0.1)
            return None
        if answer.status_code != 200:
            self.refusals.append(answer.text)
            return None
        return answer


@pytest.mark.slow
def test_a_server_killed_twenty_times_loses_nothing_that_it_acknowledged(installation: Installation) -> None:
    chance = random.Random(SEED)
    with forge(installation) as server:
        server.start()
        senders = Senders(installation)
        senders.begin()
        try:
            for _ in range(ROUNDS):
                senders.wait_for_answers(3)
                time.sleep(chance.uniform(0.0, 0.25))
                server.kill()
                server.start()
            senders.wait_for_answers(3)
        finally:
            senders.end()
    assert senders.refusals == []
    kept = kept_keys(installation.folder)
    assert len(senders.acknowledged) > ROUNDS * ROWS_A_BATCH
    assert len(kept) == len(set(kept))
    assert senders.acknowledged - set(kept) == set()
    assert set(kept) - senders.sent == set()
    installation.assert_sound()
    assert_each_matter_is_told_once(installation, senders.matters)


def assert_each_matter_is_told_once(installation: Installation, acknowledged: set[str]) -> None:
    """Every acknowledged matter has exactly one entry; so has one whose answer was lost."""
    database = installation.database()
    with database.reading([DISTRICT]) as connection:
        entries = journal.list_after(connection, DISTRICT, 0, 100_000)
    database.dispose()
    opened = [entry.subject_id for entry in entries if entry.kind == MatterEvent.OPENED]
    assert len(acknowledged) > ROUNDS
    assert len(opened) == len(set(opened))
    assert acknowledged - set(opened) == set()
