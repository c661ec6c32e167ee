"""The tables of units, duties and members, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    String,
    Table,
    Text,
    func,
    select,
    type_coerce,
)

from anshang.foundation.actor import Scope
from anshang.foundation.columns import Codes, Named, UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Pair, Shelf
from anshang.journal.model import EVERYWHERE
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Duty, Member, Unit, UnitStatus, may_crew
from anshang.people import store as people

units_table = Table(
    "units",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("kind_id", String(40), nullable=False),
    Column("call_sign", String(40), nullable=False),
    Column("name_zh", String(80), nullable=False),
    Column("name_en", String(80), nullable=False),
    Column("post_id", String(64)),
    Column("body_id", String(36)),
    Column("status", Named(UnitStatus), nullable=False),
    Column("since_at", UtcTime, nullable=False),
    Column("duty_id", String(36)),
    Column("device_digest", String(64), index=True),
    Column("retired_at", UtcTime),
    Column("version", Integer, nullable=False),
)

duties_table = Table(
    "duties",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("unit_id", String(64), nullable=False, index=True),
    Column("crew", Codes, nullable=False),
    Column("began_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, index=True),
    Column("version", Integer, nullable=False),
)

members_table = Table(
    "members",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("insured_until", Date),
    Column("trained_until", Date),
    Column("adult", Boolean, nullable=False),
    Column("skills", Codes, nullable=False),
    Column("trusted", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
)

units = Shelf(units_table, Unit, missing=("There is no such unit.", "没有该力量单元。"))
duties = Shelf(duties_table, Duty, missing=("There is no such duty.", "没有该值勤。"))
members = Shelf(members_table, Member, missing=("Nothing is known of this member.", "没有该成员的资料。"))
with_duty = Pair(units, duties, duties_table.c.id == units_table.c.duty_id)
"""A unit and the duty that it is on."""


def list_units(connection: Connection, scope: Scope, district_id: str) -> list[Unit]:
    """The units in use that the scope may see, by id: all of them for the duty team, else one body's own."""
    table = units_table
    query = units.select().where(
        table.c.district_id == district_id,
        table.c.district_id.in_(scope.district_ids),
        table.c.retired_at.is_(None),
    )
    if scope.body_id is not None:
        query = query.where(table.c.body_id == scope.body_id)
    return [units.read(row) for row in connection.execute(query.order_by(table.c.id))]


def find_by_device(connection: Connection, district_id: str, digest: str) -> Unit | None:
    """The unit whose device proves itself with this key's digest, None when there is none."""
    at = (units_table.c.district_id == district_id) & (units_table.c.device_digest == digest)
    row = connection.execute(units.select().where(at, units_table.c.retired_at.is_(None))).first()
    return None if row is None else units.read(row)


def list_by_devices(
    connection: Connection, district_ids: Sequence[str], digests: Sequence[str]
) -> list[Unit]:
    """The units in these districts whose device proves itself with one of the digests, by district."""
    at = units_table.c.district_id.in_(district_ids) & units_table.c.device_digest.in_(digests)
    rows = connection.execute(units.select().where(at, units_table.c.retired_at.is_(None)))
    return sorted((units.read(row) for row in rows), key=lambda unit: unit.district_id)


def list_open_duties(connection: Connection, district_id: str) -> list[Duty]:
    """The duties that have not ended."""
    at = (duties_table.c.district_id == district_id) & duties_table.c.ended_at.is_(None)
    return [duties.read(row) for row in connection.execute(duties.select().where(at))]


def list_unentitled(connection: Connection, district_id: str) -> list[tuple[Duty, tuple[str, ...]]]:
    """The open duties with somebody in the crew who may not serve with that kind of unit any more, and who
    of the crew still may.
    """
    duties_now = list_open_duties(connection, district_id)
    kind_of = {unit.id: KINDS[unit.kind_id] for unit in list_on_duty(connection, district_id)}
    everybody = tuple({account for duty in duties_now for account in duty.crew})
    role_of = dict(zip(everybody, people.roles_in(connection, district_id, everybody), strict=True))
    found = []
    for duty in duties_now:
        kind = kind_of[duty.unit_id]
        staying = tuple(one for one in duty.crew if may_crew(kind, role_of[one], named=True))
        if staying != duty.crew:
            found.append((duty, staying))
    return found


def list_on_duty(connection: Connection, district_id: str) -> list[Unit]:
    """The units on duty, by id."""
    return _list(connection, district_id, units_table.c.duty_id.is_not(None))


def list_off_duty(connection: Connection, district_id: str) -> list[Unit]:
    """The units in use that somebody may begin duty with, by id."""
    return _list(
        connection, district_id, units_table.c.duty_id.is_(None) & units_table.c.retired_at.is_(None)
    )


def edition(connection: Connection, district_id: str) -> tuple[int, ...]:
    """What changes whenever a unit, its duty, a member or an account does: how many there are and the sum of
    their versions.
    """
    counted = []
    for table, owner in (
        (units_table, district_id),
        (members_table, district_id),
        (people.accounts_table, EVERYWHERE),
    ):
        mine = table.c.district_id == owner
        counted += [
            select(told).where(mine).scalar_subquery()
            for told in (func.count(), func.coalesce(func.sum(table.c.version), 0))
        ]
    return tuple(int(number) for number in connection.execute(select(*counted)).one())


def find_duty_of(connection: Connection, district_id: str, account_id: str) -> Duty | None:
    """The duty that somebody is on, None when on none."""
    at = (duties_table.c.district_id == district_id) & duties_table.c.ended_at.is_(None)
    row = connection.execute(duties.select().where(at, _with(account_id))).first()
    return None if row is None else duties.read(row)


def find_sign_of(connection: Connection, district_id: str, account_id: str) -> tuple[str, str] | None:
    """The unit that somebody is on duty with and its call sign, None when with none."""
    duty = find_duty_of(connection, district_id, account_id)
    return (
        None if duty is None else (duty.unit_id, units.get(connection, district_id, duty.unit_id).call_sign)
    )


def list_ended_duties_of(connection: Connection, district_id: str, account_id: str) -> list[Duty]:
    """The duties that somebody was on."""
    at = (duties_table.c.district_id == district_id) & duties_table.c.ended_at.is_not(None)
    return [duties.read(row) for row in connection.execute(duties.select().where(at, _with(account_id)))]


def list_all_members(connection: Connection, district_id: str) -> list[Member]:
    """Everybody of whom something is known."""
    query = members.select().where(members_table.c.district_id == district_id)
    return [members.read(row) for row in connection.execute(query.order_by(members_table.c.id))]


def list_members(connection: Connection, district_id: str, ids: tuple[str, ...]) -> list[Member | None]:
    """What is known of the members, in their order; None for one of whom nothing is."""
    at = (members_table.c.district_id == district_id) & members_table.c.id.in_(ids)
    known = {row.id: members.read(row) for row in connection.execute(members.select().where(at))}
    return [known.get(id) for id in ids]


def _with(account_id: str) -> ColumnElement[bool]:
    """Duties in whose crew the account is."""
    return type_coerce(duties_table.c.crew, Text).contains(account_id, autoescape=True)


def _list(connection: Connection, district_id: str, which: ColumnElement[bool]) -> list[Unit]:
    query = units.select().where(units_table.c.district_id == district_id, which)
    return [units.read(row) for row in connection.execute(query.order_by(units_table.c.id))]
