"""An application with the district WUYI on a fresh database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from anshang.app import create_app
from anshang.foundation.database import Database
from anshang.settings import Settings


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Iterator[FastAPI]:
    """The whole application."""
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url))
    yield app
    app.state.runtime.database.dispose()
