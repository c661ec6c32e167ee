"""Setting up an installation, serving it, saving it and bringing it back; the demonstration."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from contextlib import ExitStack, suppress
from datetime import date, time
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated

import typer
import uvicorn

from anshang import __version__
from anshang.app import create_app
from anshang.cli.journal import report_journal
from anshang.cli.terminal import (
    DataFolder,
    ask_password,
    close_to_others,
    in_words,
    installation,
    read_file,
    say,
)
from anshang.cli.vault import report_vault
from anshang.demonstration.running import run as run_demo
from anshang.foundation import clock, migrations
from anshang.foundation.backups import unpack_backup, write_backup
from anshang.foundation.database import Database
from anshang.foundation.sole_server import SoleServer
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people.model import operator_actor
from anshang.places import actions as places
from anshang.places.document import read_document
from anshang.settings import Settings, load_settings
from anshang.vault.keys import Keyring, read_masters
from anshang.web.serving import raise_open_files, serving_config

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Anshang 安商: a safe business district.")
GRACEFUL_STOP_S = 5
NOT_STARTED = 3
"""The code with which uvicorn's own command ends when it cannot listen."""


@app.command()
def version() -> None:
    """Print the version."""
    say(__version__)


@app.command()
def init(
    district: Annotated[Path, typer.Option("--district", help="The district's GeoJSON document.")],
    admin: Annotated[str, typer.Option("--admin", help="Sign-in name of the first administrator.")] = "admin",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: DataFolder = None,
) -> None:
    """Set up a new installation: data folder, database, district, first administrator."""
    with in_words():
        settings = load_settings(data)
        document = read_file(district)
        place = read_document(document)
        password = ask_password(password_stdin)
        settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        close_to_others(settings.data_folder)
        database = Database(settings.resolved_database_url, settings.database_owner_url)
        migrations.upgrade(database)
        district_id = place.district.id
        hashed = people.hashed(password, admin)
        with database.transaction(EVERYWHERE) as tx:
            people.open_first_account(tx, name=admin, password=hashed, district_ids=(district_id,))
        with database.transaction(district_id) as tx:
            places.import_document(tx, actor=operator_actor(district_id), document=document)
        database.dispose()
    say(f"{settings.data_folder}: {district_id}, {len(place.zones)} zones, {len(place.gates)} gates.")
    say(f"Sign in as “{admin}” after “anshang serve --data {settings.data_folder}”.")


@app.command()
def serve(
    data: DataFolder = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
) -> None:
    """Run the server in the foreground. A second one on the same database or data folder is refused."""
    with installation(data) as (settings, database):
        database.dispose()
        raise_open_files()
        with SoleServer(settings.data_folder, database) as sole:
            server = _server(settings, host or settings.host, port or settings.port)
            sole.on_lost = partial(setattr, server, "should_exit", True)
            with suppress(KeyboardInterrupt):
                server.run()
            sole.must_hold()
    if not server.started:
        raise typer.Exit(NOT_STARTED)


def _server(settings: Settings, host: str, port: int) -> uvicorn.Server:
    return uvicorn.Server(
        serving_config(
            create_app(settings),
            trusted_proxies=settings.trusted_proxies,
            tls_folder=settings.tls_folder if settings.https else None,
            host=host,
            port=port,
            log_level=settings.log_level,
            timeout_graceful_shutdown=GRACEFUL_STOP_S,
        )
    )


@app.command()
def cert(
    hosts: Annotated[list[str], typer.Argument(help="The server's names and addresses, as phones say them.")],
    data: DataFolder = None,
) -> None:
    """Make a certificate for a network without the Internet, so that phones can use HTTPS.

    Install data/tls/authority.pem on the phones; then set `https = true` and `secure_cookies = true`.
    """
    with installation(data) as (settings, _database):
        make = resolve_name("anshang.foundation.certificates:make_certificate")
        until = make(settings.tls_folder, hosts, clock.now())
        say(f"{settings.tls_folder / 'server.pem'} until 有效期至 {until:%Y-%m-%d}")
        say(f"Install on phones 请安装到手机: {settings.tls_folder / 'authority.pem'}")
        say("anshang.toml: https = true, secure_cookies = true")


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8765,
    speed: Annotated[float, typer.Option(help="District seconds that pass in one real second.")] = 60.0,
    at: Annotated[
        str, typer.Option(help="Where the evening begins, HH:MM on the district's clocks.")
    ] = "19:30",
    day: Annotated[str, typer.Option("--date", help="The recorded day, YYYY-MM-DD.")] = "2024-12-31",
    place: Annotated[str, typer.Option(help="wuyi (schematic) or helsinki (real streets).")] = "wuyi",
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Show a district on recorded counts, in the foreground, and leave nothing behind."""
    with in_words():
        begins, on = time.fromisoformat(at), date.fromisoformat(day)
        run_demo(place=place, date_on=on, at=begins, speed=speed, port=port, browser=browser)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The .tar.gz to write.")], data: DataFolder = None
) -> None:
    """Write a consistent back-up, also while the server runs."""
    with installation(data) as (settings, database):
        size_bytes = write_backup(database, settings.data_folder, target)
    say(f"{target}: {size_bytes:,} bytes.")
    say("Not in it: keys of personal records (anshang vault export).")
    say("不含个人信息密钥，请用 anshang vault export 另存。")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="The back-up to read.")], data: DataFolder = None
) -> None:
    """Unpack a back-up into an empty data folder, check its journal, and say which personal records came
    without their keys. When it fails it leaves nothing behind.
    """
    with in_words():
        folder = load_settings(data).data_folder
        copy = unpack_backup(source, folder)
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, folder)
            settings = load_settings(folder)
            database = Database(settings.resolved_database_url, settings.database_owner_url)
            undo.callback(database.take_copy(copy))
            close_to_others(folder)
            migrations.upgrade(database)
            undo.pop_all()
        faults = report_journal(database)
        report_vault(database, Keyring(settings.vault_folder, read_masters(settings.vault_keys)))
        database.dispose()
    raise typer.Exit(1 if faults else 0)


@app.command()
def openapi() -> None:
    """Print the API's description (OpenAPI, JSON)."""
    with tempfile.TemporaryDirectory() as folder:
        described = create_app(Settings(data_folder=Path(folder))).openapi()
    sys.stdout.write(json.dumps(described, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
