"""The live stream: nothing missed, nothing twice, and state that is always whole."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path

import httpx
import pytest
from tests.conftest import DISTRICT
from tests.serving import change_account, last_of, serving, signed_in

from anshang.app import create_app
from anshang.foundation.database import Database
from anshang.foundation.errors import StorageAway
from anshang.foundation.items import ItemsFailed
from anshang.foundation.jobs import JobReport, JobState
from anshang.journal import actions as journal
from anshang.journal.model import Entry
from anshang.people.model import Role
from anshang.settings import Settings
from anshang.web import live
from anshang.web.live import Hub
from anshang.web.session import Runtime


class Kind(StrEnum):
    LAMP_LIT = "lamp.lit"


def record(database: Database, count: int = 1, district: str = DISTRICT) -> list[int]:
    made = []
    for _ in range(count):
        with database.transaction(district) as tx:
            made.append(journal.record(tx, actor_id="a", kind=Kind.LAMP_LIT, subject_id="lamp").seq)
    return made


def events(chunk: bytes) -> list[tuple[str, dict[str, object]]]:
    """The named events of a chunk."""
    found = []
    for block in chunk.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def take(stream: AsyncIterator[bytes], count: int, name: str = "entry") -> list[dict[str, object]]:
    """The next `count` events of the name."""
    found: list[dict[str, object]] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            found += [told for kind, told in events(await anext(stream)) if kind == name]
    return found


@pytest.fixture
def hub(database: Database) -> Hub:
    hub = Hub(database)
    database.on_commit.append(hub.wake)
    return hub


async def test_a_district_that_nobody_watches_any_more_is_not_read(database: Database, hub: Hub) -> None:
    """Else every drill that was watched would cost a look at the journal each second until the restart."""
    running = asyncio.create_task(hub.run())
    one, other = hub.stream(DISTRICT, None), hub.stream(DISTRICT, None)
    await take(one, 1, "beat")
    await take(other, 1, "beat")
    await one.aclose()
    (seq,) = record(database)
    assert (await take(other, 1))[0]["seq"] == seq
    await other.aclose()
    assert hub._channels == {}
    (missed,) = record(database)
    again = hub.stream(DISTRICT, seq)
    assert (await take(again, 1))[0]["seq"] == missed
    (later,) = record(database)
    assert (await take(again, 1))[0]["seq"] == later
    await again.aclose()
    hub.stop()
    await running


async def test_a_stream_that_resumes_misses_nothing_and_repeats_nothing(database: Database, hub: Hub) -> None:
    running = asyncio.create_task(hub.run())
    stream = hub.stream(DISTRICT, None)
    await take(stream, 1, "beat")
    writer = threading.Thread(target=record, args=(database, 60))
    writer.start()
    seen = [int(str(told["seq"])) for told in await take(stream, 20)]
    await stream.aclose()  # cut in the middle of the writing
    again = hub.stream(DISTRICT, seen[-1])
    seen += [int(str(told["seq"])) for told in await take(again, 60 - len(seen))]
    writer.join()
    assert seen == sorted(set(seen))
    assert len(seen) == 60
    await again.aclose()
    running.cancel()


async def test_a_commit_of_another_program_is_told_too(database: Database, hub: Hub) -> None:
    running = asyncio.create_task(hub.run())
    stream = hub.stream(DISTRICT, 0)
    await take(stream, 1, "beat")
    other = Database(database.url)
    made = await asyncio.to_thread(record, other)
    assert [told["seq"] for told in await take(stream, 1)] == made
    other.dispose()
    running.cancel()


async def test_a_stream_hears_nothing_of_another_district(database: Database, hub: Hub) -> None:
    running = asyncio.create_task(hub.run())
    stream = hub.stream(DISTRICT, 0)
    await take(stream, 1, "beat")
    await asyncio.to_thread(record, database, 1, "elsewhere")
    mine = await asyncio.to_thread(record, database)
    assert [told["seq"] for told in await take(stream, 1)] == mine
    running.cancel()


@pytest.mark.parametrize("since", [10**9, 1])
async def test_a_stream_from_too_far_away_is_told_to_begin_anew(
    database: Database, hub: Hub, since: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REPLAY_MAX", 3)
    await asyncio.to_thread(record, database, 6)
    stream = hub.stream(DISTRICT, since)
    assert await take(stream, 1, "reset") == [{}]


async def test_a_new_stream_begins_with_a_full_frame(database: Database, hub: Hub) -> None:
    hub.offer_frames_of(DISTRICT, lambda: b'{"full": true}')
    stream = hub.stream(DISTRICT, None)
    assert await take(stream, 1, "frame") == [{"full": True}]


async def test_a_client_that_cannot_follow_is_given_a_full_frame(database: Database, hub: Hub) -> None:
    running = asyncio.create_task(hub.run())
    hub.offer_frames_of(DISTRICT, lambda: b'{"full": true}')
    stream = hub.stream(DISTRICT, None)
    await take(stream, 1, "frame")
    pending = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)
    for number in range(live.BACKLOG_MAX + 2):
        hub._spread(DISTRICT, live.shown_frame(json.dumps({"n": number}).encode()))
    told = events(await pending)
    assert [name for name, _ in told] == ["reset", "frame"]
    assert told[1][1] == {"full": True}
    running.cancel()


async def test_a_journal_that_cannot_be_read_for_a_while_is_followed_again(
    database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exhausted pool raises what no driver does: it once ended the stream of all districts for good."""
    monkeypatch.setattr("anshang.foundation.items.PAUSE_S_MIN", 0.01)
    reports: list[ItemsFailed | None] = []
    failures = [TimeoutError(), ValueError("an entry nobody can encode")]
    whole = hub._after

    def after(district_id: str, seq: int) -> list[Entry]:
        if district_id == DISTRICT and failures:
            raise failures.pop()
        return whole(district_id, seq)

    monkeypatch.setattr(hub, "_after", after)
    task = asyncio.create_task(hub.run(lambda error=None: reports.append(error)))
    stream, other = hub.stream(DISTRICT, None), hub.stream("elsewhere", None)
    await take(stream, 1, "beat")
    await take(other, 1, "beat")
    record(database)
    record(database, district="elsewhere")
    assert len(await take(other, 1)) == 1
    assert len(await take(stream, 1)) == 1
    assert [error.count for error in reports if error is not None] == [1] * len(
        [error for error in reports if error is not None]
    )
    assert any(reports)
    task.cancel()


