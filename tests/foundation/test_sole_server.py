"""One server for one database and one data folder: the second is refused in words, in both languages."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from anshang.foundation.database import Database
from anshang.foundation.errors import RuleBroken
from anshang.foundation.sole_server import SoleServer


@pytest.mark.postgres
def test_a_second_server_on_one_database_is_refused_until_the_first_has_ended(
    database: Database, tmp_path: Path
) -> None:
    other = Database(database.url)
    with SoleServer(tmp_path / "a", database):
        with (
            pytest.raises(RuleBroken, match=r"server\.second") as refused,
            SoleServer(tmp_path / "b", other),
        ):
            pass
        assert "database" in refused.value.en
        assert "数据库" in refused.value.zh
    with SoleServer(tmp_path / "b", other):
        pass
    other.dispose()


def test_a_second_server_on_one_data_folder_is_refused(database: Database, tmp_path: Path) -> None:
    """Two databases, and one folder of keys and sealed counts."""
    elsewhere = Database(f"sqlite:///{tmp_path / 'elsewhere' / 'other.db'}")
    with (
        SoleServer(tmp_path / "data", database),
        pytest.raises(RuleBroken, match=r"server\.second") as refused,
        SoleServer(tmp_path / "data", elsewhere),
    ):
        pass
    assert str(tmp_path / "data") in refused.value.en
    elsewhere.dispose()


def end_lock(database: Database) -> None:
    """The network or PostgreSQL was away for a moment."""
    with database.reading() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted"
                " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )


@pytest.mark.postgres
def test_a_server_whose_lock_was_lost_takes_it_again_or_stops(database: Database, tmp_path: Path) -> None:
    if database.is_sqlite:
        pytest.skip("a lock on a file cannot be lost")
    stopped = threading.Event()
    first = SoleServer(tmp_path / "a", database)
    first.on_lost = stopped.set
    with first:
        end_lock(database)
        first.check()
        assert not stopped.is_set()
        second = SoleServer(tmp_path / "b", Database(database.url))
        with pytest.raises(RuleBroken), second:
            pass
        end_lock(database)
        with second:
            first.check(grace_s=0)
            assert stopped.is_set()
            with pytest.raises(RuleBroken, match=r"server\.second"):
                first.must_hold()
