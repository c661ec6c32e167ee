"""What is done in volunteer teams: enter who asks to join, vet, take in, let go, certify hours."""

from __future__ import annotations

import base64
import json
import secrets
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import BadInput, NotFound, RuleBroken
from anshang.journal import actions as journal
from anshang.journal.model import EVERYWHERE
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.matters.model import MatterKind, Priority
from anshang.patrols import store as patrols
from anshang.people import store as people
from anshang.people.model import Role
from anshang.places import store as places
from anshang.vault import actions as vault
from anshang.vault.keys import Keyring
from anshang.vault.model import Purpose, RecordKind
from anshang.volunteers import store
from anshang.volunteers.model import (
    Certificate,
    Check,
    Stretch,
    Volunteer,
    VolunteerKind,
    digest_of,
    served_s,
)

SUBJECT_ENDING = "matter.volunteers_ending"
ENDING_DAYS = 14
ENDINGS = "6b1f0c52-6d0e-5f57-9a63-0f3f2f1f7c11"
"""Ids of what is said of ends are derived from this, so that each is said once."""
CODE_BYTES = 10


def enter(
    tx: Transaction,
    keyring: Keyring,
    *,
    actor: Actor,
    id: str,
    body_id: str | None,
    name: str,
    telephone: str,
) -> Volunteer:
    """Write down that somebody asks to join; who it is goes into the vault. The same id again answers with
    what is there.
    """
    actor.must(Permission.DESK_WORK, tx.district_id)
    known = store.volunteers.find_again(tx.connection, tx.district_id, id, body_id=body_id)
    if body_id is not None:
        people.bodies.get(tx.connection, EVERYWHERE, body_id)
    volunteer = known or Volunteer(id, tx.district_id, body_id, clock.now(), actor.id)
    if known is None:
        store.volunteers.add(tx, volunteer)
    vault.keep(
        tx,
        keyring,
        actor=actor,
        id=ids.derived(id, "who"),
        subject_id=id,
        kind=RecordKind.CONTACT,
        purpose=Purpose.VOLUNTEER,
        content=json.dumps({"name": name, "telephone": telephone}, ensure_ascii=False).encode(),
    )
    if known is None:
        _tell(tx, actor, VolunteerKind.APPLIED, id, {})
    return volunteer


def contact(tx: Transaction, keyring: Keyring, *, actor: Actor, id: str) -> dict[str, str]:
    """Who somebody is and how to reach them; that one has looked is journalled."""
    actor.must(Permission.PERSON_READ, tx.district_id)
    actor.must(Permission.DESK_WORK, tx.district_id)
    store.volunteers.get(tx.connection, tx.district_id, id)
    content = vault.read(tx, keyring, actor=actor, id=ids.derived(id, "who"), purpose=Purpose.VOLUNTEER)
    told: dict[str, str] = json.loads(content)
    return told


def vet(tx: Transaction, *, actor: Actor, id: str, checks: Collection[Check]) -> Volunteer:
    """Say that identity, record, talk and rules were gone through."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    volunteer = store.volunteers.get(tx.connection, tx.district_id, id)
    vetted = store.volunteers.put(tx, volunteer.vetted(checks, actor.id, clock.now()))
    _tell(tx, actor, VolunteerKind.VETTED, id, {"checks": len(set(checks))})
    return vetted


def accept(tx: Transaction, *, actor: Actor, id: str, account_id: str) -> Volunteer:
    """Take somebody in, with an account that was opened for them as a volunteer here."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    account = people.accounts.get(tx.connection, EVERYWHERE, account_id)
    if tx.district_id not in account.district_ids or account.role is not Role.VOLUNTEER:
        raise NotFound(
            "accounts.no_volunteer", en="There is no such volunteer's account.", zh="没有该志愿者账号。"
        )
    if store.find_member(tx.connection, tx.district_id, account_id) is not None:
        raise RuleBroken(
            "volunteer.account_taken", en="Another volunteer has this account.", zh="该账号已属于其他志愿者。"
        )
    volunteer = store.volunteers.get(tx.connection, tx.district_id, id)
    accepted = store.volunteers.put(tx, volunteer.accepted(account_id, actor.id))
    _tell(tx, actor, VolunteerKind.ACCEPTED, id, {"account": account_id})
    return accepted


