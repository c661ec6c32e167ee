"""An incident at the desk: taken from the keyboard, suggested but never chosen for the person, told step by step."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations

from anshang.foundation import ids
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people.model import operator_actor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Page]


def report(page: Page, text: str, zone: str | None = "Zone A") -> Locator:
    """Report from the keyboard; the drawer of the matter."""
    page.keyboard.press("i")
    page.get_by_label("What is it").fill(text)
    if zone is not None:
        page.get_by_role("combobox", name="Zone").select_option(zone)
    page.get_by_label("What is it").press("Control+Enter")
    drawer = page.get_by_role("article").filter(has_text="Steps").first
    expect(drawer).to_contain_text(text)
    return drawer


def test_a_call_runs_from_when_its_form_is_opened_and_a_threat_to_life_is_not_closed_unseen(
    visit: Visit, desk: Open, town: Town
) -> None:
    visit.expected.append("status of 409")
    page = desk()
    page.keyboard.press("i")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile(r"0:0[2-9]"))
    text = page.get_by_label("What is it")
    text.fill("somebody is bleeding, an ambulance please")
    page.get_by_role("button", name="Use", exact=True).click()
    expect(text).to_be_focused()
    widths = dialog.locator(".pair select").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().right - one.closest('label').getBoundingClientRect().right)"
    )
    assert all(over_px < 1 for over_px in widths), "no select lies over its neighbour"
    page.get_by_role("combobox", name="Priority").press("Control+Enter")
    drawer = page.get_by_role("article").filter(has_text="Steps").first
    expect(drawer).to_contain_text("bleeding")
    expect(drawer.get_by_role("button", name="Acknowledge C")).to_have_count(0)
    expect(page.locator("[data-matter]")).not_to_have_class(re.compile("alarm"))
    page.keyboard.press("d")
    dialog.get_by_role("button").filter(has_text="on the spot").click()
    dialog.get_by_role("textbox").press("Control+Enter")
    expect(dialog).to_contain_text("Nobody has been on the scene of this P1")
    assert violations(page) == []
    dialog.get_by_role("button", name="Close all the same").click()
    expect(dialog).to_have_count(0)


def test_a_report_is_taken_and_told_to_its_end(desk: Open, town: Town) -> None:
    page = desk()
    page.keyboard.press("i")
    page.get_by_label("What is it").fill("a lost child in a red coat")
    hint = page.get_by_text("Suggested: Lost person (by “lost child”)")
    expect(hint).to_be_visible()
    expect(page.get_by_role("combobox", name="Category")).to_have_value("")
    assert violations(page) == []
    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.get_by_role("combobox", name="Category")).to_have_value("lost_person")
    page.get_by_role("combobox", name="Zone").select_option("Zone B")
    page.get_by_label("Number to call back").fill("138 0731 0042")
    page.get_by_role("button", name="Take", exact=True).click()
    drawer = page.get_by_role("article").filter(has_text="Steps").first
    drawer.get_by_role("button", name="Show the number to call back").click()
    expect(drawer.get_by_role("link", name="138 0731 0042")).to_have_attribute("href", "tel:13807310042")
    expect(drawer).to_contain_text("Lost person: a lost child in a red coat")
    expect(drawer).to_contain_text("Somebody is to be there within 5 min of the call")
    expect(page.locator("[data-matter]")).to_contain_text("Lost person")
    drawer.get_by_role("spinbutton", name="About how old?").fill("6")
    drawer.get_by_role("spinbutton", name="About how old?").press("Tab")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(drawer.get_by_text("Hand over with two people")).to_be_visible()
    drawer.get_by_role("button", name="dispatched: now").click()
    expect(drawer.get_by_role("button", name="acknowledged: now")).to_be_visible()
    drawer.get_by_role("button", name="Tell the time of “on scene”").click()
    page.get_by_role("dialog").get_by_role("button", name="correct").click()
    expect(drawer.get_by_text("not told")).to_have_count(2)
    expect(drawer).to_contain_text("call to on scene")
    assert violations(page) == []
    page.keyboard.press("d")
    page.get_by_role("button", name="Dealt with on the spot").click()
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()
    expect(drawer).to_contain_text("Outcome: Dealt with on the spot")
    expect(drawer.get_by_role("listitem").filter(has_text="cleared").first).to_contain_text(
        re.compile(r"\d\d:\d\d:\d\d")
    )


def test_what_may_be_the_same_is_named_and_linked(desk: Open, town: Town) -> None:
    page = desk()
    report(page, "two men fight at the door")
    page.keyboard.press("i")
    page.get_by_label("What is it").fill("people punched each other")
    page.get_by_role("combobox", name="Zone").select_option("Zone A")
    expect(page.get_by_role("dialog")).to_contain_text(re.compile(r"May be the same.*0001.*same zone", re.S))
    page.get_by_label("What is it").press("Control+Enter")
    drawer = page.get_by_role("article").filter(has_text="Steps").first
    expect(drawer).to_contain_text("people punched each other")
    drawer.get_by_role("combobox", name="Category").select_option("fight")
    expect(page.get_by_text("The category is changed.")).to_be_visible()
    expect(page.locator("[data-matter]").filter(has_text="0002")).to_contain_text("Fight: people punched")
    drawer.get_by_role("button", name="Is a duplicate").click()
    expect(drawer).to_contain_text("a duplicate of 0001")
    drawer.get_by_role("button", name="Cancel incident").click()
    page.get_by_label("Reason").fill("told twice")
    page.get_by_role("dialog").get_by_role("button", name="Cancel incident").click()
    expect(drawer).to_contain_text("Outcome: told twice")


def test_another_body_is_asked_and_its_answer_kept(desk: Open, town: Town) -> None:
    with town.database.transaction(EVERYWHERE) as tx:
        people.register_body(
            tx, actor=operator_actor(DISTRICT), id=ids.new_id(), name_zh="物业", name_en="Property"
        )
    page = desk()
    drawer = report(page, "water leaks from the ceiling")
    for answer in ("They do not", "They take it"):
        drawer.get_by_role("button", name="Pass on to another body").click()
        page.get_by_role("combobox", name="To").select_option("Property")
        page.get_by_label("Reason").fill("their pipe")
        page.get_by_role("dialog").get_by_role("button", name="Pass on to another body").click()
        expect(drawer).to_contain_text("Property has not answered yet")
        drawer.get_by_role("button", name=answer).click()
        if answer == "They do not":
            page.get_by_label("Reason").fill("not ours")
            page.get_by_role("dialog").get_by_role("button", name="They do not").click()
            expect(drawer).to_contain_text("Property does not take it: not ours")
    expect(drawer).to_contain_text("Property has taken it")


def test_a_refused_report_keeps_what_was_typed(desk: Open, town: Town) -> None:
    page = desk()
    page.keyboard.press("i")
    page.get_by_label("What is it").fill("noise")
    page.get_by_role("combobox", name="Premises").fill("No such shop")
    page.get_by_role("button", name="Take", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("No premises bear this name")
    expect(page.get_by_label("What is it")).to_have_value("noise")
