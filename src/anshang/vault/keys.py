"""One key for each record, in a file of its own outside the database and every back-up of it.

A record's key is wrapped by the installation's master key (AES-256-GCM). Whoever destroys the file makes the
record unreadable in the database, in its write-ahead log and in every back-up that was ever taken. The first
master key wraps what is new; those after it only open what is old, until `rewrap` has wrapped it anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence, Set
from datetime import datetime
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from anshang.foundation.errors import NotFound, RuleBroken, StorageFailed
from anshang.foundation.ids import checked_code, checked_id

KEY_BYTES, NONCE_BYTES, MARK_BYTES = 32, 12, 8
MASTER_FILE = "master.key"
OWNER_FILE = "installation"
"""Says which installation the keys belong to."""
SUFFIX, SCRATCH, NEEDLESS = ".key", ".new", ".needless"


def seal(key: bytes, content: bytes, bound_to: str) -> bytes:
    """`content` under the key: nonce, then ciphertext; it opens only with the same `bound_to`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed: bytes = _cipher()(key).encrypt(nonce, content, bound_to.encode())
    return nonce + sealed


def unseal(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """What `seal` hid; StorageFailed when it was changed, moved, or the key is another."""
    try:
        opened: bytes = _cipher()(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
        return opened
    except resolve_name("cryptography.exceptions:InvalidTag"):
        raise StorageFailed(
            "vault.damaged",
            en="A record of the vault cannot be opened: it is damaged or its key is another.",
            zh="保密资料无法打开：内容已损坏或密钥不符。",
        ) from None


@cache
def _cipher() -> Any:
    """AES-256-GCM, loaded with the first record: 11 MB that a district without any need not hold."""
    return resolve_name("cryptography.hazmat.primitives.ciphers.aead:AESGCM")


def read_masters(told: str) -> tuple[bytes, ...]:
    """The master keys of the setting (base64 of 32 bytes each, commas between); ValueError if malformed."""
    try:
        keys = tuple(base64.b64decode(one, validate=True) for one in told.replace(" ", "").split(",") if one)
    except binascii.Error:
        raise ValueError("vault_keys: not base64") from None
    if any(len(key) != KEY_BYTES for key in keys):
        raise ValueError(f"vault_keys: a key has {KEY_BYTES} bytes")
    return keys


class Keyring:
    """The keys of an installation's records, in `folder`: `<district>/<end of the id>/<id>.key`.

    The district is in the path because ids come from clients: an id that is used again in another district
    must not reach the key of the record that has it. Keys made before that lie without a district; they open
    and are destroyed as before, and `list_keys` names them with an empty district.
    """

    def __init__(self, folder: Path, masters: Sequence[bytes] = ()) -> None:
        self._folder = folder
        self._told = tuple(masters)

    def make(self, district_id: str, record_id: str) -> bytes:
        """A new key for a record, on disk before it is returned; it replaces that of an earlier try."""
        key = secrets.token_bytes(KEY_BYTES)
        self.put(district_id, record_id, key)
        return key

    def put(self, district_id: str, record_id: str, key: bytes) -> None:
        """Keep a key that was lost and came back."""
        master = self._masters(may_make=True)[0]
        write_private(self._path(district_id, record_id), _wrapped(master, key, record_id))

    def open(self, district_id: str, record_id: str) -> bytes:
        """The key of a record; NotFound when it was destroyed, StorageFailed when no master key opens it."""
        path = self._path(district_id, record_id)
        if not path.exists():
            path = self._path("", record_id)
        return self._open(path, record_id)

    def opens(self, district_id: str, record_id: str) -> bool:
        """Whether the record has a key that a master key opens."""
        try:
            self.open(district_id, record_id)
        except (NotFound, StorageFailed):
            return False
        return True

    def must_belong(self, installation_id: str, *, is_known: bool) -> None:
        """RuleBroken unless these keys are the installation's. A folder that does not say yet whose it is
        becomes its own when `is_known`: it is empty, or holds a key of a record that is there.
        """
        file = self._folder / OWNER_FILE
        owner = file.read_text("ascii").strip() if file.exists() else ""
        if not owner and is_known:
            write_private(file, installation_id.encode())
        elif owner != installation_id:
            raise RuleBroken(
                "vault.other_installation",
                en=f"The keys in {self._folder} belong to another installation than this database: is its"
                " address right, has its back-up been restored? No key is destroyed.",
                zh=f"{self._folder} 中的密钥不属于当前数据库对应的安装：请检查数据库地址，"
                "确认备份是否已恢复。未销毁任何密钥。",
            )

    def destroy(self, district_id: str, record_id: str) -> None:
        """Make a record unreadable for good; destroying it again changes nothing."""
        self.destroy_key(district_id, record_id)
        self.destroy_key("", record_id)

    def destroy_key(self, district_id: str, record_id: str) -> None:
        """Destroy the one key that `list_keys` names so, with the copy that an interrupted `rewrap` left."""
        path = self._path(district_id, record_id)
        _wipe(path.with_suffix(SCRATCH))
        _wipe(path)
        path.with_suffix(NEEDLESS).unlink(missing_ok=True)

    def list_keys(self) -> list[tuple[str, str]]:
        """District and record of every key there is."""
        here = [(path.parents[1].name, path.stem) for path in self._folder.glob(f"*/??/*{SUFFIX}")]
        return sorted([*here, *(("", path.stem) for path in self._folder.glob(f"??/*{SUFFIX}"))])

    def needless_since(self, district_id: str, record_id: str, now: datetime) -> datetime:
        """Since when no record has needed the key that `list_keys` names so: a note beside it says so."""
        note = self._path(district_id, record_id).with_suffix(NEEDLESS)
        if not note.exists():
            write_private(note, now.isoformat().encode())
        return datetime.fromisoformat(note.read_text("ascii"))

    def note_needed(self, keys: Set[tuple[str, str]]) -> None:
        """What these keys open is there again."""
        for note in self._folder.glob(f"**/*{NEEDLESS}"):
            district = note.parents[1].name if note.parents[1] != self._folder else ""
            if (district, note.stem) in keys:
                note.unlink()

    def clear_scratch(self) -> None:
        """Remove what was being written when the machine stopped: each may be a wrapped copy of a key."""
        for path in self._folder.glob(f"**/*{SCRATCH}"):
            _wipe(path)

    def rewrap(self) -> int:
        """Wrap every key by the first master key; how many were wrapped by an older one."""
        first, count = self._masters()[0], 0
        for district_id, record_id in self.list_keys():
            path = self._path(district_id, record_id)
            if path.read_bytes()[:MARK_BYTES] != _mark(first):
                write_private(path, _wrapped(first, self._open(path, record_id), record_id))
                count += 1
        return count

    def _open(self, path: Path, record_id: str) -> bytes:
        try:
            wrapped = path.read_bytes()
        except FileNotFoundError:
            raise NotFound(
                "record.erased", en="This was erased.", zh="该资料已销毁。", details={"record": record_id}
            ) from None
        mark, sealed = wrapped[:MARK_BYTES], wrapped[MARK_BYTES:]
        for master in self._masters():
            if _mark(master) == mark:
                return unseal(master, sealed, record_id)
        raise StorageFailed(
            "vault.wrong_master",
            en="The vault's master key is another one than its records were kept under.",
            zh="保密库主密钥与资料所用密钥不符。",
        )

    def _masters(self, *, may_make: bool = False) -> tuple[bytes, ...]:
        if self._told:
            return self._told
        file = self._folder / MASTER_FILE
        if file.exists():
            return (file.read_bytes(),)
        if not may_make or self.list_keys():
            raise StorageFailed(
                "vault.no_master",
                en=f"The vault's master key is missing: neither `vault_keys` nor {file.name} is there.",
                zh=f"缺少保密库主密钥：既未设置 vault_keys，也没有 {file.name}。",
            )
        master = secrets.token_bytes(KEY_BYTES)
        write_private(file, master)
        return (master,)

    def _path(self, district_id: str, record_id: str) -> Path:
        folder = self._folder / checked_code(district_id) if district_id else self._folder
        return folder / checked_id(record_id)[-2:] / f"{record_id}{SUFFIX}"


def _wrapped(master: bytes, key: bytes, record_id: str) -> bytes:
    return _mark(master) + seal(master, key, record_id)


def _mark(master: bytes) -> bytes:
    """Tells master keys apart without telling anything of them."""
    return hashlib.sha256(b"anshang master key" + master).digest()[:MARK_BYTES]


def _wipe(path: Path) -> None:
    """Overwrite the file with zeros, then remove it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    _sync(path.parent)


def write_private(path: Path, content: bytes) -> None:
    """Complete and on disk, or not at all; for nobody else to read."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = path.with_suffix(SCRATCH)
        with scratch.open("wb") as file:
            scratch.chmod(0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise StorageFailed(
            "vault.unwritable",
            en=f"The vault cannot keep a key: {error.strerror}. Nothing was saved.",
            zh=f"保密库无法保存密钥：{error.strerror}。未保存任何内容。",
        ) from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
