"""The phone with a wrong clock, with and without a network, and with what the server no longer takes from it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations
from tests.console.test_field import Desk, begin_duty, phone, staffed

from anshang.foundation import clock
from anshang.people.model import Role

__all__ = ["staffed"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOUR_MS = 3_600_000
SHIFTED = """
    const Real = Date;
    const off = () => Number(localStorage.getItem("off") ?? %d);
    globalThis.Date = class extends Real {
      constructor(...told) { told.length ? super(...told) : super(Real.now() + off()); }
      static now() { return Real.now() + off(); }
    };
"""
SOON = timedelta(seconds=40)


def wrong_phone(visit: Visit, town: Town, off_ms: int, **told: str) -> tuple[BrowserContext, Page]:
    """A phone whose clock is off, on duty."""
    context, page = phone(visit, town, **told)
    context.add_init_script(SHIFTED % off_ms)
    page.reload()
    shown = page.evaluate("Date.now()") - clock.now().timestamp() * 1000
    assert abs(shown - off_ms) < 10_000
    return context, page


def hold_for_help(page: Page) -> None:
    page.get_by_role("button", name="SOS: hold").hover()
    page.mouse.down()
    expect(page.get_by_role("dialog")).to_be_visible(timeout=4000)
    page.mouse.up()


@pytest.mark.parametrize("off_ms", [2 * HOUR_MS, -2 * HOUR_MS])
def test_a_phone_two_hours_wrong_sends_an_sos_and_works_like_any_other(
    visit: Visit, staffed: Town, off_ms: int
) -> None:
    desk, began = Desk(staffed), clock.now()
    _context, page = wrong_phone(visit, staffed, off_ms)
    begin_duty(page)
    hold_for_help(page)
    expect(page.get_by_role("dialog")).to_contain_text("The desk has it", timeout=4000)
    page.get_by_role("dialog").get_by_role("button", name="Close").first.click()
    (sos,) = desk.get("/api/matters")["matters"]
    called = datetime.fromisoformat(desk.get(f"/api/incidents/{sos['id']}")["called_at"])
    assert began <= called <= began + SOON
    incident = desk.sends("k1")
    page.get_by_role("button", name="Tasks").click()
    task = page.get_by_role("article")
    expect(task).to_contain_text("answer within")
    for name in ("Accept", "Setting out", "Arrived"):
        task.get_by_role("button", name=name).click()
    expect(task.get_by_role("button", name="Done")).to_be_visible()
    expect(page.get_by_text("0 waiting")).to_be_visible()
    expect(page.get_by_text("to settle")).to_have_count(0)
    (sent,) = desk.get(f"/api/incidents/{incident}/board")["assignments"]
    times = [datetime.fromisoformat(sent[name]) for name in ("answered_at", "moving_at", "on_scene_at")]
    assert times == sorted(times) and began <= times[0] and times[-1] <= began + SOON
    assert desk.get("/api/units")[0]["fix"]["accuracy_m"] == 6.0


def test_a_phone_whose_clock_is_set_while_it_is_offline_tells_the_right_times_afterwards(
    visit: Visit, staffed: Town
) -> None:
    desk = Desk(staffed)
    context, page = wrong_phone(visit, staffed, 2 * HOUR_MS)
    begin_duty(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.set_offline(True)
    page.evaluate(f"localStorage.setItem('off', {-3 * HOUR_MS})")
    written = clock.now()
    page.get_by_role("button", name="Report").click()
    page.get_by_label("What has happened?").fill("A bike blocks the fire lane")
    page.get_by_role("button", name="Report", exact=True).first.click()
    expect(page.get_by_text("1 waiting")).to_be_visible()
    toast = page.get_by_text("Kept; it is being sent.").bounding_box()
    footer = page.get_by_role("contentinfo").bounding_box()
    assert toast and footer and toast["y"] + toast["height"] <= footer["y"]
    page.reload()
    page.get_by_role("button", name="1 waiting").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The server cannot be reached at the moment.")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.wait_for_timeout(3000)
    context.set_offline(False)
    expect(page.get_by_text("0 waiting")).to_be_visible(timeout=40_000)
    (matter,) = desk.get("/api/matters")["matters"]
    called = datetime.fromisoformat(desk.get(f"/api/incidents/{matter['id']}")["called_at"])
    assert abs(called - written) < timedelta(seconds=3)


def test_a_row_that_access_is_gone_for_is_shown_and_the_next_ones_are_sent(
    visit: Visit, staffed: Town
) -> None:
    desk = Desk(staffed)
    visit.expected.append("status of 403")
    _context, page = phone(visit, staffed, "zh", Role.VOLUNTEER)
    expect(page.get_by_role("button", name="开始值勤")).to_be_visible()
    gone = {
        "status": 403,
        "json": {"error": "district.unseen", "message": {"zh": "您无权访问该商圈。", "en": "-"}},
    }
    page.route("**/api/incidents?*", lambda route: route.fulfill(**gone), times=1)
    for text in ("第一条", "第二条"):
        page.get_by_role("navigation").get_by_role("button", name="上报").click()
        page.get_by_label("发生了什么？").fill(text)
        page.get_by_role("button", name="上报", exact=True).first.click()
        expect(page.get_by_text("已记下，正在发送。").first).to_be_visible()
    page.get_by_role("navigation").get_by_role("button", name="上报").click()
    expect(page.get_by_text("等待指挥台确认")).to_be_visible()
    expect(page.get_by_role("button", name="待发 0")).to_be_visible()
    assert [one["text"] for one in desk.get("/api/matters")["matters"]] == ["第二条"]
    page.get_by_role("button", name="需处理 1").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("您无权访问该商圈。")
    dialog.get_by_role("button", name="重试").click()
    expect(dialog).to_contain_text("没有待发的操作。")
    page.keyboard.press("Escape")
    expect(page.get_by_text("等待指挥台确认")).to_have_count(2)
    texts = {one["text"] for one in desk.get("/api/matters")["matters"]}
    assert texts == {"第一条", "第二条"}
