"""The tables of volunteers, shifts, sign-ups and certificates, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Boolean, Column, ColumnElement, Connection, Date, Float, String, Table
from sqlalchemy import Integer as Whole

from anshang.foundation.columns import Named, UtcTime
from anshang.foundation.database import metadata
from anshang.foundation.shelf import Shelf
from anshang.patrols.model import Skill
from anshang.volunteers.model import (
    Certificate,
    SignUp,
    TeamShift,
    Volunteer,
    VolunteerState,
    Work,
)

volunteers_table = Table(
    "volunteers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("body_id", String(36)),
    Column("applied_at", UtcTime, nullable=False),
    Column("entered_by", String(36), nullable=False),
    Column("state", Named(VolunteerState), nullable=False),
    Column("vetted_by", String(36)),
    Column("vetted_at", UtcTime),
    Column("account_id", String(36)),
    Column("accepted_by", String(36)),
    Column("ended_at", UtcTime),
    Column("version", Whole, nullable=False),
)

shifts_table = Table(
    "team_shifts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("work", Named(Work), nullable=False),
    Column("place", String(120), nullable=False),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("wanted", Whole, nullable=False),
    Column("post_id", String(64)),
    Column("skill", Named(Skill)),
    Column("cancelled_at", UtcTime),
    Column("version", Whole, nullable=False),
)

sign_ups_table = Table(
    "sign_ups",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("shift_id", String(36), nullable=False, index=True),
    Column("account_id", String(36), nullable=False, index=True),
    Column("signed_at", UtcTime, nullable=False),
    Column("offered", Boolean, nullable=False),
    Column("withdrawn_at", UtcTime),
    Column("came_at", UtcTime),
    Column("went_at", UtcTime),
    Column("confirmed_by", String(36)),
    Column("version", Whole, nullable=False),
)

certificates_table = Table(
    "certificates",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False, index=True),
    Column("account_id", String(36), nullable=False),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date, nullable=False),
    Column("served_s", Float, nullable=False),
    Column("times", Whole, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("issued_at", UtcTime, nullable=False),
    Column("issued_by", String(36), nullable=False),
    Column("revoked_at", UtcTime),
    Column("version", Whole, nullable=False),
)

volunteers = Shelf(volunteers_table, Volunteer, missing=("There is no such volunteer.", "没有该志愿者。"))
shifts = Shelf(shifts_table, TeamShift, missing=("There is no such shift.", "没有该班次。"))
sign_ups = Shelf(sign_ups_table, SignUp, missing=("Nobody has signed up so.", "没有该报名。"))
certificates = Shelf(
    certificates_table, Certificate, missing=("There is no such certificate.", "没有该证明。")
)


def list_volunteers(connection: Connection, district_id: str) -> list[Volunteer]:
    """Everybody who asked to join, the latest first."""
    query = volunteers.select().where(volunteers_table.c.district_id == district_id)
    rows = connection.execute(query.order_by(volunteers_table.c.applied_at.desc(), volunteers_table.c.id))
    return [volunteers.read(row) for row in rows]


def find_member(connection: Connection, district_id: str, account_id: str) -> Volunteer | None:
    """The volunteer who takes part with this account, None when none does."""
    query = volunteers.select().where(
        volunteers_table.c.district_id == district_id,
        volunteers_table.c.account_id == account_id,
        volunteers_table.c.state == VolunteerState.MEMBER,
    )
    row = connection.execute(query).first()
    return None if row is None else volunteers.read(row)


def list_shifts(connection: Connection, district_id: str, since: datetime) -> list[TeamShift]:
    """The shifts that end after the instant, the first to begin before the others."""
    query = shifts.select().where(shifts_table.c.district_id == district_id, shifts_table.c.ends_at > since)
    rows = connection.execute(query.order_by(shifts_table.c.starts_at, shifts_table.c.id))
    return [shifts.read(row) for row in rows]


def list_sign_ups(connection: Connection, district_id: str, shift_ids: Sequence[str]) -> list[SignUp]:
    """Who has signed up for the shifts and has not withdrawn, in the order in which they did."""
    return _list_sign_ups(connection, district_id, sign_ups_table.c.shift_id.in_(shift_ids))


def list_of_account(connection: Connection, district_id: str, account_id: str) -> list[SignUp]:
    """Everything that an account has signed up for and not withdrawn from."""
    return _list_sign_ups(connection, district_id, sign_ups_table.c.account_id == account_id)


def list_certificates(connection: Connection, district_id: str, account_id: str | None) -> list[Certificate]:
    """The certificates of an account, or of everybody, the latest first."""
    query = certificates.select().where(certificates_table.c.district_id == district_id)
    if account_id is not None:
        query = query.where(certificates_table.c.account_id == account_id)
    rows = connection.execute(query.order_by(certificates_table.c.issued_at.desc()))
    return [certificates.read(row) for row in rows]


def _list_sign_ups(connection: Connection, district_id: str, which: ColumnElement[bool]) -> list[SignUp]:
    query = sign_ups.select().where(
        sign_ups_table.c.district_id == district_id, sign_ups_table.c.withdrawn_at.is_(None), which
    )
    rows = connection.execute(query.order_by(sign_ups_table.c.signed_at, sign_ups_table.c.id))
    return [sign_ups.read(row) for row in rows]
