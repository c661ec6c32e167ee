"""The pages of docs/guide that say what the code says: made by `make docs`, compared by a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from fastapi.routing import APIRoute

import anshang
from anshang import cli
from anshang.rooms import ROOMS
from anshang.settings import Settings
from anshang.vault.inventory import IMPERSONAL, PERSONAL

GUIDE = Path(__file__).parents[1] / "docs" / "guide"


def settings_page() -> str:
    """Every setting with its default and what it is for."""
    source = Path(anshang.__file__).with_name("settings.py").read_text("utf-8")
    (described,) = (n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == "Settings")
    rows = []
    for field, says in zip(described.body[1:], described.body[2:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(says, ast.Expr)
            and isinstance(says.value, ast.Constant)
        ):
            name = ast.unparse(field.target)
            default = "" if name == "mqtt_password" else str(getattr(Settings(), name))
            rows.append(f"| `{name}` | `{default}` | {' '.join(str(says.value.value).split())} |")
    return (
        "# Settings\n\nThey stand in `anshang.toml` in the data folder, or in the environment as `ANSHANG_` and the name in\n"
        "capitals; the environment wins. Rules of a district (levels, clocks) are not settings: they are data, changed under\n"
        "Admin.\n\n| setting | default | what it is for |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def routes() -> Iterator[tuple[str, str, str]]:
    """Method, path and first line of every route."""
    for route in (route for room in ROOMS for router in room.routers for route in router.routes):
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield method, route.path, (route.description or "").partition("\n")[0]


def api_page() -> str:
    """Every route."""
    rows = [
        f"| {method} | `{path}` | {says} |"
        for method, path, says in sorted(routes(), key=lambda r: (r[1], r[0]))
    ]
    return (
        "# The API\n\nThe whole description (OpenAPI) is at `/api/openapi.json` and from `anshang openapi`. Most routes take\n"
        "`?district=`. A browser signs in and sends the session's `csrf_token` as `X-CSRF-Token` with every write; a feed sends\n"
        '`Authorization: Bearer KEY`. A refusal is `{"error", "message": {"en", "zh"}, "details"}`.\n\n'
        "| method | path | what it does |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def kinds() -> Iterator[tuple[str, str]]:
    """Room and journal kind of everything that can happen."""
    for room in ROOMS:
        yield from ((room.name, str(kind)) for events in room.events for kind in events)


def journal_page() -> str:
    """Every kind of entry."""
    rows = [f"| {room} | `{kind}` |" for room, kind in sorted(kinds())]
    return (
        "# What the journal knows\n\nEvery verb writes one entry: its number, instant, district, who acted, the kind, the subject's id and\n"
        "figures. Entries can neither be changed nor removed; `anshang journal verify` recomputes the chain over all of them.\n\n"
        "| room | kind |\n|---|---|\n" + "\n".join(rows) + "\n"
    )


def commands(command: Any = None, path: str = "anshang") -> Iterator[tuple[str, Any]]:
    """Every command of the command line with its full name."""
    command = command or typer.main.get_command(cli.app)
    if hasattr(command, "commands"):
        context = command.context_class(command)
        for name in sorted(command.list_commands(context)):
            yield from commands(command.get_command(context, name), f"{path} {name}")
    else:
        yield path, command


def commands_page() -> str:
    """Every command with its options."""
    parts = []
    for path, command in commands():
        told = [
            (" ".join(p.opts), getattr(p, "help", None) or "") for p in command.params if p.name != "help"
        ]
        lines = [f"- `{names}` {says}".rstrip() for names, says in told]
        parts.append(
            f"## {path}\n\n{(command.help or '').strip()}\n\n" + "\n".join(lines) + ("\n" if lines else "")
        )
    return "# The command line\n\n" + "\n".join(part.rstrip() + "\n" for part in parts)


def privacy_page() -> str:
    """Every personal field with its class, purpose and retention."""
    personal = [
        f"| `{name}` | {field.of} | {field.purpose} | {field.retention} |" for name, field in PERSONAL.items()
    ]
    impersonal = [f"| `{name}` | {why} |" for name, why in IMPERSONAL.items()]
    return (
        "# What is known of people, what for, and how long\n\n"
        "Counts, not identities: no sensor tells who somebody is. What members of the public tell us lies in the vault alone,\n"
        "each record under a key of its own; reading it needs the purpose it was given for and is journalled. When its time is over\n"
        "the key is destroyed, and with it every copy, also in back-ups, which hold no keys. Coordinates of a look-out say where\n"
        "somebody was last seen, not who. A test compares this list with the tables: a new field that can hold words fails the\n"
        "build until somebody has decided what it is. `anshang vault retention` counts, for each row, what is over; the nightly erasure\n"
        "empties by the same list (`vault/retention.py`), while the clock can be trusted. Entries of the journal hold ids and figures and\n"
        "stay: once a display name is gone, nobody can tell whose id it was.\n\n"
        "| field | whose | what for | how long |\n|---|---|---|---|\n"
        + "\n".join(personal)
        + "\n\n## Fields that can hold words, and hold nothing about anybody\n\n| field | why |\n|---|---|\n"
        + "\n".join(impersonal)
        + "\n"
    )


PAGES = {
    "privacy.md": privacy_page,
    "settings.md": settings_page,
    "api.md": api_page,
    "journal.md": journal_page,
    "commands.md": commands_page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (GUIDE / name).write_text(page(), "utf-8")
