"""The council on screen: a meeting is called, partners come and vote, and a resolution is made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations

from anshang.foundation import clock, ids
from anshang.journal.model import EVERYWHERE
from anshang.partners import actions as partners
from anshang.partners.model import Partner, Side
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def shops(town: Town) -> None:
    """Three shops that take part."""
    operator = operator_actor(DISTRICT)
    for number in range(3):
        body = ids.new_id()
        with town.database.transaction(EVERYWHERE) as tx:
            people.register_body(tx, actor=operator, id=body, name_zh=f"店{number}", name_en=f"Shop {number}")
        shop = Partner(f"s{number}", DISTRICT, body, f"店{number}", f"Shop {number}", Side.SHOP, None)
        with town.database.transaction(DISTRICT) as tx:
            partners.enter(tx, actor=operator, partner=shop)


def test_a_meeting_is_called_votes_are_noted_and_a_resolution_is_made(visit: Visit, town: Town) -> None:
    shops(town)
    page = visit.open("/admin?tab=council", Role.SUPERVISOR, "en")
    page.get_by_role("button", name="Call a meeting").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("About").fill("Before the festival")
    dialog.get_by_label("When").fill("2030-01-05T19:30")
    dialog.get_by_label("Where").fill("Kiosk")
    dialog.get_by_label("Agenda").fill("Fire lanes\nLamps")
    assert violations(page) == []
    dialog.get_by_role("button", name="Call a meeting").click()
    meeting = page.get_by_role("region", name="Before the festival")
    expect(meeting).to_contain_text("19:30")
    expect(meeting.get_by_role("listitem").first).to_have_text("Fire lanes")
    meeting.get_by_role("button", name="Who came").click()
    for number in range(3):
        dialog.get_by_label(f"Shop {number}").check()
    dialog.get_by_role("button", name="Who came").click()
    expect(meeting).to_contain_text("3 came")
    meeting.get_by_role("button", name="Put a motion").click()
    dialog.get_by_label("Motion").fill("No goods before the doors")
    dialog.get_by_label("Moved by").select_option("Shop 1")
    dialog.get_by_role("button", name="Put a motion").click()
    motion = meeting.get_by_role("listitem").filter(has_text="No goods")
    motion.get_by_role("button", name="Vote").click()
    for shop, said in (("Shop 0", "for"), ("Shop 1", "for"), ("Shop 2", "against")):
        dialog.get_by_label(shop).select_option(said)
    assert violations(page) == []
    dialog.get_by_role("button", name="Vote").click()
    expect(motion).to_contain_text("for 2 · against 1 · abstained 0")
    motion.get_by_role("button", name="Declare the result").click()
    expect(motion).to_contain_text("carried")
    motion.get_by_role("button", name="Make a resolution").click()
    dialog.get_by_label("What is to be done").fill("Clear the fire lane")
    dialog.get_by_label("By whom").select_option("Shop 2")
    dialog.get_by_label("Until").fill(f"{clock.now() + timedelta(days=30):%Y-%m-%d}")
    dialog.get_by_role("button", name="Make a resolution").click()
    row = page.get_by_role("row").filter(has_text="Clear the fire lane")
    expect(row).to_contain_text("Shop 2")
    row.get_by_role("button").click()
    expect(row).to_contain_text("done")
    meeting.get_by_role("button", name="Close the meeting").click()
    expect(meeting).to_contain_text("over")
    expect(meeting.get_by_role("button", name="Put a motion")).to_have_count(0)
    assert violations(page) == []
