"""An application with the district WUYI on a fresh database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones

from anshang.app import create_app
from anshang.foundation.database import Database
from anshang.people.model import operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from anshang.web.session import Runtime


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Iterator[FastAPI]:
    """The whole application."""
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url))
    yield app
    app.state.services[Runtime].database.dispose()


@pytest.fixture
def district_place(app: FastAPI) -> None:
    """The district has a place: three zones in a row."""
    with app.state.services[Runtime].database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=row_of_zones())
