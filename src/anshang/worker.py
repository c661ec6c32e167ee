"""The background work of one process: the jobs that every room declares, and those of the house itself.

Lanes are threads: the ladder never waits for the forecast, a search never for sealing, erasure never for a
roll-up. How jobs are isolated, retried and reported is `foundation/jobs.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from anshang.crowds.telemetry import put_mark
from anshang.foundation import clock, memory
from anshang.foundation.database import Database
from anshang.foundation.districts import Districts
from anshang.foundation.jobs import Job, Supervisor
from anshang.foundation.periods import HOUSEKEEPING_S, Once
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.journal.model import EVERYWHERE
from anshang.vault.keys import Keyring
from anshang.web.live import Hub

WRITTEN = "written"


def supervisor_of(services: Services, rooms: Sequence[Room]) -> Supervisor:
    """The supervisor of all jobs, those of one lane in the order in which they run; not started yet."""
    districts = services[Districts]
    jobs = [*_jobs(services), *(job for room in rooms for job in room.jobs(services))]
    supervisor = Supervisor(jobs, lambda: districts.known, is_gone=districts.is_gone)
    database, hub = services[Database], services[Hub]
    database.on_commit += [supervisor.committed, partial(_notice, districts, supervisor)]
    hub.tell_troubles(supervisor.troubles)
    districts.on_gone += [one.run.forget for one in jobs if isinstance(one.run, Once)]
    districts.on_gone += [hub.forget, database.forget, supervisor.forget]
    return supervisor


class Worker:
    """Starts and ends the background work of an installation."""

    def __init__(self, services: Services) -> None:
        self._keyring, self._districts = services[Keyring], services[Districts]
        self.supervisor = services[Supervisor]

    def prepare(self) -> None:
        """Build the engines from the store."""
        self._keyring.clear_scratch()  # of keys that were being written when the machine stopped
        self._districts.look()

    def start(self) -> None:
        """Build the engines, then begin the lanes."""
        self.prepare()
        self.supervisor.start()

    def stop(self) -> None:
        """End the lanes, each after the job it is at."""
        self.supervisor.stop()


def _jobs(services: Services) -> Iterator[Job]:
    """Whether anything can be written at all, which districts there are, and memory."""
    yield Job(
        name="storage.write", run=partial(_write, services[Database]), every_s=HOUSEKEEPING_S, lane="storage",
        by_district=False, en="Saving anything (disk or database)", zh="数据写入（磁盘或数据库）",
    )  # fmt: skip
    yield Job(
        name="places.list", run=services[Districts].look, every_s=HOUSEKEEPING_S, lane="districts",
        by_district=False, en="Noticing new districts", zh="识别新商圈", first_s=HOUSEKEEPING_S,
    )  # fmt: skip
    yield Job(
        name="memory.give_back", run=lambda _: memory.give_back(), every_s=HOUSEKEEPING_S,
        lane="housekeeping", by_district=False, critical=False,
        en="Returning freed memory", zh="内存回收", first_s=HOUSEKEEPING_S,
    )  # fmt: skip


def _write(database: Database, _: str) -> None:
    """Whether a write is possible, by a small one."""
    now_ms = clock.to_ms(clock.now())
    database.bulk(EVERYWHERE, lambda connection: put_mark(connection, EVERYWHERE, WRITTEN, now_ms))


def _notice(districts: Districts, supervisor: Supervisor, district_id: str) -> None:
    """Something was written in a district that is not known yet: it is new, as that of a drill."""
    if district_id not in (*districts.known, EVERYWHERE):
        for job in supervisor.jobs:
            if job.run == districts.look:
                supervisor.hurry(job)
