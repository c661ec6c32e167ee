"""The districts that this process works for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from anshang.foundation.items import attempted


class Districts:
    """The ids of all districts as of the last look; whoever asks is told of new ones and of lost ones."""

    def __init__(self, stored: Callable[[], Iterable[str]]) -> None:
        self.stored = stored
        """The ids of all districts as they are stored now."""
        self.on_new: list[Callable[[str], None]] = []
        """Called with the id of each new district before anything runs in it."""
        self.on_gone: list[Callable[[str], object]] = []
        """Called with the id of each district that is no more: nothing of it is kept in memory."""
        self.known: tuple[str, ...] = ()

    def look(self, _: str = "") -> None:
        """Know the districts of now. What cannot be done for a new one keeps no other from being known: it is
        tried again, and reported, by the job it belongs to.
        """
        stored = tuple(self.stored())
        for district_id in set(stored) - set(self.known):
            for tell in self.on_new:
                attempted(partial(tell, district_id))
        self.known = stored

    def drop(self, district_id: str) -> None:
        """A district is no more, as that of a drill that is over: nothing runs in it, or is kept of it."""
        self.known = tuple(id for id in self.known if id != district_id)
        for forget in self.on_gone:
            forget(district_id)

    def is_gone(self, district_id: str) -> bool:
        """Whether the district is no more: a job may still be at it, or begin, as a drill's is removed."""
        return district_id not in self.stored()
