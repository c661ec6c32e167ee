"""Volunteers: how one joins, shifts and who may do them, swapping, true hours, certificates, which alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.conftest import DISTRICT, NIGHT
from tests.lookouts.test_lookouts import told as told_of_child
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.journal import store as journal
from anshang.people.model import Role, engine_actor
from anshang.vault.keys import Keyring
from anshang.volunteers import actions
from anshang.volunteers.model import VolunteerKind, served_s

pytestmark = pytest.mark.postgres
app, quarter = app_fixture, quarter_fixture
MoveOn = Callable[[timedelta], None]
CHECKS = ["identity", "record", "talk", "rules"]


class Team:
    """The desk and two supervisors, and volunteers as they come."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.desk = signed_in(app, Role.DESK, DISTRICT)
        self.vetter = signed_in(app, Role.SUPERVISOR, DISTRICT)
        self.chief = signed_in(app, Role.SUPERVISOR, DISTRICT)

    def tell(self, who: TestClient, path: str, body: Any = None, status: int = 200) -> Any:
        """What the server answers to a word told at a path below the volunteers."""
        answer = who.post(f"/api/volunteers{path}?district={DISTRICT}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def applicant(self) -> str:
        """Somebody who asks to join."""
        id = ids.new_id()
        self.tell(self.desk, "", {"id": id, "name": "周佳宁", "telephone": "13800000000"})
        return id

    def member(self, **known: Any) -> TestClient:
        """Somebody who takes part, of whom this is known; insured, trained and of age unless told."""
        phone, id = signed_in(self.app, Role.VOLUNTEER, DISTRICT), self.applicant()
        account_id = account_of(phone)
        self.tell(self.vetter, f"/{id}/vet", {"checks": CHECKS})
        self.tell(self.chief, f"/{id}/accept", {"account_id": account_id})
        held = {"insured_until": "2027-12-31", "trained_until": "2027-12-31", "adult": True} | known
        answer = self.chief.put(f"/api/members/{account_id}?district={DISTRICT}", json=held)
        assert answer.status_code == 200, answer.text
        return phone

    def shift(self, hours_ahead: float = 2.0, **told: Any) -> str:
        """A shift of two hours for two."""
        starts = NIGHT + timedelta(hours=hours_ahead)
        body = {
            "id": ids.new_id(), "work": "patrol", "place": "太平街口", "wanted": 2, "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=2)).isoformat(),
        } | told  # fmt: skip
        self.tell(self.desk, "/shifts", body)
        return str(body["id"])

    def sign_up(self, phone: TestClient, shift: str, status: int = 200) -> str:
        """A place in the shift."""
        id = ids.new_id()
        self.tell(phone, f"/shifts/{shift}/sign-ups", {"id": id}, status)
        return id


def account_of(client: TestClient) -> str:
    return str(client.get("/api/session").json()["account"]["id"])


def mine(phone: TestClient) -> Any:
    return phone.get(f"/api/volunteers/mine?district={DISTRICT}").json()


@pytest.fixture
def team(app: FastAPI, night: MoveOn) -> Team:
    return Team(app)


def test_one_joins_by_two_people_and_is_forgotten_on_leaving(
    team: Team, app: FastAPI, quarter: Database
) -> None:
    id = team.applicant()
    known = team.desk.get(f"/api/volunteers/{id}/contact?district={DISTRICT}").json()
    assert known == {"name": "周佳宁", "telephone": "13800000000"}
    team.tell(team.vetter, f"/{id}/vet", {"checks": CHECKS[:3]}, 400)
    team.tell(team.vetter, f"/{id}/vet", {"checks": CHECKS})
    phone = signed_in(app, Role.VOLUNTEER, DISTRICT)
    account = {"account_id": account_of(phone)}
    refused = team.tell(team.vetter, f"/{id}/accept", account, 409)
    assert refused["error"] == "volunteer.same_person"
    team.tell(team.chief, f"/{id}/accept", {"account_id": account_of(team.desk)}, 404)
    assert mine(phone)["member"] is False
    team.tell(team.chief, f"/{id}/accept", account)
    assert mine(phone)["member"] is True
    other = team.applicant()
    team.tell(team.vetter, f"/{other}/vet", {"checks": CHECKS})
    assert team.tell(team.chief, f"/{other}/accept", account, 409)["error"] == "volunteer.account_taken"
    states = {one["id"]: one["state"] for one in team.tell(team.chief, f"/{other}/end")["volunteers"]}
    assert states == {id: "member", other: "refused"}
    team.tell(team.chief, f"/{id}/end")
    assert mine(phone)["member"] is False
    assert team.desk.get(f"/api/volunteers/{id}/contact?district={DISTRICT}").status_code == 404
    assert app.state.services[Keyring].list_keys() == []
    with quarter.reading([DISTRICT]) as connection:
        kinds = [entry.kind for entry in journal.list_after(connection, DISTRICT, 0)]
    assert [kind for kind in kinds if kind in set(VolunteerKind)] == [
        VolunteerKind.APPLIED, VolunteerKind.VETTED, VolunteerKind.ACCEPTED, VolunteerKind.APPLIED,
        VolunteerKind.VETTED, VolunteerKind.REFUSED, VolunteerKind.LEFT,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "work", "why"),
    [
        ({"insured_until": "2026-12-31"}, "patrol", "insurance"),
        ({"trained_until": None}, "patrol", "training"),
        ({"adult": False}, "crowd", "age"),
        ({"adult": False}, "aid", None),
        ({"insured_until": "2027-01-01"}, "patrol", None),
    ],
)
def test_a_shift_is_for_those_who_are_fit_on_its_last_day(
    team: Team, known: dict[str, Any], work: str, why: str | None
) -> None:
    """20:00 on New Year's Eve and three hours: the shift ends on the first of January."""
    phone, shift = team.member(**known), team.shift(3.0, work=work)
    (seen,) = mine(phone)["shifts"]
    assert [bool(seen["why_not"]), seen["free"]] == [why is not None, 2]
    answer = phone.post(
        f"/api/volunteers/shifts/{shift}/sign-ups?district={DISTRICT}", json={"id": ids.new_id()}
    )
    assert answer.status_code == (200 if why is None else 409)
    if why is not None:
        assert answer.json()["details"]["reasons"] == [why]
        assert "Art." in seen["why_not"][0]["rule"]


