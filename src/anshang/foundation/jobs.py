"""Background work as a list of jobs, each supervised by (job, district).

A job says how often it runs, in which lane (a thread that only the jobs of that lane share) and what stands
still, in a duty officer's words, when it does not run. A failure is logged with its trace, tried again after
a pause that grows, and seen in `Supervisor.report`, which health, metrics and the desk read.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Protocol

import structlog

from anshang.foundation import clock
from anshang.foundation.errors import Refusal
from anshang.foundation.items import ItemsFailed, attempted, attempted_async, pause_s, shown_in_log

PERIODS = 3
"""A job that has not succeeded within so many of its periods stands still."""
OVERDUE_S_MIN = 5.0
"""However short its period, no job stands still before: one long step is no standstill."""
COMMIT_PAUSE_S = 0.1
"""Between two rounds of a lane that commits wake."""
JOIN_S = 10.0
EVERYWHERE = ""
"""The district of a job that runs once for the whole installation."""

log = structlog.get_logger()


class JobState(StrEnum):
    """How a job stands in one district."""

    OK = "ok"
    PARTIAL = "partial"
    """It failed just now, or it runs and some of its items fail."""
    STOPPED = "stopped"
    """It has not succeeded for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised:
    """Something that must get on every `every_s` seconds, named `room.verb`; `en` and `zh` are what stands
    still when it does not.

    What is `critical` decides whether the installation is healthy; the rest depends on others' services.
    """

    name: str
    every_s: float
    en: str
    zh: str
    critical: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Supervised):
    """Work that repeats: `run` gets a district's id, or EVERYWHERE when `by_district` is false.

    With `on_commit` it runs after every commit in its district, too.
    """

    run: Callable[[str], object]
    lane: str
    by_district: bool = True
    on_commit: bool = False
    first_s: float = 0.0
    poll_s: float = 0.0
    """How often `run` is called where the district's clock says when it is due; 0: once a period."""


@dataclass(frozen=True, slots=True)
class JobReport:
    """How a job stands in a district; `failures` count since it last succeeded.

    `reason` holds the words of a refusal or the name of an exception's class, never a message that could
    quote what people wrote.
    """

    name: str
    district_id: str
    state: JobState
    critical: bool
    last_ok_at: datetime | None
    failures: int
    failing_items: int
    reason: str
    en: str
    zh: str


class Progress(Protocol):
    """What a supervised task calls when it has got on, with the items of the round that failed, if any."""

    def __call__(self, error: ItemsFailed | None = None) -> None:
        """It has got on."""


class Track:
    """How one job, or one task of the event loop, has gone in one district; read from any thread."""

    def __init__(self, what: Supervised, district_id: str, began_s: float) -> None:
        self.what, self.district_id = what, district_id
        self.due_s = self._ok_s = began_s
        self.failures = 0
        self._ok_at: datetime | None = None
        self._failing_items = 0
        self._reason = ""

    def succeeded(self, now_s: float) -> None:
        """It ran, and nothing failed."""
        self._ok_s, self._ok_at = now_s, clock.now()
        self.failures, self._failing_items, self._reason = 0, 0, ""

    def failed(self, error: Exception, now_s: float) -> None:
        """It failed; when only some of its items did, it has run all the same."""
        if isinstance(error, ItemsFailed):
            self.succeeded(now_s)
            self._failing_items, error = error.count, error.first
        else:
            self.failures += 1
        self._reason = error.en if isinstance(error, Refusal) else type(error).__name__

    def report(self, now_s: float) -> JobReport:
        """How it stands at `now_s`."""
        overdue = now_s - self._ok_s > max(PERIODS * self.what.every_s, OVERDUE_S_MIN)
        troubled = self.failures or self._failing_items
        state = JobState.STOPPED if overdue else JobState.PARTIAL if troubled else JobState.OK
        what = self.what
        return JobReport(
            what.name, self.district_id, state, what.critical, self._ok_at, self.failures,
            self._failing_items, self._reason, what.en, what.zh,
        )  # fmt: skip


