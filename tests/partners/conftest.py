"""A street of shops: three zones in a row along one walkway, a shop every 20 m, an exit at each end, and the
bodies, accounts and partners of the shops.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from tests.serving import signed_in

from anshang.app import create_app
from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.partners import actions
from anshang.partners.model import Partner, Side
from anshang.people import actions as people
from anshang.people.model import Role, actor_of, operator_actor
from anshang.places import actions as places
from anshang.settings import Settings

LON, LAT, WIDTH = 112.97, 28.190225, 0.0004
SHOPS = tuple(f"p{n}" for n in range(6))
BODY = {shop: f"00000000-0000-7000-8000-00000000000{n}" for n, shop in enumerate(SHOPS)}
ADMIN = operator_actor(DISTRICT)


def street(walkway_m: float = 39.2) -> bytes:
    """The zones, three walkways through their middles, and the shops along them: p0 in the west, p5 in the east."""
    told = json.loads(row_of_zones())
    for n in range(3):
        ends = [[LON + n * WIDTH, LAT], [LON + (n + 1) * WIDTH, LAT]]
        told["features"].append(
            {
                "type": "Feature", "id": f"w{n}", "geometry": {"type": "LineString", "coordinates": ends},
                "properties": {
                    "kind": "walkway", "from": f"n{n}", "to": f"n{n + 1}", "length_m": walkway_m, "width_m": 6.0, "way": "street",
                },
            }
        )  # fmt: skip
    for n, shop in enumerate(SHOPS):
        trade = "transport" if shop == "p5" else "shop"
        told["features"].append(
            {
                "type": "Feature", "id": shop,
                "geometry": {"type": "Point", "coordinates": [LON + (n + 0.5) * WIDTH / 2, LAT + 0.00002]},
                "properties": {"kind": "premises", "name": {"zh": f"{n}号店", "en": f"Shop {n}"}, "trade": trade, "zone": f"z{n // 2}"},
            }
        )  # fmt: skip
    return json.dumps(told).encode()


def partner(shop: str, **changes: object) -> Partner:
    """The partner at a shop."""
    told = {"name_zh": f"{shop[1]}号店", "name_en": f"Shop {shop[1]}", "side": Side.SHOP, "premises_id": shop}
    return Partner(id=shop, district_id=DISTRICT, body_id=BODY[shop], **{**told, **changes})  # type: ignore[arg-type]


def prepare(database: Database, walkway_m: float = 39.2) -> None:
    """The street, the bodies and their partners."""
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=ADMIN, document=street(walkway_m))
    for shop in SHOPS:
        with database.transaction(EVERYWHERE) as tx:
            people.register_body(tx, actor=ADMIN, id=BODY[shop], name_zh=f"{shop}店", name_en=f"Shop {shop}")
        with database.transaction(DISTRICT) as tx:
            actions.enter(tx, actor=ADMIN, partner=partner(shop))


def shopkeeper(shop: str) -> Actor:
    """Somebody at the shop."""
    return actor_of(ids.new_id(), shop, Role.PARTNER, BODY[shop], (DISTRICT,))


@pytest.fixture
def quarter(database: Database) -> Database:
    """A database with the street and its partners."""
    prepare(database)
    return database


@pytest.fixture
def long_quarter(database: Database) -> Database:
    """The same, the street so long that a small child is not soon at its other end."""
    prepare(database, walkway_m=100.0)
    return database


@pytest.fixture
def app(quarter: Database, tmp_path: Path) -> FastAPI:
    """The whole application on it; its loops do not run."""
    return create_app(Settings(data_folder=tmp_path, database_url=quarter.url))


def at_shop(app: FastAPI, shop: str) -> TestClient:
    """The phone of a shop."""
    return signed_in(app, Role.PARTNER, DISTRICT, body_id=BODY[shop])
