"""The check of an installation says what it still lacks."""

from __future__ import annotations

from dataclasses import replace

from tests.conftest import NIGHT

from anshang.desk.check import CheckState, Findings, judged
from anshang.foundation.jobs import JobReport, JobState

WELL = Findings(
    disk_free_bytes=50_000_000_000,
    zone_count=24,
    gate_count=40,
    sensor_states=("ok", "ok"),
    open_feed_count=1,
    secure_cookies=True,
    local_only=False,
    untrusted_proxy="",
    open_files_max=65_536,
    desk_account_count=2,
    journal_fault_count=0,
    journal_sealed_on=None,
    clock_trusted_at=None,
    unreadable_count=0,
    troubles=(),
)


def trouble(state: JobState, critical: bool = True) -> tuple[JobReport]:
    return (
        JobReport("dispatch.ladder", "d", state, critical, None, 3, 0, "KeyError", "The ladder", "响应阶梯"),
    )


def state_of(found: Findings, name: str) -> CheckState:
    return next(point.state for point in judged(found) if point.name == name)


def test_a_finished_installation_passes_every_point() -> None:
    assert {point.state for point in judged(WELL)} == {CheckState.OK}


def test_each_lack_shows_at_its_own_point_only() -> None:
    for found, name, state in (
        (replace(WELL, disk_free_bytes=1_000_000_000), "disk.room", CheckState.WARN),
        (replace(WELL, disk_free_bytes=1), "disk.room", CheckState.FAIL),
        (replace(WELL, zone_count=0), "place.present", CheckState.FAIL),
        (replace(WELL, open_feed_count=0), "feed.open", CheckState.WARN),
        (replace(WELL, secure_cookies=False), "cookies.secure", CheckState.WARN),
        (replace(WELL, desk_account_count=0), "accounts.desk", CheckState.WARN),
        (replace(WELL, untrusted_proxy="10.0.0.2"), "proxy.trusted", CheckState.WARN),
        (replace(WELL, open_files_max=1_024), "files.enough", CheckState.WARN),
        (replace(WELL, journal_fault_count=1), "journal.whole", CheckState.FAIL),
        (replace(WELL, clock_trusted_at=NIGHT), "clock.trusted", CheckState.FAIL),
        (replace(WELL, unreadable_count=3), "vault.readable", CheckState.FAIL),
        (replace(WELL, troubles=trouble(JobState.STOPPED)), "jobs.running", CheckState.FAIL),
        (replace(WELL, troubles=trouble(JobState.STOPPED, critical=False)), "jobs.running", CheckState.WARN),
        (replace(WELL, troubles=trouble(JobState.PARTIAL)), "jobs.running", CheckState.WARN),
        (replace(WELL, sensor_states=("ok", "silent")), "counts.fresh", CheckState.WARN),
    ):
        assert [point.name for point in judged(found) if point.state is not CheckState.OK] == [name]
        assert state_of(found, name) is state


def test_what_stands_still_is_named_in_both_languages_with_its_reason() -> None:
    point = judged(replace(WELL, troubles=trouble(JobState.STOPPED)))[-1]
    assert point.params == {"zh": "响应阶梯（KeyError）", "en": "The ladder (KeyError)"}


def test_sensors_that_were_never_heard_are_told_apart_from_silent_ones() -> None:
    assert state_of(replace(WELL, sensor_states=("never", "ok")), "sensors.heard") is CheckState.WARN
    assert state_of(replace(WELL, sensor_states=()), "sensors.defined") is CheckState.FAIL
    assert state_of(replace(WELL, sensor_states=("never",)), "sensors.heard") is CheckState.FAIL


def test_plain_http_is_well_on_the_machine_itself() -> None:
    assert state_of(replace(WELL, secure_cookies=False, local_only=True), "cookies.secure") is CheckState.OK
