"""One server for one data folder and one database. Live counts, positions and limits are in its memory, so a
second one would show half of a district and look well. Commands that work beside a server take no part.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from anshang.foundation.database import Database
from anshang.foundation.errors import RuleBroken
from anshang.foundation.locks import FileLock

LOCK_FILE = "serving.lock"
CHECK_EVERY_S = 2.0
GRACE_S = 30.0
"""So long a lock that went with its connection may be found taken: PostgreSQL may not have noticed."""

log = structlog.get_logger()


class SoleServer:
    """Holds a data folder and a database within its block; `on_lost` is called, once, when another server has
    taken the database while it was out of reach.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self._locks = [
            (FileLock(folder / LOCK_FILE), _second(f"the data folder {folder}", f"数据文件夹 {folder}")),
            (database.server_lock(), _second("this database", "该数据库")),
        ]
        self.on_lost: Callable[[], object] = nothing
        self._refused_since_s: float | None = None
        self._lost: RuleBroken | None = None
        self._ending = threading.Event()

    def __enter__(self) -> Self:
        """RuleBroken, in words, when another server has one of the two."""
        for lock, refusal in self._locks:
            if lock.take() is False:
                self._release()
                raise refusal
        threading.Thread(target=self._watch, name="sole server", daemon=True).start()
        return self

    def __exit__(
        self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Let others serve."""
        self._ending.set()
        self._release()

    def must_hold(self) -> None:
        """RuleBroken when another server has taken over."""
        if self._lost is not None:
            raise self._lost

    def check(self, grace_s: float = GRACE_S) -> None:
        """Take what was lost again; stop the server when another has had it for longer than `grace_s`. While
        PostgreSQL cannot be reached nobody else can have it either.
        """
        refused = [refusal for lock, refusal in self._locks if lock.take() is False]
        now_s = time.monotonic()
        if not refused:
            self._refused_since_s = None
            return
        if self._refused_since_s is None:
            self._refused_since_s = now_s
        if now_s - self._refused_since_s >= grace_s and self._lost is None:
            self._lost = refused[0]
            log.error("server.second", reason=refused[0].en)
            self.on_lost()

    def _watch(self) -> None:
        while not self._ending.wait(CHECK_EVERY_S):
            self.check()

    def _release(self) -> None:
        for lock, _ in self._locks:
            lock.release()


def nothing() -> None:
    """What is done when the lock is lost, until a server says otherwise."""


def _second(en: str, zh: str) -> RuleBroken:
    """What a second server is told."""
    return RuleBroken(
        "server.second",
        en=f"Another Anshang server is using {en}. One server serves one database and one data folder: stop"
        " the other one first. Commands like “anshang backup” work beside it.",
        zh=f"已有另一个安商服务器正在使用{zh}。一个数据库和一个数据文件夹只能由一个服务器使用，请先停止另一个。"
        "anshang backup 等命令可在服务器运行时使用。",
    )
