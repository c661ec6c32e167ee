"""The vault of personal data: how much is in it, and wrapping its keys by a new master key."""

from __future__ import annotations

import typer

from anshang.cli.terminal import DataFolder, in_words, installation, say
from anshang.foundation import clock
from anshang.places import store as places
from anshang.vault import store
from anshang.vault.keys import Keyring, read_masters

app = typer.Typer(no_args_is_help=True, help="Personal data: how much is kept, and the key it is under.")


@app.command()
def status(data: DataFolder = None) -> None:
    """Say how many personal records there are, how many of them should be gone, and how many keys."""
    with in_words(), installation(data) as (settings, database):
        keyring = Keyring(settings.vault_folder, read_masters(settings.vault_keys))
        with database.reading() as connection:
            district_ids = places.list_district_ids(connection)
        for district_id in district_ids:
            with database.reading([district_id]) as connection:
                kept = len(store.list_readable_ids(connection, district_id))
                over = len(store.list_expired(connection, district_id, clock.now()))
            say(f"{district_id}: {kept} records 份资料, {over} overdue 逾期未销毁")
        say(f"{len(keyring.list_keys())} keys 把密钥")


@app.command()
def rotate(data: DataFolder = None) -> None:
    """Wrap every record's key by the first master key of the setting `vault_keys`; the others may go then."""
    with in_words(), installation(data) as (settings, _database):
        keyring = Keyring(settings.vault_folder, read_masters(settings.vault_keys))
        say(f"{keyring.rewrap()} keys wrapped anew 把密钥已重新加密")
