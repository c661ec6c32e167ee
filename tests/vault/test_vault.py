"""What is personal is sealed, read for one purpose, and gone when its time is over: in back-ups too."""

from __future__ import annotations

import base64
import io
import os
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from PIL import Image
from tests.conftest import DISTRICT, NIGHT, Make
from tests.serving import signed_in
from tests.web.conftest import app as app_fixture

from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.backups import unpack_backup, write_backup
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed, NotFound, RuleBroken, StorageFailed
from anshang.journal import store as journal
from anshang.people.model import Role, engine_actor
from anshang.vault import actions, store
from anshang.vault.keys import Keyring, read_masters
from anshang.vault.model import Purpose, RecordKind, VaultKind
from anshang.vault.pictures import SIDE_PX_MAX, plain_jpeg

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
WORDS = "六岁男孩，红色外套，蓝色运动鞋".encode()
app = app_fixture


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "vault")


def kept(database: Database, keyring: Keyring, actor: Actor, subject: str, content: bytes = WORDS) -> str:
    id = ids.new_id()
    with database.transaction(DISTRICT) as tx:
        actions.keep(
            tx, keyring, actor=actor, id=id, subject_id=subject, kind=RecordKind.DESCRIPTION,
            purpose=Purpose.LOOKOUT, content=content,
        )  # fmt: skip
    return id


def read(
    database: Database, keyring: Keyring, actor: Actor, id: str, purpose: Purpose = Purpose.LOOKOUT
) -> bytes:
    with database.transaction(DISTRICT) as tx:
        return actions.read(tx, keyring, actor=actor, id=id, purpose=purpose)


def kinds(database: Database) -> list[str]:
    with database.reading([DISTRICT]) as connection:
        return [entry.kind for entry in journal.list_after(connection, DISTRICT, 0)]


def test_what_is_kept_comes_back_and_both_are_journalled_without_its_words(
    database: Database, keyring: Keyring, make: Make
) -> None:
    desk = make.actor(Role.DESK)
    id = kept(database, keyring, desk, ids.new_id())
    assert read(database, keyring, desk, id) == WORDS
    with database.reading([DISTRICT]) as connection:
        entries = journal.list_after(connection, DISTRICT, 0)
        record = store.records.get(connection, DISTRICT, id)
    assert [entry.kind for entry in entries] == [VaultKind.KEPT, VaultKind.READ]
    assert "男孩" not in "".join(entry.details_json for entry in entries)
    assert WORDS not in record.sealed


def test_it_is_read_for_the_purpose_it_was_given_for_and_by_those_who_may(
    database: Database, keyring: Keyring, make: Make
) -> None:
    id = kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    with pytest.raises(RuleBroken, match="other_purpose"):
        read(database, keyring, make.actor(Role.DESK), id, Purpose.REPORT)
    for role in (Role.WALL, Role.PARTNER, Role.VOLUNTEER, Role.ADMIN, Role.MEDIATOR):
        with pytest.raises(NotAllowed):
            read(database, keyring, make.actor(role), id)
    assert kinds(database) == [VaultKind.KEPT], "a refusal writes nothing"


def test_the_same_id_again_keeps_nothing_twice(database: Database, keyring: Keyring, make: Make) -> None:
    desk, id, subject = make.actor(Role.DESK), ids.new_id(), ids.new_id()
    for _ in range(2):
        with database.transaction(DISTRICT) as tx:
            actions.keep(
                tx, keyring, actor=desk, id=id, subject_id=subject, kind=RecordKind.WORDS,
                purpose=Purpose.LOOKOUT, content=WORDS,
            )  # fmt: skip
    assert kinds(database) == [VaultKind.KEPT]
    with pytest.raises(BadInput, match=r"record\.size"):
        kept(database, keyring, desk, subject, b"")


