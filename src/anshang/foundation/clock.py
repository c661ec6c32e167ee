"""The one source of the present instant: aware, UTC. A demonstration may start it elsewhere, and faster.

Instants are named `_at`. Local time exists only in `places` and in the console.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

Source = Callable[[], datetime]


def _real() -> datetime:
    return datetime.now(UTC)


def _real_steady_s() -> float:
    """Seconds since the machine was started, those in which it slept among them where they are counted."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class _Clock:
    """The process's clock: its source, what counts its seconds whoever sets it, and how many seconds pass on
    it in one real second.
    """

    source: Source = staticmethod(_real)
    steady_s: Callable[[], float] = staticmethod(_real_steady_s)
    speed: float = 1.0


def now() -> datetime:
    """The present instant, aware and in UTC."""
    return _Clock.source()


def steady_s() -> float:
    """Seconds that passed on the clock since some fixed instant; nobody can set them forward or back."""
    return _Clock.steady_s()


def speed() -> float:
    """Seconds of district time per real second: 1 except in a demonstration."""
    return _Clock.speed


def run_from(start_at: datetime, *, speed: float) -> None:
    """Let the clock start at `start_at` and run `speed` times as fast, from now on (a demonstration)."""
    require_aware(start_at)
    began_s = time.monotonic()
    steady_s = _Clock.steady_s() + (start_at - _Clock.source()).total_seconds()  # it is meant to jump
    _Clock.source = lambda: start_at + timedelta(seconds=(time.monotonic() - began_s) * speed)
    _Clock.steady_s = lambda: steady_s + (time.monotonic() - began_s) * speed
    _Clock.speed = speed


@contextmanager
def standing_at(at: datetime) -> Iterator[Callable[[timedelta], None]]:
    """Hold the clock at `at` within the block; the yielded function moves it on (tests)."""
    require_aware(at)
    instant = at
    before, began_s = (_Clock.source, _Clock.steady_s, _Clock.speed), _Clock.steady_s()

    def move_on(by: timedelta) -> None:
        nonlocal instant
        instant += by

    _Clock.source = lambda: instant
    _Clock.steady_s = lambda: began_s + (instant - at).total_seconds()
    try:
        yield move_on
    finally:
        _Clock.source, _Clock.steady_s, _Clock.speed = before


def require_aware(at: datetime) -> datetime:
    """`at` itself in UTC; ValueError when it bears no zone."""
    if at.tzinfo is None:
        raise ValueError(f"an instant without a time zone: {at!r}")
    return at.astimezone(UTC)


def corrected(claimed: datetime, ahead: timedelta) -> datetime:
    """The instant by our clock of what a clock `ahead` of it claims; now when there is no such instant."""
    try:
        return require_aware(claimed) - ahead
    except OverflowError:
        return now()


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00Z."""
    return round(require_aware(at).timestamp() * 1000)


def from_ms(at_ms: int) -> datetime:
    """The instant of `to_ms`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
