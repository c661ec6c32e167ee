"""A second drill begins as the first one did: nothing of the first is left, in the database or in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.drills.test_drills import HERE, Exercise
from tests.drills.test_drills import app as app_fixture
from tests.drills.test_drills import exercise as exercise_fixture
from tests.drills.test_drills import quarter as quarter_fixture

from anshang.foundation import ids

pytestmark = pytest.mark.postgres
app, quarter, exercise = app_fixture, quarter_fixture, exercise_fixture
CROWDED = """
name_zh = "拥挤"
name_en = "Crowded"
minutes = 30
[[crowd]]
zone = "z0"
people = [[0, 100], [2, 100], [4, 9000]]
"""


def crowd_alarms(exercise: Exercise) -> list[Any]:
    return [matter for matter in exercise.queue() if matter["kind"] == "crowd"]


def test_a_second_drill_inherits_nothing_of_the_first(exercise: Exercise) -> None:
    """Level, alarm and order of the first drill would hide that the second one becomes dangerous."""
    exercise.begin(CROWDED)
    exercise.go_on(8)
    assert crowd_alarms(exercise)
    order = {"zone_id": "z0", "level": 3}
    given = exercise.desk.post(f"/api/orders{exercise.there}", json=order | {"id": ids.new_id()})
    assert given.status_code == 200, given.text
    exercise.end()
    exercise.move_on(timedelta(minutes=5))
    exercise.id = ids.new_id()
    exercise.begin(CROWDED)
    exercise.go_on(1)
    assert crowd_alarms(exercise) == []
    zones = exercise.desk.get(f"/api/crowd{exercise.there}").json()
    assert zones
    exercise.go_on(7)
    assert crowd_alarms(exercise)
    given = exercise.desk.post(f"/api/orders{exercise.there}", json=order | {"id": ids.new_id()})
    assert given.status_code == 200, given.text


def test_units_on_duty_begin_the_drill_on_duty(exercise: Exercise) -> None:
    """A drill with nobody to send teaches nothing; off duty stays off duty."""
    crew = exercise.leader.get("/api/session").json()["account"]["id"]
    begun = exercise.desk.post(f"/api/units/k1/duty{HERE}", json={"id": ids.new_id(), "crew": [crew]})
    assert begun.status_code == 200, begun.text
    exercise.begin()
    (unit,) = exercise.desk.get(f"/api/units{exercise.there}").json()
    assert unit["status"] == "free"
    assert unit["duty_id"] not in (None, begun.json()["id"])
    exercise.end()
    (unit,) = exercise.desk.get(f"/api/units{HERE}").json()
    assert unit["duty_id"] == begun.json()["id"]
