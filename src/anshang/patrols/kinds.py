"""The kinds of unit a district begins with, read once from the file beside this one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import MappingProxyType

import msgspec

from anshang.patrols.model import UnitKind

_told = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))["kind"]

KINDS = MappingProxyType({one.id: one for one in msgspec.convert(_told, list[UnitKind])})
"""By id, in the order in which they are shown."""
