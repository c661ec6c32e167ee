"""What the edge itself answers: what this installation is, whether it lives, and the live stream."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from anshang import __version__
from anshang.foundation.actor import Permission
from anshang.web.session import Caller, DistrictQuery, Running
from anshang.web.shapes import Demo, Shown

router = APIRouter(tags=["web"])


class Meta(Shown):
    """What everybody may know of the installation."""

    version: str
    demo: Demo | None


class Health(Shown):
    """That the server answers, and how many live streams it holds open."""

    state: str
    streams: int


@router.get("/api/meta")
def meta(running: Running) -> Meta:
    """Version, and the notice of a demonstration."""
    return Meta(version=__version__, demo=running.demo)


@router.get("/api/health")
def health(running: Running) -> Health:
    """For a supervisor process: reads the database once."""
    with running.database.reading():
        return Health(state="ok", streams=running.hub.listener_count)


@router.get(
    "/api/live", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}}
)
def live(
    district: DistrictQuery,
    caller: Caller,
    since: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    last_event_id: Annotated[str | None, Header(max_length=20, pattern=r"^\d{1,15}$")] = None,
) -> StreamingResponse:
    """Server-sent events: `entry` (thin, with id), `frame` (state), `beat` every 10 s, `reset` when
    `since` is too old. It ends within 10 s after the session did, or the right to it.
    """
    caller.actor.must(Permission.LIVE_READ, district)
    after = int(last_event_id) if last_event_id is not None else since
    headers = {"X-Accel-Buffering": "no"}
    welcome = partial(caller.still_may, Permission.LIVE_READ, district)
    stream = caller.runtime.hub.stream(district, after, welcome)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
