"""Items of a round, each attempted by itself: a bad incident, notice, file or key keeps no other back.

Here, and at the web's edge, every exception is caught; nowhere else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from anshang.foundation.errors import Refusal

PAUSE_S_MIN, PAUSE_S_MAX = 2.0, 60.0
DOUBLINGS_MAX = 5

log = structlog.get_logger()


class ItemsFailed(Exception):
    """Some items failed; all others were worked through."""

    def __init__(self, count: int, first: Exception) -> None:
        super().__init__(f"{count} items failed, first: {first!r}")
        self.count = count
        self.first = first


def pause_s(failures: int, every_s: float) -> float:
    """How long to wait after so many failures in a row: doubling, never over ten periods nor a minute."""
    longest = min(PAUSE_S_MAX, max(PAUSE_S_MIN, 10 * every_s))
    return min(longest, PAUSE_S_MIN * float(2 ** min(failures - 1, DOUBLINGS_MAX)))


def attempted(work: Callable[[], object]) -> Exception | None:
    """Do it; the exception that ended it, None when it went well."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the job runner: logged by whoever asked
        return error
    return None


async def attempted_async(work: Awaitable[object]) -> Exception | None:
    """The same for what is awaited."""
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
        raise outcome
    return outcome if isinstance(outcome, Exception) else None


def shown_in_log(error: Exception) -> dict[str, object]:
    """What a log says of an error: the words of a refusal, the trace of everything that nobody foresaw."""
    return {"reason": str(error)} if isinstance(error, Refusal) else {"exc_info": error}


@dataclass(frozen=True, slots=True)
class _Failing:
    """An item that fails: its last error, how often in a row, and when it is tried again (monotonic, s)."""

    error: Exception
    failures: int
    due_s: float


class Items:
    """The items of one job. A failed one is attempted again after a pause that grows from `every_s`.

    Items are known by a key, unique in their scope (a district). Not for several threads at once in a scope.
    """

    def __init__(self, every_s: float = 1.0, now_s: Callable[[], float] = time.monotonic) -> None:
        self._every_s, self._now_s = every_s, now_s
        self._failing: dict[str, dict[str, _Failing]] = {}

    def each(self, scope: str, items: Iterable[tuple[str, Callable[[], object]]]) -> None:
        """Attempt every item; ItemsFailed afterwards when some fail, or failed before and wait."""
        before, after = self._failing.get(scope, {}), dict[str, _Failing]()
        for key, work in items:
            if not self._waits(key, before, after) and (error := attempted(work)) is not None:
                after[key] = self._failed(scope, key, before, error)
        self._end(scope, after)

    async def each_async(
        self, scope: str, items: Iterable[tuple[str, Callable[[], Awaitable[object]]]]
    ) -> None:
        """The same for coroutines, one after another."""
        before, after = self._failing.get(scope, {}), dict[str, _Failing]()
        for key, work in items:
            if not self._waits(key, before, after) and (error := await attempted_async(work())) is not None:
                after[key] = self._failed(scope, key, before, error)
        self._end(scope, after)

    def forget(self, scope: str) -> None:
        """Let go of a scope that is no more."""
        self._failing.pop(scope, None)

    def _waits(self, key: str, before: dict[str, _Failing], after: dict[str, _Failing]) -> bool:
        """Whether it waits to be tried again; it goes on counting as failing."""
        failing = before.get(key)
        if failing is None or self._now_s() >= failing.due_s:
            return False
        after[key] = failing
        return True

    def _failed(self, scope: str, key: str, before: dict[str, _Failing], error: Exception) -> _Failing:
        failures = before[key].failures + 1 if key in before else 1
        log.error("item.failed", scope=scope, item=key, failures=failures, **shown_in_log(error))
        return _Failing(error, failures, self._now_s() + pause_s(failures, self._every_s))

    def _end(self, scope: str, after: dict[str, _Failing]) -> None:
        """Items that are not there any more are forgotten."""
        self._failing[scope] = after
        if after:
            raise ItemsFailed(len(after), next(iter(after.values())).error)
