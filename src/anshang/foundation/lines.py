"""Text on one line: what is a name, and how a spreadsheet is kept from computing what others wrote."""

from __future__ import annotations

from unicodedata import category

from anshang.foundation.errors import BadInput

UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co"})
JOINERS = frozenset("\u200c\u200d")
"""Some scripts and signs need them between visible characters."""
FORMULA_SIGNS = frozenset("=+-@\t\r\n＝＋－＠")
"""A cell that begins with one may be computed (OWASP, CSV injection)."""


def is_on_one_line(text: str) -> bool:
    """Whether it stays on its line, is not turned round, and shows something."""
    unseen = [character for character in text if category(character) in UNSEEN]
    return not set(unseen) - JOINERS and len(unseen) < len(text)


def is_name(text: str) -> bool:
    """Whether it is on one line and begins no formula."""
    return is_on_one_line(text) and text[0] not in FORMULA_SIGNS


def check_names(*names: str) -> None:
    """BadInput when one of them is no name."""
    if not all(map(is_name, names)):
        raise BadInput(
            "name.not_on_one_line",
            en="A name is on one line, can be seen, and does not begin with = + - or @.",
            zh="名称须为单行可见文字，且不能以 = + - @ 开头。",
        )


def check_changed_names(before: object | None, after: object, *fields: str) -> None:
    """BadInput when a field of `after` that is not as it was `before` is no name: what was entered under
    older rules is kept as it is while something else is changed.
    """
    changed = [name for name in fields if before is None or getattr(before, name) != getattr(after, name)]
    check_names(*(getattr(after, name) for name in changed))


def cell(text: str) -> str:
    """The text as a cell of a CSV file that a spreadsheet shows and does not compute."""
    return f"'{text}" if text[:1] in FORMULA_SIGNS else text
