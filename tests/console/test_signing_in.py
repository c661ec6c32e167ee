"""Signing in and out, and the two languages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import Town, Visit
from tests.serving import PASSWORD

from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SPOKEN = """() => {
  const told = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node instanceof Element ? node : node.parentElement;
    if (element.closest("[lang]:not(html), script, style, kbd, code, .maplibregl-map")) continue;
    if (node instanceof Element)
      for (const name of ["aria-label", "title", "placeholder", "alt"]) told.push(node.getAttribute(name));
    else if (element.checkVisibility()) told.push(node.data);
  }
  return told.filter((text) => text?.trim()).map((text) => text.trim());
}"""
"""All that a page says, to eyes and to a screen reader, but what is marked as another language."""
CHINESE = re.compile(r"[\u3400-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{3,}")


def fill(page: Page, name: str, password: str) -> None:
    page.locator("[name=name]").fill(name)
    page.locator("[name=password]").fill(password)
    page.locator("button.main").click()


def test_a_wrong_password_says_so_and_keeps_the_name(visit: Visit, town: Town) -> None:
    name = town.account(Role.DESK)
    page = visit.context().new_page()
    page.goto(town.address)
    fill(page, name, "not the right one")
    expect(page.locator(".refusal")).to_contain_text(CHINESE)
    expect(page.locator("[name=name]")).to_have_value(name)
    fill(page, name, PASSWORD)
    expect(page.get_by_role("heading", name="待办", exact=True)).to_be_visible()
    page.get_by_role("button", name="账号菜单").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.locator("[name=password]")).to_be_visible()
    page.reload()
    expect(page.locator("[name=password]")).to_be_visible()


def test_a_language_chosen_is_kept_with_the_account_and_on_the_sign_in_page(visit: Visit, town: Town) -> None:
    name = town.account(Role.DESK)
    page = visit.context().new_page()
    page.goto(town.address)
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    fill(page, name, PASSWORD)
    expect(page.get_by_role("heading", name="待办", exact=True)).to_be_visible()
    with page.expect_response("**/api/session/language"):
        page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    other = visit.context().new_page()
    other.goto(town.address)
    fill(other, name, PASSWORD)
    expect(other.get_by_role("heading", name="Queue")).to_be_visible()
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("language", "foreign"), [("en", CHINESE), ("zh", ENGLISH)], ids=["english", "chinese"]
)
def test_a_desk_at_work_speaks_one_language_only(
    visit: Visit, town: Town, language: str, foreign: re.Pattern[str]
) -> None:
    town.tell(z01=2500, z02=1200)
    page = visit.open("/?view=table&zone=z01", language=language)
    expect(page.locator("[data-matter]").first).to_be_visible()
    expect(page.locator(".panel section").first).to_be_visible()
    own = re.compile(r"desk\.\w+|h?z0\d|Ctrl|Asia/Shanghai", re.IGNORECASE)
    told = page.evaluate(SPOKEN)
    page.locator("[data-matter]").first.click()
    expect(page.locator("article").first).to_be_visible()
    told += page.evaluate(SPOKEN)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()
    told += page.evaluate(SPOKEN)
    assert len(told) > 60
    assert [text for text in told if foreign.search(own.sub("", text))] == []
