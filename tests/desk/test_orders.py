"""An order: when a zone rises, units and shops are asked at once; standing down is an order too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT, NIGHT
from tests.dispatch.conftest import a_unit, begun
from tests.partners.conftest import ADMIN, LAT, LON, WIDTH, at_shop, partner
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.crowds import store as crowds
from anshang.crowds.model import Level
from anshang.desk.responses import RESPONSES
from anshang.dispatch import actions as dispatch
from anshang.dispatch import store as dispatch_store
from anshang.dispatch.model import AssignmentState
from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.journal import store as journal
from anshang.matters import actions as matters
from anshang.matters.model import MatterKind, Priority
from anshang.partners import actions as partners
from anshang.patrols import store as patrols
from anshang.patrols.positions import Told
from anshang.patrols.whereabouts import Whereabouts, duty_of
from anshang.people.model import Role, actor_of, engine_actor

pytestmark = pytest.mark.postgres
app, quarter = app_fixture, quarter_fixture
MoveOn = Callable[[timedelta], None]
HERE = f"?district={DISTRICT}"


def patrol(app: FastAPI, database: Database, id: str, zones_east: float) -> None:
    """An officer pair on duty so many zones east of the street's west end."""
    begun(database, a_unit(id, "officer_pair"))
    with database.reading([DISTRICT]) as connection:
        unit = patrols.units.get(connection, DISTRICT, id)
    told = [Told(clock.to_ms(NIGHT), LON + zones_east * WIDTH, LAT, 5.0)]
    app.state.services[Whereabouts].take(unit, duty_of(database, unit), told, "phone")


def asked(order: Any) -> list[str]:
    """The units that were asked."""
    return sorted(unit["unit_id"] for unit in order["units"])


@pytest.fixture
def desk(app: FastAPI, quarter: Database, night: MoveOn) -> TestClient:
    """The desk, six patrols along the street and mutual aid between the shops p0 and p5."""
    for number, east in enumerate((0.1, 0.5, 1.5, 2.0, 2.5, 2.9)):
        patrol(app, quarter, f"k{number}", east)
    with quarter.transaction(DISTRICT) as tx:
        for shop in ("p0", "p5"):
            partners.enter(tx, actor=ADMIN, partner=partner(shop, group_id="east-west"))
    return signed_in(app, Role.DESK, DISTRICT)


