"""How the application is served: its sockets, how long they may be idle, and whom it believes about callers.

A socket that brings no whole request costs an open file. The system gives a process so many of them; without
a limit of ours, whoever opens a thousand and says nothing would take those of the database away.
"""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

UNFINISHED_S = 15.0
"""Within this the headers of a request are here, and then so much more of its body each time."""
BODY_BYTES_LEAST = 15_000
"""About a kilobyte a second: slower than any telephone that can show the page."""
UNREAD_S = 60.0
"""So long an answer may wait for whoever asked to read it."""
FILES_WANTED = 65_536
FILES_KEPT = 200
"""For the database, its log, photographs' keys and the console's files: never given to sockets."""


class PromptProtocol(HttpToolsProtocol):
    """HTTP/1.1 that closes a connection whose request does not come, and takes no more than there is room
    for.
    """

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _arrived_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless too many are open."""
        super().connection_made(transport)
        if len(self.connections) > open_files_limit() - FILES_KEPT:
            transport.abort()
        else:
            self._await_request()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._arrived_bytes += len(data)
        super().data_received(data)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        for timer in (self._deadline, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The other side does not read as fast as we write; it has a while to begin again."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def _await_request(self) -> None:
        if self._deadline is None and self._is_unfinished():
            self._arrived_bytes = 0
            self._deadline = self.loop.call_later(UNFINISHED_S, self._look_again)

    def _is_unfinished(self) -> bool:
        """Whether something of a request lacks; a request at work, or the pause after one, has other ends."""
        if self.cycle is None:
            return True
        if self.cycle.response_complete:
            return self.timeout_keep_alive_task is None
        return self.cycle.more_body

    def _look_again(self) -> None:
        self._deadline = None
        if not self._is_unfinished():
            return
        in_body = self.cycle is not None and not self.cycle.response_complete
        if in_body and (self.flow.read_paused or self._arrived_bytes >= BODY_BYTES_LEAST):
            self._await_request()
        else:
            self.transport.abort()


def open_files_limit() -> int:
    """How many files and sockets this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def raise_open_files() -> None:
    """Ask the system for FILES_WANTED open files, or as many as it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serving_config(
    app: FastAPI, *, trusted_proxies: str = "", tls_folder: Path | None = None, **more: Any
) -> uvicorn.Config:
    """How uvicorn serves the application; `tls_folder` holds the certificate and its key, None for plain
    HTTP. Only what `trusted_proxies` (addresses or networks, separated by commas) say of a caller's address
    is believed.
    """
    return uvicorn.Config(
        app,
        http=PromptProtocol,
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
        ssl_certfile=tls_folder and tls_folder / "server.pem",
        ssl_keyfile=tls_folder and tls_folder / "server.key",
        **more,
    )
