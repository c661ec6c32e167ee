"""Sends a programme's rows through the public ingest API: first the day so far, then what falls due.

While it catches up the clock follows the rows, so that the district lives its day in quick motion.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from threading import Event

import httpx
import msgspec
import structlog

from anshang.demonstration.programme import Programme, Row
from anshang.foundation import clock, memory
from anshang.foundation.errors import StorageFailed

BATCH_SLOTS = 11
"""Slots sent in one request at most: 110 s, so that no row is more than 2 minutes ahead of the clock."""
TIDY_BATCHES = 40
"""How often, while it catches up, what a whole day left behind is given back."""
PAUSE_S = 0.5
RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Pauses before the first, second… try again; the last one stays."""
_PASSING = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INSUFFICIENT_STORAGE}

log = structlog.get_logger("demonstration.feeder")


class Feeder:
    """One sensor network with its feed key. What was not acknowledged is sent again."""

    def __init__(self, base_url: str, key: str, district_id: str, programme: Programme) -> None:
        self.programme = programme
        self.rows_taken = 0
        self.rows_refused = 0
        self._next_slot = 0
        self._stopping = Event()
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            params={"district": district_id},
            timeout=60.0,
        )

    def catch_up(self, until_at: datetime, speed: float, progress: Callable[[float], None]) -> None:
        """Send everything due by the instant as fast as it is taken, then let the clock run on from there.

        `progress` is told the share done.
        """
        last = self.programme.slots_until(until_at)
        first = self._next_slot
        while self._next_slot < last and not self._stopping.is_set():
            self._send_slots(min(last, self._next_slot + BATCH_SLOTS))
            clock.run_from(self.programme.ends_at(self._next_slot - 1), speed=speed)
            if self._next_slot // BATCH_SLOTS % TIDY_BATCHES == 0:
                memory.give_back()
            progress((self._next_slot - first) / (last - first))
        clock.run_from(until_at, speed=speed)

    def follow(self) -> None:
        """Send what falls due on the clock, twice a second, until `stop`."""
        while not self._stopping.wait(PAUSE_S):
            due = self.programme.slots_until(clock.now())
            while self._next_slot < due and not self._stopping.is_set():
                self._send_slots(min(due, self._next_slot + BATCH_SLOTS))

    def stop(self) -> None:
        """Let `catch_up` and `follow` return soon."""
        self._stopping.set()

    def close(self) -> None:
        """Close the connection; only after both have returned."""
        self._client.close()

    def _send_slots(self, end: int) -> None:
        rows = [row for slot in range(self._next_slot, end) for row in self.programme.rows(slot)]
        if self._send(rows):
            self._next_slot = end

    def _send(self, rows: list[Row]) -> bool:
        """Send until acknowledged; False when stopped first. StorageFailed when it will never be taken."""
        content = msgspec.json.encode({"observations": rows})
        tries = 0
        while not self._stopping.is_set():
            answer = self._post(content)
            if answer is not None and answer.is_success:
                self._note(answer)
                return True
            if answer is not None and not _may_pass(answer.status_code):
                raise StorageFailed(
                    "demo.feed_refused",
                    en=f"The server refuses the feed: {answer.status_code} {answer.text[:200]}",
                    zh=f"服务器拒收数据：{answer.status_code} {answer.text[:200]}",
                )
            self._stopping.wait(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1
        return False

    def _post(self, content: bytes) -> httpx.Response | None:
        try:
            return self._client.post("/api/observations", content=content)
        except httpx.TransportError as error:
            log.warning("feed.retried", reason=str(error))
            return None

    def _note(self, answer: httpx.Response) -> None:
        told = answer.json()
        self.rows_taken += told["taken"]
        self.rows_refused += told["refused_count"]
        if told["refused_count"]:
            log.warning("feed.rows_refused", count=told["refused_count"], first=told["refused"][0])


def _may_pass(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING
