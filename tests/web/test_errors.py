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


def test_a_body_without_an_announced_length_is_counted_as_it_arrives(app: FastAPI) -> None:
    with (
        serving(app) as address,
        socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as plug,
    ):
        plug.settimeout(10)
        plug.sendall(b"POST /api/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(30):  # never ended by us
                plug.sendall(b"186A0\r\n" + b" " * 100_000 + b"\r\n")
        assert plug.recv(64).startswith(b"HTTP/1.1 413")


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
