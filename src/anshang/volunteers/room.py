"""Who joins a volunteer team and how, shifts to sign up for and swap, hours and certificates."""

from __future__ import annotations

from collections.abc import Iterator

from anshang.foundation.database import Database
from anshang.foundation.jobs import Job
from anshang.foundation.periods import HOUSEKEEPING_S, MINUTE_S
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.people.model import engine_actor
from anshang.volunteers import actions, api
from anshang.volunteers.model import VolunteerKind


def _jobs(services: Services) -> Iterator[Job]:
    database = services[Database]

    def remind(district_id: str) -> None:
        actions.remind_of_ends(database, district_id, actor=engine_actor(district_id))

    yield Job(
        name="volunteers.remind", run=remind, every_s=MINUTE_S, lane="reminders",
        en="Reminders that insurance or training ends", zh="保险与培训到期提醒", first_s=HOUSEKEEPING_S,
    )  # fmt: skip


ROOM = Room(name="volunteers", routers=(api.router,), events=(VolunteerKind,), jobs=_jobs)
