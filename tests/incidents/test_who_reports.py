"""As what somebody reports, and that a list of incidents costs as much as its answer, not as its length."""

from __future__ import annotations

import pytest
from sqlalchemy import event
from tests.conftest import DISTRICT, Make
from tests.incidents.conftest import district as district_fixture
from tests.incidents.conftest import reported

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput
from anshang.incidents import actions, reading
from anshang.incidents.model import LinkKind, Source
from anshang.people.model import Role

district = district_fixture


@pytest.mark.parametrize(
    ("role", "sources"),
    [
        (Role.DESK, set(Source)),
        (Role.PATROL, {Source.PATROL, Source.SOS, Source.PHONE, Source.KIOSK}),
        (Role.VOLUNTEER, {Source.PATROL, Source.SOS}),
        (Role.PARTNER, {Source.MERCHANT}),
        (Role.VISITOR, {Source.PUBLIC}),
    ],
)
def test_a_role_reports_as_what_it_is(
    district: Database, make: Make, role: Role, sources: set[Source]
) -> None:
    """A report that says it came from a sensor, or from the public, is believed as such."""
    for source in Source:
        if source in sources:
            assert reported(district, make.actor(role), source=source).source is source
        else:
            with pytest.raises(BadInput):
                reported(district, make.actor(role), source=source)


@pytest.mark.parametrize(
    ("role", "source"),
    [(Role.VOLUNTEER, Source.SOS), (Role.PARTNER, Source.MERCHANT), (Role.PATROL, Source.PATROL)],
)
def test_only_the_desk_marks_a_report_as_a_drill(
    district: Database, make: Make, role: Role, source: Source
) -> None:
    """A true call that is marked as an exercise is answered by nobody."""
    with pytest.raises(BadInput):
        reported(district, make.actor(role), source=source, drill=True)
    assert reported(district, make.actor(), drill=True).drill


def test_a_page_asks_as_often_for_ten_incidents_nearby_as_for_one(district: Database, make: Make) -> None:
    desk = make.actor()

    def questions(id: str) -> int:
        asked: list[str] = []
        with district.reading([DISTRICT]) as connection:
            event.listen(connection, "before_cursor_execute", lambda *told: asked.append(told[2]))
            shown = reading.page(connection, desk, DISTRICT, id)
        assert len(shown.links) == len(shown.grounds.near)
        return len(asked)

    def belongs(id: str, other_id: str) -> None:
        with district.transaction(DISTRICT) as tx:
            actions.link(
                tx, actor=desk, id=ids.new_id(), incident_id=id, other_id=other_id, kind=LinkKind.RELATED
            )

    first = reported(district, desk)
    belongs(first.id, reported(district, desk).id)
    of_one = questions(first.id)
    for _ in range(3):
        belongs(first.id, reported(district, desk).id)
    assert questions(first.id) == of_one
