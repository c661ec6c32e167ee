"""The feeder against a server that is away, full or unwilling for a while."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from anshang.demonstration import feeder as feeding
from anshang.demonstration.feeder import BATCH_SLOTS, Feeder
from anshang.demonstration.programme import Programme
from anshang.demonstration.scenes import REFERENCE_ON, Scene, open_scene
from anshang.foundation import clock
from anshang.foundation.errors import StorageFailed


@pytest.fixture(scope="module")
def scene() -> Scene:
    return open_scene("wuyi")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short pauses, and the clock as it was afterwards."""
    monkeypatch.setattr(feeding, "RETRY_S", (0.01,))
    monkeypatch.setattr(feeding, "PAUSE_S", 0.01)
    with clock.standing_at(clock.now()):
        yield


@contextmanager
def answering(*statuses: int) -> Iterator[tuple[str, list[dict]]]:
    """A server that gives these answers, then takes everything; yields its address and what it got."""
    got: list[dict] = []
    left = list(statuses)

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = left.pop(0) if left else 200
            if status == 200:
                got.append({"path": self.path, "key": self.headers["Authorization"], **body})
            rows = len(body["observations"])
            told = json.dumps(
                {"taken": rows, "repeated": 0, "refused": [], "refused_count": 0, "flagged": []}
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", got
    server.shutdown()
    server.server_close()


def test_it_catches_up_in_batches_and_sets_the_clock(scene: Scene) -> None:
    programme = Programme(scene, REFERENCE_ON)
    until_at = programme.ends_at(49)
    shares: list[float] = []
    with answering() as (url, got):
        feeder = Feeder(url, "ask_key", "wuyi", programme)
        feeder.catch_up(until_at, 60.0, shares.append)
        feeder.close()
    rows = [row for body in got for row in body["observations"]]
    assert len(rows) == 50 * len(programme.sensors) == feeder.rows_taken
    assert max(len(body["observations"]) for body in got) == BATCH_SLOTS * len(programme.sensors) > 500
    assert {(body["path"], body["key"]) for body in got} == {
        ("/api/observations?district=wuyi", "Bearer ask_key")
    }
    assert shares[-1] == 1.0
    assert clock.speed() == 60.0
    assert (clock.now() - until_at).total_seconds() < 30


def test_rows_not_acknowledged_are_sent_again_until_they_are(scene: Scene) -> None:
    programme = Programme(scene, REFERENCE_ON)
    with answering(503, 507, 429, 500) as (url, got):
        feeder = Feeder(url, "ask_key", "wuyi", programme)
        feeder.catch_up(programme.ends_at(0), 60.0, lambda _: None)
        feeder.close()
    assert [len(body["observations"]) for body in got] == [len(programme.sensors)]


def test_it_follows_the_clock_and_stops_when_told(scene: Scene) -> None:
    programme = Programme(scene, REFERENCE_ON)
    with answering() as (url, got):
        feeder = Feeder(url, "ask_key", "wuyi", programme)
        clock.run_from(programme.started_at, speed=600)
        following = threading.Thread(target=feeder.follow)
        following.start()
        while len(got) < 3:
            assert following.is_alive()
            threading.Event().wait(0.01)
        feeder.stop()
        following.join(5)
        feeder.close()
    ats = [row["at"] for body in got for row in body["observations"] if row["sensor"] == "g01"]
    assert ats == sorted(set(ats))
    assert ats[0] == "2024-12-30T21:00:10Z"


def test_it_waits_for_a_server_that_is_away_and_gives_up_when_stopped(scene: Scene) -> None:
    with answering() as (url, _got):
        pass
    feeder = Feeder(url, "ask_key", "wuyi", Programme(scene, REFERENCE_ON))
    threading.Timer(0.1, feeder.stop).start()
    feeder.catch_up(feeder.programme.ends_at(3), 60.0, lambda _: None)
    feeder.close()
    assert feeder.rows_taken == 0


def test_a_refusal_that_will_not_pass_is_said_in_both_languages(scene: Scene) -> None:
    with answering(401) as (url, _got):
        feeder = Feeder(url, "wrong", "wuyi", Programme(scene, REFERENCE_ON))
        with pytest.raises(StorageFailed) as refusal:
            feeder.catch_up(feeder.programme.ends_at(3), 60.0, lambda _: None)
        feeder.close()
    assert "401" in refusal.value.en and "401" in refusal.value.zh
