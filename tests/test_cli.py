"""The command line as an operator uses it: set up, back up while serving, bring back, prove."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import ssl
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from anshang import cli
from anshang.foundation import ids
from anshang.foundation.backups import write_backup
from anshang.foundation.database import Database
from anshang.journal import store as journal
from anshang.partners import store as partners
from anshang.people.model import operator_actor
from anshang.vault.keys import Keyring
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from tests.places.osm.test_osm import NARROW, STREET, write_osm
from tests.serving import PASSWORD, free_port


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli.app, list(words), input=typed)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a fresh installation."""
    document = tmp_path / "wuyi.geojson"
    document.write_bytes(row_of_zones())
    folder = tmp_path / "data"
    done = run(
        "init", "--data", str(folder), "--district", str(document), "--password-stdin", typed=PASSWORD + "\n"
    )
    assert done.exit_code == 0, done.output
    assert "3 zones, 4 gates" in done.output
    return folder


def test_an_installation_is_set_up_once(data: Path, tmp_path: Path) -> None:
    again = run(
        "init",
        "--data",
        str(data),
        "--district",
        str(tmp_path / "wuyi.geojson"),
        "--password-stdin",
        typed=PASSWORD,
    )
    assert again.exit_code == 2
    assert "accounts already" in again.output


@pytest.mark.parametrize(
    ("document", "password", "says"),
    [(b"{}", PASSWORD, ""), (b"\xff\xd8\xff", PASSWORD, ""), (row_of_zones(), "short", "10 characters")],
)
def test_a_bad_document_or_password_sets_up_nothing(
    tmp_path: Path, document: bytes, password: str, says: str
) -> None:
    file, folder = tmp_path / "d.geojson", tmp_path / "data"
    file.write_bytes(document)
    done = run("init", "--data", str(folder), "--district", str(file), "--password-stdin", typed=password)
    assert done.exit_code == 2
    assert says in done.output
    assert "Traceback" not in done.output
    assert password != PASSWORD or not folder.exists()
    file.write_bytes(row_of_zones())
    well = run("init", "--data", str(folder), "--district", str(file), "--password-stdin", typed=PASSWORD)
    assert well.exit_code == 0, well.output


def test_a_missing_installation_or_file_is_said_in_words(tmp_path: Path) -> None:
    for words in (
        ("serve", "--data", str(tmp_path / "none")),
        ("journal", "verify", "--data", str(tmp_path / "none")),
        ("restore", str(tmp_path / "none.tar.gz"), "--data", str(tmp_path / "new")),
    ):
        done = run(*words)
        assert done.exit_code == 2, words
        assert "Traceback" not in done.output


def test_accounts_and_feeds_are_opened(data: Path) -> None:
    done = run(
        "people", "add", "lin", "--role", "desk", "--password-stdin", "--data", str(data), typed=PASSWORD
    )
    assert done.exit_code == 0, done.output
    assert run("people", "add", "x", "--role", "king", "--data", str(data)).exit_code == 2
    shown = ("--display-name", "Lin\nNa", "--password-stdin", "--data", str(data))
    refused = run("people", "add", "lina", "--role", "desk", *shown, typed=PASSWORD)
    assert (refused.exit_code, "one line" in refused.output) == (2, True), refused.output
    feed = run("people", "feed", "gates", "--data", str(data))
    assert feed.output.strip().startswith("ask_")


