"""The tables of accounts, bodies, sessions and feeds. They belong to the installation, not to one
district.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from anshang.foundation.columns import Codes, Named, UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.shelf import Shelf
from anshang.people.model import Account, Body, Feed, Role, Session

accounts_table = Table(
    "accounts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("name", String(40), nullable=False, unique=True),
    Column("display_name", String(80), nullable=False),
    Column("role", Named(Role), nullable=False),
    Column("body_id", String(36)),
    Column("district_ids", Codes, nullable=False),
    Column("language", String(2), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False),
)

bodies_table = Table(
    "bodies",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("name_zh", String(120), nullable=False),
    Column("name_en", String(120), nullable=False),
    Column("version", Integer, nullable=False),
)

sessions_table = Table(
    "sessions",
    metadata,
    Column("token_digest", String(64), primary_key=True),
    Column("account_id", String(36), nullable=False, index=True),
    Column("csrf_token", String(64), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

feeds_table = Table(
    "feeds",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("name", String(80), nullable=False),
    Column("key_digest", String(64), nullable=False, unique=True),
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("version", Integer, nullable=False),
)

accounts = Shelf(accounts_table, Account, missing=("There is no such account.", "没有该账号。"))
bodies = Shelf(bodies_table, Body, missing=("There is no such body.", "没有该单位。"))
feeds = Shelf(feeds_table, Feed, missing=("There is no such feed.", "没有该数据源。"))

_ACTIVE_OF = select(accounts_table.c.id, accounts_table.c.role, accounts_table.c.district_ids).where(
    accounts_table.c.id.in_(bindparam("these", expanding=True)), accounts_table.c.active.is_(True)
)


def find_account_by_name(connection: Connection, name: str) -> Account | None:
    """The account with this sign-in name, or None."""
    row = connection.execute(accounts.select().where(accounts_table.c.name == name)).one_or_none()
    return None if row is None else accounts.read(row)


def list_accounts(connection: Connection) -> list[Account]:
    """All accounts by name."""
    return [
        accounts.read(row) for row in connection.execute(accounts.select().order_by(accounts_table.c.name))
    ]


def roles_in(connection: Connection, district_id: str, account_ids: Sequence[str]) -> list[Role | None]:
    """The role of each account in a district; None for one that is closed or has no access there."""
    known = connection.execute(_ACTIVE_OF, {"these": list(account_ids)})
    roles = {id: role for id, role, district_ids in known if district_id in district_ids}
    return [roles.get(id) for id in account_ids]


def list_foreign_bodies(connection: Connection, district_ids: Sequence[str]) -> set[str]:
    """The bodies that have people, but none in these districts."""
    shared: set[str] = set()
    with_people: set[str] = set()
    for one in list_accounts(connection):
        if one.body_id is not None and one.active:
            with_people.add(one.body_id)
            if set(one.district_ids) & set(district_ids):
                shared.add(one.body_id)
    return with_people - shared


def count_accounts(connection: Connection) -> int:
    """How many accounts there are."""
    return connection.execute(select(func.count()).select_from(accounts_table)).scalar_one()


def list_bodies(connection: Connection) -> list[Body]:
    """All bodies by their English name."""
    return [bodies.read(row) for row in connection.execute(bodies.select().order_by(bodies_table.c.name_en))]


def list_feeds(connection: Connection, district_id: str) -> list[Feed]:
    """The district's feeds, oldest first."""
    query = feeds.select().where(feeds_table.c.district_id == district_id)
    return [feeds.read(row) for row in connection.execute(query.order_by(feeds_table.c.opened_at))]


def find_feed_by_key(connection: Connection, key_digest: str) -> Feed | None:
    """The open feed with this key, or None."""
    query = feeds.select().where(feeds_table.c.key_digest == key_digest, feeds_table.c.closed_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else feeds.read(row)


def add_session(tx: Transaction, session: Session) -> None:
    """Keep a session."""
    values = {c.name: getattr(session, c.name) for c in sessions_table.c}
    tx.connection.execute(insert(sessions_table).values(**values))


def find_session(connection: Connection, token_digest: str, at: datetime) -> tuple[Session, Account] | None:
    """The session that is still open at the instant, with its active account; None otherwise."""
    query = select(sessions_table).where(
        sessions_table.c.token_digest == token_digest, sessions_table.c.expires_at > at
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    mine = accounts.select().where(accounts_table.c.id == row.account_id, accounts_table.c.active.is_(True))
    found = connection.execute(mine).one_or_none()
    return None if found is None else (Session(**row._mapping), accounts.read(found))


def remove_session(tx: Transaction, token_digest: str) -> None:
    """End one session."""
    tx.connection.execute(delete(sessions_table).where(sessions_table.c.token_digest == token_digest))


def remove_sessions_of(tx: Transaction, account_id: str) -> None:
    """End every session of the account."""
    tx.connection.execute(delete(sessions_table).where(sessions_table.c.account_id == account_id))


def remove_expired_sessions(tx: Transaction, at: datetime) -> None:
    """Forget the sessions that have ended."""
    tx.connection.execute(delete(sessions_table).where(sessions_table.c.expires_at <= at))


def names_of(connection: Connection, actor_ids: Iterable[str]) -> dict[str, str]:
    """The display names of actors by id; a machine's id stands for itself."""
    wanted = set(actor_ids)
    query = select(accounts_table.c.id, accounts_table.c.display_name).where(accounts_table.c.id.in_(wanted))
    return {id: id for id in wanted} | {id: name for id, name in connection.execute(query)}