def give(desk: TestClient, level: int, status: int = 200, **told: Any) -> Any:
    body = {"id": ids.new_id(), "zone_id": "z0", "level": level} | told
    answer = desk.post(f"/api/orders{HERE}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()["orders"][0] if status == 200 else answer.json()


def shown_at(app: FastAPI, *shops: str) -> list[list[str]]:
    """The words that each shop's page shows."""
    return [
        [
            notice["words"]["en"][:15]
            for notice in at_shop(app, shop).get(f"/api/shop{HERE}").json()["notices"]
        ]
        for shop in shops
    ]


def test_units_and_shops_are_asked_at_once(app: FastAPI, desk: TestClient, quarter: Database) -> None:
    order = give(desk, 2)
    assert asked(order) == ["k0", "k1"]
    assert {unit["state"] for unit in order["units"]} == {"offered"}
    assert (order["told"], order["opened"]) == (2, 0)
    assert shown_at(app, "p0", "p1", "p2", "p5") == [["It is crowded o"], ["It is crowded o"], [], []]
    measures = desk.get(f"/api/crowd/zones/z0/measures{HERE}").json()
    assert {measure["step"] for measure in measures} == {"staff.to_zone", "shops.told"}
    with quarter.reading([DISTRICT]) as connection:
        acted = crowds.list_measure_times(connection, DISTRICT, NIGHT - timedelta(hours=1))
    assert set(acted) == {"z0"}, "a danger that an order averts was rightly warned of (crowds/thresholds.py)"
    assert give(desk, 2, 409)["error"] == "order.stands"
    give(desk, 2, 404, zone_id="nowhere")


def test_the_same_order_again_asks_nobody_twice(desk: TestClient) -> None:
    id = ids.new_id()
    first, second = give(desk, 3, id=id), give(desk, 3, id=id)
    assert first == second
    assert len(first["units"]) == 4


def test_a_higher_level_asks_more(app: FastAPI, desk: TestClient) -> None:
    first = give(desk, 2)
    raised = give(desk, 3)
    assert (raised["id"], raised["level"], raised["told"]) == (first["id"], 3, 3)
    assert asked(raised) == ["k0", "k1", "k2", "k3"]
    assert shown_at(app, "p0", "p1", "p5") == [["It is very crow"]] * 3
    highest = give(desk, 4)
    assert (len(highest["units"]), highest["told"]) == (4, 5), "two units of the police stay as the reserve"
    assert shown_at(app, "p2", "p4") == [["It is dangerous"], []]


def test_standing_down_frees_the_units_and_tells_the_shops(
    app: FastAPI, desk: TestClient, quarter: Database, night: MoveOn
) -> None:
    order = give(desk, 3, words_en="Please close the doors.", words_zh="请关门。")
    assert shown_at(app, "p1") == [["Please close th"]]
    night(timedelta(minutes=20))
    for _ in range(2):
        answer = desk.post(f"/api/orders/{order['id']}/stand-down{HERE}")
        assert answer.status_code == 200, answer.text
    (ended,) = answer.json()["orders"]
    assert {unit["state"] for unit in ended["units"]} == {"stood_down"}
    assert shown_at(app, "p0", "p1", "p5") == [["It is calm agai"]] * 3
    units = desk.get(f"/api/units{HERE}").json()
    assert {unit["status"] for unit in units} == {"free"}
    queue = desk.get(f"/api/matters{HERE}").json()["matters"]
    assert order["incident_id"] not in {matter["id"] for matter in queue if matter["state"] != "closed"}
    assert give(desk, 2)["id"] != order["id"]
    with quarter.reading([DISTRICT]) as connection:
        kinds = [e.kind for e in journal.list_after(connection, DISTRICT, 0) if e.kind.startswith("order.")]
    assert kinds == ["order.given", "order.stood_down", "order.given"]


def test_a_drill_is_marked_and_is_no_measure(desk: TestClient, quarter: Database) -> None:
    order = give(desk, 2, drill=True)
    assert desk.get(f"/api/crowd/zones/z0/measures{HERE}").json() == []
    with quarter.reading([DISTRICT]) as connection:
        entries = [
            e for e in journal.list_after(connection, DISTRICT, 0)
            if e.kind in ("order.given", "notice.sent", "assignment.offered")
        ]  # fmt: skip
    assert len(entries) == 4
    assert all(entry.drill for entry in entries)
    assert order["drill"] is True


def plan(desk: TestClient, level: int, zone: str = "z0") -> Any:
    answer = desk.get(f"/api/orders/plan{HERE}&zone_id={zone}&level={level}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def signs(units: Any) -> list[str]:
    return [unit["unit_id"] for unit in units]


def test_an_order_shows_beforehand_whom_it_takes_and_who_stays_and_takes_nobody_else(
    desk: TestClient,
) -> None:
    shown = plan(desk, 4)
    assert (signs(shown["takes"]), signs(shown["stay"])) == (["k1", "k0", "k2", "k3"], ["k4", "k5"])
    assert (shown["going"], shown["shops"], shown["reserve_police"]) == (0, 5, 2)
    seconds = [unit["seconds"] for unit in shown["takes"]]
    assert None not in seconds
    assert seconds == sorted(seconds)
    assert asked(give(desk, 4, unit_ids=["k0", "k4", "nobody"])) == ["k0", "k4"]
    again = plan(desk, 4)
    assert (again["going"], signs(again["takes"]), signs(again["stay"])) == (2, ["k1", "k2"], ["k3", "k5"])
    assert desk.get(f"/api/orders/plan{HERE}&zone_id=nowhere&level=4").status_code == 404


@pytest.mark.parametrize(
    ("police", "others", "takes"), [(1, 0, 1), (2, 0, 1), (0, 3, 3), (4, 8, 9), (1, 16, 13)]
)
def test_the_reserve_is_a_share_and_police_but_somebody_always_goes(
    police: int, others: int, takes: int
) -> None:
    free = [a_unit(f"v{n}", "volunteer") for n in range(others)]
    free += [a_unit(f"k{n}", "officer_pair") for n in range(police)]
    taken = RESPONSES[Level.SERIOUS].taken(free, [])
    assert len(taken) == takes
    staying = [unit for unit in free if unit not in taken]
    assert sum(unit.kind_id == "officer_pair" for unit in staying) >= min(2, police // 2)
    assert len(staying) >= int(0.25 * len(free))


def test_whoever_gives_an_order_has_acknowledged_its_alarm_and_its_incident(
    desk: TestClient, quarter: Database
) -> None:
    engine = engine_actor(DISTRICT)
    alarms = {zone: ids.new_id() for zone in ("z0", "z1")}
    for zone, id in alarms.items():
        with quarter.transaction(DISTRICT) as tx:
            matters.open_matter(
                tx, actor=engine, id=id, kind=MatterKind.CROWD, priority=Priority.P2, subject="crowd.level", zone_id=zone,
            )  # fmt: skip
    order = give(desk, 2)
    queue = {matter["id"]: matter["state"] for matter in desk.get(f"/api/matters{HERE}").json()["matters"]}
    assert queue == {
        alarms["z0"]: "acknowledged", alarms["z1"]: "open", order["incident_id"]: "acknowledged",
    }  # fmt: skip


def undo(desk: TestClient, order: Any, back_to: int | None = None, status: int = 200) -> Any:
    """What the undo answers; its order as it stands then."""
    body = {"back_to": back_to, "version": order["version"]}
    answer = desk.post(f"/api/orders/{order['id']}/undo{HERE}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def shown(desk: TestClient, order: Any) -> Any:
    """The order as it stands."""
    known = desk.get(f"/api/orders{HERE}").json()["orders"]
    return next(one for one in known if one["id"] == order["id"])


def steps(desk: TestClient) -> list[str]:
    """The measures that count."""
    return [one["step"] for one in desk.get(f"/api/crowd/zones/z0/measures{HERE}").json()]


def test_an_order_given_by_mistake_is_undone_and_counts_nowhere(
    app: FastAPI, desk: TestClient, night: MoveOn
) -> None:
    order = give(desk, 3)
    night(timedelta(seconds=10))
    first, again = undo(desk, order), undo(desk, order)
    assert first == again
    assert first["units"] == ["K0", "K1", "K2", "K3"]
    assert shown(desk, order)["stood_down_at"] is not None
    assert steps(desk) == [], "what was recorded by mistake is no measure"
    assert {unit["status"] for unit in desk.get(f"/api/units{HERE}").json()} == {"free"}
    assert shown_at(app, "p0", "p1", "p5") == [["The last notice"]] * 3
    assert desk.get(f"/api/incidents/{order['incident_id']}{HERE}").json()["cancelled"] is True


@pytest.mark.parametrize("speed", [1, 60])
def test_the_desk_s_ten_seconds_and_a_slow_line_are_all_the_time_there_is(
    desk: TestClient, night: MoveOn, monkeypatch: pytest.MonkeyPatch, speed: int
) -> None:
    monkeypatch.setattr(clock, "speed", lambda: float(speed))
    assert desk.get(f"/api/orders{HERE}").json()["undo_s"] == 10
    order = give(desk, 2)
    night(timedelta(seconds=29 * speed))
    undo(desk, order)
    late = give(desk, 2)
    night(timedelta(seconds=31 * speed))
    assert undo(desk, late, status=409)["error"] == "order.undo_late"


def test_an_undo_says_what_it_could_not_take_back(
    app: FastAPI, desk: TestClient, quarter: Database, night: MoveOn
) -> None:
    order = give(desk, 2)
    with quarter.transaction(DISTRICT) as tx:
        (offered, _) = dispatch_store.list_of_incidents(tx.connection, DISTRICT, [order["incident_id"]])
        desk_actor = actor_of(ids.new_id(), "d", Role.DESK, None, (DISTRICT,))
        dispatch.answer(tx, actor=desk_actor, id=offered.id, accepted=True)
        dispatch.take_step(tx, actor=desk_actor, id=offered.id, to=AssignmentState.MOVING)
        (staff,) = (
            one for one in crowds.list_measures(tx.connection, DISTRICT, "z0") if one.step != "shops.told"
        )
        crowds.measures.put(tx, replace(staff, judged_at=clock.now()))
    assert shown_at(app, "p0") == [["It is crowded o"]]
    told = undo(desk, order)
    assert told["units_begun"] == [offered.unit_id.upper()]
    assert (told["shops_read"], told["measures_kept"], told["measures"]) == (
        1,
        ["staff.to_zone"],
        ["shops.told"],
    )
    assert steps(desk) == ["staff.to_zone"]
    assert undo(desk, order) == told, "a retry is told the same"


def test_an_order_undone_gives_back_the_alarm_it_acknowledged(desk: TestClient, quarter: Database) -> None:
    alarm = ids.new_id()
    with quarter.transaction(DISTRICT) as tx:
        matters.open_matter(
            tx, actor=engine_actor(DISTRICT), id=alarm, kind=MatterKind.CROWD, priority=Priority.P2,
            subject="crowd.level", zone_id="z0",
        )  # fmt: skip
    undo(desk, give(desk, 2))
    queue = {matter["id"]: matter["state"] for matter in desk.get(f"/api/matters{HERE}").json()["matters"]}
    assert queue == {alarm: "open"}


def test_an_order_whose_incident_is_over_is_undone_all_the_same(
    app: FastAPI, desk: TestClient, night: MoveOn
) -> None:
    order = give(desk, 2)
    version = desk.get(f"/api/incidents/{order['incident_id']}{HERE}").json()["version"]
    told = {"outcome": "over", "version": version, "insist": True}
    assert desk.post(f"/api/incidents/{order['incident_id']}/clear{HERE}", json=told).status_code == 200
    undone = undo(desk, order)
    assert undone == undo(desk, order)
    assert set(undone["measures"]) == {"staff.to_zone", "shops.told"}
    assert (steps(desk), shown(desk, order)["stood_down_at"] is not None) == ([], True)
    assert shown_at(app, "p0") == [["The last notice"]]
    assert desk.get(f"/api/incidents/{order['incident_id']}{HERE}").json()["cancelled"] is False


def test_whoever_undoes_a_raise_gives_back_the_alarm_of_whoever_raised_it_and_of_nobody_else(
    app: FastAPI, desk: TestClient, quarter: Database, night: MoveOn
) -> None:
    engine = engine_actor(DISTRICT)
    first, second, third = ids.new_id(), ids.new_id(), ids.new_id()
    told = {"actor": engine, "kind": MatterKind.CROWD, "priority": Priority.P2, "subject": "crowd.level"}

    def alarm(id: str) -> None:
        with quarter.transaction(DISTRICT) as tx:
            matters.open_matter(tx, id=id, zone_id="z0", **told)

    alarm(first)
    give(desk, 2)
    night(timedelta(seconds=5))
    alarm(second)
    raised = give(signed_in(app, Role.DESK, DISTRICT), 3)
    alarm(third)
    assert desk.post(f"/api/matters/{third}/acknowledge{HERE}").status_code == 200
    undo(signed_in(app, Role.DESK, DISTRICT), raised, 2)
    queue = {matter["id"]: matter["state"] for matter in desk.get(f"/api/matters{HERE}").json()["matters"]}
    assert [queue[id] for id in (first, second, third)] == ["acknowledged", "open", "acknowledged"]


def test_a_level_raised_by_mistake_goes_back_to_the_one_before(
    app: FastAPI, desk: TestClient, night: MoveOn
) -> None:
    first = give(desk, 2)
    night(timedelta(minutes=5))
    raised = give(desk, 3)
    assert undo(desk, raised, 3, 400)["error"] == "order.no_level"
    told = undo(desk, raised, 2)
    assert undo(desk, raised, 2) == told, "a retry whose answer was lost changes nothing and is told the same"
    assert "staff.to_zone" not in told["measures"]
    back = shown(desk, first)
    assert (back["id"], back["level"], back["stood_down_at"]) == (first["id"], 2, None)
    assert going(back) == {"k0", "k1"}
    assert [sorted(words) for words in shown_at(app, "p0", "p5")] == [
        ["It is crowded o", "The last notice"], ["The last notice"],
    ]  # fmt: skip
    again = give(desk, 3)
    assert undo(desk, raised, 2) == told, "and undoes nothing that was ordered since"
    assert shown(desk, again)["level"] == 3


def test_a_level_that_was_raised_long_ago_is_not_undone_with_the_next(
    desk: TestClient, night: MoveOn
) -> None:
    give(desk, 2)
    give(desk, 3)
    night(timedelta(minutes=5))
    highest = give(desk, 4)
    assert undo(desk, highest, 2, 409)["error"] == "order.undo_late"
    undo(desk, highest, 3)


def going(order: Any) -> set[str]:
    """The units that are asked and not called off."""
    return {unit["unit_id"] for unit in order["units"] if unit["state"] == "offered"}


def test_a_level_that_was_undone_is_raised_again_and_asks_again(
    app: FastAPI, desk: TestClient, night: MoveOn
) -> None:
    give(desk, 2)
    for _ in range(2):
        night(timedelta(seconds=10))
        raised = give(desk, 3)
        assert going(raised) == {"k0", "k1", "k2", "k3"}
        assert "It is very crow" in shown_at(app, "p5")[0]
        undo(desk, raised, 2)
        assert going(shown(desk, raised)) == {"k0", "k1"}
    night(timedelta(seconds=10))
    other = signed_in(app, Role.DESK, DISTRICT)
    assert going(give(other, 3)) == {"k0", "k1", "k2", "k3"}, "another officer's measure is one of its own"
    assert steps(desk).count("exits.staffed") == 1


def test_an_undo_by_two_levels_calls_off_what_both_asked(desk: TestClient) -> None:
    give(desk, 2)
    give(desk, 3)
    highest = give(desk, 4)
    undo(desk, highest, 2)
    assert going(shown(desk, highest)) == {"k0", "k1"}


def test_a_raise_whose_answer_was_lost_is_sent_again_and_answered(app: FastAPI, desk: TestClient) -> None:
    give(desk, 2)
    id = ids.new_id()
    raised = give(desk, 3, id=id)
    assert give(desk, 3, id=id) == raised
    assert give(desk, 3, 409)["error"] == "order.stands", "another raise to the same level is none"
