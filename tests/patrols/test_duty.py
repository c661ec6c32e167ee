"""Units and their duty: one action, one entry; who is not fit or not in the crew is told why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT, NIGHT, Make
from tests.incidents.conftest import district as district_fixture
from tests.incidents.conftest import kinds
from tests.serving import PASSWORD, open_account, signed_in

from anshang.app import create_app
from anshang.foundation import clock, ids
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, Refusal, RuleBroken, StaleVersion
from anshang.journal.model import EVERYWHERE
from anshang.patrols import actions, positions, store
from anshang.patrols.model import Member, PatrolKind, Unit, UnitStatus
from anshang.patrols.positions import Told
from anshang.patrols.whereabouts import Whereabouts, duty_of
from anshang.people import store as people
from anshang.people.model import Account, Role, engine_actor, operator_actor
from anshang.settings import Settings
from anshang.vault import retention

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
ADMIN = operator_actor(DISTRICT)
LON, LAT = 112.9702, 28.1902
district = district_fixture


def unit(id: str = "u1", kind: str = "rapid", **changes: Any) -> Unit:
    told = Unit(id, DISTRICT, kind, id.upper(), "快一", "Rapid 1", None, None, UnitStatus.OFF_DUTY, NIGHT)
    return replace(told, **changes)


def act(database: Database, verb: Callable[..., Any], **told: Any) -> Any:
    with database.transaction(DISTRICT) as tx:
        return verb(tx, **told)


def account(database: Database, role: Role = Role.PATROL) -> Account:
    name = open_account(database, role, DISTRICT)
    with database.reading([EVERYWHERE]) as connection:
        found = people.find_account_by_name(connection, name)
    assert found is not None
    return found


@pytest.fixture
def staffed(district: Database, night: MoveOn) -> Iterator[Database]:
    """The district with a rapid unit u1 and a volunteer post v1."""
    for one in (unit(), unit("v1", "volunteer")):
        act(district, actions.define_unit, actor=ADMIN, unit=one)
    yield district


def told(database: Database) -> list[str]:
    return [kind for kind in kinds(database) if kind.split(".")[0] in ("unit", "duty", "member")]


def test_a_unit_is_entered_changed_and_retired(staffed: Database) -> None:
    assert act(staffed, actions.define_unit, actor=ADMIN, unit=unit()).version == 1
    changed = act(staffed, actions.define_unit, actor=ADMIN, unit=unit(call_sign="K7"))
    assert (changed.call_sign, changed.version) == ("K7", 2)
    with pytest.raises(StaleVersion):
        act(staffed, actions.define_unit, actor=ADMIN, unit=unit(call_sign="K8"))
    for _ in range(2):
        assert act(staffed, actions.retire_unit, actor=ADMIN, id="u1").retired_at is not None
    with staffed.reading([DISTRICT]) as connection:
        assert [one.id for one in store.list_units(connection, ADMIN.scope, DISTRICT)] == ["v1"]
    for wrong, kind in (
        ({"kind_id": "tank"}, NotFound),
        ({"body_id": ids.new_id()}, NotFound),
        ({"id": "U 1"}, BadInput),
    ):
        with pytest.raises(kind):
            act(staffed, actions.define_unit, actor=ADMIN, unit=unit(**{"id": "u2"} | wrong))
    assert told(staffed) == [PatrolKind.DEFINED] * 3 + [PatrolKind.RETIRED]


def test_a_patrol_goes_on_duty_says_what_it_does_and_goes_off(staffed: Database, night: MoveOn) -> None:
    lin, id = account(staffed), ids.new_id()
    me = lin.as_actor()
    for _ in range(2):
        duty = act(staffed, actions.begin_duty, actor=me, id=id, unit_id="u1", crew=[lin.id, lin.id])
    assert duty.crew == (lin.id,)
    night(timedelta(hours=1))
    with staffed.reading([DISTRICT]) as connection:
        version = store.units.get(connection, DISTRICT, "u1").version
    busy = {"actor": me, "unit_id": "u1", "status": UnitStatus.BUSY}
    seen = act(staffed, actions.tell_status, **busy, version=version)
    assert (seen.status, seen.since_at) == (UnitStatus.BUSY, NIGHT + timedelta(hours=1))
    assert act(staffed, actions.tell_status, **busy, version=version) == seen, (
        "saying the same changes nothing"
    )
    with pytest.raises(StaleVersion):
        act(staffed, actions.tell_status, **(busy | {"status": UnitStatus.FREE}), version=version)
    with pytest.raises(BadInput):
        act(staffed, actions.tell_status, **(busy | {"status": UnitStatus.OFF_DUTY}), version=seen.version)
    with pytest.raises(RuleBroken):
        act(staffed, actions.retire_unit, actor=ADMIN, id="u1")
    for _ in range(2):
        assert act(staffed, actions.end_duty, actor=me, id=id).ended_at == clock.now()
    with pytest.raises(RuleBroken):
        act(staffed, actions.tell_status, **(busy | {"actor": ADMIN}), version=1)
    assert told(staffed)[2:] == [PatrolKind.BEGUN, PatrolKind.STATUS_SET, PatrolKind.ENDED]


def test_nobody_is_in_two_crews_and_no_unit_on_two_duties(staffed: Database) -> None:
    lin, wang = account(staffed), account(staffed)
    desk = operator_actor(DISTRICT)
    act(staffed, actions.begin_duty, actor=desk, id=ids.new_id(), unit_id="u1", crew=[lin.id])
    for unit_id, crew in (("v1", [lin.id]), ("u1", [wang.id])):
        with pytest.raises(RuleBroken):
            act(staffed, actions.begin_duty, actor=desk, id=ids.new_id(), unit_id=unit_id, crew=crew)
    assert told(staffed).count(PatrolKind.BEGUN) == 1


def test_a_volunteer_without_papers_does_not_begin_and_is_told_the_rule(staffed: Database) -> None:
    volunteer = account(staffed, Role.VOLUNTEER)
    begin = {"actor": volunteer.as_actor(), "unit_id": "v1", "crew": [volunteer.id]}
    with pytest.raises(RuleBroken) as refused:
        act(staffed, actions.begin_duty, **begin, id=ids.new_id())
    assert refused.value.details["reasons"] == ["insurance", "training"]
    assert "志愿服务条例" in refused.value.zh
    papers = Member(volunteer.id, DISTRICT, date(2026, 12, 31), date(2027, 6, 1), adult=True)
    act(staffed, actions.qualify, actor=ADMIN, member=papers)
    assert act(staffed, actions.begin_duty, **begin, id=ids.new_id()).crew == (volunteer.id,)
    act(staffed, actions.qualify, actor=ADMIN, member=replace(papers, adult=False))
    with pytest.raises(StaleVersion):
        act(staffed, actions.qualify, actor=ADMIN, member=papers)


@pytest.mark.parametrize(
    ("crew", "kind"), [([], BadInput), (["nobody"], NotFound), ([str(n) for n in range(13)], BadInput)]
)
def test_a_crew_that_cannot_be_is_refused(staffed: Database, crew: list[str], kind: type[Refusal]) -> None:
    with pytest.raises(kind):
        act(
            staffed,
            actions.begin_duty,
            actor=operator_actor(DISTRICT),
            id=ids.new_id(),
            unit_id="u1",
            crew=crew,
        )


def test_others_decide_nothing_about_a_crew_they_are_not_in(staffed: Database, make: Make) -> None:
    lin, other = account(staffed), account(staffed)
    with pytest.raises((NotAllowed, RuleBroken)):
        act(staffed, actions.begin_duty, actor=other.as_actor(), id=ids.new_id(), unit_id="u1", crew=[lin.id])
    duty = act(
        staffed, actions.begin_duty, actor=lin.as_actor(), id=ids.new_id(), unit_id="u1", crew=[lin.id]
    )
    status = {"unit_id": "u1", "status": UnitStatus.BREAK, "version": 2}
    for actor in (other.as_actor(), make.actor(Role.PARTNER), make.actor(Role.WALL)):
        with pytest.raises((NotAllowed, RuleBroken)):
            act(staffed, actions.end_duty, actor=actor, id=duty.id)
        with pytest.raises((NotAllowed, RuleBroken)):
            act(staffed, actions.tell_status, actor=actor, **status)
    assert told(staffed)[2:] == [PatrolKind.BEGUN]


VERBS: dict[str, Callable[[Transaction, Any], object]] = {
    "define": lambda tx, a: actions.define_unit(tx, actor=a, unit=unit("u9")),
    "retire": lambda tx, a: actions.retire_unit(tx, actor=a, id="u1"),
    "key": lambda tx, a: actions.give_key(tx, actor=a, id="u1"),
    "qualify": lambda tx, a: actions.qualify(tx, actor=a, member=Member("x", DISTRICT, None, None, True)),
}


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_only_who_configures_changes_units_and_members(staffed: Database, make: Make, verb: str) -> None:
    before = told(staffed)
    for role in set(Role) - {Role.ADMIN, Role.SUPERVISOR}:
        with pytest.raises(NotAllowed), staffed.transaction(DISTRICT) as tx:
            VERBS[verb](tx, make.actor(role))
    assert told(staffed) == before


def test_positions_are_kept_once_seen_at_once_and_forgotten_after_a_week(
    staffed: Database, night: MoveOn
) -> None:
    lin, where = account(staffed), Whereabouts(staffed)
    act(staffed, actions.begin_duty, actor=lin.as_actor(), id=ids.new_id(), unit_id="u1", crew=[lin.id])
    with staffed.reading([DISTRICT]) as connection:
        known = store.units.get(connection, DISTRICT, "u1")
    now_ms = clock.to_ms(clock.now())
    rows = [
        Told(now_ms + 10_000, LON, LAT, 5.0),
        Told(now_ms + 20_000, LON + 0.0001, LAT, 5.0),
        Told(now_ms, 0, 0),
    ]
    first = where.take(known, duty_of(staffed, known), rows, "phone")
    again = where.take(known, duty_of(staffed, known), rows[:2], "phone")
    assert (first.taken, first.repeated, [one.code for one in first.refused]) == (2, 0, ["position.nowhere"])
    assert (again.taken, again.repeated) == (0, 2)
    assert where.latest(DISTRICT)["u1"].lon == pytest.approx(LON + 0.0001)
    assert Whereabouts(staffed).latest(DISTRICT) == where.latest(DISTRICT), "also after a restart"
    night(timedelta(days=7, minutes=1))
    retention.apply(staffed, DISTRICT, actor=engine_actor(DISTRICT))
    with staffed.reading([DISTRICT]) as connection:
        assert positions.list_latest(connection, DISTRICT, 0) == {}
    assert where.latest(DISTRICT) == {}


def test_off_duty_nobody_is_followed(staffed: Database) -> None:
    with staffed.reading([DISTRICT]) as connection:
        known = store.units.get(connection, DISTRICT, "u1")
    receipt = Whereabouts(staffed).take(known, None, [Told(clock.to_ms(clock.now()), LON, LAT)], "phone")
    assert [one.code for one in receipt.refused] == ["position.off_duty"]
    with staffed.reading([DISTRICT]) as connection:
        assert positions.list_latest(connection, DISTRICT, 0) == {}


@pytest.fixture
def app(database: Database, tmp_path: Path) -> FastAPI:
    if not database.url.startswith("sqlite"):
        pytest.skip("the web is tried on SQLite")
    return create_app(Settings(database_url=database.url, data_folder=tmp_path))


def test_a_phone_and_a_tracking_app_tell_where_a_unit_is(app: FastAPI, district: Database) -> None:
    where = f"district={DISTRICT}"
    supervisor, patrol = signed_in(app, Role.SUPERVISOR, DISTRICT), signed_in(app, Role.PATROL, DISTRICT)
    new = {"kind_id": "rapid", "call_sign": "K1", "name_zh": "快一", "name_en": "Rapid 1"}
    assert supervisor.put(f"/api/units/u1?{where}", json=new).status_code == 200
    key = supervisor.post(f"/api/units/u1/key?{where}").json()["key"]
    own_id = patrol.get("/api/session").json()["account"]["id"]
    assert patrol.get(f"/api/duty/mine?{where}").json() == {"duty": None, "unit": None}
    row = {"at": clock.now().isoformat(), "lon": LON, "lat": LAT, "accuracy_m": 8.0}
    assert patrol.post(f"/api/positions?{where}", json={"positions": [row]}).status_code == 404
    duty = {"id": ids.new_id(), "crew": [own_id]}
    assert patrol.post(f"/api/units/u1/duty?{where}", json=duty).status_code == 200
    row["at"] = clock.now().isoformat()
    answer = patrol.post(f"/api/positions?{where}", json={"positions": [row, row | {"lon": 0.0, "lat": 0.0}]})
    assert (answer.json()["taken"], answer.json()["refused"][0]["code"]) == (1, "position.nowhere")
    (seen,) = supervisor.get(f"/api/units?{where}").json()
    assert (seen["status"], seen["fix"]["lon"], seen["fix"]["stale"]) == ("free", LON, False)
    stranger = TestClient(app)
    track = {"lat": LAT, "lon": LON + 0.0001, "timestamp": clock.now().timestamp(), "accuracy": 5}
    assert stranger.get("/api/osmand", params=track | {"district": DISTRICT, "id": key}).json()["taken"] == 1
    assert (
        stranger.post("/api/osmand", params=track | {"district": DISTRICT, "id": "asu_x"}).status_code == 401
    )
    assert stranger.get("/api/osmand", params=track | {"district": "elsewhere", "id": key}).status_code == 401
    assert patrol.post(f"/api/duties/{duty['id']}/end?{where}").status_code == 200
    (seen,) = supervisor.get(f"/api/units?{where}").json()
    assert (seen["status"], seen["fix"]) == ("off_duty", None), "who is off duty is nowhere"
    late = stranger.get("/api/osmand", params=track | {"district": DISTRICT, "id": key}).json()
    assert late["refused"][0]["code"] == "position.off_duty"
    assert PASSWORD not in str(late)
