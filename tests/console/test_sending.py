"""Sending from the desk: advice with its reasons, one key, a question before a unit is called off, the board."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Page, expect
from tests.conftest import DISTRICT, NIGHT
from tests.console.conftest import LOST, Town, Visit, document, lose_answer
from tests.console.test_accessible import violations
from tests.console.test_field import HERE, Desk
from tests.places.conftest import walkway

from anshang.dispatch import actions as dispatch
from anshang.dispatch import board_actions as boards
from anshang.dispatch import board_store as boards_store
from anshang.dispatch import store as dispatch_store
from anshang.dispatch.board import LoneTimer, RollCall
from anshang.dispatch.dispatcher import Dispatcher
from anshang.dispatch.model import AssignmentKind, RungRun
from anshang.foundation import clock, ids
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.matters import store as matters
from anshang.patrols import actions as patrols
from anshang.patrols import store
from anshang.patrols.model import Member, Unit, UnitStatus
from anshang.patrols.positions import Told
from anshang.patrols.whereabouts import Whereabouts, duty_of
from anshang.people import store as people
from anshang.people.model import Role, engine_actor, operator_actor
from anshang.places import actions as places

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Page]


@pytest.fixture
def at_work(town: Town) -> Town:
    """The small district with a street, and K1 and K2 on duty on it."""
    told = json.loads(document())
    told["features"].append(walkway("w1", "n1", "n2", (0, 0.5), (3, 0.5)))
    operator = operator_actor(DISTRICT)
    with town.database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator, document=json.dumps(told).encode())
    for number, id in enumerate(("k1", "k2")):
        name = town.account(Role.PATROL)
        with town.database.reading([EVERYWHERE]) as connection:
            account = people.find_account_by_name(connection, name)
        assert account is not None
        unit = Unit(id, DISTRICT, "officer_pair", id.upper(), id, id, None, None, UnitStatus.OFF_DUTY, NIGHT)
        with town.database.transaction(DISTRICT) as tx:
            patrols.define_unit(tx, actor=operator, unit=unit)
            until = date(2099, 1, 1)
            patrols.qualify(tx, actor=operator, member=Member(account.id, DISTRICT, until, until, True))
            patrols.begin_duty(tx, actor=operator, id=ids.new_id(), unit_id=id, crew=[account.id])
        with town.database.reading([DISTRICT]) as connection:
            unit = store.units.get(connection, DISTRICT, id)
        fix = Told(clock.to_ms(clock.now()), HERE["longitude"] + number * 0.001, 28.1905, 5.0)
        receipt = town.app.state.services[Whereabouts].take(
            unit, duty_of(town.database, unit), [fix], "phone"
        )
        assert receipt.taken == 1
    return town


def reported(page: Page, text: str, zone: str = "Zone A") -> None:
    page.keyboard.press("i")
    page.get_by_label("What is it").fill(text)
    page.get_by_role("combobox", name="Zone").select_option(zone)
    page.get_by_label("What is it").press("Control+Enter")


def test_the_unit_that_is_advised_is_sent_with_one_key_and_followed(desk: Open, at_work: Town) -> None:
    page = desk()
    reported(page, "a lost child in a red coat")
    sending = page.get_by_role("region", name="Sending")
    expect(sending).to_contain_text(re.compile(r"K1.*about .*in time", re.S))
    expect(sending).to_contain_text("Only the zone is known")
    expect(sending.locator("[data-candidate]")).to_have_text([re.compile("K1"), re.compile("K2")])
    expect(sending.locator("[data-candidate=k1]").get_by_role("button")).to_have_text(re.compile("A$"))
    assert violations(page) == []
    page.keyboard.press("a")
    expect(sending.locator("[data-unit=k1]")).to_contain_text("asked")
    sending.get_by_text("Not available, and why (1)").click()
    expect(sending).to_contain_text(re.compile(r"K1\s*It is sent here already\."))
    sending.get_by_role("button", name="It accepts (radio)").click()
    sending.get_by_role("button", name="It moves (radio)").click()
    sending.get_by_role("button", name="It is there (radio)").click()
    expect(sending.locator("[data-unit=k1]")).to_contain_text("on scene")
    expect(page.get_by_role("article").first).to_contain_text(re.compile(r"on scene\s*\d\d:\d\d:\d\d"))
    sending.get_by_role("button", name="It is done (radio)").click()
    expect(sending.locator("[data-unit=k1]")).to_contain_text("done")


def test_a_person_is_asked_before_a_unit_is_called_off_from_elsewhere(
    visit: Visit, desk: Open, at_work: Town
) -> None:
    visit.expected.append("status of 409")
    page = desk()
    reported(page, "an old visitor needs help to find the metro")
    page.get_by_role("button", name="Send K1").click()
    reported(page, "two men fight at the door")
    sending = page.get_by_role("region", name="Sending")
    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.get_by_role("article").first).to_contain_text("Fight")
    sending.get_by_role("combobox", name="This unit").select_option("K1")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("K1 is bound to 0001")
    assert violations(page) == []
    dialog.get_by_role("button", name="Send all the same").click()
    expect(sending.locator("[data-unit=k1]")).to_contain_text("asked")


def test_the_board_holds_command_words_and_their_readers(desk: Open, at_work: Town) -> None:
    page = desk()
    reported(page, "smoke from a kitchen")
    page.get_by_text("Board", exact=True).click()
    page.get_by_role("button", name="I command").click()
    expect(page.get_by_role("button", name="I command")).to_have_count(0)
    expect(page.locator("details").filter(has_text="Commands")).to_contain_text(
        re.compile(r"Commands desk\.")
    )
    page.get_by_role("combobox", name="Sort").select_option("decision and why")
    page.get_by_label("Text").fill("Close the west gate: smoke drifts there")
    page.get_by_role("region", name="Messages").get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Close the west gate")
    expect(page.get_by_role("region", name="Messages")).to_contain_text("read by nobody yet")
    assert violations(page) == []


def test_the_roll_is_called_and_the_reach_is_told(desk: Open, at_work: Town) -> None:
    at_work.app.state.services[Dispatcher].renew(DISTRICT)
    page = desk()
    room = page.get_by_role("region", name="On duty together")
    expect(room).to_contain_text("Reach")
    expect(room).to_contain_text("2 units")
    room.get_by_role("button", name="Roll-call").click()
    expect(room).to_contain_text(re.compile(r"Roll-call 0/2, .* left"))
    room.get_by_role("button", name="K1 has answered").click()
    expect(room).to_contain_text("Roll-call 1/2")
    assert violations(page) == []
    Desk(at_work).post("/api/roll-calls", id=ids.new_id(), answer_within_s=15.0)
    expect(page.get_by_text("A unit does not answer the roll-call.").first).to_be_visible(timeout=30_000)


def test_a_unit_is_dragged_onto_an_incident(desk: Open, at_work: Town) -> None:
    page = desk()
    reported(page, "an old visitor needs help to find the metro")
    expect(page.get_by_role("region", name="Sending")).to_contain_text("K1")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    row = page.locator("[data-matter]").first
    page.get_by_role("region", name="Units").get_by_text("K2", exact=True).drag_to(row)
    expect(page.get_by_text("K2 is asked.")).to_be_visible()
    row.click()
    expect(page.get_by_role("region", name="Sending").locator("[data-unit=k2]")).to_contain_text("asked")


def test_one_order_sends_units_and_standing_down_frees_them(desk: Open, at_work: Town) -> None:
    at_work.tell(z01=2500)
    page = desk("/?view=table&zone=z01")
    order = page.get_by_role("region", name="Order")
    order.get_by_role("button", name="Give the order").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("in English")).to_have_value(re.compile("crowded|dangerous"))
    assert violations(page) == []
    expect(dialog).to_contain_text(re.compile(r"Takes 1 unit\s*K1 \(.*1 stays free\s*K2", re.S))
    expect(dialog.get_by_role("checkbox")).to_have_count(0)
    dialog.get_by_role("button", name="Give the order").click()
    expect(order).to_contain_text(re.compile(r"K1\s+asked"))
    expect(order).not_to_contain_text("K2")
    assert violations(page) == []
    page.get_by_role("button", name="Undo").click()
    expect(
        page.get_by_text(re.compile("^Undone: units are called off.*measures are withdrawn"))
    ).to_be_visible()
    expect(order.get_by_role("button", name="Give the order")).to_be_visible()
    order.get_by_role("button", name="Give the order").click()
    dialog.get_by_role("button", name="Give the order").click()
    order.get_by_role("button", name="Stand down").click()
    expect(dialog).to_contain_text("K1 will be called off")
    dialog.get_by_role("button", name="Stand down").click()
    expect(order).to_contain_text("in 10 seconds")
    order.get_by_role("button", name="Undo").click()
    expect(order).to_contain_text(re.compile(r"K1\s+asked"))
    order.get_by_role("button", name="Stand down").click()
    dialog.get_by_role("button", name="Stand down").click()
    expect(page.get_by_text("Stood down: units are free")).to_be_visible(timeout=20_000)
    expect(order.get_by_role("button", name="Give the order")).to_be_visible()


def test_a_missed_rung_names_its_incident_and_leads_there(desk: Open, at_work: Town) -> None:
    page = desk("/?view=table")
    reported(page, "somebody fell")
    drawer = page.get_by_role("article").filter(has_text="somebody fell").first
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    engine = engine_actor(DISTRICT)
    with at_work.database.transaction(DISTRICT) as tx:
        (matter,) = matters.list_waiting(tx.connection, engine.scope, DISTRICT)
        run = RungRun(ids.new_id(), DISTRICT, matter.id, "one_minute", clock.now())
        dispatch_store.rung_runs.add(tx, run)
        dispatch.escalate(tx, actor=engine, run=run)
    expect(page.get_by_text(f"A rung of the ladder was missed. {matter.number:04}")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Open it").click()
    expect(drawer).to_be_visible()
    expect(page.get_by_text("A rung of the ladder was missed.")).to_have_count(0)


def test_an_order_is_given_in_the_alarm_s_own_drawer_whose_zone_no_new_form_takes(
    desk: Open, at_work: Town
) -> None:
    at_work.tell(z01=2500)
    page = desk()
    page.locator("[data-matter]").filter(has_text="Zone A").first.click()
    drawer = page.get_by_role("complementary", name="Details")
    order = drawer.get_by_role("region", name="Order")
    expect(order.get_by_role("button", name="Give the order")).to_be_visible()
    for key in ("i", "b"):
        page.keyboard.press(key)
        expect(page.get_by_role("combobox", name=re.compile("^Zone"))).to_have_value("")
        page.keyboard.press("Escape")
        expect(page.get_by_role("combobox", name=re.compile("^Zone"))).to_have_count(0)
    order.get_by_role("button", name="Give the order").click()
    page.get_by_role("dialog").get_by_role("button", name="Give the order").click()
    expect(order).to_contain_text(re.compile(r"K1\s+asked"))


def test_an_order_whose_answer_was_lost_is_given_with_the_next_press_and_can_be_undone(
    desk: Open, at_work: Town, visit: Visit
) -> None:
    visit.expected.append(LOST)
    at_work.tell(z01=2500)
    page = desk()
    page.locator("[data-matter]").filter(has_text="Zone A").first.click()
    order = page.get_by_role("complementary", name="Details").get_by_role("region", name="Order")
    order.get_by_role("button", name="Give the order").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Takes 1 unit")
    lose_answer(page, "**/api/orders?*")
    dialog.get_by_role("button", name="Give the order").click()
    expect(dialog).to_contain_text("The server cannot be reached.")
    expect(order).to_contain_text(re.compile(r"K1\s+asked"))
    dialog.get_by_role("button", name="Give the order").click()
    expect(page.get_by_text("The order is given.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: units are called off")).to_be_visible()


def test_who_is_in_danger_is_named_and_no_missed_rung_pushes_it_out(desk: Open, at_work: Town) -> None:
    page = desk()
    expect(page.get_by_role("region", name="Units")).to_contain_text("K2")
    engine = engine_actor(DISTRICT)
    call = RollCall(ids.new_id(), DISTRICT, None, clock.now(), "desk", clock.now(), ("k1", "k2"))
    alone = LoneTimer(ids.new_id(), DISTRICT, "k2", "crew", clock.now(), clock.now())
    with at_work.database.transaction(DISTRICT) as tx:
        boards_store.roll_calls.add(tx, call)
        boards_store.lone_timers.add(tx, alone)
        boards.tell_silent(tx, actor=engine, call=call, unit_ids=("k1", "k2"))
        boards.tell_overdue(tx, actor=engine, timer=alone)
        for number in range(1, 8):
            details = {"incident": f"i{number}", "unit": None}
            journal.record(
                tx, actor_id=engine.id, kind=AssignmentKind.MISSED, subject_id=f"r{number}", details=details
            )
    toasts = page.locator(".toasts p")
    overdue = toasts.filter(has_text="Somebody who works alone has not come back.")
    expect(overdue).to_have_count(1)
    expect(overdue).to_contain_text(
        "does not answer the roll-call. Somebody who works alone has not come back. K2"
    )
    expect(toasts.filter(has_text="A unit does not answer the roll-call. K1")).to_be_visible()
    expect(toasts).to_have_count(5)
    assert violations(page) == []
    page.get_by_role("button", name="4 more").click()
    expect(toasts).to_have_count(9)
    overdue.get_by_role("link", name="Open it").click()
    expect(overdue).to_have_count(0)
    expect(page.locator("[data-unit=k2][aria-current=true]")).to_be_in_viewport()
