"""An instant that no calendar can compute with is refused wherever one is sent."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from tests.conftest import DISTRICT
from tests.serving import signed_in

import anshang
from anshang.drills.scenario import read_scenario
from anshang.foundation import ids
from anshang.foundation.errors import BadInput
from anshang.partners.push import Phone
from anshang.people.model import Role
from anshang.web.shapes import Instant

BEYOND = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T00:00:00Z",
)


@pytest.mark.parametrize("at", BEYOND)
def test_an_instant_at_the_ends_of_the_calendar_is_malformed(app: FastAPI, at: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_json(f'"{at}"')
    supervisor, patrol = (signed_in(app, role, DISTRICT) for role in (Role.SUPERVISOR, Role.PATROL))
    here = f"?district={DISTRICT}"
    position = {"at": at, "lon": 112.97, "lat": 28.19, "accuracy_m": 5.0}
    for answer in (
        supervisor.post(
            f"/api/incidents{here}", json={"id": ids.new_id(), "source": "phone", "called_at": at}
        ),
        supervisor.get(f"/api/board{here}&at={at.replace('+', '%2B')}"),
        supervisor.post(
            f"/api/matters/{ids.new_id()}/shelve{here}",
            json={"note_id": ids.new_id(), "until": at, "reason": "x"},
        ),
        patrol.post(f"/api/units/u1/positions{here}", json={"positions": [position]}),
    ):
        assert 400 <= answer.status_code < 500, answer.text


def test_no_route_takes_an_instant_that_is_not_checked() -> None:
    """Forty-six places took any: one type checks them all."""
    root = Path(anshang.__file__).parent
    taking = [
        path.name
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name) and node.id == "AwareDatetime"
    ]
    assert taking == ["shapes.py"]


def test_an_ordinary_instant_is_the_same_one_in_utc() -> None:
    told = TypeAdapter(Instant).validate_json('"2026-12-31T20:00:00+08:00"')
    assert told == datetime(2026, 12, 31, 12, tzinfo=UTC) and told.tzinfo == UTC


def test_a_scenario_that_is_nested_without_end_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match=r"scenario\.not_toml"):
        read_scenario("a = " + "[" * 50_000)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1\\.push.apple.com/x",
        "https://push.apple.com\\@127.0.0.1/x",
        "https://push.apple.com/a b",
        "https://push.apple.com/\n",
        "https://push。apple.com/x",
        "HTTPS://push.apple.com/x",
    ],
)
def test_an_address_that_two_readers_take_differently_is_no_push_service(endpoint: str) -> None:
    phone = Phone(ids.new_id(), DISTRICT, ids.new_id(), endpoint, datetime(2026, 12, 31, tzinfo=UTC))
    with pytest.raises(BadInput, match=r"push\.service"):
        phone.check(("push.apple.com",))
