"""A call for help of an earlier version keeps no name and no words of its caller beside the account."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MATTERS = sa.table(
    "matters",
    sa.column("id", sa.String),
    sa.column("opened_by", sa.String),
    sa.column("params", sa.JSON),
)


def upgrade() -> None:
    """The rows lie behind row-level security, which binds the owner, too, unless it is lifted for it."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        op.execute("ALTER TABLE matters NO FORCE ROW LEVEL SECURITY")
    _strip(op.get_bind())
    if on_postgresql:
        op.execute("ALTER TABLE matters FORCE ROW LEVEL SECURITY")


def _strip(connection: sa.Connection) -> None:
    of_calls = sa.cast(MATTERS.c.params, sa.Text).contains('"sos"')
    for id, opened_by, params in connection.execute(sa.select(MATTERS).where(of_calls)).all():
        if "from" in (params.get("sos") or {}):
            stripped = (
                sa.update(MATTERS).where(MATTERS.c.id == id).values(params=_stripped(params, opened_by))
            )
            connection.execute(stripped)


def _stripped(params: dict[str, Any], caller: str) -> dict[str, Any]:
    """As newer calls are kept: by account; `from` was a call sign only of somebody on duty with a unit."""
    told = params["sos"]
    sign = told["from"] if told["unit"] is not None else None
    return params | {"account": caller, "sos": {"sign": sign, "unit": told["unit"], "near": told["near"]}}
