"""Units at the desk: who is on duty, what each is doing, and a position that is old never looks live."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.conftest import DISTRICT, NIGHT
from tests.console.conftest import Town, Visit

from anshang.foundation import clock, ids
from anshang.patrols import actions
from anshang.patrols.model import Unit, UnitStatus
from anshang.people.model import Role, operator_actor
from anshang.places import store as places

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Page]


def define(town: Town, id: str, call_sign: str) -> None:
    unit = Unit(
        id, DISTRICT, "rapid", call_sign, "快警", "Rapid unit", None, None, UnitStatus.OFF_DUTY, NIGHT
    )
    with town.database.transaction(DISTRICT) as tx:
        actions.define_unit(tx, actor=operator_actor(DISTRICT), unit=unit)


def test_the_desk_sees_who_is_on_duty_and_how_old_a_position_is(visit: Visit, desk: Open, town: Town) -> None:
    define(town, "k1", "K1")
    define(town, "k2", "K2")
    page = desk()
    units = page.get_by_role("region", name="Units")
    expect(units).to_contain_text("Nobody is on duty.")
    expect(units).to_contain_text("2 off duty")
    phone = visit.signed_in(Role.PATROL).request
    session = phone.get(f"{town.address}/api/session").json()
    write = {"headers": {"X-CSRF-Token": session["csrf_token"]}}
    duty = {"id": ids.new_id(), "crew": [session["account"]["id"]]}
    began = phone.post(f"{town.address}/api/units/k1/duty?district={DISTRICT}", data=duty, **write)
    assert began.ok, began.text()
    expect(units).to_contain_text("no position")
    expect(page.get_by_text("units 1/1 free")).to_be_visible()
    with town.database.reading([DISTRICT]) as connection:
        district = places.get_district(connection, DISTRICT)
    at = {"lon": district.centre_lon, "lat": district.centre_lat}
    row = {"at": clock.now().isoformat(), "accuracy_m": 5.0, **at}
    told = phone.post(f"{town.address}/api/positions?district={DISTRICT}", data={"positions": [row]}, **write)
    assert told.json()["taken"] == 1, told.text()
    expect(units).to_contain_text("seen")
    units.get_by_role("combobox", name="Status of K1").select_option("busy")
    expect(page.get_by_text("units 0/1 free")).to_be_visible()
