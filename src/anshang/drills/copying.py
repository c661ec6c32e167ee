"""The copy of a district on which one drill plays: place, rules, categories, ladder, units with who is on
duty, members, partners, and a counter for each zone. Contacts stay in the vault of the real one.

Every drill has a copy of its own, which is removed at its end: nothing of one drill can reach another,
neither in the database nor in memory. Which tables are copied and which begin empty is listed in `store`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from anshang.crowds import store as crowds
from anshang.crowds.model import Sensor, SensorKind
from anshang.drills import store
from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.patrols import positions
from anshang.patrols import store as patrols
from anshang.patrols.model import Duty, UnitStatus
from anshang.patrols.whereabouts import STALE_S
from anshang.people import actions as people
from anshang.people.model import operator_actor
from anshang.places import store as places
from anshang.vault import actions as vault
from anshang.vault.keys import Keyring

PERIOD_S = 10.0
MARK = "演练 ", "Drill: "


def sensor_of(zone_id: str) -> str:
    """The counter that says how full a zone is in a drill."""
    return f"drill-{zone_id}"


def prepare(database: Database, district_id: str, drill_id: str) -> None:
    """Make the copy for a drill and let everybody of the district see it."""
    copy_id = ids.checked_code(ids.drill_of(district_id, drill_id))
    now = clock.now()
    with database.reading([district_id]) as connection:
        rows = store.read_copied(connection, district_id)
        duties = [
            replace(duty, id=ids.derived(duty.id, copy_id), district_id=copy_id, began_at=now, version=1)
            for duty in patrols.list_open_duties(connection, district_id)
        ]
        since_ms = clock.to_ms(now) - round(STALE_S * 1000)
        latest = positions.list_latest(connection, district_id, since_ms)
        fixes = [fix._replace(source=positions.SIMULATED) for fix in latest.values()]
    duty_of = {duty.unit_id: duty for duty in duties}
    rows["districts"] = [_marked(row) for row in rows["districts"]]
    rows["units"] = [row | _ready(duty_of.get(row["id"])) for row in rows["units"]]
    units = {"units": rows.pop("units")}
    with database.transaction(copy_id) as tx:
        store.insert_copied(tx, rows)
        for zone in rows["zones"]:
            crowds.sensors.add(tx, _counter(copy_id, zone))
    with database.transaction(EVERYWHERE) as tx:
        actor = operator_actor(district_id, copy_id)
        people.lend(tx, actor=actor, district_id=district_id, copy_id=copy_id)
    with database.transaction(copy_id) as tx:  # only now may its crews serve there
        store.insert_copied(tx, units)
        for duty in duties:
            patrols.duties.add(tx, duty)
        positions.add(tx.connection, copy_id, fixes, clock.to_ms(now))


def copies_of(connection: Connection, district_id: str) -> list[str]:
    """The copies of the district that there are: that of the drill that goes on, and what an end that was
    interrupted, or an earlier release, left behind.
    """
    known = places.list_district_ids(connection)
    return [id for id in known if ids.is_drill(id) and ids.real_of(id) == district_id]


def remove(database: Database, keyring: Keyring, copy_id: str) -> None:
    """Nobody sees the copy any more, and nothing is left of it but its journal, sealed."""
    actor = operator_actor(copy_id)
    with database.transaction(EVERYWHERE) as tx:
        people.take_back(tx, actor=actor, copy_id=copy_id)
    with database.transaction(copy_id) as tx:
        vault.erase_all(tx, keyring, actor=actor)
        store.remove_rows(tx)
        journal.seal(tx, clock.now().date())


def _marked(row: dict[str, Any]) -> dict[str, Any]:
    """A district with a name that says that it is a drill."""
    return row | {"name_zh": MARK[0] + row["name_zh"], "name_en": MARK[1] + row["name_en"]}


def _ready(duty: Duty | None) -> dict[str, Any]:
    """What a unit does as the drill begins: free, or off duty, without a device and without a task."""
    return {
        "status": UnitStatus.OFF_DUTY if duty is None else UnitStatus.FREE,
        "since_at": clock.now(),
        "duty_id": None if duty is None else duty.id,
        "device_digest": None,
    }


def _counter(copy_id: str, zone: dict[str, Any]) -> Sensor:
    return Sensor(
        id=sensor_of(zone["id"]),
        district_id=copy_id,
        kind=SensorKind.HEAD,
        gate_id=None,
        zone_id=zone["id"],
        name_zh=zone["name_zh"],
        name_en=zone["name_en"],
        period_s=PERIOD_S,
    )
