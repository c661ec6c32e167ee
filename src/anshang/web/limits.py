"""Refuses a body that is too large before it is read: by its announced length, or by counting what
arrives. Of a stranger only STRANGERS_BYTES_MAX are read; for more, the caller must be known first.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from anyio import move_on_after
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anshang.foundation.errors import BadInput, Refusal
from anshang.foundation.feeds import Reason
from anshang.web.errors import refused, report
from anshang.web.session import recognise

BODY_BYTES_MAX = 1_000_000
LINGER_S = 5.0
STRANGERS_BYTES_MAX = 64_000
"""More than anything that is sent without a session or a key: signing in, a call for help, a certificate."""


class BodyLimit:
    """ASGI edge with one limit for all paths and larger ones for those named, and what is below them."""

    def __init__(self, app: ASGIApp, larger: Mapping[str, int]) -> None:
        self.app = app
        self._larger = dict(larger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on unless its body is too large."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(scope, receive, self._limit_of(scope["path"]))

        async def sending(message: Message) -> None:
            if body.refusal is None:
                await send(message)

        if await body.admits(body.announced_bytes()):
            with suppress(ClientDisconnect):
                await self.app(scope, body.receive, sending)
        if body.refusal is not None:
            report(scope, Reason(body.refusal.code, body.refusal.en, body.refusal.zh), proved=False)
            await refused(body.refusal)(scope, receive, body.lingering(send))

    def _limit_of(self, path: str) -> int:
        above = (limit for named, limit in self._larger.items() if f"{path}/".startswith(f"{named}/"))
        return next(above, BODY_BYTES_MAX)


class _Body:
    """The body of one request while it arrives; `refusal` says why no more of it is read."""

    def __init__(self, scope: Scope, receive: Receive, most_bytes: int) -> None:
        self.refusal: Refusal | None = None
        self._scope, self._receive, self._most_bytes = scope, receive, most_bytes
        self._arrived_bytes = 0
        self._free_bytes = STRANGERS_BYTES_MAX

    def announced_bytes(self) -> int:
        """The length that the request gives; 0 when it gives none, too much when it is not a number."""
        announced = dict(self._scope["headers"]).get(b"content-length", b"0")
        return int(announced) if announced.isdigit() else self._most_bytes + 1

    async def admits(self, size_bytes: int) -> bool:
        """Whether so much may be read; asks who calls only when it is more than a stranger may send."""
        if size_bytes > self._most_bytes:
            self.refusal = _too_large(self._most_bytes)
        elif size_bytes > self._free_bytes:
            try:
                await run_in_threadpool(recognise, Request(self._scope))
                self._free_bytes = self._most_bytes
            except Refusal as refusal:
                self.refusal = refusal
        return self.refusal is None

    async def receive(self) -> Message:
        """The next part, or the end of the connection once the body is refused."""
        message = await self._receive()
        self._arrived_bytes += len(message.get("body", b""))
        return message if await self.admits(self._arrived_bytes) else {"type": "http.disconnect"}

    def lingering(self, send: Send) -> Send:
        """Answer at once, and end the connection when the rest has come and was dropped, or LINGER_S later:
        a proxy that is still sending would hear of a broken connection and not of the answer.
        """

        async def linger(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({**message, "more_body": True})
            with move_on_after(LINGER_S):
                await self._drop_rest()
            await send({"type": "http.response.body", "body": b""})

        return linger

    async def _drop_rest(self) -> None:
        while self._arrived_bytes <= self._most_bytes:
            message = await self._receive()
            self._arrived_bytes += len(message.get("body", b""))
            if not message.get("more_body"):
                return


def _too_large(limit: int) -> BadInput:
    return BadInput(
        "body.too_large",
        en=f"The request is larger than {limit:,} bytes.",
        zh=f"请求超过 {limit:,} 字节。",
        details={"limit_bytes": limit},
    )
