"""How a room declares itself. `anshang/rooms.py` lists them all, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fastapi import APIRouter

from anshang.foundation.jobs import Job
from anshang.foundation.wiring import Maker, Services


def _no_jobs(_: Services) -> Iterable[Job]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one room adds to the house: its routes, the kinds of its journal entries, the services that it
    makes for others, by their types, and its background jobs.
    """

    name: str
    routers: tuple[APIRouter, ...] = ()
    events: tuple[type[StrEnum], ...] = ()
    makes: Mapping[type[Any], Maker] = field(default_factory=dict)
    jobs: Callable[[Services], Iterable[Job]] = _no_jobs
