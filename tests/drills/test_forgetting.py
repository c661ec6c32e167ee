"""Nothing of a drill that is over is left in memory: an installation that drills every week does not grow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.drills.test_drills import Exercise
from tests.drills.test_drills import app as app_fixture
from tests.drills.test_drills import exercise as exercise_fixture
from tests.drills.test_drills import quarter as quarter_fixture

from anshang.foundation.districts import Districts
from anshang.web.session import Runtime
from anshang.worker import Worker

pytestmark = pytest.mark.postgres
app, quarter, exercise = app_fixture, quarter_fixture, exercise_fixture


def holding(copy_id: str, root: Any) -> Iterator[str]:
    """The ways from an object to a key of a mapping, or a member of a set, that names the copy."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        way, one = waiting.pop()
        if id(one) in seen or len(way) > 300:
            continue
        seen.add(id(one))
        if isinstance(one, Mapping):
            yield from (f"{way}[{key!r}]" for key in list(one) if names(copy_id, key))
            waiting += [(f"{way}[{key!r}]", value) for key, value in list(one.items())]
        elif isinstance(one, (list, tuple, set, frozenset)):
            yield from (way for each in one if isinstance(each, str) and each == copy_id)
            waiting += [(way, each) for each in one]
        elif type(one).__module__.startswith("anshang"):
            fields = [*getattr(one, "__dict__", {}), *getattr(type(one), "__slots__", ())]
            waiting += [(f"{way}.{name}", getattr(one, name, None)) for name in fields]


def names(copy_id: str, key: Any) -> bool:
    return key == copy_id or (isinstance(key, tuple) and copy_id in key)


async def watched_to_its_end(exercise: Exercise) -> None:
    """One screen looks on and leaves; another one is still there when the drill ends."""
    hub = exercise.app.state.services[Runtime].hub
    screens = [hub.stream(exercise.copy, None) for _ in range(2)]
    for screen in screens:
        await anext(screen)
    await screens[0].aclose()
    exercise.end()
    await screens[1].aclose()


def test_nothing_of_a_drill_that_is_over_is_kept_in_memory(exercise: Exercise) -> None:
    worker = exercise.app.state.services[Worker]
    worker.prepare()
    exercise.begin()
    exercise.app.state.services[Districts].look()
    exercise.go_on(2)
    for job in worker.supervisor.jobs:
        if job.name != "forecasts.train":
            worker.supervisor.run_due(job.lane)
    exercise.desk.get(f"/api/matters{exercise.there}")
    exercise.desk.get(f"/api/crowd{exercise.there}")
    asyncio.run(watched_to_its_end(exercise))
    state = exercise.app.state._state
    left = sorted(holding(exercise.copy, dict(state)))
    assert left == [], "\n".join(left)
