"""A night at the desk: a zone fills, a matter waits, a person answers; what is not known never looks known."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit

from anshang.crowds.outlook import Outlooks
from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Page]
HATCHED = re.compile("repeating-linear-gradient")


def zone_row(page: Page, name: str) -> Locator:
    """The zone's row in the map's table."""
    return page.get_by_role("table", name="The crowd by zone").get_by_role("row").filter(has_text=name)


def people(count: int) -> re.Pattern[str]:
    """The count or what the estimate makes of it: a few per cent off."""
    near = range(round(count * 0.97), round(count * 1.03) + 1)
    return re.compile("|".join(f"{one:,}" for one in near))


def around(density: str) -> re.Pattern[str]:
    """The density to one digit after the point, give or take a little."""
    near = [f"{float(density) + step / 100:.2f}" for step in range(-9, 10)]
    return re.compile("|".join(re.escape(one) for one in near))


def waiting(page: Page, about: str = "Zone A") -> Locator:
    """The matter's row in the queue."""
    return page.locator("[data-matter]").filter(has_text=about)


def test_a_counted_zone_shows_its_people_density_and_level_in_table_and_panel(desk: Open, town: Town) -> None:
    town.tell(z01=2500, z02=400)
    page = desk()
    row = zone_row(page, "Zone A")
    for told in (around("2.5"), people(2500), "caution"):
        expect(row).to_contain_text(told)
    expect(zone_row(page, "Zone B")).to_contain_text("normal")
    row.get_by_text("Zone A").click()
    panel = page.get_by_role("complementary", name="Details")
    for told in (around("2.5"), people(2500), "caution", "interval"):
        expect(panel).to_contain_text(told)
    town.tell(z01=3200)
    expect(row).to_contain_text(people(3200))
    expect(panel).to_contain_text(around("3.2"))


def test_a_crossing_is_taken_measured_noted_and_closed_from_the_keyboard(desk: Open, town: Town) -> None:
    page = desk()
    town.tell(z01=2500)
    expect(waiting(page)).to_contain_text("goal 5:00")
    expect(waiting(page)).to_contain_text(re.compile(r"\d:\d\d"))
    page.keyboard.press("j")
    waiting(page).focus()
    page.keyboard.press("Enter")
    matter = page.get_by_role("article").filter(has_text="Clocks").first
    expect(matter).to_contain_text("to acknowledge")
    expect(matter).to_contain_text("2.5")
    page.keyboard.press("c")
    expect(waiting(page)).to_contain_text("acknowledged")
    panel = page.get_by_role("complementary", name="Details")
    panel.get_by_role("button", name="Measure taken").first.click()
    expect(panel.get_by_text("✓ taken").first).to_be_visible()
    expect(panel.get_by_text("effect recorded after 15 min")).to_be_visible()
    page.keyboard.press("n")
    page.get_by_label("Note", exact=True).fill("jkdc: the east side is stopped")
    page.get_by_role("button", name="Save").click()
    expect(matter).to_contain_text("jkdc: the east side is stopped")
    page.keyboard.press("d")
    page.get_by_role("button", name="Dealt with on the spot").click()
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()
    expect(matter).to_contain_text("Outcome: Dealt with on the spot")
    page.get_by_role("button", name="all", exact=True).click()
    expect(waiting(page)).to_have_count(0)
    expect(page.get_by_text("Last closed")).to_be_visible()


def test_what_was_just_done_is_taken_back_with_one_key(desk: Open, town: Town) -> None:
    page = desk()
    town.tell(z01=2500)
    waiting(page).click()
    matter = page.get_by_role("article").filter(has_text="Clocks").first
    expect(matter).to_contain_text("to acknowledge")
    page.keyboard.press("c")
    expect(waiting(page)).to_contain_text("acknowledged")
    expect(page.get_by_role("button", name="Undo U")).to_be_visible()
    page.keyboard.press("u")
    expect(waiting(page)).to_contain_text("waits")
    expect(matter).to_contain_text("given back")
    page.get_by_role("combobox", name="Priority").select_option("1")
    expect(page.get_by_text("The priority is now P1.")).to_be_visible()
    page.get_by_role("button", name="Undo U").click()
    expect(page.get_by_text("The priority is now P3.")).to_be_visible()
    page.keyboard.press("c")
    expect(waiting(page)).to_contain_text("acknowledged")
    page.keyboard.press("d")
    page.get_by_role("button", name="Dealt with on the spot").click()
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()
    expect(matter).to_contain_text("Outcome: Dealt with on the spot")
    page.keyboard.press("u")
    expect(waiting(page)).to_contain_text("acknowledged")


