"""A database that is away, busy or without a file left to open is no full disk and no fault of ours, and nothing of
what was written reaches the log or the list of processes.
"""

from __future__ import annotations

import os
import resource
import traceback
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from tests.conftest import DISTRICT
from tests.serving import signed_in
from tests.web.conftest import app as app_fixture

from anshang.foundation.database import Database
from anshang.foundation.errors import StorageAway, StorageFailed
from anshang.people.model import Role
from anshang.web.session import Runtime

app = app_fixture
SECRET = "a-child-in-a-red-coat"


@pytest.mark.postgres
def test_no_bound_value_stands_in_an_error(database: Database) -> None:
    """What the log would show of it."""
    with pytest.raises(DBAPIError) as broken, database.transaction(DISTRICT) as tx:
        tx.connection.execute(text("SELECT :secret FROM nowhere"), {"secret": SECRET})
    assert SECRET not in str(broken.value)
    assert "hidden" in str(broken.value)
    with pytest.raises(DBAPIError) as broken, database.owning() as connection:
        connection.execute(text("SELECT :secret FROM nowhere"), {"secret": SECRET})
    assert SECRET not in str(broken.value)


def away(database: Database) -> Database:
    """The same database when nothing listens at its address."""
    elsewhere = make_url(database.url).set(query={"host": "/nowhere"})
    return Database(elsewhere.render_as_string(hide_password=False))


@pytest.mark.postgres
def test_a_database_that_is_away_is_said_in_words(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("a file is not away")
    lost = away(database)
    for attempt in (lost.transaction(DISTRICT), lost.reading([DISTRICT]), lost.owning()):
        with pytest.raises(StorageAway) as refused, attempt:
            pass
        assert "reached" in refused.value.en
        assert "数据库" in refused.value.zh
    with pytest.raises(StorageAway), database.transaction(DISTRICT) as tx:
        tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


@pytest.mark.postgres
def test_a_database_that_is_away_answers_503(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    database: Database = app.state.services[Runtime].database
    if database.is_sqlite:
        pytest.skip("a file is not away")
    desk = signed_in(app, Role.DESK, DISTRICT)
    lost = away(database)
    monkeypatch.setattr(database, "_writing", lost._writing)
    monkeypatch.setattr(database, "_reading", lost._reading)
    answer = desk.get(f"/api/matters?district={DISTRICT}")
    assert answer.status_code == 503
    assert answer.json()["error"] == "storage.away"
    assert int(answer.headers["retry-after"]) > 0


def test_no_file_left_to_open_is_no_full_disk(database: Database, tmp_path: Path) -> None:
    """A thousand idle connections take every file a process may open."""
    again = Database(database.url)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(file.name) for file in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, before[1]))
    taken = []
    try:
        with suppress(OSError):  # the gaps below it, too
            while True:
                taken.append(os.dup(0))
        with pytest.raises(StorageFailed) as refused, again.transaction(DISTRICT):
            pass
    finally:
        for file in taken:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert type(refused.value) is StorageAway
    assert refused.value.code == "storage.away"
    again.dispose()


@pytest.mark.postgres
def test_a_database_that_quotes_a_value_in_its_error_is_not_quoted(database: Database) -> None:
    """PostgreSQL says in the detail which key was there already, and which text is no number."""
    row = {"id": SECRET, "on": "journal"}
    twice = text("INSERT INTO installation (id) VALUES (:id)")
    for statement in (twice, text("SELECT CAST(:id AS integer) FROM installation WHERE :on = 'journal'")):
        with pytest.raises(DBAPIError) as broken, database.owning() as connection:
            connection.execute(twice, {"id": SECRET})
            connection.execute(statement, row)
            if database.is_sqlite:
                connection.execute(text("SELECT * FROM nowhere"))  # it takes any text for a number
        told = "".join(traceback.format_exception(broken.value))
        assert SECRET not in told
