"""What leaves the house goes one of several ways, each with its own mark, and to recipients by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

WAY = ("way", sa.String(length=32), "gateway")
MARKS_KEY = ("district_id", "way")


def upgrade() -> None:
    for name, kind, known in (WAY, ("recipient", sa.String(length=36), "")):
        op.add_column("outgoing", sa.Column(name, kind, nullable=False, server_default=known))
    if op.get_bind().dialect.name == "sqlite":
        _marks_on_sqlite()
        return
    op.add_column("outgoing_marks", sa.Column("way", WAY[1], nullable=False, server_default=WAY[2]))
    op.drop_constraint("pk_outgoing_marks", "outgoing_marks")
    op.create_primary_key("pk_outgoing_marks", "outgoing_marks", MARKS_KEY)


def _marks_on_sqlite() -> None:
    """SQLite cannot change a key."""
    op.rename_table("outgoing_marks", "outgoing_marks_before")
    op.create_table(
        "outgoing_marks",
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("way", WAY[1], nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*MARKS_KEY, name="pk_outgoing_marks"),
    )
    op.execute("INSERT INTO outgoing_marks SELECT district_id, 'gateway', seq FROM outgoing_marks_before")
    op.drop_table("outgoing_marks_before")
