"""An installation has an id; a day may be sealed anew; no seal or entry is replaced, changed or removed."""

import sqlalchemy as sa
from alembic import op

from anshang.foundation.ids import new_id

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SEAL_COLUMNS = (
    sa.Column("district_id", sa.String(length=64), nullable=False),
    sa.Column("on", sa.Date(), nullable=False),
    sa.Column("last_seq", sa.BigInteger(), nullable=False),
    sa.Column("entry_count", sa.BigInteger(), nullable=False),
    sa.Column("chain", sa.String(length=64), nullable=False),
    sa.Column("sealed_at", sa.BigInteger(), nullable=False),
)
KEY = ("district_id", "on", "last_seq")


def upgrade() -> None:
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.bulk_insert(installation, [{"id": new_id()}])
    if op.get_bind().dialect.name == "sqlite":
        _on_sqlite()
        return
    op.drop_constraint("pk_journal_seals", "journal_seals")
    op.create_primary_key("pk_journal_seals", "journal_seals", KEY)
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER journal_seals_no_{verb.lower()} BEFORE {verb} ON journal_seals "
            "FOR EACH ROW EXECUTE FUNCTION journal_refuse()"
        )


def _on_sqlite() -> None:
    """SQLite cannot change a key, and REPLACE removes rows without asking a trigger for DELETE."""
    op.rename_table("journal_seals", "journal_seals_before")
    op.create_table("journal_seals", *SEAL_COLUMNS, sa.PrimaryKeyConstraint(*KEY, name="pk_journal_seals"))
    op.execute("INSERT INTO journal_seals SELECT * FROM journal_seals_before")
    op.drop_table("journal_seals_before")
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER journal_seals_no_{verb.lower()} BEFORE {verb} ON journal_seals "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
    for table, known in (
        ("journal", "seq = NEW.seq OR id = NEW.id"),
        ("journal_seals", 'district_id = NEW.district_id AND "on" = NEW."on" AND last_seq = NEW.last_seq'),
    ):
        guard = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {known})"  # noqa: S608 - our own names
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} {guard} "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
