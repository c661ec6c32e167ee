"""Background work: isolated by job, district and item, retried with pauses, and never silent."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from anshang.foundation.errors import StorageFailed
from anshang.foundation.items import Items, ItemsFailed, pause_s
from anshang.foundation.jobs import Job, JobReport, JobState, Progress, Supervised, Supervisor

HERE, THERE = "here", "there"


@dataclass
class Time:
    """Seconds that pass when the test says so."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def job(run: Callable[[str], object], name: str = "room.work", lane: str = "lane", **more: object) -> Job:
    return Job(name=name, run=run, every_s=1.0, lane=lane, en="The work", zh="工作", **more)  # type: ignore[arg-type]


def reports(supervisor: Supervisor) -> dict[tuple[str, str], JobReport]:
    return {(one.name, one.district_id): one for one in supervisor.report()}


def test_a_district_that_fails_keeps_no_other_and_no_other_job_back() -> None:
    done: list[tuple[str, str]] = []

    def work(district_id: str) -> None:
        if district_id == HERE:
            raise ValueError("secret of somebody")
        done.append(("work", district_id))

    time = Time()
    supervisor = Supervisor(
        [job(work), job(lambda id: done.append(("next", id)), "room.next")], lambda: [HERE, THERE], time
    )
    supervisor.run_due("lane")
    assert done == [("work", THERE), ("next", HERE), ("next", THERE)]
    failed = reports(supervisor)["room.work", HERE]
    assert (failed.failures, failed.reason, failed.last_ok_at) == (1, "ValueError", None)
    assert reports(supervisor)["room.work", THERE].state is JobState.OK


def test_a_job_of_a_district_that_is_gone_has_not_failed() -> None:
    """The district of a drill is removed while a job is at it."""
    gone: set[str] = set()

    def work(district_id: str) -> None:
        raise ValueError

    supervisor = Supervisor([job(work)], lambda: [HERE, THERE], Time(), is_gone=lambda id: id in gone)
    gone.add(HERE)
    supervisor.run_due("lane")
    told = reports(supervisor)
    assert (told["room.work", HERE].failures, told["room.work", THERE].failures) == (0, 1)


def test_a_job_that_fails_when_nobody_can_say_whether_its_district_is_gone_has_failed() -> None:
    def broken(district_id: str) -> bool:
        raise StorageFailed

    supervisor = Supervisor([job(broken)], lambda: [HERE], Time(), is_gone=broken)
    supervisor.run_due("lane")
    assert reports(supervisor)["room.work", HERE].failures == 1


def test_what_fails_is_tried_again_ever_more_slowly_and_comes_back() -> None:
    tries: list[float] = []
    broken = True
    time = Time()

    def work(_: str) -> None:
        tries.append(time.now_s)
        if broken:
            raise StorageFailed("storage.failed", en="The disk is full.", zh="磁盘已满。")

    supervisor = Supervisor([job(work)], lambda: [HERE], time)
    while time.now_s < 40:
        supervisor.run_due("lane")
        time.now_s += 0.5
    gaps = [later - before for before, later in itertools.pairwise(tries)]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (2.0, 10.0)
    report = reports(supervisor)["room.work", HERE]
    assert (report.state, report.reason) == (JobState.STOPPED, "The disk is full.")
    assert [one.name for one in supervisor.troubles(HERE)] == ["room.work"]
    broken = False
    time.now_s += 10
    supervisor.run_due("lane")
    assert reports(supervisor)["room.work", HERE].state is JobState.OK
    assert supervisor.troubles(HERE) == []
    before = len(tries)
    time.now_s += 1
    supervisor.run_due("lane")
    assert len(tries) == before + 1


def test_a_job_that_hangs_or_was_never_begun_is_overdue_after_three_periods() -> None:
    time = Time()
    supervisor = Supervisor([job(lambda _: None, first_s=5.0)], lambda: [HERE], time)
    assert reports(supervisor)["room.work", HERE].state is JobState.OK
    time.now_s = 9.9
    assert reports(supervisor)["room.work", HERE].state is JobState.OK
    time.now_s = 10.1
    assert reports(supervisor)["room.work", HERE].state is JobState.STOPPED


def test_a_district_that_is_gone_is_reported_no_more() -> None:
    time, districts = Time(), [HERE, THERE]
    supervisor = Supervisor([job(lambda _: None)], lambda: districts, time)
    supervisor.run_due("lane")
    districts.remove(THERE)
    time.now_s = 100
    supervisor.run_due("lane")
    assert [(one.district_id, one.state) for one in supervisor.report()] == [(HERE, JobState.OK)]


