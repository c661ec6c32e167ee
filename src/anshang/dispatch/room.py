"""Assignments, the ladder, who should go, boards, what a phone shows."""

from __future__ import annotations

from collections.abc import Iterator

from anshang.crowds.watch import Watch
from anshang.dispatch import api, board_api
from anshang.dispatch.board import BoardKind
from anshang.dispatch.dispatcher import Dispatcher
from anshang.dispatch.model import AssignmentKind
from anshang.dispatch.sweep import Sweep
from anshang.foundation.database import Database
from anshang.foundation.districts import Districts
from anshang.foundation.jobs import Job
from anshang.foundation.periods import MINUTE_S, STEP_S, once_a_minute
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.patrols.whereabouts import Whereabouts


def _dispatcher(services: Services) -> Dispatcher:
    return Dispatcher(services[Database], services[Watch], services[Whereabouts])


def _jobs(services: Services) -> Iterator[Job]:
    dispatcher = services[Dispatcher]
    sweep = Sweep(services[Database], dispatcher)
    services[Districts].on_gone.append(sweep.forget)
    yield Job(
        name="dispatch.ladder", run=sweep.go_on, every_s=STEP_S,
        lane="ladder", on_commit=True, en="The response ladder: asking the next unit, escalating",
        zh="响应阶梯（催办、改派、升级）",
    )  # fmt: skip
    yield Job(
        name="dispatch.reach", run=once_a_minute(dispatcher.renew), every_s=MINUTE_S, lane="forecast",
        poll_s=STEP_S, en="Travel times and coverage", zh="到达时间与覆盖范围",
    )  # fmt: skip


ROOM = Room(
    name="dispatch",
    routers=(api.router, board_api.router),
    events=(AssignmentKind, BoardKind),
    makes={Dispatcher: _dispatcher},
    jobs=_jobs,
)
