"""Who tries passwords is slowed down and slows nobody else down."""

from __future__ import annotations

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import PASSWORD, open_account, serving, signed_in
from tests.web.conftest import app as app_fixture

from anshang.people.model import Role
from anshang.settings import Settings

app = app_fixture
TRIES = Settings().sign_in_tries_per_minute


def tried(app: FastAPI, name: str, address: str, password: str = "wrong") -> int:
    client = TestClient(app, client=(address, 50_000))
    return client.post("/api/session", json={"name": name, "password": password}).status_code


@pytest.mark.slow
def test_a_name_tried_from_many_places_is_held_back_but_not_where_its_owner_has_been(app: FastAPI) -> None:
    name = open_account(app.state.runtime.database, Role.DESK, DISTRICT)
    assert tried(app, name, "192.0.2.1", PASSWORD) == 200
    many = [f"2001:db8:0:{n:x}::1" for n in range(TRIES * 5 + 5)]
    sent = [tried(app, name, address) for address in many]
    assert sent.count(401) == TRIES * 5 - 1 and set(sent[-5:]) == {429}
    assert tried(app, name, "198.51.100.1", PASSWORD) == 429, "from anywhere else it waits"
    assert tried(app, name, "192.0.2.1", PASSWORD) == 200, "at the kiosk it does not"
    other = open_account(app.state.runtime.database, Role.DESK, DISTRICT)
    assert tried(app, other, many[0], PASSWORD) == 200


def test_addresses_of_one_ipv6_network_try_as_one(app: FastAPI) -> None:
    sent = [tried(app, "lin", f"2001:db8::{n}") for n in range(TRIES + 1)]
    assert sent == [401] * TRIES + [429]


@pytest.mark.slow
def test_sixty_sign_ins_at_once_take_neither_the_memory_nor_the_desk(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    cookies = {"anshang_session": desk.cookies["anshang_session"]}
    waited_s: list[float] = []
    done = threading.Event()
    with serving(app) as address:

        def look() -> None:
            with httpx.Client(base_url=address, cookies=cookies, timeout=30) as client:
                while not done.is_set():
                    began = time.perf_counter()
                    client.get(f"/api/matters/counts?district={DISTRICT}").raise_for_status()
                    waited_s.append(time.perf_counter() - began)

        def enter(number: int) -> httpx.Response:
            words = {"name": f"somebody{number}", "password": "wrong"}
            return httpx.post(f"{address}/api/session", json=words, timeout=60)

        enter(100)
        Path("/proc/self/clear_refs").write_text("5")
        before = _peak_mb()
        watcher = threading.Thread(target=look)
        watcher.start()
        with ThreadPoolExecutor(60) as crowd:
            answers = list(crowd.map(enter, range(60)))
        done.set()
        watcher.join()
    assert {answer.status_code for answer in answers} <= {401, 429}
    assert any(answer.json()["error"] == "session.busy" for answer in answers)
    assert _peak_mb() - before < 250, "two hashes at a time take 64 MB each"
    assert statistics.median(waited_s) < 0.5


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))
