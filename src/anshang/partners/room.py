"""Shops, property companies and their duties; notices, deliveries, answers; the council."""

from __future__ import annotations

from collections.abc import Iterator
from pkgutil import resolve_name

from anshang.crowds.watch import Watch
from anshang.foundation.database import Database
from anshang.foundation.jobs import Job
from anshang.foundation.periods import HOUSEKEEPING_S, MINUTE_S
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.partners import api, council_actions, council_api, push_api
from anshang.partners.council import CouncilEvent
from anshang.partners.doors import DoorBook
from anshang.partners.model import PartnerEvent
from anshang.partners.push import PushKind, PushSender, hosts
from anshang.people.model import engine_actor
from anshang.settings import Settings


def _push(services: Services) -> PushSender:
    settings = services[Settings]
    key = ""
    if settings.push_contact:  # what it takes is loaded only where it is wanted
        key = resolve_name("anshang.connectors.webpush:public_key")(settings.data_folder)
    return PushSender(key, hosts(settings.push_services))


def _jobs(services: Services) -> Iterator[Job]:
    database = services[Database]

    def bring_back(district_id: str) -> None:
        council_actions.bring_back(database, district_id, actor=engine_actor(district_id))

    yield Job(
        name="council.bring_back", run=bring_back, every_s=MINUTE_S, lane="reminders",
        en="Returning resolutions on their day", zh="议定事项到期提醒", first_s=HOUSEKEEPING_S,
    )  # fmt: skip


ROOM = Room(
    name="partners",
    routers=(api.router, council_api.router, push_api.router),
    events=(PartnerEvent, PushKind, CouncilEvent),
    makes={DoorBook: lambda services: DoorBook(services[Watch]), PushSender: _push},
    jobs=_jobs,
)
