"""What tells one installation from another: an id that its database has from its first day, in every
back-up of it too.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, String, Table, select

from anshang.foundation.database import metadata

installation_table = Table("installation", metadata, Column("id", String(36), primary_key=True))


def installation_id(connection: Connection) -> str:
    """The id of the installation whose database this is."""
    return str(connection.execute(select(installation_table.c.id)).scalar_one())
