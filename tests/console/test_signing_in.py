"""Signing in and out, and the two languages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit
from tests.serving import PASSWORD, open_account

from anshang.foundation import ids
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor

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


@pytest.mark.parametrize(
    ("role", "home", "sign"),
    [
        (Role.PATROL, "/field/", "SOS: hold"),
        (Role.VOLUNTEER, "/field/", "SOS: hold"),
        (Role.PARTNER, "/shop/", "not in the district's register"),
        (Role.MEDIATOR, "/", "LIVE"),
    ],
)
def test_everybody_comes_home_from_the_front_door_in_the_language_picked_there(
    visit: Visit, town: Town, role: Role, home: str, sign: str
) -> None:
    visit.expected.append("api/shop.* 404|status of 404.*api/shop")
    operator, body_id = operator_actor(DISTRICT), ids.new_id()
    with town.database.transaction(EVERYWHERE) as tx:
        people.register_body(tx, actor=operator, id=body_id, name_zh="甲单位", name_en="Body A")
    name = open_account(town.database, role, DISTRICT, body_id=body_id)
    page = visit.context().new_page()
    page.goto(town.address)
    page.get_by_role("button", name="English").click()
    fill(page, name, PASSWORD)
    page.wait_for_url(lambda url: url.startswith(f"{town.address}{home}"))
    expect(page.get_by_text(sign).first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")


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
