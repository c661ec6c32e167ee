"""The built console as it is served, and what a browser keeps of it when the server is gone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, sync_playwright
from starlette.testclient import TestClient
from tests.serving import free_port, serving

import anshang

STATIC = Path(anshang.__file__).parent / "static"
CHROMIUM = shutil.which("chromium")
OFFLINE_RELOAD_S = 0.5

pytestmark = pytest.mark.skipif(not (STATIC / "index.html").is_file(), reason="the console is not built")


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a fresh browser."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_the_service_worker_is_a_script_at_the_root_and_never_out_of_date(app: FastAPI) -> None:
    answer = TestClient(app).get("/service-worker.js")
    assert answer.headers["content-type"].split(";")[0].endswith("/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    assert "@files" not in answer.text


def test_every_screen_has_an_address_of_its_own(app: FastAPI) -> None:
    for address in ("/", "/wall", "/check"):
        answer = TestClient(app).get(address)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/html")


@pytest.mark.browser
@pytest.mark.slow
def test_a_reload_without_a_server_shows_the_offline_page_and_comes_back_by_itself(
    app: FastAPI, page: Page
) -> None:
    port = free_port()
    with serving(app, port) as address:
        page.goto(f"{address}/wall")
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    begun = time.monotonic()
    page.reload(wait_until="commit")
    page.wait_for_selector("#offline")
    assert time.monotonic() - begun < 4 * OFFLINE_RELOAD_S
    with serving(app, port):
        page.wait_for_selector("#offline", state="detached", timeout=10_000)
        page.wait_for_selector("input[name=name]")
        assert page.url.endswith("/wall")
