"""A key belongs to a record of one district: nobody elsewhere can overwrite or destroy it by its id."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT, Make
from tests.serving import signed_in
from tests.vault.test_vault import WORDS, MoveOn, kept, photograph, read
from tests.web.conftest import app as app_fixture

from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import NotFound, RuleBroken, StorageFailed
from anshang.people.model import Role
from anshang.vault import actions
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose, RecordKind
from anshang.web.session import Runtime

ELSEWHERE = "tianxin"
OCTETS = {"Content-Type": "application/octet-stream"}
app = app_fixture


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "vault")


def keep_in(database: Database, keyring: Keyring, district_id: str, actor: Actor, id: str) -> None:
    with database.transaction(district_id) as tx:
        actions.keep(
            tx, keyring, actor=actor, id=id, subject_id=ids.new_id(), kind=RecordKind.DESCRIPTION,
            purpose=Purpose.LOOKOUT, content=b"other words",
        )  # fmt: skip


@pytest.mark.postgres
def test_an_id_of_another_district_is_refused_and_that_districts_record_still_opens(
    database: Database, keyring: Keyring, make: Make, night: MoveOn
) -> None:
    desk = make.actor(Role.DESK)
    id = kept(database, keyring, desk, ids.new_id())
    with pytest.raises(RuleBroken, match="taken"):
        keep_in(database, keyring, ELSEWHERE, make.actor(Role.DESK, ELSEWHERE), id)
    assert read(database, keyring, desk, id) == WORDS
    actions.destroy_orphans(database, keyring, [DISTRICT, ELSEWHERE])
    night(timedelta(days=8))
    actions.destroy_orphans(database, keyring, [DISTRICT, ELSEWHERE])
    assert keyring.list_keys() == [(DISTRICT, id)], "the stray key went, and no other"
    assert keyring.opens(DISTRICT, id)


def test_a_photograph_sent_under_the_id_of_another_districts_record_harms_nothing(
    app: FastAPI,
) -> None:
    """A volunteer may send photographs, and ids of a look-out's parts can be derived."""
    desk, of = signed_in(app, Role.DESK, DISTRICT), ids.new_id()
    id = ids.new_id()
    address = f"/api/photos/{id}?purpose=report&of={of}"
    kept_here = desk.post(f"{address}&district={DISTRICT}", content=photograph(), headers=OCTETS)
    assert kept_here.status_code == 200, kept_here.text
    stranger = signed_in(app, Role.PATROL, ELSEWHERE)
    refused = stranger.post(f"{address}&district={ELSEWHERE}", content=photograph(), headers=OCTETS)
    assert refused.status_code == 409, refused.text
    assert desk.get(f"{address}&district={DISTRICT}").status_code == 200


@pytest.mark.postgres
def test_a_try_that_was_undone_is_honestly_repeated(database: Database, keyring: Keyring, make: Make) -> None:
    """The key is on disk before the row is; the same id may come again after the row was not saved."""
    desk, id = make.actor(Role.DESK), ids.new_id()
    with pytest.raises(StorageFailed), database.transaction(DISTRICT) as tx:
        actions.keep(
            tx, keyring, actor=desk, id=id, subject_id=ids.new_id(), kind=RecordKind.DESCRIPTION,
            purpose=Purpose.LOOKOUT, content=WORDS,
        )  # fmt: skip
        raise StorageFailed("storage.failed", en="full", zh="满")
    keep_in(database, keyring, DISTRICT, desk, id)
    assert read(database, keyring, desk, id) == b"other words"


@pytest.mark.postgres
def test_a_key_kept_before_keys_had_districts_opens_and_is_destroyed(
    database: Database, keyring: Keyring, make: Make, tmp_path: Path, night: MoveOn
) -> None:
    desk, subject = make.actor(Role.DESK), ids.new_id()
    id = kept(database, keyring, desk, subject)
    former = to_former_place(tmp_path / "vault", id)
    assert read(database, keyring, desk, id) == WORDS
    with pytest.raises(RuleBroken, match="taken"):
        keep_in(database, keyring, ELSEWHERE, make.actor(Role.DESK, ELSEWHERE), id)
    actions.destroy_orphans(database, keyring, [DISTRICT, ELSEWHERE])
    night(timedelta(days=8))
    actions.destroy_orphans(database, keyring, [DISTRICT, ELSEWHERE])
    assert keyring.opens(DISTRICT, id)
    assert keyring.rewrap() == 0
    with database.transaction(DISTRICT) as tx:
        actions.erase(tx, keyring, actor=desk, subject_ids=[subject])
    assert not former.exists()
    with pytest.raises(NotFound, match=r"record\.erased"):
        keyring.open(DISTRICT, id)


def to_former_place(vault: Path, id: str) -> Path:
    """Where keys lay up to version 0.1: two signs of the id, without the district."""
    (new,) = vault.glob(f"*/*/{id}.key")
    former = vault / id[-2:] / new.name
    former.parent.mkdir()
    return new.rename(former)


def test_a_record_that_is_no_photograph_is_not_shown_as_one(app: FastAPI) -> None:
    keyring: Keyring = app.state.services[Keyring]
    desk = signed_in(app, Role.DESK, DISTRICT)
    id = ids.new_id()
    keep_in(app.state.services[Runtime].database, keyring, DISTRICT, Make.actor(Role.DESK), id)
    answer = desk.get(f"/api/photos/{id}?district={DISTRICT}&purpose=lookout")
    assert answer.status_code == 404
    assert answer.json()["error"] == "photo.missing"


def test_a_copy_of_a_key_that_a_crash_left_while_keys_were_wrapped_anew_goes_with_the_key(
    database: Database, keyring: Keyring, make: Make, tmp_path: Path
) -> None:
    desk, subject = make.actor(Role.DESK), ids.new_id()
    id = kept(database, keyring, desk, subject)
    (key,) = (tmp_path / "vault").glob(f"*/*/{id}.key")
    key.with_suffix(".new").write_bytes(key.read_bytes())
    with database.transaction(DISTRICT) as tx:
        actions.erase(tx, keyring, actor=desk, subject_ids=[subject])
    assert list((tmp_path / "vault").glob("*/*/*")) == []
    other = kept(database, keyring, desk, subject)
    stray = tmp_path / "vault" / DISTRICT / other[-2:] / f"{other}.new"
    stray.write_bytes(b"half a key")
    keyring.clear_scratch()
    assert not stray.exists()
    assert read(database, keyring, desk, other) == WORDS
