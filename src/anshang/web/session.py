"""Who is calling, and the two doors of the database for a call.

A route opens `call.writing(district)` or `call.reading(district)` itself, so the transaction is committed
before the answer is made. A browser proves itself with an HttpOnly cookie and, when it writes, the
session's CSRF token in a header; a sensor feed with a bearer key. A route without a `Caller` is public, and
a test lists those.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import NotAllowed, NotSignedIn
from anshang.foundation.ids import CODE_PATTERN
from anshang.foundation.jobs import Supervisor
from anshang.foundation.wiring import Services
from anshang.web.budgets import Budget, Budgets
from anshang.web.live import Hub, nudges
from anshang.web.repeats import must_repeat
from anshang.web.shapes import Body, Demo

COOKIE = "anshang_session"
CSRF_HEADER = "X-CSRF-Token"
CLOCK_HEADER = "X-Clock"
"""What the clock that stamped the instants of a request shows while it is sent (ISO 8601)."""
T = TypeVar("T")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whose cookie has been recognised."""

    actor: Actor
    csrf_token: str


class Doorkeeper(Protocol):
    """Recognises callers; `people` provides it."""

    def visitor_of(self, token: str) -> Visitor | None:
        """The holder of a session token, None when the session has ended."""

    def feed_of(self, key: str) -> Actor | None:
        """The holder of a feed key, None when it opens nothing."""

    def admit_try(self, name: str, address: str) -> None:
        """TooOften when there were too many tries to sign in with the name or from the address."""

    def note_entry(self, name: str, address: str) -> None:
        """The name has signed in from the address."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """How the session's cookie is set: for how long, and whether over HTTPS only."""

    last: timedelta
    secure: bool
    last_for_partners: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a running server shares among its calls."""

    database: Database
    hub: Hub
    doorkeeper: Doorkeeper
    supervisor: Supervisor
    cookies: Cookies
    data_folder: Path
    """Where the installation keeps its files; the working folder when it has none yet."""
    demo: Demo | None = None
    budgets: Budgets = field(default_factory=Budgets)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request."""

    actor: Actor
    runtime: Runtime
    csrf_token: str = ""
    session_token: str = ""
    clock_ahead: timedelta = timedelta(0)
    path: str = ""

    def renewed(self) -> Call | None:
        """The same call by who the session's account is now; None when the session has ended."""
        visitor = self.runtime.doorkeeper.visitor_of(self.session_token)
        return None if visitor is None else replace(self, actor=visitor.actor)

    def still_may(self, permission: Permission, district_id: str) -> bool:
        """Whether the session, asked anew, still lasts and bears the permission."""
        now = self.renewed()
        return now is not None and now.actor.may(permission, district_id)

    def spend(self, *budgets: Budget) -> None:
        """Count one more of what the account may do within some minutes; TooOften when one is spent."""
        for budget in budgets:
            self.runtime.budgets.spend(budget, self.actor.id)

    @contextmanager
    def writing(self, district_id: str, sent: Body | None = None) -> Iterator[Transaction]:
        """One write in the district, committed when the block ends. With what was `sent`, an id of it that
        was sent with other content before is refused.
        """
        self._must_see(district_id)
        with self.runtime.database.transaction(district_id) as tx:
            tx.clock_ahead = self.clock_ahead
            yield tx
            if sent is not None:
                must_repeat(tx, self.path, sent)

    @contextmanager
    def reading(self, *district_ids: str) -> Iterator[Connection]:
        """One snapshot of the districts."""
        for district_id in district_ids:
            self._must_see(district_id)
        with self.runtime.database.reading(district_ids) as connection:
            yield connection

    def _must_see(self, district_id: str) -> None:
        if district_id not in self.actor.district_ids:
            raise NotAllowed(
                "district.unseen", en="You have no access to this district.", zh="您无权访问该商圈。"
            )


def nudged(call: Call, permission: Permission, district_id: str, nouns: tuple[str, ...]) -> StreamingResponse:
    """Server-sent events without a word in them: `nudge` after an entry whose kind begins with one of these.
    It ends within 10 s after the session did, or the right to it.
    """
    call.actor.must(permission, district_id)
    welcome = partial(call.still_may, permission, district_id)
    told = tuple(f'"kind": "{noun}'.encode() for noun in nouns)
    stream = nudges(call.runtime.hub.stream(district_id, None, welcome, told))
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def shared(kind: type[T]) -> Callable[[Request], Awaitable[T]]:
    """A dependency: what the rooms share by this type, as `Annotated[Keyring, Depends(shared(Keyring))]`."""

    async def find(request: Request) -> T:
        return services_of(request)[kind]

    return find


def services_of(request: Request) -> Services:
    """What the rooms share."""
    services: Services = request.app.state.services
    return services


def runtime_of(request: Request) -> Runtime:
    """The server's runtime."""
    return services_of(request)[Runtime]


def recognise(request: Request) -> Call:
    """The caller by cookie or by key; NotSignedIn, or NotAllowed when the CSRF token is missing."""
    runtime = runtime_of(request)
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        if (feed := runtime.doorkeeper.feed_of(key.strip())) is not None:
            return Call(feed, runtime, path=request.url.path)
        raise NotSignedIn("feed.unknown", en="This key opens nothing.", zh="该密钥无效。")
    token = request.cookies.get(COOKIE, "")
    visitor = runtime.doorkeeper.visitor_of(token) if token else None
    if visitor is None:
        raise NotSignedIn("session.missing", en="Please sign in.", zh="请先登录。")
    if request.method not in SAFE_METHODS and request.headers.get(CSRF_HEADER) != visitor.csrf_token:
        raise NotAllowed("csrf.missing", en="The request lacks its CSRF token.", zh="请求缺少 CSRF 令牌。")
    ahead = _clock_ahead(request)
    return Call(visitor.actor, runtime, visitor.csrf_token, token, ahead, request.url.path)


def _clock_ahead(request: Request) -> timedelta:
    """How far ahead of ours the caller's clock is; 0 for whoever does not say, or says what is no instant."""
    try:
        return clock.require_aware(datetime.fromisoformat(request.headers[CLOCK_HEADER])) - clock.now()
    except (KeyError, ValueError, OverflowError):
        return timedelta(0)


Caller = Annotated[Call, Depends(recognise)]
"""The authenticated caller of a route."""

Running = Annotated[Runtime, Depends(runtime_of)]
"""The server's runtime, for routes without a caller."""

DistrictQuery = Annotated[str, Query(alias="district", pattern=f"^{CODE_PATTERN}$")]
"""The district that a route concerns, `?district=`."""
