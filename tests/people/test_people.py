"""Accounts, sessions, bodies and feeds: who may do what with them, and what is written of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import COSTLY, DISTRICT, Make

from anshang.foundation import clock, ids
from anshang.foundation.actor import Permission
from anshang.foundation.database import Database
from anshang.foundation.errors import (
    BadInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    RuleBroken,
    StaleVersion,
    TooOften,
)
from anshang.journal import store as journal
from anshang.journal.model import EVERYWHERE
from anshang.people import actions, passwords, store
from anshang.people.doorkeeper import Doorkeeper
from anshang.people.model import MACHINES, PERMISSIONS, Account, PeopleKind, Role, operator_actor

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
PASSWORD = "a long enough one"


def opened(database: Database, name: str = "lin", role: Role = Role.DESK, **changes: object) -> Account:
    with database.transaction(EVERYWHERE) as tx:
        told: dict[str, object] = {
            "id": ids.new_id(), "name": name, "display_name": "林", "role": role, "body_id": None,
            "district_ids": (DISTRICT,), "password": PASSWORD,
        } | changes  # fmt: skip
        told["password"] = actions.hashed(str(told["password"]), name)
        return actions.open_account(tx, actor=operator_actor(DISTRICT), **told)  # type: ignore[arg-type]


def kinds(database: Database, district: str = EVERYWHERE) -> list[str]:
    with database.reading([district]) as connection:
        return [entry.kind for entry in journal.list_after(connection, district, 0)]


def session_of(database: Database, account: Account, lasts: timedelta = timedelta(hours=1)) -> str:
    with database.transaction(EVERYWHERE) as tx:
        return actions.open_session(tx, account=account, lasts=lasts)[0]


def test_opening_an_account_is_journalled_without_the_password(database: Database) -> None:
    account = opened(database)
    assert kinds(database) == [PeopleKind.ACCOUNT_OPENED]
    assert PASSWORD not in account.password_hash
    with database.reading([EVERYWHERE]) as connection:
        assert PASSWORD not in str(journal.list_after(connection, EVERYWHERE, 0))


def test_opening_the_same_account_again_answers_with_the_first(database: Database) -> None:
    account = opened(database)
    assert opened(database, id=account.id) == account
    with pytest.raises(RuleBroken):
        opened(database, id=account.id, display_name="other")
    assert kinds(database) == [PeopleKind.ACCOUNT_OPENED]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "X"},
        {"name": "a b"},
        {"password": "short"},
        {"password": "x" * 201},
        {"password": "lin-and-more-words"},
        {"role": Role.ENGINE},
        {"role": Role.FEED},
        {"role": Role.PARTNER},
        {"district_ids": ()},
    ],
    ids=str,
)
def test_an_account_that_cannot_be_is_refused_and_nothing_written(
    database: Database, changes: dict[str, object]
) -> None:
    with pytest.raises(BadInput):
        opened(database, **changes)
    assert kinds(database) == []


def test_a_name_is_taken_once(database: Database) -> None:
    opened(database)
    with pytest.raises(BadInput, match="taken"):
        opened(database)


def test_a_body_must_exist(database: Database) -> None:
    with pytest.raises(NotFound):
        opened(database, role=Role.PARTNER, body_id=ids.new_id())


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_only_administrators_manage_people(database: Database, make: Make, role: Role) -> None:
    account = opened(database)
    actor = make.actor(role)
    refused = [
        lambda tx: actions.open_account(
            tx, actor=actor, id=ids.new_id(), name="new", display_name="n", role=Role.DESK, body_id=None,
            district_ids=(DISTRICT,), password=actions.hashed(PASSWORD, "new"),
        ),
        lambda tx: actions.change_account(
            tx, actor=actor, id=account.id, version=1, display_name="n", role=Role.ADMIN, body_id=None,
            district_ids=(DISTRICT,), active=True,
        ),
        lambda tx: actions.set_password(tx, actor=actor, id=account.id, password=actions.hashed(PASSWORD, "lin")),
        lambda tx: actions.register_body(tx, actor=actor, id=ids.new_id(), name_zh="a", name_en="a"),
    ]  # fmt: skip
    for verb in refused:
        with pytest.raises(NotAllowed), database.transaction(EVERYWHERE) as tx:
            verb(tx)
    with pytest.raises(NotAllowed), database.transaction(DISTRICT) as tx:
        actions.open_feed(tx, actor=actor, id=ids.new_id(), name="gates")
    assert kinds(database) == [PeopleKind.ACCOUNT_OPENED]
    assert kinds(database, DISTRICT) == []


def test_an_administrator_of_one_district_does_not_manage_another(database: Database, make: Make) -> None:
    with pytest.raises(NotAllowed), database.transaction(EVERYWHERE) as tx:
        actions.open_account(
            tx, actor=make.actor(Role.ADMIN, "elsewhere"), id=ids.new_id(), name="new", display_name="n",
            role=Role.DESK, body_id=None, district_ids=(DISTRICT,), password=actions.hashed(PASSWORD, "new"),
        )  # fmt: skip


def test_changing_to_a_body_that_does_not_exist_is_refused(database: Database) -> None:
    account = opened(database)
    written = kinds(database)
    with pytest.raises(NotFound), database.transaction(EVERYWHERE) as tx:
        actions.change_account(
            tx, actor=operator_actor(DISTRICT), id=account.id, version=account.version, display_name="林",
            role=Role.PARTNER, body_id=ids.new_id(), district_ids=(DISTRICT,), active=True,
        )  # fmt: skip
    assert kinds(database) == written


def test_an_administrator_sets_the_password_of_somebody_of_their_district_only(
    database: Database, make: Make
) -> None:
    account = opened(database)
    with database.transaction(EVERYWHERE) as tx:
        actions.set_password(
            tx,
            actor=make.actor(Role.ADMIN),
            id=account.id,
            password=actions.hashed("another long one", "lin"),
        )
    with database.reading([EVERYWHERE]) as connection:
        assert actions.recognise(connection, name="lin", password="another long one").id == account.id
    with pytest.raises(NotAllowed), database.transaction(EVERYWHERE) as tx:
        actions.set_password(
            tx,
            actor=make.actor(Role.ADMIN, "elsewhere"),
            id=account.id,
            password=actions.hashed("a third long one", "lin"),
        )
    assert kinds(database).count(PeopleKind.PASSWORD_CHANGED) == 1


def test_changing_a_role_ends_the_sessions(database: Database) -> None:
    account = opened(database)
    doorkeeper = Doorkeeper(database, tries_per_minute=100)
    token = session_of(database, account)
    assert doorkeeper.visitor_of(token) is not None
    with database.transaction(EVERYWHERE) as tx:
        changed = actions.change_account(
            tx, actor=operator_actor(DISTRICT), id=account.id, version=1, display_name="林", role=Role.PATROL,
            body_id=None, district_ids=(DISTRICT,), active=True,
        )  # fmt: skip
    assert (changed.role, changed.version) == (Role.PATROL, 2)
    assert doorkeeper.visitor_of(token) is None
    assert kinds(database)[-1] == PeopleKind.ACCOUNT_CHANGED


def test_a_change_of_an_older_version_is_refused(database: Database) -> None:
    account = opened(database)
    change = {"id": account.id, "version": 1, "display_name": "x", "role": Role.DESK, "body_id": None,
              "district_ids": (DISTRICT,), "active": True}  # fmt: skip
    with database.transaction(EVERYWHERE) as tx:
        actions.change_account(tx, actor=operator_actor(DISTRICT), **change)  # type: ignore[arg-type]
    with pytest.raises(StaleVersion), database.transaction(EVERYWHERE) as tx:
        actions.change_account(tx, actor=operator_actor(DISTRICT), **change)  # type: ignore[arg-type]


def test_an_administrator_does_not_lock_themselves_out(database: Database) -> None:
    account = opened(database, role=Role.ADMIN)
    with pytest.raises(RuleBroken), database.transaction(EVERYWHERE) as tx:
        actions.change_account(
            tx, actor=account.as_actor(), id=account.id, version=1, display_name="x", role=Role.ADMIN, body_id=None,
            district_ids=(DISTRICT,), active=False,
        )  # fmt: skip


def test_whoever_changes_their_own_password_knows_the_present_one(database: Database) -> None:
    account = opened(database)
    with database.reading([EVERYWHERE]) as connection:
        actions.check_own_password(connection, actor=account.as_actor(), password=PASSWORD)
        for wrong in ("", "another long one"):
            with pytest.raises(BadInput):
                actions.check_own_password(connection, actor=account.as_actor(), password=wrong)


def test_a_new_password_ends_the_sessions_and_the_old_one(database: Database) -> None:
    account = opened(database)
    token = session_of(database, account)
    with database.transaction(EVERYWHERE) as tx:
        actions.set_password(
            tx, actor=account.as_actor(), id=account.id, password=actions.hashed("another long one", "lin")
        )
    assert Doorkeeper(database, tries_per_minute=100).visitor_of(token) is None
    with database.reading([EVERYWHERE]) as connection:
        assert actions.recognise(connection, name="lin", password="another long one").id == account.id
        with pytest.raises(NotSignedIn):
            actions.recognise(connection, name="lin", password=PASSWORD)
    assert kinds(database)[-1] == PeopleKind.PASSWORD_CHANGED


@pytest.mark.parametrize(
    ("name", "password"), [("lin", "wrong"), ("nobody", PASSWORD), ("", ""), ("lin' --", "x")]
)
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(
    database: Database, name: str, password: str
) -> None:
    opened(database)
    with database.reading([EVERYWHERE]) as connection, pytest.raises(NotSignedIn) as refused:
        actions.recognise(connection, name=name, password=password)
    assert refused.value.code == "session.refused"


def test_an_unknown_name_costs_as_much_work_as_a_wrong_password() -> None:
    assert not COSTLY.check_needs_rehash(passwords.NOBODY_HASH)


def test_a_closed_account_cannot_sign_in(database: Database) -> None:
    account = opened(database)
    token = session_of(database, account)
    with database.transaction(EVERYWHERE) as tx:
        actions.change_account(
            tx, actor=operator_actor(DISTRICT), id=account.id, version=1, display_name="x", role=Role.DESK, body_id=None,
            district_ids=(DISTRICT,), active=False,
        )  # fmt: skip
    assert Doorkeeper(database, tries_per_minute=100).visitor_of(token) is None
    with database.reading([EVERYWHERE]) as connection, pytest.raises(NotSignedIn):
        actions.recognise(connection, name="lin", password=PASSWORD)


def test_a_session_ends_by_itself(database: Database, night: MoveOn) -> None:
    token = session_of(database, opened(database), timedelta(hours=1))
    doorkeeper = Doorkeeper(database, tries_per_minute=100)
    assert doorkeeper.visitor_of(token) is not None
    night(timedelta(hours=1))
    assert doorkeeper.visitor_of(token) is None


def test_signing_out_ends_this_session_only(database: Database) -> None:
    account = opened(database)
    first, second = session_of(database, account), session_of(database, account)
    with database.transaction(EVERYWHERE) as tx:
        actions.sign_out(tx, actor=account.as_actor(), token=first)
    doorkeeper = Doorkeeper(database, tries_per_minute=100)
    assert doorkeeper.visitor_of(first) is None
    assert doorkeeper.visitor_of(second) is not None
    assert kinds(database)[-1] == PeopleKind.SESSION_CLOSED


def test_neither_a_token_nor_a_key_is_kept(database: Database) -> None:
    token = session_of(database, opened(database))
    with database.transaction(DISTRICT) as tx:
        _feed, key = actions.open_feed(tx, actor=operator_actor(DISTRICT), id=ids.new_id(), name="gates")
    with database.reading([EVERYWHERE, DISTRICT]) as connection:
        kept = str(
            [
                *connection.execute(store.sessions_table.select()),
                *connection.execute(store.feeds_table.select()),
            ]
        )
    assert token not in kept
    assert key not in kept


def test_too_many_tries_are_throttled_by_name_and_address(database: Database) -> None:
    doorkeeper = Doorkeeper(database, tries_per_minute=3)
    for _ in range(3):
        doorkeeper.admit_try("lin", "10.0.0.1")
    with pytest.raises(TooOften) as refused:
        doorkeeper.admit_try("lin", "10.0.0.1")
    assert refused.value.details["retry_after_s"] == 60
    doorkeeper.admit_try("wang", "10.0.0.1")
    for number in range(25):
        doorkeeper.admit_try(f"name{number}", "10.0.0.1")
    with pytest.raises(TooOften):
        doorkeeper.admit_try("one.more", "10.0.0.1")


def test_a_feed_key_opens_ingest_in_its_district_only_until_it_is_closed(database: Database) -> None:
    feed_id = ids.new_id()
    with database.transaction(DISTRICT) as tx:
        _feed, key = actions.open_feed(tx, actor=operator_actor(DISTRICT), id=feed_id, name="gates")
    actor = Doorkeeper(database, tries_per_minute=1).feed_of(key)
    assert actor is not None
    assert actor.may(Permission.CROWD_INGEST, DISTRICT)
    assert not actor.may(Permission.CROWD_INGEST, "elsewhere")
    assert not actor.may(Permission.CROWD_READ, DISTRICT)
    for _ in range(2):
        with database.transaction(DISTRICT) as tx:
            assert actions.close_feed(tx, actor=operator_actor(DISTRICT), id=feed_id).closed_at is not None
    assert Doorkeeper(database, tries_per_minute=1).feed_of(key) is None
    assert kinds(database, DISTRICT) == [PeopleKind.FEED_OPENED, PeopleKind.FEED_CLOSED]


def test_a_feed_is_opened_once(database: Database) -> None:
    feed_id = ids.new_id()
    for expected in (None, RuleBroken):
        with database.transaction(DISTRICT) as tx:
            if expected is None:
                actions.open_feed(tx, actor=operator_actor(DISTRICT), id=feed_id, name="gates")
                continue
            with pytest.raises(expected):
                actions.open_feed(tx, actor=operator_actor(DISTRICT), id=feed_id, name="gates")


def test_the_first_account_is_opened_once(database: Database) -> None:
    with database.transaction(EVERYWHERE) as tx:
        first = actions.open_first_account(
            tx, name="admin", password=actions.hashed(PASSWORD, "admin"), district_ids=(DISTRICT,)
        )
    assert first.role is Role.ADMIN
    with pytest.raises(RuleBroken), database.transaction(EVERYWHERE) as tx:
        actions.open_first_account(
            tx, name="other", password=actions.hashed(PASSWORD, "other"), district_ids=(DISTRICT,)
        )


def test_a_body_is_registered_once_and_journalled(database: Database) -> None:
    body_id = ids.new_id()
    for _ in range(2):
        with database.transaction(EVERYWHERE) as tx:
            actions.register_body(
                tx, actor=operator_actor(DISTRICT), id=body_id, name_zh="商户", name_en="shop"
            )
    assert kinds(database) == [PeopleKind.BODY_REGISTERED]


def test_a_language_is_remembered(database: Database) -> None:
    account = opened(database)
    with database.transaction(EVERYWHERE) as tx:
        assert actions.change_language(tx, actor=account.as_actor(), language="en").language == "en"


def test_a_refused_sign_in_is_journalled_without_the_name(database: Database) -> None:
    with database.transaction(EVERYWHERE) as tx:
        actions.note_refused_sign_in(tx, name="somebody.secret")
    with database.reading([EVERYWHERE]) as connection:
        (entry,) = journal.list_after(connection, EVERYWHERE, 0)
    assert (entry.kind, entry.subject_id) == (PeopleKind.SESSION_REFUSED, "unknown")


def test_every_role_has_its_permissions_and_machines_have_few() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert PERMISSIONS[Role.FEED] == {Permission.CROWD_INGEST}
    assert all(Permission.CROWD_INGEST not in PERMISSIONS[role] for role in set(Role) - MACHINES)
    assert all(Permission.PEOPLE_MANAGE not in PERMISSIONS[role] for role in set(Role) - {Role.ADMIN})
    assert clock.speed() == 1


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "a\nb", "\u200b", ""])
def test_organisations_feeds_and_people_have_names_on_one_line(database: Database, name: str) -> None:
    admin = operator_actor(DISTRICT)
    with pytest.raises(BadInput, match="one line"), database.transaction(EVERYWHERE) as tx:
        actions.register_body(tx, actor=admin, id=ids.new_id(), name_zh=name, name_en="a")
    with pytest.raises(BadInput, match="one line"), database.transaction(DISTRICT) as tx:
        actions.open_feed(tx, actor=admin, id=ids.new_id(), name=name)
    with pytest.raises(BadInput, match="one line"):
        opened(database, display_name=name)


def test_an_account_whose_name_came_before_the_rule_can_be_closed(database: Database) -> None:
    account = opened(database)
    admin = operator_actor(DISTRICT)
    kept = {"role": account.role, "body_id": None, "district_ids": account.district_ids, "active": False}
    with database.transaction(EVERYWHERE) as tx:
        old = store.accounts.put(tx, replace(account, display_name="=1+1"))
    with database.transaction(EVERYWHERE) as tx:
        told = {"actor": admin, "id": account.id, "version": old.version, **kept}
        assert not actions.change_account(tx, display_name="=1+1", **told).active  # type: ignore[arg-type]
