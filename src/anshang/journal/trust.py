"""Whether the clock can be trusted to end a day: who knows that lives above this room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrustedClock:
    """`check` raises ItemsFailed, with the reason, while the clock cannot be trusted."""

    check: Callable[[], None]

    def before(self, work: Callable[[str], object]) -> Callable[[str], None]:
        """`work` with a district's id, done only while the clock can be trusted."""

        def run(district_id: str) -> None:
            self.check()
            work(district_id)

        return run
