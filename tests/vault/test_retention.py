"""Every promise of the privacy page is kept: what is over goes, what is not stays, and a look beforehand counts both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Date, Float, Integer, Table, insert, select
from tests.conftest import DISTRICT
from tests.vault.test_vault import MoveOn

import anshang.app  # noqa: F401 - knows every table
from anshang.foundation import clock, ids
from anshang.foundation.columns import Codes, Named, Numbered, UtcTime
from anshang.foundation.database import Database, metadata
from anshang.foundation.errors import NotAllowed
from anshang.journal import store as journal
from anshang.journal.model import EVERYWHERE
from anshang.people.model import Role, actor_of, engine_actor
from anshang.vault import retention
from anshang.vault.inventory import PERSONAL
from anshang.vault.retention import ACCOUNT_CLOSED, KEPT_ELSEWHERE, RULES, Rule

pytestmark = pytest.mark.postgres
WORDS = "写在这里的话"
PARTS: dict[str, Any] = {
    "answers": {"who": WORDS}, "agenda": [WORDS], "report": {"hazards": WORDS}, "crew": ("a", "b"),
    "people": ("a",), "skills": ("first-aid",), "lon": 112.9, "lat": 28.2,
}  # fmt: skip
JOURNALLED = "journal"


def test_every_personal_field_has_a_rule_or_says_where_its_end_is() -> None:
    ruled = [name for rule in RULES for name in rule.names]
    assert len(ruled) == len(set(ruled))
    assert set(ruled) | set(KEPT_ELSEWHERE) == set(PERSONAL)


def put(database: Database, table: Table, **told: Any) -> dict[str, Any]:
    """A row whose other columns hold what their types allow."""
    row = {column.name: told.get(column.name, value_of(column)) for column in table.c}
    if table.name == JOURNALLED:
        del row["seq"]
    with database.transaction(row["district_id"]) as tx:
        tx.connection.execute(insert(table).values(row))
    return row


def value_of(column: Any) -> Any:
    if column.name == "district_id":
        return DISTRICT
    if column.name in PARTS:
        return PARTS[column.name]
    if column.nullable:
        return None
    kind = column.type
    if isinstance(kind, Named | Numbered):
        return next(iter(kind.kind))
    plain = {
        UtcTime: clock.now(),
        Codes: (),
        JSON: {},
        Boolean: False,
        Float: 0.0,
        BigInteger: 0,
        Integer: 1,
        Date: clock.now().date(),
    }
    for one, value in plain.items():
        if isinstance(kind, one):
            return value
    return ids.new_id()[: kind.length or 36]


def ended_row(database: Database, rule: Rule) -> dict[str, Any]:
    """A row of the rule's table that ends now, with all that its path leads through."""
    table, home = metadata.tables[rule.table], DISTRICT if rule.district else EVERYWHERE
    words = {field: PARTS.get(field, WORDS) for field in rule.fields}
    if rule.table == "accounts":
        words["name"] = f"lin{ids.new_id()[-6:]}"
    first, *steps = rule.ended
    if not steps:
        now = clock.now()
        at = clock.to_ms(now) if isinstance(table.c[first].type, BigInteger) else now
        return put(database, table, **words, **{first: at})
    link = ids.new_id()
    if steps == [ACCOUNT_CLOSED]:
        if rule.district:
            put(database, metadata.tables["accounts"], id=link, district_id=EVERYWHERE, active=False)
        put(
            database, metadata.tables[JOURNALLED], district_id=EVERYWHERE, kind="account.changed",
            subject_id=link, at=clock.now(), chain="0" * 64, details_json="{}", drill=False,
        )  # fmt: skip
        return put(database, table, **words, **{first: link}, district_id=home, active=False)
    name, column = steps[0].split(".")
    put(database, metadata.tables[name], id=link, **{column: clock.now()})
    return put(database, table, **words, **{first: link})


def left(database: Database, rule: Rule, row: dict[str, Any]) -> list[dict[str, Any]]:
    table = metadata.tables[rule.table]
    key = [table.c[one.name] == row[one.name] for one in table.primary_key]
    with database.reading([DISTRICT]) as connection:
        return [dict(one._mapping) for one in connection.execute(select(table).where(*key))]


def over(database: Database, rule: Rule) -> int:
    home = DISTRICT if rule.district else EVERYWHERE
    with database.reading([home]) as connection:
        (found,) = [one for one in retention.due(connection, home, clock.now()) if one.rule == rule]
    return found.over_count


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: " ".join(rule.names))
def test_what_is_over_goes_and_not_a_day_earlier(database: Database, night: MoveOn, rule: Rule) -> None:
    home = DISTRICT if rule.district else EVERYWHERE
    row = ended_row(database, rule)
    night(rule.kept - timedelta(hours=1))
    assert over(database, rule) == 0
    assert " ".join(rule.names) not in retention.apply(database, home, actor=engine_actor(home))
    (kept,) = left(database, rule, row)
    assert {field: kept[field] for field in rule.fields} == {field: row[field] for field in rule.fields}
    night(timedelta(hours=2))
    assert over(database, rule) == 1
    assert retention.apply(database, home, actor=engine_actor(home))[" ".join(rule.names)] == 1
    assert over(database, rule) == 0
    after = left(database, rule, row)
    assert (after == []) is rule.removes_rows
    for one in after:
        assert not {one[field] for field in rule.fields if isinstance(one[field], str)} & {
            WORDS,
            row.get("name"),
        }
        assert not any(one[field] for field in rule.fields if not isinstance(one[field], str))
    with database.reading([home]) as connection:
        last = journal.last_of_kinds(connection, home, ["erasure.applied"])
    assert last is not None
    assert WORDS not in last.details_json
    assert retention.apply(database, home, actor=engine_actor(home)) == {}, "nothing is emptied twice"


def test_what_has_not_ended_is_never_over(database: Database, night: MoveOn) -> None:
    """An open matter keeps its words, an open account its name."""
    matter = put(database, metadata.tables["matters"], closed_at=None, text=WORDS)
    put(database, metadata.tables["matter_notes"], matter_id=matter["id"], text=WORDS)
    account = put(database, metadata.tables["accounts"], district_id=EVERYWHERE, active=True, name="wang")
    put(database, metadata.tables["members"], id=account["id"], skills=("drone",))
    night(timedelta(days=3650))
    for home in (DISTRICT, EVERYWHERE):
        assert retention.apply(database, home, actor=engine_actor(home)) == {}


def test_only_who_may_erase_applies_it(database: Database) -> None:
    wall = actor_of(ids.new_id(), "wall", Role.WALL, None, (DISTRICT,))
    with pytest.raises(NotAllowed):
        retention.apply(database, DISTRICT, actor=wall)
