"""Locks that only one process holds: on a file, or in PostgreSQL."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

_TRY = text("SELECT pg_try_advisory_lock(hashtext('anshang'), hashtext('serving'))")
_ASK = text("SELECT 1")


class Lock(Protocol):
    """What only one process holds."""

    def take(self) -> bool | None:
        """Whether it is ours, taken now or before; None while nobody can know."""

    def release(self) -> None:
        """Let others have it."""


class FileLock:
    """A lock on a file, which ends with the process at the latest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Whether it is ours, taken now or before."""
        if self._file is not None:
            return True
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            self._file.close()
            self._file = None


class AdvisoryLock:
    """A lock of a PostgreSQL database, which lives as long as a connection that does nothing else."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True
        )
        self._connection: Connection | None = None

    def take(self) -> bool | None:
        """Whether it is ours, taken now or before, anew when its connection was lost; None while PostgreSQL
        cannot be reached.
        """
        if self._connection is not None:
            try:
                self._connection.execute(_ASK)
            except DBAPIError:
                self._connection.invalidate()
                self.release()
            else:
                return True
        try:
            connection = self._engine.connect()
            if connection.execute(_TRY).scalar():
                self._connection = connection
                return True
            connection.close()
        except DBAPIError:
            return None
        return False

    def release(self) -> None:
        """Let others have it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
