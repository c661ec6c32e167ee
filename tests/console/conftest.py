"""A small district served on a free port, and Chromium to walk its console with.

Playwright's loop ends with this folder: tests elsewhere have loops of their own.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect, sync_playwright
from tests.conftest import DISTRICT
from tests.crowds.conftest import head
from tests.places.conftest import SAMPLE, feature, line, named, square, zone
from tests.serving import PASSWORD, free_port, open_account, serving

import anshang
from anshang.app import create_app
from anshang.crowds import actions as crowds
from anshang.crowds.model import LevelRules
from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from anshang.web.session import Runtime

CHROMIUM = shutil.which("chromium")
BUILT = (Path(anshang.__file__).parent / "static" / "index.html").is_file()
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
USABLE_M2 = 1000.0
AT_ONCE = LevelRules(
    rises=(1.0, 2.0, 3.0, 4.0),
    falls=(0.8, 1.6, 2.5, 3.0),
    rise_after_s=(0.0, 0.0, 0.0, 0.0),
    fall_after_s=(0.0, 0.0, 0.0, 0.0),
)
"""Levels that follow the density without a wait, so that nobody waits in a test."""
NO_ONE_SIGNED_IN = r"status of 401"
"""The browser logs every refused question; the page asks who is signed in before anybody is."""
LOST = r"ERR_FAILED"
"""What the browser logs of an answer that was lost on its way."""


def lose_answer(page: Page, pattern: str) -> None:
    """Let the next write to an address reach the server, and lose the answer to it."""

    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method == "GET" or lost:
            route.fallback()
            return
        lost.append(route.request.url)
        assert route.fetch().ok
        route.abort()

    page.route(pattern, lose)


@dataclass
class Town:
    """A district being served: z01 and z02 are counted by heads, z03 by a sensor that is silent soon."""

    app: FastAPI
    database: Database
    port: int
    key: str
    running: list[AbstractContextManager[str]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    def tell(self, **people: int) -> None:
        """Post what the head counters see now, as a feed does: `z01=2500`."""
        at = clock.now().isoformat()
        rows = [{"sensor": f"h{id}", "at": at, "people": count} for id, count in people.items()]
        answer = httpx.post(
            f"{self.address}/api/observations",
            params={"district": DISTRICT},
            headers={"Authorization": f"Bearer {self.key}"},
            json={"observations": rows},
        )
        assert answer.json()["taken"] == len(rows), answer.text

    def account(self, role: Role) -> str:
        """The sign-in name of a new account."""
        return open_account(self.database, role, DISTRICT)

    def start(self) -> None:
        """Serve, at the same address every time."""
        self.app = create_app(
            Settings(data_folder=self._folder, database_url=self.database.url, **self.settings)
        )
        served = serving(self.app, self.port)
        served.__enter__()
        self.running.append(served)

    def stop(self) -> None:
        """Switch the server off."""
        self.running.pop().__exit__(None, None, None)
        self.app.state.services[Runtime].database.dispose()

    @property
    def _folder(self) -> Path:
        return Path(self.database.url.removeprefix("sqlite:///")).parent


def document() -> bytes:
    """Three zones in a row and the gates between them."""
    told: dict[str, Any] = copy.deepcopy(SAMPLE)
    names = [("甲区", "Zone A"), ("乙区", "Zone B"), ("丙区", "Zone C")]
    told["features"] = [
        zone(f"z0{n + 1}", square(n, 0), name=named(*name), usable_m2=USABLE_M2)
        for n, name in enumerate(names)
    ] + [
        feature(
            f"g0{n}",
            line((n, 0.4), (n, 0.6)),
            kind="gate",
            name=named(f"{n}号门", f"Gate {n}"),
            between=[f"z0{n}", f"z0{n + 1}"],
            width_m=8.0,
        )
        for n in (1, 2)
    ]
    return json.dumps(told).encode()


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    """The small district, served."""
    operator = operator_actor(DISTRICT)
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator, document=document())
        crowds.change_levels(tx, actor=operator, applies_to="*moving", rules=AT_ONCE, edition="")
        for sensor in (head("z01", period_s=60), head("z02", period_s=60), head("z03", period_s=1)):
            crowds.define_sensor(tx, actor=operator, sensor=sensor)
        _feed, key = people.open_feed(tx, actor=operator, id=ids.new_id(), name="heads")
    town = Town(None, database, free_port(), key)  # type: ignore[arg-type]
    town.start()
    yield town
    while town.running:
        town.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for each file: its loop must be gone before other tests run theirs."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    if not BUILT:
        pytest.skip("the console is not built")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield chromium
        chromium.close()


@dataclass
class Visit:
    """Somebody's browser: fresh contexts, and every fault that any of their pages logged."""

    browser: Browser
    town: Town
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: [NO_ONE_SIGNED_IN])
    contexts: list[BrowserContext] = field(default_factory=list)

    def context(self, **options: Any) -> BrowserContext:
        """A browser without any history, Chinese unless told otherwise."""
        size = {"width": 1920, "height": 1080}
        context = self.browser.new_context(**{"locale": "zh-CN", "viewport": size, **options})
        context.set_default_timeout(10_000)
        context.on("console", self._logged)
        context.on("weberror", lambda fault: self.faults.append(str(fault.error)))
        self.contexts.append(context)
        return context

    def signed_in(self, role: Role = Role.DESK, language: str = "zh", **options: Any) -> BrowserContext:
        """A context with a session of a new account."""
        context = self.context(**options)
        told = {"name": self.town.account(role), "password": PASSWORD}
        opened = context.request.post(f"{self.town.address}/api/session", data=told)
        assert opened.ok, opened.text()
        context.request.patch(
            f"{self.town.address}/api/session/language",
            data={"language": language},
            headers={"X-CSRF-Token": opened.json()["csrf_token"]},
        )
        return context

    def open(self, path: str = "/", role: Role = Role.DESK, language: str = "zh", **options: Any) -> Page:
        """A page of somebody signed in, at an address of the console."""
        page = self.signed_in(role, language, **options).new_page()
        page.goto(f"{self.town.address}{path}")
        return page

    def unexpected(self) -> list[str]:
        """What was logged that should not have been."""
        return [fault for fault in self.faults if not any(re.search(known, fault) for known in self.expected)]

    def _logged(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"{message.text} {message.location.get('url', '')}")


@pytest.fixture
def visit(browser: Browser, town: Town) -> Iterator[Visit]:
    """Opens pages; in the end no page may have logged an error."""
    expect.set_options(timeout=10_000)
    visit = Visit(browser, town)
    yield visit
    for context in visit.contexts:
        context.close()
    assert visit.unexpected() == []


@pytest.fixture
def desk(visit: Visit) -> Callable[..., Page]:
    """Opens the desk in English with its table in sight."""

    def open_desk(path: str = "/?view=table", **options: Any) -> Page:
        page = visit.open(path, **{"language": "en", **options})
        expect(page.get_by_test_id("live-age")).to_contain_text(re.compile("LIVE|实时"))
        return page

    return open_desk
