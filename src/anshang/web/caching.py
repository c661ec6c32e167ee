"""No answer of the API is kept by a browser or a proxy, for some tell of people; each bears the district's
time, by which a phone with a wrong clock works.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anshang.foundation import clock

TIME_HEADER = "X-Server-Time"


class Uncached:
    """ASGI edge that adds the present instant below `/api/`, and `Cache-Control: no-store` unless an answer
    says otherwise itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on; mark its answer."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers[TIME_HEADER] = clock.now().isoformat()
            await send(message)

        await self.app(scope, receive, sending)
