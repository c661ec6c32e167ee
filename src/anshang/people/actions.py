"""What is done with accounts, bodies and feeds, and signing in and out.

Passwords are kept as argon2id hashes, session tokens and feed keys as SHA-256 digests of 256 random bits.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NewType

from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, NotFound, NotSignedIn, RuleBroken
from anshang.foundation.lines import check_changed_names, check_names
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.people import passwords, store
from anshang.people.model import (
    Account,
    Body,
    Feed,
    PeopleKind,
    Role,
    Session,
    check_name,
    check_password,
    check_role,
)

PasswordHash = NewType("PasswordHash", str)
UNKNOWN = "unknown"
"""The subject of a refused sign-in whose name no account bears."""


def digest_of(secret: str) -> str:
    """What is kept of a token or key of high entropy."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hashed(password: str, name: str) -> PasswordHash:
    """What is kept of a password; BadInput when it is too weak for somebody of that sign-in name.

    Slow on purpose, so it runs before any write begins.
    """
    check_password(password, name)
    return PasswordHash(passwords.hash_of(password))


def open_first_account(
    tx: Transaction, *, name: str, password: PasswordHash, district_ids: tuple[str, ...], language: str = "zh"
) -> Account:
    """Open the administrator of a new installation; RuleBroken when there is an account already."""
    if store.count_accounts(tx.connection):
        raise RuleBroken("account.not_first", en="There are accounts already.", zh="系统中已有账号。")
    account = _new_account(
        id=ids.new_id(),
        name=name,
        display_name=name,
        role=Role.ADMIN,
        body_id=None,
        district_ids=district_ids,
        password=password,
        language=language,
    )
    return _keep_new(tx, account, by=account.id)


def open_account(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    name: str,
    display_name: str,
    role: Role,
    body_id: str | None,
    district_ids: tuple[str, ...],
    password: PasswordHash,
    language: str = "zh",
) -> Account:
    """Open an account; the same id again answers with what is there."""
    _must_manage(actor, district_ids)
    if there := store.accounts.find(tx.connection, EVERYWHERE, id):
        _must_manage(actor, there.district_ids)
    said = {"name": name, "display_name": display_name, "role": role, "body_id": body_id}
    if known := store.accounts.find_again(tx.connection, EVERYWHERE, id, **said, district_ids=district_ids):
        return known
    check_body(tx.connection, body_id, actor.district_ids)
    account = _new_account(
        id=id,
        name=name,
        display_name=display_name,
        role=role,
        body_id=body_id,
        district_ids=district_ids,
        password=password,
        language=language,
    )
    return _keep_new(tx, account, by=actor.id)


def change_account(
    tx: Transaction,
    *,
    actor: Actor,
    id: str,
    version: int,
    display_name: str,
    role: Role,
    body_id: str | None,
    district_ids: tuple[str, ...],
    active: bool,
) -> Account:
    """Change what somebody is here for; closing an account or changing its role ends its sessions."""
    _must_manage(actor, district_ids)
    before = store.accounts.get(tx.connection, EVERYWHERE, id)
    _must_manage(actor, before.district_ids)
    if before.id == actor.id and (not active or role is not Role.ADMIN):
        raise RuleBroken(
            "account.own_rights",
            en="Nobody takes their own administrator's rights away; another administrator does.",
            zh="不能取消自己的管理员权限，须由另一位管理员操作。",
        )
    check_role(role, district_ids, body_id)
    if body_id != before.body_id:
        check_body(tx.connection, body_id, actor.district_ids)
    changed = replace(
        before,
        display_name=display_name,
        role=role,
        body_id=body_id,
        district_ids=district_ids,
        active=active,
        version=version,
    )
    check_changed_names(before, changed, "display_name")
    after = store.accounts.put(tx, changed)
    if not active or role is not before.role or district_ids != before.district_ids:
        store.remove_sessions_of(tx, id)
    details = {"role": str(role), "active": active, "districts": list(district_ids)}
    journal.record(tx, actor_id=actor.id, kind=PeopleKind.ACCOUNT_CHANGED, subject_id=id, details=details)
    return after


