"""Identifiers: UUIDv7 (RFC 9562), sortable by the time they were minted, made by whoever starts the
action.
"""

from __future__ import annotations

import os
import re
import time
from uuid import UUID, uuid5

from anshang.foundation.errors import BadInput

CODE_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"


def new_id() -> str:
    """A fresh UUIDv7 in its canonical text form: 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(UUID(int=value))


def derived(id: str, name: str) -> str:
    """The id of a part of the action with this id: the same name always gives the same one (UUIDv5)."""
    return str(uuid5(UUID(checked_id(id)), name))


def checked_id(text: str) -> str:
    """`text` when it is a canonical UUID; BadInput otherwise."""
    try:
        valid = str(UUID(text)) == text
    except ValueError:
        valid = False
    if not valid:
        raise BadInput(
            "id.malformed", en=f"“{text[:80]}” is not a UUID.", zh=f"“{text[:80]}”不是有效的 UUID。"
        )
    return text


def checked_code(text: str) -> str:
    """`text` when it is a short code people give to districts, zones or sensors; BadInput otherwise."""
    if not re.fullmatch(CODE_PATTERN, text):
        raise BadInput(
            "code.malformed",
            en=f"“{text[:80]}” is not a code: small letters, digits, dot, dash, underscore, at most 64.",
            zh=f"“{text[:80]}”不是有效代码：只能用小写字母、数字、点、短横、下划线，最多 64 个字符。",
        )
    return text


_DRILL = re.compile(r"-drill(-[0-9a-f]{12})?$")
"""How the code of a copy for a drill ends; without the number in copies of earlier releases."""


def drill_of(district_id: str, drill_id: str) -> str:
    """The code of the copy of a district on which this drill plays, and no other."""
    return f"{district_id}-drill-{drill_id[-12:]}"


def real_of(district_id: str) -> str:
    """The code of the district that a copy for a drill is of; any other's is its own."""
    return _DRILL.sub("", district_id)


def is_drill(district_id: str) -> bool:
    """Whether the district is a copy for a drill: nothing that happens there enters any figure."""
    return _DRILL.search(district_id) is not None
