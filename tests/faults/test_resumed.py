"""A stream that is cut anywhere, again and again, and resumed, tells every entry exactly once and in order."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.faults.conftest import signed_in_at
from tests.serving import open_account, serving

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.journal import store as journal
from anshang.people.model import Role
from anshang.web.session import COOKIE

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
VERBS_OF_EACH = 60
SEED = 20270101


class Listener:
    """A client that hangs up after a random number of bytes and comes back with the last id it has."""

    def __init__(self, address: str, token: str, since: int) -> None:
        self._at = (address.split("/")[2].split(":", maxsplit=1)[0], int(address.rpartition(":")[2]))
        self._token = token
        self._chance = random.Random(SEED)
        self.last = since
        self.heard: list[int] = []
        self.cuts = 0

    def listen(self, until: int) -> None:
        """Listen until entry number `until` was heard."""
        give_up = time.monotonic() + 40
        while self.last < until:
            assert time.monotonic() < give_up, f"only {len(self.heard)} entries came"
            self._once(self._chance.randint(300, 2500), until)
            self.cuts += 1

    def _once(self, bytes_max: int, until: int) -> None:
        """One connection, cut after `bytes_max` bytes: what is not whole by then was not heard."""
        by_header = self._chance.random() < 0.5
        since = "" if by_header else f"&since={self.last}"
        last_id = f"Last-Event-ID: {self.last}\r\n" if by_header else ""
        with socket.create_connection(self._at, timeout=10) as plug:
            plug.sendall(
                f"GET /api/live?district={DISTRICT}{since} HTTP/1.1\r\nHost: x\r\n{last_id}"
                f"Cookie: {COOKIE}={self._token}\r\n\r\n".encode()
            )
            for event in events(plug, bytes_max):
                assert event.get("event") != "reset"
                if event.get("event") == "entry":
                    self.last = int(event["id"])
                    assert json.loads(event["data"])["seq"] == self.last
                    self.heard.append(self.last)
                    if self.last >= until:
                        return


def events(plug: socket.socket, bytes_max: int) -> Iterator[dict[str, str]]:
    """The whole events within the first `bytes_max` bytes of a chunked answer."""
    came, text = b"", ""
    with suppress(TimeoutError):
        while len(came) < bytes_max and (more := plug.recv(min(512, bytes_max - len(came)))):
            came += more
            text, told = unchunked(came), len(text.split("\n\n")) - 1
            for block in text.split("\n\n")[told:-1]:
                yield dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)


def unchunked(came: bytes) -> str:
    """The text of a chunked answer as far as it came; what stands after its last event is incomplete."""
    head, _, rest = came.partition(b"\r\n\r\n")
    if not rest:
        return ""
    assert head.startswith(b"HTTP/1.1 200"), head
    text = b""
    while b"\r\n" in rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        text += rest[:length]
        rest = rest[length + 2 :]
    return text.decode(errors="ignore")


def write(client: httpx.Client, answers: list[int]) -> None:
    for _ in range(VERBS_OF_EACH):
        told = {"id": ids.new_id(), "kind": "note", "priority": 4, "text": "x"}
        answers.append(client.post("/api/matters", json=told).status_code)


def test_a_stream_cut_at_random_while_two_write_tells_everything_once(
    app: FastAPI, database: Database
) -> None:
    with database.reading([DISTRICT]) as connection:
        since = journal.last_seq(connection, DISTRICT)
    with serving(app) as address:
        desks = [signed_in_at(address, open_account(database, Role.DESK, DISTRICT)) for _ in range(3)]
        answers: list[int] = []
        writers = [threading.Thread(target=write, args=(desk, answers)) for desk in desks[:2]]
        listener = Listener(address, desks[2].cookies[COOKIE], since)
        for writer in writers:
            writer.start()
        listener.listen(since + 1)
        for writer in writers:
            listener.listen(listener.last + VERBS_OF_EACH // 2)  # cut and resumed while they write
            writer.join(30)
        with database.reading([DISTRICT]) as connection:
            entries = [entry.seq for entry in journal.list_after(connection, DISTRICT, since, 5000)]
        listener.listen(entries[-1])
    assert answers == [200] * (2 * VERBS_OF_EACH)
    assert listener.heard == entries
    assert len(entries) == 2 * VERBS_OF_EACH
    assert listener.cuts >= 8
