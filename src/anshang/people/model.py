"""Who may do what, where: roles and their permissions, the actor of a call, accounts, bodies, sessions,
feed keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from anshang.foundation.actor import Actor, Permission
from anshang.foundation.errors import BadInput
from anshang.journal.model import EVERYWHERE

PASSWORD_LENGTH_MIN = 10
NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{1,39}"


class Role(StrEnum):
    """What somebody is here for. `FEED` and `ENGINE` are machines, `VISITOR` is anybody: none signs in."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    DESK = "desk"
    PATROL = "patrol"
    VOLUNTEER = "volunteer"
    PARTNER = "partner"
    MEDIATOR = "mediator"
    WALL = "wall"
    FEED = "feed"
    ENGINE = "engine"
    VISITOR = "visitor"


MACHINES = frozenset({Role.FEED, Role.ENGINE, Role.VISITOR})
_P = Permission
_SEES = frozenset({_P.PLACE_READ, _P.CROWD_READ})
_WATCHES = _SEES | {_P.MATTER_COUNT, _P.LIVE_READ}
_DESK = _WATCHES | {
    _P.CROWD_MEASURE,
    _P.CROWD_CONFIRM,
    _P.MATTER_READ,
    _P.MATTER_ACT,
    _P.INCIDENT_REPORT,
    _P.INCIDENT_ACT,
    _P.UNIT_READ,
    _P.UNIT_DIRECT,
    _P.CHECK_READ,
    _P.PERSON_KEEP,
    _P.PERSON_READ,
    _P.PERSON_ERASE,
    _P.PARTNER_READ,
    _P.NOTICE_SEND,
    _P.LOOKOUT_OPEN,
    _P.LOOKOUT_LEAD,
    _P.DESK_WORK,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: _WATCHES
    | {
        _P.PLACE_EDIT,
        _P.CROWD_CONFIGURE,
        _P.INCIDENT_CONFIGURE,
        _P.UNIT_READ,
        _P.UNIT_CONFIGURE,
        _P.MATTER_READ,
        _P.JOURNAL_READ,
        _P.PEOPLE_MANAGE,
        _P.CHECK_READ,
        _P.PARTNER_READ,
        _P.PARTNER_CONFIGURE,
    },
    Role.SUPERVISOR: _DESK
    | {
        _P.JOURNAL_READ,
        _P.CROWD_CONFIGURE,
        _P.INCIDENT_CONFIGURE,
        _P.UNIT_CONFIGURE,
        _P.PARTNER_CONFIGURE,
        _P.DRILL_LEAD,
    },
    Role.DESK: _DESK,
    Role.PATROL: _WATCHES
    | {
        _P.CROWD_MEASURE,
        _P.MATTER_READ,
        _P.INCIDENT_REPORT,
        _P.UNIT_READ,
        _P.UNIT_DUTY,
        _P.PERSON_KEEP,
        _P.PERSON_READ,
        _P.PARTNER_READ,
        _P.LOOKOUT_OPEN,
    },
    Role.VOLUNTEER: _SEES | {_P.INCIDENT_REPORT, _P.UNIT_DUTY, _P.PERSON_KEEP},
    Role.PARTNER: _SEES
    | {_P.MATTER_READ, _P.TRANSFER_ANSWER, _P.INCIDENT_REPORT, _P.PERSON_KEEP, _P.SHOP_USE},
    Role.MEDIATOR: _SEES | {_P.LIVE_READ, _P.MATTER_READ, _P.TRANSFER_ANSWER},
    Role.WALL: _WATCHES,
    Role.FEED: frozenset({_P.CROWD_INGEST}),
    Role.VISITOR: frozenset({_P.INCIDENT_REPORT}),
    Role.ENGINE: frozenset(
        {
            _P.CROWD_MEASURE,
            _P.CROWD_CONFIGURE,
            _P.MATTER_ACT,
            _P.MATTER_READ,
            _P.INCIDENT_ACT,
            _P.UNIT_READ,
            _P.UNIT_DIRECT,
            _P.PERSON_KEEP,
            _P.PERSON_ERASE,
            _P.NOTICE_SEND,
            _P.LOOKOUT_LEAD,
        }
    ),
}

SEES_EVERY_BODY = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.DESK, Role.PATROL, Role.WALL, Role.ENGINE})
"""Roles of the district's own duty team; all others see only the matters of their own body."""


