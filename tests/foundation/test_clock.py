"""The one source of the present instant."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from anshang.foundation import clock


def test_the_clock_is_aware_and_in_utc() -> None:
    assert clock.now().tzinfo is UTC
    assert clock.speed() == 1.0


def test_a_standing_clock_moves_only_when_told() -> None:
    at = datetime(2026, 12, 31, 12, tzinfo=UTC)
    with clock.standing_at(at) as move_on:
        assert clock.now() == at
        move_on(timedelta(minutes=5))
        assert clock.now() == at + timedelta(minutes=5)
    assert clock.now() != at + timedelta(minutes=5)


def test_a_demonstration_clock_starts_where_told_and_runs_faster() -> None:
    at = datetime(2024, 12, 31, 12, tzinfo=UTC)
    with clock.standing_at(at):
        clock.run_from(at, speed=1000)
        time.sleep(0.02)
        assert timedelta(seconds=15) < clock.now() - at < timedelta(seconds=3000)
        assert clock.speed() == 1000


def test_what_a_demonstration_jumps_over_is_time_that_passed() -> None:
    """Else what guards erasure against a wrong clock takes the jump for one."""
    at = datetime(2024, 12, 31, 5, tzinfo=UTC)
    with clock.standing_at(at):
        clock.run_from(at, speed=1)
        before_s = clock.steady_s()
        clock.run_from(at + timedelta(hours=14), speed=60)
        assert clock.steady_s() - before_s == pytest.approx(14 * 3600, abs=60)


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        clock.run_from(datetime(2024, 12, 31), speed=1)


def test_milliseconds_go_there_and_back() -> None:
    at = datetime(2026, 12, 31, 12, 0, 0, 123000, tzinfo=UTC)
    assert clock.from_ms(clock.to_ms(at)) == at
