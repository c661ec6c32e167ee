"""Keeps frozen dataclasses in tables, with optimistic versions: what an ORM would be, without its magic."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from anshang.foundation.database import Transaction
from anshang.foundation.errors import NotFound, RuleBroken, StaleVersion
from anshang.foundation.ids import checked_id


class Kept(Protocol):
    """What a Shelf keeps: a frozen dataclass with these three fields among its own."""

    @property
    def id(self) -> str: ...
    @property
    def district_id(self) -> str: ...
    @property
    def version(self) -> int: ...


Value = TypeVar("Value", bound=Kept)
Other = TypeVar("Other", bound=Kept)


class Shelf(Generic[Value]):
    """Keeps frozen dataclasses in a table whose columns bear the names of their fields.

    A value has `id`, `district_id` and `version`; `put` succeeds only when nobody changed it in between.
    """

    def __init__(self, table: Table, kind: type[Value], *, missing: tuple[str, str]) -> None:
        self.table = table
        self.kind = kind
        self._missing_en, self._missing_zh = missing
        self._names = [field.name for field in dataclasses.fields(cast(Any, kind))]
        self.columns = [table.c[name] for name in self._names]
        self.at_id = here = (table.c.district_id == bindparam("here")) & (table.c.id == bindparam("this"))
        # made once: to build a statement takes longer than to run it
        self._find = self.select().where(here)
        self._insert = insert(table)
        self._update = update(table).where(here & (table.c.version == bindparam("known")))

    def select(self) -> Select[Any]:
        """A query for the columns of the value, to be narrowed by the caller."""
        return select(*self.columns)

    def read(self, row: Row[Any] | Sequence[Any]) -> Value:
        """The value of a row of `select()`."""
        return self.kind(*row)

    def find(self, connection: Connection, district_id: str, id: str) -> Value | None:
        """The value, or None."""
        row = connection.execute(self._find, {"here": district_id, "this": id}).one_or_none()
        return None if row is None else self.read(row)

    def find_again(self, connection: Connection, district_id: str, id: str, **said: Any) -> Value | None:
        """What an earlier try with this id of the client's made, None when there was none.

        RuleBroken when that one said something else in a field of `said`: it is no retry then.
        """
        known = self.find(connection, district_id, checked_id(id))
        if known is not None and any(getattr(known, name) != value for name, value in said.items()):
            raise self._taken()
        return known

    def get(self, connection: Connection, district_id: str, id: str) -> Value:
        """The value; NotFound when the district has none of that id."""
        value = self.find(connection, district_id, id)
        if value is None:
            raise self.missing()
        return value

    def missing(self) -> NotFound:
        """The refusal that says that there is none."""
        return NotFound(f"{self.table.name}.missing", en=self._missing_en, zh=self._missing_zh)

    def add(self, tx: Transaction, value: Value) -> None:
        """Keep a new value; RuleBroken when its id, or what else must be unique, is in use somewhere."""
        self.add_all(tx, [value])

    def add_all(self, tx: Transaction, values: Sequence[Value]) -> None:
        """Keep new values in one statement, as `add` keeps one."""
        rows = [self._fields(value) for value in values]
        try:
            if rows:
                tx.connection.execute(self._insert, rows[0] if len(rows) == 1 else rows)
        except IntegrityError as error:
            raise self._taken() from error

    def put(self, tx: Transaction, value: Value) -> Value:
        """Keep a changed value and return it with its next version; StaleVersion when another change came
        first.
        """
        changed = dataclasses.replace(value, version=value.version + 1)  # type: ignore[type-var]
        at = {"here": value.district_id, "this": value.id, "known": value.version}
        if tx.connection.execute(self._update, self._fields(changed) | at).rowcount != 1:
            raise StaleVersion(
                f"{self.table.name}.stale",
                en="Somebody else changed this in the meantime; look again.",
                zh="期间已有他人修改，请刷新后重试。",
            )
        return changed

    def _taken(self) -> RuleBroken:
        return RuleBroken(
            f"{self.table.name}.taken",
            en="This id is in use for something else.",
            zh="该编号已用于其他内容。",
        )

    def _fields(self, value: Value) -> dict[str, Any]:
        return {name: getattr(value, name) for name in self._names}


class Pair(Generic[Value, Other]):
    """Reads a value and the one of the same district that it leads to in one statement, for verbs that need
    both.
    """

    def __init__(self, first: Shelf[Value], other: Shelf[Other], on: ColumnElement[bool]) -> None:
        self._first, self._other = first, other
        self._width = len(first.columns)
        same = first.table.c.district_id == other.table.c.district_id
        joined = first.table.outerjoin(other.table, same & on)
        self._find = select(*first.columns, *other.columns).select_from(joined).where(first.at_id)
        self._other_id = self._width + [column.name for column in other.columns].index("id")

    def get(self, connection: Connection, district_id: str, id: str) -> tuple[Value, Other | None]:
        """Both, the other None when there is none; NotFound when the district has no first of that id."""
        row = connection.execute(self._find, {"here": district_id, "this": id}).one_or_none()
        if row is None:
            raise self._first.missing()
        other = None if row[self._other_id] is None else self._other.read(row[self._width :])
        return self._first.read(row[: self._width]), other

    def get_both(self, connection: Connection, district_id: str, id: str) -> tuple[Value, Other]:
        """Both; NotFound when one is missing."""
        first, other = self.get(connection, district_id, id)
        if other is None:
            raise self._other.missing()
        return first, other
