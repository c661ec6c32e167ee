"""A goal to be there, or to find, that only the closing of its matter stopped has not been reached."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ("matters", "matter_clocks")
UNMET = """
UPDATE matter_clocks SET met_at = NULL WHERE kind IN ('arrive', 'resolve') AND EXISTS (
    SELECT 1 FROM matters
    WHERE matters.id = matter_clocks.matter_id AND matters.closed_at = matter_clocks.met_at
)
"""


def upgrade() -> None:
    """The rows lie behind row-level security, which binds the owner, too, unless it is lifted for it."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in TABLES if on_postgresql else ():
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(UNMET)
    for table in TABLES if on_postgresql else ():
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