def test_an_account_is_given_several_districts_and_another_role(data: Path, tmp_path: Path) -> None:
    file, beside = tmp_path / "out.geojson", tmp_path / "beside.geojson"
    run("place", "export", str(file), "--data", str(data))
    document = json.loads(file.read_text())
    here = document["anshang"]["district"]["id"]
    document["anshang"]["district"]["id"] = "beside"
    beside.write_text(json.dumps(document))
    imported = run("place", "import", str(beside), "--data", str(data))
    assert imported.exit_code == 0, imported.output
    both = ("--district", here, "--district", "beside")
    added = run(
        "people", "add", "lin", "--role", "desk", *both, "--password-stdin", "--data", str(data), typed=PASSWORD
    )  # fmt: skip
    assert f"({here}, beside)" in added.output
    changed = run("people", "change", "lin", "--role", "patrol", "--district", "beside", "--data", str(data))
    assert "lin: patrol (beside)" in changed.output
    closed = run("people", "change", "lin", *both, "--close", "--data", str(data))
    assert f"({here}, beside), closed" in closed.output
    for wrong in (("lin", "--district", "nowhere"), ("nobody", "--close"), ("lin", "--role", "king")):
        refused = run("people", "change", *wrong, "--data", str(data))
        assert refused.exit_code == 2
        assert "Traceback" not in refused.output


def test_a_place_goes_out_and_comes_in(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.geojson"
    assert run("place", "export", str(file), "--data", str(data)).exit_code == 0
    assert len(json.loads(file.read_text())["features"]) == 7
    done = run("place", "import", str(file), "--data", str(data))
    assert json.loads(done.output)["version"] == 2


def test_a_changed_byte_in_the_file_is_found(data: Path) -> None:
    assert run("journal", "verify", "--data", str(data)).exit_code == 0
    connection = sqlite3.connect(data / "anshang.db")
    connection.execute("DROP TRIGGER journal_no_update")
    connection.execute("UPDATE journal SET subject_id = substr(subject_id, 1, 3) || 'x' WHERE seq = 1")
    connection.commit()
    connection.close()
    done = run("journal", "verify", "--data", str(data))
    assert done.exit_code == 1
    assert "#1" in done.output


@pytest.mark.slow
def test_a_backup_of_a_running_server_is_brought_back_whole(data: Path, tmp_path: Path) -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "anshang", "serve", "--data", str(data), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=1)
                break
            except OSError:
                assert server.poll() is None, server.stderr.read().decode() if server.stderr else ""
                time.sleep(0.1)
        saved = run("backup", str(tmp_path / "saved.tar.gz"), "--data", str(data))
        assert saved.exit_code == 0, saved.output
    finally:
        server.terminate()
        server.wait(15)
    back = run("restore", str(tmp_path / "saved.tar.gz"), "--data", str(tmp_path / "back"))
    assert back.exit_code == 0, back.output
    restored, original = (
        Database(f"sqlite:///{folder / 'anshang.db'}") for folder in (tmp_path / "back", data)
    )
    for database in (restored, original):
        with database.reading([DISTRICT]) as connection:
            assert [entry.kind for entry in journal.list_after(connection, DISTRICT, 0)] == ["place.imported"]
        database.dispose()
    used = run("restore", str(tmp_path / "saved.tar.gz"), "--data", str(tmp_path / "back"))
    assert used.exit_code == 2
    (tmp_path / "cut.tar.gz").write_bytes((tmp_path / "saved.tar.gz").read_bytes()[:500])
    cut = run("restore", str(tmp_path / "cut.tar.gz"), "--data", str(tmp_path / "other"))
    assert cut.exit_code == 2
    assert not (tmp_path / "other").exists()


def test_a_back_up_of_a_newer_version_is_refused_and_leaves_nothing(data: Path, tmp_path: Path) -> None:
    """A folder that is left would refuse the next try, and look like an installation."""
    database = Database(f"sqlite:///{data / 'anshang.db'}")
    with database.owning() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    saved, back = tmp_path / "saved.tar.gz", tmp_path / "back"
    write_backup(database, data, saved)
    database.dispose()
    done = run("restore", str(saved), "--data", str(back))
    assert done.exit_code == 2
    assert "newer version" in done.output
    assert not back.exists()


