"""What the edge answers when something is refused, malformed, too large or broken."""

from __future__ import annotations

import contextlib
import json
import socket

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import serving, signed_in

from anshang.foundation import ids
from anshang.foundation.errors import Refusal, StorageFailed
from anshang.people.model import Role
from anshang.web.errors import STATUS, refused
from anshang.web.limits import STRANGERS_BYTES_MAX
from anshang.web.session import COOKIE, CSRF_HEADER


@pytest.mark.parametrize("kind", sorted(STATUS, key=lambda kind: kind.__name__))
def test_every_refusal_has_a_status_and_both_languages(kind: type[Refusal]) -> None:
    answer = refused(kind("x.y", en="It is so.", zh="如此。", details={"limit": 3}))
    assert answer.status_code == STATUS[kind]
    body = json.loads(bytes(answer.body))
    assert body == {"error": "x.y", "message": {"en": "It is so.", "zh": "如此。"}, "details": {"limit": 3}}


def test_every_kind_of_refusal_stands_in_the_table() -> None:
    kinds = set(Refusal.__subclasses__())
    assert kinds | {finer for kind in kinds for finer in kind.__subclasses__()} == set(STATUS)


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [("GET", "/api/nothing", 404, "route.missing"), ("DELETE", "/api/meta", 405, "method.missing")],
)
def test_a_wrong_address_is_answered_in_words(
    app: FastAPI, method: str, path: str, status: int, error: str
) -> None:
    answer = TestClient(app).request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_malformed_body_names_the_field(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    for body, field in (
        ({"id": "x", "kind": "note", "priority": 4, "text": "x"}, "body.id"),
        ({"id": ids.new_id(), "kind": "note", "priority": "4", "text": "x"}, "body.priority"),
        ({"id": ids.new_id(), "kind": "crowd", "priority": 4, "text": "x"}, "body.kind"),
        ({"id": ids.new_id(), "kind": "note", "priority": 4, "text": "x", "more": 1}, "body.more"),
        ({"id": ids.new_id(), "kind": "note", "priority": 4, "text": "\x00"}, "body.text"),
    ):
        answer = desk.post(f"/api/matters?district={DISTRICT}", json=body)
        assert (answer.status_code, answer.json()["error"]) == (422, "request.malformed")
        assert [fault["at"] for fault in answer.json()["details"]["fields"]] == [field]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    answer = desk.post("/api/matters", content=b" " * 1_000_001)
    assert (answer.status_code, answer.json()["error"]) == (413, "body.too_large")


def plug_into(address: str) -> socket.socket:
    plug = socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])))
    plug.settimeout(10)
    return plug


def sent_in_chunks(plug: socket.socket, head: str, count: int) -> bytes:
    """The first line of the answer to a body of so many chunks of 100,000 bytes that never ends."""
    plug.sendall(f"{head}\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    with contextlib.suppress(ConnectionError):
        for _ in range(count):
            plug.sendall(b"186A0\r\n" + b" " * 100_000 + b"\r\n")
    return plug.recv(64).split(b"\r\n")[0]


def test_a_body_without_an_announced_length_is_counted_as_it_arrives(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    known = "\r\n".join(
        ("POST /api/matters HTTP/1.1", f"{CSRF_HEADER}: {desk.headers[CSRF_HEADER]}", f"Cookie: {COOKIE}=")
    )
    with serving(app) as address, plug_into(address) as plug:
        assert sent_in_chunks(plug, known + desk.cookies[COOKIE], 30).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", ["/api/session", "/api/public/calls", "/api/incidents", "/api/observations"])
def test_of_a_body_without_an_announced_length_a_stranger_sends_little(app: FastAPI, path: str) -> None:
    with serving(app) as address, plug_into(address) as plug:
        assert sent_in_chunks(plug, f"POST {path} HTTP/1.1", 1).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize(
    ("path", "length", "who"),
    [
        ("/api/place?district=d", 19_000_000, ""),
        ("/api/place?district=d", 19_000_000, f"Cookie: {COOKIE}=made-up"),
        ("/api/observations?district=d", 7_000_000, "Authorization: Bearer made-up"),
        ("/api/photos?district=d", 11_000_000, ""),
        ("/api/session", 900_000, ""),
        ("/api/nothing", STRANGERS_BYTES_MAX + 1, ""),
    ],
)
def test_more_than_a_little_is_read_of_nobody_who_is_not_known(
    app: FastAPI, path: str, length: int, who: str
) -> None:
    """Once 20 MB of anybody were kept in memory before it was asked who sends them."""
    with serving(app) as address, plug_into(address) as plug:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{who}"
        plug.sendall(f"{head.rstrip()}\r\n\r\n".encode())
        assert plug.recv(64).startswith(b"HTTP/1.1 401"), "with nothing of the body sent"


def test_who_is_known_sends_large_bodies_and_a_write_without_its_token_is_refused_unread(
    app: FastAPI,
) -> None:
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    large = b" " * (STRANGERS_BYTES_MAX + 1)
    answer = admin.put(f"/api/place?district={DISTRICT}", content=large)
    assert (answer.status_code, answer.json()["error"]) != (401, "session.missing")
    assert answer.json()["error"] != "csrf.missing"
    del admin.headers[CSRF_HEADER]
    answer = admin.put(f"/api/place?district={DISTRICT}", content=large)
    assert (answer.status_code, answer.json()["error"]) == (403, "csrf.missing")


def test_a_fault_of_ours_shows_nothing_of_itself(app: FastAPI) -> None:
    @app.get("/api/broken")
    def broken() -> None:
        raise RuntimeError("secret detail")

    app.router.routes.insert(0, app.router.routes.pop())
    answer = TestClient(app, raise_server_exceptions=False).get("/api/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert set(answer.json()["message"]) == {"en", "zh"}


def test_a_full_disk_is_answered_with_507(app: FastAPI) -> None:
    @app.get("/api/full")
    def full() -> None:
        raise StorageFailed("storage.failed", en="The disk is full.", zh="磁盘已满。")

    app.router.routes.insert(0, app.router.routes.pop())
    assert TestClient(app).get("/api/full").status_code == 507


def test_pages_may_not_be_framed_and_load_nothing_from_elsewhere(app: FastAPI) -> None:
    headers = TestClient(app).get("/api/meta").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_a_commit_comes_before_the_answer(app: FastAPI) -> None:
    """A client that reads at once after a write finds what it wrote."""
    desk = signed_in(app, Role.DESK, DISTRICT)
    for _ in range(5):
        id = ids.new_id()
        desk.post(
            f"/api/matters?district={DISTRICT}", json={"id": id, "kind": "note", "priority": 4, "text": "x"}
        )
        assert desk.get(f"/api/matters/{id}?district={DISTRICT}").json()["text"] == "x"


def test_no_answer_of_the_api_is_kept_by_a_browser(app: FastAPI) -> None:
    """Neither a page that tells of a person nor a refusal; the console's own files may be."""
    client = signed_in(app, Role.DESK, DISTRICT)
    for path in ("/api/matters", "/api/lookouts", "/api/lookouts/none", "/api/nothing"):
        assert client.get(f"{path}?district={DISTRICT}").headers["cache-control"] == "no-store", path
