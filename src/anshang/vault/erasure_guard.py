"""Whether the clock can be trusted to end anything: a wrong one would destroy what nobody can bring back.

The clock is compared with seconds that nobody can set. When it runs ahead of them by more than TOLERANCE, or
stands more than SILENCE_MAX after the newest entry of the journal when the server starts, nothing is erased
until it is right again or a person has confirmed it (`anshang vault confirm-clock`). A clock that is behind
destroys nothing early. Holds are kept in the journal, so that a restart ends none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import RuleBroken
from anshang.journal import actions as journal
from anshang.journal import store as journal_store
from anshang.journal.model import CLOCK, EVERYWHERE, Entry
from anshang.vault.model import ErasureEvent

TOLERANCE = timedelta(hours=1)
SILENCE_MAX = timedelta(days=2)
"""Less than the shortest retention (three days): a longer silence of the journal is asked about."""
ENGINE = "engine"
CLOCK_EVENTS = (ErasureEvent.HELD, ErasureEvent.RESUMED, ErasureEvent.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Trust:
    """An instant that was right when the steady clock showed `steady_s`, and how far ahead is still right."""

    at: datetime
    steady_s: float
    slack: timedelta

    def expected(self, steady_s: float) -> datetime:
        """What the clock should show now."""
        return self.at + timedelta(seconds=steady_s - self.steady_s)

    def is_ahead(self, now: datetime, steady_s: float) -> bool:
        """Whether the clock runs ahead of what can be right."""
        return now - self.expected(steady_s) > self.slack

    def tightened(self, now: datetime, steady_s: float) -> Trust:
        """Counted on from a clock that was found plausible; one that is behind is not."""
        if self.slack == TOLERANCE or now < self.expected(steady_s):
            return self
        return Trust(now, steady_s, TOLERANCE)


class ErasureGuard:
    """Holds erasure back while the clock cannot be trusted. Made when the server starts, before it writes."""

    def __init__(
        self,
        database: Database,
        district_ids: Sequence[str],
        steady_s: Callable[[], float] = clock.steady_s,
    ) -> None:
        self._database, self._steady_s = database, steady_s
        self._lock = threading.Lock()
        with database.reading(district_ids) as connection:
            held = _last_event(connection)
            newest_at = journal_store.last_written_at(connection, [EVERYWHERE, *district_ids])
        self._trusted_at: datetime | None = None
        """Until when the clock could be trusted, while erasure is held."""
        self._trust = Trust(newest_at or clock.now(), steady_s(), SILENCE_MAX)
        if held is not None and held.kind == ErasureEvent.HELD:
            self._trusted_at = datetime.fromisoformat(str(held.details["trusted_at"]))
            self._trust = Trust(self._trusted_at, steady_s(), TOLERANCE)

    @property
    def held_since(self) -> datetime | None:
        """The last instant at which the clock could be trusted; None while nothing is held back."""
        return self._trusted_at

    def check(self) -> None:
        """RuleBroken, in words, while nothing may be erased; what changes is journalled."""
        with self._lock:
            now, steady_s = clock.now(), self._steady_s()
            ahead = self._trust.is_ahead(now, steady_s)
            if self._trusted_at is None and ahead:
                self._hold(self._trust.expected(steady_s))
            elif self._trusted_at is not None and self._may_resume(ahead):
                self._trusted_at = None
                self._trust = Trust(now, steady_s, TOLERANCE)
            if self._trusted_at is not None:
                raise _held(self._trusted_at, now)
            self._trust = self._trust.tightened(now, steady_s)

    def _hold(self, trusted_at: datetime) -> None:
        self._record(ErasureEvent.HELD, trusted_at=trusted_at.isoformat())
        self._trusted_at = trusted_at

    def _may_resume(self, ahead: bool) -> bool:
        """Whether a person has confirmed the clock, or it is right again."""
        with self._database.reading() as connection:
            last = _last_event(connection)
        if last is not None and last.kind == ErasureEvent.CONFIRMED:
            return True
        if not ahead:
            self._record(ErasureEvent.RESUMED)
        return not ahead

    def _record(self, kind: ErasureEvent, **details: str) -> None:
        with self._database.transaction(EVERYWHERE) as tx:
            journal.record(tx, actor_id=ENGINE, kind=kind, subject_id=CLOCK, details=details)


def confirm_clock(tx: Transaction, *, actor: Actor) -> None:
    """A person has looked at the clock and found it right: what is over may be erased again."""
    actor.must(Permission.PERSON_ERASE, tx.district_id)
    journal.record(tx, actor_id=actor.id, kind=ErasureEvent.CONFIRMED, subject_id=CLOCK)


def _last_event(connection: Connection) -> Entry | None:
    return journal_store.last_of_kinds(connection, EVERYWHERE, CLOCK_EVENTS)


def _held(trusted_at: datetime, now: datetime) -> RuleBroken:
    now_words, trusted_words = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (now, trusted_at))
    return RuleBroken(
        "erasure.held",
        en=f"Nothing is erased: the clock shows {now_words}, but was last known to be right at"
        f" {trusted_words}. Correct it, or confirm it with “anshang vault confirm-clock”.",
        zh=f"已暂停销毁：系统时钟为 {now_words}，最后一次可信时间为 {trusted_words}。"
        "请校正时钟，或运行 anshang vault confirm-clock 确认。",
    )