class PeopleKind(StrEnum):
    """What can happen to accounts, bodies and keys."""

    ACCOUNT_OPENED = "account.opened"
    ACCOUNT_CHANGED = "account.changed"
    DISTRICT_LENT = "account.lent"
    DISTRICT_TAKEN_BACK = "account.taken_back"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    SESSION_OPENED = "session.opened"
    SESSION_CLOSED = "session.closed"
    SESSION_REFUSED = "session.refused"
    BODY_REGISTERED = "body.registered"
    FEED_OPENED = "feed.opened"
    FEED_CLOSED = "feed.closed"


def actor_of(id: str, name: str, role: Role, body_id: str | None, district_ids: tuple[str, ...]) -> Actor:
    """The actor with everything its role may do."""
    return Actor(
        id=id,
        name=name,
        role=str(role),
        body_id=body_id,
        district_ids=district_ids,
        permissions=PERMISSIONS[role],
        sees_every_body=role in SEES_EVERY_BODY,
    )


def engine_actor(district_id: str) -> Actor:
    """The actor of what the district's engine does by itself."""
    return actor_of("engine", "engine", Role.ENGINE, None, (district_id,))


def visitor_actor(district_id: str) -> Actor:
    """The actor of a call for help from the public page: anybody, and nobody in particular."""
    return actor_of("visitor", "visitor", Role.VISITOR, None, (district_id,))


def operator_actor(*district_ids: str) -> Actor:
    """The actor of who works at the machine itself, through the command line."""
    everything = PERMISSIONS[Role.ADMIN] | PERMISSIONS[Role.SUPERVISOR]
    return replace(actor_of("operator", "operator", Role.ADMIN, None, district_ids), permissions=everything)


@dataclass(frozen=True, slots=True)
class Body:
    """An organisation whose people take part: police station, property company, merchant, volunteer team…"""

    id: str
    name_zh: str
    name_en: str
    district_id: str = EVERYWHERE
    version: int = 1


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in. Accounts belong to the installation; `district_ids` are those they may
    see.
    """

    id: str
    name: str
    display_name: str
    role: Role
    body_id: str | None
    district_ids: tuple[str, ...]
    language: str
    active: bool
    password_hash: str
    opened_at: datetime
    district_id: str = EVERYWHERE
    version: int = 1

    def as_actor(self) -> Actor:
        """The actor this account acts as."""
        return actor_of(self.id, self.name, self.role, self.body_id, self.district_ids)


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that lasts until `expires_at`; only the digest of its token is kept."""

    token_digest: str
    account_id: str
    csrf_token: str
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """A source of observations that proves itself with a key; only the key's digest is kept."""

    id: str
    district_id: str
    name: str
    key_digest: str
    opened_at: datetime
    closed_at: datetime | None = None
    version: int = 1

    def as_actor(self) -> Actor:
        """The actor this feed acts as."""
        return actor_of(self.id, self.name, Role.FEED, None, (self.district_id,))


def check_name(name: str) -> None:
    """BadInput unless `name` can be signed in with."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise BadInput(
            "account.bad_name",
            en="A sign-in name has 2 to 40 small letters, digits, dots, dashes or underscores.",
            zh="登录名须为 2 至 40 个小写字母、数字、点、短横或下划线。",
        )


def check_password(password: str, name: str) -> None:
    """BadInput unless the password is long enough and not the name."""
    if len(password) < PASSWORD_LENGTH_MIN or name in password.lower():
        raise BadInput(
            "account.weak_password",
            en=f"A password has at least {PASSWORD_LENGTH_MIN} characters and not the name in it.",
            zh=f"密码至少 {PASSWORD_LENGTH_MIN} 个字符，且不得包含登录名。",
        )
    if len(password) > 200:
        raise BadInput(
            "account.long_password", en="A password has at most 200 characters.", zh="密码最多 200 个字符。"
        )


def check_role(role: Role, district_ids: tuple[str, ...], body_id: str | None) -> None:
    """BadInput unless a person can have the role with these districts and this body."""
    if role in MACHINES:
        raise BadInput(
            "account.machine_role", en=f"No person has the role {role}.", zh=f"人员账号不能使用角色 {role}。"
        )
    if not district_ids:
        raise BadInput("account.no_district", en="Name at least one district.", zh="请至少指定一个商圈。")
    if role is Role.PARTNER and body_id is None:
        raise BadInput(
            "account.no_body", en="A partner belongs to a body.", zh="合作单位账号必须属于某个单位。"
        )
