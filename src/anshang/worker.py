"""The background loops of one process: the engine every second, what is kept every minute, rollups and seals.

A loop that fails says so in the log and goes on; nothing is lost, because what is not yet saved is tried
again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pkgutil import resolve_name
from typing import Protocol

import structlog
from sqlalchemy import Connection

from anshang.crowds import actions as crowds
from anshang.crowds import observations
from anshang.crowds import store as crowds_store
from anshang.crowds.episodes import Persistence, follow
from anshang.crowds.model import Level
from anshang.crowds.outlook import Outlooks
from anshang.crowds.rolling import DELAY, roll_up
from anshang.crowds.sealing import seal
from anshang.crowds.telemetry import MINUTE_MS, MINUTE_S
from anshang.crowds.trained_store import forget_outcomes
from anshang.crowds.training_process import TrainingProcess
from anshang.crowds.watch import Watch
from anshang.dispatch.dispatcher import Dispatcher
from anshang.dispatch.sweep import Sweep
from anshang.drills.playing import Player
from anshang.foundation import clock, ids, memory
from anshang.foundation.database import Database
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.lookouts.sweep import LookoutSweep
from anshang.partners import council_actions as council
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.model import engine_actor
from anshang.places import store as places
from anshang.settings import Settings
from anshang.vault import actions as vault
from anshang.vault.erasure_guard import ErasureGuard
from anshang.vault.keys import Keyring
from anshang.volunteers import actions as volunteers
from anshang.web.live import Hub

STEP_S = 1.0
DISPATCH_PAUSE_S = 0.1
HOUSEKEEPING_S = 5.0
PAUSE_AFTER_FAULT_S = 2.0
HOUR_MS = 3_600_000
OUTCOMES_KEPT = timedelta(days=400)

log = structlog.get_logger()


class Outside(Protocol):
    """Who carries it out of the house that there is something new for partners."""

    def deliver(self, district_id: str) -> None:
        """Tell what is new in a district."""


class Worker:
    """Runs the loops in threads of their own from `start` to `stop`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        watch: Watch,
        hub: Hub,
        whereabouts: Whereabouts,
        dispatcher: Dispatcher,
        outlooks: Outlooks,
        keyring: Keyring,
        searches: LookoutSweep,
        player: Player,
    ) -> None:
        self._settings = settings
        self._database = database
        self._watch = watch
        self._hub = hub
        self._whereabouts = whereabouts
        self._dispatcher = dispatcher
        self._outlooks = outlooks
        self._keyring = keyring
        self._searches = searches
        self._player = player
        self._outside = list(_outside(settings, database))
        self._needless: set[tuple[str, str]] = set()
        """Keys that no record needed an hour ago."""
        self._erased_ms = 0
        self._persistence: dict[str, Persistence] = {}
        self._sweep = Sweep(database, dispatcher)
        self._changed = threading.Event()
        """Set by every commit: what waits is looked at without delay."""
        self._reached_ms: dict[str, int] = {}
        database.on_commit.append(lambda _district_id: self._changed.set())
        self._stopping = threading.Event()
        self._training = TrainingProcess(
            database, settings.data_folder, settings.training_hour, self._stopping
        )
        self._threads: list[threading.Thread] = []
        self._minute_ms: dict[str, int] = {}
        self._rested_s: dict[str, float] = {}
        """Until when (monotonic) nothing is saved of a district, after it could not be."""
        self._sealed_on: date | None = None
        with database.reading() as connection:
            self.erasure_guard = ErasureGuard(database, places.list_district_ids(connection))

    def start(self) -> None:
        """Build the engines from the store, then begin the loops."""
        self._watch.load_all()
        loops: list[tuple[str, Callable[[], object], float, float]] = [
            ("engine", self.step, 0.0, STEP_S),
            ("drills", self.play, HOUSEKEEPING_S, STEP_S),
            ("housekeeping", self.keep_house, HOUSEKEEPING_S, HOUSEKEEPING_S),  # answers come first
        ]
        if self._settings.training_hour >= 0:  # in a loop of its own: it waits for a process
            loops.append(("training", self.train, HOUSEKEEPING_S, MINUTE_S))
        # each in a loop of its own: a gateway may be slow
        loops += [("outside", partial(self.tell, one), HOUSEKEEPING_S, STEP_S) for one in self._outside]
        for name, work, first_s, period_s in loops:
            args = (work, first_s, period_s)
            thread = threading.Thread(target=self._loop, args=args, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        thread = threading.Thread(target=self._follow_changes, name="dispatch", daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """End the loops, each after the round it is in."""
        self._stopping.set()
        self._changed.set()
        for thread in self._threads:
            thread.join(10)

    def step(self) -> None:
        """Step every district's engine and send its frame; then save what it found. One district's trouble
        keeps no other's numbers back, nor its own.
        """
        minute_ms = clock.to_ms(clock.now()) // MINUTE_MS * MINUTE_MS
        for district_id in self._watch.district_ids:
            self._attempt(partial(self._show, district_id))
        for district_id in self._watch.district_ids:
            self._attempt(partial(self._save, district_id, minute_ms))

    def _show(self, district_id: str) -> None:
        self._hub.offer_frames_of(district_id, partial(self._watch.full_frame, district_id))
        self._hub.publish_frame(district_id, self._watch.step(district_id))

    def _save(self, district_id: str, minute_ms: int) -> None:
        if time.monotonic() < self._rested_s.get(district_id, 0.0):
            return
        self._rested_s[district_id] = time.monotonic() + PAUSE_AFTER_FAULT_S
        self._watch.save_changes(district_id)
        if minute_ms > self._minute_ms.get(district_id, 0):
            self._keep_minute(district_id, minute_ms)
            self._minute_ms[district_id] = minute_ms
        del self._rested_s[district_id]

    def dispatch(self) -> None:
        """Go on with what waits for nobody; once a minute reckon what can be reached. One district's trouble
        keeps no other's back.
        """
        for district_id in self._watch.district_ids:
            self._attempt(partial(self._sweep.go_on, district_id))
            minute_ms = clock.to_ms(clock.now()) // MINUTE_MS * MINUTE_MS
            if minute_ms > self._reached_ms.get(district_id, 0):
                self._reached_ms[district_id] = minute_ms
                self._attempt(partial(self._dispatcher.renew, district_id))
                self._attempt(partial(self._foresee, district_id))

    def _foresee(self, district_id: str) -> None:
        """Look two hours ahead, and let warnings follow."""
        outlook, engine = self._outlooks.renew(district_id), self._watch.find(district_id)
        if outlook is None or engine is None:
            return
        levels = {id: None if level is None else Level(level) for id, *_, level in engine.zone_figures()}
        persistence = self._persistence.setdefault(district_id, Persistence())
        with self._database.transaction(district_id) as tx:
            follow(
                tx, actor=engine_actor(district_id), outlook=outlook, levels=levels, persistence=persistence
            )

    def train(self) -> None:
        """Train the forecasts of districts whose night it is."""
        for district_id in self._watch.district_ids:
            if (engine := self._watch.find(district_id)) is not None:
                self._training.go_on(engine.place.district)

    def play(self) -> None:
        """Play the drills that go on."""
        for district_id in self._watch.district_ids:
            if ids.is_drill(district_id):
                self._attempt(partial(self._player.go_on, district_id))

    def tell(self, outside: Outside) -> None:
        """Tell the outside what is new for partners."""
        for district_id in self._watch.district_ids:
            outside.deliver(district_id)

    def keep_house(self) -> None:
        """Notice new places and sensors, roll counts up; once a day seal the journal and the older counts."""
        memory.give_back()
        self._watch.refresh()
        for district_id in self._watch.district_ids:
            self._attempt(partial(self._searches.go_on, district_id))
        folder = self._settings.sealed_folder
        for district_id in self._watch.district_ids:
            roll_up(self._database, district_id, clock.now() - DELAY, folder)
        self._look_after()
        yesterday = clock.now().date() - timedelta(days=1)
        if self._sealed_on == yesterday:
            return
        for district_id in (EVERYWHERE, *self._watch.district_ids):
            with self._database.transaction(district_id) as tx:
                journal.seal_through(tx, yesterday)
        oldest_at = clock.now() - timedelta(hours=self._settings.raw_hours)
        for district_id in self._watch.district_ids:
            seal(self._database, district_id, oldest_at, folder)
            self._whereabouts.forget_old(district_id)
            before_ms = clock.to_ms(clock.now() - OUTCOMES_KEPT)
            self._database.bulk(
                district_id, partial(forget_outcomes, district_id=district_id, before_ms=before_ms)
            )
        self._sealed_on = yesterday

    def _look_after(self) -> None:
        """Once a minute bring back resolutions whose day has come and destroy personal records whose time is
        over; once an hour keys that nobody needs.
        """
        minute_ms = clock.to_ms(clock.now()) // MINUTE_MS * MINUTE_MS
        if minute_ms == self._erased_ms:
            return
        self.erasure_guard.check()
        for district_id in self._watch.district_ids:
            council.bring_back(self._database, district_id, actor=engine_actor(district_id))
            volunteers.remind_of_ends(self._database, district_id, actor=engine_actor(district_id))
            vault.erase_expired(
                self._database, self._keyring, actor=engine_actor(district_id), district_id=district_id
            )
        if minute_ms // HOUR_MS != self._erased_ms // HOUR_MS:
            with self._database.reading() as connection:
                districts = places.list_district_ids(connection)
            self._needless = vault.destroy_orphans(self._database, self._keyring, districts, self._needless)
        self._erased_ms = minute_ms

    def _keep_minute(self, district_id: str, minute_ms: int) -> None:
        """Keep the zones' minutes and read the effect of measures that are a quarter of an hour old."""
        engine = self._watch.find(district_id)
        if engine is None:
            return
        minutes = [*engine.drain_minutes(), (minute_ms, engine.zone_figures())]

        def keep(connection: Connection) -> None:
            for at_ms, zones in minutes:
                observations.keep_zone_minutes(connection, district_id, at_ms, zones)

        self._database.bulk(district_id, keep)
        self._outlooks.keep(district_id, minutes)
        due = clock.now() - crowds.EFFECT_AFTER
        with self._database.reading([district_id]) as connection:
            measures = crowds_store.list_measures_to_judge(connection, district_id, due)
        for measure in measures:
            with self._database.transaction(district_id) as tx:
                density = engine.density_of(measure.zone_id)
                crowds.judge_measure(tx, actor=engine_actor(district_id), id=measure.id, density=density)

    def _loop(self, work: Callable[[], object], first_s: float, period_s: float) -> None:
        due_s = time.monotonic() + first_s
        while not self._stopping.wait(max(0.0, due_s - time.monotonic())):
            due_s = max(due_s + period_s, time.monotonic())
            if not self._attempt(work):
                self._stopping.wait(PAUSE_AFTER_FAULT_S)

    def _follow_changes(self) -> None:
        """Dispatch after every commit and once a second, but not without a pause."""
        while not self._stopping.is_set():
            self._changed.wait(STEP_S)
            self._changed.clear()
            self._attempt(self.dispatch)
            self._stopping.wait(DISPATCH_PAUSE_S)

    def _attempt(self, work: Callable[[], object]) -> bool:
        """Do it; a fault is told in the log."""
        try:
            work()
        except Exception:
            log.exception("loop.failed", loop=threading.current_thread().name)
            return False
        return True


def _outside(settings: Settings, database: Database) -> Iterator[Outside]:
    """Those that are wanted; what they take is loaded only then."""
    if settings.notice_webhook_url:
        gateway = resolve_name("anshang.connectors.webhook:Gateway")
        yield gateway(database, settings.notice_webhook_url, settings.notice_webhook_secret)
    if settings.push_contact:
        web_push = resolve_name("anshang.connectors.webpush:WebPush")
        yield web_push(database, settings.data_folder, settings.push_contact)
