"""The database behind two doors and a service entrance; the only file that asks which database it is.

`transaction()` is for verbs: writers of one district take turns, claimed at BEGIN, so that journal numbers
become visible in order; those who wait share a commit. `reading()` is one snapshot that cannot write.
`bulk()` is for telemetry. The embedded SQLite comes from PyPI because the one in Debian 12 can corrupt a
write-ahead log that several connections checkpoint.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import pysqlite3
from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool, QueuePool

from anshang.foundation import clock, ids
from anshang.foundation.database_errors import quote_no_values, storage_errors
from anshang.foundation.errors import RuleBroken, StorageFailed
from anshang.foundation.locks import AdvisoryLock, FileLock, Lock
from anshang.foundation.sharing import SharedCommits

T = TypeVar("T")
CLAIM_APART = timedelta(seconds=1)
"""From here on the journal keeps what a device claimed beside the instant that counts."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_SEE_DISTRICTS = text("SELECT set_config('anshang.districts', :districts, true)")
_TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtext(:district))")
_ROWS_PER_STATEMENT = (500, 50)
"""SQLite takes many rows in one statement faster than one by one, and lets other threads run meanwhile."""
_GRANTS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {worker}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {worker}",
    "REVOKE UPDATE, DELETE ON journal, journal_seals FROM {worker}",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {worker}",
)
_COUNT_TABLES = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
_LIST_ROUTINES = text("SELECT oid::bigint FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
_DROP_ALL = text(
    "SELECT format('DROP TABLE IF EXISTS public.%I CASCADE', tablename) FROM pg_tables "
    "WHERE schemaname = 'public' UNION ALL "
    "SELECT format('DROP ROUTINE %s', oid::regprocedure) FROM pg_proc "
    "WHERE pronamespace = 'public'::regnamespace AND oid::bigint <> ALL(:others)"
)
_AS_OURS = ("--no-owner", "--no-privileges")


class Transaction:
    """One write in progress: the connection, the district whose turn it is, and what to do once it is on
    disk.
    """

    def __init__(self, connection: Connection, district_id: str) -> None:
        self.connection = connection
        self.district_id = district_id
        self.after_commit: list[Callable[[], None]] = []
        self.clock_ahead = timedelta(0)
        self.claimed_at: datetime | None = None
        self.last_link: tuple[int, str] | None = None
        """The number and chain value of its latest journal entry: nobody else writes one in this turn."""

    @property
    def drill(self) -> bool:
        """Whether the district is a copy for drills: what is written there is marked, whoever writes it."""
        return ids.is_drill(self.district_id)

    def instant(self, claimed: datetime | None, *, since: datetime | None = None) -> datetime:
        """When something happened that a device tells: by our clock, not ahead of now and not before `since`.
        A device's clock (`clock_ahead` of ours) refuses nothing; what it said enters the journal.
        """
        now = clock.now()
        if claimed is None:
            return now
        at = min(clock.corrected(claimed, self.clock_ahead), now)
        at = at if since is None else max(at, since)
        if abs(at - claimed) >= CLAIM_APART:
            self.claimed_at = claimed
        return at


class Database:
    """One database, SQLite (`sqlite:///path`) or PostgreSQL (`postgresql+psycopg://…`).

    On PostgreSQL `owner_url` is that of the role that owns the tables and sees every row: for migrations and
    back-ups only, so that the role that works may neither change a table nor an entry of the journal.
    After every commit of `transaction()` the functions in `on_commit` are called with the district's id, and
    those in `on_timed` with the seconds it took, its wait for a turn included.
    """

    def __init__(self, url: str, owner_url: str = "") -> None:
        self.url = url
        self._owner_url = owner_url or url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.on_commit: list[Callable[[str], None]] = []
        self.on_timed: list[Callable[[float], None]] = []
        self._shared: dict[str, SharedCommits] = {}
        if self.is_sqlite:
            Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
            self._writing = _sqlite(url, "cache_size=-4096", connections=1)
            self._reading = _sqlite(url, "query_only=ON", connections=24)
        else:
            self._writing = create_engine(
                url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True
            )
            quote_no_values(self._writing)
            self._reading = self._writing.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @contextmanager
    def owning(self) -> Iterator[Connection]:
        """One transaction of the role that owns the tables; the role that works may use them after it."""
        if self._owner_url == self.url:
            with storage_errors(), self._writing.begin() as connection:
                self._enter(connection)
                yield connection
            return
        with self._as_owner() as connection:
            yield connection
            worker = connection.dialect.identifier_preparer.quote(make_url(self.url).username or "")
            for grant in _GRANTS:
                connection.exec_driver_sql(grant.format(worker=worker))

    @contextmanager
    def _as_owner(self) -> Iterator[Connection]:
        owner = create_engine(self._owner_url, poolclass=NullPool, hide_parameters=True)
        quote_no_values(owner)
        with storage_errors(), owner.begin() as connection:
            yield connection

    @contextmanager
    def transaction(self, district_id: str) -> Iterator[Transaction]:
        """One write. Committed when the block ends, undone when it raises. Journal entries are made here
        only.
        """
        began_s = time.monotonic()
        with storage_errors(), self._writers(district_id).join() as connection:
            tx = Transaction(connection, district_id)
            yield tx
        for measure in self.on_timed:
            measure(time.monotonic() - began_s)
        for act in tx.after_commit:
            act()
        for told in self.on_commit:
            told(district_id)

    @contextmanager
    def reading(self, district_ids: Sequence[str] = ()) -> Iterator[Connection]:
        """One consistent snapshot that cannot write; on PostgreSQL only rows of `district_ids` exist in
        it.
        """
        with storage_errors(), self._reading.connect() as connection, connection.begin():
            self._enter(connection, district_ids)
            yield connection

    def bulk(self, district_id: str, work: Callable[[Connection], T]) -> T:
        """Run `work` durably and return its answer. No journal here."""
        with storage_errors():
            if self.is_sqlite:
                with self._writers(district_id).join() as connection:
                    return work(connection)
            with self._writing.begin() as connection:
                self._enter(connection, [district_id])
                return work(connection)

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._shared.pop(district_id, None)

    def server_lock(self) -> Lock:
        """What a server holds while it serves from this database, so that no second one does."""
        if self.is_sqlite:
            return FileLock(Path(f"{make_url(self.url).database}.serving"))
        return AdvisoryLock(self.url)

    def pool_use(self) -> dict[str, tuple[int, int]]:
        """For each pool of connections: how many are in use, and how many there can be."""
        engines = (
            {"reading": self._reading, "writing": self._writing} if self.is_sqlite else {"all": self._writing}
        )
        pools = {name: engine.pool for name, engine in engines.items()}
        return {
            name: (pool.checkedout(), pool.size() + max(0, pool._max_overflow))
            for name, pool in pools.items()
            if isinstance(pool, QueuePool)
        }

    def dispose(self) -> None:
        """Close every connection."""
        self._reading.dispose()
        self._writing.dispose()

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the running database to `target`; StorageFailed when that is not
        possible.
        """
        if not self.is_sqlite:
            self._run_tool("pg_dump", "--format=custom", f"--file={target}")
            return
        with self._reading.connect() as connection:
            source = connection.connection.dbapi_connection
            copy = pysqlite3.connect(str(target))
            try:
                source.backup(copy, pages=4096)  # type: ignore[union-attr]
            finally:
                copy.close()

    def take_copy(self, copy: Path) -> Callable[[], None]:
        """Become what `copy_to` wrote: the file moves into place, or PostgreSQL's tool fills the database,
        wholly or not at all. RuleBroken when there are tables in it already. Returns what empties it again.
        """
        if self.is_sqlite:
            file = Path(make_url(self.url).database or "")
            if file.exists():
                raise _in_use(str(file))
            copy.replace(file)
            return file.unlink
        with self.reading() as connection:
            if connection.execute(_COUNT_TABLES).scalar_one():
                raise _in_use(_without_password(self.url))
            others = list(connection.execute(_LIST_ROUTINES).scalars())
        self._run_tool("pg_restore", *_AS_OURS, "--single-transaction", str(copy))
        copy.unlink()
        return partial(self._empty, others)

    def _empty(self, others: Sequence[int]) -> None:
        """Drop every table, and every function but those of `others`; the rest goes with the tables."""
        with self._as_owner() as connection:
            for statement in connection.execute(_DROP_ALL, {"others": others}).scalars().all():
                connection.exec_driver_sql(statement)

    def _run_tool(self, tool: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the owner; the password goes where no list of processes shows
        it.
        """
        password = make_url(self._owner_url).password
        environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
        words = [tool, f"--dbname={_without_password(self._owner_url)}", *arguments]
        try:
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        except OSError as error:
            raise StorageFailed(
                "storage.tool_missing",
                en=f"{tool} cannot be run ({error.strerror}); install PostgreSQL's client programs.",
                zh=f"无法运行 {tool}（{error.strerror}）；请安装 PostgreSQL 客户端程序。",
            ) from error
        if done.returncode != 0:
            reason = done.stderr.strip().splitlines()[-1:] or ["?"]
            raise StorageFailed("storage.tool_failed", en=f"{tool}: {reason[0]}", zh=f"{tool}：{reason[0]}")

    def _writers(self, district_id: str) -> SharedCommits:
        """Whose turns these writes take: an embedded database has one writer, PostgreSQL one for each
        district. Other processes wait at BEGIN.
        """
        key = "" if self.is_sqlite else district_id
        return self._shared.setdefault(key, SharedCommits(self._writing, partial(self._begin, district_id)))

    def _begin(self, district_id: str, connection: Connection) -> None:
        self._enter(connection, [district_id])
        if not self.is_sqlite:
            connection.execute(_TAKE_TURN, {"district": district_id})

    def _enter(self, connection: Connection, district_ids: Sequence[str] = ()) -> None:
        """Say BEGIN to SQLite; tell PostgreSQL's row-level security which districts exist here. `*` is the
        installation itself.
        """
        if self.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.engine is self._writing else "BEGIN")
        else:
            connection.execute(_SEE_DISTRICTS, {"districts": ",".join(("*", *district_ids))})


