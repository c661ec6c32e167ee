"""Who tries passwords is slowed down and slows nobody else down."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import PASSWORD, open_account, signed_in
from tests.web.conftest import app as app_fixture

from anshang.people.api import SIGN_INS, WAITING_MAX
from anshang.people.model import Role
from anshang.people.passwords import AT_A_TIME
from anshang.settings import Settings
from anshang.web.session import Runtime

app = app_fixture
TRIES = Settings().sign_in_tries_per_minute


def tried(app: FastAPI, name: str, address: str, password: str = "wrong") -> int:
    client = TestClient(app, client=(address, 50_000))
    return client.post("/api/session", json={"name": name, "password": password}).status_code


@pytest.mark.slow
def test_a_name_tried_from_many_places_is_held_back_but_not_where_its_owner_has_been(app: FastAPI) -> None:
    name = open_account(app.state.services[Runtime].database, Role.DESK, DISTRICT)
    assert tried(app, name, "192.0.2.1", PASSWORD) == 200
    many = [f"2001:db8:0:{n:x}::1" for n in range(TRIES * 5 + 5)]
    sent = [tried(app, name, address) for address in many]
    assert sent.count(401) == TRIES * 5 - 1 and set(sent[-5:]) == {429}
    assert tried(app, name, "198.51.100.1", PASSWORD) == 429, "from anywhere else it waits"
    assert tried(app, name, "192.0.2.1", PASSWORD) == 200, "at the kiosk it does not"
    other = open_account(app.state.services[Runtime].database, Role.DESK, DISTRICT)
    assert tried(app, other, many[0], PASSWORD) == 200


def test_addresses_of_one_ipv6_network_try_as_one(app: FastAPI) -> None:
    sent = [tried(app, "lin", f"2001:db8::{n}") for n in range(TRIES + 1)]
    assert sent == [401] * TRIES + [429]


@pytest.mark.slow
def test_sixty_sign_ins_at_once_take_neither_the_memory_nor_the_desk(app: FastAPI) -> None:
    """Two passwords are checked at a time, 64 MB each; who waits for that holds no thread."""
    desk = signed_in(app, Role.DESK, DISTRICT)
    cookie = {"Cookie": f"anshang_session={desk.cookies['anshang_session']}"}
    at_work: list[int] = []

    async def crowd() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=("192.0.2.9", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:

            def enter(number: int) -> asyncio.Task[httpx.Response]:
                words = {"name": f"somebody{number}", "password": "wrong"}
                return asyncio.create_task(client.post("/api/session", json=words))

            tries = [enter(number) for number in range(30)]
            async with asyncio.timeout(60):
                while SIGN_INS.statistics().tasks_waiting < WAITING_MAX:
                    await asyncio.sleep(0.001)
            tries += [enter(number) for number in range(30, 60)]
            counts = f"/api/matters/counts?district={DISTRICT}"
            assert (await client.get(counts, headers=cookie)).status_code == 200
            assert not all(one.done() for one in tries), "the desk is answered before them"
            while not all(one.done() for one in tries):
                at_work.append(SIGN_INS.statistics().borrowed_tokens)
                await asyncio.sleep(0.001)
            return await asyncio.gather(*tries)

    answers = asyncio.run(crowd())
    assert max(at_work) == AT_A_TIME
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.json()["error"] for answer in refused} == {"session.busy"}
    checked = [answer for answer in answers if answer.status_code == 401]
    assert len(checked) + len(refused) == 60
    assert len(checked) >= AT_A_TIME + WAITING_MAX
