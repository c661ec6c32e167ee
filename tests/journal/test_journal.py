"""The journal: append-only, chained, sealed, and provably unchanged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from anshang.foundation.database import Database
from anshang.journal import actions, store
from anshang.journal.model import Entry

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]


class Kind(StrEnum):
    LAMP_LIT = "lamp.lit"
    LAMP_BROKEN = "lamp.broken"


def record(
    database: Database, count: int = 1, district: str = "wuyi", kind: Kind = Kind.LAMP_LIT
) -> list[Entry]:
    made = []
    for number in range(count):
        with database.transaction(district) as tx:
            made.append(
                actions.record(
                    tx, actor_id="a", kind=kind, subject_id="lamp", details={"n": number, "字": "灯"}
                )
            )
    return made


def faults(database: Database, district: str = "wuyi") -> list[int]:
    with database.reading([district]) as connection:
        return [fault.seq for fault in actions.verify(connection, district)]


def tamper(database: Database, statement: str) -> None:
    """Change the file behind the product's back."""
    with database.owning() as connection:
        for trigger in ("journal_no_update", "journal_no_delete"):
            connection.execute(
                text(f"DROP TRIGGER {trigger}" + ("" if database.is_sqlite else " ON journal"))
            )
        connection.execute(text(statement))


def test_an_entry_comes_back_as_it_was_written(database: Database, night: MoveOn) -> None:
    (made,) = record(database)
    with database.reading(["wuyi"]) as connection:
        assert store.list_after(connection, "wuyi", 0) == [made]
        assert store.list_of_subject(connection, "wuyi", ["lamp"]) == [made]
        assert store.list_after(connection, "elsewhere", 0) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE journal SET kind = 'x'", "DELETE FROM journal", "TRUNCATE journal"]
)
def test_the_database_refuses_to_change_or_remove_an_entry(database: Database, statement: str) -> None:
    if database.is_sqlite and statement.startswith("TRUNCATE"):
        pytest.skip("SQLite knows no TRUNCATE")
    record(database)
    refused = "append-only" if database.is_sqlite else "permission denied"
    with pytest.raises(DBAPIError, match=refused), database.transaction("wuyi") as tx:
        tx.connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="append-only"), database.owning() as connection:
        connection.execute(text(statement))


def test_an_unchanged_journal_verifies(database: Database, night: MoveOn) -> None:
    record(database, 5)
    night(timedelta(days=1))
    with database.transaction("wuyi") as tx:
        assert actions.seal(tx, store.list_after(tx.connection, "wuyi", 0)[0].at.date())
    record(database, 3)
    assert faults(database) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET kind = 'lamp.lIt' WHERE seq = (SELECT min(seq) + 2 FROM journal)",
        "UPDATE journal SET at = at + 1 WHERE seq = (SELECT min(seq) + 2 FROM journal)",
        'UPDATE journal SET details_json = \'{"n": 3,  "字": "灯"}\' WHERE seq = (SELECT min(seq) + 2 FROM journal)',
        "UPDATE journal SET actor_id = 'b' WHERE seq = (SELECT min(seq) + 2 FROM journal)",
    ],
)
def test_one_changed_byte_is_found(database: Database, night: MoveOn, statement: str) -> None:
    made = record(database, 5)
    tamper(database, statement)
    assert faults(database) == [made[2].seq]


def test_a_removed_entry_is_found(database: Database, night: MoveOn) -> None:
    made = record(database, 5)
    tamper(database, f"DELETE FROM journal WHERE seq = {made[2].seq}")
    assert faults(database) == [made[3].seq]


def test_a_removed_end_is_found_by_its_seal(database: Database, night: MoveOn) -> None:
    made = record(database, 5)
    with database.transaction("wuyi") as tx:
        actions.seal(tx, made[0].at.date())
    tamper(database, f"DELETE FROM journal WHERE seq = {made[4].seq}")
    assert faults(database) == [made[4].seq]


def test_sealing_a_day_twice_gives_the_same_seal(database: Database, night: MoveOn) -> None:
    (made,) = record(database)
    with database.transaction("wuyi") as tx:
        first = actions.seal(tx, made.at.date())
        assert actions.seal(tx, made.at.date()) == first
        assert actions.seal(tx, made.at.date() - timedelta(days=1)) is None


def test_a_follower_misses_no_entry_of_writers_at_once(database: Database) -> None:
    writers = [threading.Thread(target=record, args=(database, 25)) for _ in range(6)]
    seen: list[int] = []
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers) or len(seen) < 150:
        with database.reading(["wuyi"]) as connection:
            seen += [e.seq for e in store.list_after(connection, "wuyi", seen[-1] if seen else 0)]
        if len(seen) > 150:
            break
    assert len(seen) == len(set(seen)) == 150
    assert faults(database) == []


def test_entries_are_listed_by_kind_newest_first(database: Database) -> None:
    record(database, 2)
    record(database, 1, kind=Kind.LAMP_BROKEN)
    with database.reading(["wuyi"]) as connection:
        assert [e.kind for e in store.list_before(connection, ["wuyi"])] == [
            "lamp.broken",
            "lamp.lit",
            "lamp.lit",
        ]
        assert len(store.list_before(connection, ["wuyi"], kind="lamp.lit")) == 2
        assert len(store.list_before(connection, ["wuyi"], kind="lamp")) == 3
        assert store.list_before(connection, ["wuyi"], kind="lam") == []


def test_a_look_since_the_last_seal_finds_what_was_changed_after_it(
    database: Database, night: MoveOn
) -> None:
    sealed = record(database, 3)
    with database.transaction("wuyi") as tx:
        assert actions.seal(tx, sealed[0].at.date()) is not None
    made = record(database, 3)
    with database.reading(["wuyi"]) as connection:
        assert actions.verify_since_seal(connection, "wuyi") == ([], sealed[0].at.date())
        assert actions.verify_since_seal(connection, "elsewhere") == ([], None)
    tamper(database, f"UPDATE journal SET kind = 'x' WHERE seq IN ({sealed[0].seq}, {made[1].seq})")
    with database.reading(["wuyi"]) as connection:
        found, _ = actions.verify_since_seal(connection, "wuyi")
    assert [fault.seq for fault in found] == [made[1].seq]
    assert sealed[0].seq in faults(database), "the whole walk finds the rest"
