"""Brings a database to the present tables: one history for SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

import anshang
from anshang.foundation.database import Database


def upgrade(database: Database) -> None:
    """Run every migration that the database has not seen yet, in one transaction."""
    with database.owning() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    """The history lies in the package when installed, beside `src` in a checkout."""
    package = Path(anshang.__file__).parent
    packed = package / "migrations"
    config = Config()
    config.set_main_option(
        "script_location", str(packed if packed.is_dir() else package.parents[1] / "migrations")
    )
    return config
