"""The strip and the first-run check say in words what of the server's work stands still, and when it runs again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import Town, Visit

from anshang.foundation.jobs import JobReport, JobState
from anshang.web.session import Runtime
from anshang.worker import Worker

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LADDER = JobReport(
    "dispatch.ladder", "d", JobState.STOPPED, True, None, 3, 0, "KeyError", "The ladder", "响应阶梯"
)
SEARCH = JobReport("lookouts.search", "d", JobState.PARTIAL, True, None, 0, 1, "", "Searches", "走失查找")


@pytest.fixture
def troubles(town: Town, monkeypatch: pytest.MonkeyPatch) -> list[JobReport]:
    """What the supervisor reports; beats come twice a second."""
    found = [LADDER, SEARCH]
    monkeypatch.setattr("anshang.web.live.BEAT_S", 0.5)
    monkeypatch.setattr(
        town.app.state.services[Worker].supervisor, "troubles", lambda _district_id: list(found)
    )
    town.app.state.services[Runtime].hub.tell_troubles(town.app.state.services[Worker].supervisor.troubles)
    return found


@pytest.mark.parametrize(
    ("language", "stopped", "partly"),
    [
        ("en", "Stopped: The ladder", "Partly failing: Searches"),
        ("zh", "已停止：响应阶梯", "部分失败：走失查找"),
    ],
)
def test_the_strip_says_what_stands_still_until_it_runs_again(
    desk: Callable[..., Page], troubles: list[JobReport], language: str, stopped: str, partly: str
) -> None:
    page = desk(language=language)
    strip = page.get_by_role("banner")
    expect(strip).to_contain_text(stopped)
    expect(strip).to_contain_text("+1")
    troubles.remove(LADDER)
    expect(strip).to_contain_text(partly)
    troubles.clear()
    expect(strip).not_to_contain_text(partly)


def test_who_cannot_sign_in_reads_on_that_page_what_stands_still(
    visit: Visit, troubles: list[JobReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a full disk no session can be opened, and the check lies behind it."""
    monkeypatch.setattr(visit.town.app.state.services[Worker].supervisor, "report", lambda: list(troubles))
    visit.expected.append("503")
    page = visit.context().new_page()
    page.goto(visit.town.address)
    told = page.get_by_role("alert")
    expect(told).to_contain_text("响应阶梯 (KeyError)")
    expect(told).not_to_contain_text("走失查找")
    page.get_by_role("button", name="English").click()
    expect(told).to_contain_text("The ladder (KeyError)")


def test_the_check_names_it_with_its_reason(visit: Visit, troubles: list[JobReport]) -> None:
    page = visit.open("/check", language="en")
    expect(page.get_by_text("The ladder (KeyError); Searches")).to_be_visible()
