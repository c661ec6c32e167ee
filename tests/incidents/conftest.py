"""A small district to report from: three zones in a row, with a shop in the first."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import DISTRICT, Make
from tests.crowds.conftest import row_of_zones

from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.incidents import actions, reading
from anshang.incidents.model import Incident, Source, Spot
from anshang.incidents.shapes import IncidentPage
from anshang.journal import store as journal
from anshang.people.model import operator_actor
from anshang.places import actions as places

INSIDE = (112.9702, 28.1902)
"""A point in zone z0."""


def document() -> bytes:
    """The zones and the shop."""
    told = json.loads(row_of_zones())
    told["features"].append(
        {
            "type": "Feature",
            "id": "p1",
            "geometry": {"type": "Point", "coordinates": list(INSIDE)},
            "properties": {
                "kind": "premises",
                "name": {"zh": "茶店", "en": "Tea shop"},
                "trade": "shop",
                "zone": "z0",
            },
        }
    )
    return json.dumps(told).encode()


@pytest.fixture
def district(database: Database) -> Database:
    """A database with the district."""
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=document())
    return database


def reported(database: Database, actor: Actor, **changes: Any) -> Incident:
    """An incident that somebody reported."""
    told: dict[str, Any] = {
        "id": ids.new_id(),
        "source": Source.PHONE,
        "text": "孩子走丢了",
        "category_id": None,
        "priority": None,
        "spot": Spot(zone_id="z1"),
    } | changes
    with database.transaction(DISTRICT) as tx:
        return actions.report(tx, actor=actor, **told)


def kinds(database: Database) -> list[str]:
    """What the journal says happened, but for the district itself."""
    with database.reading([DISTRICT]) as connection:
        return [e.kind for e in journal.list_after(connection, DISTRICT, 0) if e.kind != "place.imported"]


def page_of(database: Database, make: Make, id: str) -> IncidentPage:
    """What the desk reads of an incident."""
    with database.reading([DISTRICT]) as connection:
        return reading.page(connection, make.actor(), DISTRICT, id)


def act(database: Database, verb: Callable[..., Any], **told: Any) -> Any:
    """Do something in a transaction of its own."""
    with database.transaction(DISTRICT) as tx:
        return verb(tx, **told)
