"""A drill on screen: its leader begins it, the desk works in the copy, which looks like one, and steps are timed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations

from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCENARIO = """name_zh = "演练一"
name_en = "First drill"
minutes = 20
[[call]]
at = 0
text = "somebody fell"
category = "injury"
zone = "z01"
"""


def test_a_drill_is_begun_worked_in_and_ended(visit: Visit, town: Town) -> None:
    desk = visit.open("/", Role.DESK, "en")
    leader = visit.open("/admin?tab=drills", Role.SUPERVISOR, "en")
    expect(leader.get_by_text("There was no drill yet.")).to_be_visible()
    leader.get_by_role("button", name="Begin a drill…").click()
    dialog = leader.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("minutes = 0")
    dialog.get_by_role("button", name="Begin a drill").click()
    expect(dialog.get_by_role("status")).to_contain_text("The scenario has faults")
    visit.expected.append("status of 400")
    dialog.get_by_role("textbox").fill(SCENARIO)
    assert violations(leader) == []
    dialog.get_by_role("button", name="Begin a drill").click()
    drill = leader.get_by_role("region", name="First drill")
    expect(drill).to_contain_text("goes on")
    expect(drill.get_by_role("row").filter(has_text="somebody fell").first).to_be_visible(timeout=30_000)

    districts = desk.get_by_role("combobox", name="District")
    expect(districts).to_be_visible(timeout=40_000)
    districts.select_option(index=1)
    expect(desk.get_by_text("Everything on this page is an exercise")).to_be_visible()
    call = desk.get_by_role("listitem").filter(has_text="somebody fell").first
    expect(call).to_contain_text("drill")
    call.get_by_role("button").first.click()
    expect(desk.get_by_role("article").filter(has_text="Clocks").first).to_contain_text("to acknowledge")
    desk.keyboard.press("c")
    expect(call).not_to_contain_text("waits")
    expect(drill.get_by_role("row").filter(has_text="acknowledged")).not_to_contain_text(
        "not done", timeout=30_000
    )
    assert violations(leader) == []
    assert violations(desk) == []
    drill.get_by_role("button", name="End the drill").click()
    expect(drill).to_contain_text("of 3 steps in time")
    expect(drill.get_by_role("button", name="End the drill")).to_have_count(0)
    visit.expected += ["status of 403", "status of 404"]
    expect(desk.get_by_role("combobox", name="District")).to_have_count(0, timeout=40_000)
    expect(desk.get_by_text("That district is open to you no longer")).to_be_visible()
    expect(desk.get_by_text("No open matters.")).to_be_visible()
