"""Small files that a person sends: read by what knows their form, in the zone of their district."""

from __future__ import annotations

import tempfile
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from zoneinfo import ZoneInfo

from anshang.places import store as places
from anshang.web.session import Caller

FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def read_upload(reader: str, caller: Caller, district: str, name: str, content: bytes) -> Any:
    """What `reader` ("module:function", loaded only here for its libraries) makes of a file, whose kind its
    first bytes tell; refusals call it by `name`.
    """
    with caller.reading(district) as connection:
        zone = ZoneInfo(places.get_district(connection, district).time_zone)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        return resolve_name(reader)(file, zone)