def test_a_commit_brings_what_waits_for_it_forward_but_not_what_fails() -> None:
    runs: list[str] = []
    time = Time()

    def work(district_id: str) -> None:
        runs.append(district_id)
        if district_id == THERE:
            raise ValueError

    supervisor = Supervisor([job(work, on_commit=True)], lambda: [HERE, THERE], time)
    supervisor.run_due("lane")
    time.now_s = 0.1
    supervisor.committed(HERE)
    supervisor.committed(THERE)
    supervisor.run_due("lane")
    assert runs == [HERE, THERE, HERE]


def test_a_lane_never_waits_for_another() -> None:
    held, ran = threading.Event(), threading.Event()
    supervisor = Supervisor(
        [
            job(lambda _: held.wait(20), "forecasts.follow", "forecast"),
            job(lambda _: ran.set(), "dispatch.ladder", "ladder"),
        ],
        lambda: [HERE],
    )
    supervisor.start()
    try:
        assert ran.wait(10)
    finally:
        held.set()
        supervisor.stop()


def test_a_bad_item_keeps_no_other_back_and_waits_longer_each_time() -> None:
    time = Time()
    items, done = Items(1.0, time), list[str]()

    def bad() -> None:
        done.append("bad")
        raise ValueError

    def round_() -> None:
        with pytest.raises(ItemsFailed) as caught:
            items.each(HERE, [("bad", bad), ("good", lambda: done.append("good"))])
        assert (caught.value.count, type(caught.value.first)) == (1, ValueError)

    round_()
    assert done == ["bad", "good"]
    time.now_s = 1.0
    round_()
    assert done == ["bad", "good", "good"]
    time.now_s = 2.0
    round_()
    assert done[-2:] == ["bad", "good"]
    time.now_s = 5.9  # the pause doubles
    round_()
    assert done[-1:] == ["good"] and done.count("bad") == 2
    items.each(HERE, [("good", lambda: None)])  # the bad one is gone, and forgotten


def test_a_job_of_which_only_an_item_fails_has_run_and_says_so() -> None:
    time, items = Time(), Items()

    def fail() -> None:
        raise ValueError

    supervisor = Supervisor([job(lambda id: items.each(id, [("one", fail)]))], lambda: [HERE], time)
    for _ in range(20):
        supervisor.run_due("lane")
        time.now_s += 1
    (report,) = supervisor.report()
    assert (report.state, report.failing_items, report.failures) == (JobState.PARTIAL, 1, 0)
    assert [one.name for one in supervisor.troubles(HERE)] == ["room.work"]


def test_pauses_are_never_over_ten_periods_nor_a_minute() -> None:
    assert [pause_s(n, 1.0) for n in (1, 2, 3, 4, 99)] == [2.0, 4.0, 8.0, 10.0, 10.0]
    assert pause_s(99, 3600.0) == 60.0
    assert pause_s(1, 0.01) == 2.0


async def test_a_task_begins_again_whatever_ended_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anshang.foundation.items.PAUSE_S_MIN", 0.001)
    begun = 0
    again = asyncio.Event()
    supervisor = Supervisor([], list)

    async def work(got_on: Progress) -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise TimeoutError  # a pool that is exhausted raises what no driver does
        if begun == 2:
            return
        got_on()
        again.set()
        await asyncio.sleep(60)

    stream = Supervised(name="live.stream", every_s=0.001, en="News", zh="消息")
    task = asyncio.create_task(supervisor.keep(stream, work))
    await asyncio.wait_for(again.wait(), 10)
    (report,) = supervisor.report()
    assert (begun, report.state, report.failures) == (3, JobState.OK, 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert supervisor.report() == []


@pytest.mark.parametrize(
    ("error", "traced"),
    [(StorageFailed("storage.away", en="away", zh="不可用"), False), (ValueError("x"), True)],
)
def test_a_refusal_costs_the_log_a_line_and_only_a_fault_of_ours_its_trace(
    error: Exception, traced: bool
) -> None:
    """A database that was away for a minute once left hundreds of traces."""
    time = Time()

    def fail(_: str) -> None:
        raise error

    supervisor = Supervisor([job(fail)], lambda: [HERE], time)
    with capture_logs() as logs:
        for second in range(60):
            time.now_s = float(second)
            supervisor.run_due("lane")
        with suppress(ItemsFailed):
            Items(1.0, time).each(HERE, [("item", lambda: fail(HERE))])
    assert {one["event"] for one in logs} == {"job.failed", "item.failed"}
    assert all(("exc_info" in one) is traced for one in logs)
    assert len(logs) < 12, "each pause is longer than the one before"
