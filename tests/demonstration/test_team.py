"""The demonstration's duty team: what it invents is labelled, served through the public door, and closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serving import serving

from anshang.app import create_app
from anshang.demonstration import team as teams
from anshang.demonstration.duty import staff
from anshang.demonstration.feeder import Feeder
from anshang.demonstration.programme import Programme
from anshang.demonstration.running import PASSWORD, set_up
from anshang.demonstration.scenes import REFERENCE_ON, open_scene
from anshang.demonstration.team import LABEL, Team
from anshang.foundation import clock
from anshang.matters import store as matters
from anshang.people import actions as people
from anshang.people.model import engine_actor
from anshang.settings import Settings
from anshang.web.session import Runtime

pytestmark = pytest.mark.slow
LONGEST_S = 60


@pytest.fixture
def programme() -> Iterator[Programme]:
    programme = Programme(open_scene("wuyi"), REFERENCE_ON)
    with clock.standing_at(programme.started_at):
        clock.run_from(programme.started_at, speed=60)
        yield programme


def test_invented_incidents_are_labelled_served_and_closed(
    tmp_path: Path, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teams, "PER_PERSON_H", 1.0)
    app = create_app(Settings(data_folder=tmp_path))
    database = app.state.services[Runtime].database
    place = programme.scene.place
    key = set_up(database, programme)
    crews, desk = staff(database, place, people.hashed(PASSWORD, "crew"))
    assert {one.kind_id for one in crews} == {"officer_pair", "volunteer", "rapid", "lookout", "safe_house"}
    with serving(app) as url:
        feeder = Feeder(url, key, place.district.id, programme)
        feeder.catch_up(programme.ends_at(60), 60.0, lambda _: None)
        feeder.close()
        team = Team(url, place, crews, desk)
        until_s = time.monotonic() + LONGEST_S
        while team.cleared == 0 and time.monotonic() < until_s:
            team.work()
            time.sleep(0.1)
        team.close()
    assert team.reported >= team.cleared >= 1
    with database.reading([place.district.id]) as connection:
        scope = engine_actor(place.district.id).scope
        closed = matters.list_closed(connection, scope, place.district.id, 50)
    assert closed and all(one.text.startswith(LABEL) for one in closed if one.kind == "incident")
