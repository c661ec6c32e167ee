"""The vault's keys in one file, under a passphrase: for the day on which the disk is lost. No back-up holds
them, so the file is kept apart from back-ups. Whoever has both reads what was erased since, until the file
is destroyed; bringing keys back never brings back those of erased records.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Any

from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, RuleBroken, StorageFailed
from anshang.foundation.installation import installation_id
from anshang.vault import actions
from anshang.vault.keys import Keyring, seal, unseal

MARK = b"anshang vault keys 1\n"
SALT_BYTES = 16
PASSPHRASE_CHARACTERS_MIN = 12
SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024, "dklen": 32}
"""scrypt (RFC 7914): 32 MB and about a tenth of a second for each try."""


def pack_keys(database: Database, keyring: Keyring, passphrase: str) -> bytes:
    """Every key of the vault, and whose they are, under the passphrase; BadInput when it is too short."""
    if len(passphrase) < PASSPHRASE_CHARACTERS_MIN:
        raise BadInput(
            "vault.passphrase",
            en=f"The passphrase has at least {PASSPHRASE_CHARACTERS_MIN} characters.",
            zh=f"口令至少 {PASSPHRASE_CHARACTERS_MIN} 个字符。",
        )
    keys = {"/".join(key): base64.b64encode(keyring.open(*key)).decode() for key in keyring.list_keys()}
    content = json.dumps({"installation": _id_of(database), "keys": keys}).encode()
    salt = secrets.token_bytes(SALT_BYTES)
    return MARK + salt + seal(_derived(passphrase, salt), content, MARK.decode())


def bring_back_keys(
    database: Database, keyring: Keyring, district_ids: Sequence[str], packed: bytes, passphrase: str
) -> int:
    """Give records that cannot be read their keys again; how many. Keys of records that are erased, or not
    there, are left out. BadInput for another file or passphrase, RuleBroken for another installation's.
    """
    told = _unpacked(packed, passphrase)
    if told["installation"] != _id_of(database):
        raise RuleBroken(
            "vault.other_installation",
            en="These keys are those of another installation.",
            zh="该密钥文件属于其他安装。",
        )
    count = 0
    for district_id in district_ids:
        with database.reading([district_id]) as connection:
            missing = actions.list_unreadable_ids(connection, keyring, district_id)
        for record_id in missing:
            key = told["keys"].get(f"{district_id}/{record_id}") or told["keys"].get(f"/{record_id}")
            if key is not None:
                keyring.put(district_id, record_id, base64.b64decode(key))
                count += 1
    return count


def _unpacked(packed: bytes, passphrase: str) -> dict[str, Any]:
    rest = packed.removeprefix(MARK)
    try:
        content = unseal(_derived(passphrase, rest[:SALT_BYTES]), rest[SALT_BYTES:], MARK.decode())
    except (StorageFailed, ValueError):
        raise BadInput(
            "vault.unreadable_export",
            en="This is no export of a vault's keys, or the passphrase is another.",
            zh="该文件不是保密库密钥导出文件，或口令不正确。",
        ) from None
    told: dict[str, Any] = json.loads(content)
    return told


def _derived(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, **SCRYPT)


def _id_of(database: Database) -> str:
    with database.reading() as connection:
        return installation_id(connection)
