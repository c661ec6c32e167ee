"""Keeps frozen dataclasses in tables, with optimistic versions: what an ORM would be, without its magic."""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import Connection, Row, Select, Table, bindparam, insert, select, update
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


class Shelf(Generic[Value]):
    """Keeps frozen dataclasses in a table whose columns bear the names of their fields.

    A value has `id`, `district_id` and `version`; `put` succeeds only when nobody changed it in between.
    """

    def __init__(self, table: Table, kind: type[Value], *, missing: tuple[str, str]) -> None:
        self.table = table
        self.kind = kind
        self._missing_en, self._missing_zh = missing
        self._names = [field.name for field in dataclasses.fields(cast(Any, kind))]
        self._columns = [table.c[name] for name in self._names]
        here = (table.c.district_id == bindparam("here")) & (table.c.id == bindparam("this"))
        # made once: to build a statement takes longer than to run it
        self._find = self.select().where(here)
        self._insert = insert(table)
        self._update = update(table).where(here & (table.c.version == bindparam("known")))

    def select(self) -> Select[Any]:
        """A query for the columns of the value, to be narrowed by the caller."""
        return select(*self._columns)

    def read(self, row: Row[Any]) -> Value:
        """The value of a row of `select()`."""
        return self.kind(**row._mapping)

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
            raise NotFound(f"{self.table.name}.missing", en=self._missing_en, zh=self._missing_zh)
        return value

    def add(self, tx: Transaction, value: Value) -> None:
        """Keep a new value; RuleBroken when its id, or what else must be unique, is in use somewhere."""
        try:
            tx.connection.execute(self._insert, self._fields(value))
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
