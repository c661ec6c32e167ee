"""Volunteers on screen: one joins, signs up on the phone, hours are confirmed and the certificate is genuine."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations
from tests.console.test_field import phone

from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def wall(page: Page, minutes: int) -> str:
    """So many minutes from now, as a field of the district's wall clock takes it."""
    told = page.evaluate(
        """minutes => new Date(Date.now() + minutes * 6e4)
        .toLocaleString("sv", { timeZone: "Asia/Shanghai" }).replace(" ", "T").slice(0, 16)""",
        minutes,
    )
    return str(told)


def test_a_volunteer_joins_serves_and_has_the_hours_certified(visit: Visit, town: Town) -> None:
    context, field = phone(visit, town, role=Role.VOLUNTEER)
    who = context.request.get(f"{town.address}/api/session").json()["account"]["display_name"]
    desk = visit.open("/admin?tab=volunteers", Role.SUPERVISOR, "en")
    desk.get_by_role("button", name="Enter an applicant").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Name").fill("周佳宁")
    dialog.get_by_label("Telephone").fill("13800000000")
    assert violations(desk) == []
    dialog.get_by_role("button", name="Save").click()
    row = desk.get_by_role("region", name="Volunteers", exact=True).get_by_role("row").nth(1)
    expect(row).to_contain_text("to be vetted")
    row.get_by_role("button", name="Show contact").click()
    expect(row).to_contain_text("周佳宁 13800000000")
    row.get_by_role("button", name="Vet").click()
    for check in dialog.get_by_role("checkbox").all():
        check.check()
    dialog.get_by_role("button", name="Vet").click()
    row.get_by_role("button", name="Take in").click()
    dialog.get_by_label("Volunteer's account").select_option(who)
    dialog.get_by_role("button", name="Take in").click()
    expect(dialog.get_by_role("status")).to_contain_text("Somebody other than who vetted")
    visit.expected.append("status of 409")

    chief = visit.open("/admin?tab=volunteers", Role.SUPERVISOR, "en")
    row = chief.get_by_role("region", name="Volunteers", exact=True).get_by_role("row").nth(1)
    row.get_by_role("button", name="Take in").click()
    dialog = chief.get_by_role("dialog")
    dialog.get_by_label("Volunteer's account").select_option(who)
    dialog.get_by_role("button", name="Take in").click()
    expect(row).to_contain_text("takes part")
    chief.get_by_role("button", name="Call a shift").click()
    dialog.get_by_label("Place", exact=True).fill("East gate")
    begins, ends = (wall(chief, minutes) for minutes in (-60, 60))
    dialog.get_by_label("Begins").fill(begins)
    dialog.get_by_label("Ends").fill(ends)
    assert violations(chief) == []
    dialog.get_by_role("button", name="Call a shift").click()
    shift = chief.get_by_role("listitem").filter(has_text="East gate")
    expect(shift).to_contain_text("0 of 4")

    field.get_by_role("button", name="Duty", exact=True).click()
    field.get_by_role("button", name="Sign up").click()
    field.get_by_role("button", name="I am here").click()
    expect(field.get_by_text("here since")).to_be_visible()
    assert violations(field) == []
    field.get_by_role("button", name="I have finished").click()
    expect(field.get_by_text("to be confirmed")).to_be_visible()
    expect(shift).to_contain_text("1 of 4")
    shift.get_by_role("button", name=f"Confirm the hours of {who}").click()
    dialog.get_by_label("Came").fill(wall(chief, -61))
    dialog.get_by_label("Went").fill(wall(chief, -1))
    dialog.get_by_role("button", name="Confirm hours").click()
    expect(shift).to_contain_text("confirmed")
    expect(row).to_contain_text("1.0 h")
    assert violations(chief) == []

    expect(field.get_by_text("1.0 h confirmed this year")).to_be_visible(timeout=15_000)
    field.get_by_role("button", name="Certify my hours of this year").click()
    link = field.get_by_role("link", name="Certificate")
    paper = context.new_page()
    paper.goto(town.address + str(link.get_attribute("href")))
    paper.get_by_label("Name on the certificate").fill("somebody else")
    paper.get_by_role("button", name="Confirm").click()
    expect(paper.get_by_text("There is no such certificate")).to_be_visible()
    paper.get_by_label("Name on the certificate").fill(who)
    paper.get_by_role("button", name="Confirm").click()
    expect(paper.get_by_text("1.0 h on 1 occasions")).to_be_visible()
    assert violations(paper) == []
    chief.get_by_role("button", name=f"Open the certificate of {who}").click()
    expect(dialog).to_contain_text("served as a volunteer in")
    assert violations(chief) == []
