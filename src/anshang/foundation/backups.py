"""A back-up is one .tar.gz: a consistent copy of the running database, the sealed counts, the settings file.

It holds everything needed to go on elsewhere but the keys of personal records, which `vault export` saves
apart; it is as confidential as the installation itself.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, RuleBroken

DATABASE_COPY = "database"
SEALED = "sealed"
SETTINGS_FILE = "anshang.toml"


def write_backup(database: Database, data_folder: Path, target: Path) -> int:
    """Write the back-up to `target`, complete or not at all; returns its size in bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
        copy = Path(scratch) / DATABASE_COPY
        database.copy_to(copy)
        packed = Path(scratch) / "packed"
        with tarfile.open(packed, "w:gz", compresslevel=4) as archive:
            archive.add(copy, DATABASE_COPY)
            for name in (SEALED, SETTINGS_FILE):
                if (data_folder / name).exists():
                    archive.add(data_folder / name, name)
        packed.chmod(0o600)
        with packed.open("rb") as written:
            os.fsync(written.fileno())
        packed.replace(target)
    return target.stat().st_size


def unpack_backup(source: Path, data_folder: Path) -> Path:
    """Unpack a back-up into a data folder that is empty or not there yet; returns the database copy's path.

    RuleBroken when the folder holds anything, BadInput when the file is no back-up; nothing is left behind
    then.
    """
    if data_folder.exists() and any(data_folder.iterdir()):
        raise RuleBroken(
            "backup.folder_in_use",
            en=f"{data_folder} is not empty; a back-up is restored into an empty folder.",
            zh=f"{data_folder} 不为空；备份只能恢复到空文件夹。",
        )
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=data_folder.parent, prefix=".restore-"))
    try:
        with tarfile.open(source, "r:gz") as archive:
            _unpack(archive, scratch)
        if not (scratch / DATABASE_COPY).is_file():
            raise _no_backup(source)
        if data_folder.exists():
            data_folder.rmdir()
        scratch.rename(data_folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise _no_backup(source) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return data_folder / DATABASE_COPY


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Write the archive's files below `folder` and nowhere else; links and devices are no back-up's.

    By hand, because the Python of Debian 12 is older than tarfile's own filter.
    """
    for member in archive:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
            raise tarfile.ReadError(f"{member.name} does not belong into a back-up")
        target = folder / path
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
        elif (content := archive.extractfile(member)) is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as written:
                shutil.copyfileobj(content, written)


def _no_backup(source: Path) -> BadInput:
    return BadInput(
        "backup.unreadable", en=f"{source} is not a back-up.", zh=f"{source} 不是有效的备份文件。"
    )
