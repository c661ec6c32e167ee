"""Wires the rooms into one web application. The only file that knows every room."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from pkgutil import resolve_name

import secure
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from secure.middleware import SecureASGIMiddleware

import anshang
from anshang.connectors import mqtt, prometheus
from anshang.connectors.prometheus import Metrics
from anshang.crowds import api as crowds_api
from anshang.crowds import forecast_api, observing_api, planned_api, trained_api, weather_api
from anshang.crowds.ingest import Intake
from anshang.crowds.outlook import Outlooks
from anshang.crowds.watch import Watch
from anshang.desk import api as desk_api
from anshang.desk import looking_api, lost_property_api, order_api, public_api, shift_api, shop_api
from anshang.desk.calls import CallDesk
from anshang.desk.public import PublicDesk
from anshang.desk.shop_feed import ShopFeed
from anshang.dispatch import api as dispatch_api
from anshang.dispatch import board_api
from anshang.dispatch.dispatcher import Dispatcher
from anshang.drills import api as drills_api
from anshang.drills.playing import Player
from anshang.foundation import memory, migrations
from anshang.foundation.database import Database
from anshang.foundation.errors import NotFound
from anshang.foundation.jobs import Progress, Supervised
from anshang.incidents import api as incidents_api
from anshang.incidents import category_api
from anshang.lookouts import api as lookouts_api
from anshang.lookouts.sweep import LookoutSweep
from anshang.matters import api as matters_api
from anshang.partners import api as partners_api
from anshang.partners import council_api, push_api
from anshang.partners.doors import DoorBook
from anshang.partners.push import hosts
from anshang.patrols import api as patrols_api
from anshang.patrols.store import find_sign_of
from anshang.patrols.whereabouts import Whereabouts
from anshang.people import api as people_api
from anshang.people import journal_api
from anshang.people.doorkeeper import Doorkeeper
from anshang.places import api as places_api
from anshang.settings import Settings
from anshang.vault import api as vault_api
from anshang.vault.keys import Keyring, read_masters
from anshang.volunteers import api as volunteers_api
from anshang.web import api as web_api
from anshang.web import errors, feeds_api
from anshang.web.budgets import Budgets
from anshang.web.caching import Uncached
from anshang.web.limits import BodyLimit
from anshang.web.live import Hub
from anshang.web.session import Cookies, Runtime
from anshang.web.shapes import Demo
from anshang.worker import Worker

ROUTERS = (
    observing_api.router,  # first, because routes are tried in their order and this one is asked the most
    web_api.router,
    feeds_api.router,
    people_api.router,
    journal_api.router,
    places_api.router,
    matters_api.router,
    crowds_api.router,
    forecast_api.router,
    trained_api.router,
    planned_api.router,
    weather_api.router,
    incidents_api.router,
    category_api.router,
    patrols_api.router,
    dispatch_api.router,
    board_api.router,
    vault_api.router,
    partners_api.router,
    council_api.router,
    push_api.router,
    lookouts_api.router,
    shop_api.router,
    order_api.router,
    looking_api.router,
    drills_api.router,
    lost_property_api.router,
    public_api.router,
    volunteers_api.router,
    shift_api.router,
    desk_api.router,
    prometheus.router,
)

LIVE = Supervised(name="live.stream", every_s=1.0, en="News on all screens", zh="各终端实时消息推送")
MQTT = Supervised(
    name="counts.mqtt", every_s=10.0, critical=False, en="Counts from the MQTT broker", zh="MQTT 传感器接入"
)
TAK = Supervised(
    name="patrols.tak", every_s=10.0, critical=False, en="Exchange with TAK clients", zh="TAK 终端对接"
)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
GARBAGE_ROWS = 50_000
GIVE_WAY_S = 0.001
PAGES = ("field", "shop", "here")
"""Beside the desk's: for phones of the duty team, for partners, for whoever stands in the district."""
LARGER_BODIES = {"/api/place": 20_000_000, "/api/observations": 8_000_000, "/api/photos": 12_000_000}

