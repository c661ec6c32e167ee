"""A running application for tests: in-process calls, and a real server on a free loopback port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor
from anshang.web.serving import serving_config
from anshang.web.session import CSRF_HEADER, Runtime

PASSWORD = "a long enough one"


def open_account(database: Database, role: Role, *districts: str, body_id: str | None = None) -> str:
    """Open an account of the role and return its sign-in name."""
    name = f"{role}.{ids.new_id()[-8:]}"
    with database.transaction(EVERYWHERE) as tx:
        people.open_account(
            tx,
            actor=operator_actor(*districts),
            id=ids.new_id(),
            name=name,
            display_name=name,
            role=role,
            body_id=body_id,
            district_ids=districts,
            password=people.hashed(PASSWORD, name),
        )
    return name


def signed_in(app: FastAPI, role: Role, *districts: str, body_id: str | None = None) -> TestClient:
    """A client with a session of a new account of the role, sending its CSRF token."""
    database = app.state.services[Runtime].database
    name = open_account(database, role, *districts, body_id=body_id)
    client = TestClient(app, raise_server_exceptions=False)
    answer = client.post("/api/session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers[CSRF_HEADER] = answer.json()["csrf_token"]
    return client


def feed_client(app: FastAPI, district: str) -> TestClient:
    """A client with a new feed's key."""
    with app.state.services[Runtime].database.transaction(district) as tx:
        _feed, key = people.open_feed(tx, actor=operator_actor(district), id=ids.new_id(), name="gates")
    return TestClient(app, headers={"Authorization": f"Bearer {key}"}, raise_server_exceptions=False)


def change_account(admin: TestClient, account_id: str, **changes: object) -> None:
    """An administrator changes what somebody is here for."""
    account = next(one for one in admin.get("/api/people").json() if one["id"] == account_id)
    kept = ("version", "display_name", "role", "body_id", "district_ids", "active")
    body = {name: account[name] for name in kept} | changes
    assert admin.patch(f"/api/people/{account_id}", json=body).is_success


def last_of(lines: Iterator[str], within_s: float = 20.0) -> str:
    """The last line of a stream that the server ends; one that goes on beating beyond the time fails."""
    until_s, last = time.monotonic() + within_s, ""
    for line in lines:
        assert time.monotonic() < until_s, "the stream goes on"
        last = line
    return last


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    app: FastAPI, port: int | None = None, *, trusted_proxies: str = "", tls_folder: Path | None = None
) -> Iterator[str]:
    """Serve the application from a thread, on a free port unless one is given; yields its address."""
    port = port or free_port()
    config = serving_config(
        app,
        trusted_proxies=trusted_proxies,
        tls_folder=tls_folder,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
        assert thread.is_alive(), "the server did not start"
    try:
        yield f"{'https' if tls_folder else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
