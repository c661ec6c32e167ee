"""A drill: a scenario plays on a copy of the district, is timed, enters no figure, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT, NIGHT
from tests.dispatch.conftest import a_unit
from tests.lookouts.test_lookouts import told as told_of_child
from tests.partners.conftest import ADMIN, at_shop
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.crowds.ingest import Intake
from anshang.crowds.watch import Watch
from anshang.drills import store
from anshang.drills.copying import sensor_of
from anshang.drills.playing import Player
from anshang.drills.scenario import read_scenario
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.journal import store as journal
from anshang.patrols import actions as patrols
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.model import Role
from anshang.vault.keys import Keyring

pytestmark = pytest.mark.postgres
app, quarter = app_fixture, quarter_fixture
MoveOn = Callable[[timedelta], None]
HERE = f"?district={DISTRICT}"
SCENARIO = """
name_zh = "跨年夜"
name_en = "New Year's Eve"
minutes = 30
[[crowd]]
zone = "z0"
people = [[0, 100], [5, 100], [10, 9000]]
[[call]]
at = 1
text = "a child is lost"
category = "lost_person"
zone = "z1"
[[failure]]
zone = "z2"
from = 6
until = 12
[answers]
after_s = 60
silent = ["p3"]
sees = "p2"
"""


class Exercise:
    """A drill while it goes on, as the desk and its leader see it."""

    def __init__(self, app: FastAPI, database: Database, move_on: MoveOn) -> None:
        self.app, self.database, self.move_on = app, database, move_on
        self.leader = signed_in(app, Role.SUPERVISOR, DISTRICT)
        self.desk = signed_in(app, Role.DESK, DISTRICT)
        self.id = ids.new_id()
        services = app.state.services
        self.player = Player(
            database, services[Intake], services[Watch], services[Whereabouts], services[Keyring]
        )
        self.copy = ""

    @property
    def there(self) -> str:
        """The copy on which the drill plays, as a query."""
        return f"?district={self.copy}"

    def begin(self, scenario: str = SCENARIO, status: int = 200) -> Any:
        body = {"id": self.id, "scenario": scenario}
        answer = self.leader.post(f"/api/drills{HERE}", json=body)
        assert answer.status_code == status, answer.text
        if status == 200:
            self.copy = answer.json()["drills"][0]["copy_id"]
        return answer.json()

    def end(self) -> None:
        answer = self.leader.post(f"/api/drills/{self.id}/end{HERE}")
        assert answer.status_code == 200, answer.text

    def go_on(self, minutes: float) -> None:
        """Let minutes pass, ten seconds at a time."""
        for _ in range(round(minutes * 6)):
            self.move_on(timedelta(seconds=10))
            self.player.go_on(self.copy)
            if self.app.state.services[Watch].find(self.copy) is not None:
                self.app.state.services[Watch].step(self.copy)
                self.app.state.services[Watch].save_changes(self.copy)

    def steps(self) -> dict[tuple[str, str], Any]:
        """The steps by inject and name."""
        drill = self.leader.get(f"/api/drills{HERE}").json()["drills"][0]
        return {(step["inject"], step["step"]): step for step in drill["steps"]}

    def queue(self, where: str = "") -> list[Any]:
        return list(self.desk.get(f"/api/matters{where or self.there}").json()["matters"])


@pytest.fixture
def exercise(app: FastAPI, quarter: Database, night: MoveOn) -> Exercise:
    with quarter.transaction(DISTRICT) as tx:
        patrols.define_unit(tx, actor=ADMIN, unit=a_unit("k1", "officer_pair"))
    return Exercise(app, quarter, night)


def test_the_team_works_on_a_copy_that_is_marked(exercise: Exercise) -> None:
    exercise.begin()
    districts = exercise.desk.get("/api/districts").json()
    assert [(one["id"], one["drill"]) for one in districts] == [(DISTRICT, False), (exercise.copy, True)]
    assert districts[1]["name"]["zh"].startswith("演练 ")
    exercise.go_on(2)
    (call,) = [matter for matter in exercise.queue() if matter["kind"] == "incident"]
    assert call["drill"] is True
    assert exercise.queue(HERE) == []
    assert {unit["id"] for unit in exercise.desk.get(f"/api/units{exercise.there}").json()} == {"k1"}
    assert len(exercise.desk.get(f"/api/partners{exercise.there}").json()) == 6
    with exercise.database.reading([exercise.copy]) as connection:
        entries = journal.list_after(connection, exercise.copy, 0)
    assert entries
    assert all(entry.drill for entry in entries)


def test_nobody_outside_the_team_hears_of_it(exercise: Exercise) -> None:
    exercise.begin()
    anybody = TestClient(exercise.app)
    assert anybody.get(f"/api/public{exercise.there}").status_code == 404
    call = {"id": ids.new_id(), "what": "hurt", "zone_id": "z0"}
    assert anybody.post(f"/api/public/calls{exercise.there}", json=call).status_code == 404
    assert anybody.get(f"/api/public{HERE}").status_code == 200


def test_crowds_rise_counters_fail_and_partners_answer(exercise: Exercise) -> None:
    exercise.begin()
    exercise.go_on(2)
    child = told_of_child(seen_at=(NIGHT + timedelta(seconds=70)).isoformat(), zone_id="z1")
    opened = exercise.desk.post(f"/api/lookouts{exercise.there}", json=child)
    assert opened.status_code == 200, opened.text
    ask = {"premises_ids": [f"p{n}" for n in range(6)]}
    exercise.desk.post(f"/api/lookouts/{child['id']}/ask{exercise.there}", json=ask)
    exercise.go_on(1.5)
    page = exercise.desk.get(f"/api/notices/{child['notice_id']}{exercise.there}").json()
    answers = {one["partner_id"]: one["answer"] for one in page["deliveries"]}
    assert answers["p3"] is None
    assert answers["p2"] == "seen"
    assert {answers[f"p{n}"] for n in (0, 1, 4, 5)} == {"not_here"}
    exercise.go_on(8)
    assert {matter["kind"] for matter in exercise.queue()} >= {"crowd", "sensor", "lookout", "incident"}
    assert exercise.queue(HERE) == []


def test_steps_are_timed_beside_real_ones(exercise: Exercise) -> None:
    exercise.begin()
    exercise.go_on(1)
    exercise.move_on(timedelta(seconds=20))
    (call,) = exercise.queue()
    exercise.desk.post(f"/api/matters/{call['id']}/acknowledge{exercise.there}")
    name = "a child is lost"
    steps = exercise.steps()
    assert (steps[name, "acknowledged"]["took_s"], steps[name, "acknowledged"]["met"]) == (20.0, True)
    assert (steps[name, "sent"]["took_s"], steps[name, "sent"]["met"]) == (None, False)
    assert ("z0", "acknowledged") not in steps
    exercise.go_on(9)
    (crowd,) = [matter for matter in exercise.queue() if matter["kind"] == "crowd"]
    order = {"id": ids.new_id(), "zone_id": "z0", "level": 3}
    exercise.desk.post(f"/api/orders{exercise.there}", json=order)
    exercise.desk.post(f"/api/matters/{crowd['id']}/acknowledge{exercise.there}")
    steps = exercise.steps()
    assert steps["z0", "ordered"]["took_s"] is not None
    assert steps["z0", "acknowledged"]["target_s"] == 30.0
    real = {
        "id": ids.new_id(),
        "source": "phone",
        "text": "x",
        "category_id": "injury",
        "place": {"zone_id": "z0"},
    }
    exercise.desk.post(f"/api/incidents{HERE}", json=real)
    exercise.move_on(timedelta(seconds=40))
    exercise.desk.post(f"/api/matters/{real['id']}/acknowledge{HERE}")
    shown = exercise.leader.get(f"/api/drills{HERE}").json()["real"]
    assert shown == [{"step": "acknowledged", "median_s": 40.0, "n": 1}]


def test_each_failure_is_timed_by_the_alarm_it_was_in(exercise: Exercise) -> None:
    second = '[[failure]]\nzone = "z1"\nfrom = 20\nuntil = 28\n'
    exercise.begin(SCENARIO.replace("[answers]", second + "[answers]"))
    exercise.go_on(11.5)
    (first,) = [one for one in exercise.queue() if one["kind"] == "sensor"]
    exercise.desk.post(f"/api/matters/{first['id']}/acknowledge{exercise.there}")
    took_s = exercise.steps()["z2", "acknowledged"]["took_s"]
    assert took_s > 0
    exercise.go_on(14.5)
    (alarm,) = [one for one in exercise.queue() if one["kind"] == "sensor"]
    assert alarm["id"] != first["id"]
    steps = exercise.steps()
    assert steps["z2", "acknowledged"]["took_s"] == took_s
    assert steps["z1", "acknowledged"]["took_s"] is None
    exercise.desk.post(f"/api/matters/{alarm['id']}/acknowledge{exercise.there}")
    assert exercise.steps()["z1", "acknowledged"]["took_s"] > 0


def test_the_end_puts_everything_to_rest_and_keeps_the_score(exercise: Exercise) -> None:
    exercise.begin()
    exercise.go_on(2)
    child = told_of_child(seen_at=(NIGHT + timedelta(seconds=70)).isoformat(), zone_id="z1")
    exercise.desk.post(f"/api/lookouts{exercise.there}", json=child)
    shop = at_shop(exercise.app, "p1")
    exercise.go_on(28.5)
    with exercise.database.reading([DISTRICT]) as connection:
        (drill,) = store.list_drills(connection, DISTRICT)
    assert drill.ended_at == NIGHT + timedelta(minutes=30)
    assert drill.score is not None and ("a child is lost", "lookout") in {
        (step["inject"], step["step"]) for step in drill.score
    }
    assert [one["id"] for one in exercise.desk.get("/api/districts").json()] == [DISTRICT]
    assert exercise.desk.get(f"/api/matters{exercise.there}").status_code == 403
    assert shop.get(f"/api/shop{HERE}").json()["notices"] == []
    assert exercise.app.state.services[Keyring].list_keys() == []
    again = Exercise(exercise.app, exercise.database, exercise.move_on)
    again.begin()
    assert again.queue() == []


def test_one_drill_at_a_time_by_its_leader_alone(exercise: Exercise) -> None:
    exercise.begin()
    exercise.begin()
    first, exercise.id = exercise.id, ids.new_id()
    assert exercise.begin(status=409)["error"] == "drill.running"
    within = exercise.leader.post(
        f"/api/drills{exercise.there}", json={"id": ids.new_id(), "scenario": SCENARIO}
    )
    assert within.json()["error"] == "drill.within"
    for _ in range(2):
        ended = exercise.leader.post(f"/api/drills/{first}/end{HERE}")
        assert ended.status_code == 200, ended.text
    exercise.begin()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("minutes = [", "TOML"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 1e9', "minutes"),
        ('name_zh = "x"\nminutes = 30', "name_en"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\nzones = 3', "zones"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\n[[call]]\nat = 40\ntext = "x"', "at"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\n[[crowd]]\nzone = "z0"\npeople = [[5, 1], [2, 1]]', "people"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\n[[crowd]]\nzone = "z0"\npeople = 3', "minute"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\n[targets]\nlunch = 3', "targets.lunch"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\ntargets = "sent"', "targets"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\ntargets = 3', "targets"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\nanswers = [1]', "answers"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\n[[call]]\nat = 1\ntext = "x"\nzone = "nowhere"', "nowhere"),
        ('name_zh = "x"\nname_en = "y"\nminutes = 30\n[answers]\nafter_s = 1\nsilent = ["ghost"]', "ghost"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_scenario_is_named(exercise: Exercise, wrong: str, named: str) -> None:
    refused = exercise.begin(wrong, 400)
    assert named in refused["message"]["en"]
    assert exercise.leader.get(f"/api/drills{HERE}").json()["drills"] == []
    assert [one["id"] for one in exercise.desk.get("/api/districts").json()] == [DISTRICT]


def test_the_sample_fits_the_district(exercise: Exercise) -> None:
    text = exercise.leader.get(f"/api/drills{HERE}").json()["sample"]
    assert read_scenario(text).minutes == 30
    exercise.begin(text)


def test_a_district_that_changed_is_copied_as_it_is_now(exercise: Exercise, quarter: Database) -> None:
    exercise.begin()
    exercise.leader.post(f"/api/drills/{exercise.id}/end{HERE}")
    with quarter.transaction(DISTRICT) as tx:
        patrols.define_unit(tx, actor=ADMIN, unit=a_unit("k2", "rapid"))
    exercise.id = ids.new_id()
    exercise.begin()
    assert {unit["id"] for unit in exercise.desk.get(f"/api/units{exercise.there}").json()} == {"k1", "k2"}
    sensors = exercise.desk.get(f"/api/crowd/sensors{exercise.there}").json()
    assert {sensor["id"] for sensor in sensors} == {sensor_of(f"z{n}") for n in range(3)}
