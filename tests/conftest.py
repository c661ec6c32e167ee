"""A fresh, migrated database for every test, a standing clock on request, and builders of what tests are
about.

Tests marked `postgres` run on SQLite and, where PostgreSQL's programs are installed, on a throw-away
cluster too.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from sqlalchemy import make_url

from anshang.foundation import clock, ids, migrations
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.people import passwords
from anshang.people.model import Role, actor_of
from tests import postgres

try:
    import anshang.kernels.trees  # noqa: F401 - can it be loaded here?
except ImportError as missing:
    WITHOUT_TREES = str(missing)
    collect_ignore = ["kernels/test_forecast.py", "crowds/test_backtest.py"]
else:
    WITHOUT_TREES = ""

settings.register_profile("house", deadline=None)
settings.load_profile("house")

NIGHT = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
"""20:00 in Shanghai on a New Year's Eve."""
DISTRICT = "wuyi"


COSTLY = passwords._hasher
"""How an installation hashes passwords."""


def pytest_configure() -> None:
    """Databases of tests lie in memory where there is room: what is slow of them is the disk."""
    if (folder := postgres.in_memory()) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """A password costs a quarter of a second on purpose, and nearly every test signs somebody in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


def pytest_report_header() -> list[str]:
    """What is left out on this machine, and why."""
    return [f"forecasts are not tested: {WITHOUT_TREES}"] if WITHOUT_TREES else []


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "anshang.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of an empty migrated PostgreSQL database to copy."""
    if postgres.programs() is None:
        pytest.skip(postgres.NOT_INSTALLED)
    with postgres.cluster() as url:
        _migrate(url)
        yield url


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `postgres` run on both databases."""
    if "database" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("postgres") is not None
        metafunc.parametrize("engine", ["sqlite", "postgresql"] if both else ["sqlite"], scope="function")


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database."""
    made = _on_sqlite if engine == "sqlite" else _on_postgresql
    with made(request, tmp_path) as url:
        database = Database(url, postgres.owner_of(url))
        yield database
        database.dispose()


@contextmanager
def _on_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "anshang.db"
    shutil.copy(request.getfixturevalue("template"), path)
    yield f"sqlite:///{path}"


@contextmanager
def _on_postgresql(request: pytest.FixtureRequest, _tmp_path: Path) -> Iterator[str]:
    template = make_url(request.getfixturevalue("cluster"))
    name = f"t{next(_numbers)}"
    with postgres.administering(template) as connection:
        connection.execute(
            f"CREATE DATABASE {name} OWNER anshang_owner TEMPLATE template_anshang STRATEGY FILE_COPY".encode()
        )
        yield template.set(database=name).render_as_string()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _migrate(url: str) -> None:
    database = Database(url, postgres.owner_of(url))
    migrations.upgrade(database)
    database.dispose()


_numbers = itertools.count()


@pytest.fixture
def night() -> Iterator[Callable[[timedelta], None]]:
    """The clock stands at NIGHT; call the fixture with a timedelta to move it on."""
    with clock.standing_at(NIGHT) as move_on:
        yield move_on


class Make:
    """Builders of what tests are about."""

    @staticmethod
    def actor(role: Role = Role.DESK, *districts: str, body_id: str | None = None) -> Actor:
        """Somebody of the role, in DISTRICT unless told otherwise."""
        return actor_of(ids.new_id(), str(role), role, body_id, districts or (DISTRICT,))


@pytest.fixture
def make() -> Make:
    """The builders."""
    return Make()
