"""The engines of all districts in this process: built from the store, fed with what was taken, stepped
each second.

A crossing is shown at once and saved before it is forgotten: while the database cannot take it, it waits
here and is tried again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial, singledispatch
from typing import Any

import msgspec
from sqlalchemy import Connection

from anshang.crowds import alarms, observations, store
from anshang.crowds.engine import Engine
from anshang.crowds.model import (
    Crossing,
    EngineEvent,
    FaultReason,
    FlowChange,
    Observation,
    PersonCount,
    Sensor,
    SensorChange,
    ZoneState,
)
from anshang.crowds.turnstile import Turnstile
from anshang.foundation import clock
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database, Transaction
from anshang.foundation.items import Items
from anshang.matters import store as matters
from anshang.matters.model import Matter
from anshang.people.model import engine_actor
from anshang.places import store as places

Edition = tuple[int, tuple[tuple[str, int], ...]]
DELIVERY_S = 3.0
"""Real seconds a row may take to arrive before its sensor counts as silent."""


class Watch:
    """The running engines, by district."""

    def __init__(self, database: Database) -> None:
        self.turnstile = Turnstile()
        """What keeps rows and tells `taken` of them has to pass through it meanwhile."""
        self.on_gone: list[Callable[[str], None]] = []
        """Called with the id of each district that is no more."""
        self._database = database
        self._engines: dict[str, Engine] = {}
        self._came: dict[str, list[Observation]] = {}
        self._unsaved: dict[str, list[EngineEvent]] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._save_locks: dict[str, threading.RLock] = {}
        self._frames: dict[str, bytes] = {}
        self._editions: dict[str, Edition] = {}
        self._saving = Items()

    def load(self, district_id: str) -> None:
        """Build a district's engine anew from what is stored: after a restart, a new place, sensor or
        rule.
        """
        with self._save_lock(district_id), self._lock(district_id):
            now = clock.now()
            try:
                with ExitStack() as snapshot:
                    with self.turnstile.closed():  # what was told is in the snapshot, what comes now is not
                        connection = snapshot.enter_context(self._database.reading([district_id]))
                        edition = _edition(connection, district_id)
                        self._came[district_id] = []
                    engine = self._build(connection, district_id, now)
                if (before := self._engines.get(district_id)) is not None:
                    _keep_levels(engine, before)
                engine.settle(now)
                with self.turnstile.closed():
                    engine.take(self._came[district_id])
                    self._engines[district_id], self._editions[district_id] = engine, edition
            finally:
                self._came.pop(district_id, None)
            self._encode_full(district_id)

    def _build(self, connection: Connection, district_id: str, now: datetime) -> Engine:
        """The engine as the day's rows and what was decided make it."""
        place = places.load(connection, district_id)
        begins = place.district.day_begins(place.district.day_of(now))
        waiting = matters.list_waiting(connection, engine_actor(district_id).scope, district_id)
        engine = Engine(
            place,
            store.list_sensors(connection, district_id, retired_since=begins),
            rules=store.list_rules(connection, district_id),
            states=store.list_zone_states(connection, district_id),
            faults=_known_faults(waiting),
            over_gates=[m.params["gate"] for m in waiting if m.subject == alarms.SUBJECT_FLOW],
            grace_s=DELIVERY_S * clock.speed(),
        )
        counts = store.list_person_counts(connection, district_id, begins)
        until_ms = clock.to_ms(now + timedelta(hours=1))
        day = observations.minute_sums(connection, district_id, clock.to_ms(begins), until_ms)
        engine.rebuild(day, counts, now)
        return engine

    def refresh(self, district_id: str) -> None:
        """Build a district's engine when others have changed its place or sensors, or it has none yet."""
        with self._database.reading([district_id]) as connection:
            present = _edition(connection, district_id)
        if self._editions.get(district_id) != present:
            self.load(district_id)

    def let_go(self, district_id: str) -> None:
        """Forget a district that is no more, a copy whose drill is over; so do those in `on_gone`."""
        with self._lock(district_id):
            for kept in (self._engines, self._editions, self._frames, self._unsaved):
                kept.pop(district_id, None)
        self._saving.forget(district_id)
        for forget in self.on_gone:
            forget(district_id)
        for locks in (self._locks, self._save_locks):
            locks.pop(district_id, None)

    def find(self, district_id: str) -> Engine | None:
        """The district's engine, None when it is not watched."""
        return self._engines.get(district_id)

    def taken(self, district_id: str, rows: Sequence[Observation]) -> None:
        """Rows are on disk: let the engine count them, and the one that is being built, too."""
        if (came := self._came.get(district_id)) is not None:
            came.extend(rows)
        engine = self._engines.get(district_id)
        if engine is not None:
            engine.take(rows)

    def step(self, district_id: str) -> bytes:
        """Step a district's engine to the present and return the frame of what changed (JSON); what is to be
        saved of it waits for `save_changes`.
        """
        with self._lock(district_id):
            engine = self._engines[district_id]
            self._unsaved.setdefault(district_id, []).extend(engine.step(clock.now()))
            self._encode_full(district_id)
            return msgspec.json.encode(engine.frame(full=False))

    def save_changes(self, district_id: str) -> None:
        """Save what the steps found, in its order for each zone, gate and sensor; what cannot be saved waits
        for the next time, and keeps only what is about the same waiting. The engine goes on meanwhile.
        """
        with self._save_lock(district_id):
            with self._lock(district_id):
                unsaved = list(self._unsaved.get(district_id, ()))
            subjects = dict.fromkeys(event.subject_id for event in unsaved)
            save_one = partial(self._save_of, district_id, unsaved)
            self._saving.each(district_id, [(id, partial(save_one, id)) for id in subjects])

    def _save_of(self, district_id: str, unsaved: Sequence[EngineEvent], subject_id: str) -> None:
        for event in (one for one in unsaved if one.subject_id == subject_id):
            with self._database.transaction(district_id) as tx:
                save(event, tx, engine_actor(district_id))
            with self._lock(district_id):
                self._unsaved[district_id].remove(event)

    def _lock(self, district_id: str) -> threading.RLock:
        """For the district's engine, between two steps."""
        return self._locks.setdefault(district_id, threading.RLock())

    def _save_lock(self, district_id: str) -> threading.RLock:
        """For what is saved of it, which may wait for the database; taken before the engine's."""
        return self._save_locks.setdefault(district_id, threading.RLock())

    def full_frame(self, district_id: str) -> bytes | None:
        """The last full frame (JSON), None when the district is not watched."""
        return self._frames.get(district_id)

    def density_of(self, district_id: str, zone_id: str) -> float | None:
        """The zone's density now (people per m²), None when unknown or not watched."""
        engine = self._engines.get(district_id)
        return None if engine is None else engine.density_of(zone_id)

    def decide(self, district_id: str, state: ZoneState) -> None:
        """A person decided about a zone's level 4: let the engine follow, between two steps."""
        with self._lock(district_id):
            if (engine := self._engines.get(district_id)) is not None:
                engine.decide(state)

    def count_by_person(self, district_id: str, count: PersonCount) -> None:
        """A person counted a zone: correct its balance, between two steps."""
        with self._lock(district_id):
            if (engine := self._engines.get(district_id)) is not None:
                engine.count_by_person(count)

    def _encode_full(self, district_id: str) -> None:
        self._frames[district_id] = msgspec.json.encode(self._engines[district_id].frame(full=True))


