"""Brings a database to the present tables: one history for SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import ProgrammingError

import anshang
from anshang.foundation.database import Database
from anshang.foundation.errors import RuleBroken

_NOT_OWNER = "42501"
"""PostgreSQL's state of what this role may not do."""


def upgrade(database: Database) -> None:
    """Run every migration that the database has not seen yet, in one transaction. RuleBroken when a newer
    version has changed it, or when only the owner of its tables may.
    """
    try:
        with database.owning() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError:
        raise RuleBroken(
            "database.newer",
            en="A newer version of Anshang has changed this database. Install that version again, or restore"
            " the back-up that was made before.",
            zh="该数据库已由更新版本的安商升级。请重新安装新版本，或恢复升级前的备份。",
        ) from None
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != _NOT_OWNER:
            raise
        raise RuleBroken(
            "database.owner_needed",
            en="This version changes the database's tables, which only their owner may: give the owner's"
            " address in ANSHANG_DATABASE_OWNER_URL once (any command will do).",
            zh="此版本需要更改数据表，只有属主角色可以执行：请用 ANSHANG_DATABASE_OWNER_URL 提供属主地址，"
            "运行任一命令一次即可。",
        ) from None


def _config() -> Config:
    """The history lies in the package when installed, beside `src` in a checkout."""
    package = Path(anshang.__file__).parent
    packed = package / "migrations"
    config = Config()
    config.set_main_option(
        "script_location", str(packed if packed.is_dir() else package.parents[1] / "migrations")
    )
    return config
