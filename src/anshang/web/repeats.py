"""What was sent with an id that its sender minted: the same again is a retry, anything else is refused.

Kept is a digest of what was sent, for a week, and without the fields that a body calls its own secrets: no
guess at a telephone number or a password can be tried on it. What the vault seals it compares by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from sqlalchemy import Column, String, Table, insert, select

from anshang.foundation import clock
from anshang.foundation.columns import UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.errors import RuleBroken
from anshang.web.shapes import Body

sent_requests_table = Table(
    "sent_requests",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("path", String(200), primary_key=True),
    Column("digest", String(32), nullable=False),
    Column("at", UtcTime, nullable=False),
)


def must_repeat(tx: Transaction, path: str, body: Body) -> None:
    """Keep what was sent to the path with the ids of the body; RuleBroken when one of them was sent there
    with other content. Asked when the verb is done, so that nobody learns of an id who may not do it.
    """
    t = sent_requests_table.c
    for id in _ids_of(body):
        here = (t.district_id == tx.district_id) & (t.id == id) & (t.path == path)
        first = tx.connection.execute(select(t.digest).where(here)).scalar()
        if first is None:
            row = {"district_id": tx.district_id, "id": id, "path": path, "at": clock.now()}
            tx.connection.execute(insert(sent_requests_table), row | {"digest": _digest_of(body)})
        elif first != _digest_of(body):
            raise RuleBroken(
                "request.taken",
                en="This was received already, with other content. Look at what is there, then begin anew.",
                zh="该内容此前已收到，且与本次不同。请先查看已有记录，再重新填写。",
            )


def _ids_of(body: Body) -> Iterator[str]:
    """The ids by which a retry is known."""
    for name in ("id", "note_id"):
        if isinstance(id := getattr(body, name, None), str):
            yield id


def _digest_of(body: Body) -> str:
    told = body.model_dump(mode="json", exclude=set(body.SECRET))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
