"""What anybody may know who stands in the district: how busy it is, which way is quieter, where help is.

No figures of people, only levels; a zone with fewer than FEW people says nothing of itself. Nothing is kept
of whoever asks: addresses are counted for a minute in memory, so that nobody can drown the desk.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Connection

from anshang.crowds.ahead import HORIZONS_S, Outlook
from anshang.crowds.given import ZoneFigures
from anshang.crowds.outlook import Outlooks
from anshang.crowds.watch import Watch
from anshang.desk import store
from anshang.foundation import clock
from anshang.foundation.errors import NotFound
from anshang.partners import store as partners
from anshang.places import store as places
from anshang.places.model import Place, PostType
from anshang.web.budgets import Budget, Budgets
from anshang.web.shapes import BothLanguages, Shown

FEW = 5
FOUND_MOST = 50
FOUND_SHOWN = timedelta(days=30)
"""For so long the public page shows what nobody has fetched."""
LIKELY = 0.5
AHEAD_S = 3_600
KEPT_S = 5.0
LOOKS = Budget("public.looks", most=600)
"""For one network: a crowd shares one behind a public Wi-Fi."""
PAPERS = Budget("public.papers", most=10)
"""Whoever checks more certificates is guessing."""
HELPS = (PostType.KIOSK, PostType.SAFE_HOUSE)


class PublicZone(Shown):
    """How busy a zone is now and in an hour (levels 0 to 4; null: not known, or too few to say)."""

    id: str
    name: BothLanguages
    level: int | None
    level_ahead: int | None
    quieter: BothLanguages | None


class PublicHelp(Shown):
    """A kiosk or a safe house."""

    name: BothLanguages
    kind: str
    lon: float
    lat: float


class PublicSpot(Shown):
    """Where a printed code hangs."""

    id: str
    name: BothLanguages
    lon: float
    lat: float


class PublicFound(Shown):
    """Something that was found: what, where and when."""

    thing: str
    zone: BothLanguages | None
    kept_at: datetime


class PublicShown(Shown):
    """A district for whoever stands in it."""

    name: BothLanguages
    at: datetime
    reminders: list[BothLanguages]
    zones: list[PublicZone]
    helps: list[PublicHelp]
    found: list[PublicFound]


class PublicDesk:
    """The public page's side of this process."""

    def __init__(self, watch: Watch, outlooks: Outlooks, budgets: Budgets) -> None:
        self._watch, self._outlooks, self._budgets = watch, outlooks, budgets
        self._kept: dict[str, tuple[float, PublicShown]] = {}
        self._lock = Lock()

    def admit_look(self, network: str) -> None:
        """TooOften when a network asks for what must be looked up more often than a crowd behind it would."""
        self._budgets.spend(LOOKS, network)

    def admit_paper(self, network: str) -> None:
        """TooOften when a network checks certificates as if it was guessing."""
        self._budgets.spend(PAPERS, network)

    def known(self, district_id: str) -> PublicShown | None:
        """The district as it was at most five seconds ago; None when it is to be computed anew."""
        until_s, known = self._kept.get(district_id, (0.0, None))
        return known if until_s >= time.monotonic() else None

    def shown(self, connection: Connection, district_id: str) -> PublicShown:
        """The district, computed at most every five seconds however many ask."""
        with self._lock:
            if (known := self.known(district_id)) is None:
                known = self._reckon(connection, district_id)
                self._kept[district_id] = (time.monotonic() + KEPT_S, known)
        return known

    def forget(self, district_id: str) -> None:
        """Reckon anew the next time."""
        self._kept.pop(district_id, None)

    def _reckon(self, connection: Connection, district_id: str) -> PublicShown:
        place = places.load(connection, district_id)
        engine, outlook = self._watch.find(district_id), self._outlooks.find(district_id)
        now = {} if engine is None else {figures[0]: figures for figures in engine.zone_figures()}
        ahead = {} if outlook is None else levels_ahead(outlook)
        district = place.district
        return PublicShown(
            name=BothLanguages(zh=district.name_zh, en=district.name_en),
            at=clock.now(),
            reminders=[
                BothLanguages(zh=one.words_zh, en=one.words_en)
                for one in partners.list_open_notices(connection, district_id)
                if one.public
            ],
            zones=[
                PublicZone(
                    id=id,
                    name=_name(place, id),
                    level=_level(now.get(id)),
                    level_ahead=ahead.get(id),
                    quieter=_quieter(place, now, id),
                )
                for id in place.zones
            ],
            helps=[
                PublicHelp(
                    name=BothLanguages(zh=post.name_zh, en=post.name_en),
                    kind=str(post.post_kind),
                    lon=post.point_lonlat[0],
                    lat=post.point_lonlat[1],
                )
                for post in place.posts
                if post.post_kind in HELPS
            ],
            found=_found(connection, place),
        )


def _found(connection: Connection, place: Place) -> list[PublicFound]:
    """What waits at the kiosk: what, where and when, and nothing by which to claim it."""
    kept = store.list_kept(connection, place.district.id, clock.now() - FOUND_SHOWN)
    return [
        PublicFound(
            thing=str(one.thing),
            zone=_name(place, one.zone_id) if one.zone_id and one.zone_id in place.zones else None,
            kept_at=one.kept_at,
        )
        for one in kept[:FOUND_MOST]
    ]


def find_spot(connection: Connection, district_id: str, id: str) -> PublicSpot:
    """The premises of a printed code; NotFound when there are none."""
    found = places.find_premises(connection, district_id, id)
    if found is None:
        raise NotFound("premises.missing", en="There are no such premises.", zh="没有该场所单位。")
    name = BothLanguages(zh=found.name_zh, en=found.name_en)
    return PublicSpot(id=id, name=name, lon=found.lon, lat=found.lat)


def levels_ahead(outlook: Outlook) -> dict[str, int]:
    """The level of each zone an hour from now: the highest that is more likely than not."""
    at = HORIZONS_S.index(AHEAD_S)
    return {zone.zone_id: sum(chances[at] >= LIKELY for chances in zone.chances) for zone in outlook.zones}


def _level(figures: ZoneFigures | None) -> int | None:
    if figures is None or figures[1] is None or figures[5] is None or figures[1] < FEW:
        return None
    return int(figures[5])


def _quieter(place: Place, now: dict[str, ZoneFigures], zone_id: str) -> BothLanguages | None:
    """The least dense zone next to one that is busy, when it is at least a level quieter."""
    here = _level(now.get(zone_id))
    if not here:
        return None
    beside = place.beside(zone_id)
    known = [(density, id) for id in beside if id in now and (density := now[id][4]) is not None]
    calm = [(density, id) for density, id in known if (now[id][5] or 0) < here]
    return _name(place, min(calm)[1]) if calm else None


def _name(place: Place, zone_id: str) -> BothLanguages:
    zone = place.zones[zone_id]
    return BothLanguages(zh=zone.name_zh, en=zone.name_en)
