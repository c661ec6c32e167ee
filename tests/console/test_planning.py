"""What is planned is entered on the district's wall clock, read from a calendar, and seen at the desk."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations

from anshang.foundation import clock
from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]
THERE = ZoneInfo("Asia/Shanghai")


def test_an_event_is_entered_seen_at_its_zone_and_withdrawn(visit: Visit, town: Town) -> None:
    begins = (clock.now() + timedelta(hours=2)).astimezone(THERE).replace(second=0, microsecond=0)
    visit.expected.append(r"status of 400")
    page = visit.open("/admin?tab=events", Role.SUPERVISOR, "en", timezone_id="America/New_York")
    page.get_by_role("button", name="Enter an event").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Lantern walk")
    dialog.get_by_label("Where").select_option("Zone A")
    dialog.get_by_label("Begins").fill(f"{begins:%Y-%m-%dT%H:%M}")
    dialog.get_by_label("Ends").fill(f"{begins:%Y-%m-%dT%H:%M}")
    dialog.get_by_label("People expected").fill("4000")
    assert violations(page) == []
    dialog.get_by_role("button", name="Enter an event").click()
    expect(dialog).to_contain_text("An event ends after it begins")
    dialog.get_by_label("Ends").fill(f"{begins + timedelta(hours=3):%Y-%m-%dT%H:%M}")
    dialog.get_by_role("button", name="Enter an event").click()
    row = page.get_by_role("row").filter(has_text="Lantern walk")
    expect(row).to_contain_text(f"{begins:%H:%M}")
    expect(row).to_contain_text("4,000")
    stamp = f"{begins + timedelta(days=1):%Y%m%dT%H%M%S}"
    calendar = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:{stamp}\r\nDTEND:{stamp}\r\nSUMMARY:Fair\r\n"
    field = page.get_by_label("Read a file")
    field.set_input_files({"name": "x.ics", "mimeType": "text/calendar", "buffer": b"BEGIN:VCALENDAR\r\n"})
    expect(page.get_by_text("Cannot use events:")).to_be_visible()
    calendar = calendar.replace(
        "DTEND:" + stamp, f"DTEND:{begins + timedelta(days=1, hours=1):%Y%m%dT%H%M%S}"
    )
    content = f"{calendar}END:VEVENT\r\nEND:VCALENDAR\r\n".encode()
    field.set_input_files({"name": "x.ics", "mimeType": "text/calendar", "buffer": content})
    expect(page.get_by_text("1 new, 0 known already.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Fair")).to_contain_text("whole district")
    weather = page.get_by_label("Import weather")
    expect(page.get_by_text("No weather is told yet.")).to_be_visible()
    rain = f"at,rain_mm\n{begins:%Y-%m-%d %H}:00,2.5\n".encode()
    for content, said in ((b"at,wind\nx,1\n", "rain_mm"), (rain, "Weather updated for 1 h.")):
        weather.set_input_files({"name": "w.csv", "mimeType": "text/csv", "buffer": content})
        expect(page.get_by_text(said).last).to_be_visible()
    expect(page.get_by_text("Weather last updated:")).to_be_visible()
    desk = visit.open("/?view=table&zone=z01", language="en")
    town.tell(z01=900, z02=300)
    expect(
        desk.get_by_text(f"Planned: {begins:%H:%M}–{begins + timedelta(hours=3):%H:%M} Lantern walk")
    ).to_be_visible()
    row.get_by_role("button").click()
    expect(row).to_have_count(0)


def test_weather_that_cannot_be_asked_is_not_called_untold(visit: Visit, town: Town) -> None:
    visit.expected += [r"status of 503", r"ERR_FAILED"]
    page = visit.signed_in(Role.SUPERVISOR, "en").new_page()
    page.route("**/api/live*", lambda route: route.abort())  # nothing is asked again but by the button
    page.route("**/api/weather?*", lambda route: route.fulfill(status=503))
    page.goto(f"{town.address}/admin?tab=events")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(page.get_by_text("No weather is told yet.")).to_have_count(0)
    page.unroute("**/api/weather?*")
    again.click()
    expect(page.get_by_text("No weather is told yet.")).to_be_visible()


def test_weather_that_a_feed_tells_is_seen_within_two_minutes(visit: Visit, town: Town) -> None:
    page = visit.signed_in(Role.SUPERVISOR, "en").new_page()
    page.clock.install()
    page.goto(f"{town.address}/admin?tab=events")
    expect(page.get_by_text("No weather is told yet.")).to_be_visible()
    at = clock.now().replace(minute=0, second=0, microsecond=0)
    answer = httpx.post(
        f"{town.address}/api/weather?district={DISTRICT}",
        headers={"Authorization": f"Bearer {town.key}"},
        json={"hours": [{"at": at.isoformat(), "rain_mm": 1.5}]},
    )
    assert answer.status_code == 200, answer.text
    for _ in range(9):  # each question is answered before its time is over
        page.clock.run_for(10_000)
        page.wait_for_timeout(200)
    expect(page.get_by_text("Weather last updated:")).to_be_visible()
