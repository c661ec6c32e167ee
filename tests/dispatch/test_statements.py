"""A decision asks the database for nothing twice, and for no more than it needs: each question takes as long as
a person's whole decision does elsewhere, and on PostgreSQL a way there and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tests.dispatch.conftest import Duty
from tests.incidents.conftest import reported

from anshang.dispatch import actions
from anshang.dispatch.model import AssignmentState, Because
from anshang.foundation import ids
from anshang.incidents import actions as incidents
from anshang.incidents.model import Source, Spot
from anshang.matters import actions as matters

Asked = list[tuple[str, str]]
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
OF_THE_TURN = ("set_config", "pg_advisory")


@contextmanager
def counted() -> Iterator[Asked]:
    """The statements of the block with their values; those by which a transaction begins left out."""
    asked: Asked = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_more: object) -> None:
        if statement.startswith(VERBS) and not any(sign in statement for sign in OF_THE_TURN):
            asked.append((statement, repr(values)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def told(duty: Duty, most: int, verb: Callable[..., Any], **how: Any) -> Any:
    """What the verb answers, when it takes no more than `most` statements and none of them again."""
    with counted() as asked:
        answer = duty.act(verb, **how)
    assert len(asked) <= most, "\n".join(statement for statement, _ in asked)
    questions = [one for one in asked if one[0].startswith("SELECT")]
    assert len(set(questions)) == len(questions), questions
    return answer


@pytest.mark.postgres
def test_a_decision_asks_for_nothing_twice(duty: Duty) -> None:
    desk, phone = duty.desk, duty.crews["k1"]
    incident = told(
        duty, 12, incidents.report, actor=desk, id=ids.new_id(), source=Source.PHONE, text="", category_id="help",
        priority=None, spot=Spot(zone_id="z0"),
    )  # fmt: skip
    first, second = ids.new_id(), ids.new_id()
    told(duty, 15, actions.offer, actor=desk, id=first, incident_id=incident.id, unit_id="k1")
    told(duty, 5, actions.stand_down, actor=desk, id=first, because=Because.NONE)
    told(duty, 12, actions.offer, actor=desk, id=second, incident_id=incident.id, unit_id="k1")
    told(duty, 8, actions.answer, actor=phone, id=second, accepted=True)
    told(duty, 9, actions.take_step, actor=phone, id=second, to=AssignmentState.ON_SCENE)
    told(duty, 7, actions.take_step, actor=phone, id=second, to=AssignmentState.DONE)
    told(duty, 10, incidents.clear, actor=desk, id=incident.id, outcome="settled", version=incident.version)


def test_an_alarm_is_acknowledged_in_five_statements(duty: Duty) -> None:
    incident = reported(duty.database, duty.desk)
    told(duty, 5, matters.acknowledge, actor=duty.desk, id=incident.id)


def test_a_crew_that_nothing_more_is_asked_of_is_read_for_its_roles_alone(duty: Duty) -> None:
    incident = reported(duty.database, duty.desk)
    with counted() as asked:
        duty.offered(incident, "k1")
    assert not [statement for statement, _ in asked if "FROM members" in statement]
