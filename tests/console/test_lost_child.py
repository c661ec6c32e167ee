"""A lost child in real browsers: the desk, a patrol's phone, three shops of which one is offline; found, handed over,
erased. And the small pages for themselves.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect
from tests.conftest import DISTRICT
from tests.console.conftest import Town, Visit
from tests.console.test_accessible import violations
from tests.console.test_field import HERE, OFFLINE, PHONE
from tests.dispatch.conftest import a_unit, begun
from tests.partners.conftest import BODY, LAT, LON, WIDTH, prepare
from tests.serving import PASSWORD, open_account

from anshang.foundation import clock
from anshang.patrols import store as units
from anshang.patrols.model import UnitStatus
from anshang.patrols.positions import Told
from anshang.patrols.whereabouts import Whereabouts, duty_of
from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHOES = "blue trainers"


@pytest.fixture
def street(town: Town) -> Town:
    """The town is a street of shops now."""
    prepare(town.database)
    return town


def at_shop(
    visit: Visit, town: Town, shop: str, language: str = "en", **options: object
) -> tuple[BrowserContext, Page]:
    """The phone of a shop."""
    visit.expected.append(OFFLINE)
    context = visit.context(viewport=PHONE, locale="en-US" if language == "en" else "zh-CN", **options)
    name = open_account(town.database, Role.PARTNER, DISTRICT, body_id=BODY[shop])
    opened = context.request.post(f"{town.address}/api/session", data={"name": name, "password": PASSWORD})
    csrf = {"X-CSRF-Token": opened.json()["csrf_token"]}
    context.request.patch(f"{town.address}/api/session/language", data={"language": language}, headers=csrf)
    page = context.new_page()
    page.goto(f"{town.address}/shop/")
    return context, page


def photograph() -> bytes:
    written = io.BytesIO()
    Image.effect_noise((640, 480), 80).convert("RGB").save(written, "JPEG")
    return written.getvalue()


def open_lookout(desk: Page) -> None:
    """Opened at the keyboard, with a photograph; merchants' words composed by themselves."""
    desk.keyboard.press("b")
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Where last seen").fill("0号店")  # the other language than the desk's
    dialog.get_by_label("Clothes").fill("red down jacket")
    dialog.get_by_label("Shoes").fill(SHOES)
    dialog.get_by_label("Name").fill("Xiaoman")
    dialog.get_by_label("Telephone").fill("13900000000")
    dialog.get_by_label("A question only").fill("the rag doll's name")
    dialog.get_by_label("The answer").fill("Mili")
    dialog.get_by_label("A photograph").set_input_files(
        {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    )
    expect(dialog.get_by_label("in English")).to_have_value(re.compile(SHOES))
    dialog.get_by_role("button", name="Begin to look").click()
    expect(desk.get_by_role("article", name=re.compile("Look-out: child"))).to_be_visible()


def test_a_lost_child_is_found_handed_over_and_forgotten(visit: Visit, street: Town) -> None:
    desk = visit.open("/?view=table", Role.DESK, "en")
    expect(desk.get_by_role("button", name=re.compile("Look-out"))).to_be_visible()
    _, first = at_shop(visit, street, "p0")
    away, second = at_shop(visit, street, "p1")
    _, third = at_shop(visit, street, "p2", "zh")
    open_lookout(desk)

    card = first.get_by_role("article", name="LOOK-OUT")
    expect(card).to_contain_text(SHOES)
    expect(card).not_to_contain_text("Xiaoman")
    card.get_by_role("button", name="Show the photograph").click()
    expect(card.get_by_role("img")).to_have_js_property("complete", True)
    card.get_by_role("button", name="NOT HERE").click()
    card.get_by_role("button", name="till").click()
    card.get_by_role("button", name="Send").click()
    expect(card).to_contain_text("You answered: not here")
    expect(desk.get_by_text(re.compile("answered 1"))).to_be_visible()

    expect(second.get_by_role("article", name="LOOK-OUT")).to_be_visible()
    away.set_offline(True)
    third.get_by_role("article").get_by_role("button", name="看到了").click()
    expect(desk.get_by_text(re.compile("Shop 2 has seen them"))).to_be_visible()

    patrol = visit.signed_in(Role.PATROL, "en", viewport=PHONE, geolocation=HERE, permissions=["geolocation"])
    phone = patrol.new_page()
    phone.goto(f"{street.address}/field/")
    phone.get_by_role("button", name="Show the description").click()
    expect(phone.get_by_role("article", name="Look-out")).to_contain_text("Xiaoman")
    expect(phone.get_by_role("article", name="Look-out")).to_contain_text(
        re.compile(r"last seen [56] min ago")
    )
    phone.get_by_role("button", name="Found, with me").click()
    expect(card).to_have_count(0)
    expect(second.get_by_role("article", name="LOOK-OUT")).to_be_visible()
    away.set_offline(False)
    expect(second.get_by_role("article", name="LOOK-OUT")).to_have_count(0, timeout=20_000)

    phone.get_by_label("The guardian answered").check()
    phone.get_by_label("A document was seen").check()
    phone.get_by_role("button", name="I confirm").click()
    expect(desk.get_by_text("1 of 2 confirmed")).to_be_visible()
    desk.get_by_label("The guardian answered").check()
    desk.get_by_label("A document was seen").check()
    desk.get_by_role("button", name="I confirm").click()
    desk.get_by_label("Whoever takes them has signed").check()
    desk.get_by_role("button", name="Hand over and end").click()
    desk.get_by_role("button", name="Erase now").click()
    desk.get_by_role("dialog").get_by_role("button", name="Erase now").click()
    desk.get_by_role("button", name="Erasure receipt").click()
    receipt = desk.get_by_role("region", name="Erasure receipt")
    expect(receipt).to_contain_text("0号店 · notice at a partner")
    assert violations(desk) == []
    for file in Path(street.database.url.removeprefix("sqlite:///")).parent.rglob("*"):
        if file.is_file():
            assert SHOES.encode() not in file.read_bytes(), file


def test_a_second_press_of_send_to_look_sends_nobody_else(visit: Visit, street: Town) -> None:
    for id, east in (("k1", 1.2), ("k2", 1.4)):
        begun(street.database, a_unit(id, "officer_pair"))
        with street.database.reading([DISTRICT]) as connection:
            unit = units.units.get(connection, DISTRICT, id)
        fix = Told(clock.to_ms(clock.now()), LON + east * WIDTH, LAT, 5.0)
        street.app.state.services[Whereabouts].take(unit, duty_of(street.database, unit), [fix], "phone")
    desk = visit.open("/?view=table", Role.DESK, "en")
    expect(desk.get_by_role("button", name=re.compile("Look-out"))).to_be_visible()
    open_lookout(desk)
    send = desk.get_by_role("region", name=re.compile("^Next")).get_by_role("button", name="Send to look")
    expect(send.first).to_be_visible()
    for _ in range(2):
        send.first.evaluate("button => button.click()")
        desk.wait_for_timeout(300)
    desk.wait_for_timeout(2000)
    with street.database.reading([DISTRICT]) as connection:
        status = [unit.status for unit in units.list_on_duty(connection, DISTRICT)]
    assert sorted(status) == [UnitStatus.BUSY, UnitStatus.FREE]
    expect(desk.get_by_text("is not free")).to_have_count(0)


@pytest.mark.parametrize("shade", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_small_pages_have_no_violation_of_wcag(
    visit: Visit, street: Town, language: str, shade: str
) -> None:
    street.tell(z01=2500)
    _, shop = at_shop(visit, street, "p3", language, color_scheme=shade)
    expect(shop.get_by_role("heading").first).to_be_visible()
    assert violations(shop) == []
    context = visit.context(
        viewport=PHONE, color_scheme=shade, locale="en-US" if language == "en" else "zh-CN"
    )
    here = context.new_page()
    here.goto(f"{street.address}/here?district={DISTRICT}&at=p3")
    expect(here.get_by_role("table")).to_be_visible()
    assert violations(here) == []
    assert here.evaluate("document.cookie") == ""


def test_whoever_stands_there_calls_for_help_in_two_taps(visit: Visit, street: Town) -> None:
    desk = visit.open("/?view=table", Role.DESK, "en")
    here = visit.context(viewport=PHONE, locale="en-US").new_page()
    here.goto(f"{street.address}/here?district={DISTRICT}&at=p4")
    here.get_by_role("button", name="Somebody is hurt").click()
    here.get_by_role("button", name="Yes, call").click()
    expect(here.get_by_text("The kiosk has it")).to_be_visible()
    expect(desk.locator("[data-matter]").first).to_contain_text("Somebody is hurt")


def test_a_shop_reports_with_a_photograph_that_the_desk_looks_at(visit: Visit, street: Town) -> None:
    _, shop = at_shop(visit, street, "p1")
    shop.get_by_role("button", name="A hazard").click()
    shop.get_by_label("A few words").fill("a wire hangs down")
    shop.get_by_label("A photograph").set_input_files(
        {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    )
    shop.get_by_role("button", name="Send to the kiosk").click()
    expect(shop.get_by_text("Sent; the kiosk has it.")).to_be_visible()
    desk = visit.open("/?view=table", Role.DESK, "en")
    desk.locator("[data-matter]", has_text="a wire hangs down").click()
    desk.get_by_role("button", name="Show the photograph").click()
    expect(desk.get_by_role("img", name="Show the photograph")).to_have_js_property("naturalWidth", 640)


def test_a_reminder_reaches_the_shops_and_the_public_page(visit: Visit, street: Town) -> None:
    desk = visit.open("/?view=table", Role.DESK, "en")
    desk.get_by_role("button", name="Send a notice").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("in Chinese").fill("末班地铁 23:10")
    dialog.get_by_label("in English").fill("Last metro 23:10")
    dialog.get_by_label("Show it on the public page").check()
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(desk.get_by_text("Sent to 6.")).to_be_visible()
    _, shop = at_shop(visit, street, "p0")
    expect(shop.get_by_text("Last metro 23:10")).to_be_visible()
    here = visit.context(viewport=PHONE, locale="en-US").new_page()
    here.goto(f"{street.address}/here?district={DISTRICT}")
    expect(here.get_by_text("Last metro 23:10")).to_be_visible()


def test_a_shift_is_handed_over_and_a_service_takes_two_taps(visit: Visit, street: Town) -> None:
    first = visit.open("/?view=table", Role.DESK, "en")
    first.get_by_role("button", name="Begin", exact=True).click()
    first.get_by_role("button", name="wheelchair").click()
    expect(first.get_by_text(re.compile("wheelchair waits"))).to_be_visible()
    first.get_by_role("button", name="Done").click()
    expect(first.get_by_text(re.compile("1 served"))).to_be_visible()
    first.get_by_role("button", name="Hand over").click()
    first.get_by_role("dialog").get_by_label("What the next shift must know").fill(
        "the barrier at gate 2 is loose"
    )
    first.get_by_role("dialog").get_by_role("button", name="Hand over").click()
    second = visit.open("/?view=table", Role.SUPERVISOR, "en")
    expect(second.get_by_text("the barrier at gate 2 is loose")).to_be_visible()
    second.get_by_role("button", name="Read, take over").click()
    expect(second.get_by_role("button", name="Hand over")).to_be_visible()
