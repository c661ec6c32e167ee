"""What is reported: categories, place, steps of its life, links, transfers."""

from __future__ import annotations

from anshang.foundation.rooms import Room
from anshang.incidents import api, category_api
from anshang.incidents.model import IncidentKind

ROOM = Room(name="incidents", routers=(api.router, category_api.router), events=(IncidentKind,))
