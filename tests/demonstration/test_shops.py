"""The demonstration's partners: they answer, and one of them has seen whoever is looked for."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.lookouts.test_lookouts import HERE, desk, opened
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import at_shop
from tests.partners.conftest import quarter as quarter_fixture

from anshang.demonstration import shops
from anshang.demonstration.shops import SEEN_AFTER, Shops
from anshang.foundation import clock

__all__ = ["desk"]
MoveOn = Callable[[timedelta], None]
app, quarter = app_fixture, quarter_fixture


@pytest.mark.parametrize("seed", range(3))
def test_whoever_is_looked_for_is_seen_from_the_sixth_minute_on_and_once(
    app: FastAPI, desk: TestClient, night: MoveOn, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(shops, "EVERY_S", 0.0)
    phones = {f"p{number}": at_shop(app, f"p{number}") for number in range(6)}

    def ask(method: str, path: str, phone: Any = desk, **told: Any) -> httpx.Response:
        answer = phone.request(method, f"{path}{HERE}", **told)
        assert answer.is_success, answer.text
        return answer  # type: ignore[no-any-return]

    partners = Shops(phones, ask, random.Random(seed))  # type: ignore[arg-type]
    page = opened(desk)
    seen: list[int] = []
    for _ in range(16):
        partners.work(clock.now())
        seen.append(len(desk.get(f"/api/lookouts/{page['id']}{HERE}").json()["seen"]))
        night(timedelta(minutes=1))
    minute = SEEN_AFTER // timedelta(minutes=1)
    assert seen == [0] * minute + [1] * (16 - minute)
    (matter,) = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert desk.get(f"/api/notices/{page['notice_id']}{HERE}").json()["tally"]["answers"]["not_here"] >= 1
    assert matter["priority"] == 1
