"""The command line: what an operator does at the machine. A command parses, calls one action, reports.

A group of commands is loaded when it is asked for: the server need not hold what only a command uses.
"""

from pkgutil import resolve_name
from typing import Any

from typer.core import TyperGroup
from typer.main import get_group

from anshang.cli.installing import app

GROUPS = ("crowd", "dispatch", "journal", "lookout", "partner", "people", "place", "vault")


class _OnDemand(TyperGroup):
    """The commands of `installing`, and GROUPS."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in GROUPS:
            return super().get_command(ctx, cmd_name)
        group = get_group(resolve_name(f"anshang.cli.{cmd_name}:app"))
        group.name = cmd_name
        return group


app.info.cls = _OnDemand

__all__ = ["app"]
