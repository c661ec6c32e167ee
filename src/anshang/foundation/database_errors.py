"""What a database's own errors mean for whoever asked: no room, away for now, or a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from anshang.foundation.errors import StorageAway, StorageFailed

_FULL = ("database or disk is full", "readonly database", "disk i/o error", "no space left")
_AWAY = ("unable to open", "database is locked")
"""SQLite opens files as it goes, and has none when the process may open no more."""
_SQLITE = "sqlite"
"""Instead of a state, which SQLite's errors do not have."""
_DATA = "22"
"""PostgreSQL's class of values that do not fit, whose messages quote them."""
_AWAY_STATES = ("08", "53300", "57P")
"""PostgreSQL's classes of a connection that failed, of too many connections, of a server that shuts down."""


def quote_no_values(engine: Engine) -> None:
    """Let an error of this engine say what was wrong without the values: they may be somebody's words, and
    errors are logged.
    """

    @event.listens_for(engine, "handle_error")
    def _bare(context: ExceptionContext) -> None:
        original, wrapped = context.original_exception, context.sqlalchemy_exception
        diagnosis = getattr(original, "diag", None)
        if diagnosis is None or wrapped is None or diagnosis.sqlstate is None:
            return
        message = diagnosis.message_primary if diagnosis.message_detail else None
        if str(diagnosis.sqlstate).startswith(_DATA):
            message = "a value does not fit"
        if message is not None:
            original.args = (f"{diagnosis.sqlstate}: {message}",)
            wrapped.args = (f"({type(original).__name__}) {diagnosis.sqlstate}: {message}",)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Say in words that the disk cannot take a write, or that the database is away; every other error of a
    database is a fault of ours.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        reason = str(error.orig).lower()
        if any(sign in reason for sign in _FULL):
            raise StorageFailed(
                "storage.failed",
                en=f"The database cannot write: {error.orig}. Nothing was saved.",
                zh=f"数据库无法写入：{error.orig}。未保存任何内容。",
            ) from error
        if _is_away(error, reason):
            raise _away() from error
        raise
    except PoolTimeout as error:
        raise _away() from error


def _is_away(error: DBAPIError, reason: str) -> bool:
    """Whether the connection was lost or could not be made."""
    state = getattr(error.orig, "sqlstate", _SQLITE)
    if state == _SQLITE:
        return any(sign in reason for sign in _AWAY)
    return error.connection_invalidated or state is None or str(state).startswith(_AWAY_STATES)


def _away() -> StorageAway:
    return StorageAway(
        "storage.away",
        en="The database cannot be reached just now. Try again in a moment: nothing is saved twice.",
        zh="数据库暂时无法连接，请稍后重试；重复提交不会重复保存。",
        details={"retry_after_s": 5},
    )
