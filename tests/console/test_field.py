"""The phone in a real browser: one call from desk to phone and back, offline in the middle; help that is never only
queued.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations
from tests.serving import PASSWORD

from anshang.foundation import clock, ids
from anshang.patrols import actions as patrols
from anshang.patrols.model import Member, Unit, UnitStatus
from anshang.people.model import Role, operator_actor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Page]
PHONE = {"width": 390, "height": 844}
HERE = {"longitude": 112.9705, "latitude": 28.1903, "accuracy": 6.0}
OFFLINE = (
    r"ERR_INCOMPLETE_CHUNKED|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|Failed to fetch|status of 409"
)


@pytest.fixture
def staffed(town: Town) -> Town:
    """The small district with two units that nobody is on duty with."""
    with town.database.transaction(DISTRICT) as tx:
        for id, kind in (("k1", "officer_pair"), ("v1", "volunteer")):
            unit = Unit(id, DISTRICT, kind, id.upper(), id, id, None, None, UnitStatus.OFF_DUTY, clock.now())
            patrols.define_unit(tx, actor=operator_actor(DISTRICT), unit=unit)
    return town


def phone(
    visit: Visit, town: Town, language: str = "en", role: Role = Role.PATROL
) -> tuple[BrowserContext, Page]:
    """A phone with a position, signed in as somebody who is fit."""
    visit.expected.append(OFFLINE)
    context = visit.signed_in(
        role,
        language,
        viewport=PHONE,
        has_touch=True,
        locale="en-US" if language == "en" else "zh-CN",
        geolocation=HERE,
        permissions=["geolocation"],
    )
    me = context.request.get(f"{town.address}/api/session").json()["account"]["id"]
    until = date(2099, 1, 1)
    with town.database.transaction(DISTRICT) as tx:
        patrols.qualify(tx, actor=operator_actor(DISTRICT), member=Member(me, DISTRICT, until, until, True))
    page = context.new_page()
    page.goto(f"{town.address}/field/")
    return context, page


def begin_duty(page: Page) -> None:
    page.get_by_role("button", name="Begin duty").click()
    page.get_by_role("button", name="Begin duty").click()
    expect(page.get_by_text("on duty since")).to_be_visible()
    expect(page.get_by_text("position within 6 m")).to_be_visible()


class Desk:
    """The desk, through its API."""

    def __init__(self, town: Town) -> None:
        self.client = httpx.Client(base_url=town.address, params={"district": DISTRICT})
        told = {"name": town.account(Role.DESK), "password": PASSWORD}
        opened = self.client.post("/api/session", json=told).json()
        self.client.headers["X-CSRF-Token"] = opened["csrf_token"]

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        return self.client.get(path).json()

    def sends(self, unit_id: str, text: str = "boy, six, red coat", call_back: str | None = None) -> str:
        """An incident near the phone, and the unit asked to go; the incident's id."""
        place = {"lon": HERE["longitude"] + 0.001, "lat": HERE["latitude"]}
        told = {
            "id": ids.new_id(),
            "source": "phone",
            "text": text,
            "category_id": "lost_person",
            "place": place,
            "call_back": call_back,
        }
        incident = str(self.post("/api/incidents", **told)["id"])
        self.post(f"/api/incidents/{incident}/assignments", id=ids.new_id(), unit_id=unit_id, onward=False)
        return incident


def test_a_task_from_desk_to_phone_and_back_offline_in_the_middle(visit: Visit, staffed: Town) -> None:
    desk = Desk(staffed)
    _context, page = phone(visit, staffed)
    begin_duty(page)
    assert violations(page) == []
    incident = desk.sends("k1")
    page.get_by_role("button", name="Tasks").click()
    task = page.get_by_role("article")
    expect(task).to_contain_text("boy, six, red coat", timeout=10_000)
    expect(task).to_contain_text(re.compile(r"about \d+ m from you"))
    assert violations(page) == []
    for name in ("Accept", "I can't"):
        box = task.get_by_role("button", name=name).bounding_box()
        assert box is not None and box["height"] >= 48
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    staffed.stop()
    task.get_by_role("button", name="Accept").click()
    expect(task).to_contain_text("accepted")
    task.get_by_role("button", name="Setting out").click()
    expect(task).to_contain_text("on your way")
    expect(page.get_by_text("2 waiting")).to_be_visible()
    page.reload()
    expect(page.get_by_role("article")).to_contain_text("on your way")
    expect(page.get_by_text("2 waiting")).to_be_visible()
    back_at = clock.now().isoformat()
    staffed.start()
    expect(page.get_by_text("0 waiting")).to_be_visible(timeout=30_000)
    page.get_by_role("article").get_by_role("button", name="Arrived").click()
    expect(page.get_by_role("article")).to_contain_text("Hand over with two people")
    page.get_by_role("article").get_by_role("button", name="Done").click()
    expect(page.get_by_text("Nothing is asked of you.")).to_be_visible()
    expect(page.get_by_text("0 waiting")).to_be_visible()
    (done,) = desk.get(f"/api/incidents/{incident}/board")["assignments"]
    assert done["state"] == "done"
    assert done["answered_at"] < done["moving_at"] < back_at < done["on_scene_at"] < done["ended_at"]
    assert desk.get("/api/units")[0]["fix"]["accuracy_m"] == 6.0


