"""A name stays on its line, is seen, and is no formula."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from anshang.volunteers.api import Telephone
from anshang.web.shapes import LongName, Name, Title

NAME = TypeAdapter(Name)
TITLE, TELEPHONE = TypeAdapter(Title), TypeAdapter(Telephone)


@pytest.mark.parametrize(
    "name", ["a\nb", "a\u202eb", "\u200b", "\u200d", "=HYPERLINK(1)", "+1", "-1", "@x", "a\u2028b"]
)
def test_what_is_no_name_on_one_line_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


@pytest.mark.parametrize("name", ["李娜", "O'Brien-Smith", "老人 👨\u200d👩", "gate counters", "a = b"])
def test_ordinary_names_are_taken(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize("words", ["a\nb", "a\u202eb", "\u200b"])
@pytest.mark.parametrize("kind", [TITLE, TELEPHONE])
def test_titles_and_telephones_are_on_one_line_too(kind: TypeAdapter[str], words: str) -> None:
    with pytest.raises(ValidationError):
        kind.validate_python(words)


def test_a_telephone_begins_with_plus_and_a_title_with_any_sign() -> None:
    assert TELEPHONE.validate_python("+86 138 0000 0000") == "+86 138 0000 0000"
    assert TITLE.validate_python("-50% 周末市集") == "-50% 周末市集"


def test_an_organisation_s_name_may_be_longer() -> None:
    assert TypeAdapter(LongName).validate_python("商" * 120) == "商" * 120
