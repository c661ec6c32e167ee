"""A name stays on its line, is seen, and is no formula."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from anshang.web.shapes import Name

NAME = TypeAdapter(Name)


@pytest.mark.parametrize(
    "name", ["a\nb", "a\u202eb", "\u200b", "\u200d", "=HYPERLINK(1)", "+1", "-1", "@x", "a\u2028b"]
)
def test_what_is_no_name_on_one_line_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


@pytest.mark.parametrize("name", ["李娜", "O'Brien-Smith", "老人 👨\u200d👩", "gate counters", "a = b"])
def test_ordinary_names_are_taken(name: str) -> None:
    assert NAME.validate_python(name) == name
