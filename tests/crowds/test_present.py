"""The present state of a district over HTTP, and the answer while there is none."""

from __future__ import annotations

from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.partners.conftest import app as app_fixture
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.crowds.watch import Watch
from anshang.people.model import Role

app, quarter = app_fixture, quarter_fixture


def test_a_district_that_is_not_watched_yet_has_no_present_state(app: FastAPI) -> None:
    """Nothing known is not an empty district."""
    desk = signed_in(app, Role.DESK, DISTRICT)
    assert desk.get(f"/api/crowd?district={DISTRICT}").status_code == 404
    app.state.services[Watch].load(DISTRICT)
    assert desk.get(f"/api/crowd?district={DISTRICT}").json()["full"] is True
