"""What every command shares: the installation meant, words for refusals, progress, passwords."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from anshang.foundation import migrations
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, Refusal
from anshang.journal.model import EVERYWHERE
from anshang.places import store as places_store
from anshang.settings import Settings, load_settings

err = Console(stderr=True)
say = partial(Console().print, highlight=False, soft_wrap=True)
complain = partial(err.print, highlight=False, soft_wrap=True)

DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The data folder (default: ANSHANG_DATA_FOLDER or ./data).")
]
District = Annotated[
    str, typer.Option("--district", help="The district's code; needed when there are several.")
]
Districts = Annotated[
    list[str],
    typer.Option("--district", help="A district's code; again for each of several."),
]
OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def in_words() -> Iterator[None]:
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


def close_to_others(folder: Path) -> None:
    """Let nobody else read a data folder, whatever it allowed when it was made; BadInput when it is not ours
    to close.
    """
    mode = folder.stat().st_mode
    if not mode & OF_OTHERS:
        return
    try:
        folder.chmod(stat.S_IMODE(mode) & ~OF_OTHERS)
    except PermissionError:
        raise BadInput(
            "installation.open",
            en=f"Others may read {folder}, and it is not yours to close: chmod 700 {folder}.",
            zh=f"其他用户可读取 {folder}，且无权修改：请由其所有者执行 chmod 700 {folder}。",
        ) from None


@contextmanager
def installation(data: Path | None) -> Iterator[tuple[Settings, Database]]:
    """The installation in the data folder, its database brought up to date."""
    with in_words():
        settings = load_settings(data)
        if not settings.database_url and not (settings.data_folder / "anshang.db").is_file():
            raise BadInput(
                "installation.missing",
                en=f"There is no installation in {settings.data_folder}; start with “anshang init”.",
                zh=f"{settings.data_folder} 中没有安装；请先运行 anshang init。",
            )
        if settings.data_folder.is_dir():
            close_to_others(settings.data_folder)
        database = Database(settings.resolved_database_url, settings.database_owner_url)
        migrations.upgrade(database)
        try:
            yield settings, database
        finally:
            database.dispose()


def district_meant(database: Database, told: str) -> str:
    """The district meant: the one told, or the only one there is."""
    if told:
        return told
    with database.reading([EVERYWHERE]) as connection:
        known = places_store.list_real_district_ids(connection)
    if len(known) != 1:
        names = ", ".join(known) or "–"
        raise BadInput(
            "district.untold", en=f"Say --district: {names}.", zh=f"请用 --district 指定商圈：{names}。"
        )
    return known[0]


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar for what takes longer than a moment, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        yield progress


def tool(name: str) -> Any:
    """What only one command needs; BadInput when a library of it cannot be loaded."""
    try:
        return resolve_name(name)
    except ImportError as error:
        raise BadInput("program.library", en=f"{error}.", zh=f"缺少程序库：{error}。") from None


def read_file(path: Path) -> bytes:
    """The file's bytes; BadInput when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(
            "file.unreadable",
            en=f"Cannot read {path}: {error.strerror}.",
            zh=f"无法读取 {path}：{error.strerror}。",
        ) from None


def ask_password(from_stdin: bool) -> str:
    """A password from standard input, from ANSHANG_PASSWORD, or asked for twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    told = os.environ.get("ANSHANG_PASSWORD")
    return told or str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
