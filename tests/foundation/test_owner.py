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
from anshang.foundation.backups import write_backup
from anshang.foundation.database import Database
from anshang.people import store as people
from anshang.places import store as places


@pytest.fixture
def urls(cluster: str) -> list[str]:
    """The addresses of two empty databases for the working role."""
    made = []
    for name in ("working", "brought_back"):
        parsed = make_url(cluster).set(database=name)
        with postgres.administering(parsed) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name} OWNER anshang_owner".encode())
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


def refused(*words: str, url: str, owned: bool = True, **more: str) -> str:
    """What the command line said, refusing in words."""
    environment = {
        "ANSHANG_DATABASE_URL": url,
        "ANSHANG_DATABASE_OWNER_URL": postgres.owner_of(url) if owned else "",
        "ANSHANG_PASSWORD": "pingan-shangquan",
    }
    done = CliRunner().invoke(app, list(words), env=environment | more)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return done.output


def test_a_restore_that_fails_leaves_nothing_and_touches_no_database_in_use(
    urls: list[str], tmp_path: Path
) -> None:
    """The address in the back-up's settings is that of the installation it came from."""
    first, second = urls
    document, saved = tmp_path / "d.geojson", tmp_path / "saved.tar.gz"
    document.write_bytes(row_of_zones())
    run("init", "--district", str(document), "--data", str(tmp_path / "data"), url=first)
    run("backup", str(saved), "--data", str(tmp_path / "data"), url=first)
    said = refused("restore", str(saved), "--data", str(tmp_path / "back"), url=first)
    assert "has tables already" in said
    assert "空数据库" in said
    assert not (tmp_path / "back").exists()
    refused(
        "restore", str(saved), "--data", str(tmp_path / "back"), url=second.replace("brought_back", "nowhere")
    )
    assert not (tmp_path / "back").exists()
    said = refused("restore", str(saved), "--data", str(tmp_path / "back"), url=second, PATH=str(tmp_path))
    assert "pg_restore" in said
    assert "客户端程序" in said
    assert not (tmp_path / "back").exists()
    run("restore", str(saved), "--data", str(tmp_path / "back"), url=second)


def test_a_restore_whose_upgrade_fails_leaves_the_database_as_empty_as_it_was(
    urls: list[str], tmp_path: Path
) -> None:
    """A back-up of a newer version was once left in the database: the next restore found tables in it."""
    first, second = urls
    saved, newer, back = tmp_path / "saved.tar.gz", tmp_path / "newer.tar.gz", tmp_path / "back"
    document = tmp_path / "d.geojson"
    document.write_bytes(row_of_zones())
    run("init", "--district", str(document), "--data", str(tmp_path / "data"), url=first)
    run("backup", str(saved), "--data", str(tmp_path / "data"), url=first)
    database = Database(first, postgres.owner_of(first))
    with database.owning() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    write_backup(database, tmp_path, newer)
    with psycopg.connect(psycopg_url(second), autocommit=True) as connection_:
        connection_.execute("CREATE FUNCTION of_the_city() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    before = objects_of(second)
    assert "newer version" in refused("restore", str(newer), "--data", str(back), url=second)
    assert not back.exists()
    assert objects_of(second) == before == {("pg_proc", "of_the_city")}
    run("restore", str(saved), "--data", str(back), url=second)
    database.dispose()


def psycopg_url(url: str) -> str:
    """The owner's address as psycopg reads it."""
    parsed = make_url(url)
    return f"host={parsed.query['host']} user=anshang_owner dbname={parsed.database}"


def objects_of(url: str) -> set[tuple[str, str]]:
    """Everything in the schema: tables, indexes, sequences, functions, types."""
    found = set()
    with psycopg.connect(psycopg_url(url)) as connection:
        for catalogue, prefix in (("pg_class", "rel"), ("pg_proc", "pro"), ("pg_type", "typ")):
            rows = connection.execute(
                f"SELECT {prefix}name FROM {catalogue} "
                f"WHERE {prefix}namespace = 'public'::regnamespace".encode()
            )
            found |= {(catalogue, name) for (name,) in rows}
    return found


def test_a_new_version_without_the_owners_address_and_an_older_one_are_refused_in_words(
    urls: list[str], tmp_path: Path
) -> None:
    said = refused("vault", "status", "--data", str(tmp_path / "data"), url=urls[0], owned=False)
    assert "ANSHANG_DATABASE_OWNER_URL" in said
    assert "属主" in said
    database = Database(urls[0], postgres.owner_of(urls[0]))
    migrations.upgrade(database)
    with database.owning() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    said = refused("vault", "status", "--data", str(tmp_path / "data"), url=urls[0])
    assert "newer version" in said


@pytest.mark.parametrize("name", ["pg_dump", "pg_restore"])
def test_the_owners_password_is_in_no_list_of_processes(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """PostgreSQL's programs are ones that write down how they were called."""
    tool, copy = tmp_path / "bin" / name, tmp_path / "copy"
    copy.touch()
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\necho "$PGPASSWORD" > {tmp_path}/password\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    owner = make_url(postgres.owner_of(urls[0])).set(password="open:sesame@home")
    database = Database(urls[0], owner.render_as_string(hide_password=False))
    {"pg_dump": database.copy_to, "pg_restore": database.take_copy}[name](copy)
    database.dispose()
    assert "sesame" not in (tmp_path / "called").read_text()
    assert "anshang_owner" in (tmp_path / "called").read_text()
    assert (tmp_path / "password").read_text().strip() == "open:sesame@home"
