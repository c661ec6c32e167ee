"""Seals: every day has one, a wrong clock blocks none, none is missing unseen, and paper proves the days before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.conftest import NIGHT
from tests.journal.test_journal import MoveOn, faults, record, tamper

from anshang.foundation.database import Database
from anshang.journal import actions, store

pytestmark = pytest.mark.postgres
TODAY = NIGHT.date()
DAY = timedelta(days=1)


def seal(database: Database, on_days_after: int = 0) -> None:
    with database.transaction("wuyi") as tx:
        actions.seal(tx, TODAY + on_days_after * DAY)


def test_a_day_that_was_sealed_by_a_wrong_clock_is_sealed_again_when_it_is_over(
    database: Database, night: MoveOn
) -> None:
    record(database, 3)
    seal(database, on_days_after=10)
    night(10 * DAY)
    (last,) = record(database, 1)
    seal(database, on_days_after=10)
    with database.reading(["wuyi"]) as connection:
        newest = store.find_seal(connection, "wuyi", TODAY + 10 * DAY)
    assert newest is not None
    assert newest.chain == last.chain
    assert faults(database) == [], "both seals fit"


def test_days_on_which_the_server_was_off_at_midnight_are_sealed_when_it_is_back(
    database: Database, night: MoveOn
) -> None:
    for _ in range(3):
        record(database, 2)
        night(DAY)
    with database.transaction("wuyi") as tx:
        actions.seal_through(tx, TODAY + 2 * DAY)
        actions.seal_through(tx, TODAY + 2 * DAY)
    with database.reading(["wuyi"]) as connection:
        assert [one.on for one in store.list_seals(connection, "wuyi")] == [TODAY + n * DAY for n in range(3)]


def test_a_seal_that_is_missing_between_two_others_is_complained_about(
    database: Database, night: MoveOn
) -> None:
    made = []
    for number in range(3):
        made.append(record(database, 2))
        if number != 1:
            seal(database, number)
        night(DAY)
    assert faults(database) == [made[1][-1].seq]
    with database.reading(["wuyi"]) as connection:
        (fault,) = actions.verify(connection, "wuyi")
    assert str(TODAY + DAY) in fault.reason


def test_a_seal_of_the_future_makes_no_day_before_it_missing(database: Database, night: MoveOn) -> None:
    record(database, 1)
    seal(database, 0)
    seal(database, on_days_after=500)
    night(DAY)
    record(database, 1)
    assert faults(database) == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE journal_seals SET chain = 'x'", "DELETE FROM journal_seals",
     "INSERT OR REPLACE INTO journal_seals SELECT * FROM journal_seals",
     "INSERT OR REPLACE INTO journal SELECT seq, id, at, district_id, 'another', kind, subject_id, drill,"
     " details_json, chain FROM journal",
     "INSERT OR REPLACE INTO journal SELECT seq + 100, id, at, district_id, 'another', kind, subject_id, drill,"
     " details_json, chain FROM journal"],
)  # fmt: skip
def test_no_entry_and_no_seal_is_replaced_changed_or_removed(
    database: Database, night: MoveOn, statement: str
) -> None:
    if not database.is_sqlite and "REPLACE" in statement:
        pytest.skip("PostgreSQL knows no REPLACE")
    record(database, 2)
    seal(database)
    with pytest.raises(DBAPIError, match="append-only"), database.owning() as connection:
        connection.execute(text(statement))


def test_a_value_on_paper_is_found_and_another_is_not(database: Database, night: MoveOn) -> None:
    made = record(database, 3)
    seal(database)
    night(5 * DAY)
    record(database, 1)
    with database.reading(["wuyi"]) as connection:
        assert actions.is_proved(connection, ["wuyi"], made[2].chain, TODAY)
        assert actions.is_proved(connection, ["wuyi"], made[2].chain[:16].upper(), None)
        assert actions.is_proved(connection, ["wuyi"], made[2].chain, TODAY + 4 * DAY), "nothing came after"
        assert not actions.is_proved(connection, ["wuyi"], made[2].chain, TODAY + 7 * DAY)
        assert not actions.is_proved(connection, ["wuyi"], "0" * 64, TODAY)
        assert not actions.is_proved(connection, ["wuyi"], made[2].chain[:15], TODAY), "too short to prove"
    tamper(database, f"DELETE FROM journal WHERE seq >= {made[1].seq}")
    with database.reading(["wuyi"]) as connection:
        assert not actions.is_proved(connection, ["wuyi"], made[2].chain, TODAY)
