"""What the privacy page promises for every field outside the vault, as one list: what a look at it counts is
what the nightly erasure empties. Fields are named as in `inventory`, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)

from anshang.foundation import clock
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database, metadata
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.vault.model import ErasureEvent

THREE_YEARS = timedelta(days=3 * 366)
A_MONTH = timedelta(days=30)
A_WEEK = timedelta(days=7)
ACCOUNT_CLOSED = "account closed"
"""Instead of a column: when the account with this id was closed, nothing while it is open."""
_BLANK = ("", "{}", "[]", "null")


@dataclass(frozen=True, slots=True)
class Rule:
    """These fields of a table are emptied, or its rows removed, so long after the instant that `ended` leads
    to: a column, or a column with the id of a row of the next table, and so on.
    """

    table: str
    fields: tuple[str, ...]
    ended: tuple[str, ...]
    kept: timedelta = THREE_YEARS
    removes_rows: bool = False
    district: bool = True
    """Whether its rows belong to a district, or to the installation."""

    @property
    def names(self) -> tuple[str, ...]:
        """The fields as the inventory names them."""
        return tuple(f"{self.table}.{field}" for field in self.fields)


_MATTER = "matters.closed_at"
RULES: tuple[Rule, ...] = (
    Rule("unit_positions", ("lon", "lat"), ("at_ms",), A_WEEK, removes_rows=True),
    Rule("matters", ("text", "outcome"), ("closed_at",)),
    Rule("matter_notes", ("text",), ("matter_id", _MATTER)),
    Rule("incidents", ("place_words", "answers"), ("id", _MATTER)),
    Rule("incident_transfers", ("reason", "answer"), ("incident_id", _MATTER)),
    Rule("assignments", ("words",), ("incident_id", _MATTER)),
    Rule("commands", ("reason",), ("id", _MATTER)),
    Rule("messages", ("text", "report"), ("at",)),
    Rule("roll_call_answers", ("words",), ("at",)),
    Rule("measures", ("note",), ("taken_at",)),
    Rule("duties", ("crew",), ("ended_at",)),
    Rule("shifts", ("people", "note"), ("accepted_at",)),
    Rule("duty_notes", ("text",), ("at",)),
    Rule("notices", ("words_zh", "words_en"), ("expires_at",)),
    Rule("council_meetings", ("title", "agenda"), ("closed_at",)),
    Rule("council_motions", ("text",), ("meeting_id", "council_meetings.closed_at")),
    Rule("council_resolutions", ("text",), ("done_at",)),
    Rule("sent_requests", ("digest",), ("at",), A_WEEK, removes_rows=True),
    Rule("found_items", ("words",), ("ended_at",)),
    Rule("team_shifts", ("place",), ("ends_at",)),
    Rule("members", ("skills",), ("id", ACCOUNT_CLOSED), A_MONTH),
    Rule("accounts", ("name", "password_hash"), ("id", ACCOUNT_CLOSED), A_MONTH, district=False),
    Rule("accounts", ("display_name",), ("id", ACCOUNT_CLOSED), district=False),
)
KEPT_ELSEWHERE = {
    "vault_records.sealed": "each record has its own end: vault.actions.erase_expired",
    "push_phones.endpoint": "removed when the reminder is ended or the push service knows it no more",
}


@dataclass(frozen=True, slots=True)
class Due:
    """How many rows of a rule there are in a district, and how many of them are over and not yet emptied."""

    rule: Rule
    row_count: int
    over_count: int


def due(connection: Connection, district_id: str, at: datetime) -> list[Due]:
    """How each rule stands in a district, or in the installation (EVERYWHERE); nothing is changed."""
    found = []
    for rule in _rules_of(district_id):
        table = metadata.tables[rule.table]
        rows = select(func.count()).select_from(table).where(table.c.district_id == district_id)
        over = rows.where(_is_over(rule, at))
        found.append(Due(rule, *(connection.execute(one).scalar_one() for one in (rows, over))))
    return found


def apply(database: Database, district_id: str, *, actor: Actor) -> dict[str, int]:
    """Empty what is over in a district, or in the installation; how many rows by field, which is journalled
    when there are any.
    """
    actor.must(Permission.PERSON_ERASE, district_id)
    now = clock.now()
    with database.reading([district_id]) as connection:
        over = [one.rule for one in due(connection, district_id, now) if one.over_count]
    if not over:
        return {}
    with database.transaction(district_id) as tx:
        done = {" ".join(rule.names): _empty(tx.connection, rule, district_id, now) for rule in over}
        journal.record(tx, actor_id=actor.id, kind=ErasureEvent.APPLIED, subject_id=district_id, details=done)
    return done


def _rules_of(district_id: str) -> Sequence[Rule]:
    return [rule for rule in RULES if rule.district is (district_id != EVERYWHERE)]


def _empty(connection: Connection, rule: Rule, district_id: str, at: datetime) -> int:
    table = metadata.tables[rule.table]
    where = and_(table.c.district_id == district_id, _is_over(rule, at))
    if rule.removes_rows:
        return connection.execute(delete(table).where(where)).rowcount
    values = {field: _emptied(table, field) for field in rule.fields}
    return connection.execute(update(table).where(where).values(values)).rowcount


def _is_over(rule: Rule, at: datetime) -> ColumnElement[bool]:
    """Its time is over and something is left of it."""
    table = metadata.tables[rule.table]
    ended, before = _ended(table, rule.ended), at - rule.kept
    is_ms = isinstance(ended.type, BigInteger)
    over = ended < (clock.to_ms(before) if is_ms else before)
    if rule.removes_rows:
        return over
    return and_(over, or_(*(_is_left(table, field) for field in rule.fields)))


def _ended(table: Table, path: Sequence[str]) -> ColumnElement[Any]:
    """The instant that the path leads to from a row of the table, null while it has not come."""
    found: ColumnElement[Any] = table.c[path[0]]
    for step in path[1:]:
        if step == ACCOUNT_CLOSED:
            found = _account_closed(found)
        else:
            name, column = step.split(".")
            other = metadata.tables[name].alias()
            found = (
                select(other.c[column])
                .where(other.c.id == found, other.c.district_id == table.c.district_id)
                .correlate(table)
                .scalar_subquery()
            )
    return found


def _account_closed(account_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """When an account that is closed was last changed."""
    entries, accounts = metadata.tables["journal"].alias(), metadata.tables["accounts"].alias()
    changed = entries.c.kind.startswith("account.") & (entries.c.district_id == EVERYWHERE)
    return (
        select(func.max(entries.c.at))
        .where(
            accounts.c.id == account_id, entries.c.subject_id == accounts.c.id, ~accounts.c.active, changed
        )
        .correlate_except(entries, accounts)
        .scalar_subquery()
    )


def _emptied(table: Table, field: str) -> Any:
    """What stands in a field afterwards: a sign-in name must stay unlike every other one."""
    if (table.name, field) == ("accounts", "name"):
        return table.c.id
    return {"answers": {}, "agenda": [], "report": None, "crew": (), "people": (), "skills": ()}.get(
        field, ""
    )


def _is_left(table: Table, field: str) -> ColumnElement[bool]:
    column: Column[Any] = table.c[field]
    if (table.name, field) == ("accounts", "name"):
        return column != table.c.id
    return cast(column, Text).not_in(_BLANK)