def test_a_shift_that_needs_a_skill(team: Team) -> None:
    shift = team.shift(skill="sign_language")
    team.sign_up(team.member(), shift, 409)
    team.sign_up(team.member(skills=["sign_language", "radio"]), shift)


def test_places_run_out_and_nobody_is_in_two_shifts_at_once(team: Team) -> None:
    first, second, third = team.member(), team.member(), team.member()
    shift = team.shift(wanted=2)
    place = team.sign_up(first, shift)
    team.tell(first, f"/shifts/{shift}/sign-ups", {"id": place})
    assert team.sign_up(first, team.shift(3.0), 409)
    team.sign_up(second, shift)
    team.sign_up(third, shift, 409)
    team.tell(second, f"/sign-ups/{place}/withdraw", status=404)
    team.tell(first, f"/sign-ups/{place}/withdraw")
    team.sign_up(third, shift)
    outsider = signed_in(team.app, Role.VOLUNTEER, DISTRICT)
    team.sign_up(outsider, shift, 404)


def test_two_swap_their_shifts(team: Team) -> None:
    first, second = team.member(), team.member()
    early, late = team.shift(1.0, wanted=1), team.shift(5.0, wanted=1)
    place, other = team.sign_up(first, early), team.sign_up(second, late)
    team.tell(second, f"/sign-ups/{place}/take", status=409)
    team.tell(first, f"/sign-ups/{place}/offer", {"offered": True})
    team.tell(second, f"/sign-ups/{other}/offer", {"offered": True})
    assert [shift["offers"] for shift in mine(second)["shifts"]] == [[place], []]
    team.tell(second, f"/sign-ups/{place}/take")
    team.tell(first, f"/sign-ups/{other}/take")
    assert [shift["mine"] is not None for shift in mine(first)["shifts"]] == [False, True]
    assert [shift["mine"] is not None for shift in mine(second)["shifts"]] == [True, False]
    child = team.member(adult=False)
    crowd = team.sign_up(first, team.shift(8.0, work="crowd"))
    team.tell(first, f"/sign-ups/{crowd}/offer", {"offered": True})
    team.tell(child, f"/sign-ups/{crowd}/take", status=409)


