"""The district: zones, gates, ways, premises, posts."""

from __future__ import annotations

from anshang.foundation.database import Database
from anshang.foundation.districts import Districts
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.places import api, store
from anshang.places.model import PlaceKind


def _districts(services: Services) -> Districts:
    database = services[Database]

    def stored() -> list[str]:
        with database.reading() as connection:
            return store.list_district_ids(connection)

    return Districts(stored)


ROOM = Room(name="places", routers=(api.router,), events=(PlaceKind,), makes={Districts: _districts})