def check_body(connection: Connection, body_id: str | None, district_ids: Sequence[str]) -> None:
    """NotFound for a body that there is not, or whose people all work in other districts; none at all is
    well.
    """
    if body_id is None:
        return
    body = store.bodies.get(connection, EVERYWHERE, body_id)
    if body.id in store.list_foreign_bodies(connection, district_ids):
        raise NotFound("bodies.missing", en="There is no such body.", zh="没有该单位。")


def lend(tx: Transaction, *, actor: Actor, district_id: str, copy_id: str) -> None:
    """Let everybody who sees a district see its copy, too."""
    _must_manage(actor, (district_id, copy_id))
    for account in store.list_accounts(tx.connection):
        if district_id in account.district_ids and copy_id not in account.district_ids:
            store.accounts.put(tx, replace(account, district_ids=(*account.district_ids, copy_id)))
    journal.record(tx, actor_id=actor.id, kind=PeopleKind.DISTRICT_LENT, subject_id=copy_id)


def take_back(tx: Transaction, *, actor: Actor, copy_id: str) -> None:
    """Nobody sees the copy of a district any more."""
    _must_manage(actor, (copy_id,))
    for account in store.list_accounts(tx.connection):
        if copy_id in account.district_ids:
            kept = tuple(id for id in account.district_ids if id != copy_id)
            store.accounts.put(tx, replace(account, district_ids=kept))
    journal.record(tx, actor_id=actor.id, kind=PeopleKind.DISTRICT_TAKEN_BACK, subject_id=copy_id)


def change_language(tx: Transaction, *, actor: Actor, language: str) -> Account:
    """Remember the language somebody works in."""
    account = store.accounts.get(tx.connection, EVERYWHERE, actor.id)
    return store.accounts.put(tx, replace(account, language=language))


def set_password(tx: Transaction, *, actor: Actor, id: str, password: PasswordHash) -> None:
    """Set somebody's password and end their sessions: their own, or anybody's for who manages people."""
    if actor.id != id:
        _must_manage(actor, actor.district_ids)
    account = store.accounts.get(tx.connection, EVERYWHERE, id)
    if actor.id != id:
        _must_manage(actor, account.district_ids)
    store.accounts.put(tx, replace(account, password_hash=password))
    store.remove_sessions_of(tx, id)
    journal.record(tx, actor_id=actor.id, kind=PeopleKind.PASSWORD_CHANGED, subject_id=id)


def check_own_password(connection: Connection, *, actor: Actor, password: str) -> None:
    """BadInput unless it is the actor's own; slow on purpose, so it runs before any write begins."""
    if not passwords.fits(store.accounts.get(connection, EVERYWHERE, actor.id).password_hash, password):
        raise BadInput("account.wrong_password", en="The present password is wrong.", zh="当前密码不正确。")


def recognise(connection: Connection, *, name: str, password: str) -> Account:
    """The account of somebody who signs in; slow on purpose, so it runs before any write begins.

    NotSignedIn, with the same words and in the same time, for a wrong name and a wrong password.
    """
    account = store.find_account_by_name(connection, name)
    fits = passwords.fits(account.password_hash if account else passwords.NOBODY_HASH, password)
    if account is None or not account.active or not fits:
        raise NotSignedIn("session.refused", en="The name or the password is wrong.", zh="登录名或密码错误。")
    return account


def open_session(tx: Transaction, *, account: Account, lasts: timedelta) -> tuple[str, Session]:
    """Open a session for an account whose holder has been verified; returns its secret token with it."""
    token = secrets.token_urlsafe(32)
    at = clock.now()
    session = Session(digest_of(token), account.id, secrets.token_urlsafe(24), at, at + lasts)
    store.remove_expired_sessions(tx, at)
    store.add_session(tx, session)
    journal.record(tx, actor_id=account.id, kind=PeopleKind.SESSION_OPENED, subject_id=account.id)
    return token, session


