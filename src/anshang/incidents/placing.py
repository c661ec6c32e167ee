"""Where a report is: what follows from the little that was said."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from anshang.foundation.errors import NotFound
from anshang.incidents.model import Spot
from anshang.places import store as places


def completed(connection: Connection, district_id: str, spot: Spot) -> Spot:
    """The spot with what follows from the rest of it; NotFound for a zone or premises that do not exist."""
    if spot.premises_id is not None:
        found = places.find_premises(connection, district_id, spot.premises_id)
        if found is None:
            raise NotFound("premises.missing", en="There are no such premises.", zh="没有该场所单位。")
        spot = spot if spot.lon is not None else replace(spot, lon=found.lon, lat=found.lat)
        spot = replace(spot, zone_id=spot.zone_id or found.zone_id)
    if spot.zone_id is not None and not places.has_zone(connection, district_id, spot.zone_id):
        raise NotFound(
            "zone.missing", en=f"There is no zone {spot.zone_id}.", zh=f"没有区域 {spot.zone_id}。"
        )
    if spot.zone_id is None and spot.lon is not None and spot.lat is not None:
        zone_id = places.find_zone_at(connection, district_id, spot.lon, spot.lat)
        spot = replace(spot, zone_id=zone_id)
    return spot
