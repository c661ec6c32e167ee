"""A scenario plays on a copy of the district; steps are timed."""

from __future__ import annotations

from collections.abc import Iterator

from anshang.crowds.ingest import Intake
from anshang.crowds.watch import Watch
from anshang.drills import api
from anshang.drills.model import DrillKind
from anshang.drills.playing import Player
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.foundation.jobs import Job
from anshang.foundation.periods import HOUSEKEEPING_S, STEP_S
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.patrols.whereabouts import Whereabouts
from anshang.vault.keys import Keyring


def _jobs(services: Services) -> Iterator[Job]:
    player = Player(
        services[Database], services[Intake], services[Watch], services[Whereabouts], services[Keyring]
    )

    def play(district_id: str) -> None:
        if ids.is_drill(district_id):
            player.go_on(district_id)

    yield Job(
        name="drills.play", run=play, every_s=STEP_S, lane="drills", first_s=HOUSEKEEPING_S,
        en="The drill's scenario", zh="演练脚本",
    )  # fmt: skip


ROOM = Room(name="drills", routers=(api.router,), events=(DrillKind,), jobs=_jobs)
