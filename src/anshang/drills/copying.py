"""The copy of a district on which a drill plays: place, rules, categories, ladder, units, members, partners,
and a counter for each zone. Contacts stay in the vault of the real one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, TypeVar

from anshang.crowds import store as crowds
from anshang.crowds.model import Sensor, SensorKind
from anshang.dispatch import store as dispatch
from anshang.foundation import clock, ids
from anshang.foundation.database import Database, Transaction
from anshang.foundation.shelf import Kept, Shelf
from anshang.incidents import store as incidents
from anshang.journal.model import EVERYWHERE
from anshang.partners import store as partners
from anshang.patrols import store as patrols
from anshang.patrols.model import Unit, UnitStatus
from anshang.people import actions as people
from anshang.people.model import operator_actor
from anshang.places import actions as places

PERIOD_S = 10.0
MARK = "演练 ", "Drill: "
Value = TypeVar("Value", bound=Kept)


def sensor_of(zone_id: str) -> str:
    """The counter that tells how full a zone is in a drill."""
    return f"drill-{zone_id}"


def prepare(database: Database, district_id: str) -> str:
    """Make the copy, or bring the one of the last drill up to date, and let everybody of the district see it;
    returns its code.
    """
    copy_id = ids.drill_of(district_id)
    actor = operator_actor(district_id, copy_id)
    with database.reading([district_id]) as connection:
        document = places.export_document(connection, district_id)
        rules = crowds.list_rules(connection, district_id)
        categories = incidents.list_categories(connection, district_id)
        ladder = dispatch.get_ladder(connection, district_id)
        units = patrols.list_units(connection, actor.scope, district_id)
        members = patrols.list_all_members(connection, district_id)
        shops = partners.list_partners(connection, actor.scope, district_id)
    head = document["anshang"]
    head["district"] = _marked(head["district"], copy_id)
    zones = [one for one in document["features"] if one["properties"]["kind"] == "zone"]
    with database.transaction(copy_id) as tx:
        places.import_document(tx, actor=actor, document=json.dumps(document).encode())
        for applies_to, numbers in rules.items():
            crowds.put_rules(tx, applies_to, numbers)
        for category in categories.values():
            incidents.put_category(tx, category)
        dispatch.put_ladder(tx, ladder)
        for member in members:
            _keep(tx, patrols.members, replace(member, district_id=copy_id))
        for shop in shops:
            _keep(tx, partners.partners, replace(shop, district_id=copy_id))
        for unit in units:
            _keep(tx, patrols.units, _resting(unit, copy_id))
        for zone in zones:
            _keep(tx, crowds.sensors, _counter(copy_id, zone["id"], zone["properties"]["name"]))
    with database.transaction(EVERYWHERE) as tx:
        people.lend(tx, actor=actor, district_id=district_id, copy_id=copy_id)
    return copy_id


def dissolve(database: Database, district_id: str) -> None:
    """Nobody sees the copy any more; it is used again by the next drill."""
    copy_id = ids.drill_of(district_id)
    actor = operator_actor(district_id, copy_id)
    with database.transaction(EVERYWHERE) as tx:
        people.take_back(tx, actor=actor, copy_id=copy_id)


def _marked(district: dict[str, Any], copy_id: str) -> dict[str, Any]:
    """The district as its document has it, with the copy's code and a name that says that it is a drill."""
    name = district["name"]
    return district | {"id": copy_id, "name": {"zh": MARK[0] + name["zh"], "en": MARK[1] + name["en"]}}


def _resting(unit: Unit, copy_id: str) -> Unit:
    """The unit as it begins a drill: off duty, without a device."""
    return replace(
        unit,
        district_id=copy_id,
        status=UnitStatus.OFF_DUTY,
        since_at=clock.now(),
        duty_id=None,
        device_digest=None,
    )


def _counter(copy_id: str, zone_id: str, name: dict[str, str]) -> Sensor:
    return Sensor(
        id=sensor_of(zone_id),
        district_id=copy_id,
        kind=SensorKind.HEAD,
        gate_id=None,
        zone_id=zone_id,
        name_zh=name["zh"],
        name_en=name["en"],
        period_s=PERIOD_S,
    )


def _keep(tx: Transaction, shelf: Shelf[Value], value: Value) -> None:
    """Keep a value of the copy, in the place of the one that is there."""
    known = shelf.find(tx.connection, value.district_id, value.id)
    if known is None:
        shelf.add(tx, replace(value, version=1))  # type: ignore[type-var]
    elif replace(value, version=known.version) != known:  # type: ignore[type-var]
        shelf.put(tx, replace(value, version=known.version))  # type: ignore[type-var]