def test_keys_show_one_priority_and_whatever_urgent_nobody_has_answered(desk: Open, town: Town) -> None:
    town.tell(z01=2500, z02=3500)
    page = desk("/?view=map")
    expect(waiting(page, "Zone A")).to_be_visible()
    expect(waiting(page, "Zone B")).to_be_visible()
    page.keyboard.press("2")
    expect(waiting(page, "Zone A")).to_have_count(0)
    page.keyboard.press("3")
    expect(waiting(page, "Zone A")).to_be_visible()
    expect(waiting(page, "Zone B")).to_be_visible()
    waiting(page, "Zone B").click()
    page.get_by_role("button", name="Acknowledge").first.click()
    page.mouse.move(900, 5)
    expect(waiting(page, "Zone B")).to_have_count(0)
    page.keyboard.press("3")
    expect(waiting(page, "Zone B")).to_be_visible()
    for key in ("1", "4"):
        page.keyboard.press(key)
        expect(page.get_by_text(f"No P{key} matter.")).to_be_visible()
        page.keyboard.press(key)


def test_level_4_waits_for_a_person_to_confirm_it_and_to_let_it_fall(desk: Open, town: Town) -> None:
    town.tell(z01=4500)
    page = desk("/?view=table&zone=z01")
    panel = page.get_by_role("complementary", name="Details")
    expect(panel).to_contain_text("a person or a second source must confirm")
    expect(zone_row(page, "Zone A")).to_contain_text("alert")
    panel.get_by_role("button", name="Confirm level 4").click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm level 4").click()
    expect(zone_row(page, "Zone A")).to_contain_text("serious")
    expect(zone_row(page, "Zone A")).not_to_contain_text("→")
    for _ in range(6):  # nine in ten gone within a second is believed step by step
        town.tell(z01=500)
        page.wait_for_timeout(500)
    expect(zone_row(page, "Zone A")).to_contain_text(around("0.5"))
    page.wait_for_timeout(2500)
    expect(zone_row(page, "Zone A")).to_contain_text("serious")
    panel.get_by_role("button", name="Allow lowering").click()
    page.get_by_role("dialog").get_by_role("button", name="Allow lowering").click()
    expect(zone_row(page, "Zone A")).to_contain_text("normal")


def test_a_silent_sensor_makes_its_zone_unknown_and_never_empty(desk: Open, town: Town) -> None:
    page = desk()
    row = zone_row(page, "Zone C")
    town.tell(z01=500, z03=300)
    expect(row).to_contain_text(people(300))
    expect(row).to_contain_text("no data since", timeout=15_000)
    expect(row).to_contain_text("unknown")
    expect(row.locator(".hatched").first).to_have_css("background-image", HATCHED)
    assert re.search(r"\b0(\.0+)?\b", row.inner_text().replace("z03", "")) is None
    town.tell(z03=310)
    expect(row).to_contain_text(people(310))


def test_stale_never_looks_live_and_comes_back_without_a_gap(visit: Visit, town: Town) -> None:
    visit.expected += ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET"]
    town.tell(z01=2500)
    page = visit.signed_in(language="en").new_page()
    page.clock.install()
    page.goto(f"{town.address}/?view=table")
    row = zone_row(page, "Zone A")
    expect(row).to_contain_text(people(2500))
    expect(waiting(page)).to_have_count(1)
    number = row.locator(".live").first
    expect(number).not_to_have_css("background-image", HATCHED)
    town.stop()
    page.clock.fast_forward(26_000)
    expect(page.get_by_test_id("live-age")).to_contain_text(re.compile(r"STALE\s+2\d s"))
    expect(number).to_have_css("background-image", HATCHED)
    expect(row).to_contain_text(people(2500))
    expect(waiting(page)).to_have_count(1)
    town.start()
    town.tell(z02=3500)
    page.clock.fast_forward(26_000)
    expect(page.get_by_test_id("live-age")).to_contain_text("LIVE")
    expect(number).not_to_have_css("background-image", HATCHED)
    expect(waiting(page, "Zone B")).to_have_count(1)
    expect(zone_row(page, "Zone B")).to_contain_text(people(3500))


