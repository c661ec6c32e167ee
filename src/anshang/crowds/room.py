"""Sensors and their counts, the live crowd, measures, forecast and warnings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from anshang.crowds import api, forecast_api, observing_api, planned_api, trained_api, weather_api
from anshang.crowds.episodes import Persistence, follow
from anshang.crowds.ingest import Intake
from anshang.crowds.minutes import MinuteKeeper
from anshang.crowds.model import CrowdKind, Level
from anshang.crowds.outlook import Outlooks
from anshang.crowds.planned import PlannedKind
from anshang.crowds.rolling import DELAY, roll_up
from anshang.crowds.sealing import seal
from anshang.crowds.trained_store import forget_outcomes
from anshang.crowds.training_process import TrainingProcess
from anshang.crowds.watch import Watch
from anshang.crowds.weather import WeatherKind
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.districts import Districts
from anshang.foundation.jobs import Job, Supervisor
from anshang.foundation.periods import HOUSEKEEPING_S, MINUTE_S, STEP_S, once_a_day, once_a_minute
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.journal.trust import TrustedClock
from anshang.people.model import engine_actor
from anshang.settings import Settings
from anshang.web.live import Hub

OUTCOMES_KEPT = timedelta(days=400)


def _watch(services: Services) -> Watch:
    watch, districts = Watch(services[Database]), services[Districts]
    districts.on_new.append(watch.refresh)
    watch.on_gone.append(districts.drop)
    return watch


def _intake(services: Services) -> Intake:
    watch = services[Watch]
    return Intake(services[Database], watch.taken, watch.turnstile, services[Settings].sealed_folder)


def _outlooks(services: Services) -> Outlooks:
    return Outlooks(services[Database], services[Watch])


def _training(services: Services) -> TrainingProcess:
    settings, supervisor = services[Settings], services[Supervisor]
    folder, hour = settings.data_folder, settings.training_hour
    return TrainingProcess(services[Database], folder, hour, supervisor.stopping)


class _Crowd:
    """What goes on by itself with counts and crowds."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._database, self._hub = services[Database], services[Hub]
        self._watch, self._outlooks = services[Watch], services[Outlooks]
        self._sealed_folder = services[Settings].sealed_folder
        self._raw_hours = services[Settings].raw_hours
        self._persistence: dict[str, Persistence] = {}
        services[Districts].on_gone.append(lambda gone: self._persistence.pop(gone, None))

    def show(self, district_id: str) -> None:
        """Step the engine and send its frame; what it found is saved by a job of its own."""
        self._hub.offer_frames_of(district_id, partial(self._watch.full_frame, district_id))
        self._hub.publish_frame(district_id, self._watch.step(district_id))

    def foresee(self, district_id: str) -> None:
        """Look two hours ahead, and let warnings follow."""
        outlook, engine = self._outlooks.renew(district_id), self._watch.find(district_id)
        if outlook is None or engine is None:
            return
        levels = {id: None if level is None else Level(level) for id, *_, level in engine.zone_figures()}
        persistence = self._persistence.setdefault(district_id, Persistence())
        actor = engine_actor(district_id)
        with self._database.transaction(district_id) as tx:
            follow(tx, actor=actor, outlook=outlook, levels=levels, persistence=persistence)

    def train(self, district_id: str) -> None:
        """Train the district's forecast when it is its night."""
        if (engine := self._watch.find(district_id)) is not None:
            self._services[TrainingProcess].go_on(engine.place.district)

    def roll_up(self, district_id: str) -> None:
        """Sum up counts by the minute, the quarter and the hour."""
        roll_up(self._database, district_id, clock.now() - DELAY, self._sealed_folder)

    def seal(self, district_id: str) -> None:
        """Move older counts into sealed files."""
        seal(self._database, district_id, clock.now() - timedelta(hours=self._raw_hours), self._sealed_folder)

    def forget(self, district_id: str) -> None:
        """Remove how old forecasts came out."""
        before_ms = clock.to_ms(clock.now() - OUTCOMES_KEPT)
        self._database.bulk(
            district_id, partial(forget_outcomes, district_id=district_id, before_ms=before_ms)
        )


def _jobs(services: Services) -> Iterator[Job]:
    crowd = _Crowd(services)
    yield from _live_jobs(services, crowd)
    yield from _forecast_jobs(services, crowd)
    lane, first_s = "housekeeping", HOUSEKEEPING_S
    yield Job(
        name="counts.roll_up", run=crowd.roll_up, every_s=HOUSEKEEPING_S, lane=lane,
        en="Rolling up counts (history)", zh="计数汇总（历史曲线）", first_s=first_s,
    )  # fmt: skip
    yield Job(
        name="counts.seal", run=once_a_day(crowd.seal), every_s=MINUTE_S, lane=lane,
        en="Moving older counts into sealed files", zh="历史计数归档", first_s=first_s,
    )  # fmt: skip


def _live_jobs(services: Services, crowd: _Crowd) -> Iterator[Job]:
    watch = services[Watch]
    keeper = MinuteKeeper(services[Database], watch, services[Outlooks])
    services[Districts].on_gone.append(keeper.forget)
    yield Job(
        name="crowds.refresh", run=watch.refresh, every_s=HOUSEKEEPING_S, lane="districts",
        en="Taking over changed places and sensors", zh="更新场所与传感器配置",
    )  # fmt: skip
    yield Job(
        name="crowds.step", run=crowd.show, every_s=STEP_S, lane="engine",
        en="Counting: people, density and levels", zh="人数、密度与等级计算",
    )  # fmt: skip
    yield Job(
        name="crowds.save", run=watch.save_changes, every_s=STEP_S, lane="alarms",
        en="Raising crowd alarms", zh="人群告警",
    )  # fmt: skip
    yield Job(
        name="crowds.keep", run=once_a_minute(keeper.keep), every_s=MINUTE_S, lane="minutes",
        poll_s=STEP_S, en="Keeping the minutes of zones", zh="区域分钟数据留存",
    )  # fmt: skip
    yield Job(
        name="crowds.judge", run=once_a_minute(keeper.judge), every_s=MINUTE_S, lane="minutes",
        poll_s=STEP_S, en="Reading the effect of measures", zh="措施效果评估",
    )  # fmt: skip


def _forecast_jobs(services: Services, crowd: _Crowd) -> Iterator[Job]:
    yield Job(
        name="forecasts.follow", run=once_a_minute(crowd.foresee), every_s=MINUTE_S, lane="forecast",
        poll_s=STEP_S, en="Forecast and early warnings", zh="人群预测与预警",
    )  # fmt: skip
    yield Job(
        name="forecasts.forget", run=once_a_day(services[TrustedClock].before(crowd.forget)),
        every_s=MINUTE_S, lane="erasure", critical=False, first_s=HOUSEKEEPING_S,
        en="Removing how old forecasts came out", zh="清除过期的预测结果记录",
    )  # fmt: skip
    if services[Settings].training_hour >= 0:
        yield Job(
            name="forecasts.train", run=crowd.train, every_s=MINUTE_S, lane="training", critical=False,
            en="Nightly training of the forecast", zh="预测模型夜间训练", first_s=HOUSEKEEPING_S,
        )  # fmt: skip


ROOM = Room(
    name="crowds",
    routers=(
        observing_api.router,
        api.router,
        forecast_api.router,
        trained_api.router,
        planned_api.router,
        weather_api.router,
    ),
    events=(CrowdKind, PlannedKind, WeatherKind),
    makes={Watch: _watch, Intake: _intake, Outlooks: _outlooks, TrainingProcess: _training},
    jobs=_jobs,
)
