"""What earlier versions stored: names and words of who called for help go, and goals nobody reached are unmet."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import text
from tests.conftest import DISTRICT, NIGHT

from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.matters import store as matters
from anshang.matters.model import Clock, ClockKind, Matter, MatterKind, MatterState, Priority

pytestmark = pytest.mark.postgres
STEPS = Path(__file__).parents[2] / "migrations/versions"
AS_IT_WAS = {
    "with a unit": {"from": "鹰-1", "unit": "k1", "near": "p2", "words": "门口，王小明旁边"},
    "alone": {"from": "王小明", "unit": None, "near": None, "words": "说不清"},
}


def a_matter(number: int, params: dict[str, Any], caller: str) -> Matter:
    return Matter(
        ids.new_id(), DISTRICT, number, MatterKind.INCIDENT, Priority.P1, "matter.incident", params, "", None,
        None, MatterState.OPEN, NIGHT, caller,
    )  # fmt: skip


def upgrade(database: Database, step: str, *tables: str) -> None:
    """Run a step of the history on what is there; whom row-level security binds, it binds afterwards."""
    spec = importlib.util.spec_from_file_location("step", STEPS / f"{step}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with database.owning() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            module.upgrade()
        for table in () if database.is_sqlite else tables:
            forced = text("SELECT relforcerowsecurity FROM pg_class WHERE relname = :table")
            assert connection.execute(forced, {"table": table}).scalar_one() is True


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
    upgrade(database, "0020_sos_params", "matters")
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


def test_a_stored_goal_that_only_closing_stopped_is_not_reached(database: Database) -> None:
    closed_at = NIGHT + timedelta(minutes=4)
    closed = replace(a_matter(1, {}, "desk"), state=MatterState.CLOSED, closed_at=closed_at)
    arrive, answer = ClockKind.ARRIVE, ClockKind.ACKNOWLEDGE
    met = {"stopped": (arrive, closed_at), "reached": (arrive, NIGHT), "answered": (answer, closed_at)}
    with database.transaction(DISTRICT) as tx:
        matters.matters.add(tx, closed)
        for id, (kind, met_at) in met.items():
            matters.clocks.add(tx, Clock(id, DISTRICT, closed.id, kind, closed_at, "due", {}, met_at))
    upgrade(database, "0021_unmet_goals", "matters", "matter_clocks")
    with database.reading([DISTRICT]) as connection:
        kept = {one.id: one.met_at for one in matters.list_clocks(connection, DISTRICT, [closed.id])}
    assert kept == {"stopped": None, "reached": NIGHT, "answered": closed_at}
