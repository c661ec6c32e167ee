"""The partners of a demonstration: one at every door, up to a number, who answer through the public API.

Invented like everything of the night: most look and find nobody, a few are not sure, some are silent, and
one of those who are asked has seen whoever is looked for. The account that a visitor may try is left alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from anshang.demonstration.duty import LASTS, Crewed
from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database, Transaction
from anshang.journal.model import EVERYWHERE
from anshang.partners import actions as partners
from anshang.partners.model import Partner, Side
from anshang.people import actions as people
from anshang.people import store as people_store
from anshang.people.actions import PasswordHash
from anshang.people.model import Role, operator_actor
from anshang.places.model import Place, Premises

SHOPS_MAX = 200
ANSWER_MEDIAN_S, ANSWER_SPREAD = 60.0, 0.5
EVERY_S = 1.0
SILENT_SHARE, UNSURE_SHARE = 0.12, 0.06
SEEN_AFTER = timedelta(minutes=5)
"""When somebody has seen them, at the earliest."""
LOOKED = ["floor", "till"]
Ask = Callable[..., httpx.Response]


@dataclass(frozen=True, slots=True)
class _Planned:
    """When a partner answers, and what; None for one that stays silent."""

    at: datetime
    answer: str | None


def register(database: Database, place: Place, password: PasswordHash) -> dict[str, Crewed]:
    """Enter the partners; the session of each one's telephone, but for the one that waits for a visitor."""
    district_id = place.district.id
    operator = operator_actor(district_id)
    chosen = place.premises[:SHOPS_MAX]
    with database.transaction(EVERYWHERE) as tx:
        waiting = people_store.find_account_by_name(tx.connection, str(Role.PARTNER))
        phones = {one.id: _phone(tx, operator, district_id, one, password) for one in chosen[1:]}
    bodies = {id: phone.kind_id for id, phone in phones.items()}
    if waiting is not None and waiting.body_id is not None and chosen:
        bodies[chosen[0].id] = waiting.body_id
    with database.transaction(district_id) as tx:
        for premises in chosen:
            if premises.id in bodies:
                told = _partner(premises, district_id, bodies[premises.id])
                partners.enter(tx, actor=operator, partner=told)
    return phones


def _phone(
    tx: Transaction, operator: Actor, district_id: str, premises: Premises, password: PasswordHash
) -> Crewed:
    """A body and an account of its own for the premises; the session of its telephone."""
    body = people.register_body(
        tx,
        actor=operator,
        id=ids.new_id(),
        name_zh=premises.name_zh[:120],
        name_en=premises.name_en[:120],
    )
    account = people.open_account(
        tx,
        actor=operator,
        id=ids.new_id(),
        name=f"shop-{premises.id}"[:40],
        display_name=premises.name_zh[:80],
        role=Role.PARTNER,
        body_id=body.id,
        district_ids=(district_id,),
        password=password,
    )
    token, session = people.open_session(tx, account=account, lasts=LASTS)
    return Crewed("", body.id, premises.point_lonlat, token, session.csrf_token)


def _partner(premises: Premises, district_id: str, body_id: str) -> Partner:
    return Partner(
        id=premises.id,
        district_id=district_id,
        body_id=body_id,
        name_zh=premises.name_zh[:80],
        name_en=premises.name_en[:80],
        side=Side.SHOP,
        premises_id=premises.id,
        group_id=premises.zone_id or "",
    )


class Shops:
    """The telephones of the partners; asked to work by the team."""

    def __init__(self, phones: dict[str, Crewed], ask: Ask, chance: random.Random) -> None:
        self._phones = phones
        self._ask = ask
        self._chance = chance
        self._planned: dict[tuple[str, str], _Planned] = {}
        self._seen: set[str] = set()
        self._due_s = 0.0

    def work(self, now: datetime) -> None:
        """Answer what is due; looked at once a second of real time."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + EVERY_S
        for notice in self._ask("GET", "/api/notices").json():
            if notice["asks"] and notice["withdrawn_at"] is None:
                self._hear(notice, now)

    def _hear(self, notice: dict[str, Any], now: datetime) -> None:
        """Those who are asked and are due answer; one of them has seen whoever is looked for long enough."""
        page = self._ask("GET", f"/api/notices/{notice['id']}").json()
        asked = {one["partner_id"]: one["answer"] for one in page["deliveries"]}
        phones = sorted(asked.keys() & self._phones.keys())
        waiting = [id for id in phones if asked[id] is None]
        old = now - datetime.fromisoformat(notice["sent_at"]) >= SEEN_AFTER
        if notice["kind"] == "lookout" and old and phones and notice["id"] not in self._seen:
            self._seen.add(notice["id"])
            self._answer(notice, self._chance.choice(waiting or phones), "seen")
            return
        for partner_id in waiting:
            key = (notice["id"], partner_id)
            if key not in self._planned:
                self._planned[key] = self._plan(now)
            planned = self._planned[key]
            if planned.answer is not None and now >= planned.at:
                self._answer(notice, partner_id, planned.answer)

    def _answer(self, notice: dict[str, Any], partner_id: str, answer: str) -> None:
        phone = self._phones[partner_id]
        self._ask("GET", "/api/shop", phone)
        told = {"partner_id": partner_id, "answer": answer, "looked": LOOKED}
        self._ask("POST", f"/api/shop/notices/{notice['id']}", phone, json=told)

    def _plan(self, now: datetime) -> _Planned:
        at = now + timedelta(seconds=ANSWER_MEDIAN_S * self._chance.lognormvariate(0.0, ANSWER_SPREAD))
        chance = self._chance.random()
        if chance < SILENT_SHARE:
            return _Planned(at, None)
        return _Planned(at, "unsure" if chance < SILENT_SHARE + UNSURE_SHARE else "not_here")