def test_new_rows_enter_at_once_and_never_move_what_is_under_the_pointer(desk: Open, town: Town) -> None:
    town.tell(z01=2500)
    page = desk()
    row = waiting(page)
    row.hover()
    before = row.bounding_box()
    town.tell(z02=3500)
    expect(page.locator("[data-matter]")).to_have_count(2)
    after = row.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 1, (before, after)
    page.mouse.move(900, 5)
    expect(page.locator("[data-matter]").first).to_contain_text("Zone B")


def test_two_tabs_share_one_stream_and_the_second_takes_it_over(visit: Visit, town: Town) -> None:
    context = visit.signed_in(language="en")
    asked: list[Page] = []
    context.on("request", lambda one: asked.append(one.frame.page) if "/api/live" in one.url else None)
    pages = []
    for count in (1500, 1600):
        page = context.new_page()
        page.goto(f"{town.address}/?view=table")
        town.tell(z01=count)
        expect(zone_row(page, "Zone A")).to_contain_text(people(count))
        pages.append(page)
    first, second = pages
    expect(zone_row(first, "Zone A")).to_contain_text(people(1600))
    assert set(asked) == {first}
    first.close()
    town.tell(z01=1700)
    expect(zone_row(second, "Zone A")).to_contain_text(people(1700))
    assert asked[-1] is second


def test_the_keyboard_reaches_everything_and_is_quiet_while_somebody_types(desk: Open, town: Town) -> None:
    town.tell(z01=2500, z02=3500)
    page = desk("/")
    expect(page.locator("[data-matter]")).not_to_have_count(0)
    expect(waiting(page, "Zone B")).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_role("table", name="The crowd by zone")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("[data-matter]").nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("[data-matter]").nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("[data-matter]").nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("matter="))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("matter="))
    page.keyboard.press("2")
    expect(page).to_have_url(re.compile("p=2"))
    expect(waiting(page, "Zone A")).to_have_count(0)
    page.keyboard.press("2")
    expect(waiting(page, "Zone A")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.get_by_role("table", name="The crowd by zone")).to_be_visible()
    for press in ("/", "Control+k"):
        page.keyboard.press(press)
        field = page.get_by_role("combobox")
        expect(field).to_be_focused()
        page.keyboard.type("tfj Zone")
        expect(field).to_have_value("tfj Zone")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
    expect(page.get_by_role("table", name="The crowd by zone")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("z03")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("zone=z03"))
    expect(page.locator("canvas.maplibregl-canvas")).to_be_visible()
    page.keyboard.press("f")
    expect(page.locator("canvas.maplibregl-canvas")).to_be_visible()


def test_a_wall_has_no_queue_to_act_on(visit: Visit, town: Town) -> None:
    town.tell(z01=2500)
    page = visit.open("/wall", Role.WALL, "en")
    expect(page.get_by_text("Zone A").first).to_be_visible()
    expect(page.locator("[data-matter]")).to_have_count(0)


def test_the_next_two_hours_of_a_zone_are_shown_with_what_they_stand_on(desk: Open, town: Town) -> None:
    town.tell(z01=2500, z02=400)
    page = desk()
    expect(zone_row(page, "Zone A")).to_contain_text(people(2500))
    assert town.app.state.services[Outlooks].renew(DISTRICT) is not None
    page.reload()
    zone_row(page, "Zone A").get_by_text("Zone A").click()
    ahead = page.get_by_role("complementary", name="Details").get_by_role("region", name="The next two hours")
    expect(ahead.get_by_role("row")).to_have_count(5)
    expect(ahead.get_by_role("row").filter(has_text="+60")).to_contain_text("–")
    expect(ahead).to_contain_text("the present trend goes on")
    page.get_by_role("button", name="Map").click()
    slider = page.get_by_role("slider", name="Instant the map shows")
    expect(slider).to_have_attribute("aria-valuetext", "now")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("expected .*:"))
