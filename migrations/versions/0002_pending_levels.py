"""What waits to be confirmed about a zone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("zone_states", sa.Column("pending", sa.Integer(), nullable=True))
