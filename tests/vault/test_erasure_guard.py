"""A wrong clock, or a wrong database, destroys nothing: a person is asked first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from tests.conftest import DISTRICT, NIGHT, Make
from tests.serving import signed_in
from tests.vault.test_vault import WORDS, MoveOn, kept, read
from tests.web.conftest import app as app_fixture

from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.foundation.errors import NotAllowed, RuleBroken
from anshang.journal import store as journal
from anshang.journal.model import EVERYWHERE
from anshang.people.model import Role, operator_actor
from anshang.vault import actions
from anshang.vault.erasure_guard import ErasureGuard, confirm_clock
from anshang.vault.keys import Keyring

pytestmark = pytest.mark.postgres
HOUR = timedelta(hours=1)
app = app_fixture


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "vault")


@pytest.fixture
def steady(night: MoveOn) -> Callable[[], float]:
    """Seconds that pass with nothing but `real`: the clock can be set away from them."""
    began_s = clock.steady_s()
    return lambda: began_s


def guard_of(database: Database, steady_s: Callable[[], float] = clock.steady_s) -> ErasureGuard:
    return ErasureGuard(database, [DISTRICT], steady_s)


def confirm(database: Database) -> None:
    with database.transaction(EVERYWHERE) as tx:
        confirm_clock(tx, actor=operator_actor(EVERYWHERE))


def events(database: Database) -> list[str]:
    with database.reading() as connection:
        entries = journal.list_after(connection, EVERYWHERE, 0)
    return [entry.kind for entry in entries if entry.kind.startswith("erasure")]


def held(guard: ErasureGuard) -> bool:
    try:
        guard.check()
    except RuleBroken as refusal:
        assert refusal.code == "erasure.held"
        assert "confirm-clock" in refusal.en
        assert "confirm-clock" in refusal.zh
        return True
    return False


def test_time_that_passes_holds_nothing_back(database: Database, night: MoveOn) -> None:
    guard = guard_of(database)
    for _ in range(5):
        night(timedelta(days=1))
        assert not held(guard)
    assert events(database) == []


def test_a_clock_that_is_set_forward_holds_erasure_until_it_is_right_again(
    database: Database, night: MoveOn, steady: Callable[[], float]
) -> None:
    guard = guard_of(database, steady)
    assert not held(guard)
    night(timedelta(days=500))
    assert held(guard)
    assert held(guard), "asked again and again, it is journalled once"
    assert guard.held_since == NIGHT
    night(-timedelta(days=500))
    assert not held(guard)
    assert guard.held_since is None
    assert events(database) == ["erasure.held", "erasure.resumed"]


def test_a_restart_under_a_wrong_clock_ends_no_hold(
    database: Database, keyring: Keyring, make: Make, night: MoveOn, steady: Callable[[], float]
) -> None:
    """Entries were written under the wrong clock meanwhile, so the journal looks as if it were right."""
    guard = guard_of(database, steady)
    night(timedelta(days=4))
    assert held(guard)
    kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    assert held(guard_of(database))
    night(-timedelta(days=4))
    assert not held(guard_of(database))


def test_a_clock_far_past_the_newest_entry_at_the_start_asks_a_person(
    database: Database, keyring: Keyring, make: Make, night: MoveOn
) -> None:
    kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    night(timedelta(days=2))
    assert not held(guard_of(database)), "a machine that was off for a weekend goes on"
    night(HOUR)
    guard = guard_of(database)
    assert held(guard)
    confirm(database)
    assert not held(guard)
    assert not held(guard_of(database))
    assert events(database) == ["erasure.held", "erasure.confirmed"]


def test_a_machine_that_wakes_with_an_old_clock_goes_on_when_the_network_corrects_it(
    database: Database, keyring: Keyring, make: Make, night: MoveOn, steady: Callable[[], float]
) -> None:
    """A kiosk whose battery is dead begins in another year and is right a minute later."""
    kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    night(-timedelta(days=3650))
    guard = guard_of(database, steady)
    assert not held(guard), "a clock that is behind destroys nothing early"
    night(timedelta(days=3650) + 10 * HOUR)
    assert not held(guard)
    night(2 * HOUR)
    assert held(guard), "from now on it is known what is right"


def test_only_who_may_erase_confirms_the_clock(database: Database, make: Make) -> None:
    with pytest.raises(NotAllowed), database.transaction(EVERYWHERE) as tx:
        confirm_clock(tx, actor=make.actor(Role.WALL, EVERYWHERE))


def orphans_gone(database: Database, keyring: Keyring) -> None:
    """What the hourly round destroys."""
    actions.destroy_orphans(database, keyring, [DISTRICT])


def another_installation(database: Database) -> None:
    """The address led to another database: nothing of ours is in it."""
    with database.owning() as connection:
        connection.execute(text("DELETE FROM vault_records"))
        connection.execute(text("UPDATE installation SET id = :id"), {"id": ids.new_id()})


def test_a_wrong_database_destroys_no_key_of_the_vault(
    database: Database, keyring: Keyring, make: Make
) -> None:
    for _ in range(3):
        kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    orphans_gone(database, keyring)
    another_installation(database)
    with pytest.raises(RuleBroken, match=r"vault\.other_installation"):
        orphans_gone(database, keyring)
    kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    with pytest.raises(RuleBroken, match=r"vault\.other_installation"):
        orphans_gone(database, keyring)
    assert len(keyring.list_keys()) == 4


def test_a_vault_of_an_earlier_version_is_not_emptied_by_an_empty_database(
    database: Database, keyring: Keyring, make: Make, tmp_path: Path
) -> None:
    """It does not say yet whose it is: none of its keys has a row here."""
    kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    assert not (tmp_path / "vault" / "installation").exists()
    another_installation(database)
    with pytest.raises(RuleBroken, match=r"vault\.other_installation"):
        orphans_gone(database, keyring)
    assert len(keyring.list_keys()) == 1


def test_an_older_back_up_never_makes_every_key_an_orphan(
    database: Database, keyring: Keyring, make: Make, night: MoveOn
) -> None:
    """The same installation, restored as it was before any of its records was kept."""
    orphans_gone(database, keyring)
    for _ in range(3):
        kept(database, keyring, make.actor(Role.DESK), ids.new_id())
    with database.owning() as connection:
        connection.execute(text("DELETE FROM vault_records"))
    orphans_gone(database, keyring)
    night(timedelta(days=99))
    orphans_gone(database, keyring)
    assert len(keyring.list_keys()) == 3


def test_an_older_back_up_keeps_the_keys_of_younger_records_for_a_week(
    database: Database, keyring: Keyring, make: Make, night: MoveOn
) -> None:
    """The same installation, restored as it was three weeks ago: who made a mistake can still undo it."""
    old, young = (kept(database, keyring, make.actor(Role.DESK), ids.new_id()) for _ in range(2))
    night(timedelta(days=20))
    with database.owning() as connection:
        row = (
            connection.execute(text("SELECT * FROM vault_records WHERE id = :id"), {"id": young})
            .mappings()
            .one()
        )
        connection.execute(text("DELETE FROM vault_records WHERE id = :id"), {"id": young})
    orphans_gone(database, keyring)
    night(timedelta(days=6))
    orphans_gone(database, keyring)
    assert keyring.list_keys() == sorted([(DISTRICT, old), (DISTRICT, young)])
    with database.owning() as connection:  # the right database is back
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO vault_records ({names}) VALUES ({values})"), dict(row))
    night(timedelta(days=6))
    orphans_gone(database, keyring)
    with database.owning() as connection:
        connection.execute(text("DELETE FROM vault_records WHERE id = :id"), {"id": young})
    orphans_gone(database, keyring)
    night(timedelta(days=6))
    orphans_gone(database, keyring)
    assert keyring.list_keys() == sorted([(DISTRICT, old), (DISTRICT, young)]), "its week began anew"
    night(timedelta(days=1))
    orphans_gone(database, keyring)
    assert keyring.list_keys() == [(DISTRICT, old)]


def test_the_key_of_a_record_that_says_it_was_erased_goes_even_when_it_is_the_only_one(
    database: Database, keyring: Keyring, make: Make
) -> None:
    """The machine stopped between the commit and the destruction of the key."""
    desk, subject = make.actor(Role.DESK), ids.new_id()
    id = kept(database, keyring, desk, subject)
    with database.transaction(DISTRICT) as tx:
        actions.erase(tx, keyring, actor=desk, subject_ids=[subject])
        tx.after_commit.clear()
    assert keyring.list_keys() == [(DISTRICT, id)]
    orphans_gone(database, keyring)
    assert keyring.list_keys() == []


def test_records_without_a_key_are_counted(database: Database, keyring: Keyring, make: Make) -> None:
    """After a back-up was restored on another machine, or when a disk lost files."""
    desk = make.actor(Role.DESK)
    id = kept(database, keyring, desk, ids.new_id())
    lost = kept(database, keyring, desk, ids.new_id())
    keyring.destroy(DISTRICT, lost)
    with database.reading([DISTRICT]) as connection:
        assert actions.list_unreadable_ids(connection, keyring, DISTRICT) == [lost]
    assert read(database, keyring, desk, id) == WORDS


def test_the_check_page_says_that_the_clock_is_in_doubt(app: FastAPI) -> None:
    guard: ErasureGuard = app.state.services[ErasureGuard]
    admin = signed_in(app, Role.ADMIN, DISTRICT)

    def points() -> dict[str, str]:
        return {one["name"]: one["state"] for one in admin.get(f"/api/check?district={DISTRICT}").json()}

    assert points()["clock.trusted"] == "ok"
    with clock.standing_at(clock.now() + timedelta(days=30)):
        assert held(guard)
    assert points()["clock.trusted"] == "fail"
    assert points()["vault.readable"] == "ok"
