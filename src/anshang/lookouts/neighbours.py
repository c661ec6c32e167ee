"""Whoever may have left the district is looked for in those beside it, too, from the tenth minute.

A neighbour gets a look-out of its own with the merchants' words and the photograph, and neither a name nor a
telephone: who asks is the other desk. What it finds comes back; when she is found it ends, and is erased
there at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import numpy as np
import shapely
from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.actor import Permission
from anshang.foundation.database import Database
from anshang.kernels.geometry import LocalFrame
from anshang.kernels.routing import WALKING_M_PER_S
from anshang.lookouts import actions, store
from anshang.lookouts.asking import first_to_ask
from anshang.lookouts.model import Lookout, Sort, State
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import Priority
from anshang.partners import store as partners
from anshang.partners.doors import DoorBook
from anshang.people.model import engine_actor
from anshang.places import store as places
from anshang.places.model import District, Place
from anshang.vault import actions as vault
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose, RecordKind

BESIDE_M = 1_000.0
"""Districts with no more than that between them are beside each other."""
PASSED_ON, HEARD = "matter.lookout_from", "matter.lookout_beside"
LENT = (
    Permission.LOOKOUT_OPEN,
    Permission.MATTER_ACT,
    Permission.PERSON_READ,
    Permission.PERSON_KEEP,
    Permission.PERSON_ERASE,
)


def copy_id(lookout: Lookout, district_id: str) -> str:
    """The look-out of a neighbour that one of ours becomes; another one when she is lost again."""
    return ids.derived(lookout.id, f"{lookout.notice_id} in {district_id}")


def pass_on(database: Database, keyring: Keyring, book: DoorBook, lookout: Lookout) -> int:
    """Have the districts beside this one look, too; how many began to. A thing, and what is played in a
    drill, stay here, and what was passed on to us is not passed on again.
    """
    if lookout.sort is Sort.ITEM or lookout.drill or lookout.origin_district is not None:
        return 0
    with database.reading() as connection:
        known = places.list_real_district_ids(connection)
    with database.reading(known) as connection:
        here = places.load(connection, lookout.district_id)
        there = [places.load(connection, id) for id in known if id != lookout.district_id]
        near = [place for place in there if _gap_m(here, place) <= BESIDE_M]
        new = [place for place in near if not _goes_on(connection, place.district.id, lookout)]
    if not new:
        return 0
    words, photo = _told(database, keyring, lookout)
    for place in new:
        _begin(database, keyring, book, lookout, here.district, place, words, photo)
    return len(new)


def _goes_on(connection: Connection, district_id: str, lookout: Lookout) -> bool:
    """Whether a neighbour looks already, or has ended the very same."""
    looks = any(
        copy.origin_id == lookout.id and copy.state is State.OPEN
        for copy in store.list_live(connection, district_id)
    )
    return looks or store.lookouts.find(connection, district_id, copy_id(lookout, district_id)) is not None


def answer_back(database: Database, keyring: Keyring, lookout: Lookout) -> None:
    """Tell the district that asked what became of it here; end it when nobody is looked for there now."""
    if lookout.origin_district is None or lookout.origin_id is None:
        return
    with database.reading([lookout.origin_district, lookout.district_id]) as connection:
        copy = store.lookouts.get(connection, lookout.district_id, lookout.id)
        origin = store.lookouts.find(connection, lookout.origin_district, lookout.origin_id)
        news = origin is not None and _is_news(connection, copy, origin)
        here = places.get_district(connection, copy.district_id)
    if origin is None or origin.state is not State.OPEN:
        if copy.state is State.OPEN:
            _end(database, keyring, copy)
    elif news:
        _say(database, origin, here, found=copy.state is State.FOUND)


def _told(database: Database, keyring: Keyring, lookout: Lookout) -> tuple[dict[str, str], bytes | None]:
    """The merchants' words and the photograph; that they were read is journalled."""
    actor = engine_actor(lookout.district_id).lent(*LENT)
    with database.transaction(lookout.district_id) as tx:
        kept = actions.record_id(lookout.id, "words")
        words = vault.read(tx, keyring, actor=actor, id=kept, purpose=Purpose.LOOKOUT)
        photo_id = partners.notices.get(tx.connection, lookout.district_id, lookout.notice_id).photo_id
        photo = photo_id and vault.read(tx, keyring, actor=actor, id=photo_id, purpose=Purpose.LOOKOUT)
    told: dict[str, str] = msgspec.json.decode(words)
    return told, photo or None


