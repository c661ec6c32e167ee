"""A disk that takes no more: writing is refused in words, reading goes on, and room is all that is needed."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.faults.conftest import GATES, Installation, install, kept_keys, keys_of, rows, serve
from tests.serving import PASSWORD

from anshang.foundation import ids
from anshang.people.model import Role

ROWS_A_BATCH = 500
READS = (
    "/api/place",
    "/api/crowd",
    "/api/matters",
    "/api/matters/counts",
    "/api/crowd/sensors",
)
FULL_BYTES = 60_000
"""What is left: less than one batch needs."""


@contextmanager
def limited_files(folder: Path, server: subprocess.Popen[bytes]) -> Iterator[Callable[[], None]]:
    """No file of the server may grow: its writes fail in the kernel with EFBIG. Works for everybody."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest + FULL_BYTES, before[1]))
    yield lambda: resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before) and None


@contextmanager
def full_file_system(folder: Path, server: subprocess.Popen[bytes]) -> Iterator[Callable[[], None]]:
    """The file system is full: writes fail with ENOSPC."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    ballast.write_bytes(b"\0" * (free - FULL_BYTES))
    yield ballast.unlink


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB in memory, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_a_server_whose_files_may_not_grow_goes_on_reading_and_recovers(tmp_path: Path) -> None:
    assert_it_goes_on_and_recovers(install(tmp_path), limited_files)


@pytest.mark.slow
def test_a_server_on_a_full_file_system_goes_on_reading_and_recovers(small_disk: Path) -> None:
    assert_it_goes_on_and_recovers(install(small_disk), full_file_system)


def assert_it_goes_on_and_recovers(installation: Installation, filled: Callable[..., object]) -> None:
    """Fill the disk under a running server, ask it everything, make room, and ask again."""
    server = serve(installation)
    try:
        feed, desk = installation.feed(), installation.signed_in()
        acknowledged = send_batches(feed, 0, 3)
        matter = write_matter(desk)
        assert matter.status_code == 200
        with filled(installation.folder, server) as make_room:  # type: ignore[attr-defined]
            acknowledged |= send_until_full(feed)
            assert_refused_in_words(send(feed, 90_000))
            assert_refused_in_words(write_long_matters(desk))
            for _ in range(3):  # the background loops fail meanwhile and may not spoil it
                assert {path: desk.get(path).status_code for path in READS} == dict.fromkeys(READS, 200)
                assert_refused_in_words(send(feed, 90_000))
            assert_the_reason_is_read_without_signing_in(installation)
            make_room()
        acknowledged |= send_batches(feed, 80_000, 3)
        written = write_matter(desk)
        assert written.status_code == 200, written.text
        assert desk.get(f"/api/matters/{matter.json()['id']}").status_code == 200
        assert written.json()["number"] > matter.json()["number"]
        assert server.poll() is None, "the server ended"
    finally:
        server.terminate()
        server.wait(15)
    kept = kept_keys(installation.folder)
    assert set(kept) == acknowledged
    assert len(kept) == len(acknowledged)
    installation.assert_sound()


def send(feed: httpx.Client, first: int) -> httpx.Response:
    return feed.post("/api/observations", json={"observations": rows(GATES[0], first, ROWS_A_BATCH)})


def send_batches(feed: httpx.Client, first: int, count: int) -> set[tuple[str, int]]:
    """Send batches that must be taken; their keys."""
    taken: set[tuple[str, int]] = set()
    for n in range(first, first + count * ROWS_A_BATCH, ROWS_A_BATCH):
        answer = send(feed, n)
        assert (answer.status_code, answer.json()["taken"]) == (200, ROWS_A_BATCH)
        taken |= keys_of(rows(GATES[0], n, ROWS_A_BATCH))
    return taken


def send_until_full(feed: httpx.Client) -> set[tuple[str, int]]:
    """Send until the disk takes no more; the keys of what was taken."""
    taken: set[tuple[str, int]] = set()
    for n in range(10_000, 70_000, ROWS_A_BATCH):
        answer = send(feed, n)
        if answer.status_code != 200:
            assert_refused_in_words(answer)
            return taken
        taken |= keys_of(rows(GATES[0], n, ROWS_A_BATCH))
    raise AssertionError("the disk never was full")


def write_matter(desk: httpx.Client, text: str = "x") -> httpx.Response:
    told = {"id": ids.new_id(), "kind": "note", "priority": 4, "text": text}
    return desk.post("/api/matters", json=told)


def write_long_matters(desk: httpx.Client) -> httpx.Response:
    """Write long matters until one is refused: a short one may still fit where a batch does not."""
    for _ in range(500):
        answer = write_matter(desk, "满" * 2000)
        if answer.status_code != 200:
            return answer
    raise AssertionError("every matter still fitted")


def assert_the_reason_is_read_without_signing_in(installation: Installation) -> None:
    """A session is a write, so nobody new gets in; what stands still and why is told to everybody."""
    with httpx.Client(base_url=installation.address, timeout=30) as anybody:
        told = {"name": installation.names[Role.ADMIN], "password": PASSWORD}
        assert_refused_in_words(anybody.post("/api/session", json=told))
        until, stopped = time.monotonic() + 40, dict[str, Any]()
        while "storage.write" not in stopped and time.monotonic() < until:
            time.sleep(0.1)
            health = anybody.get("/api/health")
            stopped = {one["name"]: one for one in health.json()["jobs"] if one["state"] == "stopped"}
        assert (health.status_code, health.json()["state"]) == (503, "failing")
        assert "Nothing was saved" in stopped["storage.write"]["reason"], stopped
        assert stopped["storage.write"]["zh"] and stopped["storage.write"]["en"]


def assert_refused_in_words(answer: httpx.Response) -> None:
    """507, with the reason in both languages and the promise that nothing was saved."""
    assert answer.status_code == 507, answer.text
    told = answer.json()
    assert told["error"].startswith("storage."), told
    assert "Nothing was saved" in told["message"]["en"]
    assert "未保存任何内容" in told["message"]["zh"]
