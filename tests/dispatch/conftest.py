"""A street of three zones with a unit of every sort on duty, an incident to send them to, and time that moves
when it is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from tests.conftest import DISTRICT, NIGHT, Make
from tests.crowds.conftest import row_of_zones
from tests.incidents.conftest import reported
from tests.serving import open_account

from anshang.crowds.watch import Watch
from anshang.dispatch import actions, store
from anshang.dispatch.dispatcher import Dispatcher
from anshang.dispatch.model import Assignment
from anshang.dispatch.sweep import Sweep
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.incidents.model import Incident, Spot
from anshang.journal import store as journal
from anshang.journal.model import EVERYWHERE, Entry
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.patrols.model import Member, Unit, UnitStatus
from anshang.patrols.positions import Told
from anshang.patrols.whereabouts import Whereabouts, duty_of
from anshang.people import store as people
from anshang.people.model import Role, actor_of, operator_actor
from anshang.places import actions as places

MoveOn = Callable[[timedelta], None]
WEST, MIDDLE_LAT, EAST = 112.97, 28.1902, 112.9712
ADMIN = operator_actor(DISTRICT)
FIT = {"insured_until": date(2027, 6, 1), "trained_until": date(2027, 6, 1), "adult": True}


def street() -> bytes:
    """Three zones in a row, one street through all of them, and a safe house at its east end."""
    told = json.loads(row_of_zones())
    lons = [WEST, WEST + 0.0004, WEST + 0.0008, EAST]
    for n in range(3):
        told["features"].append(
            {
                "type": "Feature",
                "id": f"w{n}",
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[lons[n], MIDDLE_LAT], [lons[n + 1], MIDDLE_LAT]],
                },
                "properties": {
                    "kind": "walkway", "from": f"n{n}", "to": f"n{n + 1}", "length_m": 39.3, "width_m": 6.0,
                    "way": "street",
                },
            }
        )  # fmt: skip
    told["features"].append(
        {
            "type": "Feature",
            "id": "house",
            "geometry": {"type": "Point", "coordinates": [EAST, MIDDLE_LAT]},
            "properties": {
                "kind": "post", "name": {"zh": "平安屋", "en": "Safe house"}, "post_kind": "safe_house", "zone": "z2",
            },
        }
    )  # fmt: skip
    return json.dumps(told).encode()


@dataclass
class Duty:
    """The district at work: who is on duty with which unit, and where everybody is."""

    database: Database
    whereabouts: Whereabouts
    dispatcher: Dispatcher
    sweep: Sweep
    desk: Actor
    crews: dict[str, Actor]

    def act(self, verb: Callable[..., Any], **told: Any) -> Any:
        """One transaction."""
        with self.database.transaction(DISTRICT) as tx:
            return verb(tx, **told)

    def offered(self, incident: Incident, unit_id: str = "k1", **told: Any) -> Assignment:
        """The unit is asked to go."""
        told = {"actor": self.desk, "id": ids.new_id()} | told
        assignment: Assignment = self.act(actions.offer, incident_id=incident.id, unit_id=unit_id, **told)
        return assignment

    def accepted(self, incident: Incident, unit_id: str = "k1") -> Assignment:
        """The unit goes."""
        offered = self.offered(incident, unit_id)
        assignment: Assignment = self.act(
            actions.answer, actor=self.crews[unit_id], id=offered.id, accepted=True
        )
        return assignment

    def stand(self, unit_id: str, lon: float) -> None:
        """The unit tells that it is on the street at this longitude."""
        unit = self.unit(unit_id)
        told = [Told(clock.to_ms(clock.now()), lon, MIDDLE_LAT, 5.0)]
        assert self.whereabouts.take(unit, duty_of(self.database, unit), told, "phone").refused == ()

    def unit(self, id: str) -> Unit:
        """The unit as it is."""
        with self.database.reading([DISTRICT]) as connection:
            return patrols_store.units.get(connection, DISTRICT, id)

    def sent_to(self, incident: Incident) -> list[Assignment]:
        """Who was asked, oldest first."""
        with self.database.reading([DISTRICT]) as connection:
            return store.list_of_incidents(connection, DISTRICT, [incident.id])

    def entries(self, *nouns: str) -> list[Entry]:
        """What the journal says of these nouns."""
        with self.database.reading([DISTRICT]) as connection:
            told = journal.list_after(connection, DISTRICT, 0)
        return [entry for entry in told if entry.kind.split(".")[0] in nouns]

    def kinds(self, *nouns: str) -> list[str]:
        """What happened to these nouns."""
        return [entry.kind for entry in self.entries(*nouns)]

    def go_on(self) -> None:
        """One round of what goes on by itself."""
        self.sweep.go_on(DISTRICT)


def begun(database: Database, unit: Unit, *, fit: bool = True) -> Actor:
    """A unit on duty with a crew of one; the actor who is in it."""
    volunteer = unit.kind_id in ("volunteer", "lookout")
    role = Role.VOLUNTEER if volunteer else Role.PATROL
    name = open_account(database, role, DISTRICT)
    with database.reading([EVERYWHERE]) as connection:
        account = people.find_account_by_name(connection, name)
    assert account is not None
    with database.transaction(DISTRICT) as tx:
        patrols.define_unit(tx, actor=ADMIN, unit=unit)
        if fit:
            patrols.qualify(tx, actor=ADMIN, member=Member(account.id, DISTRICT, **FIT))
        patrols.begin_duty(tx, actor=ADMIN, id=ids.new_id(), unit_id=unit.id, crew=[account.id])
    return actor_of(account.id, name, role, None, (DISTRICT,))


def a_unit(id: str, kind: str, post_id: str | None = None) -> Unit:
    """A unit to enter."""
    return Unit(id, DISTRICT, kind, id.upper(), id, id, post_id, None, UnitStatus.OFF_DUTY, NIGHT)


def set_up(database: Database, make: Make, units: Sequence[Unit]) -> Duty:
    """The street with these units on duty."""
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=ADMIN, document=street())
    watch = Watch(database)
    whereabouts = Whereabouts(database)
    dispatcher = Dispatcher(database, watch, whereabouts)
    crews = {unit.id: begun(database, unit) for unit in units}
    return Duty(database, whereabouts, dispatcher, Sweep(database, dispatcher), make.actor(), crews)


@pytest.fixture
def duty(database: Database, night: MoveOn, make: Make) -> Duty:
    """Two officer pairs, a volunteer post and a safe house on duty: k1 in the west, v1 in the middle, k2 in
    the east.
    """
    units = [a_unit("k1", "officer_pair"), a_unit("k2", "officer_pair"), a_unit("v1", "volunteer")]
    made = set_up(database, make, [*units, a_unit("h1", "safe_house", "house")])
    for unit_id, lon in (("k1", WEST + 0.0001), ("v1", WEST + 0.0006), ("k2", EAST - 0.0001)):
        made.stand(unit_id, lon)
    return made


@pytest.fixture
def call(duty: Duty) -> Incident:
    """Somebody is lost in the west (P2)."""
    return lost(duty)


def lost(duty: Duty, lon: float = WEST + 0.0002, **changes: Any) -> Incident:
    """An incident on the street."""
    told = {"category_id": "lost_person", "spot": Spot(lon, MIDDLE_LAT)} | changes
    return reported(duty.database, duty.desk, **told)
