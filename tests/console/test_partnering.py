"""Work with partners on screen: a spot check in the register, a notice to whoever is within a walk."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations
from tests.partners.conftest import prepare

from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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
        dialog.get_by_label("Instead: within a walk").fill(metres)
        dialog.get_by_role("button", name="Send").click()
        expect(sent.filter(has_text=f"Sent to {told}.").first).to_be_visible()
