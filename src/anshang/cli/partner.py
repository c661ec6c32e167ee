"""The register of partners from a file, with accounts for those who have none."""

from __future__ import annotations

import base64
import csv
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from anshang.cli.terminal import (
    DataFolder,
    District,
    district_meant,
    in_words,
    installation,
    progress_bar,
    read_file,
    say,
)
from anshang.foundation import ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.lines import cell
from anshang.journal.model import EVERYWHERE
from anshang.partners import actions, store
from anshang.partners.model import Partner
from anshang.partners.register_file import Line, check_premises, read_register
from anshang.people import actions as people
from anshang.people import store as people_store
from anshang.people.model import Role, operator_actor
from anshang.places import store as places

app = typer.Typer(no_args_is_help=True, help="Partners: the register as a file.")


@app.callback()
def _several() -> None:
    """Partners: the register as a file."""


@app.command("import")
def import_register(
    file: Annotated[Path, typer.Argument(help="CSV with id, name_zh, name_en and more; see the guide.")],
    accounts: Annotated[
        Path | None, typer.Option(help="Where new accounts and first passwords are written.")
    ] = None,
    district: District = "",
    data: DataFolder = None,
) -> None:
    """Enter partners, or change what is known of them; a bad line keeps the whole file out."""
    with in_words(), installation(data) as (_settings, database), progress_bar() as bar:
        lines = read_register(read_file(file))
        here = district_meant(database, district)
        with database.reading([here]) as connection:
            check_premises(lines, {one.id for one in places.load(connection, here).premises})
        task = bar.add_task("import", total=len(lines))
        opened = []
        for line in lines:
            body_id = _enter(database, here, line)
            if line.sign_in and (password := _open_account(database, here, line, body_id)):
                opened.append((line.sign_in, password, line.name_zh))
            bar.advance(task)
    say(f"{len(lines)} partners 家单位, {len(opened)} new accounts 个新账号")
    if opened and accounts is not None:
        _write(accounts, opened)
        say(f"First passwords 初始密码: {accounts}")
    elif opened:
        for name, password, _ in opened:
            say(f"{name} {password}")


def _enter(database: Database, district_id: str, line: Line) -> str:
    """The partner with its organisation, which is made for a new one; the organisation."""
    operator = operator_actor(district_id)
    with database.reading([district_id]) as connection:
        known = store.partners.find(connection, district_id, line.id)
    body_id = known.body_id if known else _body(database, operator, line)
    told = {name: getattr(line, name) for name in Line.__dataclass_fields__ if name != "sign_in"}
    partner = Partner(district_id=district_id, body_id=body_id, version=known.version if known else 1, **told)
    with database.transaction(district_id) as tx:
        actions.enter(tx, actor=operator, partner=partner)
    return body_id


def _body(database: Database, operator: Actor, line: Line) -> str:
    with database.transaction(EVERYWHERE) as tx:
        return people.register_body(
            tx, actor=operator, id=ids.new_id(), name_zh=line.name_zh, name_en=line.name_en
        ).id


def _open_account(database: Database, district_id: str, line: Line, body_id: str) -> str | None:
    """The first password of a new account; None when the name is in use."""
    with database.reading([EVERYWHERE]) as connection:
        if people_store.find_account_by_name(connection, line.sign_in) is not None:
            return None
    password = base64.b32encode(secrets.token_bytes(15)).decode().lower()
    hashed = people.hashed(password, line.sign_in)
    with database.transaction(EVERYWHERE) as tx:
        people.open_account(
            tx,
            actor=operator_actor(district_id),
            id=ids.new_id(),
            name=line.sign_in,
            display_name=line.name_zh,
            role=Role.PARTNER,
            body_id=body_id,
            district_ids=(district_id,),
            password=hashed,
        )
    return password


def _write(path: Path, opened: list[tuple[str, str, str]]) -> None:
    """For nobody else to read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("sign_in", "password", "name"), *(map(cell, line) for line in opened)])
