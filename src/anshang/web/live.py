"""The live stream: thin journal entries that never get lost or repeated, and frames of the present state.

One hub per process. Entries are read from the journal by one tail per district, so that a stream that
resumes with `since` gets every later entry exactly once. Frames are state: a slow client skips to a full
one.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.items import Items, ItemsFailed
from anshang.foundation.jobs import JobReport, JobState, Progress
from anshang.journal import store as journal
from anshang.journal.model import Entry

BEAT_S = 10.0
POLL_S = 1.0
REPLAY = timedelta(hours=24)
REPLAY_MAX = 10_000
BACKLOG_MAX = 256
FRAME = b"event: frame\ndata: "
RESET = b"event: reset\ndata: {}\n\n"

FullFrame = Callable[[], bytes | None]
Welcome = Callable[[], bool]
"""Whether whoever listens still may."""


def shown_entry(entry: Entry) -> bytes:
    """A journal entry as a thin event: the client fetches what it needs."""
    thin = {"seq": entry.seq, "kind": entry.kind, "subject_id": entry.subject_id, "at": entry.at.isoformat()}
    thin |= {name: entry.details[name] for name in ("incident", "unit") if entry.details.get(name)}
    if isinstance(units := entry.details.get("units"), list):
        thin["units"] = units
    return f"id: {entry.seq}\nevent: entry\ndata: {json.dumps(thin)}\n\n".encode()


def shown_frame(frame: bytes) -> bytes:
    """A frame (JSON) as an event."""
    return FRAME + frame + b"\n\n"


async def nudges(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Of a live stream only that something has happened, without a word of it, and that it still lives."""
    async for events in stream:
        if b"event: entry" in events or b"event: reset" in events:
            yield b"event: nudge\ndata: {}\n\n"
        elif b"event: beat" in events:
            yield b"event: beat\ndata: {}\n\n"


@dataclass(eq=False)
class _Listener:
    """One open stream; with `nouns`, of entries alone that hold one of them."""

    nouns: tuple[bytes, ...] = ()
    waiting: deque[bytes] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    overrun: bool = False

    def wants(self, event: bytes, is_frame: bool) -> bool:
        """Whether the event is for this stream."""
        return not self.nouns or (not is_frame and any(noun in event for noun in self.nouns))

    def offer(self, event: bytes) -> None:
        if len(self.waiting) >= BACKLOG_MAX:
            self.overrun = True
            self.waiting.clear()
        self.waiting.append(event)
        self.ready.set()


@dataclass
class _Channel:
    """A district's streams and how far its journal has been told."""

    seq: int
    listeners: set[_Listener] = field(default_factory=set)

    def spread(self, event: bytes) -> None:
        """Tell every stream that wants it."""
        is_frame = event.startswith(FRAME)
        for listener in self.listeners:
            if listener.wants(event, is_frame):
                listener.offer(event)


