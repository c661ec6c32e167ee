"""A copy of a district for a drill: what it has of the district, and that nothing of it is left afterwards."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Table, inspect, select, text
from tests.conftest import DISTRICT, NIGHT
from tests.drills.test_drills import Exercise
from tests.drills.test_drills import app as app_fixture
from tests.drills.test_drills import exercise as exercise_fixture
from tests.drills.test_drills import quarter as quarter_fixture

from anshang.crowds.watch import Watch
from anshang.drills import copying, store
from anshang.foundation import clock, ids
from anshang.foundation.database import Database, metadata
from anshang.foundation.errors import BadInput
from anshang.journal import actions as journal
from anshang.journal import store as journal_store
from anshang.journal.model import EVERYWHERE
from anshang.people.model import operator_actor
from anshang.places import actions as places

pytestmark = pytest.mark.postgres
app, quarter, exercise = app_fixture, quarter_fixture, exercise_fixture
CHANGED = {
    "districts": {"name_zh", "name_en"},
    "units": {"status", "since_at", "duty_id", "device_digest"},
}
"""What a copy has otherwise than its district."""


def columns_of(connection: Connection) -> dict[str, list[Any]]:
    """The columns of every table of the migrated database, by table."""
    found = inspect(connection)
    return {name: found.get_columns(name) for name in found.get_table_names()}


def a_row(columns: list[Any], district_id: str) -> dict[str, Any]:
    """A row of the table as far as its columns must have a value."""
    values: dict[str, Any] = {}
    for column in columns:
        kind = column["type"].python_type if column["type"].__class__.__name__ != "JSON" else dict
        if column["name"] == "district_id":
            values["district_id"] = district_id
        elif not column["nullable"]:
            plain: dict[type, Any] = {
                int: 1,
                float: 1.0,
                bool: True,
                bytes: b"x",
                dict: "{}",
                date: NIGHT.date(),
            }
            values[column["name"]] = plain.get(kind, "1" if kind is str else NIGHT)
    return values


def rows_of(connection: Connection, table: Table, district_id: str) -> list[dict[str, Any]]:
    found = connection.execute(select(table).where(table.c.district_id == district_id))
    return sorted((dict(row._mapping) | {"district_id": ""} for row in found), key=str)


def test_every_table_of_a_district_is_copied_or_begins_empty(database: Database) -> None:
    """A new table that nobody thought of would carry one drill into the next."""
    with database.reading() as connection:
        there = {
            name
            for name, columns in columns_of(connection).items()
            if any(c["name"] == "district_id" for c in columns)
        }
    listed = [*store.COPIED, *store.EMPTY, *store.LASTING, *store.INSTALLATION]
    assert sorted(listed) == sorted(there)


def test_a_copy_has_what_its_district_has(exercise: Exercise, quarter: Database) -> None:
    exercise.begin()
    with quarter.reading([DISTRICT, exercise.copy]) as connection:
        for name in store.COPIED:
            but = CHANGED.get(name, set())
            real, copy = (
                [
                    {key: value for key, value in row.items() if key not in but}
                    for row in rows_of(connection, metadata.tables[name], of)
                ]
                for of in (DISTRICT, exercise.copy)
            )
            assert copy == real, name
        with_rows = {
            name for name in store.EMPTY
            if name in metadata.tables and rows_of(connection, metadata.tables[name], exercise.copy)
        }  # fmt: skip
    assert with_rows == {"sensors"}


def test_nothing_of_a_copy_is_left_but_its_journal(exercise: Exercise, quarter: Database) -> None:
    """Whatever table a room fills during a drill."""
    exercise.begin()
    with quarter.transaction(exercise.copy) as tx:
        for name, columns in columns_of(tx.connection).items():
            if name not in store.EMPTY or name == "vault_records":
                continue
            values = a_row(columns, exercise.copy)
            names, signs = ", ".join(f'"{key}"' for key in values), ", ".join(f":{key}" for key in values)
            tx.connection.execute(text(f'INSERT INTO "{name}" ({names}) VALUES ({signs})'), values)
    exercise.end()
    with quarter.reading([exercise.copy]) as connection:
        left = {
            name for name, columns in columns_of(connection).items()
            if any(c["name"] == "district_id" for c in columns)
            and connection.execute(text(f'SELECT count(*) FROM "{name}" WHERE district_id = :here'), {"here": exercise.copy}).scalar()
        }  # fmt: skip
        assert left <= set(store.LASTING)
        assert journal.verify(connection, exercise.copy) == []
    assert exercise.app.state.services[Watch].find(exercise.copy) is None


def test_a_copy_that_was_left_behind_goes_when_the_next_drill_begins(
    exercise: Exercise, quarter: Database
) -> None:
    """A server that stopped in the middle of an end, or the one copy for all drills of an earlier release."""
    copying.prepare(quarter, DISTRICT, ids.new_id())
    exercise.begin()
    with quarter.reading([DISTRICT]) as connection:
        assert copying.copies_of(connection, DISTRICT) == [exercise.copy]
    assert [one["id"] for one in exercise.desk.get("/api/districts").json()] == [DISTRICT, exercise.copy]


def stopped_in_an_end(exercise: Exercise, quarter: Database) -> None:
    """The end is written down, and the server stopped before the copy was gone."""
    with quarter.transaction(DISTRICT) as tx:
        drill = store.drills.get(tx.connection, DISTRICT, exercise.id)
        store.drills.put(tx, drill.ended(clock.now(), []))


@pytest.mark.parametrize("by", ["the player", "its leader"])
def test_a_copy_whose_end_was_interrupted_goes(exercise: Exercise, quarter: Database, by: str) -> None:
    """Everybody would keep it among their districts, and a call for help would be taken for a drill."""
    exercise.begin()
    exercise.go_on(1)
    stopped_in_an_end(exercise, quarter)
    if by == "the player":
        exercise.go_on(1)
    else:
        exercise.end()
    with quarter.reading([DISTRICT]) as connection:
        assert copying.copies_of(connection, DISTRICT) == []
    assert [one["id"] for one in exercise.desk.get("/api/districts").json()] == [DISTRICT]
    assert exercise.app.state.services[Watch].find(exercise.copy) is None


def test_a_drill_that_has_ended_is_ended_again_without_a_trace(exercise: Exercise, quarter: Database) -> None:
    exercise.begin()
    exercise.end()
    with quarter.reading([EVERYWHERE]) as connection:
        before = journal_store.last_link(connection, EVERYWHERE)
    exercise.end()
    exercise.go_on(0.5)
    with quarter.reading([EVERYWHERE]) as connection:
        assert journal_store.last_link(connection, EVERYWHERE) == before


def test_no_district_can_bear_the_code_of_a_copy(database: Database) -> None:
    """It would lose its public page, its gateway and its messages without a word."""
    for code in ("x-drill", ids.drill_of("x", ids.new_id())):
        with pytest.raises(BadInput, match="drill"), database.transaction(code) as tx:
            places.import_document(tx, actor=operator_actor(code), document=b"{}")
