"""Keeping rows of which some may be there already, also when others keep the same ones at that moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from anshang.crowds import observations
from anshang.crowds.model import Observation
from anshang.foundation.database import Database
from anshang.foundation.errors import StorageFailed

TRIES = 5


def keep_rows(
    database: Database,
    district_id: str,
    rows: Sequence[Observation],
    received_ms: int,
    besides: Callable[[Connection], None] = lambda _: None,
) -> observations.Added:
    """Keep those of the rows that are not there yet, durably; their keys are distinct.

    Nearly always all are new, so that is tried first. What somebody else keeps between our look and our write
    (PostgreSQL) is looked at again. `besides` writes something else in the same transaction. StorageFailed
    when others are always faster.
    """

    def all_new(connection: Connection) -> observations.Added:
        besides(connection)
        observations.add_new(connection, district_id, rows, received_ms)
        return observations.Added(list(rows), [])

    def missing(connection: Connection) -> observations.Added:
        besides(connection)
        return observations.add_missing(connection, district_id, rows, received_ms)

    for work in (all_new, *[missing] * TRIES):
        try:
            return database.bulk(district_id, work)
        except observations.SomeKnown:
            continue
    raise StorageFailed(
        "storage.contended",
        en="Others keep writing the same rows. Nothing was saved; send them again.",
        zh="相同数据正被同时写入。未保存任何内容，请重新发送。",
    )
