"""The command line of the vault and the journal: what cannot be read, a clock confirmed, a value on paper."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.journal import actions as journal
from anshang.journal import store as journal_store
from anshang.journal.model import EVERYWHERE
from anshang.patrols.positions import unit_positions_table
from anshang.people.model import operator_actor
from anshang.vault import actions, store
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose, RecordKind
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from tests.serving import PASSWORD
from tests.test_cli import data as data_fixture
from tests.test_cli import run

data = data_fixture


@pytest.fixture
def opened(data: Path) -> Database:
    return Database(f"sqlite:///{data / 'anshang.db'}")


def keep(database: Database, data: Path, content: bytes = b"a child in a red coat") -> str:
    with database.transaction(DISTRICT) as tx:
        kept = actions.keep(
            tx, Keyring(data / "vault"), actor=operator_actor(DISTRICT), id=ids.new_id(), subject_id=ids.new_id(),
            kind=RecordKind.DESCRIPTION, purpose=Purpose.LOOKOUT, content=content,
        )  # fmt: skip
    return kept.id


def test_records_that_cannot_be_read_are_counted(data: Path, opened: Database) -> None:
    lost = keep(opened, data)
    keep(opened, data)
    assert (
        "2 records 份资料, 0 overdue 逾期, 0 unreadable" in run("vault", "status", "--data", str(data)).output
    )
    Keyring(data / "vault").destroy(DISTRICT, lost)
    said = run("vault", "status", "--data", str(data)).output
    assert "1 unreadable 无法读取" in said
    assert "vault import" in said


def test_a_person_confirms_the_clock(data: Path, opened: Database) -> None:
    assert run("vault", "confirm-clock", "--data", str(data), typed="n\n").exit_code == 1
    assert run("vault", "confirm-clock", "--data", str(data), typed="y\n").exit_code == 0
    assert run("vault", "confirm-clock", "--data", str(data), "--yes").exit_code == 0
    with opened.reading() as connection:
        kinds = [one.kind for one in journal_store.list_after(connection, EVERYWHERE, 0)]
    assert kinds.count("erasure.confirmed") == 2


def test_a_value_on_paper_is_compared_and_the_chain_of_a_day_is_printed(data: Path, opened: Database) -> None:
    today = clock.now().date()
    with opened.transaction(DISTRICT) as tx:
        sealed = journal.seal(tx, today)
    assert sealed is not None
    said = run("journal", "verify", "--data", str(data), "--on", f"{today}", "--expect", sealed.chain[:20])
    assert said.exit_code == 0, said.output
    assert f"{DISTRICT}: {today}: {sealed.chain}" in said.output
    wrong = ("journal", "verify", "--data", str(data), "--expect")
    assert run(*wrong, "f" * 64).exit_code == 1
    assert run(*wrong, sealed.chain, "--on", f"{today - timedelta(days=30)}").exit_code == 1


def test_a_journal_that_was_removed_whole_is_complained_about(data: Path) -> None:
    connection = sqlite3.connect(data / "anshang.db")
    connection.execute("DROP TRIGGER journal_no_delete")
    connection.execute("DELETE FROM journal WHERE district_id = 'wuyi'")
    connection.commit()
    connection.close()
    done = run("journal", "verify", "--data", str(data))
    assert done.exit_code == 1
    assert "no entry is left" in done.output


def test_nobody_else_reads_an_installation_whose_folder_was_there_before(tmp_path: Path) -> None:
    """`database_url` stands in anshang.toml, which is written before `init`."""
    folder, document = tmp_path / "data", tmp_path / "wuyi.geojson"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    document.write_bytes(row_of_zones())
    command = [sys.executable, "-m", "anshang", "init", "--data", str(folder), "--district", str(document)]
    subprocess.run([*command, "--password-stdin"], input=PASSWORD, text=True, check=True, capture_output=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in folder.rglob("*")} == {0}
    folder.chmod(0o750)
    assert run("vault", "status", "--data", str(folder)).exit_code == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_over_is_counted_before_anything_goes(data: Path) -> None:
    done = run("vault", "retention", "--data", str(data))
    assert done.exit_code == 0, done.output
    assert (
        f"{DISTRICT}: unit_positions.lon, unit_positions.lat: 7 days 天; 0 rows 行, 0 over 到期"
        in done.output
    )
    assert "*: accounts.name, accounts.password_hash: 30 days 天; 1 rows 行, 0 over 到期" in done.output


PASSPHRASE = "wuyi-shangquan-2026"


def test_the_keys_are_saved_apart_and_make_a_restored_back_up_readable(
    data: Path, opened: Database, tmp_path: Path
) -> None:
    """The disk is lost: the back-up brings the rows, the export the keys, and what was erased stays erased."""
    living, erased = keep(opened, data), keep(opened, data)
    saved, keys, back = tmp_path / "saved.tar.gz", tmp_path / "keys", tmp_path / "back"
    said = run("backup", str(saved), "--data", str(data)).output
    assert "vault export" in said
    words = ("vault", "export", str(keys), "--data", str(data), "--password-stdin")
    assert run(*words, typed="short\n").exit_code == 2
    assert run(*words, typed=f"{PASSPHRASE}\n").exit_code == 0
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert (data / "vault" / "master.key").read_bytes() not in keys.read_bytes()
    restored = run("restore", str(saved), "--data", str(back))
    assert restored.exit_code == 0, restored.output
    assert "2 unreadable 无法读取" in restored.output
    again = Database(f"sqlite:///{back / 'anshang.db'}")
    with again.transaction(DISTRICT) as tx:
        subject = store.records.get(tx.connection, DISTRICT, erased).subject_id
        actions.erase(tx, Keyring(back / "vault"), actor=operator_actor(DISTRICT), subject_ids=[subject])
    come = ("vault", "import", str(keys), "--data", str(back), "--password-stdin")
    assert run(*come, typed="another passphrase\n").exit_code == 2
    done = run(*come, typed=f"{PASSPHRASE}\n")
    assert done.exit_code == 0, done.output
    assert "1 keys brought back" in done.output
    assert "0 unreadable" in done.output
    with again.transaction(DISTRICT) as tx:
        ring = Keyring(back / "vault")
        content = actions.read(tx, ring, actor=operator_actor(DISTRICT), id=living, purpose=Purpose.LOOKOUT)
    assert content == b"a child in a red coat"
    assert ring.list_keys() == [(DISTRICT, living)]
    again.dispose()


def test_keys_of_another_installation_or_no_keys_at_all_are_refused(data: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    run("vault", "export", str(keys), "--data", str(data), "--password-stdin", typed=f"{PASSPHRASE}\n")
    with sqlite3.connect(data / "anshang.db") as connection:
        connection.execute("UPDATE installation SET id = 'another'")
    come = ("vault", "import", str(keys), "--data", str(data), "--password-stdin")
    refused = run(*come, typed=f"{PASSPHRASE}\n")
    assert refused.exit_code == 2
    assert "another installation" in refused.output
    keys.write_bytes(b"no keys")
    assert run(*come, typed=f"{PASSPHRASE}\n").exit_code == 2


def test_rows_that_are_over_are_counted_by_the_command(data: Path, opened: Database) -> None:
    for days in (8, 1):
        at_ms = clock.to_ms(clock.now() - timedelta(days=days))
        fix = {"district_id": DISTRICT, "unit_id": "k1", "at_ms": at_ms, "lon": 112.97, "lat": 28.19}
        with opened.transaction(DISTRICT) as tx:
            kept = insert(unit_positions_table).values(**fix, source="phone", received_ms=at_ms)
            tx.connection.execute(kept)
    said = run("vault", "retention", "--data", str(data)).output
    assert "unit_positions.lon, unit_positions.lat: 7 days 天; 2 rows 行, 1 over 到期" in said
