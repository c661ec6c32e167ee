"""The table of drills and what is asked of it; and which tables of a district its copy for a drill has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Integer,
    String,
    Table,
    Text,
    column,
    delete,
    insert,
    select,
    table,
)

from anshang.drills.model import Drill
from anshang.foundation import ids
from anshang.foundation.columns import UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.shelf import Shelf

drills_table = Table(
    "drills",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("name_zh", String(500), nullable=False),
    Column("name_en", String(500), nullable=False),
    Column("scenario", Text, nullable=False),
    Column("begun_at", UtcTime, nullable=False),
    Column("begun_by", String(36), nullable=False),
    Column("ended_at", UtcTime),
    Column("score", JSON),
    Column("version", Integer, nullable=False),
)

COPIED = (
    "districts", "zones", "gates", "walkways", "premises", "posts",
    "level_rules", "incident_categories", "ladders", "units", "members", "partners",
)  # fmt: skip
"""Tables of which a copy begins with the rows of its district."""

EMPTY = (
    "planned_events", "sensors", "zone_states", "measures", "person_counts", "observations",
    "observation_rollups", "late_hours", "telemetry_marks", "zone_history", "trained_models",
    "trained_trees", "forecast_outcomes", "warning_chances", "weather_hours", "shifts", "duty_notes",
    "service_requests", "zone_orders", "found_items", "commands", "messages", "message_receipts",
    "roll_calls", "roll_call_answers", "lone_timers", "assignments", "rung_runs", "drills", "incidents",
    "incident_moments", "incident_links", "incident_transfers", "outgoing", "outgoing_marks", "lookouts",
    "lookout_looks", "matters", "matter_clocks", "matter_notes", "council_meetings", "council_motions",
    "council_resolutions", "push_phones", "notices", "notice_deliveries", "duty_checks", "unit_positions",
    "duties", "feeds", "vault_records", "volunteers", "team_shifts", "sign_ups", "certificates",
    "sent_requests",
)  # fmt: skip
"""Tables in which a copy begins without a row, but for what `copying` puts there."""

LASTING = ("journal", "journal_seals")
"""What of a copy stays when its drill is over: no entry of a journal is ever removed."""

INSTALLATION = ("accounts", "bodies")
"""Tables whose rows belong to no district. A test holds that every table is in one of these four lists."""

drills = Shelf(drills_table, Drill, missing=("There is no such drill.", "没有该演练。"))


def list_drills(connection: Connection, district_id: str, limit: int = 50) -> list[Drill]:
    """The drills of a district, the latest first."""
    query = drills.select().where(drills_table.c.district_id == district_id)
    rows = connection.execute(
        query.order_by(drills_table.c.begun_at.desc(), drills_table.c.id.desc()).limit(limit)
    )
    return [drills.read(row) for row in rows]


def find_running(connection: Connection, district_id: str) -> Drill | None:
    """The drill that goes on in a district, None when none does."""
    query = drills.select().where(
        drills_table.c.district_id == district_id, drills_table.c.ended_at.is_(None)
    )
    row = connection.execute(query).first()
    return None if row is None else drills.read(row)


def list_copy_ids(connection: Connection, district_id: str) -> list[str]:
    """The copies on which the drills of a district played, whether they are still there or only their
    journals.
    """
    query = select(drills_table.c.id).where(drills_table.c.district_id == district_id)
    drill_ids = connection.execute(query.order_by(drills_table.c.begun_at)).scalars()
    return [ids.drill_of(district_id, drill_id) for drill_id in drill_ids]


def read_copied(connection: Connection, district_id: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a district with which a copy begins, by table."""
    tables = [metadata.tables[name] for name in COPIED]
    return {
        table.name: [
            dict(row._mapping)
            for row in connection.execute(select(table).where(table.c.district_id == district_id))
        ]
        for table in tables
    }


def insert_copied(tx: Transaction, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Give these rows to the district of the transaction."""
    for name in COPIED:
        mine = [{**row, "district_id": tx.district_id} for row in rows.get(name, ())]
        if mine:
            tx.connection.execute(insert(metadata.tables[name]), mine)


def remove_rows(tx: Transaction) -> None:
    """Remove every row of the transaction's district, which is a copy, but those that last."""
    for name in (*EMPTY, *COPIED):  # by name: not every process loads every room
        rows = table(name, column("district_id"))
        tx.connection.execute(delete(rows).where(rows.c.district_id == tx.district_id))
