"""Accounts and feed keys."""

from __future__ import annotations

from typing import Annotated

import typer

from anshang.cli.terminal import DataFolder, District, ask_password, district_meant, installation, say
from anshang.foundation import ids
from anshang.foundation.errors import BadInput
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor

app = typer.Typer(no_args_is_help=True, help="Accounts and feed keys.")


@app.command("add")
def people_add(
    name: str,
    role: Annotated[
        str, typer.Option(help="admin, supervisor, desk, patrol, volunteer, partner, mediator or wall.")
    ],
    display_name: Annotated[str, typer.Option("--display-name")] = "",
    district: District = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin")] = False,
    data: DataFolder = None,
) -> None:
    """Open an account."""
    with installation(data) as (_settings, database):
        if role not in set(Role):
            raise BadInput("account.bad_role", en=f"There is no role “{role}”.", zh=f"没有角色“{role}”。")
        district_id = district_meant(database, district)
        password = people.hashed(ask_password(password_stdin), name)
        with database.transaction(EVERYWHERE) as tx:
            account = people.open_account(
                tx,
                actor=operator_actor(district_id),
                id=ids.new_id(),
                name=name,
                display_name=display_name or name,
                role=Role(role),
                body_id=None,
                district_ids=(district_id,),
                password=password,
            )
    say(f"{account.name}: {account.role}")


@app.command("feed")
def people_feed(name: str, district: District = "", data: DataFolder = None) -> None:
    """Open a source of observations and print its key, once."""
    with installation(data) as (_settings, database):
        district_id = district_meant(database, district)
        with database.transaction(district_id) as tx:
            _feed, key = people.open_feed(tx, actor=operator_actor(district_id), id=ids.new_id(), name=name)
    say(key)
