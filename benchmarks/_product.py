"""The product as people run it: `anshang …` in a process of its own, and a client of its live stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks._ingest import DISTRICT

STOP_S = 10


@contextmanager
def running(*words: str, port: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`anshang WORDS --port PORT` until the block ends."""
    command = [sys.executable, "-m", "anshang", *words, "--port", str(port)]
    environment = {**os.environ, **environment}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stdout is not None:
            process.stdout.close()


def frames(client: httpx.Client, district: str = DISTRICT) -> Iterator[dict[str, Any]]:
    """The frames of a live stream as they come."""
    with client.stream("GET", "/api/live", params={"district": district}) as answer:
        answer.raise_for_status()
        event = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif event == "frame" and line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def tree_rss_mb(pid: int) -> float:
    """Megabytes (10^6 B) resident in a process and everything it started, shared pages counted in each."""
    rss_kb, waiting = 0, [pid]
    while waiting:
        process = Path("/proc") / str(waiting.pop())
        try:
            status = (process / "status").read_text()
            for task in (process / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
        rss_kb += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return rss_kb * 1024 / 1e6


def wait_for_line(process: subprocess.Popen[str], sign: str, seconds: float) -> str:
    """Read what the process prints until a line has the sign; the line."""
    until_s = time.monotonic() + seconds
    assert process.stdout is not None
    for line in process.stdout:
        if sign in line:
            return line.strip()
        assert time.monotonic() < until_s, "it took too long"
    raise AssertionError("the process ended")
