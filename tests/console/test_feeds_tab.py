"""Admin → Feeds on screen: nothing yet, what was refused and why in both languages, the last answer when the server is gone."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations

from anshang.foundation import clock, feeds
from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_refused_counter_is_read_in_both_languages_and_stays_readable_without_the_server(
    visit: Visit, town: Town
) -> None:
    feeds.begin_anew()
    visit.expected.append("Failed to load resource")
    page = visit.open("/admin?tab=feeds", Role.SUPERVISOR, "en")
    table = page.get_by_role("region", name="Taken and refused by feed")
    counts = table.get_by_role("row").filter(has_text="Counts (HTTP)")
    expect(counts).to_contain_text("Nothing yet.")
    town.tell(z01=3)
    rows = [{"sensor": "ghost", "at": clock.now().isoformat(), "people": 3}]
    address, headers = f"{town.address}/api/observations", {"Authorization": f"Bearer {town.key}"}
    httpx.post(address, params={"district": DISTRICT}, headers=headers, json={"observations": rows})
    httpx.get(f"{town.address}/api/osmand", params={"district": DISTRICT, "id": "x"})
    expect(counts).to_contain_text("No such sensor is in use here.", timeout=15_000)
    expect(counts).to_contain_text("ghost")
    strangers = table.get_by_role("row").filter(has_text="assigned to no district")
    expect(strangers).to_contain_text("Trackers", timeout=15_000)
    assert violations(page) == []
    chinese = visit.open("/admin?tab=feeds", Role.ADMIN, "zh")
    expect(chinese.get_by_role("region", name="各接口的接收与拒绝")).to_contain_text(
        "此处没有在用的该传感器。"
    )
    assert violations(chinese) == []
    town.stop()
    expect(page.get_by_role("button", name="Try again")).to_be_visible(timeout=15_000)
    expect(counts).to_contain_text("ghost")
    town.start()
