"""The duties a district begins with, read once from the file beside this one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from anshang.partners.model import DutyList

_told = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

LISTS = {one.id: one for one in msgspec.convert(_told["list"], list[DutyList])}