def _in_use(shown: str) -> RuleBroken:
    return RuleBroken(
        "backup.database_in_use",
        en=f"{shown} has tables already; a back-up is restored into an empty database. The address stands"
        " in the back-up's anshang.toml; give another in ANSHANG_DATABASE_URL.",
        zh=f"{shown} 中已有数据表；备份只能恢复到空数据库。该地址来自备份中的 anshang.toml，"
        "可用 ANSHANG_DATABASE_URL 另行指定。",
    )


def _without_password(url: str) -> str:
    """The address as PostgreSQL's own programs read it, fit to be seen."""
    told = make_url(url)
    bare = URL.create("postgresql", told.username, None, told.host, told.port, told.database, told.query)
    return bare.render_as_string(hide_password=False)


def insert_new(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows, in the order of the table's columns, leaving those whose key is there; how many were new.

    For telemetry: the rows reach the driver as they are, without a pass through SQLAlchemy for each.
    """
    return _execute_many(connection, table, rows, "ON CONFLICT DO NOTHING")


def put_all(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *, keep_known: bool = False
) -> int:
    """Insert rows, in the order of the table's columns, each replacing the one that has its key; with
    `keep_known` a value that is None leaves the one that is there.
    """
    key = ", ".join(column.name for column in table.primary_key)
    new = "{0} = coalesce(excluded.{0}, {1}.{0})" if keep_known else "{0} = excluded.{0}"
    news = ", ".join(new.format(c.name, table.name) for c in table.c if not c.primary_key)
    return _execute_many(connection, table, rows, f"ON CONFLICT ({key}) DO UPDATE SET {news}")


def _execute_many(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], otherwise: str
) -> int:
    sign = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names = ", ".join(column.name for column in table.c)
    places = f"({', '.join([sign] * len(table.c))})"
    begin = f"INSERT INTO {table.name} ({names}) VALUES "  # noqa: S608 - our own names
    done, count = 0, 0
    for size in _ROWS_PER_STATEMENT if sign == "?" else ():
        statement = f"{begin}{', '.join([places] * size)} {otherwise}"
        while len(rows) - done >= size:
            values = tuple(chain.from_iterable(rows[done : done + size]))
            count += connection.exec_driver_sql(statement, values).rowcount
            done += size
    if done < len(rows):
        count += connection.exec_driver_sql(f"{begin}{places} {otherwise}", list(rows[done:])).rowcount
    return count


def _sqlite(url: str, pragma: str, *, connections: int) -> Engine:
    engine = create_engine(
        url,
        module=pysqlite3,
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 30.0},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA {pragma}")

    return engine
