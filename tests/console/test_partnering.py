"""Work with partners on screen: a spot check in the register, a notice to whoever is within a walk, a phone
that is told.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations
from tests.console.test_lost_child import at_shop
from tests.partners.conftest import prepare

from anshang.partners import push_store
from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SUBSCRIBED = """
  const key = "made-up";
  const told = { endpoint: "https://fcm.googleapis.com/made-up", unsubscribe: async () => localStorage.removeItem(key) };
  PushManager.prototype.subscribe = async () => (localStorage.setItem(key, "1"), told);
  PushManager.prototype.getSubscription = async () => (localStorage.getItem(key) ? told : null);
"""
NOTIFICATIONS = """async () => (await (await navigator.serviceWorker.getRegistration("/shop/")).getNotifications()).length"""


def test_a_spot_check_is_kept_beside_the_self_check(visit: Visit, town: Town) -> None:
    prepare(town.database)
    page = visit.open("/admin?tab=partners", Role.SUPERVISOR, "en")
    row = page.get_by_role("row").filter(has_text="Shop 2")
    expect(row).not_to_contain_text("spot-checked")
    page.get_by_role("button", name="Spot check at Shop 2").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Extinguishers are in place and usable").check()
    assert violations(page) == []
    dialog.get_by_role("button", name="Record the spot check").click()
    expect(page.get_by_role("status").first).to_contain_text("1 not in order")
    expect(row).to_contain_text("spot-checked")
    expect(row).to_contain_text("due")


def test_a_notice_goes_to_whoever_is_within_a_walk_of_a_zone(visit: Visit, town: Town) -> None:
    prepare(town.database)
    page = visit.open("/?view=table", Role.DESK, "en")
    sent = page.get_by_role("status")
    for metres, told in (("", 2), ("60", 4)):
        page.get_by_role("button", name="Send a notice").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("in Chinese").fill("三号口有扒窃")
        dialog.get_by_label("in English").fill("Pickpockets at gate 3")
        dialog.get_by_label("Zone (all when empty)").select_option("z0")
        dialog.get_by_label("Or within a walk").fill(metres)
        dialog.get_by_role("button", name="Send").click()
        expect(sent.filter(has_text=f"Sent to {told}.").first).to_be_visible()


def test_a_phone_says_that_there_is_a_notice_while_its_page_is_closed(visit: Visit, town: Town) -> None:
    """The browser's own push service is out of reach here: its address is made up, its message the browser's."""
    prepare(town.database)
    town.stop()
    town.settings = {"push_contact": "mailto:duty@example.org"}
    town.start()
    context, page = at_shop(visit, town, "p0", permissions=["notifications"])
    page.add_init_script(SUBSCRIBED)
    page.reload()
    page.get_by_role("button", name="Tell me when this page is closed").click()
    expect(page.get_by_text("nothing of what is in it")).to_be_visible()
    assert violations(page) == []
    with town.database.reading([DISTRICT]) as connection:
        (phone,) = connection.execute(push_store.phones.select()).all()
    assert phone.endpoint == "https://fcm.googleapis.com/made-up"
    browser = context.new_cdp_session(page)
    known: list[str] = []
    browser.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: known.extend(one["registrationId"] for one in told["registrations"]),
    )
    browser.send("ServiceWorker.enable")
    push = {"origin": town.address, "data": ""}
    for path, shown in (("/shop/", 0), (f"/here/?district={DISTRICT}", 1)):
        page.goto(f"{town.address}{path}")
        browser.send("ServiceWorker.deliverPushMessage", {**push, "registrationId": known[-1]})
        page.wait_for_timeout(500)
        assert page.evaluate(NOTIFICATIONS) == shown
    page.goto(f"{town.address}/shop/")
    page.get_by_role("button", name="Tell me no longer").click()
    expect(page.get_by_role("button", name="Tell me when this page is closed")).to_be_visible()
    with town.database.reading([DISTRICT]) as connection:
        assert connection.execute(push_store.phones.select()).all() == []