def test_after_erasure_no_backup_says_anything(
    database: Database, keyring: Keyring, make: Make, tmp_path: Path
) -> None:
    """The back-up was taken while the record was there; restored, it holds a row that opens for nobody."""
    desk, subject = make.actor(Role.DESK), ids.new_id()
    id = kept(database, keyring, desk, subject)
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "vault").rename(folder / "vault")
    ring = Keyring(folder / "vault")
    backup = tmp_path / "backup.tar.gz"
    write_backup(database, folder, backup)
    with database.transaction(DISTRICT) as tx:
        actions.erase(tx, ring, actor=desk, subject_ids=[subject])
    with pytest.raises(NotFound, match=r"record\.erased"):
        read(database, ring, desk, id)
    with tarfile.open(backup) as archive:
        assert not any("vault" in name for name in archive.getnames())
    if not database.is_sqlite:
        return
    restored = unpack_backup(backup, tmp_path / "elsewhere")
    again = Database(f"sqlite:///{restored}")
    with again.reading([DISTRICT]) as connection:
        assert store.records.get(connection, DISTRICT, id).sealed, "the row is in the back-up"
    with pytest.raises(NotFound, match=r"record\.erased"):
        read(again, ring, desk, id)
    with pytest.raises(NotFound, match=r"record\.erased"):
        read(again, Keyring(tmp_path / "elsewhere" / "vault"), desk, id)
    again.dispose()


def test_nothing_of_it_is_in_the_clear_on_the_disk(
    database: Database, keyring: Keyring, make: Make, tmp_path: Path
) -> None:
    kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert WORDS not in path.read_bytes(), path


def test_its_time_ends_by_itself_and_the_receipt_says_who_had_opened_it(
    database: Database, keyring: Keyring, make: Make, night: MoveOn
) -> None:
    desk, patrol, subject = make.actor(Role.DESK), make.actor(Role.PATROL), ids.new_id()
    id = kept(database, keyring, desk, subject)
    read(database, keyring, patrol, id)
    with database.transaction(DISTRICT) as tx:
        actions.shorten(tx, actor=desk, subject_id=subject, until=NIGHT + timedelta(hours=24))
    night(timedelta(hours=23))
    engine = engine_actor(DISTRICT)
    assert actions.erase_expired(database, keyring, actor=engine, district_id=DISTRICT) == 0
    night(timedelta(hours=2))
    with pytest.raises(NotFound):
        read(database, keyring, desk, id)
    assert actions.erase_expired(database, keyring, actor=engine, district_id=DISTRICT) == 1
    assert keyring.list_keys() == []
    with database.reading([DISTRICT]) as connection:
        receipt = actions.receipt(connection, DISTRICT, subject)
    assert receipt.erased_at == NIGHT + timedelta(hours=25)
    assert [(one.reader_id, one.at) for one in receipt.readings] == [(patrol.id, NIGHT)]
    assert [record.sealed for record in receipt.records] == [b""]


def test_a_key_whose_record_was_never_saved_goes_after_a_week(
    database: Database, keyring: Keyring, make: Make, night: MoveOn
) -> None:
    id = kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    lost = ids.new_id()
    keyring.make(DISTRICT, lost)
    actions.destroy_orphans(database, keyring, [DISTRICT])
    assert keyring.list_keys() == sorted([(DISTRICT, id), (DISTRICT, lost)])
    night(timedelta(days=7))
    actions.destroy_orphans(database, keyring, [DISTRICT])
    assert keyring.list_keys() == [(DISTRICT, id)]


def test_a_new_master_key_takes_over_and_the_old_one_may_go(
    database: Database, make: Make, tmp_path: Path
) -> None:
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    desk = make.actor(Role.DESK)
    id = kept(database, Keyring(tmp_path / "v", read_masters(old)), desk, ids.new_id())
    with pytest.raises(StorageFailed, match="wrong_master"):
        read(database, Keyring(tmp_path / "v", read_masters(new)), desk, id)
    both = Keyring(tmp_path / "v", read_masters(f"{new}, {old}"))
    assert read(database, both, desk, id) == WORDS
    assert (both.rewrap(), both.rewrap()) == (1, 0)
    assert read(database, Keyring(tmp_path / "v", read_masters(new)), desk, id) == WORDS


