"""The background work of one process: which jobs there are, in which lane, and what each calls.

Lanes are threads: the ladder never waits for the forecast, a search never for sealing, erasure never for a
roll-up. How jobs are isolated, retried and reported is `foundation/jobs.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pkgutil import resolve_name
from typing import Protocol

from anshang.crowds.episodes import Persistence, follow
from anshang.crowds.minutes import MinuteKeeper
from anshang.crowds.model import Level
from anshang.crowds.outlook import Outlooks
from anshang.crowds.rolling import DELAY, roll_up
from anshang.crowds.sealing import seal
from anshang.crowds.telemetry import MINUTE_MS, MINUTE_S, put_mark
from anshang.crowds.trained_store import forget_outcomes
from anshang.crowds.training_process import TrainingProcess
from anshang.crowds.watch import Watch
from anshang.dispatch.dispatcher import Dispatcher
from anshang.dispatch.sweep import Sweep
from anshang.drills.playing import Player
from anshang.foundation import clock, ids, memory
from anshang.foundation.database import Database
from anshang.foundation.errors import RuleBroken
from anshang.foundation.items import Items, ItemsFailed, attempted
from anshang.foundation.jobs import Job, Supervisor
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.lookouts.sweep import LookoutSweep
from anshang.partners import council_actions as council
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.model import engine_actor
from anshang.places import store as places
from anshang.settings import Settings
from anshang.vault import actions as vault
from anshang.vault import retention
from anshang.vault.erasure_guard import ErasureGuard
from anshang.vault.keys import Keyring
from anshang.volunteers import actions as volunteers
from anshang.web.live import Hub

STEP_S = 1.0
HOUSEKEEPING_S = 5.0
HOUR_S = 3600.0
WRITTEN = "written"
OUTCOMES_KEPT = timedelta(days=400)


class Outside(Protocol):
    """Who notifies partners outside of the installation that there is something new."""

    def deliver(self, district_id: str) -> None:
        """Send what is new in a district."""


class Worker:
    """Wires the rooms' background work into jobs; `supervisor` runs and reports them."""

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
        self._sweep = Sweep(database, dispatcher)
        self._districts: tuple[str, ...] = ()
        self._persistence: dict[str, Persistence] = {}
        self._minutes: dict[tuple[str, str], int] = {}
        self._days: dict[tuple[str, str], date] = {}
        self._minute_keeper = MinuteKeeper(database, watch, outlooks)
        self._erasing, self._orphans = Items(MINUTE_S), Items(HOUR_S)
        self.supervisor = Supervisor(list(self._jobs()), lambda: self._districts, is_gone=self._is_gone)
        self._training = TrainingProcess(
            database, settings.data_folder, settings.training_hour, self.supervisor.stopping
        )
        with database.reading() as connection:
            self.erasure_guard = ErasureGuard(database, places.list_district_ids(connection))
        database.on_commit += [self.supervisor.committed, self._notice]
        hub.tell_troubles(self.supervisor.troubles)
        watch.on_gone.append(self._drop)

    def prepare(self) -> None:
        """Build the engines from the store."""
        self._keyring.clear_scratch()  # of keys that were being written when the machine stopped
        self._list_districts()

    def start(self) -> None:
        """Build the engines, then begin the lanes."""
        self.prepare()
        self.supervisor.start()

    def stop(self) -> None:
        """End the lanes, each after the job it is at."""
        self.supervisor.stop()

    def _jobs(self) -> Iterator[Job]:
        """All jobs, those of one lane in the order in which they run."""
        yield from self._crowd_jobs()
        yield from self._help_jobs()
        yield from self._kept_jobs()
        yield from self._protecting_jobs()
        if self._settings.training_hour >= 0:
            yield Job(
                name="forecasts.train", run=self._train, every_s=MINUTE_S, lane="training", critical=False,
                en="Nightly training of the forecast", zh="预测模型夜间训练", first_s=HOUSEKEEPING_S,
            )  # fmt: skip
        for name, one in self._outside():
            yield Job(
                name=f"partners.{name}", run=one.deliver, every_s=STEP_S, lane=name, critical=False,
                en="Messages to partners outside (gateway, push)", zh="向合作单位外发消息（网关、推送）",
                first_s=HOUSEKEEPING_S,
            )  # fmt: skip

    def _crowd_jobs(self) -> Iterator[Job]:
        """What watches the crowd, and whether anything can be written at all."""
        yield Job(
            name="storage.write", run=self._write, every_s=HOUSEKEEPING_S, lane="storage", by_district=False,
            en="Saving anything (disk or database)", zh="数据写入（磁盘或数据库）",
        )  # fmt: skip
        yield Job(
            name="places.list", run=self._list_districts,
            every_s=HOUSEKEEPING_S, lane="districts", by_district=False,
            en="Noticing new districts", zh="识别新商圈", first_s=HOUSEKEEPING_S,
        )  # fmt: skip
        yield Job(
            name="crowds.refresh", run=self._watch.refresh, every_s=HOUSEKEEPING_S, lane="districts",
            en="Taking over changed places and sensors", zh="更新场所与传感器配置",
        )  # fmt: skip
        yield Job(
            name="crowds.step", run=self._show, every_s=STEP_S, lane="engine",
            en="Counting: people, density and levels", zh="人数、密度与等级计算",
        )  # fmt: skip
        yield Job(
            name="crowds.save", run=self._watch.save_changes, every_s=STEP_S, lane="alarms",
            en="Raising crowd alarms", zh="人群告警",
        )  # fmt: skip
        yield Job(
            name="crowds.keep", run=partial(self._each_minute, "keep", self._minute_keeper.keep),
            every_s=MINUTE_S, lane="minutes",
            poll_s=STEP_S, en="Keeping the minutes of zones", zh="区域分钟数据留存",
        )  # fmt: skip
        yield Job(
            name="crowds.judge", run=partial(self._each_minute, "judge", self._minute_keeper.judge),
            every_s=MINUTE_S, lane="minutes",
            poll_s=STEP_S, en="Reading the effect of measures", zh="措施效果评估",
        )  # fmt: skip

    def _help_jobs(self) -> Iterator[Job]:
        """What sends help, searches and looks ahead."""
        yield Job(
            name="dispatch.ladder", run=self._sweep.go_on, every_s=STEP_S, lane="ladder", on_commit=True,
            en="The response ladder: asking the next unit, escalating", zh="响应阶梯（催办、改派、升级）",
        )  # fmt: skip
        yield Job(
            name="lookouts.search", run=self._searches.go_on,
            every_s=HOUSEKEEPING_S, lane="searches", first_s=HOUSEKEEPING_S,
            en="The automatic steps of searches for missing persons", zh="走失查找自动步骤",
        )  # fmt: skip
        yield Job(
            name="dispatch.reach", run=partial(self._each_minute, "reach", self._dispatcher.renew),
            every_s=MINUTE_S,
            lane="forecast", poll_s=STEP_S, en="Travel times and coverage", zh="到达时间与覆盖范围",
        )  # fmt: skip
        yield Job(
            name="forecasts.follow", run=partial(self._each_minute, "forecast", self._foresee),
            every_s=MINUTE_S,
            lane="forecast", poll_s=STEP_S, en="Forecast and early warnings", zh="人群预测与预警",
        )  # fmt: skip
        yield Job(
            name="drills.play", run=self._play, every_s=STEP_S, lane="drills", first_s=HOUSEKEEPING_S,
            en="The drill's scenario", zh="演练脚本",
        )  # fmt: skip

    def _kept_jobs(self) -> Iterator[Job]:
        """What is rolled up and sealed."""
        lane, first_s = "housekeeping", HOUSEKEEPING_S
        yield Job(
            name="memory.give_back", run=lambda _: memory.give_back(),
            every_s=HOUSEKEEPING_S, lane=lane, by_district=False,
            critical=False, en="Returning freed memory", zh="内存回收", first_s=first_s,
        )  # fmt: skip
        yield Job(
            name="counts.roll_up", run=self._roll_up, every_s=HOUSEKEEPING_S, lane=lane,
            en="Rolling up counts (history)", zh="计数汇总（历史曲线）", first_s=first_s,
        )  # fmt: skip
        yield Job(
            name="journal.seal_common", run=partial(self._each_day, "journal", self._seal_journal),
            every_s=MINUTE_S, lane=lane,
            by_district=False, en="Sealing the installation's journal", zh="全局日志封存", first_s=first_s,
        )  # fmt: skip
        yield Job(
            name="journal.seal", run=partial(self._each_day, "journal", self._seal_journal),
            every_s=MINUTE_S, lane=lane,
            en="Sealing the journal", zh="日志封存", first_s=first_s,
        )  # fmt: skip
        yield Job(
            name="counts.seal", run=partial(self._each_day, "counts", self._seal_counts),
            every_s=MINUTE_S, lane=lane,
            en="Moving older counts into sealed files", zh="历史计数归档", first_s=first_s,
        )  # fmt: skip

    def _protecting_jobs(self) -> Iterator[Job]:
        """What is erased when its time is over, and what people are reminded of."""
        lane, first_s = "erasure", HOUSEKEEPING_S
        yield Job(
            name="vault.erase", run=self._erase, every_s=MINUTE_S, lane=lane,
            en="Erasing personal records when their time is over", zh="到期个人信息销毁", first_s=first_s,
        )  # fmt: skip
        yield Job(
            name="vault.orphans", run=self._destroy_orphans, every_s=HOUR_S, lane=lane, by_district=False,
            en="Destroying keys that no record needs, emptying closed accounts",
            zh="清除无主密钥与已停用账号", first_s=first_s,
        )  # fmt: skip
        yield Job(
            name="retention.apply", run=partial(self._each_day, "traces", self._forget),
            every_s=MINUTE_S, lane=lane,
            en="Emptying positions and words whose time is over", zh="清除到期的位置与文字", first_s=first_s,
        )  # fmt: skip
        yield Job(
            name="council.bring_back", run=self._bring_back, every_s=MINUTE_S, lane="reminders",
            en="Returning resolutions on their day", zh="议定事项到期提醒", first_s=first_s,
        )  # fmt: skip
        yield Job(
            name="volunteers.remind", run=self._remind, every_s=MINUTE_S, lane="reminders",
            en="Reminders that insurance or training ends", zh="保险与培训到期提醒", first_s=first_s,
        )  # fmt: skip

    def _notice(self, district_id: str) -> None:
        """Something was written in a district that is not known yet: it is new, as that of a drill."""
        if district_id not in (*self._districts, EVERYWHERE):
            for job in self.supervisor.jobs:
                if job.lane == "districts" and not job.by_district:
                    self.supervisor.hurry(job)

    def _drop(self, district_id: str) -> None:
        """A district is no more, as that of a drill that is over: nothing runs in it, or is kept of it."""
        self._districts = tuple(id for id in self._districts if id != district_id)
        self._persistence.pop(district_id, None)
        for kept in (self._minutes, self._days):
            for key in [key for key in kept if key[1] == district_id]:
                kept.pop(key, None)
        for room in (
            self._sweep,
            self._searches,
            self._minute_keeper,
            self._hub,
            self._erasing,
            self._database,
            self.supervisor,
        ):
            room.forget(district_id)

    def _is_gone(self, district_id: str) -> bool:
        """Whether the district is no more: a job may still be at it, or begin, as a drill's is removed."""
        with self._database.reading() as connection:
            return district_id not in places.list_district_ids(connection)

    def _list_districts(self, _: str = "") -> None:
        """Know the districts of now. The engine of a new one is built first; when that cannot be done it
        keeps no other from being watched: it is tried again, and reported, as a job.
        """
        with self._database.reading() as connection:
            present = tuple(places.list_district_ids(connection))
        for district_id in set(present) - set(self._districts):
            attempted(partial(self._watch.refresh, district_id))
        self._districts = present

    def _write(self, _: str) -> None:
        """Whether a write is possible, by a small one."""
        now_ms = clock.to_ms(clock.now())
        self._database.bulk(EVERYWHERE, lambda connection: put_mark(connection, EVERYWHERE, WRITTEN, now_ms))

    def _show(self, district_id: str) -> None:
        """Step the engine and send its frame; what it found is saved by a job of its own."""
        self._hub.offer_frames_of(district_id, partial(self._watch.full_frame, district_id))
        self._hub.publish_frame(district_id, self._watch.step(district_id))

    def _each_minute(self, name: str, work: Callable[[str], object], district_id: str) -> None:
        """Do it once in each minute of the district's clock; again when it failed."""
        minute_ms = clock.to_ms(clock.now()) // MINUTE_MS * MINUTE_MS
        if self._minutes.get((name, district_id)) != minute_ms:
            work(district_id)
            self._minutes[name, district_id] = minute_ms

    def _each_day(self, name: str, work: Callable[[str], object], district_id: str) -> None:
        """Do it once on each day (UTC); again when it failed."""
        today = clock.now().date()
        if self._days.get((name, district_id)) != today:
            work(district_id)
            self._days[name, district_id] = today

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

    def _train(self, district_id: str) -> None:
        """Train the district's forecast when it is its night."""
        if (engine := self._watch.find(district_id)) is not None:
            self._training.go_on(engine.place.district)

    def _play(self, district_id: str) -> None:
        if ids.is_drill(district_id):
            self._player.go_on(district_id)

    def _roll_up(self, district_id: str) -> None:
        roll_up(self._database, district_id, clock.now() - DELAY, self._settings.sealed_folder)

    def _must_trust_the_clock(self) -> None:
        """ItemsFailed while erasure is held back: a person must look, a restart would not help."""
        try:
            self.erasure_guard.check()
        except RuleBroken as held:
            raise ItemsFailed(1, held) from held

    def _seal_journal(self, district_id: str) -> None:
        self._must_trust_the_clock()  # a day of a wrong clock is no day
        with self._database.transaction(district_id or EVERYWHERE) as tx:
            journal.seal_through(tx, clock.now().date() - timedelta(days=1))

    def _seal_counts(self, district_id: str) -> None:
        oldest_at = clock.now() - timedelta(hours=self._settings.raw_hours)
        seal(self._database, district_id, oldest_at, self._settings.sealed_folder)

    def _forget(self, district_id: str) -> None:
        self._must_trust_the_clock()
        retention.apply(self._database, district_id, actor=engine_actor(district_id))
        before_ms = clock.to_ms(clock.now() - OUTCOMES_KEPT)
        self._database.bulk(
            district_id, partial(forget_outcomes, district_id=district_id, before_ms=before_ms)
        )

    def _erase(self, district_id: str) -> None:
        self._must_trust_the_clock()
        vault.erase_expired(
            self._database,
            self._keyring,
            actor=engine_actor(district_id),
            district_id=district_id,
            items=self._erasing,
        )

    def _destroy_orphans(self, _: str) -> None:
        self._must_trust_the_clock()
        retention.apply(self._database, EVERYWHERE, actor=engine_actor(EVERYWHERE))
        with self._database.reading() as connection:
            districts = places.list_district_ids(connection)
        vault.destroy_orphans(self._database, self._keyring, districts, items=self._orphans)

    def _bring_back(self, district_id: str) -> None:
        council.bring_back(self._database, district_id, actor=engine_actor(district_id))

    def _remind(self, district_id: str) -> None:
        volunteers.remind_of_ends(self._database, district_id, actor=engine_actor(district_id))

    def _outside(self) -> Iterator[tuple[str, Outside]]:
        """Those that are wanted, each in a lane of its own: a gateway may be slow. What they take is loaded
        only then.
        """
        if self._settings.notice_webhook_url:
            gateway = resolve_name("anshang.connectors.webhook:Gateway")
            secret = self._settings.notice_webhook_secret
            yield "webhook", gateway(self._database, self._settings.notice_webhook_url, secret)
        if self._settings.push_contact:
            web_push = resolve_name("anshang.connectors.webpush:WebPush")
            yield "push", web_push(self._database, self._settings.data_folder, self._settings.push_contact)
