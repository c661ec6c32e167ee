"""Sockets that say nothing, or never finish, cost nobody else the server."""

from __future__ import annotations

import configparser
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from tests.faults.conftest import Installation, rows

from anshang.desk.check import FILES_ENOUGH
from anshang.web.serving import FILES_WANTED, UNFINISHED_S

pytestmark = pytest.mark.slow
SYSTEMD_FILES = 1_024
"""What a service may have open when its unit does not say more."""


@contextmanager
def served(installation: Installation, files: int) -> Iterator[subprocess.Popen[bytes]]:
    """The installation served by a process that the system gives so many open files."""
    words = [sys.executable, "-m", "anshang", *installation.words]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limit)  # noqa: PLW1509 - the child only limits itself
    try:
        installation.ready(server)
        yield server
    finally:
        server.terminate()
        server.wait(20)


def opened(port: int, count: int, words: bytes) -> list[socket.socket]:
    """So many connections that have said these words and no more."""
    made = []
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port), timeout=5)
        one.sendall(words)
        made.append(one)
    return made


def is_closed(one: socket.socket) -> bool:
    one.settimeout(2)
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_thousand_idle_sockets_do_not_stop_the_kiosk_even_where_the_system_gives_few(
    installation: Installation,
) -> None:
    with served(installation, SYSTEMD_FILES), installation.feed() as gateway:
        assert gateway.post("/api/observations", json={"observations": rows("g0", 0, 5)}).status_code == 200
        idle = opened(installation.port, 1_200, b"GET /api/health HTTP/1.1\r\nHost: x\r\nX-Unfinished: ")
        for first in range(10, 60, 10):
            answer = gateway.post("/api/observations", json={"observations": rows("g0", first, 10)})
            assert answer.json()["taken"] == 10, "who is connected already is answered as before"
        time.sleep(UNFINISHED_S + 1)
        assert httpx.get(f"{installation.address}/api/health", timeout=5).status_code == 200
        assert all(map(is_closed, idle))


def test_the_server_takes_as_many_files_as_it_may_and_then_serves_all_of_a_crowd(
    installation: Installation,
) -> None:
    with served(installation, 4_096) as server:
        soft, _hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert soft == min(FILES_WANTED, 4_096)
        idle = opened(installation.port, 1_200, b"")
        assert httpx.get(f"{installation.address}/api/health", timeout=5).status_code == 200
        for one in idle:
            one.close()


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"GET /api/health HTTP/1.1\r\nHost: x\r\n",
        b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\nContent-Type: application/json\r\n\r\n{",
        b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n\r\n",
    ],
    ids=["nothing", "headers", "body", "an empty line after an answer"],
)
def test_a_request_that_does_not_come_is_not_waited_for(installation: Installation, words: bytes) -> None:
    with served(installation, 4_096), closing(opened(installation.port, 1, words)[0]) as one:
        until = time.monotonic() + UNFINISHED_S + 5
        one.settimeout(1)
        while time.monotonic() < until:
            try:
                if one.recv(4_096) == b"":
                    return
                one.sendall(b"\r\n")  # a line feed is no request
            except TimeoutError:
                continue
            except OSError:
                return
        raise AssertionError("still open")


def test_a_body_that_comes_slowly_is_read_to_its_end(installation: Installation) -> None:
    """A telephone with two bars sends a batch in twenty seconds."""
    body = b'{"observations":[]}' + b" " * 60_000
    head = (
        f"POST /api/observations?district=wuyi HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer {installation.feed_key}\r\nConnection: close\r\n\r\n"
    )
    with served(installation, 4_096), closing(opened(installation.port, 1, head.encode())[0]) as one:
        for start in range(0, len(body), 3_000):
            one.sendall(body[start : start + 3_000])
            time.sleep(1)
        one.settimeout(5)
        assert one.recv(100).startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))


def test_the_unit_file_gives_files_for_a_crowd_and_lets_nobody_else_read() -> None:
    unit = configparser.ConfigParser(strict=False)
    unit.read(Path(__file__).parents[2] / "deploy" / "anshang.service")
    service = unit["Service"]
    assert int(service["LimitNOFILE"]) >= FILES_ENOUGH
    assert int(service["UMask"], 8) & 0o077 == 0o077
