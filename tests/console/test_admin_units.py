"""Units, their crews, the ladder and the categories are looked after on the Admin screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations

from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def admin(visit: Visit, tab: str) -> Page:
    page = visit.open(f"/admin?tab={tab}", Role.SUPERVISOR, "en")
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    return page


def test_a_unit_is_entered_gets_a_key_and_is_retired(visit: Visit, town: Town) -> None:
    page = admin(visit, "units")
    expect(page.get_by_text("No unit is entered yet.")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Enter a unit").click()
    dialog = page.get_by_role("dialog")
    for label, text in (
        ("Code", "k1"),
        ("Call sign", "K1"),
        ("Chinese name", "快一"),
        ("English name", "Rapid 1"),
    ):
        dialog.get_by_label(label).fill(text)
    dialog.get_by_label("Kind").select_option("Street rapid unit")
    assert violations(page) == []
    dialog.get_by_role("button", name="Save").click()
    table = page.get_by_role("table", name="Units")
    expect(table).to_contain_text("Rapid 1")
    page.get_by_role("button", name="New key for K1").click()
    page.get_by_role("button", name="Make a key").click()
    shown = page.get_by_role("region", name="New key for K1").get_by_role("textbox")
    expect(shown).to_have_value(re.compile(r"^asu_"))
    assert violations(page) == []
    page.get_by_role("region", name="New key for K1").get_by_role("button").last.click()
    page.get_by_role("button", name="Retire K1").click()
    page.get_by_role("dialog").get_by_role("button", name="Retire").click()
    expect(page.get_by_text("No unit is entered yet.")).to_be_visible()


def test_what_is_known_of_a_member_is_two_dates_and_whether_of_age(visit: Visit, town: Town) -> None:
    name = town.account(Role.VOLUNTEER)
    page = admin(visit, "units")
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("not told")
    row.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Insured until").fill("2020-01-01")
    dialog.get_by_label("Trained until").fill("2099-01-01")
    assert violations(page) == []
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text(re.compile(r"2020-01-01\s*expired"))
    expect(row).to_contain_text("2099-01-01")


def test_the_ladder_is_changed_and_a_wrong_one_is_refused_beside_the_form(visit: Visit, town: Town) -> None:
    visit.expected.append("status of 400")
    page = admin(visit, "units")
    page.get_by_role("button", name="Change Ladder").click()
    dialog = page.get_by_role("dialog")
    first = dialog.get_by_label("Target (s)").first
    first.fill("500")
    assert violations(page) == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Targets grow from rung to rung")
    first.fill("90")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Ladder")).to_contain_text("90")


def test_a_category_is_added_changed_and_retired(visit: Visit, town: Town) -> None:
    page = admin(visit, "categories")
    expect(page.get_by_role("region", name="Categories of incident")).to_contain_text("Pickpocketing")
    assert violations(page) == []
    page.get_by_role("button", name="New category").click()
    dialog = page.get_by_role("dialog")
    for label, text in (("Code", "drone"), ("Chinese name", "无人机"), ("English name", "Drone overhead")):
        dialog.get_by_label(label).fill(text)
    dialog.get_by_label("Questions").fill("height | 多高？")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("This line cannot be read: height | 多高？")
    dialog.get_by_label("Questions").fill("height | 多高？ | How high? | number")
    dialog.get_by_label("Checklist").fill("疏散人群 | Move people away\n找到操作者 | Find the pilot | police")
    assert violations(page) == []
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="Drone overhead")
    expect(row).to_contain_text("in use")
    row.get_by_role("button", name="Change").click()
    expect(page.get_by_role("dialog").get_by_label("Checklist")).to_have_value(
        "疏散人群 | Move people away\n找到操作者 | Find the pilot | police"
    )
    page.keyboard.press("Escape")
    row.get_by_role("button", name="Retire").click()
    page.get_by_role("dialog").get_by_role("button", name="Retire").click()
    expect(row).to_contain_text("retired")