def test_who_is_sent_reads_the_number_to_call_back_when_they_ask_for_it(visit: Visit, staffed: Town) -> None:
    desk = Desk(staffed)
    _context, page = phone(visit, staffed)
    begin_duty(page)
    desk.sends("k1", call_back="138 0731 0042")
    page.get_by_role("button", name="Tasks").click()
    task = page.get_by_role("article")
    show = task.get_by_role("button", name="Show the number to call back")
    expect(show).to_be_visible(timeout=10_000)
    expect(task).not_to_contain_text("0731")
    assert violations(page) == []
    show.click()
    expect(task.get_by_role("link", name="138 0731 0042")).to_have_attribute("href", "tel:13807310042")


def test_who_cannot_go_says_why_and_what_came_too_late_is_shown(visit: Visit, staffed: Town) -> None:
    desk = Desk(staffed)
    context, page = phone(visit, staffed)
    begin_duty(page)
    incident = desk.sends("k1")
    page.get_by_role("button", name="Tasks").click()
    page.get_by_role("button", name="I can't").click()
    page.get_by_label("not safe").check()
    page.get_by_label("More words").fill("bridge closed")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Nothing is asked of you.")).to_be_visible()
    refused = lambda: desk.get(f"/api/incidents/{incident}/board")["assignments"][0]  # noqa: E731
    expect(page.get_by_text("0 waiting")).to_be_visible()
    assert (refused()["because"], refused()["words"]) == ("unsafe", "bridge closed")
    second = desk.sends("k1", "second")
    expect(page.get_by_role("article")).to_contain_text("second", timeout=10_000)
    context.set_offline(True)
    page.get_by_role("button", name="Accept").click()
    (sent,) = desk.get("/api/assignments")
    desk.post(f"/api/assignments/{sent['id']}/stand-down", words="found")
    context.set_offline(False)
    page.get_by_role("button", name="1 to settle").click(timeout=20_000)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This task has moved on or is over")
    assert violations(page) == []
    dialog.get_by_role("button", name="I have seen it").click()
    expect(page.get_by_text("to settle")).to_have_count(0)
    assert desk.get(f"/api/incidents/{second}/board")["assignments"][0]["state"] == "stood_down"


def test_help_is_held_for_sent_at_once_and_seen(visit: Visit, staffed: Town) -> None:
    desk = Desk(staffed)
    _context, page = phone(visit, staffed)
    begin_duty(page)
    button = page.get_by_role("button", name="SOS: hold")
    button.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    button.hover()
    page.mouse.down()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The desk has it", timeout=4000)
    page.mouse.up()
    expect(dialog).to_contain_text("not yet acknowledged")
    assert violations(page) == []
    (matter,) = desk.get("/api/matters")["matters"]
    assert (matter["priority"], matter["state"]) == (1, "open")
    told = desk.get(f"/api/incidents/{matter['id']}")
    assert (told["source"], round(told["lon"], 4)) == ("sos", HERE["longitude"])
    assert (told["category_id"], matter["params"]["sos"]["sign"]) == ("sos", "K1")
    desk.post(f"/api/matters/{matter['id']}/acknowledge")
    expect(dialog).to_contain_text("seen by", timeout=10_000)


