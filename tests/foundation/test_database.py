"""The two doors and the service entrance."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, String, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from anshang.foundation.columns import UtcTime
from anshang.foundation.database import Database, metadata
from anshang.foundation.errors import StorageFailed
from anshang.people import store as people

pytestmark = pytest.mark.postgres


def opened_count(database: Database) -> int:
    with database.reading(["*"]) as connection:
        return people.count_accounts(connection)


def add_body(connection: Connection, id: str) -> None:
    connection.execute(
        insert(people.bodies_table).values(id=id, district_id="*", name_zh="a", name_en="a", version=1)
    )


def bodies_count(database: Database) -> int:
    with database.reading(["*"]) as connection:
        return connection.execute(select(func.count()).select_from(people.bodies_table)).scalar_one()


def test_a_transaction_that_raises_writes_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction("*") as tx:
        add_body(tx.connection, "one")
        raise RuntimeError
    assert bodies_count(database) == 0


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises((DBAPIError, StorageFailed)), database.reading(["*"]) as connection:
        add_body(connection, "one")
    assert bodies_count(database) == 0


def test_a_reader_keeps_its_snapshot_while_others_write(database: Database) -> None:
    with database.reading(["*"]) as connection:
        before = connection.execute(select(func.count()).select_from(people.bodies_table)).scalar_one()
        with database.transaction("*") as tx:
            add_body(tx.connection, "one")
        after = connection.execute(select(func.count()).select_from(people.bodies_table)).scalar_one()
    assert before == after == 0
    assert bodies_count(database) == 1


def test_two_programs_write_to_one_database_in_turn(database: Database) -> None:
    other = Database(database.url)

    def write(through: Database, prefix: str) -> None:
        for number in range(20):
            with through.transaction("*") as tx:
                add_body(tx.connection, f"{prefix}{number}")

    threads = [threading.Thread(target=write, args=pair) for pair in ((database, "a"), (other, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.dispose()
    assert bodies_count(database) == 40


def test_a_commit_tells_who_listens_and_a_failure_does_not(database: Database) -> None:
    told: list[str] = []
    database.on_commit.append(told.append)
    with database.transaction("wuyi"):
        pass
    with pytest.raises(RuntimeError), database.transaction("other"):
        raise RuntimeError
    assert told == ["wuyi"]


def test_a_full_disk_is_said_in_words_and_reading_goes_on(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("a full disk is made with SQLite's page limit")
    with database.owning() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(StorageFailed), database.transaction("*") as tx:
        for number in range(2000):
            add_body(tx.connection, f"{number:0>36}")
    assert bodies_count(database) == 0
    with pytest.raises(StorageFailed):
        database.bulk("*", lambda c: [add_body(c, f"{n:0>36}") for n in range(2000)])
    assert bodies_count(database) == 0


def test_a_naive_instant_is_refused(database: Database) -> None:
    instants = Table(
        "instants",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("at", UtcTime),
        Column("d", String),
    )
    try:
        with pytest.raises(Exception, match="without a time zone"), database.owning() as connection:
            instants.create(connection)
            connection.execute(insert(instants).values(id=1, at=datetime(2026, 1, 1)))
    finally:
        metadata.remove(instants)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.timezones()))
def test_an_instant_comes_back_as_it_was_to_the_microsecond(at: datetime) -> None:
    kept = UtcTime()
    bound = kept.process_bind_param(at, None)  # type: ignore[arg-type]
    assert kept.process_result_value(bound, None) == at.astimezone(UTC)  # type: ignore[arg-type]


def test_a_copy_is_made_while_others_write(database: Database, tmp_path: Path) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL's own tool makes the copy")
    with database.transaction("*") as tx:
        add_body(tx.connection, "one")
    target = tmp_path / "copy.db"
    database.copy_to(target)
    with database.transaction("*") as tx:
        add_body(tx.connection, "two")
    copy = Database(f"sqlite:///{target}")
    assert bodies_count(copy) == 1
    copy.dispose()


def test_a_clock_offset_survives(database: Database) -> None:
    at = datetime(2026, 1, 1, 8, tzinfo=UTC) + timedelta(microseconds=1)
    assert UtcTime().process_bind_param(at, None) == 1767254400000001  # type: ignore[arg-type]


def test_a_commit_waits_for_the_disk(database: Database) -> None:
    """So that what was acknowledged outlasts a power cut, as far as the disk keeps its word."""
    if not database.is_sqlite:
        pytest.skip("on PostgreSQL that is the server's own setting")
    with database.owning() as connection:
        told = [
            connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "journal_mode")
        ]
    assert told == [2, "wal"]
