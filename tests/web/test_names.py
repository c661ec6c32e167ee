"""A name stays on its line, is seen, and is no formula."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from tests.conftest import DISTRICT
from tests.dispatch.conftest import a_unit, begun
from tests.serving import open_account, signed_in

from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.patrols import store as patrols
from anshang.people import store as people
from anshang.people.model import Role
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


OLD = "=entered under older rules"
HERE = f"?district={DISTRICT}"


def test_an_account_whose_old_name_would_be_none_today_can_be_changed_in_all_else(
    app: FastAPI, database: Database
) -> None:
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    name = open_account(database, Role.PATROL, DISTRICT)
    with database.transaction(EVERYWHERE) as tx:
        account = people.find_account_by_name(tx.connection, name)
        assert account is not None
        account = people.accounts.put(tx, replace(account, display_name=OLD))
    told = {
        "version": account.version, "display_name": OLD, "role": "volunteer", "body_id": None,
        "district_ids": [DISTRICT], "active": True,
    }  # fmt: skip
    answer = admin.patch(f"/api/people/{account.id}", json=told)
    assert (answer.status_code, answer.json()["role"]) == (200, "volunteer")
    again = told | {"version": answer.json()["version"], "display_name": "@new"}
    refused = admin.patch(f"/api/people/{account.id}", json=again)
    assert (refused.status_code, refused.json()["error"]) == (400, "name.not_on_one_line")


@pytest.mark.usefixtures("district_place")
def test_a_unit_keeps_an_old_name_while_something_else_of_it_changes(
    app: FastAPI, database: Database
) -> None:
    begun(database, a_unit("k1", "officer_pair"))
    with database.transaction(DISTRICT) as tx:
        unit = patrols.units.get(tx.connection, DISTRICT, "k1")
        unit = patrols.units.put(tx, replace(unit, name_en=OLD))
    admin = signed_in(app, Role.ADMIN, DISTRICT)
    told = {
        "kind_id": unit.kind_id, "call_sign": "K9", "name_zh": unit.name_zh, "name_en": OLD,
        "version": unit.version,
    }  # fmt: skip
    assert admin.put(f"/api/units/k1{HERE}", json=told).status_code == 200
    for wrong in ({"name_zh": "=x"}, {"call_sign": "@x"}):
        refused = admin.put(f"/api/units/k1{HERE}", json=told | wrong | {"version": unit.version + 1})
        assert (refused.status_code, refused.json()["error"]) == (400, "name.not_on_one_line")
