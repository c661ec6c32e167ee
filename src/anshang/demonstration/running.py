"""Runs a demonstration in this process: a throw-away installation, its server, and the feeder in a thread."""

from __future__ import annotations

import secrets
import socket
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from datetime import time as wall_clock
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from anshang.app import create_app
from anshang.crowds import actions as crowds
from anshang.crowds.model import Sensor, SensorKind
from anshang.demonstration.duty import staff
from anshang.demonstration.feeder import Feeder
from anshang.demonstration.night import SLOT_S
from anshang.demonstration.programme import Programme, SensorPlan
from anshang.demonstration.records import CREDIT_EN, CREDIT_ZH
from anshang.demonstration.scenes import REFERENCE_ON, open_scene
from anshang.demonstration.shops import register
from anshang.demonstration.team import Team
from anshang.demonstration.together import plan
from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, Refusal
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people import api as people_api
from anshang.people import store as people_store
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places
from anshang.places.model import Place
from anshang.settings import Settings
from anshang.vault.keys import Keyring
from anshang.web.serving import serving_config
from anshang.web.session import Runtime
from anshang.web.shapes import BothLanguages, Demo, DemoAccount

HOST = "127.0.0.1"
AT = wall_clock(19, 30)
SPEED = 60.0
SPEED_MAX = 600.0
PASSWORD = "pingan-anshang"  # noqa: S105 - a demonstration's accounts are shown to everybody
DISPLAY_NAMES = {
    Role.DESK: "值班员 Duty officer",
    Role.SUPERVISOR: "值班长 Supervisor",
    Role.ADMIN: "管理员 Administrator",
    Role.PATROL: "巡逻员 Patrol officer",
    Role.VOLUNTEER: "义警 Volunteer",
    Role.PARTNER: "物业 Partner",
    Role.MEDIATOR: "调解员 Mediator",
    Role.WALL: "大屏 Wall",
}
BODY = ("星汇天街物业", "Xinghui Mall Property")
GRACEFUL_STOP_S = 3
SESSION_HOURS = 24.0 * 365
"""On the demonstration's clock, which passes a shift in a quarter of an hour."""
NAME_LENGTH_MAX = 80
"""Of a sensor."""
STATED_ERROR_SHARE = 0.03
"""What the demonstration's head counters are said to be good for; see the noise in `night`."""


def run(
    *,
    place: str = "wuyi",
    date_on: date = REFERENCE_ON,
    at: wall_clock = AT,
    speed: float = SPEED,
    port: int = 8765,
    browser: bool = True,
) -> None:
    """Show the district until Ctrl-C, then leave nothing behind.

    BadInput for an unknown place, a day without record, a speed that cannot be or a port that is taken.
    """
    _check(speed, port)
    out = Console()
    with out.status("五一 / Wuyi …" if place == "wuyi" else f"{place} …"):
        programme = Programme(open_scene(place), date_on)
    clock.run_from(programme.started_at, speed=speed)
    with tempfile.TemporaryDirectory(prefix="anshang-demo-", ignore_cleanup_errors=True) as folder:
        settings = Settings(
            data_folder=Path(folder), port=port, session_hours=SESSION_HOURS, training_hour=-1
        )
        app = create_app(settings, demo=demo_notice(speed, programme.scene.place))
        runtime = app.state.services[Runtime]
        url = f"http://{HOST}:{port}"
        key = set_up(runtime.database, programme)
        password = people.hashed(PASSWORD, "crew")
        crews, desk = staff(runtime.database, programme.scene.place, password)
        shops = register(runtime.database, programme.scene.place, password)
        plan(runtime.database, app.state.services[Keyring], programme)
        feeder = Feeder(url, key, programme.scene.place.district.id, programme)
        team = Team(url, programme.scene.place, crews, desk, shops=shops)
        _serve(app, port, _Show(feeder, team, at, speed, url, offer_entrance(app), browser, out))
        runtime.database.dispose()


def set_up(database: Database, programme: Programme) -> str:
    """Fill an empty, migrated database with accounts, place and sensors; returns the feed's key."""
    scene = programme.scene
    district_id = scene.place.district.id
    operator = operator_actor(district_id)
    with database.transaction(EVERYWHERE) as tx:
        password = people.hashed(PASSWORD, str(Role.ADMIN))
        people.open_first_account(tx, name=str(Role.ADMIN), password=password, district_ids=(district_id,))
        name_zh, name_en = BODY
        body = people.register_body(tx, actor=operator, id=ids.new_id(), name_zh=name_zh, name_en=name_en)
        for role in set(DISPLAY_NAMES) - {Role.ADMIN}:
            people.open_account(
                tx,
                actor=operator,
                id=ids.new_id(),
                name=str(role),
                display_name=DISPLAY_NAMES[role],
                role=role,
                body_id=body.id if role is Role.PARTNER else None,
                district_ids=(district_id,),
                password=people.hashed(PASSWORD, str(role)),
            )
    with database.transaction(district_id) as tx:
        places.import_document(tx, actor=operator, document=scene.document)
        for plan in programme.sensors:
            crowds.define_sensor(tx, actor=operator, sensor=_sensor(plan, district_id))
        _feed, key = people.open_feed(tx, actor=operator, id=ids.new_id(), name="演示 Demonstration")
    return key


