"""Writers that wait for each other share a commit: each is undone alone, and none is told before the disk has it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from tests.foundation.test_database import add_body, bodies_count

from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, StorageFailed

pytestmark = pytest.mark.postgres
Work = Callable[[Connection], None]


@dataclass
class Crowd:
    """Verbs that all wait for the same turn, in the order in which they came, and what became of each."""

    database: Database
    told: dict[str, BaseException | None] = field(default_factory=dict)
    seen_on_disk: dict[str, int] = field(default_factory=dict)

    def act(self, first: Work, **works: Work) -> None:
        """Let the others come one after the other while the first holds the turn."""
        threads = [threading.Thread(target=self._send, args=told) for told in works.items()]
        turns = self.database._writers("*")._turns
        try:
            with self.database.transaction("*") as tx:
                for waiting, thread in enumerate(threads, start=1):
                    thread.start()
                    while len(turns._gates) < waiting:
                        time.sleep(0.001)
                first(tx.connection)
            self.told["first"] = None
        except (StorageFailed, BadInput) as error:
            self.told["first"] = error
        for thread in threads:
            thread.join()

    def _send(self, name: str, work: Work) -> None:
        try:
            with self.database.transaction("*") as tx:
                work(tx.connection)
            self.seen_on_disk[name] = bodies_count(self.database)
            self.told[name] = None
        except (TypeError, BadInput, IntegrityError, StorageFailed) as error:
            self.told[name] = error


def adds(id: str) -> Work:
    return lambda connection: add_body(connection, id)


def adds_and_raises(error: Exception) -> Work:
    def work(connection: Connection) -> None:
        add_body(connection, "bad")
        raise error

    return work


def test_waiting_writers_are_all_committed_before_they_are_told(database: Database) -> None:
    crowd = Crowd(database)
    crowd.act(adds("first"), **{f"w{number}": adds(f"w{number}") for number in range(12)})
    assert set(crowd.told.values()) == {None}
    assert bodies_count(database) == 13
    assert min(crowd.seen_on_disk[f"w{number}"] - number for number in range(12)) >= 2


@pytest.mark.parametrize("error", [BadInput("x", en="x", zh="x"), TypeError()])
def test_a_write_that_fails_undoes_only_itself(database: Database, error: Exception) -> None:
    crowd = Crowd(database)
    crowd.act(adds("first"), good=adds("good"), bad=adds_and_raises(error), last=adds("last"))
    assert crowd.told == {"first": None, "good": None, "bad": error, "last": None}
    assert bodies_count(database) == 3


def test_a_first_write_that_fails_undoes_none_that_waits(database: Database) -> None:
    crowd, error = Crowd(database), BadInput("x", en="x", zh="x")
    crowd.act(adds_and_raises(error), good=adds("good"), last=adds("last"))
    assert crowd.told == {"first": error, "good": None, "last": None}
    assert bodies_count(database) == 2


def test_what_the_database_refuses_is_told_to_the_one_who_asked(database: Database) -> None:
    crowd = Crowd(database)
    crowd.act(adds("first"), twice=adds("first"), last=adds("last"))
    assert isinstance(crowd.told.pop("twice"), IntegrityError)
    assert crowd.told == {"first": None, "last": None}
    assert bodies_count(database) == 2


def test_nobody_is_told_that_something_is_kept_which_the_database_undid(database: Database) -> None:
    """A write that ends the transaction of all, as SQLite itself does when the disk is full."""

    def ends(connection: Connection) -> None:
        connection.execute(text("ROLLBACK"))
        raise TypeError

    crowd = Crowd(database)
    crowd.act(adds("first"), good=adds("good"), bad=ends, last=adds("last"))
    assert isinstance(crowd.told["bad"], TypeError)
    for name in ("first", "good"):
        failure = crowd.told[name]
        assert isinstance(failure, StorageFailed)
        assert failure.code == "storage.undone"
    assert crowd.told["last"] is None
    assert bodies_count(database) == 1


def test_batches_of_telemetry_and_verbs_take_the_same_turns(database: Database) -> None:
    def send(number: int) -> None:
        database.bulk("*", adds(f"b{number}"))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    with database.transaction("*") as tx:
        add_body(tx.connection, "verb")
    with pytest.raises(BadInput):
        database.bulk("*", adds_and_raises(BadInput("x", en="x", zh="x")))
    for thread in threads:
        thread.join()
    assert bodies_count(database) == 21


def test_a_commit_that_is_old_enough_lets_nobody_join(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anshang.foundation.sharing.LONGEST_S", 0.0)
    crowd = Crowd(database)
    crowd.act(adds("first"), bad=adds_and_raises(TypeError()), last=adds("last"))
    assert crowd.told["first"] is None
    assert bodies_count(database) == 2
