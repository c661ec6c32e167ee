"""What a demonstration has planned: the countdown, a council, a volunteer and shifts to fill."""

from __future__ import annotations

from datetime import time, timedelta

from anshang.crowds import planned_actions as planned
from anshang.demonstration.programme import Programme
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.partners import council_actions as council
from anshang.people import store as people
from anshang.people.model import Role, operator_actor
from anshang.vault.keys import Keyring
from anshang.volunteers import actions as volunteers
from anshang.volunteers import shift_actions as shifts
from anshang.volunteers.model import Check, TeamShift, Work

COUNTDOWN = "跨年倒计时 · New Year's countdown"
EXPECTED = 20_000
MEETING = ("春节前安全议事会 · Council before the Spring Festival", "警务室 Kiosk")
AGENDA = (
    "消防车通道 · Fire lanes",
    "门前堆物 · Goods before the doors",
    "应急照明检修 · Emergency lights",
)
CALLED = (
    (Work.CROWD, "地铁口 · Metro entrance", time(18), timedelta(hours=4), 4),
    (Work.INFORMATION, "警务室 · Kiosk", time(13), timedelta(hours=5), 2),
)


def plan(database: Database, keyring: Keyring, programme: Programme) -> None:
    """Enter the countdown, call the meeting, take the volunteer in and call shifts for the next day."""
    place = programme.scene.place
    district_id = place.district.id
    operator = operator_actor(district_id)
    largest = max(place.zones.values(), key=lambda zone: zone.usable_m2)
    with database.transaction(district_id) as tx:
        planned.enter(
            tx, actor=operator, id=ids.new_id(), name=COUNTDOWN, zone_id=largest.id, expected_count=EXPECTED,
            start_at=programme.instant_of(time(22)), end_at=programme.instant_of(time(0, 30)),
        )  # fmt: skip
        title, where = MEETING
        week = programme.instant_of(time(19, 30)) + timedelta(days=7)
        council.convene(
            tx, actor=operator, id=ids.new_id(), title=title, starts_at=week, place=where, agenda=AGENDA
        )
        for work, where, starts, lasts, wanted in CALLED:
            starts_at = programme.instant_of(starts) + timedelta(days=1)
            shift = TeamShift(ids.new_id(), district_id, work, where, starts_at, starts_at + lasts, wanted)
            shifts.call_shift(tx, actor=operator, shift=shift)
    _take_in(database, keyring, district_id)


def _take_in(database: Database, keyring: Keyring, district_id: str) -> None:
    """The volunteer's account belongs to a member: looked at by one, taken in by another."""
    with database.reading([EVERYWHERE]) as connection:
        by_role = {one.role: one for one in people.list_accounts(connection) if one.name == str(one.role)}
    if not {Role.VOLUNTEER, Role.SUPERVISOR} <= set(by_role):
        return
    supervisor, id = by_role[Role.SUPERVISOR].as_actor(), ids.new_id()
    name = "演示义警 Demo volunteer"
    with database.transaction(district_id) as tx:
        volunteers.enter(tx, keyring, actor=supervisor, id=id, body_id=None, name=name, telephone="000")
        volunteers.vet(tx, actor=supervisor, id=id, checks=set(Check))
        accepts = operator_actor(district_id)
        volunteers.accept(tx, actor=accepts, id=id, account_id=by_role[Role.VOLUNTEER].id)
