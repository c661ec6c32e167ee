"""How good forecasts and alarms are, on screen: an alarm put aside, a model put back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from tests.conftest import DISTRICT
from tests.console.conftest import LOST, Town, Visit, lose_answer
from tests.console.test_accessible import violations
from tests.crowds.test_trained import kept

from anshang.crowds import trained_store
from anshang.foundation import clock
from anshang.people.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_alarm_is_put_aside_with_its_reason_and_counts_again(visit: Visit, town: Town) -> None:
    town.tell(z01=2500)
    page = visit.open("/?view=table", language="en")
    row = page.locator("[data-matter]", has_text="Zone A")
    row.click()
    drawer = page.get_by_role("article").filter(has_text="Clocks").first
    drawer.get_by_role("button", name="Put aside").click()
    dialog = page.get_by_role("dialog")
    assert violations(page) == []
    dialog.get_by_label("For how long").select_option("0.5")
    dialog.get_by_label("Why").fill("a stage is being built, two guards stand there")
    visit.expected.append(LOST)
    lose_answer(page, "**/api/matters/*/shelve?*")
    dialog.get_by_role("button", name="Put aside").click()
    expect(dialog).to_contain_text("The server cannot be reached.")
    page.wait_for_timeout(1_100)  # the clock goes on, and the same try still says the same
    dialog.get_by_role("button", name="Put aside").click()
    expect(dialog).to_have_count(0)
    aside = page.get_by_text("1 put aside", exact=True)
    expect(aside).to_be_visible()
    expect(row).to_be_hidden()
    expect(drawer).to_contain_text("a stage is being built")
    expect(drawer).to_contain_text(re.compile(r"put aside until \d\d:\d\d"))
    aside.click()
    expect(row).to_contain_text("put aside until")
    assert violations(page) == []
    drawer.get_by_role("button", name="Count it again").click()
    expect(aside).to_have_count(0)
    expect(row).to_contain_text("waits")


def test_a_former_model_is_put_back_and_the_figures_stand_beside_it(visit: Visit, town: Town) -> None:
    first, second = kept(town.database, 0.1), kept(town.database, 0.25)
    now_ms = clock.to_ms(clock.now() - timedelta(hours=1))
    rows = [(now_ms, 3600, second.id, 10, 4000.0, 300.0, 500.0, 280.0, 8, 9)]
    town.database.bulk(DISTRICT, lambda connection: trained_store.keep_outcomes(connection, DISTRICT, rows))
    page = visit.open("/admin?tab=quality", Role.SUPERVISOR, "en")
    forecasts = page.get_by_role("region", name="Forecast", exact=True)
    expect(forecasts.get_by_role("row").filter(has_text="trained model")).to_contain_text(
        re.compile(r"30\.0.*50\.0.*0\.07.*80%.*90%")
    )
    models = page.get_by_role("region", name="Trained models")
    shown = models.get_by_role("row").filter(has_text=second.id[-8:])
    former = models.get_by_role("row").filter(has_text=first.id[-8:])
    expect(shown).to_contain_text(re.compile(r"0\.7500 / 1\.0000 / 1\.0000.*−25\.0 %.*in use", re.S))
    former.get_by_role("button").click()
    expect(page.get_by_text("The forecast is changed.")).to_be_visible()
    expect(former).to_contain_text("in use")
    page.get_by_role("button", name="Use the outlook without training").click()
    expect(page.get_by_text("In use: the outlook that needs no training.")).to_be_visible()
