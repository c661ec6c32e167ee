"""Signing in and out, and the accounts, bodies and feeds of the installation over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, StringConstraints

from anshang.foundation.actor import Actor, Permission
from anshang.foundation.errors import NotAllowed, NotSignedIn, TooOften
from anshang.journal.model import EVERYWHERE
from anshang.people import actions, store
from anshang.people.model import NAME_PATTERN, PERMISSIONS, Account, Role
from anshang.people.passwords import AT_A_TIME
from anshang.web.session import COOKIE, Caller, DistrictQuery, Running, Runtime
from anshang.web.shapes import Body, Code, Id, KeptName, LongName, Name, Shown

router = APIRouter(tags=["people"])
SIGN_INS = CapacityLimiter(AT_A_TIME)
WAITING_MAX = 16
"""About two seconds' worth."""
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PersonRole = Literal["admin", "supervisor", "desk", "patrol", "volunteer", "partner", "mediator", "wall"]


class AccountShown(Shown):
    """An account without its secrets."""

    id: str
    name: str
    display_name: str
    role: str
    body_id: str | None
    language: str
    district_ids: list[str]
    active: bool
    opened_at: datetime
    version: int


class SessionShown(Shown):
    """Who is signed in, what they may do, and the token their writes must carry."""

    account: AccountShown
    permissions: list[str]
    csrf_token: str


class SignIn(Body):
    """A try to sign in."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    password: Password


class LanguageChoice(Body):
    """The language somebody works in."""

    language: Literal["zh", "en"]


class NewAccount(Body):
    """An account to open."""

    id: Id
    name: Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$")]
    display_name: Name
    role: PersonRole
    body_id: Id | None = None
    district_ids: Annotated[list[Code], Field(min_length=1, max_length=50)]
    password: Password
    language: Literal["zh", "en"] = "zh"


class AccountChange(Body):
    """What somebody is here for from now on."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    display_name: KeptName
    role: PersonRole
    body_id: Id | None
    district_ids: Annotated[list[Code], Field(min_length=1, max_length=50)]
    active: bool


class NewPassword(Body):
    """A new password; `current` is the present one, which whoever changes their own must know."""

    password: Password
    current: Password | None = None


class NewBody(Body):
    """An organisation to register."""

    id: Id
    name_zh: LongName
    name_en: LongName


class BodyShown(Shown):
    """An organisation."""

    id: str
    name_zh: str
    name_en: str


class NewFeed(Body):
    """A source of observations to open."""

    id: Id
    name: Name


class FeedShown(Shown):
    """A source of observations; `key` only in the answer that opens it."""

    id: str
    name: str
    opened_at: datetime
    closed_at: datetime | None
    key: str | None = None


async def _recognised(body: SignIn, request: Request, running: Running) -> Account:
    """Whose name and password these are. Those that wait for their turn hold no thread, and few may wait."""
    _refuse_foreign_page(request)
    address = request.client.host if request.client else "-"
    running.doorkeeper.admit_try(body.name, address)
    if SIGN_INS.statistics().tasks_waiting >= WAITING_MAX:
        raise TooOften(
            "session.busy",
            en="Many people are signing in; try again in a few seconds.",
            zh="登录人数较多，请几秒后再试。",
            details={"retry_after_s": 3},
        )
    account = await to_thread.run_sync(_recognise, running, body, limiter=SIGN_INS)
    running.doorkeeper.note_entry(body.name, address)
    return account


def _recognise(running: Runtime, body: SignIn) -> Account:
    try:
        with running.database.reading([EVERYWHERE]) as connection:
            return actions.recognise(connection, name=body.name, password=body.password)
    except NotSignedIn:
        with running.database.transaction(EVERYWHERE) as tx:
            actions.note_refused_sign_in(tx, name=body.name)
        raise


@router.post("/api/session")
def sign_in(
    account: Annotated[Account, Depends(_recognised)], response: Response, running: Running
) -> SessionShown:
    """Sign in; throttled by name and address."""
    return enter(running, account, response)


@router.get("/api/session")
def session(caller: Caller) -> SessionShown:
    """Who is signed in."""
    _must_be_person(caller.actor)
    with caller.runtime.database.reading([EVERYWHERE]) as connection:
        account = store.accounts.get(connection, EVERYWHERE, caller.actor.id)
    return _shown_session(account, caller.csrf_token)


@router.delete("/api/session", status_code=204)
def sign_out(caller: Caller, response: Response) -> None:
    """End this session."""
    _must_be_person(caller.actor)
    with caller.runtime.database.transaction(EVERYWHERE) as tx:
        actions.sign_out(tx, actor=caller.actor, token=caller.session_token)
    response.delete_cookie(COOKIE)


@router.patch("/api/session/language")
def choose_language(body: LanguageChoice, caller: Caller) -> AccountShown:
    """Remember the language of the person signed in."""
    _must_be_person(caller.actor)
    with caller.runtime.database.transaction(EVERYWHERE) as tx:
        return AccountShown.model_validate(
            actions.change_language(tx, actor=caller.actor, language=body.language)
        )


@router.get("/api/people")
def people(caller: Caller) -> list[AccountShown]:
    """The accounts that share a district with the caller."""
    caller.actor.must(Permission.PEOPLE_MANAGE, _any_district(caller.actor))
    with caller.runtime.database.reading([EVERYWHERE]) as connection:
        accounts = store.list_accounts(connection)
    mine = set(caller.actor.district_ids)
    return [AccountShown.model_validate(account) for account in accounts if mine & set(account.district_ids)]


