"""Work that is due once in a minute or once a day by the district's clock, which may run fast."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from anshang.foundation import clock

STEP_S = 1.0
HOUSEKEEPING_S = 5.0
MINUTE_S = 60.0
HOUR_S = 3600.0


class Once:
    """Does `work` with a district's id once in each of the periods that `begins` tells apart; again when it
    failed.
    """

    def __init__(self, work: Callable[[str], object], begins: Callable[[datetime], datetime]) -> None:
        self._work, self._begins = work, begins
        self._done: dict[str, datetime] = {}

    def __call__(self, district_id: str) -> None:
        """Do it unless that was done in this period."""
        period = self._begins(clock.now())
        if self._done.get(district_id) != period:
            self._work(district_id)
            self._done[district_id] = period

    def forget(self, district_id: str) -> None:
        """The district is no more."""
        self._done.pop(district_id, None)


def once_a_minute(work: Callable[[str], object]) -> Once:
    """`work` with a district's id, once in each minute."""
    return Once(work, lambda now: now.replace(second=0, microsecond=0))


def once_a_day(work: Callable[[str], object]) -> Once:
    """`work` with a district's id, once on each day (UTC)."""
    return Once(work, lambda now: now.replace(hour=0, minute=0, second=0, microsecond=0))
