"""Somebody who is lost: where she may be, whom to ask, where to look, handing over."""

from __future__ import annotations

from collections.abc import Iterator

from anshang.foundation.database import Database
from anshang.foundation.districts import Districts
from anshang.foundation.jobs import Job
from anshang.foundation.periods import HOUSEKEEPING_S
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.lookouts import api
from anshang.lookouts.model import LookoutKind
from anshang.lookouts.sweep import LookoutSweep
from anshang.partners.doors import DoorBook
from anshang.vault.keys import Keyring


def _jobs(services: Services) -> Iterator[Job]:
    sweep = LookoutSweep(services[Database], services[Keyring], services[DoorBook])
    services[Districts].on_gone.append(sweep.forget)
    yield Job(
        name="lookouts.search", run=sweep.go_on, every_s=HOUSEKEEPING_S, lane="searches",
        first_s=HOUSEKEEPING_S, en="The automatic steps of searches for missing persons",
        zh="走失查找自动步骤",
    )  # fmt: skip


ROOM = Room(name="lookouts", routers=(api.router,), events=(LookoutKind,), jobs=_jobs)