def _keep_levels(engine: Engine, before: Engine) -> None:
    """An edit changes no crowd: zones under the same rules keep since when they have been dense or not."""
    for id, index in engine.occupancy.zone_index.items():
        was = before.occupancy.zone_index.get(id)
        if was is not None and before.rules[was] == engine.rules[index]:
            engine.levels[index] = before.levels[was]


def _edition(connection: Connection, district_id: str) -> Edition:
    """What changes whenever a district's engine must be built anew."""
    sensors = store.list_sensors(connection, district_id)
    version = places.get_district(connection, district_id).version
    return version, tuple((sensor.id, sensor.version) for sensor in sensors)


@singledispatch
def save(event: Any, tx: Transaction, actor: Actor) -> None:
    """Let what the engine found become a verb."""
    raise TypeError(f"no verb for {event!r}")


@save.register
def _(event: Crossing, tx: Transaction, actor: Actor) -> None:
    alarms.cross_level(tx, actor=actor, crossing=event)


@save.register
def _(event: FlowChange, tx: Transaction, actor: Actor) -> None:
    alarms.change_flow(tx, actor=actor, change=event)


@save.register
def _(event: SensorChange, tx: Transaction, actor: Actor) -> None:
    alarms.change_sensor(tx, actor=actor, change=event)


def sensor_health(engine: Engine | None, sensor: Sensor) -> dict[str, Any]:
    """How a sensor is by `Engine.sensor_health`, empty when its district is not watched."""
    return {} if engine is None else engine.sensor_health(sensor.id)


def _known_faults(waiting: Iterable[Matter]) -> list[tuple[str, FaultReason]]:
    """The sensors that a matter waits for, each with its reason."""
    prefix = f"{alarms.SUBJECT_SENSOR}."
    return [
        (sensor_id, FaultReason(matter.subject.removeprefix(prefix)))
        for matter in waiting
        if matter.subject.startswith(prefix)
        for sensor_id in matter.params["sensors"]
    ]
