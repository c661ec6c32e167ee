"""TLS served by the server itself: a handshake that does not come costs nobody else anything."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.serving import serving

from anshang.foundation import clock
from anshang.foundation.certificates import make_certificate
from anshang.web import serving as edge

TLS_HELLO = b"\x16\x03\x01\x02\x00\x01"
"""The first bytes of a client's hello."""


@pytest.fixture
def tls_folder(tmp_path: Path) -> Path:
    """A certificate of the installation's own authority."""
    make_certificate(tmp_path / "tls", ["127.0.0.1"], clock.now())
    return tmp_path / "tls"


@pytest.fixture
def address(app: FastAPI, tls_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(edge, "HANDSHAKE_S", 2.0)
    monkeypatch.setattr(edge, "HANDSHAKES_MOST", 40)
    with serving(app, tls_folder=tls_folder) as address:
        yield address


def plug_into(address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=10)


def is_closed(plug: socket.socket, within_s: float) -> bool:
    plug.settimeout(within_s)
    try:
        while plug.recv(4_096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def trusting(tls_folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tls_folder / "authority.pem"))


def test_requests_are_answered_over_tls_and_large_ones_whole(address: str, tls_folder: Path) -> None:
    with httpx.Client(base_url=address, verify=trusting(tls_folder), timeout=10) as client:
        assert client.get("/api/meta").status_code == 200
        assert client.post("/api/session", content=b"{" + b" " * 60_000).status_code in {400, 422}
        assert client.get("/api/meta").status_code == 200, "on the connection that is open"


def test_a_request_that_comes_with_the_end_of_the_handshake_is_answered(
    address: str, tls_folder: Path
) -> None:
    """The last words of the handshake and the request in one packet."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(tls_folder).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with closing(plug_into(address)) as plug:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                plug.sendall(outgoing.read())
                incoming.write(plug.recv(65_536))
        client.write(b"GET /api/meta HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        plug.sendall(outgoing.read())
        answer = b""
        until = time.monotonic() + 10
        while b"HTTP/1.1 200" not in answer and time.monotonic() < until:
            incoming.write(plug.recv(65_536))
            try:
                answer += client.read(65_536)
            except ssl.SSLWantReadError:
                continue
        assert b"HTTP/1.1 200" in answer


@pytest.mark.parametrize("words", [b"", TLS_HELLO], ids=["nothing", "half a hello"])
def test_a_handshake_that_does_not_come_is_given_up(address: str, words: bytes) -> None:
    """Without a limit of ours each held a socket, a thread of TLS and its buffers for a minute."""
    with closing(plug_into(address)) as plug:
        plug.sendall(words)
        assert not is_closed(plug, 0.5)
        assert is_closed(plug, 5)


def test_what_is_no_tls_is_closed_at_once(address: str) -> None:
    with closing(plug_into(address)) as plug:
        plug.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert is_closed(plug, 1.5)


def test_of_many_unfinished_handshakes_the_oldest_are_given_up_and_an_honest_one_succeeds(
    address: str, tls_folder: Path
) -> None:
    plugs = [plug_into(address) for _ in range(90)]
    for plug in plugs:
        plug.sendall(TLS_HELLO)
    began_s = time.monotonic()
    assert httpx.get(f"{address}/api/meta", verify=trusting(tls_folder), timeout=5).status_code == 200
    assert time.monotonic() - began_s < 1.5, "it waits for none of them"
    assert all(is_closed(plug, 1) for plug in plugs[:40])
    for plug in plugs:
        plug.close()


def test_handshakes_count_as_open_connections(
    app: FastAPI, tls_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "open_files_limit", lambda: edge.FILES_KEPT + 5)
    with serving(app, tls_folder=tls_folder) as address:
        plugs = [plug_into(address) for _ in range(12)]
        time.sleep(0.3)
        assert sum(is_closed(plug, 0.1) for plug in plugs) == 6
        for plug in plugs:
            plug.close()
        time.sleep(0.3)
        assert httpx.get(f"{address}/api/meta", verify=trusting(tls_folder), timeout=5).status_code == 200


def test_the_server_stops_while_handshakes_are_unfinished(app: FastAPI, tls_folder: Path) -> None:
    with serving(app, tls_folder=tls_folder) as address:
        plug = plug_into(address)
        plug.sendall(TLS_HELLO)
        time.sleep(0.2)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 5
    assert is_closed(plug, 1)
