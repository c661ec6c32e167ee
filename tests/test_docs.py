"""The documents say what the code says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests import docs

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", sorted(docs.PAGES))
def test_a_page_made_from_the_code_is_up_to_date(name: str) -> None:
    """Run `make docs` when this fails."""
    assert (docs.GUIDE / name).read_text("utf-8") == docs.PAGES[name]()


def test_every_dependency_is_named_in_the_readme_with_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    names = {re.split(r"[<>=\[; ]", dependency)[0] for dependency in wanted}
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {name for name in names if f"`{name}`" not in readme} == set()


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        (page.name, target)
        for page in pages
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]


def test_the_readme_promises_what_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    promised = set(re.findall(r"make (\w+)", (ROOT / "README.md").read_text("utf-8")))
    assert {name for name in promised if not re.search(rf"^{name}:", makefile, re.M)} == set()


def test_every_term_stands_once_in_the_glossary_with_its_chinese() -> None:
    rows = [
        line.split("|")[1:4]
        for line in (ROOT / "GLOSSARY.md").read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    terms = [row[0].strip() for row in rows[1:]]
    assert len(terms) == len(set(terms))
    assert [row[0] for row in rows[1:] if not re.search(r"[一-鿿]", row[1]) or not row[2].strip()] == []


def test_everything_that_can_happen_has_its_words_in_both_languages() -> None:
    """No screen shows `lookout.opened`: what has no words there is shown as it is."""
    vocabulary = ROOT / "console" / "desk" / "src" / "vocabulary"
    told = "".join((vocabulary / name).read_text("utf-8") for name in ("kinds.ts", "togetherKinds.ts"))
    entries = {kind for _, kind in docs.kinds()}
    assert {kind for kind in entries if told.count(f'"{kind}":') != 2} == set()
