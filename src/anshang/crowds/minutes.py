"""What a minute leaves behind: the zones' figures, and the effect of measures that are a quarter of an hour
old.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from anshang.crowds import actions, observations, store
from anshang.crowds.given import ZoneFigures
from anshang.crowds.outlook import Outlooks
from anshang.crowds.telemetry import MINUTE_MS
from anshang.crowds.watch import Watch
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.items import Items
from anshang.people.model import engine_actor

Minute = tuple[int, Sequence[ZoneFigures]]


class MinuteKeeper:
    """Keeps the minutes of every district of this process."""

    def __init__(self, database: Database, watch: Watch, outlooks: Outlooks) -> None:
        self._database, self._watch, self._outlooks = database, watch, outlooks
        self._unkept: dict[str, list[Minute]] = {}
        """Minutes that an engine has given out and that are not on disk yet."""
        self._judging = Items()

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._unkept.pop(district_id, None)
        self._judging.forget(district_id)

    def keep(self, district_id: str) -> None:
        """Keep this minute's figures and those that a rebuilt engine went through; what cannot be written is
        kept the next time.
        """
        engine = self._watch.find(district_id)
        if engine is None:
            return
        unkept = self._unkept.setdefault(district_id, [])
        unkept += engine.drain_minutes()
        minute_ms = clock.to_ms(clock.now()) // MINUTE_MS * MINUTE_MS
        minutes = [*unkept, (minute_ms, engine.zone_figures())]

        def write(connection: Connection) -> None:
            for at_ms, zones in minutes:
                observations.keep_zone_minutes(connection, district_id, at_ms, zones)

        self._database.bulk(district_id, write)
        unkept.clear()
        self._outlooks.keep(district_id, minutes)

    def judge(self, district_id: str) -> None:
        """Read the effect of the measures that are due; ItemsFailed at the end when some cannot be judged."""
        due = clock.now() - actions.EFFECT_AFTER
        with self._database.reading([district_id]) as connection:
            measures = store.list_measures_to_judge(connection, district_id, due)
        judge = partial(self._judge, district_id)
        self._judging.each(district_id, [(one.id, partial(judge, one.id, one.zone_id)) for one in measures])

    def _judge(self, district_id: str, measure_id: str, zone_id: str) -> None:
        density = self._watch.density_of(district_id, zone_id)
        with self._database.transaction(district_id) as tx:
            actions.judge_measure(tx, actor=engine_actor(district_id), id=measure_id, density=density)