def note_refused_sign_in(tx: Transaction, *, name: str) -> None:
    """Record that somebody failed to sign in; the name only when an account bears it."""
    account = store.find_account_by_name(tx.connection, name)
    subject = account.id if account else UNKNOWN
    journal.record(tx, actor_id="nobody", kind=PeopleKind.SESSION_REFUSED, subject_id=subject)


def sign_out(tx: Transaction, *, actor: Actor, token: str) -> None:
    """End the session of the token."""
    store.remove_session(tx, digest_of(token))
    journal.record(tx, actor_id=actor.id, kind=PeopleKind.SESSION_CLOSED, subject_id=actor.id)


def register_body(tx: Transaction, *, actor: Actor, id: str, name_zh: str, name_en: str) -> Body:
    """Register an organisation; the same id again answers with what is there."""
    _must_manage(actor, actor.district_ids)
    check_names(name_zh, name_en)
    if known := store.bodies.find_again(tx.connection, EVERYWHERE, id, name_zh=name_zh, name_en=name_en):
        return known
    body = Body(id=id, name_zh=name_zh, name_en=name_en)
    store.bodies.add(tx, body)
    journal.record(tx, actor_id=actor.id, kind=PeopleKind.BODY_REGISTERED, subject_id=id)
    return body


def open_feed(tx: Transaction, *, actor: Actor, id: str, name: str) -> tuple[Feed, str]:
    """Open a source of observations in the transaction's district; its key is returned once and never
    kept.
    """
    actor.must(Permission.PEOPLE_MANAGE, tx.district_id)
    check_names(name)
    if store.feeds.find(tx.connection, tx.district_id, ids.checked_id(id)):
        raise RuleBroken(
            "feed.exists",
            en="This feed exists; its key was shown once.",
            zh="该数据源已存在，密钥只显示一次。",
        )
    key = f"ask_{secrets.token_urlsafe(32)}"
    feed = Feed(id, tx.district_id, name, digest_of(key), clock.now())
    store.feeds.add(tx, feed)
    journal.record(tx, actor_id=actor.id, kind=PeopleKind.FEED_OPENED, subject_id=id)
    return feed, key


def close_feed(tx: Transaction, *, actor: Actor, id: str) -> Feed:
    """Close a feed: its key opens nothing from now on. Closing it again changes nothing."""
    actor.must(Permission.PEOPLE_MANAGE, tx.district_id)
    feed = store.feeds.get(tx.connection, tx.district_id, id)
    if feed.closed_at is not None:
        return feed
    closed = store.feeds.put(tx, replace(feed, closed_at=clock.now()))
    journal.record(tx, actor_id=actor.id, kind=PeopleKind.FEED_CLOSED, subject_id=id)
    return closed


def _must_manage(actor: Actor, district_ids: tuple[str, ...]) -> None:
    for district_id in district_ids:
        actor.must(Permission.PEOPLE_MANAGE, district_id)


def _new_account(
    *,
    id: str,
    name: str,
    display_name: str,
    role: Role,
    body_id: str | None,
    district_ids: tuple[str, ...],
    password: PasswordHash,
    language: str,
) -> Account:
    check_name(name)
    check_names(display_name)
    check_role(role, district_ids, body_id)
    return Account(
        id=id,
        name=name,
        display_name=display_name,
        role=role,
        body_id=body_id,
        district_ids=district_ids,
        language=language,
        active=True,
        password_hash=password,
        opened_at=clock.now(),
    )


def _keep_new(tx: Transaction, account: Account, *, by: str) -> Account:
    if store.find_account_by_name(tx.connection, account.name):
        raise BadInput("account.name_taken", en="This sign-in name is taken.", zh="该登录名已被使用。")
    store.accounts.add(tx, account)
    journal.record(
        tx,
        actor_id=by,
        kind=PeopleKind.ACCOUNT_OPENED,
        subject_id=account.id,
        details={"role": str(account.role), "districts": list(account.district_ids)},
    )
    return account
