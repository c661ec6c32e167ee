"""Every field that can hold words was decided upon: whose it is, what for and how long, or why it is nobody's."""

from __future__ import annotations

from sqlalchemy import JSON, Float, LargeBinary, String, Table, Text

import anshang.app  # noqa: F401 - knows every table
from anshang.foundation.columns import Codes
from anshang.foundation.database import metadata
from anshang.vault.inventory import IMPERSONAL, PERSONAL

CODE_LENGTH = 64
"""A column of that length or less holds an id, a code or a digest."""
NAMES_AND_PLACES = ("name", "lon", "lat")


def can_hold_words(table: Table) -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for column in table.c
        if isinstance(column.type, Text | JSON | LargeBinary | Codes)
        or (isinstance(column.type, String) and (column.type.length or 999) > CODE_LENGTH)
        or (column.name in NAMES_AND_PLACES and table.name in ("accounts", "unit_positions"))
    }


def test_every_field_that_can_hold_words_is_in_the_inventory() -> None:
    there = set().union(*(can_hold_words(table) for table in metadata.sorted_tables))
    assert there - set(PERSONAL) - set(IMPERSONAL) == set(), "say whose it is, what for, and how long"
    known = {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.c}
    assert (set(PERSONAL) | set(IMPERSONAL)) - known == set(), "no longer there"


def test_a_personal_field_has_a_class_a_purpose_and_a_retention() -> None:
    assert set(PERSONAL) & set(IMPERSONAL) == set()
    assert all(field.purpose and field.retention for field in PERSONAL.values())


def test_only_the_vault_holds_the_public_and_nothing_holds_a_face() -> None:
    """Pictures, or anything else that is not text, are in the vault alone."""
    binary = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, LargeBinary)
    }
    assert binary == {"vault_records.sealed"}
    assert not any(isinstance(c.type, Float) for c in metadata.tables["vault_records"].c)
