"""What happened: append-only, chained, sealed daily."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.jobs import Job
from anshang.foundation.periods import HOUSEKEEPING_S, MINUTE_S, once_a_day
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.journal import actions
from anshang.journal.model import EVERYWHERE
from anshang.journal.trust import TrustedClock


def _seal(database: Database, district_id: str) -> None:
    with database.transaction(district_id or EVERYWHERE) as tx:
        actions.seal_through(tx, clock.now().date() - timedelta(days=1))


def _jobs(services: Services) -> Iterator[Job]:
    seal = services[TrustedClock].before(
        partial(_seal, services[Database])
    )  # a day of a wrong clock is no day
    yield Job(
        name="journal.seal_common", run=once_a_day(seal), every_s=MINUTE_S, lane="housekeeping",
        by_district=False, en="Sealing the installation's journal", zh="全局日志封存", first_s=HOUSEKEEPING_S,
    )  # fmt: skip
    yield Job(
        name="journal.seal", run=once_a_day(seal), every_s=MINUTE_S, lane="housekeeping",
        en="Sealing the journal", zh="日志封存", first_s=HOUSEKEEPING_S,
    )  # fmt: skip


ROOM = Room(name="journal", jobs=_jobs)
