"""Refuses a body that is too large before it is read: by its announced length, or by counting what
arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anshang.foundation.errors import BadInput
from anshang.foundation.feeds import Reason
from anshang.web.errors import refused, report

BODY_BYTES_MAX = 1_000_000


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
        limit = self._limit_of(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            await _refuse(limit, scope, receive, send)
            return
        arrived = 0

        async def receiving() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            return message if arrived <= limit else {"type": "http.disconnect"}

        async def sending(message: Message) -> None:
            if arrived <= limit:
                await send(message)

        with suppress(ClientDisconnect):
            await self.app(scope, receiving, sending)
        if arrived > limit:
            await _refuse(limit, scope, receive, send)

    def _limit_of(self, path: str) -> int:
        above = (limit for named, limit in self._larger.items() if f"{path}/".startswith(f"{named}/"))
        return next(above, BODY_BYTES_MAX)


async def _refuse(limit: int, scope: Scope, receive: Receive, send: Send) -> None:
    refusal = _too_large(limit)
    report(scope, Reason(refusal.code, refusal.en, refusal.zh), proved=False)
    await refused(refusal)(scope, receive, send)


def _too_large(limit: int) -> BadInput:
    return BadInput(
        "body.too_large",
        en=f"The request is larger than {limit:,} bytes.",
        zh=f"请求超过 {limit:,} 字节。",
        details={"limit_bytes": limit},
    )
