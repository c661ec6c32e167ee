"""Who is on duty in a demonstration: units at the place's posts with invented crews, and two that wait for
whoever tries the phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.patrols import actions as patrols
from anshang.patrols.model import Member, Unit, UnitStatus
from anshang.people import actions as people
from anshang.people import store as people_store
from anshang.people.actions import PasswordHash
from anshang.people.model import Account, Role, operator_actor
from anshang.places.model import Place, Position, PostType

KIND_OF = {
    PostType.KIOSK: ("officer_pair", "P", "民警", "Officers", 2),
    PostType.VOLUNTEER: ("volunteer", "V", "义警", "Volunteers", 2),
    PostType.RAPID: ("rapid", "K", "快警", "Rapid", 2),
    PostType.LOOKOUT: ("lookout", "L", "瞭望", "Look-out", 1),
    PostType.SAFE_HOUSE: ("safe_house", "S", "平安屋", "Safe house", 1),
}
"""Of each post: the kind of its units, the letter of their call signs, their name, how many."""
VOLUNTEERS = frozenset({"volunteer", "lookout", "safe_house"})
WITHOUT_POSTS = 12
VALID = timedelta(days=365)
LASTS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Crewed:
    """A unit of the demonstration, where it stands (degrees), and the session of its phone."""

    unit_id: str
    kind_id: str
    home: Position
    token: str
    csrf: str


def staff(database: Database, place: Place, password: PasswordHash) -> tuple[list[Crewed], Crewed]:
    """Put the units on duty; they, and the session of a desk that works by itself."""
    district_id = place.district.id
    units = _units(place)
    accounts = _accounts(database, district_id, [unit for unit, _ in units], password)
    desk = _open(database, district_id, "demo-desk", "演示调度 Demo desk", Role.DESK, password)
    operator = operator_actor(district_id)
    with database.transaction(district_id) as tx:
        for (unit, _), account in zip(units, accounts, strict=True):
            patrols.define_unit(tx, actor=operator, unit=unit)
            patrols.qualify(tx, actor=operator, member=_fit(account.id, district_id))
            crew = [account.id]
            patrols.begin_duty(tx, actor=operator, id=ids.new_id(), unit_id=unit.id, crew=crew)
        for spare in (_spare("x1", "officer_pair", place), _spare("x2", "volunteer", place)):
            patrols.define_unit(tx, actor=operator, unit=spare)
        for role in (Role.PATROL, Role.VOLUNTEER):
            known = people_store.find_account_by_name(tx.connection, str(role))
            if known is not None:
                patrols.qualify(tx, actor=operator, member=_fit(known.id, district_id))
    crewed = [
        _crewed(database, unit.id, unit.kind_id, home, account)
        for (unit, home), account in zip(units, accounts, strict=True)
    ]
    return crewed, _crewed(database, "", "", (0.0, 0.0), desk)


def _units(place: Place) -> list[tuple[Unit, Position]]:
    """The units at the place's posts; a place without posts has officers along its walkways."""
    found: list[tuple[Unit, Position]] = []
    numbers: dict[str, int] = {}
    posts = [(post.post_kind, post.id, post.point_lonlat) for post in place.posts]
    if not posts:
        every = max(1, len(place.walkways) // WITHOUT_POSTS)
        ways = place.walkways[::every][:WITHOUT_POSTS]
        posts = [(PostType.KIOSK, "", way.line_lonlat[0]) for way in ways]
    for post_kind, post_id, home in posts:
        kind_id, letter, zh, en, count = KIND_OF[post_kind]
        for _ in range(count if place.posts else 1):
            number = numbers[letter] = numbers.get(letter, 0) + 1
            sign = f"{letter}{number}"
            names = (f"{zh} {number}", f"{en} {number}")
            unit = _unit(place, sign.lower(), kind_id, sign, names, post_id or None)
            found.append((unit, home))
    return found


def _unit(
    place: Place, id: str, kind_id: str, sign: str, names: tuple[str, str], post_id: str | None
) -> Unit:
    return Unit(
        id=id,
        district_id=place.district.id,
        kind_id=kind_id,
        call_sign=sign,
        name_zh=names[0],
        name_en=names[1],
        post_id=post_id,
        body_id=None,
        status=UnitStatus.OFF_DUTY,
        since_at=clock.now(),
    )


def _spare(id: str, kind_id: str, place: Place) -> Unit:
    return _unit(place, id, kind_id, id.upper(), ("候补", "Spare"), None)


def _fit(account_id: str, district_id: str) -> Member:
    until: date = (clock.now() + VALID).date()
    return Member(account_id, district_id, until, until, True)


def _accounts(
    database: Database, district_id: str, units: Sequence[Unit], password: PasswordHash
) -> list[Account]:
    """An account for each crew; they share the demonstration's password, and so its digest."""
    return [
        _open(
            database,
            district_id,
            f"crew-{unit.id}",
            f"{unit.call_sign}",
            Role.VOLUNTEER if unit.kind_id in VOLUNTEERS else Role.PATROL,
            password,
        )
        for unit in units
    ]


def _open(
    database: Database, district_id: str, name: str, display_name: str, role: Role, password: PasswordHash
) -> Account:
    with database.transaction(EVERYWHERE) as tx:
        return people.open_account(
            tx,
            actor=operator_actor(district_id),
            id=ids.new_id(),
            name=name,
            display_name=display_name,
            role=role,
            body_id=None,
            district_ids=(district_id,),
            password=password,
        )


def _crewed(database: Database, unit_id: str, kind_id: str, home: Position, account: Account) -> Crewed:
    with database.transaction(EVERYWHERE) as tx:
        token, session = people.open_session(tx, account=account, lasts=LASTS)
    return Crewed(unit_id, kind_id, home, token, session.csrf_token)
