"""A throw-away PostgreSQL cluster for the tests, when PostgreSQL's programs are installed on this machine."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, make_url

ROOM_BYTES = 4_000_000_000
NOT_INSTALLED = "PostgreSQL's programs are not installed (Debian: apt-get install postgresql)"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, None when there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    return next((f for f in folders if (f / "initdb").is_file()), Path(on_path).parent if on_path else None)


def in_memory() -> Path | None:
    """A folder whose files are kept in memory, None where there is none with room for every test."""
    folder = Path("/dev/shm")
    roomy = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM_BYTES
    return folder if roomy else None


@contextmanager
def cluster() -> Iterator[str]:
    """A running cluster, reached through its socket only; yields the address of its empty database.

    As in an installation, the role `anshang` works, and `anshang_owner` owns the tables and sees every row.
    """
    bin_folder = programs()
    assert bin_folder is not None, NOT_INSTALLED
    folder = Path(
        tempfile.mkdtemp(prefix="anshang-pg-", dir=in_memory())
    )  # short: a socket's path has at most 107 bytes
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, user)
    run = {"user": user} if os.geteuid() == 0 else {}
    files = folder / "files"
    quiet: dict[str, Any] = {"check": True, "capture_output": True, **run}
    subprocess.run(
        [bin_folder / "initdb", "-D", files, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C"],
        **quiet,
    )
    options = (
        f"-k {folder} -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c max_connections=200"
        " -c autovacuum=off"
    )
    subprocess.run(
        [bin_folder / "pg_ctl", "-D", files, "-w", "-l", files / "log", "-o", options, "start"], **quiet
    )
    try:
        with psycopg.connect(f"host={folder} user=owner dbname=postgres", autocommit=True) as connection:
            connection.execute("CREATE ROLE anshang LOGIN")
            connection.execute("CREATE ROLE anshang_owner LOGIN CREATEDB BYPASSRLS")
            connection.execute("CREATE DATABASE template_anshang OWNER anshang_owner")
        yield f"postgresql+psycopg://anshang@/template_anshang?host={folder}"
    finally:
        subprocess.run([bin_folder / "pg_ctl", "-D", files, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder)


@contextmanager
def administering(url: URL) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection that may create and drop databases of the cluster, also while a session of one is ending."""
    with psycopg.connect(
        f"host={url.query['host']} user=owner dbname=postgres", autocommit=True
    ) as connection:
        yield connection


def owner_of(url: str) -> str:
    """The address for the role that owns the tables; nothing for an embedded database."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return ""
    return parsed.set(username="anshang_owner").render_as_string(hide_password=False)
