"""A lock that is given in the order in which it was asked for: nobody waits twice as long as the others."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """Use it with `with`. An ordinary lock may be taken again and again by who has just released it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._gates: deque[threading.Lock] = deque()

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for the turn."""
        return bool(self._gates)

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            gate = threading.Lock()
            gate.acquire()
            self._gates.append(gate)
        gate.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._gates:
                self._gates.popleft().release()
            else:
                self._held = False