def offer_entrance(app: FastAPI) -> str:
    """Add the link that signs in as desk officer whoever follows it first; returns its path."""
    secret = secrets.token_urlsafe(24)
    unused = {secret}
    runtime = app.state.services[Runtime]

    def enter(token: str) -> RedirectResponse:
        answer = RedirectResponse("/", status_code=303)
        if token in unused:
            unused.discard(token)
            with runtime.database.reading([EVERYWHERE]) as connection:
                account = people_store.find_account_by_name(connection, str(Role.DESK))
            assert account is not None, "the demonstration has a desk officer"
            people_api.enter(runtime, account, answer)
        return answer

    app.add_api_route("/demo/enter", enter, include_in_schema=False)
    app.router.routes.insert(0, app.router.routes.pop())  # before the console, which answers every address
    return f"/demo/enter?token={secret}"


@dataclass(slots=True)
class _Show:
    """What happens beside the server: catch up, say where, open the browser, follow."""

    feeder: Feeder
    team: Team
    at: wall_clock
    speed: float
    url: str
    entrance: str
    browser: bool
    out: Console
    refusal: Refusal | None = None

    def run(self, server: uvicorn.Server) -> None:
        """Until the feeder is stopped; a refusal is kept and ends the server."""
        while not server.started and not server.should_exit:
            time.sleep(0.05)
        try:
            with _bar(self.out) as tell:
                self.feeder.catch_up(self.feeder.programme.instant_of(self.at), self.speed, tell)
            if not server.should_exit:
                self._announce()
            with self._team_at_work():
                self.feeder.follow()
        except Refusal as refusal:
            self.refusal = refusal
            server.should_exit = True

    @contextmanager
    def _team_at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self.team.run, name="team")
        thread.start()
        try:
            yield
        finally:
            self.team.stop()
            thread.join()
            self.team.close()

    def _announce(self) -> None:
        self.out.print(f"[bold]{self.url}[/bold]   (Ctrl-C 结束 / to stop)", highlight=False)
        if self.browser:
            webbrowser.open(self.url + self.entrance)


class _Server(uvicorn.Server):
    """Stops the feeder before it stops itself, so that nobody sends to a closed door."""

    def __init__(self, config: uvicorn.Config, feeder: Feeder) -> None:
        super().__init__(config)
        self._feeder = feeder

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """After Ctrl-C."""
        self._feeder.stop()
        super().handle_exit(sig, frame)


def _serve(app: FastAPI, port: int, show: _Show) -> None:
    """The server in this thread, the show in another; returns after Ctrl-C, raises the show's refusal."""
    config = serving_config(
        app, host=HOST, port=port, log_level="warning", timeout_graceful_shutdown=GRACEFUL_STOP_S
    )
    server = _Server(config, show.feeder)
    thread = threading.Thread(target=show.run, args=(server,), name="demonstration")
    thread.start()
    try:
        with suppress(KeyboardInterrupt):
            server.run()
    finally:
        server.should_exit = True
        show.feeder.stop()
        thread.join()
        show.feeder.close()
    if show.refusal is not None:
        raise show.refusal


@contextmanager
def _bar(out: Console) -> Iterator[Callable[[float], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("当日回放 / The day so far", total=1.0)
        yield lambda share: progress.update(task, completed=share)


def _sensor(plan: SensorPlan, district_id: str) -> Sensor:
    kind = SensorKind.HEAD if plan.gate_id is None else SensorKind.LINE
    return Sensor(
        id=plan.id,
        district_id=district_id,
        kind=kind,
        gate_id=plan.gate_id,
        zone_id=plan.zone_id,
        name_zh=plan.name_zh[:NAME_LENGTH_MAX],
        name_en=plan.name_en[:NAME_LENGTH_MAX],
        period_s=float(SLOT_S),
        error_share=STATED_ERROR_SHARE,
    )


def demo_notice(speed: float, place: Place) -> Demo:
    """What the demonstration says of itself on every screen."""
    credits_en = [CREDIT_EN, place.district.credit_en]
    credits_zh = [CREDIT_ZH, place.district.credit_zh]
    accounts = [DemoAccount(name=str(role), password=PASSWORD, role=str(role)) for role in DISPLAY_NAMES]
    credit = BothLanguages(
        en=" · ".join(credit for credit in credits_en if credit),
        zh=" · ".join(credit for credit in credits_zh if credit),
    )
    return Demo(speed=speed, credit=credit, accounts=accounts)


def _check(speed: float, port: int) -> None:
    if not 0 < speed <= SPEED_MAX:
        raise BadInput(
            "demo.bad_speed",
            en=f"The speed must be more than 0 and at most {SPEED_MAX:g}.",
            zh=f"速度须大于 0 且不超过 {SPEED_MAX:g}。",
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise BadInput(
                "demo.port_taken",
                en=f"Port {port} is taken; choose another with --port.",
                zh=f"端口 {port} 已被占用；请用 --port 指定其他端口。",
            ) from None
