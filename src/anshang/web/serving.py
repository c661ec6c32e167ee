"""How the application is served: its sockets, how long they may be idle, and whom it believes about callers.

A socket that brings no whole request costs an open file. The system gives a process so many of them; without
a limit of ours, whoever opens a thousand and says nothing would take those of the database away.
"""

from __future__ import annotations

import asyncio
import resource
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import uvicorn
import uvloop
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

UNFINISHED_S = 15.0
"""Within this the headers of a request are here, and then so much more of its body each time."""
BODY_BYTES_LEAST = 15_000
"""About a kilobyte a second: slower than any telephone that can show the page."""
UNREAD_S = 60.0
"""So long an answer may wait for whoever asked to read it."""
HANDSHAKE_S = 10.0
"""Within this a TLS handshake is done, or it is given up."""
HANDSHAKES_MOST = 1_000
"""When more are unfinished, the oldest is given up: a telephone's takes a fraction of a second."""
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
        if has_no_room(self.connections):
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


class TlsDoor(asyncio.Protocol):
    """A connection until its TLS handshake is done; then it is the protocol's that `inner` is. It counts as
    an open one from its first byte on.
    """

    def __init__(
        self, inner: PromptProtocol, context: ssl.SSLContext, unfinished: dict[TlsDoor, None]
    ) -> None:
        self._inner, self._context, self._unfinished = inner, context, unfinished
        self._early, self._ended, self._lost = b"", False, False
        self._handshake: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, unless too many connections are open."""
        self._transport = cast(asyncio.Transport, transport)
        if has_no_room(self._inner.connections):
            self.shutdown()
            return
        self._inner.connections.add(cast(Any, self))
        self._unfinished[self] = None
        if len(self._unfinished) > HANDSHAKES_MOST:
            next(iter(self._unfinished)).shutdown()
        loop = asyncio.get_running_loop()
        self._handshake = loop.create_task(self._shake_hands())
        loop.call_soon(loop.call_soon, self._feed)  # after TLS has taken the transport over

    def data_received(self, data: bytes) -> None:
        """Keep what came before TLS listens, or together with the end of the handshake."""
        self._early += data

    def eof_received(self) -> None:
        """Nothing more will come."""
        self._ended = True

    def connection_lost(self, _exc: Exception | None) -> None:
        """There is nobody any more."""
        self._lost = True
        self._leave()

    def shutdown(self) -> None:
        """End it now: the server stops, or has no time for it."""
        self._leave()
        self._transport.abort()

    def _feed(self) -> None:
        """Give TLS what came before it listened: uvloop reads from the first moment."""
        early, self._early = self._early, b""
        reader = cast(asyncio.BufferedProtocol, self._transport.get_protocol())
        while early and not self._lost:
            buffer = cast(memoryview, reader.get_buffer(len(early)))
            size = min(len(buffer), len(early))
            buffer[:size] = early[:size]
            reader.buffer_updated(size)
            early = early[size:]

    async def _shake_hands(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                self._transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=HANDSHAKE_S,
            )
        except OSError:  # too slow, no TLS, or gone
            self.shutdown()
            return
        self._leave()
        if secured is not None and not self._lost:
            self._hand_over(secured)

    def _hand_over(self, secured: asyncio.Transport) -> None:
        secured.set_protocol(self._inner)
        self._inner.connection_made(secured)
        if self._early:
            self._inner.data_received(self._early)
        if self._ended:
            self._inner.eof_received()

    def _leave(self) -> None:
        self._unfinished.pop(self, None)
        self._inner.connections.discard(cast(Any, self))


class ServingLoop(uvloop.Loop):
    """An event loop whose TLS servers wait for no handshake for long, and for few at once."""

    async def create_server(  # type: ignore[override]
        self,
        factory: Callable[[], PromptProtocol],
        *args: Any,
        ssl: ssl.SSLContext | None = None,
        **more: Any,
    ) -> asyncio.AbstractServer:
        """As any event loop does; with `ssl` the handshake is a TlsDoor's."""
        if ssl is None:
            return await super().create_server(factory, *args, **more)
        unfinished: dict[TlsDoor, None] = {}
        return await super().create_server(lambda: TlsDoor(factory(), ssl, unfinished), *args, **more)


def has_no_room(connections: set[Any]) -> bool:
    """Whether one more connection would take the files that are kept for other things."""
    return len(connections) > open_files_limit() - FILES_KEPT


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
        loop="anshang.web.serving:ServingLoop",
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
        ssl_certfile=tls_folder and tls_folder / "server.pem",
        ssl_keyfile=tls_folder and tls_folder / "server.key",
        **more,
    )
