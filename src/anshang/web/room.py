"""Sessions at the edge, the live stream, feeds' state and health."""

from __future__ import annotations

from anshang.foundation.database import Database
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.web import api, feeds_api
from anshang.web.budgets import Budgets
from anshang.web.live import Hub


def _hub(services: Services) -> Hub:
    database = services[Database]
    hub = Hub(database)
    database.on_commit.append(hub.wake)
    return hub


ROOM = Room(
    name="web",
    routers=(api.router, feeds_api.router),
    makes={Hub: _hub, Budgets: lambda _: Budgets()},
)
