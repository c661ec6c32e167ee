"""Accounts, roles, bodies and feeds; who is calling."""

from __future__ import annotations

from anshang.foundation.database import Database
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.people import api, journal_api
from anshang.people.doorkeeper import Doorkeeper
from anshang.people.model import PeopleKind
from anshang.settings import Settings


def _doorkeeper(services: Services) -> Doorkeeper:
    return Doorkeeper(services[Database], tries_per_minute=services[Settings].sign_in_tries_per_minute)


ROOM = Room(
    name="people",
    routers=(api.router, journal_api.router),
    events=(PeopleKind,),
    makes={Doorkeeper: _doorkeeper},
)
