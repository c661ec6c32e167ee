"""Refusals become HTTP answers here, in one table; so does the one place at the edge that catches
everything.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anshang.foundation import feeds, ids
from anshang.foundation.errors import (
    BadInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refusal,
    RuleBroken,
    StaleVersion,
    StorageAway,
    StorageFailed,
    TooOften,
)
from anshang.foundation.feeds import Feed, Reason
from anshang.web.shapes import BothLanguages, Problem

log = structlog.get_logger()

STATUS: dict[type[Refusal], int] = {
    BadInput: 400,
    NotSignedIn: 401,
    NotAllowed: 403,
    NotFound: 404,
    RuleBroken: 409,
    StaleVersion: 409,
    TooOften: 429,
    StorageFailed: 507,
    StorageAway: 503,
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in sorted({*STATUS.values(), 413, 422, 405})
}
"""What any route may answer besides success, for the API's description."""

FEEDS = {
    ("POST", "/api/observations"): Feed.COUNTS,
    ("POST", "/api/positions"): Feed.PHONES,
    ("GET", "/api/osmand"): Feed.OSMAND,
    ("POST", "/api/osmand"): Feed.OSMAND,
    ("POST", "/api/weather"): Feed.WEATHER,
    ("POST", "/api/weather/import"): Feed.WEATHER,
    ("POST", "/api/events/import"): Feed.EVENTS,
}
"""The routes that are feeds: whoever sends to them seldom reads the answer."""

_PLAIN = {
    400: ("request.unreadable", "The request is not readable JSON.", "请求不是有效的 JSON。"),
    404: ("route.missing", "There is nothing at this address.", "该地址不存在。"),
    405: ("method.missing", "This address does not know that method.", "该地址不支持此方法。"),
    413: ("body.too_large", "The request is too large.", "请求过大。"),
    422: ("request.malformed", "The request does not have the expected form.", "请求格式不正确。"),
}


def problem(status: int, error: str, en: str, zh: str, details: dict[str, Any] | None = None) -> JSONResponse:
    """A refusal as an HTTP answer."""
    shown = Problem(error=error, message=BothLanguages(en=en, zh=zh), details=details or {})
    headers = {"Retry-After": str((details or {}).get("retry_after_s", 60))} if status in (429, 503) else None
    return JSONResponse(shown.model_dump(), status, headers)


def refused(refusal: Refusal) -> JSONResponse:
    """The answer to a refusal; a body that is too large has its own status."""
    status = 413 if refusal.code == "body.too_large" else STATUS[type(refusal)]
    return problem(status, refusal.code, refusal.en, refusal.zh, refusal.details)


def report(scope: Scope, reason: Reason, *, proved: bool) -> None:
    """Keep a refused delivery with its feed, in the district it names if it `proved` its right to it."""
    feed = FEEDS.get((scope["method"], scope["path"].rstrip("/")))
    if feed is not None:
        named = parse_qs(scope["query_string"].decode("latin-1")).get("district", [""])[0]
        is_theirs = proved and re.fullmatch(ids.CODE_PATTERN, named)
        feeds.refused(named if is_theirs else feeds.UNASSIGNED, feed, reason)


async def _on_refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    proved = not isinstance(error, NotSignedIn | NotAllowed)
    report(request.scope, Reason(error.code, error.en, error.zh), proved=proved)
    return refused(error)


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    known = _PLAIN.get(error.status_code, ("http.error", "The request failed.", "请求失败。"))
    report(request.scope, Reason(*known), proved=False)
    return problem(error.status_code, *known)


async def _on_malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    where = [
        {"at": ".".join(map(str, fault["loc"])), "reason": str(fault["type"])}
        for fault in error.errors()[:20]
    ]
    report(request.scope, Reason(*_PLAIN[422], where[0]["at"]), proved=False)
    return problem(422, *_PLAIN[422], {"fields": where})


class LastResort:
    """ASGI edge: a fault of ours is logged with its trace and answered in words; nothing of it is shown."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on; answer 500 when it fails before its answer began."""
        began = False

        async def sending(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            log.exception("request.failed", path=scope.get("path"), method=scope.get("method"))
            if began or scope["type"] != "http":
                raise
            answer = problem(500, "server.failed", "Something broke on our side.", "服务器内部错误。")
            await answer(scope, receive, send)


def install(app: FastAPI) -> None:
    """Let the application answer refusals as problems."""
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_malformed)