@router.post("/api/people")
def open_account(body: NewAccount, caller: Caller) -> AccountShown:
    """Open an account."""
    caller.actor.must(Permission.PEOPLE_MANAGE, _any_district(caller.actor))
    password = actions.hashed(body.password, body.name)
    with caller.runtime.database.transaction(EVERYWHERE) as tx:
        account = actions.open_account(
            tx,
            actor=caller.actor,
            **body.model_dump(exclude={"role", "district_ids", "password"}),
            role=Role(body.role),
            district_ids=tuple(body.district_ids),
            password=password,
        )
    return AccountShown.model_validate(account)


@router.patch("/api/people/{id}")
def change_account(id: Id, body: AccountChange, caller: Caller) -> AccountShown:
    """Change what somebody is here for, or close the account."""
    with caller.runtime.database.transaction(EVERYWHERE) as tx:
        account = actions.change_account(
            tx,
            actor=caller.actor,
            id=id,
            **body.model_dump(exclude={"role", "district_ids"}),
            role=Role(body.role),
            district_ids=tuple(body.district_ids),
        )
    return AccountShown.model_validate(account)


@router.post("/api/people/{id}/password", status_code=204)
def set_password(id: Id, body: NewPassword, caller: Caller, request: Request) -> None:
    """Set one's own password, knowing the present one, or somebody's; their sessions end."""
    if caller.actor.id == id:
        address = request.client.host if request.client else "-"
        caller.runtime.doorkeeper.admit_try(caller.actor.name, address)
        with caller.runtime.database.reading([EVERYWHERE]) as connection:
            actions.check_own_password(connection, actor=caller.actor, password=body.current or "")
    else:
        caller.actor.must(Permission.PEOPLE_MANAGE, _any_district(caller.actor))
    with caller.runtime.database.reading([EVERYWHERE]) as connection:
        name = store.accounts.get(connection, EVERYWHERE, id).name
    password = actions.hashed(body.password, name)
    with caller.runtime.database.transaction(EVERYWHERE) as tx:
        actions.set_password(tx, actor=caller.actor, id=id, password=password)


@router.get("/api/bodies")
def bodies(caller: Caller) -> list[BodyShown]:
    """The organisations that take part; also for who may pass an incident on to one."""
    if not caller.actor.may(Permission.INCIDENT_ACT, _any_district(caller.actor)):
        caller.actor.must(Permission.PEOPLE_MANAGE, _any_district(caller.actor))
    with caller.runtime.database.reading([EVERYWHERE]) as connection:
        foreign = store.list_foreign_bodies(connection, caller.actor.district_ids)
        return [
            BodyShown.model_validate(body) for body in store.list_bodies(connection) if body.id not in foreign
        ]


@router.post("/api/bodies")
def register_body(body: NewBody, caller: Caller) -> BodyShown:
    """Register an organisation."""
    with caller.runtime.database.transaction(EVERYWHERE) as tx:
        return BodyShown.model_validate(actions.register_body(tx, actor=caller.actor, **body.model_dump()))


@router.get("/api/feeds")
def feeds(district: DistrictQuery, caller: Caller) -> list[FeedShown]:
    """The district's sources of observations, without their keys."""
    caller.actor.must(Permission.PEOPLE_MANAGE, district)
    with caller.reading(district) as connection:
        return [FeedShown.model_validate(feed) for feed in store.list_feeds(connection, district)]


@router.post("/api/feeds")
def open_feed(body: NewFeed, district: DistrictQuery, caller: Caller) -> FeedShown:
    """Open a source of observations; its key is in this answer and never again."""
    with caller.writing(district, body) as tx:
        feed, key = actions.open_feed(tx, actor=caller.actor, id=body.id, name=body.name)
    return FeedShown(id=feed.id, name=feed.name, opened_at=feed.opened_at, closed_at=None, key=key)


@router.delete("/api/feeds/{id}")
def close_feed(id: Id, district: DistrictQuery, caller: Caller) -> FeedShown:
    """Close a source of observations."""
    with caller.writing(district) as tx:
        return FeedShown.model_validate(actions.close_feed(tx, actor=caller.actor, id=id))


def enter(running: Runtime, account: Account, response: Response) -> SessionShown:
    """Open a session for a recognised account and set its cookie."""
    cookies = running.cookies
    lasts = cookies.last_for_partners if account.role is Role.PARTNER else cookies.last
    with running.database.transaction(EVERYWHERE) as tx:
        token, opened = actions.open_session(tx, account=account, lasts=lasts)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        secure=cookies.secure,
        samesite="strict",
    )
    return _shown_session(account, opened.csrf_token)


def _shown_session(account: Account, csrf_token: str) -> SessionShown:
    permissions = sorted(PERMISSIONS[account.role])
    shown = AccountShown.model_validate(account)
    return SessionShown(account=shown, permissions=list(map(str, permissions)), csrf_token=csrf_token)


def _must_be_person(actor: Actor) -> None:
    """A feed has a key, not a session."""
    if actor.role == Role.FEED:
        raise NotAllowed("session.machine", en="A feed has no session.", zh="数据源没有会话。")


def _any_district(actor: Actor) -> str:
    return actor.district_ids[0] if actor.district_ids else EVERYWHERE


def _refuse_foreign_page(request: Request) -> None:
    """A page of another site cannot sign somebody in (login CSRF); browsers say where a request comes
    from.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise NotAllowed("session.foreign_page", en="Sign in from our own page.", zh="请从本系统页面登录。")
