"""A partner's open page is told its own notices, whole and at once, and their withdrawal; and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.partners.conftest import ADMIN, BODY, at_shop
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import long_quarter as quarter_fixture
from tests.serving import change_account, last_of, serving, signed_in

from anshang.desk.shop_feed import ShopFeed
from anshang.foundation import clock, ids
from anshang.partners import actions, store
from anshang.people.model import Role
from anshang.web.session import Runtime

HERE = f"?district={DISTRICT}"
app, quarter = app_fixture, quarter_fixture


@contextmanager
def listening(app: FastAPI, address: str, shop: str) -> Iterator[Iterator[tuple[str, dict[str, object]]]]:
    """The events of a shop's page but its beats; the first beat is past, so it hears what comes."""
    cookies = dict(at_shop(app, shop).cookies)
    with httpx.stream("GET", f"{address}/api/shop/live{HERE}", cookies=cookies, timeout=10) as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("event")) == "event: beat"

        def events() -> Iterator[tuple[str, dict[str, object]]]:
            name = ""
            for line in lines:
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: ") and name not in ("", "beat"):
                    yield name, json.loads(line.removeprefix("data: "))

        yield events()


def lookout() -> dict[str, object]:
    """A small child at the west end of the street: p0 is asked, p5 is not."""
    return {
        "id": ids.new_id(), "notice_id": ids.new_id(), "sort": "child", "age_band": "small",
        "seen_at": clock.now().isoformat(), "lon": 112.97008, "lat": 28.190225, "words_zh": "黄雨衣", "words_en": "Yellow coat",
    }  # fmt: skip


@pytest.mark.slow
def test_a_page_is_told_its_notice_and_its_withdrawal_and_that_it_was_shown_is_on_disk(app: FastAPI) -> None:
    with serving(app) as address:
        desk = signed_in(app, Role.DESK, DISTRICT)
        with listening(app, address, "p0") as near, listening(app, address, "p5") as far:
            body = lookout()
            page = desk.post(f"/api/lookouts{HERE}", json=body).json()
            name, told = next(near)
            assert (name, told["id"], told["partner_id"], told["words"]) == (
                "notice", body["notice_id"], "p0", {"zh": "黄雨衣", "en": "Yellow coat"},
            )  # fmt: skip
            rows = desk.get(f"/api/notices/{body['notice_id']}{HERE}").json()["deliveries"]
            opened = {row["partner_id"] for row in rows if row["opened_at"]}
            assert opened == {"p0"}, "the others have no page open"
            desk.post(f"/api/lookouts/{page['id']}/found{HERE}")
            assert next(near) == ("withdrawn", {"id": body["notice_id"]})
            assert next(far) == ("withdrawn", {"id": body["notice_id"]}), "the first that far hears: an id"


def test_a_page_is_for_a_registered_partner(app: FastAPI) -> None:
    body_id = ids.new_id()
    signed_in(app, Role.ADMIN, DISTRICT).post(
        "/api/bodies", json={"id": body_id, "name_zh": "甲", "name_en": "a"}
    )
    stranger = signed_in(app, Role.PARTNER, DISTRICT, body_id=body_id)
    assert stranger.get(f"/api/shop/live{HERE}").json()["error"] == "partner.none"
    assert signed_in(app, Role.DESK, DISTRICT).get(f"/api/shop/live{HERE}").status_code == 403


@pytest.mark.slow
def test_a_page_asks_anew_when_what_it_follows_was_interrupted(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows the notices once ended for good with the first unforeseen error."""
    feed = app.state.services[ShopFeed]
    whole, broken = feed._told, [True]

    def told(*words: object) -> object:
        if broken.pop() if broken else False:
            raise RuntimeError("unforeseen")
        return whole(*words)

    monkeypatch.setattr(feed, "_told", told)
    monkeypatch.setattr("anshang.foundation.items.PAUSE_S_MIN", 0.01)
    with serving(app) as address:
        desk = signed_in(app, Role.DESK, DISTRICT)
        with listening(app, address, "p0") as near:
            assert desk.post(f"/api/lookouts{HERE}", json=lookout()).status_code == 200
            assert next(near)[0] == "nudge"
            assert desk.post(f"/api/lookouts{HERE}", json=lookout() | {"insist": True}).status_code == 200
            assert next(near)[0] == "notice"


@pytest.mark.slow
@pytest.mark.parametrize("change", ["moved", "retired"])
def test_a_page_hears_nothing_more_once_its_partner_is_another_s_or_nobody_s(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The words of a look-out come from the vault: they are for whoever is the partner now."""
    monkeypatch.setattr("anshang.desk.shop_feed.BEAT_S", 0.5)
    desk = signed_in(app, Role.DESK, DISTRICT)
    with serving(app) as address, listening(app, address, "p0") as near:
        with app.state.services[Runtime].database.transaction(DISTRICT) as tx:
            known = store.partners.get(tx.connection, DISTRICT, "p0")
            if change == "moved":
                actions.enter(tx, actor=ADMIN, partner=replace(known, body_id=BODY["p4"]))
            else:
                actions.retire(tx, actor=ADMIN, id="p0")
        assert desk.post(f"/api/lookouts{HERE}", json=lookout()).status_code == 200
        assert [name for name, _ in near] == [], "and the stream has ended"


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"body_id": BODY["p4"]}, {"role": "wall", "body_id": None}, {"active": False}]
)
def test_a_page_ends_once_its_account_is_here_for_something_else(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    monkeypatch.setattr("anshang.desk.shop_feed.BEAT_S", 0.5)
    shop = at_shop(app, "p0")
    account_id = shop.get("/api/session").json()["account"]["id"]
    with serving(app) as address:
        path = f"{address}/api/shop/live{HERE}"
        with httpx.stream("GET", path, cookies=dict(shop.cookies), timeout=10) as stream:
            lines = stream.iter_lines()
            assert any(line == "event: beat" for line in lines)
            change_account(signed_in(app, Role.ADMIN, DISTRICT), account_id, **change)
            assert last_of(lines) == "", "the server ended it, between two events"
