"""Trained forecasts and how forecasts came out; planned events; alarms put aside; measures beside what was
expected.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("planned_events", "warning_chances", "forecast_outcomes", "trained_models", "trained_trees")


def upgrade() -> None:
    op.create_table(
        "forecast_outcomes",
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("horizon_s", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("zones_count", sa.Integer(), nullable=False),
        sa.Column("people_sum", sa.Float(), nullable=False),
        sa.Column("error_sum", sa.Float(), nullable=False),
        sa.Column("still_sum", sa.Float(), nullable=False),
        sa.Column("loss_sum", sa.Float(), nullable=False),
        sa.Column("inside80_count", sa.Integer(), nullable=False),
        sa.Column("inside95_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "at_ms", "horizon_s", name=op.f("pk_forecast_outcomes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trained_models",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("trained_at", sa.BigInteger(), nullable=False),
        sa.Column("learnt_until_at", sa.BigInteger(), nullable=False),
        sa.Column("days_count", sa.Integer(), nullable=False),
        sa.Column("zones_count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trained_models")),
    )
    op.create_index(op.f("ix_trained_models_district_id"), "trained_models", ["district_id"], unique=False)
    op.create_table(
        "trained_trees",
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_trained_trees")),
    )
    op.create_table(
        "warning_chances",
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("zone_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("came", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "zone_id", "at_ms", name=op.f("pk_warning_chances")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "planned_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("zone_id", sa.String(length=64), nullable=True),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("expected_count", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_events")),
    )
    op.create_index("ix_planned_events_district_id_start_at", "planned_events", ["district_id", "start_at"])
    for name in ("density_expected", "density_expected_low", "density_expected_high"):
        op.add_column("measures", sa.Column(name, sa.Float(), nullable=True))
    op.add_column("matters", sa.Column("shelved_until", sa.BigInteger(), nullable=True))
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_district ON {table} USING "
            "(district_id = ANY (string_to_array(current_setting('anshang.districts', true), ',')))"
        )