class Hub:
    """Tells every open stream of a district what happens. Its coroutines run on the server's event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._channels: dict[str, _Channel] = {}
        self._frames: dict[str, FullFrame] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: asyncio.Event | None = None
        self._stopping = False
        self._items = Items(POLL_S)
        self._troubles: Callable[[str], Sequence[JobReport]] = lambda _district_id: ()

    @property
    def listener_count(self) -> int:
        """How many streams are open."""
        return sum(len(channel.listeners) for channel in list(self._channels.values()))

    @property
    def stopping(self) -> bool:
        """Whether the server is about to stop."""
        return self._stopping

    def offer_frames_of(self, district_id: str, full_frame: FullFrame) -> None:
        """Where a new stream of the district gets its first, full frame (JSON)."""
        self._frames[district_id] = full_frame

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._frames.pop(district_id, None)

    def tell_troubles(self, troubles: Callable[[str], Sequence[JobReport]]) -> None:
        """Where every beat gets what stands still in a district."""
        self._troubles = troubles

    def wake(self, _district_id: str) -> None:
        """Called from any thread after a commit."""
        if self._loop is not None and self._woken is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def publish_frame(self, district_id: str, frame: bytes) -> None:
        """Called from any thread: send a frame (JSON) to every stream of the district."""
        if self._loop is not None and district_id in self._channels and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, district_id, shown_frame(frame))

    async def run(self, got_on: Progress | None = None) -> None:
        """Follow the journal until stopped: at once after a commit here, within a second after one
        elsewhere. A district whose journal cannot be read keeps no other waiting.
        """
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        while not self._stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL_S)
            self._woken.clear()
            failed = None
            try:
                news = [(id, partial(self._tell_news, id)) for id in list(self._channels)]
                await self._items.each_async("", news)
            except ItemsFailed as some:
                failed = some
            if got_on is not None:
                got_on(failed)

    def stop(self) -> None:
        """End every stream, so that the server can stop."""
        self._stopping = True
        for channel in self._channels.values():
            for listener in channel.listeners:
                listener.ready.set()

    async def stream(
        self,
        district_id: str,
        since: int | None,
        welcome: Welcome = lambda: True,
        nouns: tuple[bytes, ...] = (),
    ) -> AsyncIterator[bytes]:
        """The events of one stream: what came after `since`, a full frame, then everything as it happens.

        `welcome` is asked before every beat (in a thread); the stream ends when it says no. With `nouns` only
        entries that hold one of them are told, and no frame.
        """
        channel = await self._channel(district_id)
        listener = _Listener(nouns)
        channel.listeners.add(listener)
        told = channel.seq
        try:
            yield f"retry: {random.randint(1000, 3000)}\n\n".encode()  # noqa: S311 - jitter
            async for event in self._missed(district_id, since, told):
                yield event
            yield self._beat(district_id, told)
            if not nouns and (frame := self._full(district_id)) is not None:
                yield shown_frame(frame)
            async for event in self._follow(district_id, listener, welcome):
                yield event
        finally:
            channel.listeners.discard(listener)
            if not channel.listeners and self._channels.get(district_id) is channel:
                del self._channels[district_id]  # nobody is left to read its journal for

    async def _follow(self, district_id: str, listener: _Listener, welcome: Welcome) -> AsyncIterator[bytes]:
        beat_at_s = time.monotonic() + BEAT_S
        while not self._stopping:
            try:
                await asyncio.wait_for(listener.ready.wait(), max(0.0, beat_at_s - time.monotonic()))
            except TimeoutError:
                beat_at_s = time.monotonic() + BEAT_S
                if not await asyncio.to_thread(welcome):
                    return
                yield self._beat(district_id, self._channels[district_id].seq)
                continue
            listener.ready.clear()
            if listener.overrun:
                listener.overrun = False
                listener.waiting.clear()
                yield RESET if listener.nouns else RESET + shown_frame(self._full(district_id) or b"{}")
                continue
            events = b"".join(listener.waiting)
            listener.waiting.clear()
            if events:
                yield events

    async def _missed(self, district_id: str, since: int | None, told: int) -> AsyncIterator[bytes]:
        if since is None or since == told:
            return
        entries = await asyncio.to_thread(self._replay, district_id, since, told)
        if entries is None:
            yield RESET
            return
        for entry in entries:
            yield shown_entry(entry)

    def _replay(self, district_id: str, since: int, told: int) -> list[Entry] | None:
        """The entries in (since, told], None when that is too far back or was never ours."""
        with self._database.reading([district_id]) as connection:
            oldest = journal.first_seq_since(connection, district_id, clock.now() - REPLAY)
            entries = journal.list_after(connection, district_id, since, REPLAY_MAX + 1)
        too_old = bool(entries) and (oldest is None or entries[0].seq < oldest)
        if since > told or too_old or len(entries) > REPLAY_MAX:
            return None
        return [entry for entry in entries if entry.seq <= told]

    async def _channel(self, district_id: str) -> _Channel:
        if district_id not in self._channels:
            seq = await asyncio.to_thread(self._last_seq, district_id)
            self._channels.setdefault(district_id, _Channel(seq))
        return self._channels[district_id]

    async def _tell_news(self, district_id: str) -> None:
        channel = self._channels.get(district_id)
        if channel is None:  # its last stream has ended in this very round
            return
        entries = await asyncio.to_thread(self._after, district_id, channel.seq)
        for entry in entries:
            channel.seq = entry.seq
            channel.spread(shown_entry(entry))

    def _last_seq(self, district_id: str) -> int:
        with self._database.reading([district_id]) as connection:
            return journal.last_seq(connection, district_id)

    def _after(self, district_id: str, seq: int) -> list[Entry]:
        with self._database.reading([district_id]) as connection:
            return journal.list_after(connection, district_id, seq)

    def _full(self, district_id: str) -> bytes | None:
        full_frame = self._frames.get(district_id)
        return None if full_frame is None else full_frame()

    def _spread(self, district_id: str, event: bytes) -> None:
        if (channel := self._channels.get(district_id)) is not None:
            channel.spread(event)

    def _beat(self, district_id: str, seq: int) -> bytes:
        """That the server lives, its instant, and what of its background work stands still."""
        beat: dict[str, object] = {"at": clock.now().isoformat(), "seq": seq}
        if troubles := self._troubles(district_id):
            beat["troubles"] = [
                {"name": one.name, "stopped": one.state is JobState.STOPPED, "en": one.en, "zh": one.zh}
                for one in troubles
            ]
        return f"event: beat\ndata: {json.dumps(beat)}\n\n".encode()