async def test_a_beat_says_what_stands_still(database: Database, hub: Hub) -> None:
    report = JobReport(
        "dispatch.ladder", DISTRICT, JobState.STOPPED, True, None, 3, 0, "KeyError", "Ladder", "阶梯"
    )
    hub.tell_troubles(lambda district_id: [report] if district_id == DISTRICT else [])
    (beat,) = await take(hub.stream(DISTRICT, None), 1, "beat")
    assert beat["troubles"] == [{"name": "dispatch.ladder", "stopped": True, "en": "Ladder", "zh": "阶梯"}]
    (other,) = await take(hub.stream("elsewhere", None), 1, "beat")
    assert "troubles" not in other


async def test_a_stopping_server_ends_its_streams(database: Database, hub: Hub) -> None:
    stream = hub.stream(DISTRICT, None)
    await take(stream, 1, "beat")
    hub.stop()
    with pytest.raises(StopAsyncIteration):
        async with asyncio.timeout(5):
            await anext(stream)


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["signed out", "account closed", "role changed"])
@pytest.mark.parametrize(
    ("path", "role", "other"),
    [("/api/live", Role.DESK, "volunteer"), ("/api/field/live", Role.PATROL, "wall")],
)
def test_a_stream_ends_with_the_right_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, role: Role, other: str, ends: str
) -> None:
    monkeypatch.setattr(live, "BEAT_S", 0.1)
    app = create_app(Settings(data_folder=tmp_path))
    database: Database = app.state.services[Runtime].database
    held = signed_in(app, role, DISTRICT)
    with serving(app) as address:
        path = f"{address}{path}?district={DISTRICT}"
        with httpx.stream("GET", path, cookies=dict(held.cookies), timeout=10) as stream:
            lines = stream.iter_lines()
            assert any(line == "event: beat" for line in lines)
            if ends == "signed out":
                assert held.delete("/api/session").is_success
            else:
                account_id = held.get("/api/session").json()["account"]["id"]
                changed = {"active": False} if ends == "account closed" else {"role": other}
                change_account(signed_in(app, Role.ADMIN, DISTRICT), account_id, **changed)
            assert last_of(lines) == "", "the server ended it, between two events"
    database.dispose()


async def test_an_exhausted_pool_is_waited_for_and_nothing_is_missed(
    database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when every connection is taken by long questions, not as somebody writes that it would be."""
    monkeypatch.setattr("anshang.foundation.items.PAUSE_S_MIN", 0.01)
    monkeypatch.setattr(database._reading.pool, "_timeout", 0.01)
    failed: list[ItemsFailed] = []
    task = asyncio.create_task(hub.run(lambda error=None: failed.append(error) if error else None))
    stream = hub.stream(DISTRICT, None)
    await take(stream, 1, "beat")
    used, most = database.pool_use()["reading"]
    held = [database._reading.connect() for _ in range(most - used)]
    record(database)
    async with asyncio.timeout(10):
        while not failed:
            await asyncio.sleep(0.01)
    for connection in held:
        connection.close()
    assert len(await take(stream, 1)) == 1
    assert isinstance(failed[0].first, StorageAway)
    task.cancel()
