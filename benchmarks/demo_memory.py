"""Memory of the demonstration: `anshang demo`, from its start until its evening has run for 60 s.

Counted is the resident memory (VmRSS, MB of 10^6 B, shared libraries included) of the process and of
everything it starts, summed, ten times a second from the first instruction on: server, engine, feeder and
recorded data. The browser that it opens is a client that follows its entrance and the live stream. The peak
is reported. (Whoever signs in with a password instead takes 64 MB more for a moment: argon2id.) The peer is
an interpreter that has imported what the command line imports and does nothing.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import httpx
from tests.serving import free_port

from benchmarks import report
from benchmarks._product import frames, running, tree_rss_mb, wait_for_line

EVENING_S = 60
START_S = 300
SAMPLE_S = 0.1
MOST_MB = 300
IDLE = "import sys, anshang.cli; sys.stdout.write('ready\\n'); sys.stdout.flush(); sys.stdin.read()"


def peak_mb() -> float:
    """The demonstration's peak."""
    port = free_port()
    peaks, over = [0.0], threading.Event()
    with running("demo", port=port, BROWSER="echo %s") as process:

        def watch() -> None:
            while not over.wait(SAMPLE_S):
                peaks[0] = max(peaks[0], tree_rss_mb(process.pid))

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            entrance = wait_for_line(process, "/demo/enter", START_S)
            until_s = time.monotonic() + EVENING_S
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                client.get(entrance)
                for _frame in frames(client):
                    if time.monotonic() > until_s:
                        break
        finally:
            over.set()
            watching.join()
    return peaks[0]


def idle_mb() -> float:
    """An interpreter with the same imports."""
    with subprocess.Popen(
        [sys.executable, "-c", IDLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return tree_rss_mb(process.pid)


def main() -> None:
    """Measure both, report."""
    value = peak_mb()
    report(
        "demo.memory_peak",
        value,
        "MB",
        must=f"<= {MOST_MB} MB: RSS of the whole process tree, from its start to 60 s into the evening",
        ok=value <= MOST_MB,
        peer="an interpreter with the same imports, idle",
        peer_value=idle_mb(),
    )


if __name__ == "__main__":
    main()