def test_a_restore_never_writes_over_a_database_that_is_in_use(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The back-up's settings can name the file of the installation it came from."""
    live = data / "anshang.db"
    monkeypatch.setenv("ANSHANG_DATABASE_URL", f"sqlite:///{live}")
    saved, back, before = tmp_path / "saved.tar.gz", tmp_path / "back", live.stat().st_ino
    assert run("backup", str(saved), "--data", str(data)).exit_code == 0
    done = run("restore", str(saved), "--data", str(back))
    assert done.exit_code == 2
    assert str(live) in done.output.replace("\n", "")
    assert not back.exists()
    assert live.stat().st_ino == before


def test_the_description_of_the_api_is_printed() -> None:
    assert "/api/observations" in json.loads(run("openapi").output)["paths"]


@pytest.mark.parametrize("name", ["../outside", "/tmp/anshang-outside", "link"])
def test_an_archive_that_reaches_outside_is_no_backup(tmp_path: Path, name: str) -> None:
    crafted = tmp_path / "crafted.tar.gz"
    with tarfile.open(crafted, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type = tarfile.SYMTYPE if name == "link" else tarfile.REGTYPE
        member.linkname = "/etc/passwd" if name == "link" else ""
        archive.addfile(member)
    done = run("restore", str(crafted), "--data", str(tmp_path / "new"))
    assert done.exit_code == 2
    assert "not a back-up" in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crafted.tar.gz"]


def test_the_vault_says_what_it_holds_and_takes_a_new_master_key(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys made under the file's master are wrapped by the setting's, once both are named."""
    ring = Keyring(data / "vault")
    key = ring.make("wuyi", id := ids.new_id())
    told = run("vault", "status", "--data", str(data))
    assert "0 records" in told.output
    assert "1 keys" in told.output
    old, new = (data / "vault" / "master.key").read_bytes(), bytes(range(32))
    both = ",".join(base64.b64encode(one).decode() for one in (new, old))
    monkeypatch.setenv("ANSHANG_VAULT_KEYS", both)
    assert "1 keys wrapped anew" in run("vault", "rotate", "--data", str(data)).output
    assert Keyring(data / "vault", [new]).open("wuyi", id) == key
    monkeypatch.setenv("ANSHANG_VAULT_KEYS", "nonsense!")
    refused = run("vault", "rotate", "--data", str(data))
    assert refused.exit_code == 2
    assert "vault_keys" in refused.output


def test_a_closed_network_has_https_with_an_authority_of_its_own(data: Path) -> None:
    """Whoever has installed the authority trusts the server, by its name and by its address; nobody else does."""
    refused = run("cert", "not a host", "--data", str(data))
    assert refused.exit_code == 2
    for _ in range(2):
        made = run("cert", "127.0.0.1", "kiosk.local", "--data", str(data))
        assert made.exit_code == 0, made.output
    assert (data / "tls" / "server.key").stat().st_mode & 0o077 == 0
    port = free_port()
    environment = {**os.environ, "ANSHANG_HTTPS": "true"}
    command = [sys.executable, "-m", "anshang", "serve", "--data", str(data), "--port", str(port)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            trusting = ssl.create_default_context(cafile=str(data / "tls" / "authority.pem"))
            until_s = time.monotonic() + 30
            while True:
                try:
                    with urllib.request.urlopen(
                        f"https://127.0.0.1:{port}/api/health", context=trusting
                    ) as answer:
                        assert answer.status == 200
                    break
                except urllib.error.URLError as error:
                    assert "CERTIFICATE" not in str(error), error
                    assert time.monotonic() < until_s
                    time.sleep(0.2)
            with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
                urllib.request.urlopen(
                    f"https://127.0.0.1:{port}/api/health", context=ssl.create_default_context()
                )
        finally:
            server.terminate()


REGISTER = """id,name_zh,name_en,side,group_id,opens,closes,languages,sees,sign_in
tea,老茶馆,Old Tea House,shop,west,09:00,22:30,zh en,entrance till,tea-house
mall,星汇物业,Xinghui Mall,property,,,,,,
"""


def test_a_register_of_partners_is_taken_whole_and_again_without_doubling(data: Path, tmp_path: Path) -> None:
    file, accounts = tmp_path / "register.csv", tmp_path / "accounts.csv"
    file.write_text(REGISTER, "utf-8")
    first = run("partner", "import", str(file), "--accounts", str(accounts), "--data", str(data))
    assert "2 partners 家单位, 1 new accounts" in first.output, first.output
    assert accounts.stat().st_mode & 0o077 == 0
    name, password, _ = accounts.read_text("utf-8").splitlines()[1].split(",")
    assert (name, len(password) >= 12) == ("tea-house", True)
    file.write_text(REGISTER.replace("west", "east"), "utf-8")
    assert (
        "2 partners 家单位, 0 new accounts" in run("partner", "import", str(file), "--data", str(data)).output
    )
    database = Database(f"sqlite:///{data / 'anshang.db'}")
    with database.reading([DISTRICT]) as connection:
        known = partners.list_partners(connection, operator_actor(DISTRICT).scope, DISTRICT)
    database.dispose()
    assert [(one.id, one.group_id, one.version) for one in known] == [("mall", "", 1), ("tea", "east", 2)]


@pytest.mark.parametrize(
    ("register", "says"),
    [
        (REGISTER.replace("property", "owner"), "side"),
        (REGISTER.replace("09:00", "9 am"), "opens"),
        (REGISTER.replace("老茶馆", "=1+1"), "name_zh"),
        (REGISTER.replace("mall,", "tea,"), "id"),
        (REGISTER.replace("tea-house", "Tea House!"), "sign_in"),
        (
            REGISTER.replace("sees,", "sees,premises_id,")
            .replace("till,", "till,nowhere,")
            .replace(",,,,,,", ",,,,,,,"),
            "nowhere",
        ),
        ("name,address\nx,y\n", "columns"),
        ("", "columns"),
    ],
)
def test_a_bad_line_of_a_register_keeps_all_of_it_out(
    data: Path, tmp_path: Path, register: str, says: str
) -> None:
    file = tmp_path / "register.csv"
    file.write_text(register, "utf-8")
    refused = run("partner", "import", str(file), "--data", str(data))
    assert refused.exit_code == 2
    assert says in refused.output
    database = Database(f"sqlite:///{data / 'anshang.db'}")
    with database.reading([DISTRICT]) as connection:
        assert partners.list_partners(connection, operator_actor(DISTRICT).scope, DISTRICT) == []
    database.dispose()


def test_the_forecast_of_a_new_district_waits_for_days_and_none_is_chosen(data: Path) -> None:
    refused = run("crowd", "train", "--data", str(data))
    assert refused.exit_code == 2
    assert "28" in refused.output
    nightly = subprocess.run(
        [sys.executable, "-m", "anshang", "crowd", "train", "--nightly", "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (nightly.returncode, "28" in nightly.stdout) == (0, True)
    listed = run("crowd", "models", "--data", str(data))
    assert "outlook without training" in listed.output
    assert run("crowd", "models", "--use", "plain", "--data", str(data)).exit_code == 0
    unknown = run("crowd", "models", "--use", "0000", "--data", str(data))
    assert (unknown.exit_code, "0 models" in unknown.output) == (2, True)


def test_streets_from_openstreetmap_follow_the_country_and_say_what_the_box_cut(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "mall.osm", STREET, bounds=NARROW)
    out = tmp_path / "mall.geojson"
    words = ["place", "import-osm", str(path), "--name", "Mall", "--out", str(out)]
    done = run(*words, "--country", "fi")
    assert done.exit_code == 0, done.output
    assert "To read all streets: --bbox" in done.output
    head = json.loads(out.read_text())["anshang"]["district"]
    assert (head["country"], head["time_zone"]) == ("FI", "Europe/Helsinki")
    for country, says in [("US", "--time-zone"), ("QQ", "No holidays are known")]:
        refused = run(*words, "--country", country)
        assert refused.exit_code == 2
        assert says in refused.output
