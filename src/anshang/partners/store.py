"""The tables of partners, notices, deliveries and duty checks, and what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    or_,
    select,
    update,
)

from anshang.foundation import clock
from anshang.foundation.actor import Scope
from anshang.foundation.columns import Codes, Named, UtcTime
from anshang.foundation.database import Transaction, metadata
from anshang.foundation.shelf import Shelf
from anshang.partners.model import Answer, Delivery, DutyCheck, Notice, NoticeKind, Partner, Side

partners_table = Table(
    "partners",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("body_id", String(36), nullable=False, index=True),
    Column("name_zh", String(80), nullable=False),
    Column("name_en", String(80), nullable=False),
    Column("side", Named(Side), nullable=False),
    Column("premises_id", String(64)),
    Column("group_id", String(64), nullable=False),
    Column("opens", String(5), nullable=False),
    Column("closes", String(5), nullable=False),
    Column("languages", Codes, nullable=False),
    Column("sees", Codes, nullable=False),
    Column("retired_at", UtcTime),
    Column("version", Integer, nullable=False),
)

notices_table = Table(
    "notices",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("kind", Named(NoticeKind), nullable=False),
    Column("subject_id", String(36), index=True),
    Column("words_zh", Text, nullable=False),
    Column("words_en", Text, nullable=False),
    Column("record_id", String(36)),
    Column("photo_id", String(36)),
    Column("asks", Boolean, nullable=False),
    Column("sent_at", UtcTime, nullable=False),
    Column("sent_by", String(64), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("withdrawn_at", UtcTime),
    Column("withdrawn_by", String(64)),
    Column("drill", Boolean, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_notices_district_id_expires_at", "district_id", "expires_at"),
)

deliveries_table = Table(
    "notice_deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("notice_id", String(36), nullable=False, index=True),
    Column("partner_id", String(64), nullable=False),
    Column("sent_at", UtcTime, nullable=False),
    Column("opened_at", UtcTime),
    Column("reminded_at", UtcTime),
    Column("answer", Named(Answer)),
    Column("looked", Codes, nullable=False),
    Column("answered_at", UtcTime),
    Column("answered_by", String(64)),
    Column("version", Integer, nullable=False),
    Index("ix_notice_deliveries_district_id_partner_id", "district_id", "partner_id", "sent_at"),
)

checks_table = Table(
    "duty_checks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("district_id", String(64), nullable=False),
    Column("partner_id", String(64), nullable=False),
    Column("list_id", String(40), nullable=False),
    Column("period_on", Date, nullable=False),
    Column("not_in_order", Codes, nullable=False),
    Column("spot", Boolean, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("district_id", "partner_id", "list_id", "period_on", "spot", "made_by"),
)

partners = Shelf(partners_table, Partner, missing=("There is no such partner.", "没有该合作单位。"))
notices = Shelf(notices_table, Notice, missing=("There is no such notice.", "没有该通知。"))
deliveries = Shelf(deliveries_table, Delivery, missing=("This was not sent to you.", "该通知未发送给您。"))
checks = Shelf(checks_table, DutyCheck, missing=("There is no such check.", "没有该自查记录。"))


def list_partners(connection: Connection, scope: Scope, district_id: str) -> list[Partner]:
    """The partners in use that the scope may see, by id."""
    query = partners.select().where(
        partners_table.c.district_id == district_id,
        partners_table.c.district_id.in_(scope.district_ids),
        partners_table.c.retired_at.is_(None),
    )
    if scope.body_id is not None:
        query = query.where(partners_table.c.body_id == scope.body_id)
    return [partners.read(row) for row in connection.execute(query.order_by(partners_table.c.id))]


def bodies_of(connection: Connection, district_id: str) -> dict[str, str]:
    """The body of every partner in use."""
    query = select(partners_table.c.id, partners_table.c.body_id).where(
        partners_table.c.district_id == district_id, partners_table.c.retired_at.is_(None)
    )
    return {row.id: row.body_id for row in connection.execute(query)}


def list_open_notices(connection: Connection, district_id: str) -> list[Notice]:
    """The notices that are shown now, newest first."""
    query = notices.select().where(
        notices_table.c.district_id == district_id,
        notices_table.c.expires_at > clock.now(),
        notices_table.c.withdrawn_at.is_(None),
    )
    return [notices.read(row) for row in connection.execute(query.order_by(notices_table.c.sent_at.desc()))]


def list_recent_notices(connection: Connection, district_id: str, since: datetime) -> list[Notice]:
    """The notices sent since the instant, newest first."""
    query = notices.select().where(
        notices_table.c.district_id == district_id, notices_table.c.sent_at >= since
    )
    return [notices.read(row) for row in connection.execute(query.order_by(notices_table.c.sent_at.desc()))]


def list_deliveries(connection: Connection, district_id: str, notice_ids: Sequence[str]) -> list[Delivery]:
    """What became of the notices, in the order in which they were sent."""
    query = deliveries.select().where(
        deliveries_table.c.district_id == district_id, deliveries_table.c.notice_id.in_(notice_ids)
    )
    order = (deliveries_table.c.sent_at, deliveries_table.c.partner_id)
    return [deliveries.read(row) for row in connection.execute(query.order_by(*order))]


def list_to_partners(
    connection: Connection, district_id: str, partner_ids: Sequence[str]
) -> list[tuple[Notice, Delivery]]:
    """The notices that are shown now to these partners, with what became of them, newest first."""
    query = (
        select(*notices.select().selected_columns, *(c.label(f"d_{c.name}") for c in deliveries_table.c))
        .join(deliveries_table, deliveries_table.c.notice_id == notices_table.c.id)
        .where(
            deliveries_table.c.district_id == district_id,
            deliveries_table.c.partner_id.in_(partner_ids),
            notices_table.c.expires_at > clock.now(),
            notices_table.c.withdrawn_at.is_(None),
        )
        .order_by(notices_table.c.sent_at.desc())
    )
    names = [c.name for c in deliveries_table.c]
    return [
        (
            Notice(**{c.name: row._mapping[c.name] for c in notices_table.c}),
            Delivery(**{name: row._mapping[f"d_{name}"] for name in names}),
        )
        for row in connection.execute(query)
    ]


def add_deliveries(tx: Transaction, made: Sequence[Delivery]) -> None:
    """Keep new deliveries, all at once."""
    if made:
        rows = [{c.name: getattr(one, c.name) for c in deliveries_table.c} for one in made]
        tx.connection.execute(insert(deliveries_table), rows)


def mark_opened(connection: Connection, district_id: str, delivery_ids: Sequence[str], at: datetime) -> None:
    """The deliveries were shown to somebody at the partner, if they had not been."""
    connection.execute(
        update(deliveries_table)
        .where(
            deliveries_table.c.district_id == district_id,
            deliveries_table.c.id.in_(delivery_ids),
            deliveries_table.c.opened_at.is_(None),
        )
        .values(opened_at=at)
    )


def mark_reminded(tx: Transaction, delivery_ids: Sequence[str], at: datetime) -> None:
    """The partners were asked again."""
    mine = (deliveries_table.c.district_id == tx.district_id) & deliveries_table.c.id.in_(delivery_ids)
    tx.connection.execute(update(deliveries_table).where(mine).values(reminded_at=at))


def list_checks(connection: Connection, district_id: str, since: date) -> list[DutyCheck]:
    """The duty checks of periods since the day, newest first."""
    query = checks.select().where(
        checks_table.c.district_id == district_id, checks_table.c.period_on >= since
    )
    return [checks.read(row) for row in connection.execute(query.order_by(checks_table.c.made_at.desc()))]


def find_check(connection: Connection, district_id: str, check: DutyCheck) -> DutyCheck | None:
    """The same person's check of the same list in the same period, None when there is none."""
    t = checks_table.c
    query = checks.select().where(
        t.district_id == district_id,
        t.partner_id == check.partner_id,
        t.list_id == check.list_id,
        t.period_on == check.period_on,
        t.spot == check.spot,
        or_(t.made_by == check.made_by, t.id == check.id),
    )
    row = connection.execute(query).first()
    return None if row is None else checks.read(row)


def list_about(connection: Connection, district_id: str, subject_id: str) -> list[Notice]:
    """Every notice about the subject, oldest first."""
    query = notices.select().where(
        notices_table.c.district_id == district_id, notices_table.c.subject_id == subject_id
    )
    return [notices.read(row) for row in connection.execute(query.order_by(notices_table.c.sent_at))]


def names_of(connection: Connection, district_id: str, partner_ids: Sequence[str]) -> dict[str, str]:
    """What the partners, retired ones too, are called in Chinese."""
    t = partners_table.c
    query = select(t.id, t.name_zh).where(t.district_id == district_id, t.id.in_(partner_ids))
    return {row.id: row.name_zh for row in connection.execute(query)}
