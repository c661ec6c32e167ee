"""What the edge itself answers: what this installation is, whether it lives, and the live stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from anshang import __version__
from anshang.foundation.actor import Permission
from anshang.foundation.jobs import JobReport, JobState
from anshang.web.session import Caller, DistrictQuery, Running
from anshang.web.shapes import Demo, Shown

router = APIRouter(tags=["web"])


class Meta(Shown):
    """What everybody may know of the installation."""

    version: str
    demo: Demo | None


class JobShown(Shown):
    """A job of the background over all districts: its worst state, the oldest of its last successes, the
    districts where it is not `ok` (empty text: the whole installation), and in both languages what it does.
    """

    name: str
    state: JobState
    critical: bool
    last_ok_at: datetime | None
    failures: int
    failing_items: int
    reason: str
    districts: list[str]
    zh: str
    en: str


class Health(Shown):
    """Whether every job that matters runs and a write is possible (`ok`), else `failing`; how many live
    streams are open.
    """

    state: str
    streams: int
    jobs: list[JobShown]


@router.get("/api/meta")
def meta(running: Running) -> Meta:
    """Version, and the notice of a demonstration."""
    return Meta(version=__version__, demo=running.demo)


@router.get("/api/health", responses={503: {"model": Health}})
def health(running: Running, response: Response) -> Health:
    """For a supervisor process: 200 while every critical job has succeeded within three of its periods, 503
    otherwise. That a write is possible is the job `storage.write`.
    """
    by_name: dict[str, list[JobReport]] = {}
    for report in running.supervisor.report():
        by_name.setdefault(report.name, []).append(report)
    jobs = [_over_all_districts(reports) for reports in by_name.values()]
    failing = any(job.critical and job.state is JobState.STOPPED for job in jobs)
    response.status_code = 503 if failing else 200
    return Health(state="failing" if failing else "ok", streams=running.hub.listener_count, jobs=jobs)


def _over_all_districts(reports: Sequence[JobReport]) -> JobShown:
    states = list(JobState)
    worst = max(reports, key=lambda one: (states.index(one.state), one.failures))
    succeeded = [one.last_ok_at for one in reports]
    return JobShown(
        name=worst.name,
        state=worst.state,
        critical=worst.critical,
        last_ok_at=None if None in succeeded else min(at for at in succeeded if at is not None),
        failures=worst.failures,
        failing_items=sum(one.failing_items for one in reports),
        reason=worst.reason,
        districts=[one.district_id for one in reports if one.state is not JobState.OK],
        zh=worst.zh,
        en=worst.en,
    )


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
