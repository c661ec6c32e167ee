"""What is done with the weather: it is told, by a feed or from a file."""

from __future__ import annotations

from collections.abc import Sequence

from anshang.crowds import weather_store as store
from anshang.crowds.weather import HOURS_MOST, WeatherHour, WeatherKind
from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput
from anshang.journal import actions as journal


def tell(tx: Transaction, *, actor: Actor, hours: Sequence[WeatherHour]) -> int:
    """Keep hours as they are told, all or none; how many. BadInput names the first that cannot be.

    A feed that may send counts may tell the weather, and who may configure the crowd.
    """
    actor.must_either(Permission.CROWD_CONFIGURE, Permission.CROWD_INGEST, tx.district_id)
    if not 0 < len(hours) <= HOURS_MOST:
        raise BadInput(
            "weather.many", en=f"1 to {HOURS_MOST:,} hours at once.", zh=f"每次须为 1 至 {HOURS_MOST} 小时。"
        )
    now = clock.now()
    for hour in hours:
        hour.check(now)
    last = {hour.at: hour for hour in hours}
    store.put_hours(tx.connection, tx.district_id, list(last.values()))
    details = {"hours": len(last), "first": min(last).isoformat(), "last": max(last).isoformat()}
    journal.record(tx, actor_id=actor.id, kind=WeatherKind.TOLD, subject_id=tx.district_id, details=details)
    return len(last)
