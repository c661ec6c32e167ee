"""Each job of the background in turn fails, then hangs: health names it, the others go on, and it comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from anshang.app import create_app
from anshang.foundation.database import Database
from anshang.foundation.jobs import Job, Supervisor
from anshang.settings import Settings
from anshang.web.session import Runtime
from anshang.worker import Worker
from tests.test_worker import BROKEN, WELL, prepare

pytestmark = pytest.mark.slow
LATER_S = 4 * 3600.0
"""Three periods of every job are over."""
ROUND_S = 30.0
BEGUN_S = 5.0
"""All jobs have begun by then."""


@pytest.fixture
def app(database: Database, night: Callable[[timedelta], None], tmp_path: Path) -> Iterator[FastAPI]:
    """An application with two districts and every job there can be; no lane has begun."""
    for district_id in (BROKEN, WELL):
        prepare(database, district_id)
    app = create_app(
        Settings(
            data_folder=tmp_path,
            database_url=database.url,
            training_hour=4,
            notice_webhook_url="https://gateway.example/",
            notice_webhook_secret="whsec_bm90aGluZyB0byBiZSBoaWRkZW4gaGVyZQ==",
            push_contact="mailto:desk@example.org",
        )
    )
    app.state.services[Worker].prepare()
    yield app
    app.state.services[Runtime].database.dispose()


class Rounds:
    """The jobs with one of them replaced, each lane in a thread of its own as in a server, under a clock that the
    test moves.
    """

    def __init__(self, app: FastAPI, jobs: list[Job]) -> None:
        self.now_s = 0.0
        self.supervisor = Supervisor(jobs, lambda: [BROKEN, WELL], lambda: self.now_s)
        self._lanes = list(dict.fromkeys(job.lane for job in jobs))
        self._at_work: dict[str, threading.Thread] = {}
        app.state.services.add(replace(app.state.services[Runtime], supervisor=self.supervisor))
        self._client = TestClient(app)

    def run(self, *, but: str = "") -> None:
        """One round of every lane that is not at work still; waits for all but one."""
        for lane in self._lanes:
            if lane not in self._at_work:
                self._at_work[lane] = threading.Thread(
                    target=partial(self.supervisor.run_due, lane), daemon=True
                )
                self._at_work[lane].start()
        for lane in self._lanes:
            if lane != but:
                self._at_work[lane].join(ROUND_S)
                assert not self._at_work.pop(lane).is_alive(), f"{lane} does not go on"

    def health(self) -> tuple[int, dict[str, tuple[str, str, list[str]]]]:
        """The status, and of each job that is not well its state, the reason and the districts."""
        answer = self._client.get("/api/health")
        shown = answer.json()
        assert shown["state"] == ("ok" if answer.status_code == 200 else "failing")
        return answer.status_code, {
            one["name"]: (one["state"], one["reason"], one["districts"])
            for one in shown["jobs"]
            if one["state"] != "ok"
        }


def districts_of(job: Job) -> list[str]:
    return [BROKEN, WELL] if job.by_district else [""]


def test_every_kind_of_job_is_in_the_list(app: FastAPI) -> None:
    """The walks below go over the whole list; these are the jobs that an installation can be without."""
    names = [job.name for job in app.state.services[Worker].supervisor.jobs]
    assert len(names) == len(set(names)) >= 23
    assert {"forecasts.train", "partners.webhook", "partners.push"} <= set(names)


def test_each_job_that_fails_is_named_by_health_and_comes_back_and_no_other_notices(app: FastAPI) -> None:
    broken = list[str]()

    def unless_broken(job: Job, district_id: str) -> object:
        if job.name in broken:
            raise RuntimeError
        return job.run(district_id)

    for failing in app.state.services[Worker].supervisor.jobs:
        rounds = Rounds(
            app,
            [
                replace(one, run=partial(unless_broken, one))
                for one in app.state.services[Worker].supervisor.jobs
            ],
        )
        broken[:] = [failing.name]
        rounds.run()
        rounds.now_s = BEGUN_S
        rounds.run()
        assert rounds.health() == (200, {failing.name: ("partial", "RuntimeError", districts_of(failing))})
        rounds.now_s += LATER_S
        rounds.run()
        shown = {failing.name: ("stopped", "RuntimeError", districts_of(failing))}
        assert rounds.health() == (503 if failing.critical else 200, shown)
        broken.clear()
        rounds.now_s += LATER_S
        rounds.run()
        assert rounds.health() == (200, {}), failing.name


def test_each_job_that_hangs_is_named_by_health_and_comes_back_and_no_other_lane_notices(
    app: FastAPI,
) -> None:
    jobs = app.state.services[Worker].supervisor.jobs
    for hanging in jobs:
        released = threading.Event()

        def hang(district_id: str, job: Job = hanging, until: threading.Event = released) -> object:
            until.wait(ROUND_S)
            return job.run(district_id)

        rounds = Rounds(app, [replace(one, run=hang) if one is hanging else one for one in jobs])
        with ExitStack() as stack:
            stack.callback(released.set)
            rounds.run(but=hanging.lane)
            rounds.now_s = BEGUN_S
            rounds.run(but=hanging.lane)
            rounds.now_s += LATER_S
            rounds.run(but=hanging.lane)
            status, shown = rounds.health()
        sharing = {one.name for one in jobs if one.lane == hanging.lane}
        assert (shown[hanging.name][0], shown[hanging.name][2]) == ("stopped", districts_of(hanging))
        assert shown.keys() <= sharing, "another lane stood still"
        critical = any(one.critical for one in jobs if one.name in shown)
        assert status == (503 if critical else 200)
        rounds.run()
        rounds.now_s += LATER_S
        rounds.run()
        assert rounds.health() == (200, {}), hanging.name
