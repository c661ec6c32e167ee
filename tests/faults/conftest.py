"""A real installation in a folder of its own, served by a process of its own that can be killed."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pysqlite3
import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.crowds.conftest import head, line, row_of_zones
from tests.serving import PASSWORD, free_port, open_account
from typer.testing import CliRunner

from anshang import cli
from anshang.app import create_app
from anshang.crowds import store as sensors
from anshang.foundation.database import Database
from anshang.people.model import Role
from anshang.places import store as places
from anshang.places.document import read_document
from anshang.settings import Settings
from anshang.web.session import CSRF_HEADER, Runtime

GATES = ("g0", "g1", "g2", "g3")

FORGE = """
import os, sys
from anshang import cli
for words in sys.stdin:
    child = os.fork()
    if child == 0:
        cli.app(words.split())
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""
"""Loads the programme once and then starts it again and again, for the price of a fork."""


@dataclass
class Installation:
    """An installation with a line counter at each gate, a feed, and a desk and an administrator."""

    folder: Path
    feed_key: str = ""
    names: dict[Role, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def words(self) -> list[str]:
        """The words after `anshang` that serve it."""
        return ["serve", "--data", str(self.folder), "--port", str(self.port)]

    def feed(self) -> httpx.Client:
        """A client with the feed's key."""
        key = {"Authorization": f"Bearer {self.feed_key}"}
        return httpx.Client(base_url=self.address, headers=key, params={"district": DISTRICT}, timeout=30)

    def signed_in(self, role: Role = Role.DESK) -> httpx.Client:
        """A client with a session, which outlives the server."""
        return signed_in_at(self.address, self.names[role])

    def ready(self, server: subprocess.Popen[Any] | None = None) -> None:
        """Wait until it answers."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            assert server is None or server.poll() is None, "the server ended"
            try:
                with urllib.request.urlopen(f"{self.address}/api/health", timeout=10):
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("the server does not answer")

    def database(self) -> Database:
        return Database(f"sqlite:///{self.folder / 'anshang.db'}")

    def assert_sound(self) -> None:
        """The file is intact and the journal whole, as the operator's own command says."""
        connection = pysqlite3.connect(str(self.folder / "anshang.db"))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        said = run("journal", "verify", "--data", str(self.folder))
        assert f"{DISTRICT}: whole" in said


def run(*words: str, typed: str = "") -> str:
    """What a command says; it must succeed."""
    done = CliRunner().invoke(cli.app, list(words), input=typed)
    assert done.exit_code == 0, done.output
    return done.output


def install(folder: Path) -> Installation:
    """Set up an installation as an operator does."""
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "district.geojson"
    document.write_bytes(row_of_zones())
    data = folder / "data"
    run("init", "--data", str(data), "--district", str(document), "--password-stdin", typed=f"{PASSWORD}\n")
    made = Installation(data, run("people", "feed", "gates", "--data", str(data)).strip())
    database = made.database()
    made.names = {role: open_account(database, role, DISTRICT) for role in (Role.DESK, Role.ADMIN)}
    with database.transaction(DISTRICT) as tx:
        for sensor in (*map(line, GATES), head("z1")):
            sensors.sensors.add(tx, sensor)
    database.dispose()
    return made


def signed_in_at(address: str, name: str) -> httpx.Client:
    """A client over a real socket with a session of its own."""
    client = httpx.Client(base_url=address, params={"district": DISTRICT}, timeout=30)
    answer = client.post("/api/session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers[CSRF_HEADER] = answer.json()["csrf_token"]
    return client


def serve(installation: Installation) -> subprocess.Popen[bytes]:
    """Start the server; it answers when this returns."""
    words = [sys.executable, "-m", "anshang", *installation.words]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    installation.ready(server)
    return server


BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)


def rows(sensor: str, first: int, count: int) -> list[dict[str, Any]]:
    """Observations number `first` and following of a line counter, one every 10 ms from BEGIN."""
    ats = (BEGIN.replace(microsecond=0) + timedelta(milliseconds=10 * n) for n in range(first, first + count))
    return [{"sensor": sensor, "at": at.isoformat(), "in": 2, "out": 1} for at in ats]


def keys_of(told: list[dict[str, Any]]) -> set[tuple[str, int]]:
    """The keys of observations as they are kept: sensor and milliseconds."""
    return {(row["sensor"], round(datetime.fromisoformat(row["at"]).timestamp() * 1000)) for row in told}


def kept_keys(folder: Path) -> list[tuple[str, int]]:
    """The keys of all observations in the database, read without our own code."""
    connection = pysqlite3.connect(str(folder / "anshang.db"))
    found = connection.execute("SELECT sensor_id, at_ms FROM observations").fetchall()
    connection.close()
    return [(sensor, at_ms) for sensor, at_ms in found]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A fresh installation that nobody serves yet."""
    return install(tmp_path)


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Iterator[FastAPI]:
    """The whole application on either database, with the place and a line counter at each gate."""
    from_document = read_document(row_of_zones())
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url))
    with database.transaction(DISTRICT) as tx:
        places.replace(tx, from_document)
        for sensor in map(line, GATES):
            sensors.sensors.add(tx, sensor)
    yield app
    app.state.services[Runtime].database.dispose()
