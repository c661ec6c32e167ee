"""Where somebody may be now, and whom to ask, which exits to watch and where to send units next.

Reckoned anew whenever it is asked for, from what is known at that moment: nothing is kept. What is known are
the place and instant at which she was last seen, today's crowd on the streets, every answer and every look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Scope
from anshang.kernels.daygrid import Bools, Reals
from anshang.kernels.routing import EdgeTimes
from anshang.kernels.search import Ground, Looks, after, ask_next, send_next, spread
from anshang.lookouts import store
from anshang.lookouts.model import DETECTION, Look, LookKind, Lookout
from anshang.lookouts.parties import on_the_way
from anshang.lookouts.strategies import (
    AHEAD_S,
    FINDS_IN_PREMISES,
    MOST_AT_ONCE,
    SEARCH_S,
    SUPPOSED_S,
    attraction_of,
    cover_after,
)
from anshang.partners import store as partners
from anshang.partners.doors import DoorBook, Doors, spots_of
from anshang.partners.model import Answer, Delivery, Partner
from anshang.patrols.model import Unit, UnitStatus
from anshang.patrols.positions import Fix

EXITS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a search: the n doors, how far each is (s), how likely she is there, who was asked and
    has answered, where a unit watches or is sent, how much of where she may be is to be asked.
    """

    doors: Doors
    times: EdgeTimes
    away_s: Reals
    chance: Reals
    likely_soon: Reals
    asked: Bools
    answered: Bools
    watched: Bools
    sent: Bools
    has_partner: Bools
    cover: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Sending:
    """A unit that should look at a place: how far (s), how likely she is there, what a minute gains."""

    unit_id: str
    place_id: str
    away_s: float
    chance: float
    gain_per_min: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to do next: partners to ask (ids of premises), exits to watch (ids of gates), units to send."""

    ask: tuple[str, ...]
    watch: tuple[str, ...]
    send: tuple[Sending, ...]


def search(connection: Connection, book: DoorBook, lookout: Lookout) -> Known:
    """What is known now."""
    doors = book.of(connection, lookout.district_id)
    times = book.times_now(doors)
    away_s = doors.seconds_from(times, spots_of(doors, [(lookout.lon, lookout.lat)]))[0]
    ground = Ground(away_s, attraction_of(doors), doors.is_exit)
    now = clock.now()
    elapsed_s = lookout.elapsed_s(now)
    number = {id: n for n, id in enumerate(doors.ids)}
    known = partners.list_partners(connection, Scope((lookout.district_id,), None), lookout.district_id)
    told = _told(connection, lookout, known)
    made = store.list_looks(connection, lookout.district_id, [lookout.id])
    looks = _looks(told, made, number, lookout, now)
    asked, answered, watched, sent, has_partner = (np.zeros(len(doors.ids), bool) for _ in range(5))
    for premises_id, delivery in told:
        if (n := number.get(premises_id)) is not None:
            asked[n] = True
            answered[n] |= delivery.answer is not None
    for look in made:
        if look.kind is LookKind.WATCH and (n := number.get(look.place_id)) is not None:
            watched[n] = True
    for place_id in on_the_way(made).values():
        if (n := number.get(place_id)) is not None:
            sent[n] = True
    for partner in known:
        if (n := number.get(partner.premises_id or "")) is not None:
            has_partner[n] = True
    return Known(
        doors=doors,
        times=times,
        away_s=away_s,
        chance=after(spread(ground, elapsed_s, lookout.pace), looks, elapsed_s),
        likely_soon=spread(ground, elapsed_s + AHEAD_S, lookout.pace),
        asked=asked,
        answered=answered,
        watched=watched,
        sent=sent,
        has_partner=has_partner,
        cover=cover_after(elapsed_s - SUPPOSED_S),
        at=now,
    )


def suggest(known: Known, units: Sequence[Unit], fixes: dict[str, Fix]) -> Suggestion:
    """What to do next, by the greatest gain in probability."""
    order = np.argsort(-known.chance, kind="stable")
    watch = [
        n for n in order.tolist() if known.doors.is_exit[n] and not known.watched[n] and known.chance[n] > 0
    ]
    return Suggestion(
        ask=tuple(known.doors.ids[n] for n in to_ask(known)),
        watch=tuple(known.doors.ids[n] for n in watch[:EXITS_SHOWN]),
        send=_sendings(known, units, fixes),
    )


def to_ask(known: Known) -> list[int]:
    """Where partners should be asked now (numbers of doors): where she is likeliest to be soon."""
    inside = np.where(known.has_partner, known.likely_soon, 0.0)
    total = float(inside.sum())
    if total <= 0:
        return []
    found: list[int] = ask_next(inside / total, known.asked, known.cover, MOST_AT_ONCE).tolist()
    return found


def _sendings(known: Known, units: Sequence[Unit], fixes: dict[str, Fix]) -> tuple[Sending, ...]:
    posts = {post.id: post.point_lonlat for post in known.doors.place.posts}
    free = [
        (unit, where)
        for unit in units
        if unit.status is UnitStatus.FREE and (where := _where(unit, fixes, posts)) is not None
    ]
    if not free:
        return ()
    spots = spots_of(known.doors, [where for _, where in free])
    travel_s = known.doors.seconds_from(known.times, spots)
    finds = np.where(known.doors.is_exit, DETECTION.patrol, FINDS_IN_PREMISES)
    finds = np.where(known.watched | known.sent, 0.0, finds)
    chosen, gains = send_next(known.chance, travel_s, finds, SEARCH_S)
    return tuple(
        Sending(
            unit_id=unit.id,
            place_id=known.doors.ids[place],
            away_s=round(float(travel_s[row, place]), 1),
            chance=round(float(known.chance[place]), 4),
            gain_per_min=round(gain, 5),
        )
        for row, ((unit, _), place, gain) in enumerate(
            zip(free, chosen.tolist(), gains.tolist(), strict=True)
        )
        if place >= 0
    )


def _where(
    unit: Unit, fixes: dict[str, Fix], posts: dict[str, tuple[float, float]]
) -> tuple[float, float] | None:
    """Where a unit is: its own position, else its post's."""
    fix = fixes.get(unit.id)
    return (fix.lon, fix.lat) if fix is not None else posts.get(unit.post_id or "")


def _told(connection: Connection, lookout: Lookout, known: Sequence[Partner]) -> list[tuple[str, Delivery]]:
    """What became of the notice at each premises."""
    premises = {one.id: one.premises_id for one in known}
    made = partners.list_deliveries(connection, lookout.district_id, [lookout.notice_id])
    return [(id, one) for one in made if (id := premises.get(one.partner_id)) is not None]


def _looks(
    told: Sequence[tuple[str, Delivery]],
    made: Sequence[Look],
    number: dict[str, int],
    lookout: Lookout,
    now: datetime,
) -> Looks:
    """All that has found nobody so far; a watch is as fresh as it can be."""
    rows = [
        (number[premises_id], delivery.answered_at, DETECTION.inside)
        for premises_id, delivery in told
        if delivery.answer is Answer.NOT_HERE and delivery.answered_at and premises_id in number
    ]
    rows += [
        (number[look.place_id], now if look.kind is LookKind.WATCH else look.at, DETECTION.patrol)
        for look in made
        if look.place_id in number and look.kind is not LookKind.SENT
    ]
    at_s = [(at - lookout.seen_at).total_seconds() for _, at, _ in rows]
    return Looks(
        np.array([place for place, *_ in rows], np.int64), np.array(at_s), np.array([c for *_, c in rows])
    )
