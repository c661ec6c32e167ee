"""What is done with the weather: it is told, by a feed or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from anshang.crowds import weather_store as store
from anshang.crowds.weather import HOURS_MOST, WeatherHour, WeatherKind
from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput
from anshang.journal import actions as journal
from anshang.places import store as places

FEED_AGO = timedelta(hours=48)


def tell(tx: Transaction, *, actor: Actor, hours: Sequence[WeatherHour]) -> int:
    """Keep hours as they are told, all or none; how many. BadInput names the first that cannot be.

    Who may configure the crowd may tell two years. A feed that may send counts may tell the last two days and
    what is ahead; that is telemetry, and stands in no journal.
    """
    actor.must_either(Permission.CROWD_CONFIGURE, Permission.CROWD_INGEST, tx.district_id)
    if not 0 < len(hours) <= HOURS_MOST:
        raise BadInput(
            "weather.many", en=f"1 to {HOURS_MOST:,} hours at once.", zh=f"每次须为 1 至 {HOURS_MOST} 小时。"
        )
    now = clock.now()
    zone = ZoneInfo(places.get_district(tx.connection, tx.district_id).time_zone)
    is_feed = not actor.may(Permission.CROWD_CONFIGURE, tx.district_id)
    for hour in hours:
        hour.check(now, zone)
        if is_feed:
            hour.check_since(now - FEED_AGO)
    last = {hour.at.astimezone(UTC): hour for hour in hours}
    store.put_hours(tx.connection, tx.district_id, list(last.values()))
    if not is_feed:
        details = {"hours": len(last), "first": min(last).isoformat(), "last": max(last).isoformat()}
        kind, subject = WeatherKind.TOLD, tx.district_id
        journal.record(tx, actor_id=actor.id, kind=kind, subject_id=subject, details=details)
    return len(last)
