"""The vault of personal data: how much is in it, and wrapping its keys by a new master key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anshang.cli.terminal import (
    DataFolder,
    ask_password,
    complain,
    in_words,
    installation,
    read_file,
    say,
)
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.people.model import operator_actor
from anshang.places import store as places
from anshang.vault import actions, retention, store
from anshang.vault.erasure_guard import confirm_clock
from anshang.vault.keys import Keyring, read_masters, write_private
from anshang.vault.transport import bring_back_keys, pack_keys

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the passphrase from standard input.")
]
app = typer.Typer(no_args_is_help=True, help="Personal data: how much is kept, and the key it is under.")


@app.command()
def status(data: DataFolder = None) -> None:
    """Say how many personal records there are, how many of them should be gone or cannot be read, and how
    many keys.
    """
    with in_words(), installation(data) as (settings, database):
        keyring = Keyring(settings.vault_folder, read_masters(settings.vault_keys))
        report_vault(database, keyring)
        say(f"{len(keyring.list_keys())} keys 把密钥")


@app.command("confirm-clock")
def confirm(
    data: DataFolder = None,
    sure: Annotated[bool, typer.Option("--yes", help="Ask nothing: somebody has looked at a clock.")] = False,
) -> None:
    """Say that the machine's clock is right, so that what is over is erased again after it was held back."""
    with in_words(), installation(data) as (_settings, database):
        shown = f"{clock.now().astimezone():%Y-%m-%d %H:%M %Z}"
        if not sure:
            typer.confirm(f"{shown}: is it that now? 现在时间是否正确？", abort=True)
        with database.transaction(EVERYWHERE) as tx:
            confirm_clock(tx, actor=operator_actor(EVERYWHERE))
        say(f"{shown}: confirmed 已确认")


@app.command("retention")
def look_at_retention(data: DataFolder = None) -> None:
    """Say, for each field of the privacy page, how long it is kept, how many rows there are, and how many are
    over and would be emptied tonight. Nothing is changed.
    """
    with in_words(), installation(data) as (_settings, database):
        with database.reading() as connection:
            homes = [EVERYWHERE, *places.list_district_ids(connection)]
        for home in homes:
            with database.reading([home]) as connection:
                for one in retention.due(connection, home, clock.now()):
                    kept = f"{one.rule.kept.days} days 天"
                    say(
                        f"{home}: {', '.join(one.rule.names)}: {kept}; {one.row_count} rows 行, "
                        f"{one.over_count} over 到期"
                    )
                overdue = store.list_expired(connection, home, clock.now())
            say(f"{home}: vault_records.sealed: {len(overdue)} over 到期")


def report_vault(database: Database, keyring: Keyring) -> None:
    """Print, for each district, how its personal records stand."""
    with database.reading() as connection:
        district_ids = places.list_district_ids(connection)
    for district_id in district_ids:
        with database.reading([district_id]) as connection:
            kept = len(store.list_ids(connection, district_id, erased=False))
            over = len(store.list_expired(connection, district_id, clock.now()))
            unreadable = len(actions.list_unreadable_ids(connection, keyring, district_id))
        say(f"{district_id}: {kept} records 份资料, {over} overdue 逾期, {unreadable} unreadable 无法读取")
        if unreadable:
            complain("[yellow]No back-up holds keys; only “anshang vault import” brings them back.[/yellow]")
            complain("备份不含密钥；须用 anshang vault import 导入后方可读取。")


@app.command("export")
def export_keys(
    target: Annotated[Path, typer.Argument(help="The file to write.")],
    data: DataFolder = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Write the keys of all personal records to a file under a passphrase, for the day the disk is lost.

    Keep it apart from back-ups and replace it often: whoever has both reads what has been erased since.
    """
    with in_words(), installation(data) as (settings, database):
        keyring = Keyring(settings.vault_folder, read_masters(settings.vault_keys))
        write_private(target, pack_keys(database, keyring, ask_password(password_stdin)))
        say(f"{target}: {len(keyring.list_keys())} keys 把密钥")
        complain("[yellow]Keep it apart from back-ups; destroy the previous export.[/yellow]")
        complain("请与备份分开保管，并销毁上一份导出文件。")


@app.command("import")
def import_keys(
    source: Annotated[Path, typer.Argument(help="What `vault export` wrote.")],
    data: DataFolder = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Give records that cannot be read their keys again, after a back-up was restored. Erased ones stay
    erased.
    """
    with in_words(), installation(data) as (settings, database):
        keyring = Keyring(settings.vault_folder, read_masters(settings.vault_keys))
        with database.reading() as connection:
            district_ids = places.list_district_ids(connection)
        packed, passphrase = read_file(source), ask_password(password_stdin)
        count = bring_back_keys(database, keyring, district_ids, packed, passphrase)
        say(f"{count} keys brought back 把密钥已恢复")
        report_vault(database, keyring)


@app.command()
def rotate(data: DataFolder = None) -> None:
    """Wrap every record's key by the first master key of the setting `vault_keys`; the others may go then."""
    with in_words(), installation(data) as (settings, _database):
        keyring = Keyring(settings.vault_folder, read_masters(settings.vault_keys))
        say(f"{keyring.rewrap()} keys wrapped anew 把密钥已重新加密")
