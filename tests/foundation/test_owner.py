"""On PostgreSQL one role works and another owns the tables: what the working one cannot do, and how both are saved."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from tests import postgres
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from typer.testing import CliRunner

from anshang.cli import app
from anshang.foundation import migrations
from anshang.foundation.database import Database
from anshang.people import store as people
from anshang.places import store as places


@pytest.fixture
def urls(cluster: str) -> list[str]:
    """The addresses of two empty databases for the working role."""
    made = []
    for name in ("working", "brought_back"):
        parsed = make_url(cluster).set(database=name)
        with psycopg.connect(
            f"host={parsed.query['host']} user=anshang_owner dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
        made.append(parsed.render_as_string(hide_password=False))
    return made


def run(*words: str, url: str, owned: bool = True) -> str:
    """What the command line said, ending well."""
    environment = {
        "ANSHANG_DATABASE_URL": url,
        "ANSHANG_DATABASE_OWNER_URL": postgres.owner_of(url) if owned else "",
        "ANSHANG_PASSWORD": "pingan-shangquan",
    }
    done = CliRunner().invoke(app, list(words), env=environment)
    assert done.exit_code == 0, done.output
    return done.output


def test_an_installation_on_postgresql_is_saved_and_brought_back(urls: list[str], tmp_path: Path) -> None:
    first, second = urls
    document, saved = tmp_path / "d.geojson", tmp_path / "saved.tar.gz"
    document.write_bytes(row_of_zones())
    run("init", "--district", str(document), "--data", str(tmp_path / "data"), url=first)
    run("backup", str(saved), "--data", str(tmp_path / "data"), url=first)
    told = run("restore", str(saved), "--data", str(tmp_path / "back"), url=second)
    assert DISTRICT in told
    database = Database(second)  # the working role alone, as the server runs
    migrations.upgrade(database)
    with database.reading([DISTRICT]) as connection:
        assert set(places.load(connection, DISTRICT).zones) == {"z0", "z1", "z2"}
        assert people.find_account_by_name(connection, "admin") is not None
    database.dispose()
    assert "whole" in run("journal", "verify", "--data", str(tmp_path / "back"), url=second, owned=False)


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE journal DISABLE TRIGGER ALL", "DROP TABLE journal", "DROP POLICY own_district ON matters",
     "ALTER TABLE matters DISABLE ROW LEVEL SECURITY", "CREATE TABLE mine (id int)", "DELETE FROM alembic_version"],
)  # fmt: skip
def test_the_role_that_works_cannot_change_the_house(urls: list[str], statement: str) -> None:
    database = Database(urls[0], postgres.owner_of(urls[0]))
    migrations.upgrade(database)
    with pytest.raises(DBAPIError, match=r"must be owner|permission denied"), database.transaction("*") as tx:
        tx.connection.execute(text(statement))
    database.dispose()


def test_without_a_district_there_are_no_rows_but_of_districts_and_feeds(urls: list[str]) -> None:
    """Whatever table a later version adds lies behind row-level security too, or is named here with its reason:
    both are looked up before a district is known, and hold neither counts nor personal data.
    """
    database = Database(urls[0], postgres.owner_of(urls[0]))
    migrations.upgrade(database)
    with database.owning() as connection:
        open_tables = connection.execute(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
                "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace "
                "AND a.attname = 'district_id' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
            )
        ).scalars()
        assert sorted(open_tables) == ["districts", "feeds"]
    database.dispose()
