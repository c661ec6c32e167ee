"""The queue hides nothing: what is urgent enters at once, wherever the pointer and the focus are."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town
from tests.console.test_field import Desk, staffed

from anshang.foundation import ids
from anshang.patrols import actions as patrols
from anshang.people.model import operator_actor

__all__ = ["staffed"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Page]


def test_a_threat_to_life_enters_at_once_while_the_pointer_rests_and_a_row_has_the_focus(
    staffed: Town, desk: Open
) -> None:
    api = Desk(staffed)
    for number in range(4):
        api.post("/api/matters", id=ids.new_id(), kind="request", priority=4, text=f"calm {number}")
    page = desk()
    rows = page.get_by_role("region", name="Queue").locator("[data-matter]")
    expect(rows).to_have_count(4)
    third = rows.filter(has_text="calm 2")
    third.click()
    before = third.bounding_box()
    api.post(
        "/api/incidents", id=ids.new_id(), source="phone", priority=1, text="fire", place={"zone_id": "z02"}
    )
    urgent = rows.filter(has_text="fire")
    expect(urgent).to_be_visible(timeout=4000)
    expect(rows.first).to_contain_text("fire")
    expect(urgent).to_contain_text("Zone B")
    assert before is not None and third.bounding_box()["y"] == pytest.approx(before["y"], abs=25)  # type: ignore[index]
    expect(third).to_be_focused()


def test_a_filter_hides_no_urgent_matter_and_a_scrolled_queue_keeps_it_in_sight(
    staffed: Town, desk: Open
) -> None:
    api = Desk(staffed)
    for number in range(20):
        api.post("/api/matters", id=ids.new_id(), kind="request", priority=4, text=f"calm {number}")
    page = desk("/?view=table&mine=1")
    queue = page.get_by_role("region", name="Queue")
    for priority, text in ((2, "fight"), (1, "fire")):
        api.post("/api/incidents", id=ids.new_id(), source="phone", priority=priority, text=text)
    expect(queue.locator("[data-matter]").first).to_contain_text("fire", timeout=4000)
    expect(queue.get_by_text("place unknown")).to_have_count(2)
    queue.get_by_role("button", name="all", exact=True).first.click()
    expect(queue.locator("[data-matter]")).to_have_count(22)
    queue.locator("[data-matter]").filter(has_text="calm 19").scroll_into_view_if_needed()
    expect(queue.locator("[data-matter]").filter(has_text="fire")).to_be_in_viewport()
    queue.get_by_role("button", name="2 urgent, unacknowledged").click()
    expect(queue.locator("[data-matter]").filter(has_text="fight")).to_be_in_viewport()


def test_a_row_says_who_is_on_the_way(staffed: Town, desk: Open) -> None:
    api = Desk(staffed)
    me = api.get("/api/session")["account"]["id"]
    with staffed.database.transaction(DISTRICT) as tx:
        patrols.begin_duty(tx, actor=operator_actor(DISTRICT), id=ids.new_id(), unit_id="k1", crew=(me,))
    page = desk()
    api.sends("k1")
    row = page.get_by_role("region", name="Queue").locator("[data-matter]").first
    expect(row).to_contain_text(re.compile("→ K1 asked"))
