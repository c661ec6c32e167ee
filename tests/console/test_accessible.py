"""Every screen in both languages and shades against WCAG 2.2 AA, and on a narrow screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.console.conftest import Town, Visit

from anshang.people.model import PERMISSIONS, Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SOURCES = Path(__file__).parents[2] / "console" / "desk" / "src"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def routes() -> list[tuple[str, Role]]:
    """Every address of the console and a role that may see it, as the console's own list says."""
    text = (SOURCES / "app" / "routes.ts").read_text("utf-8")
    found = re.findall(r'path: "([^"]+)",.*?needs: "([^"]+)"', text, re.DOTALL)
    tabs = re.findall(r'name: "(\w+)"', (SOURCES / "admin" / "tabs.ts").read_text("utf-8"))
    told = []
    for path, needs in found:
        roles = (Role.WALL,) if path == "/wall" else (Role.DESK, Role.SUPERVISOR, Role.ADMIN)
        role = next(role for role in roles if needs in PERMISSIONS[role])
        told.append((path, role))
    assert tabs
    screens = [one for one in told if one[0] != "/admin"]
    return [*screens, *((f"/admin?tab={tab}", Role.ADMIN) for tab in tabs)]


def settle(page: Page) -> None:
    """Wait until the screen stands."""
    expect(page.locator("main h1")).to_be_attached()
    page.wait_for_load_state("load")
    expect(page.get_by_text(re.compile("正在读取|Loading…"))).to_have_count(0)


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})["violations"]
    return [f"{one['id']}: {node['html'][:160]} {node['any'][:1]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize(("path", "role"), routes(), ids=[path for path, _ in routes()])
def test_a_screen_has_no_violation_of_wcag_in_either_language_and_shade(
    visit: Visit, town: Town, path: str, role: Role
) -> None:
    town.tell(z01=2500, z02=1200)
    wrong = {}
    for language in ("zh", "en"):
        page = visit.open(path, role, language)
        settle(page)
        for scheme, shade in (("light", "day"), ("dark", "night")):
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("html")).to_have_attribute("data-shade", shade)
            wrong[language, shade] = violations(page)
        page.close()
    assert {key: found for key, found in wrong.items() if found} == {}


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_the_sign_in_page_has_no_violation_of_wcag(visit: Visit, town: Town, shade: str) -> None:
    for locale in ("zh-CN", "en-GB"):
        page = visit.context(locale=locale, color_scheme=shade).new_page()
        page.goto(town.address)
        expect(page.locator("[name=password]")).to_be_visible()
        assert violations(page) == []


def test_an_open_matter_and_its_dialogs_have_no_violation_of_wcag(visit: Visit, town: Town) -> None:
    town.tell(z01=4500)
    page = visit.open("/?view=table", language="en")
    page.locator("[data-matter]", has_text="Zone A").click()
    expect(page.get_by_role("article").filter(has_text="Clocks").first).to_contain_text("to acknowledge")
    assert violations(page) == []
    dialog = page.locator("dialog[open]")
    for key in ("n", "d", "?", "/"):
        page.keyboard.press(key)
        try:
            expect(dialog).to_be_visible(timeout=4_000)
        except AssertionError:  # pressed while a busy machine drew something else: a person presses again
            page.keyboard.press(key)
            expect(dialog).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)


@pytest.mark.parametrize(
    "size", [{"width": 320, "height": 640}, {"width": 960, "height": 540}], ids=["320px", "zoom 200%"]
)
def test_a_narrow_screen_is_never_scrolled_sideways(visit: Visit, town: Town, size: dict[str, int]) -> None:
    town.tell(z01=2500, z02=1200)
    wide = {}
    for path, role in [("/?zone=z01", Role.DESK), *routes()]:
        page = visit.open(path, role, "en", viewport=size)
        settle(page)
        wide[path] = page.evaluate(
            """() => [document.documentElement, document.querySelector("main")]
                .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.scrollWidth)"""
        )
        page.close()
    assert {path for path, found in wide.items() if found} == set()