def let_go(tx: Transaction, keyring: Keyring, *, actor: Actor, id: str) -> Volunteer:
    """Not taken in, or takes part no longer: what was kept of them is destroyed, hours stay."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    volunteer = store.volunteers.get(tx.connection, tx.district_id, id)
    ended = store.volunteers.put(tx, volunteer.ended(clock.now()))
    eraser = actor.lent(Permission.PERSON_ERASE)
    vault.erase(tx, keyring, actor=eraser, subject_ids=[id])
    kind = VolunteerKind.LEFT if ended.account_id else VolunteerKind.REFUSED
    _tell(tx, actor, kind, id, {})
    return ended


def stretches(connection: Connection, district_id: str, account_id: str) -> list[Stretch]:
    """When an account served: ended duties with a unit, and shifts whose hours somebody else confirmed."""
    duties = patrols.list_ended_duties_of(connection, district_id, account_id)
    mine = store.list_of_account(connection, district_id, account_id)
    served = [(one.came_at, one.went_at) for one in mine if one.confirmed_by is not None]
    served += [(duty.began_at, duty.ended_at) for duty in duties]
    return sorted((began, ended) for began, ended in served if began is not None and ended is not None)


def issue(tx: Transaction, *, actor: Actor, account_id: str, from_on: date, until_on: date) -> Certificate:
    """Certify the hours between two days of the district; a volunteer for themselves, supervisors for all."""
    if actor.id != account_id:
        actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    actor.must_either(Permission.UNIT_CONFIGURE, Permission.UNIT_DUTY, tx.district_id)
    if store.find_member(tx.connection, tx.district_id, account_id) is None:
        raise NotFound("volunteers.missing", en="There is no such volunteer.", zh="没有该志愿者。")
    begins, ends = _days(tx.connection, tx.district_id, from_on, until_on)
    known = stretches(tx.connection, tx.district_id, account_id)
    seconds = served_s(known, begins, ends)
    if seconds == 0.0:
        raise BadInput(
            "certificate.nothing", en="No hours lie between these days.", zh="该期间没有服务时长。"
        )
    code = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    name = people.accounts.get(tx.connection, EVERYWHERE, account_id).display_name
    certificate = Certificate(
        id=code,
        district_id=tx.district_id,
        account_id=account_id,
        from_on=from_on,
        until_on=until_on,
        served_s=seconds,
        times=sum(began < ends and ended > begins for began, ended in known),
        digest=digest_of(code, name),
        issued_at=clock.now(),
        issued_by=actor.id,
    )
    store.certificates.add(tx, certificate)
    _tell(tx, actor, VolunteerKind.ISSUED, account_id, {"served_s": round(seconds)})
    return certificate


def revoke(tx: Transaction, *, actor: Actor, code: str) -> Certificate:
    """A certificate holds no longer; revoking it again changes nothing."""
    actor.must(Permission.UNIT_CONFIGURE, tx.district_id)
    known = store.certificates.get(tx.connection, tx.district_id, code)
    if known.revoked_at is not None:
        return known
    revoked = store.certificates.put(tx, replace(known, revoked_at=clock.now()))
    _tell(tx, actor, VolunteerKind.REVOKED, known.account_id, {})
    return revoked


def remind_of_ends(database: Database, district_id: str, *, actor: Actor) -> int:
    """Say in the queue, two weeks before, on which day insurance or training of members ends: once for each
    day; for how many days that was done now.
    """
    with database.reading([district_id]) as connection:
        today = places.get_district(connection, district_id).local(clock.now()).date()
        last = today + timedelta(days=ENDING_DAYS)
        ending = Counter(
            end
            for member in patrols.list_all_members(connection, district_id)
            for end in {member.insured_until, member.trained_until}
            if end is not None and today <= end <= last
        )
        told = {end: ids.derived(ENDINGS, f"{district_id} {end}") for end in ending}
        news = [
            end for end, id in told.items() if matters_store.matters.find(connection, district_id, id) is None
        ]
    for end in sorted(news):
        with database.transaction(district_id) as tx:
            matters.open_matter(
                tx,
                actor=actor,
                id=told[end],
                kind=MatterKind.REQUEST,
                priority=Priority.P4,
                subject=SUBJECT_ENDING,
                params={"count": ending[end], "on": end.isoformat()},
            )
    return len(news)


def _days(
    connection: Connection, district_id: str, from_on: date, until_on: date
) -> tuple[datetime, datetime]:
    """The instants at which the days begin and end in the district; BadInput for days the wrong way round."""
    if not from_on <= until_on:
        raise BadInput(
            "certificate.days", en="The last day is before the first.", zh="结束日期早于开始日期。"
        )
    zone = places.get_district(connection, district_id).local(clock.now()).tzinfo
    after = until_on + timedelta(days=1)
    return datetime.combine(from_on, time(), zone), datetime.combine(after, time(), zone)


def _tell(tx: Transaction, actor: Actor, kind: VolunteerKind, id: str, details: dict[str, Any]) -> None:
    journal.record(tx, actor_id=actor.id, kind=kind, subject_id=id, details=details)
