"""Partners, their duties, and what becomes of a notice at each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT, NIGHT, Make
from tests.partners.conftest import ADMIN, BODY, LAT, LON, SHOPS, at_shop, partner, shopkeeper
from tests.serving import signed_in

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, RuleBroken, StaleVersion
from anshang.incidents.outsiders import OF_OUTSIDERS
from anshang.journal import store as journal
from anshang.partners import actions, store
from anshang.partners.model import (
    Addressed,
    Answer,
    Looked,
    NoticeKind,
    PartnerEvent,
    Premised,
    addressed,
)
from anshang.people.model import Role, engine_actor
from anshang.vault.keys import Keyring

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
HERE = f"?district={DISTRICT}"


def act(database: Database, verb: Callable[..., Any], **told: Any) -> Any:
    with database.transaction(DISTRICT) as tx:
        return verb(tx, **told)


def sent(database: Database, make: Make, *shops: str, **changes: Any) -> str:
    told: dict[str, Any] = {
        "kind": NoticeKind.REQUEST, "words_zh": "请关门迎客", "words_en": "Please keep a door open", "asks": True,
    }  # fmt: skip
    id = ids.new_id()
    act(database, actions.send, actor=make.actor(), id=id, partner_ids=shops or SHOPS, **{**told, **changes})
    return id


def deliveries(database: Database, id: str) -> dict[str, Any]:
    with database.reading([DISTRICT]) as connection:
        return {one.partner_id: one for one in store.list_deliveries(connection, DISTRICT, [id])}


def kinds(database: Database, noun: str) -> list[str]:
    with database.reading([DISTRICT]) as connection:
        return [e.kind for e in journal.list_after(connection, DISTRICT, 0) if e.kind.startswith(noun)]


def test_a_partner_is_entered_changed_and_retired(quarter: Database) -> None:
    assert act(quarter, actions.enter, actor=ADMIN, partner=partner("p0")).version == 1
    changed = act(quarter, actions.enter, actor=ADMIN, partner=partner("p0", group_id="west"))
    assert (changed.group_id, changed.version) == ("west", 2)
    with pytest.raises(StaleVersion):
        act(quarter, actions.enter, actor=ADMIN, partner=partner("p0", group_id="east"))
    for _ in range(2):
        assert act(quarter, actions.retire, actor=ADMIN, id="p0").retired_at is not None
    with quarter.reading([DISTRICT]) as connection:
        assert [one.id for one in store.list_partners(connection, ADMIN.scope, DISTRICT)] == list(SHOPS[1:])
    assert kinds(quarter, "partner")[6:] == [PartnerEvent.CHANGED, PartnerEvent.RETIRED]


def test_a_partner_of_nowhere_or_of_nobody_is_refused(quarter: Database, make: Make) -> None:
    for wrong in (partner("p0", premises_id="nowhere"), replace(partner("p0"), body_id=ids.new_id())):
        with pytest.raises(NotFound):
            act(quarter, actions.enter, actor=ADMIN, partner=wrong)
    for role in (Role.DESK, Role.PATROL, Role.PARTNER):
        with pytest.raises(NotAllowed):
            act(quarter, actions.enter, actor=make.actor(role), partner=partner("p0", group_id="x"))


def test_whom_a_notice_is_for() -> None:
    known = [partner("p0", group_id="west"), partner("p1", group_id="west"), partner("p2")]
    where = {
        "p0": Premised("z0", "shop", 20.0),
        "p1": Premised("z0", "food", 90.0),
        "p2": Premised("z1", "shop"),
    }
    for told, ids_ in (
        (Addressed(), ["p0", "p1", "p2"]),
        (Addressed(zone_ids=("z0",)), ["p0", "p1"]),
        (Addressed(zone_ids=("z0",), trades=("food",)), ["p1"]),
        (Addressed(group_ids=("west",), within_m=50.0), ["p0"]),
        (Addressed(within_m=1e6), ["p0", "p1"]),
    ):
        assert addressed(told, known, where) == ids_


def test_a_notice_goes_out_once_to_each_and_widens(quarter: Database, make: Make, night: MoveOn) -> None:
    id = sent(quarter, make, "p0", "p1", "nobody")
    assert act(quarter, actions.widen, actor=make.actor(), id=id, partner_ids=["p1", "p2"]) == 1
    assert act(quarter, actions.widen, actor=make.actor(), id=id, partner_ids=["p1", "p2"]) == 0
    assert list(deliveries(quarter, id)) == ["p0", "p1", "p2"]
    assert kinds(quarter, "notice") == [PartnerEvent.SENT, PartnerEvent.WIDENED]
    night(timedelta(hours=7))
    with pytest.raises(RuleBroken, match=r"notice\.over"):
        act(quarter, actions.widen, actor=make.actor(), id=id, partner_ids=["p3"])


def test_a_notice_is_said_in_both_languages_and_ends(quarter: Database, make: Make, night: MoveOn) -> None:
    with pytest.raises(BadInput, match="one_language"):
        sent(quarter, make, words_en=" ")
    for hours in (-1, 7):
        with pytest.raises(BadInput, match="bad_end"):
            sent(quarter, make, expires_at=NIGHT + timedelta(hours=hours))
    assert kinds(quarter, "notice") == []


def test_an_answer_says_where_one_has_looked_and_may_change(quarter: Database, make: Make) -> None:
    id, mine = sent(quarter, make, "p0", "p1"), shopkeeper("p0")
    told = {"actor": mine, "notice_id": id, "partner_id": "p0"}
    with pytest.raises(BadInput, match=r"answer\.nowhere"):
        act(quarter, actions.answer, **told, answer=Answer.NOT_HERE, looked=[])
    for _ in range(2):
        act(quarter, actions.answer, **told, answer=Answer.NOT_HERE, looked=[Looked.TILL, Looked.TOILETS])
    act(quarter, actions.answer, **told, answer=Answer.SEEN, looked=[])
    assert deliveries(quarter, id)["p0"].answer is Answer.SEEN
    assert kinds(quarter, "notice") == [PartnerEvent.SENT, PartnerEvent.ANSWERED, PartnerEvent.ANSWERED]


def test_nobody_answers_for_another_but_the_desk_that_has_called(quarter: Database, make: Make) -> None:
    id = sent(quarter, make, "p0")
    told = {"notice_id": id, "answer": Answer.SEEN, "looked": []}
    for other in (shopkeeper("p1"), make.actor(Role.PATROL), make.actor(Role.VOLUNTEER)):
        with pytest.raises(NotAllowed):
            act(quarter, actions.answer, **told, actor=other, partner_id="p0")
    with pytest.raises(NotFound):
        act(quarter, actions.answer, **told, actor=shopkeeper("p1"), partner_id="p1")
    desk = make.actor()
    assert act(quarter, actions.answer, **told, actor=desk, partner_id="p0").answered_by == desk.id


def test_what_was_withdrawn_is_shown_and_answered_no_more(quarter: Database, make: Make) -> None:
    id = sent(quarter, make, "p0")
    for _ in range(2):
        act(quarter, actions.withdraw, actor=make.actor(), id=id)
    with quarter.reading([DISTRICT]) as connection:
        assert store.list_to_partners(connection, DISTRICT, ["p0"]) == []
    with pytest.raises(RuleBroken, match=r"notice\.over"):
        act(
            quarter, actions.answer, actor=shopkeeper("p0"), notice_id=id, partner_id="p0",
            answer=Answer.SEEN, looked=[],
        )  # fmt: skip
    assert kinds(quarter, "notice") == [PartnerEvent.SENT, PartnerEvent.WITHDRAWN]


def test_the_silent_are_reminded_once(quarter: Database, make: Make, night: MoveOn) -> None:
    id = sent(quarter, make, "p0", "p1")
    act(
        quarter, actions.answer, actor=shopkeeper("p0"), notice_id=id, partner_id="p0", answer=Answer.NOT_HERE,
        looked=[Looked.FLOOR],
    )  # fmt: skip
    engine = engine_actor(DISTRICT)
    assert act(quarter, actions.remind, actor=engine) == 0
    night(timedelta(minutes=4))
    assert [act(quarter, actions.remind, actor=engine) for _ in range(2)] == [1, 0]
    assert deliveries(quarter, id)["p1"].reminded_at == NIGHT + timedelta(minutes=4)
    assert kinds(quarter, "notice").count(PartnerEvent.REMINDED) == 1


def test_duties_are_gone_through_by_oneself_and_looked_over_by_another(
    quarter: Database, make: Make, night: MoveOn
) -> None:
    told = {"partner_id": "p0", "list_id": "shop_daily"}
    own, patrol = shopkeeper("p0"), make.actor(Role.PATROL)
    made = act(quarter, actions.check_duties, actor=own, id=ids.new_id(), not_in_order=["exit"], **told)
    again = act(quarter, actions.check_duties, actor=own, id=ids.new_id(), not_in_order=[], **told)
    assert (again.id, again.not_in_order, again.spot) == (made.id, (), False)
    spot = act(quarter, actions.check_duties, actor=patrol, id=ids.new_id(), not_in_order=["exit"], **told)
    assert spot.spot
    with pytest.raises(NotFound):
        act(
            quarter,
            actions.check_duties,
            actor=own,
            id=ids.new_id(),
            partner_id="p0",
            list_id="property_daily",
            not_in_order=[],
        )
    with pytest.raises(BadInput):
        act(quarter, actions.check_duties, actor=own, id=ids.new_id(), not_in_order=["nothing"], **told)
    with pytest.raises(NotAllowed):
        act(quarter, actions.check_duties, actor=shopkeeper("p1"), id=ids.new_id(), not_in_order=[], **told)
    assert kinds(quarter, "duty_check") == [PartnerEvent.CHECKED] * 3


def test_the_register_says_what_is_due_today(app: FastAPI, night: MoveOn) -> None:
    desk, shop = signed_in(app, Role.DESK, DISTRICT), at_shop(app, "p2")
    done = {"id": ids.new_id(), "partner_id": "p2", "list_id": "shop_daily", "not_in_order": ["front"]}
    assert shop.post(f"/api/shop/checks{HERE}", json=done).json()["spot"] is False
    lines = {one["id"]: one["duties"][0] for one in desk.get(f"/api/partners{HERE}").json()}
    assert (lines["p2"]["due"], lines["p2"]["not_in_order"]) == (False, ["front"])
    assert lines["p1"]["due"]
    night(timedelta(hours=5))  # the first of January in Shanghai
    lines = {one["id"]: one["duties"][0] for one in desk.get(f"/api/partners{HERE}").json()}
    assert lines["p2"]["due"]


def test_a_reminder_reaches_those_in_walking_distance_and_shows_who_has_seen_it(app: FastAPI) -> None:
    """Fifty metres along the street from its west end: the first two or three shops."""
    desk, near, far = signed_in(app, Role.DESK, DISTRICT), at_shop(app, "p0"), at_shop(app, "p5")
    body = {
        "id": ids.new_id(), "kind": "reminder", "words_zh": "三号口有扒窃", "words_en": "Pickpockets at gate 3",
        "scope": {"within_m": 50.0, "lon": LON, "lat": LAT},
    }  # fmt: skip
    page = desk.post(f"/api/notices{HERE}", json=body).json()
    told = [one["partner_id"] for one in page["deliveries"]]
    assert told == ["p0", "p1"] or told == ["p0", "p1", "p2"]
    assert [one["words"]["en"] for one in near.get(f"/api/shop{HERE}").json()["notices"]] == [
        "Pickpockets at gate 3"
    ]
    assert far.get(f"/api/shop{HERE}").json()["notices"] == []
    tally = desk.get(f"/api/notices/{body['id']}{HERE}").json()["tally"]
    assert (tally["sent"], tally["opened"]) == (len(told), 1)
    assert desk.post(f"/api/notices/{body['id']}/withdraw{HERE}").status_code == 200
    assert near.get(f"/api/shop{HERE}").json()["notices"] == []


def test_whom_to_call_is_kept_in_the_vault_and_forgotten_when_it_changes(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    address = f"/api/partners/p0/contact{HERE}"
    assert desk.get(address).json()["error"] == "contact.missing"
    for name in ("陈店长", "李店长"):
        told = {"id": ids.new_id(), "name": name, "phone": "13800000000"}
        assert desk.put(address, json=told).status_code == 200
    assert desk.get(address).json()["name"] == "李店长"
    assert len(app.state.services[Keyring].list_keys()) == 1
    assert signed_in(app, Role.WALL, DISTRICT).get(address).status_code == 403
    assert at_shop(app, "p0").get(address).status_code == 403


def test_whoever_takes_part_no_longer_is_nobody_to_call(app: FastAPI) -> None:
    desk, admin = signed_in(app, Role.DESK, DISTRICT), signed_in(app, Role.ADMIN, DISTRICT)
    desk.put(f"/api/partners/p0/contact{HERE}", json={"id": ids.new_id(), "name": "陈店长", "phone": "139"})
    for _ in range(2):
        assert admin.delete(f"/api/partners/p0{HERE}").status_code == 200
    assert app.state.services[Keyring].list_keys() == []
    assert desk.get(f"/api/partners/p0/contact{HERE}").json()["error"] == "contact.missing"


def test_a_partner_reports_from_its_premises_and_reads_what_became_of_it(app: FastAPI) -> None:
    shop, desk = at_shop(app, "p3"), signed_in(app, Role.DESK, DISTRICT)
    body = {"id": ids.new_id(), "partner_id": "p3", "text": "门口有人争吵"}
    for _ in range(2):
        assert shop.post(f"/api/shop/reports{HERE}", json=body).status_code == 200
    incident = desk.get(f"/api/incidents/{body['id']}{HERE}").json()
    assert (incident["source"], incident["premises_id"], incident["zone_id"]) == ("merchant", "p3", "z1")
    ended = {"outcome": "已劝离", "version": incident["version"]}
    assert desk.post(f"/api/incidents/{body['id']}/clear{HERE}", json=ended).status_code == 200
    (report,) = shop.get(f"/api/shop{HERE}").json()["reports"]
    assert (report["state"], report["outcome"]) == ("closed", "已劝离")
    assert at_shop(app, "p3").get(f"/api/shop{HERE}").json()["reports"] == [], "somebody else's phone"
    other = body | {"id": ids.new_id(), "partner_id": "p2"}
    assert shop.post(f"/api/shop/reports{HERE}", json=other).status_code == 404


def test_a_shop_reports_no_more_a_minute_than_anybody_outside_the_team(app: FastAPI) -> None:
    """Both ways in are one budget: the desk reads them all."""
    shop = at_shop(app, "p3")
    for _ in range(OF_OUTSIDERS.most):
        body = {"id": ids.new_id(), "partner_id": "p3", "text": "有人晕倒", "category_id": "injury"}
        assert shop.post(f"/api/shop/reports{HERE}", json=body).status_code == 200
    refused = shop.post(f"/api/shop/reports{HERE}", json=body | {"id": ids.new_id()})
    assert (refused.status_code, refused.json()["error"]) == (429, "incident.report_outside.throttled")
    other = {"id": ids.new_id(), "source": "merchant", "text": "x", "called_at": NIGHT.isoformat()}
    assert shop.post(f"/api/incidents{HERE}", json=other).status_code == 429


def test_a_partner_whose_organisation_is_not_registered_is_told_so(app: FastAPI, quarter: Database) -> None:
    stranger = signed_in(app, Role.PARTNER, DISTRICT, body_id=BODY["p4"])
    act(quarter, actions.retire, actor=ADMIN, id="p4")
    assert stranger.get(f"/api/shop{HERE}").json()["error"] == "partner.none"
