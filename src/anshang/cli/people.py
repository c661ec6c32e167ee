"""Accounts and feed keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from anshang.cli.terminal import (
    DataFolder,
    District,
    Districts,
    ask_password,
    district_meant,
    installation,
    say,
)
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotFound
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people import store
from anshang.people.model import Role, operator_actor
from anshang.places import store as places

app = typer.Typer(no_args_is_help=True, help="Accounts and feed keys.")


@app.command("add")
def people_add(
    name: str,
    role: Annotated[
        str, typer.Option(help="admin, supervisor, desk, patrol, volunteer, partner, mediator or wall.")
    ],
    display_name: Annotated[str, typer.Option("--display-name")] = "",
    district: Districts = [],  # noqa: B006
    password_stdin: Annotated[bool, typer.Option("--password-stdin")] = False,
    data: DataFolder = None,
) -> None:
    """Open an account."""
    with installation(data) as (_settings, database):
        meant = _role_meant(role)
        districts = _districts_meant(database, district)
        password = people.hashed(ask_password(password_stdin), name)
        with database.transaction(EVERYWHERE) as tx:
            account = people.open_account(
                tx,
                actor=operator_actor(*districts),
                id=ids.new_id(),
                name=name,
                display_name=display_name or name,
                role=meant,
                body_id=None,
                district_ids=districts,
                password=password,
            )
    say(f"{account.name}: {account.role} ({', '.join(account.district_ids)})")


@app.command("change")
def people_change(
    name: str,
    role: Annotated[str, typer.Option(help="The role from now on; as it is when left out.")] = "",
    display_name: Annotated[str, typer.Option("--display-name")] = "",
    district: Districts = [],  # noqa: B006
    active: Annotated[bool | None, typer.Option("--open/--close", help="Open or close the account.")] = None,
    data: DataFolder = None,
) -> None:
    """Change an account: its role, name, districts (all of them, each with --district), or close it."""
    with installation(data) as (_settings, database), database.transaction(EVERYWHERE) as tx:
        before = store.find_account_by_name(tx.connection, name)
        if before is None:
            raise NotFound("accounts.missing", en="There is no such account.", zh="没有该账号。")
        districts = before.district_ids
        if district:
            districts = _known_districts(places.list_real_district_ids(tx.connection), district)
        account = people.change_account(
            tx,
            actor=operator_actor(*before.district_ids, *districts),
            id=before.id,
            version=before.version,
            display_name=display_name or before.display_name,
            role=_role_meant(role) if role else before.role,
            body_id=before.body_id,
            district_ids=districts,
            active=before.active if active is None else active,
        )
    state = "open 启用" if account.active else "closed 停用"
    say(f"{account.name}: {account.role} ({', '.join(account.district_ids)}), {state}")


@app.command("feed")
def people_feed(name: str, district: District = "", data: DataFolder = None) -> None:
    """Open a source of observations and print its key, once."""
    with installation(data) as (_settings, database):
        district_id = district_meant(database, district)
        with database.transaction(district_id) as tx:
            _feed, key = people.open_feed(tx, actor=operator_actor(district_id), id=ids.new_id(), name=name)
    say(key)


def _role_meant(role: str) -> Role:
    if role not in set(Role):
        raise BadInput("account.bad_role", en=f"There is no role “{role}”.", zh=f"没有角色“{role}”。")
    return Role(role)


def _districts_meant(database: Database, named: Sequence[str]) -> tuple[str, ...]:
    """The districts named, all of which there must be; or the only one there is."""
    if not named:
        return (district_meant(database, ""),)
    with database.reading([EVERYWHERE]) as connection:
        return _known_districts(places.list_real_district_ids(connection), named)


def _known_districts(known: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    for one in named:
        if one not in known:
            raise NotFound("place.missing", en=f"There is no district “{one}”.", zh=f"没有商圈“{one}”。")
    return tuple(dict.fromkeys(named))