def test_a_master_key_that_is_missing_or_damaged_is_said_and_nothing_is_made_up(
    database: Database, keyring: Keyring, make: Make, tmp_path: Path
) -> None:
    desk = make.actor(Role.DESK)
    id = kept(database, keyring, desk, ids.new_id())
    (tmp_path / "vault" / "master.key").unlink()
    with pytest.raises(StorageFailed, match="no_master"):
        read(database, keyring, desk, id)
    with pytest.raises(StorageFailed, match="no_master"):
        kept(database, keyring, desk, ids.new_id())
    for wrong in ("short", base64.b64encode(b"short").decode()):
        with pytest.raises(ValueError, match="vault_keys"):
            read_masters(wrong)


def test_a_sealed_content_moved_to_another_record_does_not_open(
    database: Database, keyring: Keyring, make: Make
) -> None:
    desk, subject = make.actor(Role.DESK), ids.new_id()
    one, other = (kept(database, keyring, desk, subject) for _ in range(2))
    with database.transaction(DISTRICT) as tx:
        stolen = store.records.get(tx.connection, DISTRICT, one).sealed
        record = store.records.get(tx.connection, DISTRICT, other)
        store.records.put(
            tx, type(record)(**{f: getattr(record, f) for f in record.__slots__} | {"sealed": stolen})
        )
    with pytest.raises(StorageFailed, match=r"vault\.damaged"):
        read(database, keyring, desk, other)


def photograph(size: tuple[int, int] = (2400, 1200), kind: str = "JPEG") -> bytes:
    """With a position in it, and lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (28.0, 11.0, 24.0)
    exif[0x010F] = "A camera that tells"
    written = io.BytesIO()
    Image.new("RGB", size, (180, 30, 20)).save(written, kind, exif=exif.tobytes(), comment=b"secret words")
    return written.getvalue()


def test_a_photograph_is_made_small_upright_and_bare() -> None:
    assert b"A camera that tells" in photograph()
    plain = plain_jpeg(photograph())
    with Image.open(io.BytesIO(plain)) as opened:
        assert opened.size == (800, 1600)
        assert max(opened.size) <= SIDE_PX_MAX
        assert not opened.getexif()
        assert "comment" not in opened.info
    assert b"A camera that tells" not in plain


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a not for us", b"<svg/>", photograph()[:300], os.urandom(5000)], ids=range(5)
)
def test_what_is_no_photograph_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match=r"photo\.unreadable"):
        plain_jpeg(content)


def test_a_photograph_over_http(app: FastAPI) -> None:
    """Kept by who reports, looked at by the desk for what it was given for, refused when it is 40 MB or none."""
    patrol, desk = signed_in(app, Role.PATROL, DISTRICT), signed_in(app, Role.DESK, DISTRICT)
    id, of = ids.new_id(), ids.new_id()
    address = f"/api/photos/{id}?district={DISTRICT}&purpose=report"
    octets = {"Content-Type": "application/octet-stream"}
    for _ in range(2):
        answer = patrol.post(f"{address}&of={of}", content=photograph(), headers=octets)
        assert answer.status_code == 200, answer.text
    seen = desk.get(address)
    assert seen.headers["content-type"] == "image/jpeg"
    assert seen.headers["cache-control"] == "no-store"
    assert desk.get(address.replace("report", "lookout")).json()["error"] == "record.other_purpose"
    assert signed_in(app, Role.WALL, DISTRICT).get(address).status_code == 403
    other = f"/api/photos/{ids.new_id()}?district={DISTRICT}&purpose=report&of={of}"
    assert patrol.post(other, content=b"words", headers=octets).json()["error"] == "photo.unreadable"
    assert patrol.post(other, content=bytes(40_000_000), headers=octets).status_code == 413
    volunteer = signed_in(app, Role.VOLUNTEER, DISTRICT)
    refused = volunteer.post(other, content=photograph(), headers=octets)
    assert refused.json()["error"] == "record.no_subject", "not of what somebody else reported"
    wrong = other.replace("report", "lookout")
    assert volunteer.post(wrong, content=photograph(), headers=octets).status_code == 403, (
        "opens no look-outs"
    )