def _begin(
    database: Database,
    keyring: Keyring,
    book: DoorBook,
    lookout: Lookout,
    asks: District,
    place: Place,
    words: dict[str, str],
    photo: bytes | None,
) -> None:
    district_id = place.district.id
    actor = engine_actor(district_id).lent(*LENT)
    lon, lat, seen_at = _comes_in(lookout, place)
    copy = Lookout(
        id=copy_id(lookout, district_id),
        district_id=district_id,
        sort=lookout.sort,
        age_band=lookout.age_band,
        seen_at=seen_at,
        lon=lon,
        lat=lat,
        zone_id=None,
        premises_id=None,
        opened_at=clock.now(),
        opened_by=actor.id,
        notice_id=ids.derived(lookout.notice_id, f"in {district_id}"),
        origin_district=lookout.district_id,
        origin_id=lookout.id,
    )
    who = {"needs": f"{asks.name_zh}转来的协查 · passed on by {asks.name_en}"}
    told = actions.Told(who, {"name": f"{asks.name_zh} · {asks.name_en}"}, words["zh"], words["en"])
    with database.reading([district_id]) as connection:
        ask = first_to_ask(connection, book, copy)
    with database.transaction(district_id) as tx:
        actions.open_lookout(tx, keyring, actor=actor, lookout=copy, told=told, ask=ask, insist=True)
        if photo is not None:
            kept = ids.derived(copy.id, "photo")
            vault.keep(
                tx, keyring, actor=actor, id=kept, subject_id=copy.id, kind=RecordKind.PHOTO,
                purpose=Purpose.LOOKOUT, content=photo,
            )  # fmt: skip
            actions.illustrate(tx, actor=actor, id=copy.id, photo_id=kept)
        params = {"sort": str(copy.sort), "zh": asks.name_zh, "en": asks.name_en}
        matters.retell(tx, actor=actor, id=copy.id, subject=PASSED_ON, params=params, priority=Priority.P2)


def _end(database: Database, keyring: Keyring, copy: Lookout) -> None:
    actor = engine_actor(copy.district_id).lent(*LENT)
    with database.transaction(copy.district_id) as tx:
        actions.close(tx, actor=actor, id=copy.id, outcome="")
        actions.erase(tx, keyring, actor=actor, id=copy.id)


def _say(database: Database, origin: Lookout, beside: District, *, found: bool) -> None:
    """The desk that asked must answer that at once."""
    actor = engine_actor(origin.district_id).lent(*LENT)
    params = {"zh": beside.name_zh, "en": beside.name_en, "found": found}
    with database.transaction(origin.district_id) as tx:
        actions.retell(tx, actor, origin, HEARD, params)


def _is_news(connection: Connection, copy: Lookout, origin: Lookout) -> bool:
    """Whether she was seen or found here, and the queue that asked says neither that nor more."""
    found = copy.state is State.FOUND
    here = matters_store.matters.get(connection, copy.district_id, copy.id)
    if not found and here.subject != f"{actions.SUBJECT}_seen":
        return False
    there = matters_store.matters.get(connection, origin.district_id, origin.id)
    return there.subject != HEARD or (found and not there.params["found"])


def _comes_in(lookout: Lookout, place: Place) -> tuple[float, float, datetime]:
    """Where she comes into a place soonest (degrees), and when at her pace in a straight line."""
    frame = LocalFrame(lookout.lon, lookout.lat)
    way = shapely.shortest_line(shapely.Point(0.0, 0.0), _ground(place, frame))
    walked = timedelta(seconds=way.length / (WALKING_M_PER_S * lookout.pace))
    ((lon, lat),) = frame.to_degrees(np.array([way.coords[-1]])).tolist()
    return lon, lat, min(lookout.seen_at + walked, clock.now())


def _gap_m(one: Place, other: Place) -> float:
    """Metres between the grounds of two places; infinite where one has none."""
    frame = LocalFrame(one.district.centre_lon, one.district.centre_lat)
    apart_m = shapely.distance(_ground(one, frame), _ground(other, frame))
    return float("inf") if np.isnan(apart_m) else float(apart_m)


def _ground(place: Place, frame: LocalFrame) -> shapely.GeometryCollection:
    """The zones of a place in the metres of a frame."""
    corners = [np.array(zone.polygon_lonlat[0], dtype=float) for zone in place.zones.values()]
    return shapely.GeometryCollection([shapely.Polygon(frame.to_metres(each)) for each in corners])
