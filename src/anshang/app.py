"""Wires the rooms (`rooms.py`) into one web application."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable, Sequence
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
from anshang.connectors import mqtt
from anshang.crowds.ingest import Intake
from anshang.foundation import memory, migrations
from anshang.foundation.database import Database
from anshang.foundation.errors import NotFound
from anshang.foundation.jobs import Progress, Supervised, Supervisor
from anshang.foundation.rooms import Room
from anshang.foundation.wiring import Services
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.doorkeeper import Doorkeeper
from anshang.rooms import ROOMS
from anshang.settings import Settings
from anshang.web import errors
from anshang.web.budgets import Budgets
from anshang.web.caching import Uncached
from anshang.web.limits import BodyLimit
from anshang.web.live import Hub
from anshang.web.session import Cookies, Runtime
from anshang.web.shapes import Demo
from anshang.worker import Worker, supervisor_of

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


def create_app(settings: Settings, *, demo: Demo | None = None, rooms: Sequence[Room] = ROOMS) -> FastAPI:
    """The application of one installation: its database brought up to date, its rooms wired, its worker
    ready.
    """
    log_plainly(settings.log_level)
    memory.keep_little()
    services = _services(settings, demo, rooms)
    app = _bare(_running(services))
    app.state.services = services
    _furnish(app, rooms, https=settings.https)
    return app


def _services(settings: Settings, demo: Demo | None, rooms: Sequence[Room]) -> Services:
    """What the rooms share, all of it made."""
    services = Services({kind: make for room in rooms for kind, make in room.makes.items()})
    services.add(settings)
    services.add(_database(settings))
    services.add(supervisor_of(services, rooms))
    services.add(
        Runtime(
            database=services[Database],
            hub=services[Hub],
            doorkeeper=services[Doorkeeper],
            supervisor=services[Supervisor],
            cookies=_cookies(settings),
            data_folder=settings.data_folder if settings.data_folder.exists() else Path(),
            demo=demo,
            budgets=services[Budgets],
        )
    )
    services.make_all()
    services.add(Worker(services))
    return services


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


def _furnish(app: FastAPI, rooms: Sequence[Room], *, https: bool) -> None:
    """Routes, refusals in words, the console, and what every call passes on its way in."""
    for room in rooms:
        for router in room.routers:
            app.include_router(router)
    errors.install(app)
    _serve_console(app)
    app.add_middleware(Uncached)
    app.add_middleware(BodyLimit, larger=LARGER_BODIES)
    app.add_middleware(SecureASGIMiddleware, secure=HEADERS(hsts=_STAY_WITH_HTTPS if https else None))
    app.add_middleware(errors.LastResort)


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


def _running(services: Services) -> Lifespan:
    """While the application serves, the journal is followed, the loops run, the sensors are heard."""
    settings, worker, hub = services[Settings], services[Worker], services[Hub]

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = asyncio.Event()
        keep = worker.supervisor.keep
        tasks = [asyncio.create_task(keep(LIVE, hub.run))]
        await asyncio.to_thread(worker.start)
        if settings.mqtt_host:  # only now is there an engine to hear the sensors
            tasks.append(
                asyncio.create_task(keep(MQTT, partial(_follow_sensors, settings, services[Intake], stop)))
            )
        if settings.cot_tcp_port or settings.cot_udp_port or settings.cot_send_to:
            serve = partial(_serve_tak, settings, services[Database], services[Whereabouts], stop)
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
