"""What holds for reports of those who are not of the duty team."""

from __future__ import annotations

from sqlalchemy import Connection

from anshang.foundation.actor import Actor
from anshang.incidents.model import Source, Spot
from anshang.matters.model import Priority
from anshang.partners import store as partners
from anshang.people.model import Role
from anshang.places import store as places
from anshang.web.budgets import Budget

OF_TEAM = Budget("incident.report", most=60)
OF_OUTSIDERS = Budget("incident.report_outside", most=10)
OF_OUTSIDERS_LONG = Budget("incident.report_outside_hour", most=60, minutes=60)
"""So many of one account leave the queue readable until the desk has closed it."""
OF_SOS = Budget("incident.sos", most=120)
"""A phone says the same call for help again until it hears an answer."""


def budgets_of(actor: Actor, source: Source) -> tuple[Budget, ...]:
    """How many reports an account may send within a minute, and within an hour."""
    if source is Source.SOS:
        return (OF_SOS,)
    return (OF_TEAM,) if actor.sees_every_body else (OF_OUTSIDERS, OF_OUTSIDERS_LONG)


def most_urgent(
    connection: Connection, actor: Actor, district_id: str, urgency: Priority, spot: Spot
) -> Priority:
    """The urgency a report may have: P1 moves the whole team, so a partner may give it for its own premises
    alone, and P2 elsewhere; the desk judges.
    """
    if actor.role != Role.PARTNER or urgency is not Priority.P1:
        return urgency
    own = {one.premises_id for one in partners.list_partners(connection, actor.scope, district_id)}
    if spot.premises_id is None or spot.premises_id not in own:
        return Priority.P2
    door = places.find_premises(connection, district_id, spot.premises_id)
    at_the_door = door is not None and (door.lon, door.lat) == (spot.lon, spot.lat)
    return Priority.P1 if at_the_door else Priority.P2