def test_hours_count_once_somebody_else_confirmed_them(team: Team, night: MoveOn) -> None:
    phone, shift = team.member(), team.shift(1.0)
    place = team.sign_up(phone, shift)
    team.tell(phone, f"/sign-ups/{place}/come", status=409)
    night(timedelta(minutes=50))
    team.tell(phone, f"/sign-ups/{place}/come")
    night(timedelta(minutes=5))
    team.tell(phone, f"/sign-ups/{place}/come")
    team.tell(phone, f"/sign-ups/{place}/withdraw")
    place = team.sign_up(phone, shift)
    team.tell(phone, f"/sign-ups/{place}/go", status=409)
    night(timedelta(minutes=10))
    team.tell(phone, f"/sign-ups/{place}/come")
    team.tell(phone, f"/sign-ups/{place}/withdraw", status=409)
    night(timedelta(hours=2))
    (seen,) = team.tell(phone, f"/sign-ups/{place}/go")["shifts"] or [{"mine": None}]
    assert mine(phone)["served_s"] == 0
    (shown,) = team.desk.get(f"/api/volunteers?district={DISTRICT}").json()["shifts"]
    (one,) = shown["taken"]
    hours = {"came_at": one["came_at"], "went_at": one["went_at"]}
    early = (NIGHT + timedelta(minutes=20)).isoformat()
    team.tell(team.desk, f"/sign-ups/{place}/hours", hours | {"came_at": early}, 400)
    team.tell(team.desk, f"/sign-ups/{place}/hours", hours | {"went_at": "2026-12-31T18:30:00Z"}, 400)
    team.tell(team.desk, f"/sign-ups/{place}/hours", hours)
    assert mine(phone)["served_s"] == 7200.0
    assert seen["mine"] is None or seen["mine"]["confirmed"] is False


def test_a_certificate_holds_for_whoever_has_the_paper(
    team: Team, app: FastAPI, quarter: Database, night: MoveOn
) -> None:
    phone = team.member()
    place = team.sign_up(phone, team.shift(1.0))
    night(timedelta(hours=4))
    hours = {"came_at": "2026-12-31T13:00:00Z", "went_at": "2026-12-31T15:00:00Z"}
    team.tell(team.desk, f"/sign-ups/{place}/hours", hours)
    wanted = {"account_id": account_of(phone), "from_on": "2026-12-01", "until_on": "2026-12-31"}
    team.tell(phone, "/certificates", wanted | {"account_id": account_of(team.desk)}, 403)
    team.tell(phone, "/certificates", wanted | {"until_on": "2026-12-30"}, 400)
    team.tell(phone, "/certificates", wanted | {"until_on": "2026-11-30"}, 400)
    paper = team.tell(phone, "/certificates", wanted)
    assert (paper["served_s"], paper["times"]) == (7200.0, 1)

    anybody = TestClient(app)

    def shown(code: str, name: str) -> Any:
        body = {"code": code, "name": name}
        return anybody.post(f"/api/public/certificates?district={DISTRICT}", json=body).json()

    code, name = paper["code"], paper["name"]
    assert shown(code, f" {name.upper()} ") == {
        "genuine": True, "from_on": "2026-12-01", "until_on": "2026-12-31", "served_s": 7200.0, "times": 1,
    }  # fmt: skip
    assert shown(code, "somebody else")["genuine"] is False
    assert shown("A" * 16, name)["genuine"] is False
    team.tell(phone, f"/certificates/{code}/revoke", status=403)
    team.tell(team.chief, f"/certificates/{code}/revoke")
    assert shown(code, name) == {
        "genuine": False, "from_on": None, "until_on": None, "served_s": None, "times": None,
    }  # fmt: skip
    for _ in range(10):
        answer = anybody.post(
            f"/api/public/certificates?district={DISTRICT}", json={"code": code, "name": name}
        )
    assert answer.status_code == 429
    with quarter.reading([DISTRICT]) as connection:
        entries = str([entry.details for entry in journal.list_after(connection, DISTRICT, 0)])
    assert code not in entries and name not in entries


