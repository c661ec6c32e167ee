"""Writers take turns, and those who wait for each other share one commit, and so one wait for the disk.

A writer joins the commit that is open when its turn comes. When it fails, what it did is undone alone; when
it succeeds, nobody hears so before the commit is on disk, and a commit that fails has failed for everybody in
it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from anshang.foundation.errors import StorageFailed
from anshang.foundation.turns import Turns

LONGEST_S = 0.05
"""A commit older than this is closed though others wait: the first to join waits for the last."""


class _Commit:
    """One transaction of several writers; `failure` says after its end why it saved nothing."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.began_s = time.monotonic()
        self.ended = threading.Event()
        self.failure: Exception | None = None
        self._transaction = connection.begin()

    def end(self, failure: Exception | None = None) -> None:
        """Commit it, or undo it because of the failure, and tell everybody in it."""
        try:
            if failure is None:
                self._transaction.commit()
            else:
                self._transaction.rollback()
        except SQLAlchemyError as error:
            failure = failure or error
        finally:
            self.failure = failure
            self.connection.close()
            self.ended.set()


class SharedCommits:
    """Those who write to one database, or to one district of it; `enter` readies a transaction that began."""

    def __init__(self, engine: Engine, enter: Callable[[Connection], None]) -> None:
        self._engine = engine
        self._enter = enter
        self._turns = Turns()
        self._open: _Commit | None = None

    @contextmanager
    def join(self) -> Iterator[Connection]:
        """One write: on disk when the block has ended, undone when the block raises."""
        with self._turns:
            alone = self._open is None
            commit = self._open = self._open or self._begun()
            kept = False
            try:
                if not alone:
                    commit.connection.exec_driver_sql("SAVEPOINT joined")
                yield commit.connection
                if not alone:
                    commit.connection.exec_driver_sql("RELEASE SAVEPOINT joined")
                kept = True
            finally:
                if not kept:
                    self._undo(commit, alone)
                if self._open is not None and not self._goes_on(commit):
                    self._open = None
                    commit.end()
        commit.ended.wait()
        if commit.failure is not None:
            raise commit.failure

    def _begun(self) -> _Commit:
        commit = _Commit(self._engine.connect())
        try:
            self._enter(commit.connection)
        except SQLAlchemyError as error:
            commit.end(error)
            raise
        return commit

    def _goes_on(self, commit: _Commit) -> bool:
        return self._turns.awaited and time.monotonic() - commit.began_s < LONGEST_S

    def _undo(self, commit: _Commit, alone: bool) -> None:
        """Undo what one of them did, or everything when the database cannot tell it from the rest."""
        if not alone:
            try:
                commit.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT joined")
                commit.connection.exec_driver_sql("RELEASE SAVEPOINT joined")
                return
            except SQLAlchemyError:
                pass
        self._open = None
        commit.end(
            StorageFailed(
                "storage.undone",
                en="Another write broke the shared commit. Nothing was saved; send it again.",
                zh="同批的另一写入出错。未保存任何内容，请重新发送。",
            )
        )
