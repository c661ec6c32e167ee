"""The ladder a district begins with, read once from the file beside this one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from anshang.dispatch.model import Ladder

_told = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

DEFAULT = msgspec.convert({**_told, "rungs": _told.pop("rung")}, Ladder)