def test_only_trusted_volunteers_on_duty_are_told_whom_to_look_for(team: Team, app: FastAPI) -> None:
    team.chief.put(
        f"/api/units/v1?district={DISTRICT}",
        json={"kind_id": "volunteer", "call_sign": "V1", "name_zh": "义警一组", "name_en": "Volunteers 1"},
    )
    child = told_of_child()
    team.desk.post(f"/api/lookouts?district={DISTRICT}", json=child)
    words = f"/api/lookouts/{child['id']}/words"
    for trusted, on_duty, status in ((False, True, 409), (True, False, 409), (True, True, 200)):
        phone = team.member(trusted=trusted)
        (alert,) = phone.get(f"/api/lookouts/alerts?district={DISTRICT}").json()
        assert (alert["zone_id"], set(alert)) == ("z0", {"id", "sort", "seen_at", "zone_id", "zone"})
        if on_duty:
            duty = phone.post(
                f"/api/units/v1/duty?district={DISTRICT}",
                json={"id": ids.new_id(), "crew": [account_of(phone)]},
            ).json()
        answer = phone.get(f"{words}?district={DISTRICT}")
        assert answer.status_code == status, answer.text
        if on_duty:
            phone.post(f"/api/duties/{duty['id']}/end?district={DISTRICT}")
    assert "红色羽绒服" in answer.json()["zh"]
    receipt = team.desk.get(f"{words.removesuffix('/words')}/receipt?district={DISTRICT}")
    name = phone.get("/api/session").json()["account"]["display_name"]
    assert [(one["name"], one["what"]) for one in receipt.json()["readers"]] == [(name, "words")]


def test_ends_of_insurance_are_said_two_weeks_before_and_once(
    team: Team, quarter: Database, night: MoveOn
) -> None:
    team.member(insured_until="2027-01-16", trained_until="2027-01-16")
    team.member(insured_until="2027-01-16", trained_until="2027-06-30")
    engine = engine_actor(DISTRICT)
    assert actions.remind_of_ends(quarter, DISTRICT, actor=engine) == 0
    night(timedelta(days=2))
    assert actions.remind_of_ends(quarter, DISTRICT, actor=engine) == 1
    assert actions.remind_of_ends(quarter, DISTRICT, actor=engine) == 0
    page = signed_in(team.app, Role.DESK, DISTRICT).get(f"/api/matters?district={DISTRICT}").json()
    (matter,) = [one for one in page["matters"] if one["subject"] == actions.SUBJECT_ENDING]
    assert matter["params"] == {"count": 2, "on": "2027-01-16"}


def test_a_shift_that_was_called_off_or_makes_no_sense(team: Team) -> None:
    phone, shift = team.member(), team.shift()
    team.tell(team.desk, f"/shifts/{shift}/cancel")
    team.sign_up(phone, shift, 409)
    assert mine(phone)["shifts"] == []
    for hours, length in ((-3, 2), (1, 0), (1, 13)):
        starts = NIGHT + timedelta(hours=hours)
        body = {
            "id": ids.new_id(), "work": "aid", "place": "x", "wanted": 1, "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=length)).isoformat(),
        }  # fmt: skip
        assert team.tell(team.desk, "/shifts", body, 400)["error"] == "team_shift.times"


AT = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3)).map(lambda at: at.replace(tzinfo=UTC))


@given(st.lists(st.tuples(AT, AT).map(sorted).map(tuple), max_size=6))
def test_nobody_serves_twice_at_once(stretches: list[tuple[datetime, datetime]]) -> None:
    first, last = datetime(2026, 1, 1, 6, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    minutes = [first + timedelta(minutes=n, seconds=30) for n in range(18 * 60)]
    counted = sum(any(began <= at < ended for began, ended in stretches) for at in minutes) * 60
    assert served_s(stretches, first, last) == pytest.approx(counted, abs=60 * max(1, 2 * len(stretches)))
    assert served_s([*stretches, *stretches], first, last) == served_s(stretches, first, last)


def test_a_year_begins_with_the_district_s_new_year(team: Team, night: MoveOn) -> None:
    """The hours of the year are those since midnight of the district, eight hours before London's."""
    phone = team.member()
    place = team.sign_up(phone, team.shift(3.0))
    night(timedelta(hours=6))
    hours = {"came_at": "2026-12-31T15:00:00Z", "went_at": "2026-12-31T17:00:00Z"}
    team.tell(team.desk, f"/sign-ups/{place}/hours", hours)
    assert mine(phone)["served_s"] == 3600.0
    wanted = {"account_id": account_of(phone), "from_on": "2026-12-31", "until_on": "2026-12-31"}
    assert team.tell(phone, "/certificates", wanted)["served_s"] == 3600.0
