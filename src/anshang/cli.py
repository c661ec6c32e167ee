"""The command line: what an operator does at the machine itself. Each command parses, calls one action,
and reports.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from anshang import __version__
from anshang.app import create_app
from anshang.demonstration.running import run as run_demo
from anshang.foundation import ids, migrations
from anshang.foundation.backups import unpack_backup, write_backup
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, Refusal
from anshang.journal import actions as journal
from anshang.journal import store as journal_store
from anshang.journal.model import EVERYWHERE
from anshang.people import actions as people
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places
from anshang.places import store as places_store
from anshang.places.document import read_document, to_text
from anshang.places.osm.importing import import_osm
from anshang.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Anshang 安商: a safe business district.")
journal_app = typer.Typer(no_args_is_help=True, help="What happened, and the proof that nobody changed it.")
place_app = typer.Typer(no_args_is_help=True, help="The district on the map.")
crowd_app = typer.Typer(no_args_is_help=True, help="Counts of people.")
people_app = typer.Typer(no_args_is_help=True, help="Accounts and feed keys.")
app.add_typer(journal_app, name="journal")
app.add_typer(place_app, name="place")
app.add_typer(crowd_app, name="crowd")
app.add_typer(people_app, name="people")

err = Console(stderr=True)
say = partial(Console().print, highlight=False, soft_wrap=True)
complain = partial(err.print, highlight=False, soft_wrap=True)

DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The data folder (default: ANSHANG_DATA_FOLDER or ./data).")
]
District = Annotated[
    str, typer.Option("--district", help="The district's code; needed when there are several.")
]
GRACEFUL_STOP_S = 5


@contextmanager
def _in_words() -> Iterator[None]:
    """A refusal ends a command with its reason in both languages and exit code 2."""
    try:
        yield
    except Refusal as refusal:
        complain(f"[red]{refusal.en}[/red]\n{refusal.zh}")
        for problem in refusal.details.get("problems", []):  # type: ignore[attr-defined]
            complain(f"  {problem.get('line', '')}: {problem.get('en')} {problem.get('zh')}")
        raise typer.Exit(2) from None
    except ValueError as error:
        complain(f"[red]{error}[/red]")
        raise typer.Exit(2) from None


@contextmanager
def _installation(data: Path | None) -> Iterator[tuple[Settings, Database]]:
    """The installation in the data folder, its database brought up to date."""
    with _in_words():
        settings = load_settings(data)
        if not settings.database_url and not (settings.data_folder / "anshang.db").is_file():
            raise BadInput(
                "installation.missing",
                en=f"There is no installation in {settings.data_folder}; start with “anshang init”.",
                zh=f"{settings.data_folder} 中没有安装；请先运行 anshang init。",
            )
        database = Database(settings.resolved_database_url)
        migrations.upgrade(database)
        try:
            yield settings, database
        finally:
            database.dispose()


def _district(database: Database, told: str) -> str:
    """The district meant: the one told, or the only one there is."""
    if told:
        return told
    with database.reading([EVERYWHERE]) as connection:
        known = places_store.list_district_ids(connection)
    if len(known) != 1:
        names = ", ".join(known) or "–"
        raise BadInput(
            "district.untold", en=f"Say --district: {names}.", zh=f"请用 --district 指定商圈：{names}。"
        )
    return known[0]


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar for what takes longer than a moment, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        yield progress


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
    with _in_words():
        settings = load_settings(data)
        document = _read_file(district)
        password = _ask_password(password_stdin)
        settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = Database(settings.resolved_database_url)
        migrations.upgrade(database)
        place = read_document(document)
        district_id = place.district.id
        with database.transaction(EVERYWHERE) as tx:
            people.open_first_account(tx, name=admin, password=password, district_ids=(district_id,))
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
    """Run the server in the foreground."""
    with _installation(data) as (settings, database):
        database.dispose()
        uvicorn.run(
            create_app(settings),
            host=host or settings.host,
            port=port or settings.port,
            log_level=settings.log_level,
            access_log=False,
            timeout_graceful_shutdown=GRACEFUL_STOP_S,
        )


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
    with _in_words():
        begins, on = time.fromisoformat(at), date.fromisoformat(day)
        run_demo(place=place, date_on=on, at=begins, speed=speed, port=port, browser=browser)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The .tar.gz to write.")], data: DataFolder = None
) -> None:
    """Write a consistent back-up, also while the server runs."""
    with _installation(data) as (settings, database):
        size_bytes = write_backup(database, settings.data_folder, target)
    say(f"{target}: {size_bytes:,} bytes.")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="The back-up to read.")], data: DataFolder = None
) -> None:
    """Unpack a back-up into an empty data folder and check its journal."""
    with _in_words():
        folder = load_settings(data).data_folder
        copy = unpack_backup(source, folder)
        settings = load_settings(folder)
        database = Database(settings.resolved_database_url)
        database.take_copy(copy)
        migrations.upgrade(database)
        faults = _report_journal(database)
        database.dispose()
    raise typer.Exit(1 if faults else 0)


@app.command()
def openapi() -> None:
    """Print the API's description (OpenAPI, JSON)."""
    with tempfile.TemporaryDirectory() as folder:
        described = create_app(Settings(data_folder=Path(folder))).openapi()
    sys.stdout.write(json.dumps(described, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


@place_app.command("import")
def place_import(document: Path, data: DataFolder = None) -> None:
    """Let a GeoJSON document replace a district's place, or begin a new district."""
    with _installation(data) as (_settings, database):
        content = _read_file(document)
        district_id = read_document(content).district.id
        with database.transaction(district_id) as tx:
            place = places.import_document(tx, actor=operator_actor(district_id), document=content)
    say(json.dumps(place.counts | {"version": place.district.version}))


@place_app.command("export")
def place_export(
    target: Annotated[Path, typer.Argument(help="The .geojson to write.")],
    district: District = "",
    data: DataFolder = None,
) -> None:
    """Write a district's document."""
    with _installation(data) as (_settings, database):
        district_id = _district(database, district)
        with database.reading([district_id]) as connection:
            document = places.export_document(connection, district_id)
        target.write_text(to_text(document), "utf-8")
    say(f"{target}: {len(document['features'])} features")


@place_app.command("import-osm")
def place_import_osm(
    source: Annotated[Path, typer.Argument(help="An extract: .osm, .osm.gz or .osm.pbf.")],
    name: Annotated[str, typer.Option(help="The district's name in English.")],
    target: Annotated[Path, typer.Option("--out", help="The .geojson to write.")],
    name_zh: Annotated[str, typer.Option(help="The district's name in Chinese.")] = "",
    id: Annotated[str, typer.Option(help="The district's code.")] = "district",
    time_zone: Annotated[str, typer.Option(help="Its time zone.")] = "Asia/Shanghai",
    bbox: Annotated[str, typer.Option(help="west,south,east,north in degrees.")] = "",
) -> None:
    """Make a district's document from OpenStreetMap: streets and squares, gates, premises, the walking
    network.
    """
    with _in_words(), _progress() as progress:
        task = progress.add_task("…", total=1.0)
        document = import_osm(
            source,
            name_en=name,
            name_zh=name_zh or name,
            district_id=id,
            time_zone=time_zone,
            bbox=_box(bbox),
            progress=lambda step, share: progress.update(task, description=step, completed=share),
        )
        target.write_text(to_text(document), "utf-8")
    kinds = Counter(feature["properties"]["kind"] for feature in document["features"])
    say(f"{target}: {dict(kinds)}; left out: {document['left_out']}")


@journal_app.command("verify")
def journal_verify(data: DataFolder = None) -> None:
    """Recompute the chain of every entry and every seal; exit code 1 when one byte was changed."""
    with _installation(data) as (_settings, database):
        faults = _report_journal(database)
    raise typer.Exit(1 if faults else 0)


@people_app.command("add")
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
    with _installation(data) as (_settings, database):
        if role not in set(Role):
            raise BadInput("account.bad_role", en=f"There is no role “{role}”.", zh=f"没有角色“{role}”。")
        district_id = _district(database, district)
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
                password=_ask_password(password_stdin),
            )
    say(f"{account.name}: {account.role}")


@people_app.command("feed")
def people_feed(name: str, district: District = "", data: DataFolder = None) -> None:
    """Open a source of observations and print its key, once."""
    with _installation(data) as (_settings, database):
        district_id = _district(database, district)
        with database.transaction(district_id) as tx:
            _feed, key = people.open_feed(tx, actor=operator_actor(district_id), id=ids.new_id(), name=name)
    say(key)


def _report_journal(database: Database) -> int:
    """Verify every district's journal, print what was found, and return how many faults there are."""
    fault_count = 0
    with database.reading([EVERYWHERE]) as connection:
        districts = [EVERYWHERE, *places_store.list_district_ids(connection)]
    for district_id in districts:
        with database.reading([district_id]) as connection:
            faults = journal.verify(connection, district_id)
            seals = journal_store.list_seals(connection, district_id)
            _seq, last = journal_store.last_link(connection, district_id)
        for fault in faults:
            complain(f"[red]{fault.district_id} #{fault.seq}: {fault.reason}[/red]")
        if not faults:
            say(f"{district_id}: whole; {len(seals)} days sealed; {last}")
        fault_count += len(faults)
    return fault_count


def _box(text: str) -> tuple[float, float, float, float] | None:
    """A bounding box, None when none is told; BadInput when it is not four numbers in order."""
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west, south, east, north = 1, 1, 0, 0
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadInput(
            "box.malformed",
            en=f"“{text}” is not west,south,east,north.",
            zh=f"“{text}”不是“西,南,东,北”四个度数。",
        )
    return west, south, east, north


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(
            "file.unreadable",
            en=f"Cannot read {path}: {error.strerror}.",
            zh=f"无法读取 {path}：{error.strerror}。",
        ) from None


def _ask_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    told = os.environ.get("ANSHANG_PASSWORD")
    return told or str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
