"""500 live streams, one frame a second: how late a frame arrives, and what share of a core the server takes.

The peer is the usual way: every stream's generator encodes its own frame from the shared state.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from anshang.foundation import migrations
from anshang.foundation.database import Database
from anshang.web.live import Hub
from benchmarks import percentile, report

CLIENTS = 500
FRAMES = 20
ZONES = 64


def frame() -> dict[str, object]:
    """A frame in which every zone changed."""
    zones = {
        f"z{n:02}": {
            "people": random.randint(0, 9000),
            "low": 1,
            "high": 2,
            "density": 1.23,
            "trend": 0.1,
            "level": 1,
        }
        for n in range(ZONES)
    }
    return {"sent_s": time.monotonic(), "people": 267_000, "zones": zones}


def serve_ours(port: int) -> None:
    """Our hub behind one route; frames come from another thread, as the engine's do."""
    folder = tempfile.mkdtemp()
    database = Database(f"sqlite:///{Path(folder) / 'b.db'}")
    migrations.upgrade(database)
    hub = Hub(database)
    app = FastAPI()

    @app.get("/live")
    async def live() -> StreamingResponse:
        return StreamingResponse(hub.stream("wuyi", None), media_type="text/event-stream")

    async def publish() -> None:
        await asyncio.to_thread(lambda: None)
        while True:
            await asyncio.sleep(1)
            hub.publish_frame("wuyi", json.dumps(frame()).encode())

    _serve(app, port, hub.run, publish)


def serve_peer(port: int) -> None:
    """Each stream encodes the state for itself."""
    app = FastAPI()
    state = {"frame": frame(), "number": 0}
    changed = asyncio.Condition()

    async def stream() -> AsyncIterator[bytes]:
        yield b"event: beat\ndata: {}\n\n"
        while True:
            async with changed:
                await changed.wait()
            yield b"event: frame\ndata: " + json.dumps(state["frame"]).encode() + b"\n\n"

    @app.get("/live")
    async def live() -> StreamingResponse:
        return StreamingResponse(stream(), media_type="text/event-stream")

    async def publish() -> None:
        while True:
            await asyncio.sleep(1)
            state["frame"] = frame()
            async with changed:
                changed.notify_all()

    _serve(app, port, publish)


def _serve(app: FastAPI, port: int, *loops: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        tasks = [asyncio.ensure_future(loop()) for loop in loops]
        await uvicorn.Server(uvicorn.Config(app, port=port, log_level="error")).serve()
        for task in tasks:
            task.cancel()

    asyncio.run(run())


async def listen(port: int, late_s: list[float], until_s: float) -> None:
    """One client on a bare socket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
    mark = b'"sent_s": '
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            chunk = await asyncio.wait_for(reader.read(1 << 16), left_s)
        except TimeoutError:
            break
        now_s = time.monotonic()
        at = chunk.find(mark)
        if at >= 0:
            late_s.append(now_s - float(chunk[at + len(mark) : chunk.find(b",", at)]))
    writer.close()


def cpu_s(pid: int) -> float:
    """Processor seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(serve: Callable[[int], None], port: int) -> tuple[float, float, int]:
    """p99 lateness (s), share of a core, frames received."""
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    process.start()
    time.sleep(4)
    late_s: list[float] = []

    async def listen_all() -> tuple[float, float]:
        until_s = time.monotonic() + FRAMES + 5
        clients = [asyncio.ensure_future(listen(port, late_s, until_s)) for _ in range(CLIENTS)]
        await asyncio.sleep(4)
        late_s.clear()  # connecting is not what is measured
        began_s, used_s = time.monotonic(), cpu_s(process.pid or 0)
        await asyncio.sleep(FRAMES)
        took = cpu_s(process.pid or 0) - used_s, time.monotonic() - began_s
        await asyncio.gather(*clients)
        return took

    used_s, lasted_s = asyncio.run(listen_all())
    process.terminate()
    process.join()
    return percentile(late_s, 0.99), used_s / lasted_s, len(late_s)


def main() -> None:
    """Measure both, report."""
    late_s, share, received = measure(serve_ours, 8911)
    peer_late_s, peer_share, _ = measure(serve_peer, 8912)
    must = "p99 <= 100 ms"
    peer = "each stream encodes for itself"
    well = late_s <= 0.1 and received > CLIENTS * FRAMES * 0.9
    report(
        "live.frame_lateness_p99",
        late_s * 1000,
        "ms",
        must=must,
        ok=well,
        peer=peer,
        peer_value=peer_late_s * 1000,
    )
    report(
        "live.server_core_share",
        share,
        "core",
        must="<= 0.25",
        ok=share <= 0.25,
        peer=peer,
        peer_value=peer_share,
    )


if __name__ == "__main__":
    main()
