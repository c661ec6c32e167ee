"""Helsinki's streets with a thousand units on duty and twenty open incidents, as one of our districts."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from anshang.crowds.watch import Watch
from anshang.demonstration.scenes import open_scene
from anshang.dispatch.dispatcher import Dispatcher
from anshang.foundation import clock, ids, migrations
from anshang.foundation.database import Database
from anshang.incidents import actions as incidents
from anshang.incidents.model import Source, Spot
from anshang.journal.model import EVERYWHERE
from anshang.matters.model import Priority
from anshang.patrols import positions, store
from anshang.patrols.model import Duty, Unit, UnitStatus
from anshang.patrols.positions import Fix
from anshang.patrols.whereabouts import Whereabouts
from anshang.people import actions as people
from anshang.people.model import Role, actor_of, operator_actor
from anshang.places import actions as places
from anshang.places.model import Place

DISTRICT = "helsinki"
UNITS, INCIDENTS = 1000, 20
DESK = actor_of(ids.new_id(), "desk", Role.DESK, None, (DISTRICT,))


def district(folder: Path) -> tuple[Database, Dispatcher, Whereabouts, Place, list[str]]:
    """The district in a fresh database; the ids of its incidents."""
    scene = open_scene(DISTRICT)
    database = Database(f"sqlite:///{folder / 'anshang.db'}")
    migrations.upgrade(database)
    chance = random.Random(5)
    points = [point for way in scene.place.walkways for point in way.line_lonlat]
    crew = (officer(database, DISTRICT),)
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=scene.document)
        for number in range(UNITS):
            now = clock.now()
            duty = Duty(ids.new_id(), DISTRICT, f"u{number}", crew, now)
            unit = Unit(
                f"u{number}",
                DISTRICT,
                "officer_pair",
                f"U{number}",
                "甲",
                "A",
                None,
                None,
                UnitStatus.FREE,
                now,
            )
            store.units.add(tx, replace(unit, duty_id=duty.id))
            store.duties.add(tx, duty)
        asked = [
            incidents.report(
                tx, actor=DESK, id=ids.new_id(), source=Source.PHONE, text="", category_id="help",
                priority=Priority(1 + number % 4), spot=Spot(*chance.choice(points)),
            ).id
            for number in range(INCIDENTS)
        ]  # fmt: skip
    move(database, points, chance)
    watch, whereabouts = Watch(database), Whereabouts(database)
    return database, Dispatcher(database, watch, whereabouts), whereabouts, scene.place, asked


def officer(database: Database, district_id: str) -> str:
    """The account of somebody who may be sent with a police unit."""
    with database.transaction(EVERYWHERE) as tx:
        opened = people.open_account(
            tx, actor=operator_actor(district_id), id=ids.new_id(), name="officer", display_name="officer",
            role=Role.PATROL, body_id=None, district_ids=(district_id,),
            password=people.PasswordHash("none"),
        )  # fmt: skip
    return opened.id


def move(database: Database, points: list[tuple[float, float]], chance: random.Random) -> None:
    """Every unit tells a position somewhere on the streets."""
    at_ms = clock.to_ms(clock.now())
    fixes = [Fix(f"u{number}", at_ms, *chance.choice(points), 8.0, "phone") for number in range(UNITS)]
    database.bulk(DISTRICT, lambda connection: positions.add(connection, DISTRICT, fixes, at_ms))
