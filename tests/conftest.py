"""A fresh, migrated database for every test, a standing clock on request, and builders of what tests are
about.

Tests marked `postgres` run on SQLite and, where PostgreSQL's programs are installed, on a throw-away
cluster too.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from sqlalchemy import make_url

from anshang.foundation import clock, ids, migrations
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
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
    url = made(request, tmp_path)
    database = Database(url, postgres.owner_of(url))
    yield database
    database.dispose()


def _on_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / "anshang.db"
    shutil.copy(request.getfixturevalue("template"), path)
    return f"sqlite:///{path}"


def _on_postgresql(request: pytest.FixtureRequest, _tmp_path: Path) -> str:
    template = make_url(request.getfixturevalue("cluster"))
    name = f"t{next(_numbers)}"
    with psycopg.connect(
        f"host={template.query['host']} user=anshang_owner dbname=postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_anshang".encode())
    return template.set(database=name).render_as_string()


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
