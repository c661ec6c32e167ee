"""Two people do things at the same moment: nothing is lost, nothing happens twice, the journal stays whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.faults.conftest import signed_in_at
from tests.serving import open_account, serving

from anshang.crowds.model import CrowdKind
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.journal import actions as journal
from anshang.journal import store as journal_store
from anshang.journal.model import EVERYWHERE, Entry
from anshang.matters.model import MatterEvent
from anshang.people.model import Role

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
Pair = tuple[httpx.Client, httpx.Client]
CLOSING = {"outcome": "done", "version": 1}


@pytest.fixture
def pair(app: FastAPI, database: Database) -> Iterator[Pair]:
    """Two supervisors at two desks, over real sockets."""
    with serving(app) as address:
        first, second = (
            signed_in_at(address, open_account(database, Role.SUPERVISOR, DISTRICT)) for _ in range(2)
        )
        yield first, second
        first.close()
        second.close()


def both(pair: Pair, act: Callable[[httpx.Client], httpx.Response]) -> list[httpx.Response]:
    """Let both act at the same moment."""
    start = threading.Barrier(2)

    def one(client: httpx.Client) -> httpx.Response:
        start.wait(10)
        return act(client)

    with ThreadPoolExecutor(2) as desks:
        return list(desks.map(one, pair))


def entries(database: Database, kind: str, district: str = DISTRICT) -> list[Entry]:
    with database.reading([district]) as connection:
        return [
            entry for entry in journal_store.list_after(connection, district, 0, 5000) if entry.kind == kind
        ]


def assert_whole(database: Database) -> None:
    for district in (DISTRICT, EVERYWHERE):
        with database.reading([district]) as connection:
            assert journal.verify(connection, district) == []


def note(text: str = "x", id: str = "") -> dict[str, object]:
    return {"id": id or ids.new_id(), "kind": "note", "priority": 4, "text": text}


def test_two_who_judge_one_matter_lose_no_judgement(pair: Pair, database: Database) -> None:
    """Each reads, decides and writes with the version read; who was too late reads again."""
    told = note()
    pair[0].post("/api/matters", json=told)
    path, rounds = f"/api/matters/{told['id']}", 15
    stale: list[str] = []

    def judge(client: httpx.Client) -> None:
        done = 0
        while done < rounds:
            seen = client.get(path).json()
            wanted = {"priority": seen["priority"] % 4 + 1, "version": seen["version"]}
            answer = client.post(f"{path}/priority", json=wanted)
            assert answer.status_code in {200, 409}, answer.text
            if answer.status_code == 200:
                assert answer.json()["version"] == seen["version"] + 1
                done += 1
            else:
                stale.append(answer.json()["error"])

    with ThreadPoolExecutor(2) as desks:
        list(desks.map(judge, pair))
    now = pair[0].get(path).json()
    assert now["version"] == 1 + 2 * rounds
    assert now["priority"] == (4 + 2 * rounds - 1) % 4 + 1
    assert set(stale) <= {"matters.stale"}
    steps = [(e.details["from"], e.details["to"]) for e in entries(database, MatterEvent.REPRIORITISED)]
    assert len(steps) == 2 * rounds
    assert all(to == before % 4 + 1 for before, to in steps)
    assert [to for _, to in steps[:-1]] == [before for before, _ in steps[1:]]
    assert_whole(database)


def test_two_who_close_one_matter_from_one_page_settle_it_once(pair: Pair, database: Database) -> None:
    for _ in range(5):
        told = note()
        assert pair[0].post("/api/matters", json=told).status_code == 200
        answers = both(pair, lambda c, p=told["id"]: c.post(f"/api/matters/{p}/close", json=CLOSING))  # type: ignore[misc]
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        late = next(answer for answer in answers if answer.status_code == 409)
        assert set(late.json()["message"]) == {"en", "zh"}
    assert len(entries(database, MatterEvent.CLOSED)) == 5
    assert_whole(database)


def test_one_action_sent_twice_at_once_happens_once(pair: Pair, database: Database) -> None:
    """A client that got no answer sends again, sometimes while the first is still under way."""
    for _ in range(5):
        told = note()
        answers = both((pair[0], pair[0]), lambda client, told=told: client.post("/api/matters", json=told))  # type: ignore[misc]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json()["number"] == answers[1].json()["number"]
    assert len(entries(database, MatterEvent.OPENED)) == 5
    assert_whole(database)


def test_two_who_write_to_one_district_get_a_number_each(pair: Pair, database: Database) -> None:
    def write(client: httpx.Client) -> list[int]:
        return [client.post("/api/matters", json=note()).json()["number"] for _ in range(20)]

    with ThreadPoolExecutor(2) as desks:
        first, second = desks.map(write, pair)
    assert sorted(first + second) == list(range(1, 41))
    assert first == sorted(first)
    assert second == sorted(second)
    assert len(entries(database, MatterEvent.OPENED)) == 40
    assert_whole(database)


def test_two_who_change_one_sensor_lose_no_change(pair: Pair, database: Database) -> None:
    told = {"kind": "line", "gate_id": "g1", "name_zh": "东", "name_en": "east"}
    periods = {pair[0]: 20.0, pair[1]: 40.0}
    for version in range(1, 6):

        def change(client: httpx.Client, version: int = version) -> httpx.Response:
            wanted = told | {"period_s": periods[client] + version, "version": version}
            return client.put("/api/crowd/sensors/g1", json=wanted)

        answers = both(pair, change)
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (kept,) = [answer.json() for answer in answers if answer.status_code == 200]
        (sensor,) = [s for s in pair[0].get("/api/crowd/sensors").json() if s["id"] == "g1"]
        assert (sensor["version"], sensor["period_s"]) == (version + 1, kept["period_s"])
    assert len(entries(database, CrowdKind.SENSOR_DEFINED)) == 5
    assert_whole(database)
