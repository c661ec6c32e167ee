"""Identifiers."""

from __future__ import annotations

from uuid import UUID

import pytest

from anshang.foundation import ids
from anshang.foundation.errors import BadInput


def test_ids_are_uuid_version_7_and_sort_by_time() -> None:
    made = [ids.new_id() for _ in range(100)]
    assert {UUID(id).version for id in made} == {7}
    assert len(set(made)) == 100
    assert [id[:13] for id in made] == sorted(id[:13] for id in made)


@pytest.mark.parametrize(
    "text", ["", "x", "0190", "{01900000-0000-7000-8000-000000000000}", "01900000000070008000000000000000"]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        ids.checked_id(text)


@pytest.mark.parametrize("text", ["", "A", "a b", "-a", "a" * 65, "a;drop", "街"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        ids.checked_code(text)


def test_codes_and_ids_pass() -> None:
    id = ids.new_id()
    assert ids.checked_id(id) == id
    assert ids.checked_code("z29.east-door_1") == "z29.east-door_1"