_STAY_WITH_HTTPS = secure.StrictTransportSecurity().max_age(31_536_000)
HEADERS = partial(
    secure.Secure,
    csp=secure.ContentSecurityPolicy()
    .default_src("'self'")
    .img_src("'self'", "data:", "blob:")
    .worker_src("'self'", "blob:")
    .style_src("'self'", "'unsafe-inline'")
    .object_src("'none'")
    .base_uri("'self'")
    .form_action("'self'")
    .frame_ancestors("'none'"),
    coop=secure.CrossOriginOpenerPolicy().same_origin(),
    permissions=secure.PermissionsPolicy().geolocation("self").camera("self").microphone(),
    referrer=secure.ReferrerPolicy().same_origin(),
    xcto=secure.XContentTypeOptions().nosniff(),
)


def create_app(settings: Settings, *, demo: Demo | None = None) -> FastAPI:
    """The application of one installation: its database brought up to date, its rooms wired, its worker
    ready.
    """
    log_plainly(settings.log_level)
    memory.keep_little()
    database = _database(settings)
    hub = Hub(database)
    database.on_commit.append(hub.wake)
    doorkeeper = Doorkeeper(database, tries_per_minute=settings.sign_in_tries_per_minute)
    budgets, watch = Budgets(), Watch(database)
    intake = Intake(database, watch.taken, watch.turnstile, settings.sealed_folder)
    whereabouts = Whereabouts(database)
    dispatcher = Dispatcher(database, watch, whereabouts)
    outlooks = Outlooks(database, watch)
    keyring, doors = Keyring(settings.vault_folder, read_masters(settings.vault_keys)), DoorBook(watch)
    searches = LookoutSweep(database, keyring, doors)
    player = Player(database, intake, watch, whereabouts, keyring)
    worker = Worker(
        settings, database, watch, hub, whereabouts, dispatcher, outlooks, keyring, searches, player
    )
    app = _bare(_running(settings, database, whereabouts, intake, hub, worker))
    _share(
        app,
        runtime=Runtime(database, hub, doorkeeper, worker.supervisor, _cookies(settings), demo, budgets),
        watch=watch,
        worker=worker,
        data_folder=settings.data_folder if settings.data_folder.exists() else Path(),
        intake=intake,
        whereabouts=whereabouts,
        dispatcher=dispatcher,
        outlooks=outlooks,
        keyring=keyring,
        erasure_guard=worker.erasure_guard,
        doors=doors,
        public=PublicDesk(watch, outlooks, budgets),
        calls=CallDesk(database, budgets),
        shop_feed=ShopFeed(database, keyring, hub, worker.supervisor),
        metrics=Metrics(database, worker.supervisor, hub, settings.metrics_key),
        push_key=_push_key(settings),
        push_services=hosts(settings.push_services),
    )
    _furnish(app, https=settings.https)
    return app


def _database(settings: Settings) -> Database:
    """The installation's database, brought up to date."""
    database = Database(settings.resolved_database_url, settings.database_owner_url)
    migrations.upgrade(database)
    return database


def _cookies(settings: Settings) -> Cookies:
    """How long a session lasts, and whether over HTTPS only."""
    return Cookies(
        timedelta(hours=settings.session_hours),
        settings.secure_cookies,
        timedelta(days=settings.partner_session_days),
    )


def _push_key(settings: Settings) -> str:
    """What browsers subscribe with for push messages; empty where there are none."""
    if not settings.push_contact:
        return ""
    key: str = resolve_name("anshang.connectors.webpush:public_key")(settings.data_folder)
    return key


def _bare(lifespan: Lifespan) -> FastAPI:
    """An application with nothing in it yet."""
    return FastAPI(
        title="Anshang 安商",
        version=anshang.__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would name the host as the caller's header does
        lifespan=lifespan,
        responses=errors.PROBLEMS,
    )


def _furnish(app: FastAPI, *, https: bool) -> None:
    """Routes, refusals in words, the console, and what every call passes on its way in."""
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app)
    _share(app, find_sender=find_sign_of)
    _serve_console(app)
    app.add_middleware(Uncached)
    app.add_middleware(BodyLimit, larger=LARGER_BODIES)
    app.add_middleware(SecureASGIMiddleware, secure=HEADERS(hsts=_STAY_WITH_HTTPS if https else None))
    app.add_middleware(errors.LastResort)


