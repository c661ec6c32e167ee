"""Where the units are now, in memory: the newest position of each, how old it is, and what stands in for it.

Rebuilt from the store when a district is asked for the first time in this process.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from anshang.foundation import clock, feeds
from anshang.foundation.database import Database
from anshang.foundation.feeds import Feed, Reason
from anshang.patrols import positions, store
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Duty, Unit
from anshang.patrols.positions import REASONS, SIMULATED, Fix, Told
from anshang.places import store as places

STALE_S = 120.0
"""From this age on a position is drawn stale, and nobody is sent by it."""
HOLD_S = 30.0
"""How old a simulated position becomes before it is told anew."""
REMEMBERED_MS = 3_600_000
FEEDS = {"phone": Feed.PHONES, "osmand": Feed.OSMAND, "cot": Feed.COT}
"""Which feed a source of positions is."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A position that is not used: its number among those sent, and why."""

    number: int
    code: str

    @property
    def words(self) -> dict[str, str]:
        """The reason in both languages."""
        en, zh = REASONS[self.code]
        return {"en": en, "zh": zh}


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many positions were taken, how many were known, and which were refused."""

    taken: int
    repeated: int
    refused: tuple[Refused, ...]


class Whereabouts:
    """The newest positions of all districts of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, dict[str, Fix]] = {}
        self._centres: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def latest(self, district_id: str) -> dict[str, Fix]:
        """The newest position of every unit that told one within the last hour."""
        self._load(district_id)
        oldest_ms = clock.to_ms(clock.now()) - REMEMBERED_MS
        return {id: fix for id, fix in self._known[district_id].items() if fix.at_ms >= oldest_ms}

    def fresh(self, district_id: str) -> dict[str, Fix]:
        """The newest position of every unit that is not stale."""
        oldest_ms = clock.to_ms(clock.now()) - STALE_S * 1000
        return {id: fix for id, fix in self.latest(district_id).items() if fix.at_ms >= oldest_ms}

    def take(self, unit: Unit, duty: Duty | None, told: Sequence[Told], source: str) -> Receipt:
        """Take the positions of a unit's device; on disk before it is answered, and recorded."""
        receipt = self._taken(unit, duty, told, source)
        if receipt.taken or receipt.repeated:
            feeds.took(unit.district_id, FEEDS[source], receipt.taken)
        for one in receipt.refused:
            feeds.refused(unit.district_id, FEEDS[source], Reason(one.code, *REASONS[one.code], unit.id))
        return receipt

    def _taken(self, unit: Unit, duty: Duty | None, told: Sequence[Told], source: str) -> Receipt:
        if duty is None:
            off = tuple(Refused(number, "position.off_duty") for number in range(len(told)))
            return Receipt(0, 0, off)
        self._load(unit.district_id)
        now_ms = clock.to_ms(clock.now())
        last = self._known[unit.district_id].get(unit.id)
        fixes, refused = positions.sift(
            told,
            unit_id=unit.id,
            source=source,
            mode=KINDS[unit.kind_id].mode,
            began_ms=clock.to_ms(duty.began_at),
            centre=self._centres[unit.district_id],
            last=None if last is None or last.source == SIMULATED else last,
            now_ms=now_ms,
        )
        added = 0
        if fixes:
            add = positions.add
            added = self._database.bulk(unit.district_id, lambda c: add(c, unit.district_id, fixes, now_ms))
            self._move(unit.district_id, fixes[-1])
        return Receipt(added, len(fixes) - added, tuple(Refused(*each) for each in refused))

    def hold(self, district_id: str, unit_ids: Collection[str]) -> None:
        """Go on believing that those of the units which no device has moved since a drill began are where
        they stood then.
        """
        now_ms = clock.to_ms(clock.now())
        latest = self.latest(district_id)
        aging = [
            fix._replace(at_ms=now_ms)
            for id, fix in latest.items()
            if id in unit_ids and fix.source == SIMULATED and now_ms - fix.at_ms >= HOLD_S * 1000
        ]
        if aging:
            add = positions.add
            self._database.bulk(district_id, lambda c: add(c, district_id, aging, now_ms))
            for fix in aging:
                self._move(district_id, fix)

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        with self._lock:
            self._known.pop(district_id, None)
            self._centres.pop(district_id, None)

    def _move(self, district_id: str, fix: Fix) -> None:
        with self._lock:
            known = self._known[district_id]
            last = known.get(fix.unit_id)
            told = last is not None and last.source == SIMULATED and fix.source != SIMULATED
            if last is None or told or fix.at_ms >= last.at_ms:
                known[fix.unit_id] = fix

    def _load(self, district_id: str) -> None:
        if district_id in self._known:
            return
        since_ms = clock.to_ms(clock.now()) - REMEMBERED_MS
        with self._database.reading([district_id]) as connection:
            district = places.get_district(connection, district_id)
            latest = positions.list_latest(connection, district_id, since_ms)
        with self._lock:
            self._centres[district_id] = (district.centre_lon, district.centre_lat)
            self._known.setdefault(district_id, latest)


def duty_of(database: Database, unit: Unit) -> Duty | None:
    """The duty the unit is on, None when it is on none."""
    if unit.duty_id is None:
        return None
    with database.reading([unit.district_id]) as connection:
        return store.duties.find(connection, unit.district_id, unit.duty_id)
