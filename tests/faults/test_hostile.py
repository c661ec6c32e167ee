"""Whatever is sent, the answer is never a fault of ours, and what was good in it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from tests.serving import feed_client, signed_in

import anshang
from anshang.crowds import store as sensors
from anshang.crowds.model import Sensor, SensorKind
from anshang.foundation import clock, ids
from anshang.people.model import Role
from anshang.web.session import Runtime

ELSEWHERE = "elsewhere"
HALF = "\ud800"
"""Half of a surrogate pair: legal in JSON, no text in any encoding."""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def feed(app: FastAPI) -> TestClient:
    """A feed of the district; another district has the line counter `far`."""
    with app.state.services[Runtime].database.transaction(ELSEWHERE) as tx:
        far = Sensor("far", ELSEWHERE, SensorKind.LINE, "g0", None, "far", "far", 10.0)
        sensors.sensors.add(tx, far)
    return feed_client(app, DISTRICT)


def send(feed: TestClient, body: bytes) -> Any:
    return feed.post(f"/api/observations?district={DISTRICT}", content=body, headers=JSON)


class Instants:
    """Instants that no row has used yet."""

    def __init__(self) -> None:
        self._next_at = clock.now() - timedelta(hours=6)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self._next_at += timedelta(milliseconds=1)
        return self._next_at.isoformat()


def good(at: str) -> str:
    return json.dumps({"sensor": "g0", "at": at, "in": 3, "out": 1})


AT = "2026-01-01T00:00:00Z"
BAD = [
    (f'{{"sensor":"g0","at":"{AT}","in":NaN,"out":1}}', "count.malformed"),
    (f'{{"sensor":"g0","at":"{AT}","in":Infinity,"out":1}}', "count.malformed"),
    (f'{{"sensor":"g0","at":"{AT}","in":1e308,"out":1}}', "count.malformed"),
    (f'{{"sensor":"g0","at":"{AT}","in":1e999,"out":1}}', "count.malformed"),
    (f'{{"sensor":"g0","at":"{AT}","in":{"9" * 90},"out":1}}', "count.impossible"),
    (f'{{"sensor":"g0","at":"{AT}","in":{"9" * 5000},"out":1}}', "count.malformed"),
    (f'{{"sensor":"g0","at":"{AT}","in":-1,"out":1}}', "count.impossible"),
    (f'{{"sensor":"g0","at":"{AT}","in":true,"out":false}}', "count.malformed"),
    (f'{{"sensor":"g0","at":"{AT}","in":{{"a":[1]}},"out":1}}', "count.malformed"),
    (f'{{"sensor":"g0","at":"{AT}","in":"\\ud800","out":1}}', "count.malformed"),
    (f'{{"sensor":"g0","at":"{AT}","in":1,"out":1,"in":-5}}', "count.impossible"),
    (f'{{"sensor":"g0","sensor":"far","at":"{AT}","in":1,"out":1}}', "sensor.unknown"),
    (f'{{"sensor":"far","at":"{AT}","in":1,"out":1}}', "sensor.unknown"),
    (f'{{"sensor":"g0\\u0000","at":"{AT}","in":1,"out":1}}', "sensor.unknown"),
    (f'{{"sensor":"\\ud800","at":"{AT}","in":1,"out":1}}', "sensor.unknown"),
    (f'{{"sensor":{"9" * 5000},"at":"{AT}","in":1,"out":1}}', "row.malformed"),
    ('{"sensor":"g0","at":"\\ud800","in":1,"out":1}', "at.malformed"),
    ('{"sensor":"g0","at":"2026-01-01T00:00:00\\u0000Z","in":1,"out":1}', "at.malformed"),
    ('{"sensor":"g0","at":"1970-01-01T00:00:00Z","in":1,"out":1}', "at.too_old"),
    ('{"sensor":"g0","at":"2099-01-01T00:00:00Z","in":1,"out":1}', "at.future"),
    ('{"sensor":"g0","at":"9999-12-31T23:59:59-14:00","in":1,"out":1}', "at.malformed"),
    ('{"\\ud800":1}', "row.malformed"),
    ("[" * 400 + "]" * 400, "row.malformed"),
]  # fmt: skip


@pytest.mark.postgres
def test_every_kind_of_bad_row_is_named_and_the_good_rows_beside_it_are_taken(feed: TestClient) -> None:
    instants = Instants()
    for bad, error in BAD:
        body = f'{{"observations":[{good(next(instants))},{bad},{good(next(instants))}]}}'
        answer = send(feed, body.encode())
        assert answer.status_code == 200, (bad[:80], answer.text)
        receipt = answer.json()
        assert (receipt["taken"], receipt["refused_count"]) == (2, 1), bad[:80]
        assert [(remark["row"], remark["error"]) for remark in receipt["refused"]] == [(1, error)], bad[:80]
        assert set(receipt["refused"][0]["message"]) == {"en", "zh"}


def test_a_row_in_bytes_that_are_no_text_is_refused_with_its_batch(feed: TestClient) -> None:
    (at,) = [next(Instants())]
    for body in (
        b'{"observations":[' + good(at).encode() + b',{"sensor":"\xff"}]}',
        b'{"observations":[' + good(at).encode() + b",",
        ('{"observations":[' + good(at) + "]}").encode()[:-1],
    ):
        answer = send(feed, body)
        assert (answer.status_code, answer.json()["error"]) == (400, "batch.malformed")
        assert set(answer.json()["message"]) == {"en", "zh"}
    again = send(feed, f'{{"observations":[{good(at)}]}}'.encode())
    assert again.json()["taken"] == 1  # nothing of the broken batches was kept


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = {
    "sensor": st.sampled_from(["g0", "far", "nobody", HALF]) | VALUES,
    "at": st.sampled_from([AT, "1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]) | VALUES,
    "in": st.integers(-2, 5) | VALUES,
    "out": st.integers(-2, 5) | VALUES,
}
ROWS = st.fixed_dictionaries(FIELDS, optional={"people": VALUES, "more": VALUES}) | VALUES


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(rows=st.lists(ROWS, min_size=1, max_size=6))
@example(rows=[{"sensor": "g0", "at": AT, "in": HALF, "out": 1}])
def test_any_rows_at_all_are_answered_one_by_one(feed: TestClient, rows: list[Any]) -> None:
    """Each row is taken, repeated or refused, and the good row among them is in."""
    told = [json.loads(good(next(_shared))), *rows]
    answer = send(feed, json.dumps({"observations": told}).encode())
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert receipt["taken"] + receipt["repeated"] + receipt["refused_count"] == len(told)
    assert receipt["taken"] >= 1
    assert 0 not in {remark["row"] for remark in receipt["refused"]}


_shared = iter(Instants())


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(body=st.binary(max_size=200) | VALUES.map(lambda told: json.dumps(told).encode()))
def test_any_bytes_at_all_are_refused_in_words(feed: TestClient, body: bytes) -> None:
    answer = send(feed, body)
    assert (answer.status_code, answer.json()["error"]) == (400, "batch.malformed")


HISTORY = f"/api/crowd/zones/z1/history?district={DISTRICT}"


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("0001-01-01T00:00:00%2B14:00", "0001-01-01T01:00:00%2B14:00"),
        ("9999-12-31T22:00:00-14:00", "9999-12-31T23:00:00-14:00"),
    ],
)
def test_a_history_from_beyond_the_calendar_is_a_bad_request(app: FastAPI, begins: str, ends: str) -> None:
    answer = signed_in(app, Role.DESK, DISTRICT).get(f"{HISTORY}&from={begins}&to={ends}")
    assert (answer.status_code, answer.json()["error"]) == (400, "history.no_such_time")


@pytest.mark.postgres
def test_an_id_of_another_district_is_refused_and_shows_nothing_of_it(app: FastAPI) -> None:
    """Ids are minted by clients; the same one may come from a mistake or from somebody who probes."""
    supervisor = signed_in(app, Role.SUPERVISOR, DISTRICT, ELSEWHERE)
    admin = signed_in(app, Role.ADMIN, DISTRICT, ELSEWHERE)
    id = ids.new_id()
    for client, path, told in (
        (supervisor, "/api/matters", {"id": id, "kind": "note", "priority": 4, "text": "secret"}),
        (admin, "/api/feeds", {"id": id, "name": "secret"}),
    ):
        assert client.post(f"{path}?district={DISTRICT}", json=told).status_code == 200
        answer = client.post(f"{path}?district={ELSEWHERE}", json=told)
        assert answer.status_code == 409, answer.text
        assert answer.json()["error"].endswith(".taken")
        assert "secret" not in answer.text
    assert supervisor.get(f"/api/matters?district={ELSEWHERE}").json()["matters"] == []


def test_half_a_set_of_level_rules_is_refused_and_changes_nothing(app: FastAPI) -> None:
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    path = f"/api/crowd/levels?district={DISTRICT}"
    rules = {"applies_to": "z1", "edition": "", "rises": [1.0, 2.0, 3.0, 4.0], "falls": [0.5, 1.5, 2.5, 3.5]}
    assert admin.put(path, json=rules).status_code == 204
    before = admin.get(path).json()
    for half in ("rises", "falls"):
        answer = admin.put(path, json={"applies_to": "z1", "edition": "", half: rules[half]})
        assert (answer.status_code, answer.json()["error"]) == (400, "levels.half")
    assert admin.get(path).json() == before


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 100_000, b'{"id":"\xff"}', b"{"])
def test_a_body_that_cannot_be_read_is_refused_in_words(app: FastAPI, body: bytes) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    answer = desk.post(f"/api/matters?district={DISTRICT}", content=body, headers=JSON)
    assert answer.status_code in {400, 422}
    assert answer.json()["error"] in {"request.unreadable", "request.malformed"}


def test_a_place_with_a_character_that_is_no_text_is_refused(app: FastAPI) -> None:
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    for at in ("name", "id"):
        document = json.loads(row_of_zones())
        feature = document["features"][0]
        if at == "name":
            feature["properties"]["name"] = {"zh": HALF, "en": "x"}
        else:
            feature["id"] = HALF
        answer = admin.put(f"/api/place?district={DISTRICT}", content=json.dumps(document).encode())
        assert (answer.status_code, answer.json()["error"]) == (400, "place.malformed")


@pytest.mark.skipif(
    not (Path(anshang.__file__).parent / "static" / "index.html").is_file(), reason="the console is not built"
)
@pytest.mark.parametrize(
    "path", ["/%00", f"/{'a' * 5000}", "/..%2f..%2fapp.py", "/assets/%00", f"/assets/{'a' * 5000}"]
)
def test_an_address_that_no_file_can_have_is_the_console_s_own(app: FastAPI, path: str) -> None:
    answer = TestClient(app, raise_server_exceptions=False).get(path)
    assert answer.status_code == (404 if path.startswith("/assets") else 200)
    assert "create_app" not in answer.text
