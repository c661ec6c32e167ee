"""Look-outs that were passed on by a neighbouring district."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lookouts", sa.Column("origin_district", sa.String(length=64), nullable=True))
    op.add_column("lookouts", sa.Column("origin_id", sa.String(length=36), nullable=True))
