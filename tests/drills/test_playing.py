"""What a scenario brings, each by itself: units stay where they stood, and a call that fails keeps no other back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.conftest import DISTRICT
from tests.drills.test_drills import HERE, Exercise
from tests.drills.test_drills import app as app_fixture
from tests.drills.test_drills import exercise as exercise_fixture
from tests.drills.test_drills import quarter as quarter_fixture
from tests.partners.conftest import LAT, LON

from anshang.dispatch.dispatcher import Dispatcher
from anshang.drills.model import DrillKind
from anshang.foundation import clock, ids
from anshang.foundation.items import ItemsFailed
from anshang.incidents.category_actions import retire_category
from anshang.journal import store as journal
from anshang.patrols import store as patrols_store
from anshang.patrols.positions import Told
from anshang.patrols.whereabouts import Whereabouts, duty_of
from anshang.people.model import operator_actor

pytestmark = pytest.mark.postgres
app, quarter, exercise = app_fixture, quarter_fixture, exercise_fixture
CALLS = """
name_zh = "来电"
name_en = "Calls"
minutes = 30
[[call]]
at = 1
text = "somebody fell"
category = "drunk"
zone = "z1"
[[call]]
at = 2
text = "somebody is lost"
category = "lost_person"
zone = "z0"
"""


def on_duty(exercise: Exercise, unit_id: str) -> None:
    """The unit goes on duty with a crew of one."""
    crew = exercise.leader.get("/api/session").json()["account"]["id"]
    body = {"id": ids.new_id(), "crew": [crew]}
    begun = exercise.desk.post(f"/api/units/{unit_id}/duty{HERE}", json=body)
    assert begun.status_code == 200, begun.text


def tell(exercise: Exercise, district_id: str, lon: float) -> None:
    """The phone of k1 says where it is."""
    with exercise.database.reading([district_id]) as connection:
        unit = patrols_store.units.get(connection, district_id, "k1")
    told = [Told(clock.to_ms(clock.now()), lon, LAT, 5.0)]
    receipt = exercise.app.state.services[Whereabouts].take(
        unit, duty_of(exercise.database, unit), told, "phone"
    )
    assert receipt.refused == ()


def advised(exercise: Exercise, incident_id: str) -> list[str]:
    """Who could be there, the first one first."""
    (advice,) = exercise.app.state.services[Dispatcher].advise(exercise.copy, [incident_id], everybody=True)
    return [one.unit_id for one in advice.candidates]


def fix_of(exercise: Exercise) -> dict[str, object]:
    units = exercise.desk.get(f"/api/units{exercise.there}").json()
    fix: dict[str, object] = next(one["fix"] for one in units if one["id"] == "k1")
    return fix


def test_a_unit_that_no_phone_moves_stays_where_it_stood_as_the_drill_began(exercise: Exercise) -> None:
    """After two minutes nobody would be advised in a drill without phones."""
    on_duty(exercise, "k1")
    tell(exercise, DISTRICT, LON + 0.0002)
    exercise.begin(CALLS)
    exercise.go_on(6)
    call = next(one for one in exercise.queue() if "fell" in one["text"])
    assert advised(exercise, call["id"]) == ["k1"]
    fix = fix_of(exercise)
    assert (fix["lon"], fix["stale"], fix["simulated"]) == (LON + 0.0002, False, True)


def test_a_phone_that_works_in_the_drill_alone_says_where_its_unit_is(exercise: Exercise) -> None:
    """It may have gone far since, and when it falls silent its position grows old as always."""
    on_duty(exercise, "k1")
    tell(exercise, DISTRICT, LON + 0.0002)
    exercise.begin(CALLS)
    exercise.go_on(5)
    tell(exercise, exercise.copy, LON + 0.0100)
    exercise.go_on(1)
    fix = fix_of(exercise)
    assert (fix["lon"], fix["stale"], fix["simulated"]) == (LON + 0.0100, False, False)
    exercise.go_on(2)
    assert fix_of(exercise)["stale"] is True


def test_a_call_that_cannot_be_played_keeps_no_other_back_and_is_named(exercise: Exercise) -> None:
    exercise.begin(CALLS)
    with exercise.database.transaction(exercise.copy) as tx:
        retire_category(tx, actor=operator_actor(exercise.copy), id="drunk")
    exercise.go_on(5 / 6)
    for _ in range(8):
        exercise.move_on(timedelta(seconds=10))
        with pytest.raises(ItemsFailed):
            exercise.player.go_on(exercise.copy)
    assert [one["text"] for one in exercise.queue()] == ["somebody is lost"]
    (drill,) = exercise.leader.get(f"/api/drills{HERE}").json()["drills"]
    assert [one["name_zh"] for one in drill["not_played"]] == ["somebody fell"]
    assert {step["inject"] for step in drill["steps"]} == {"somebody is lost"}
    exercise.end()
    (drill,) = exercise.leader.get(f"/api/drills{HERE}").json()["drills"]
    assert [one["name_zh"] for one in drill["not_played"]] == ["somebody fell"]
    with exercise.database.reading([DISTRICT]) as connection:
        entries = journal.list_after(connection, DISTRICT, 0)
    (ended,) = [entry for entry in entries if entry.kind == DrillKind.ENDED]
    assert ended.details["steps"] == len(drill["steps"])


def test_zones_of_the_score_are_named_in_both_languages(exercise: Exercise) -> None:
    with exercise.database.transaction(DISTRICT) as tx:
        tx.connection.execute(
            text("UPDATE zones SET name_zh = '太平街', name_en = 'Taiping St' WHERE id = 'z0'")
        )
    exercise.begin()
    exercise.go_on(12)
    for end in (lambda: None, exercise.end):
        end()
        steps = exercise.steps()
        zone = steps["z0", "acknowledged"]
        assert (zone["name_zh"], zone["name_en"]) == ("太平街", "Taiping St")
        call = steps["a child is lost", "sent"]
        assert call["name_zh"] == call["name_en"] == "a child is lost"