def _share(app: FastAPI, **shared: object) -> None:
    """What routes find in `app.state`."""
    for name, one in shared.items():
        setattr(app.state, name, one)


def log_plainly(level: str) -> None:
    """One line an event, as key=value with the instant first; faults with their trace."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )


def _running(
    settings: Settings,
    database: Database,
    whereabouts: Whereabouts,
    intake: Intake,
    hub: Hub,
    worker: Worker,
) -> Lifespan:
    """While the application serves, the journal is followed, the loops run, the sensors are heard."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = asyncio.Event()
        keep = worker.supervisor.keep
        tasks = [asyncio.create_task(keep(LIVE, hub.run))]
        await asyncio.to_thread(worker.start)
        if settings.mqtt_host:  # only now is there an engine to hear the sensors
            tasks.append(asyncio.create_task(keep(MQTT, partial(_follow_sensors, settings, intake, stop))))
        if settings.cot_tcp_port or settings.cot_udp_port or settings.cot_send_to:
            serve = partial(_serve_tak, settings, database, whereabouts, stop)
            tasks.append(asyncio.create_task(keep(TAK, serve)))
        _prefer_answers()
        try:
            yield
        finally:
            hub.stop()
            stop.set()
            await asyncio.to_thread(worker.stop)
            for task in tasks:
                task.cancel()
            gc.unfreeze()

    return lifespan


def _prefer_answers() -> None:
    """Let nothing in this process hold up an answer for long.

    The garbage collector leaves alone what stays, and looks at what comes by the batch instead of by the row:
    rows are small tuples that die young. A thread that computes gives way after a millisecond.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_ROWS, 20, 50)
    sys.setswitchinterval(GIVE_WAY_S)


async def _serve_tak(
    settings: Settings,
    database: Database,
    whereabouts: Whereabouts,
    stop: asyncio.Event,
    got_on: Progress,
) -> None:
    """Hear and tell TAK clients; what that takes is loaded only where it is wanted."""
    cot = resolve_name("anshang.connectors.cot:Cot")(database, whereabouts)
    ports = (settings.cot_tcp_port, settings.cot_udp_port)
    await cot.serve(settings.cot_host, *ports, settings.cot_send_to, stop, got_on)


async def _follow_sensors(settings: Settings, intake: Intake, stop: asyncio.Event, got_on: Progress) -> None:
    await mqtt.follow(
        host=settings.mqtt_host,
        port=settings.mqtt_port,
        user=settings.mqtt_user,
        password=settings.mqtt_password,
        client_id=mqtt.client_id_of(settings.data_folder),
        intake=intake,
        stop=stop,
        got_on=got_on,
    )


def _serve_console(app: FastAPI) -> None:
    """The built console: each of PAGES for every address below its name, the desk's for every other that is
    not the API's; the API alone when it is not built.
    """
    static = Path(anshang.__file__).parent / "static"
    if not (static / "index.html").is_file():
        return
    for name in PAGES:
        app.add_api_route(f"/{name}", _to_folder, include_in_schema=False)
    for folder, prefix in (*((static / name, f"/{name}") for name in PAGES), (static, "")):
        app.mount(f"{prefix}/assets", StaticFiles(directory=folder / "assets"), name=f"{folder.name} assets")
        app.add_api_route(f"{prefix}/{{path:path}}", _page(folder), include_in_schema=False)


def _to_folder(request: Request) -> RedirectResponse:
    """A page's name leads to its folder, with what a printed code says behind it; on the host that was
    asked, whatever a proxy calls it.
    """
    query = request.url.query
    return RedirectResponse(f"{request.url.path}/{query and '?'}{query}")


def _page(folder: Path) -> Callable[[Request], FileResponse]:
    """Answers with the file of a folder that is asked for, else with its page."""
    page = folder / "index.html"
    files = {file.name: file for file in folder.iterdir() if file.is_file()}

    def answer(request: Request) -> FileResponse:
        path = str(request.path_params.get("path", ""))
        if path.startswith("api/"):
            raise NotFound("route.missing", en="There is nothing at this address.", zh="该地址不存在。")
        return FileResponse(files.get(path, page), headers={"Cache-Control": "no-cache"})

    return answer
