"""A digest of what was sent with an id, so that the id that comes again with other content is refused."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sent_requests",
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "id", "path", name=op.f("pk_sent_requests")),
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE sent_requests ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sent_requests FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_district ON sent_requests USING "
        "(district_id = ANY (string_to_array(current_setting('anshang.districts', true), ',')))"
    )
