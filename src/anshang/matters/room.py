"""What all kinds of matters share: the queue, priority, clocks, notes."""

from __future__ import annotations

from anshang.foundation.rooms import Room
from anshang.matters import api
from anshang.matters.model import MatterEvent

ROOM = Room(name="matters", routers=(api.router,), events=(MatterEvent,))
