"""The rules of the house (ARCHITECTURE.md): each is a few lines, with its reason."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "anshang"
FILES = sorted(path for path in SOURCE.rglob("*.py") if "static" not in path.parts)
CONSOLE = [
    path
    for path in (ROOT / "console").rglob("*")
    if path.suffix in {".ts", ".svelte", ".css"}
    and "node_modules" not in path.parts
    and "api" not in path.parts
]
TREES = {path: ast.parse(path.read_text("utf-8")) for path in FILES}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_go_down_only() -> None:
    """Upward imports knot a house for good; the storeys are a contract in pyproject.toml."""
    lint = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert lint.returncode == 0, lint.stdout


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_keeps_under_its_ceilings(path: Path) -> None:
    """What does not fit on a few screens is two things."""
    assert len(path.read_text("utf-8").splitlines()) <= 400
    assert {f.name: body_lines(f) for f in functions(TREES[path]) if body_lines(f) > 40} == {}


@pytest.mark.parametrize("path", CONSOLE, ids=name_of)
def test_a_console_file_keeps_under_its_ceiling(path: Path) -> None:
    """Components grow faster than modules."""
    assert len(path.read_text("utf-8").splitlines()) <= 250


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_import_stands_inside_a_function(path: Path) -> None:
    """A hidden import is a hidden storey."""
    inside = [
        f.name
        for f in functions(TREES[path])
        for n in ast.walk(f)
        if isinstance(n, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_no_two_files_of_tests_bear_one_name() -> None:
    """The runner would read only the first of them."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert {name for name in names if names.count(name) > 1} == set()


def test_only_two_places_catch_everything() -> None:
    """Anything else would swallow faults: the web's edge answers 500, the job runner reports and tries again."""
    catching = sorted(
        name_of(path)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    )
    assert catching == ["src/anshang/foundation/items.py", "src/anshang/web/errors.py"]


def test_only_the_database_file_asks_which_database_it_is() -> None:
    """One code path for both databases."""
    asking = [
        name_of(p)
        for p in FILES
        if re.search(r"is_sqlite|dialect\.name|get_backend_name", p.read_text("utf-8"))
    ]
    assert asking == ["src/anshang/foundation/database.py"]


def test_only_its_own_room_and_the_command_line_know_an_api() -> None:
    """A room is used through its actions, store and model."""
    knowing = {
        name_of(path)
        for path, tree in TREES.items()
        for module in imported(tree)
        if re.fullmatch(r"anshang\.\w+\.(\w+_)?api", module)
        and not (path.stem == "room" and module.split(".")[1] == path.parent.name)
    }
    assert knowing <= {
        "src/anshang/cli/__init__.py",
        "src/anshang/demonstration/running.py",
    }


def test_settings_are_seen_by_the_wiring_only() -> None:
    """Rooms take what they need as arguments."""
    seeing = {
        name_of(p)
        for p, tree in TREES.items()
        if "anshang.settings" in set(imported(tree)) and p.stem != "room"
    }
    allowed = {"app", "cli/installing", "cli/terminal", "demonstration/running"}
    assert seeing <= {f"src/anshang/{name}.py" for name in allowed}


FORBIDDEN = {
    "model": ("sqlalchemy", "fastapi", "pydantic", "anshang.foundation.clock", "anshang.foundation.database"),
    "store": ("fastapi", "pydantic", "anshang.journal.actions"),
    "actions": ("fastapi", "starlette", "pydantic", "sqlalchemy."),
    "api": ("sqlalchemy.select", "sqlalchemy.insert", "sqlalchemy.update", "sqlalchemy.Table"),
}


def part_of(path: Path) -> str:
    """Which of the four files of a room it is: `board_store.py` is a store."""
    return path.stem.rpartition("_")[2]


ROOM_FILES = [path for path in FILES if part_of(path) in FORBIDDEN and path.parent != SOURCE]


@pytest.mark.parametrize("path", ROOM_FILES, ids=name_of)
def test_each_file_of_a_room_answers_its_own_question(path: Path) -> None:
    """Rules without a database can be proved; SQL without rules can be replaced."""
    allowed = {"sqlalchemy.Connection", "sqlalchemy"} if part_of(path) == "actions" else set()
    wrong = [
        module
        for module in imported(TREES[path])
        if any(module == bad or module.startswith(bad.rstrip(".") + ".") for bad in FORBIDDEN[part_of(path)])
        and module not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("path", sorted((SOURCE / "kernels").glob("*.py")), ids=name_of)
def test_kernels_take_numbers_and_give_numbers(path: Path) -> None:
    """Pure functions can be measured and proved."""
    assert not [m for m in imported(TREES[path]) if m.startswith(("anshang.", "sqlalchemy", "fastapi"))
                and not m.startswith("anshang.kernels")]  # fmt: skip


@pytest.mark.parametrize("path", [p for p in FILES if part_of(p) == "store"], ids=name_of)
def test_every_question_to_a_store_names_its_scope(path: Path) -> None:
    """A query that forgets the district shows one district to another."""
    installation_wide = {  # accounts, bodies, sessions and the list of districts belong to the installation
        "find_account_by_name", "list_accounts", "count_accounts", "list_bodies", "find_feed_by_key", "find_session",
        "remove_session", "remove_sessions_of", "remove_expired_sessions", "names_of", "add_session",
        "list_districts", "list_district_ids", "list_real_district_ids",
    }  # fmt: skip
    unscoped = [
        f.name
        for f in TREES[path].body
        if isinstance(f, ast.FunctionDef)
        and not f.name.startswith("_")
        and f.name not in installation_wide
        and not {"district_id", "district_ids", "scope", "tx"}
        & {a.arg for a in (*f.args.args, *f.args.kwonlyargs)}
    ]
    assert unscoped == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_says_what_it_keeps(path: Path) -> None:
    """A newcomer reads the first lines only."""
    assert ast.get_docstring(TREES[path])


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_public_function_says_what_it_does(path: Path) -> None:
    """Units, shapes and errors are part of a signature."""
    silent = [
        f.name
        for f in TREES[path].body
        if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not f.name.startswith("_")
        and not ast.get_docstring(f)
    ]
    assert silent == []


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    """Such names become attics."""
    empty = {"utils", "util", "common", "core", "helpers", "services", "managers", "misc", "data", "info"}
    assert [name_of(path) for path in FILES if empty & {path.stem, *path.relative_to(SOURCE).parts}] == []


def test_time_comes_from_the_clock_only() -> None:
    """A test that stands the clock must stand all of it."""
    asking = [
        name_of(path)
        for path in FILES
        if re.search(r"datetime\.now\(|datetime\.utcnow|time\.time\(|date\.today\(", path.read_text("utf-8"))
    ]
    assert asking == ["src/anshang/foundation/clock.py"]