class Supervisor:
    """Runs jobs in their lanes from `start` to `stop`, and keeps tasks of the event loop alive.

    `districts` lists the districts of now; it is asked often. `is_gone` says whether one is no more, and is
    asked when a job has failed there: that is no failure.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        districts: Callable[[], Sequence[str]],
        now_s: Callable[[], float] = time.monotonic,
        is_gone: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.jobs = tuple(jobs)
        self.stopping = threading.Event()
        self._districts, self._now_s, self._is_gone = districts, now_s, is_gone
        self._tracks: dict[tuple[str, str], Track] = {}
        self._tasks: list[Track] = []
        self._threads: list[threading.Thread] = []
        self._woken = {job.lane: threading.Event() for job in jobs}

    def start(self) -> None:
        """Begin every lane."""
        for lane in self._woken:
            thread = threading.Thread(target=self._follow, args=(lane,), name=lane, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End every lane after the job it is at."""
        self.stopping.set()
        for woken in self._woken.values():
            woken.set()
        for thread in self._threads:
            thread.join(JOIN_S)

    def committed(self, district_id: str) -> None:
        """Something was written in the district: what waits for commits is due."""
        for job in self.jobs:
            if job.on_commit:
                self.hurry(job, district_id)

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        for job in self.jobs:
            self._tracks.pop((job.name, district_id), None)

    def hurry(self, job: Job, district_id: str = EVERYWHERE) -> None:
        """Run the job now, unless it fails: then it keeps its pause."""
        track = self._tracks.get((job.name, district_id))
        if track is not None and not track.failures:
            track.due_s = self._now_s()
            self._woken[job.lane].set()

    def run_due(self, lane: str) -> float:
        """Run what is due in a lane; the seconds until something is due again."""
        those = [(job, track) for job in self.jobs if job.lane == lane for track in self._of(job)]
        for job, track in those:
            if track.due_s <= self._now_s() and not self.stopping.is_set():
                self._run(job, track)
        return min((track.due_s for _, track in those), default=self._now_s() + 1.0) - self._now_s()

    def report(self) -> list[JobReport]:
        """How every job and task stands, in every district of now."""
        now_s = self._now_s()
        tracks = [track for job in self.jobs for track in self._of(job)]
        return [track.report(now_s) for track in (*tracks, *self._tasks)]

    def troubles(self, district_id: str) -> list[JobReport]:
        """What stands still, or runs only in part, in the district or for the whole installation."""
        now_s, here = self._now_s(), (district_id, EVERYWHERE)
        tracks = [
            track for track in (*list(self._tracks.values()), *self._tasks) if track.district_id in here
        ]
        reports = [track.report(now_s) for track in tracks]
        return [one for one in reports if one.state is JobState.STOPPED or one.failing_items]

    async def keep(
        self,
        task: Supervised,
        work: Callable[[Progress], Awaitable[object]],
        district_id: str = EVERYWHERE,
    ) -> None:
        """Keep a task of the event loop alive until `stop`: it calls what it is given whenever it has got
        on, and begins again after a failure, or when it ends by itself.
        """
        track = Track(task, district_id, self._now_s())
        self._tasks.append(track)
        try:
            while not self.stopping.is_set():
                error = await attempted_async(work(partial(self._got_on, track)))
                if error is not None:
                    self._failed(track, error)
                if not self.stopping.is_set():
                    await asyncio.sleep(pause_s(max(1, track.failures), task.every_s))
        finally:
            self._tasks.remove(track)

    def _got_on(self, track: Track, error: ItemsFailed | None = None) -> None:
        if error is None:
            track.succeeded(self._now_s())
        else:
            track.failed(error, self._now_s())

    def _follow(self, lane: str) -> None:
        woken = self._woken[lane]
        pause = COMMIT_PAUSE_S if any(job.on_commit for job in self.jobs if job.lane == lane) else 0.0
        while not self.stopping.is_set():
            woken.clear()
            wait_s = self.run_due(lane)
            self.stopping.wait(pause)
            woken.wait(max(0.0, wait_s - pause))

    def _of(self, job: Job) -> list[Track]:
        """How the job stands in each of its districts."""
        districts = self._districts() if job.by_district else (EVERYWHERE,)
        began_s = self._now_s() + job.first_s
        return [self._tracks.setdefault((job.name, id), Track(job, id, began_s)) for id in districts]

    def _run(self, job: Job, track: Track) -> None:
        track.due_s = max(track.due_s + (job.poll_s or job.every_s), self._now_s())
        error = attempted(partial(job.run, track.district_id))
        if error is None:
            track.succeeded(self._now_s())
        elif not self._gone(track.district_id):
            self._failed(track, error)

    def _gone(self, district_id: str) -> bool:
        """Whether the district was removed; assume that it exists when the database cannot answer."""
        gone: list[bool] = []
        attempted(lambda: gone.append(district_id != EVERYWHERE and self._is_gone(district_id)))
        return gone == [True]

    def _failed(self, track: Track, error: Exception) -> None:
        now_s, every_s = self._now_s(), track.what.every_s
        track.failed(error, now_s)
        if track.failures:
            track.due_s = now_s + pause_s(track.failures, every_s)
            where = {"job": track.what.name, "district": track.district_id}
            log.error("job.failed", **where, failures=track.failures, **shown_in_log(error))