def test_without_a_network_help_offers_the_telephone_and_goes_on_trying(visit: Visit, staffed: Town) -> None:
    desk = Desk(staffed)
    context, page = phone(visit, staffed, "zh")
    page.get_by_role("button", name="开始值勤").click()
    page.get_by_role("button", name="开始值勤").click()
    expect(page.get_by_text("位置精度 6 米")).to_be_visible()
    context.set_offline(True)
    page.get_by_role("button", name="SOS 长按求助").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="确认发送求助？再按一次。")).to_be_visible()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("尚未送达！请立即拨打电话。", timeout=10_000)
    expect(dialog.get_by_role("link", name="拨打 110")).to_have_attribute("href", "tel:110")
    message = dialog.get_by_role("link", name="短信 12110").get_attribute("href")
    assert message is not None and "28.19030" in message
    context.set_offline(False)
    expect(dialog).to_contain_text("已送达指挥台", timeout=15_000)
    assert len(desk.get("/api/matters")["matters"]) == 1, "tried often, reported once"


def test_a_report_words_and_a_roll_call_from_a_volunteers_phone(visit: Visit, staffed: Town) -> None:
    desk = Desk(staffed)
    _context, page = phone(visit, staffed, role=Role.VOLUNTEER)
    page.get_by_role("button", name="Begin duty").click()
    page.get_by_label("With").select_option("v1")
    page.get_by_role("button", name="Begin duty").click()
    expect(page.get_by_text("on duty since")).to_be_visible()
    desk.post("/api/roll-calls", id=ids.new_id())
    page.get_by_role("button", name="Roll-call: I am here and well").click(timeout=10_000)
    page.get_by_role("button", name="20 min").click()
    expect(page.get_by_text(re.compile(r"1\d min .*left|20 min .*left"))).to_be_visible(timeout=10_000)
    desk.post("/api/messages", id=ids.new_id(), to_unit_id="v1", text="Please keep to the west gate")
    page.get_by_role("navigation").get_by_role("button", name="Messages").click()
    page.get_by_role("button", name="I have read it").click(timeout=10_000)
    page.get_by_label("Say to everybody").fill("Crowded at the west gate")
    page.get_by_role("button", name="Send", exact=True).click()
    assert violations(page) == []
    page.get_by_role("navigation").get_by_role("button", name="Report").click()
    page.get_by_label("What has happened?").fill("A bike blocks the fire lane")
    assert violations(page) == []
    page.get_by_role("button", name="Report", exact=True).first.click()
    expect(page.get_by_text("Kept; it is being sent.")).to_be_visible()
    page.get_by_role("navigation").get_by_role("button", name="Report").click()
    expect(page.get_by_text("waits for the desk")).to_be_visible()
    room = desk.get("/api/duty-room")
    assert (set(room["roll_calls"][0]["present"]), room["lone"][0]["unit_id"]) == ({"v1"}, "v1")
    read = {one["text"]: [who["unit_id"] for who in one["read_by"]] for one in room["messages"]}
    assert read == {"Please keep to the west gate": ["v1"], "Crowded at the west gate": []}
    assert desk.get("/api/matters")["matters"][0]["text"] == "A bike blocks the fire lane"


def test_who_goes_on_no_duty_is_led_to_the_desk(visit: Visit, staffed: Town) -> None:
    page = visit.open("/field/", Role.DESK, "en", viewport=PHONE)
    expect(page.get_by_role("link", name="Open the desk")).to_be_visible()
    assert violations(page) == []


def test_a_task_that_nobody_answered_says_so_and_words_written_offline_are_shown_as_waiting(
    visit: Visit, staffed: Town
) -> None:
    desk = Desk(staffed)
    context, page = phone(visit, staffed)
    begin_duty(page)
    desk.sends("k1")
    page.get_by_role("button", name="Tasks").click()
    expect(page.get_by_role("article")).to_contain_text("answer within")
    (sent,) = desk.get("/api/assignments")
    desk.post(f"/api/assignments/{sent['id']}/stand-down", words="found")
    expect(page.get_by_role("article")).to_contain_text("was withdrawn", timeout=10_000)
    assert violations(page) == []
    page.get_by_role("article").get_by_role("button", name="I have seen it").click()
    expect(page.get_by_role("article")).to_have_count(0)
    context.set_offline(True)
    page.get_by_role("navigation").get_by_role("button", name="Messages").click()
    page.get_by_label("Say to everybody").fill("Crowded at the west gate")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="Crowded")).to_contain_text("waiting to be sent")
    context.set_offline(False)
    expect(page.get_by_text("0 waiting")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("waiting to be sent")).to_have_count(0)
    assert desk.get("/api/duty-room")["messages"][0]["text"] == "Crowded at the west gate"
