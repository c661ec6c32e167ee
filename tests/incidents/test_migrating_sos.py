"""A call for help that an earlier version stored: its caller's name and words go, whoever owns the tables."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from tests.conftest import DISTRICT, NIGHT

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.matters import store as matters
from anshang.matters.model import Matter, MatterKind, MatterState, Priority

pytestmark = pytest.mark.postgres
STEP = Path(__file__).parents[2] / "migrations/versions/0020_sos_params.py"
AS_IT_WAS = {
    "with a unit": {"from": "鹰-1", "unit": "k1", "near": "p2", "words": "门口，王小明旁边"},
    "alone": {"from": "王小明", "unit": None, "near": None, "words": "说不清"},
}


def a_matter(number: int, params: dict[str, Any], caller: str) -> Matter:
    return Matter(
        ids.new_id(), DISTRICT, number, MatterKind.INCIDENT, Priority.P1, "matter.incident", params, "", None,
        None, MatterState.OPEN, NIGHT, caller,
    )  # fmt: skip


def upgraded(connection: Connection) -> None:
    """Run the step on what is there, as the history would."""
    spec = importlib.util.spec_from_file_location("step", STEP)
    assert spec is not None and spec.loader is not None
    step = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(step)
    with Operations.context(MigrationContext.configure(connection)):
        assert op.get_bind() is connection
        step.upgrade()


def test_a_stored_call_for_help_keeps_no_name_and_no_words(database: Database) -> None:
    caller, common = ids.new_id(), {"category": "sos", "zh": "求助", "en": "SOS"}
    new = common | {"account": caller, "sos": {"sign": "K-2", "unit": "k2", "near": None}}
    rows = [
        a_matter(1, common | {"sos": AS_IT_WAS["with a unit"]}, caller),
        a_matter(2, common | {"sos": AS_IT_WAS["alone"]}, caller),
        a_matter(3, new, caller),
        a_matter(4, common, caller),
    ]
    with database.transaction(DISTRICT) as tx:
        for row in rows:
            matters.matters.add(tx, row)
    with database.owning() as connection:
        upgraded(connection)
        if not database.is_sqlite:  # the owner, whom row-level security binds, too, is bound again
            forced = text("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'matters'")
            assert connection.execute(forced).scalar_one() is True
    with database.reading([DISTRICT]) as connection:
        kept = {
            one.number: one.params
            for one in matters.list_these(connection, DISTRICT, [r.id for r in rows]).values()
        }
    assert kept[1] == common | {"account": caller, "sos": {"sign": "鹰-1", "unit": "k1", "near": "p2"}}
    assert kept[2] == common | {"account": caller, "sos": {"sign": None, "unit": None, "near": None}}
    assert kept[3] == new
    assert kept[4] == common
    assert "王小明" not in json.dumps(list(kept.values()), ensure_ascii=False)
