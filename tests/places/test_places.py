"""Taking places in and giving them out, on a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.conftest import DISTRICT, Make

from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput, NotAllowed, NotFound
from anshang.journal import store as journal
from anshang.journal.model import Entry
from anshang.people.model import Role
from anshang.places import actions, store
from anshang.places.document import read_document, to_text
from anshang.places.model import Place, PlaceKind, Thresholds

pytestmark = pytest.mark.postgres
Document = dict[str, Any]


@pytest.fixture
def admin(make: Make) -> Actor:
    """Somebody who may edit places."""
    return make.actor(Role.ADMIN)


def taken(database: Database, actor: Actor, document: Document) -> Place:
    with database.transaction(DISTRICT) as tx:
        return actions.import_document(tx, actor=actor, document=to_text(document).encode())


def loaded(database: Database) -> Place:
    with database.reading([DISTRICT]) as connection:
        return store.load(connection, DISTRICT)


def entries(database: Database) -> list[Entry]:
    with database.reading([DISTRICT]) as connection:
        return journal.list_after(connection, DISTRICT, 0)


def test_what_was_taken_in_is_what_is_loaded(database: Database, admin: Actor, sample: Document) -> None:
    place = taken(database, admin, sample)
    assert place.district.version == 1
    assert loaded(database) == place


def test_an_export_is_the_document_that_came_in(database: Database, admin: Actor, sample: Document) -> None:
    sample["features"][-1]["properties"]["zone"] = "z02"
    sample["anshang"]["district"]["credit"] = {"zh": "某人", "en": "Somebody"}
    taken(database, admin, sample)
    with database.reading([DISTRICT]) as connection:
        exported = actions.export_document(connection, DISTRICT)
    assert exported == sample
    taken(database, admin, exported)
    with database.reading([DISTRICT]) as connection:
        assert actions.export_document(connection, DISTRICT) == exported


def test_a_document_replaces_the_whole_place_and_the_version_grows(
    database: Database, admin: Actor, sample: Document
) -> None:
    taken(database, admin, sample)
    sample["features"] = sample["features"][:1]
    sample["anshang"]["district"]["name"]["en"] = "Wuyi, smaller"
    place = taken(database, admin, sample)
    assert place.counts == {"zones": 1, "gates": 0, "walkways": 0, "premises": 0, "posts": 0}
    assert (place.district.version, place.district.name_en) == (2, "Wuyi, smaller")
    assert loaded(database) == place


def test_an_import_is_journalled_with_counts_only(database: Database, admin: Actor, sample: Document) -> None:
    taken(database, admin, sample)
    (entry,) = entries(database)
    assert (entry.kind, entry.subject_id, entry.actor_id) == (PlaceKind.PLACE_IMPORTED, DISTRICT, admin.id)
    assert entry.details == {
        "zones": 2, "gates": 2, "walkways": 3, "premises": 1, "posts": 1, "version": 1
    }  # fmt: skip


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_an_administrator_may_import(
    database: Database, make: Make, sample: Document, role: Role
) -> None:
    with pytest.raises(NotAllowed):
        taken(database, make.actor(role), sample)
    assert entries(database) == []


def test_nobody_imports_into_a_district_not_theirs(database: Database, make: Make, sample: Document) -> None:
    with pytest.raises(NotAllowed):
        taken(database, make.actor(Role.ADMIN, "other"), sample)


def test_a_refused_document_leaves_everything_as_it_was(
    database: Database, admin: Actor, sample: Document
) -> None:
    before = taken(database, admin, sample)
    sample["features"][0]["properties"]["usable_m2"] = 1e6
    with pytest.raises(BadInput, match="usable_m2"):
        taken(database, admin, sample)
    assert loaded(database) == before
    assert len(entries(database)) == 1


def test_the_document_of_another_district_is_refused(
    database: Database, admin: Actor, sample: Document
) -> None:
    sample["anshang"]["district"]["id"] = "sanlitun"
    with pytest.raises(BadInput, match="sanlitun"):
        taken(database, admin, sample)
    assert entries(database) == []


def test_a_district_that_is_not_there_is_not_found(database: Database) -> None:
    with database.reading([DISTRICT]) as connection:
        assert store.find_district(connection, DISTRICT) is None
        with pytest.raises(NotFound):
            store.load(connection, DISTRICT)
        with pytest.raises(NotFound):
            actions.export_document(connection, DISTRICT)


def test_only_the_districts_asked_for_are_listed(database: Database, admin: Actor, sample: Document) -> None:
    taken(database, admin, sample)
    with database.reading([DISTRICT, "other"]) as connection:
        assert [d.id for d in store.list_districts(connection, [DISTRICT, "other"])] == [DISTRICT]
        assert store.list_districts(connection, ["other"]) == []
        assert store.list_districts(connection, []) == []
        assert store.list_district_ids(connection) == [DISTRICT]


def test_two_districts_do_not_touch_each_other(database: Database, make: Make, sample: Document) -> None:
    first = taken(database, make.actor(Role.ADMIN), sample)
    sample["anshang"]["district"]["id"] = "other"
    sample["features"] = sample["features"][:1]
    with database.transaction("other") as tx:
        actor = make.actor(Role.ADMIN, "other")
        actions.import_document(tx, actor=actor, document=to_text(sample).encode())
    assert loaded(database) == first


def test_the_small_hours_belong_to_the_day_before(sample: Document) -> None:
    district = read_document(to_text(sample).encode()).district
    assert district.day_of(datetime(2026, 12, 31, 20, 59, tzinfo=UTC)) == date(2026, 12, 31)
    assert district.day_of(datetime(2026, 12, 31, 21, 0, tzinfo=UTC)) == date(2027, 1, 1)
    assert district.local(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)).hour == 0


@pytest.mark.parametrize(
    ("rises", "falls", "sound"),
    [
        ((1, 2, 3, 4), (0.8, 1.6, 2.5, 3), True),
        ((1, 2, 3, 4), (1, 1.6, 2.5, 3), False),
        ((0, 2, 3, 4), (0.8, 1.6, 2.5, 3), False),
        ((1, 3, 2, 4), (0.8, 1.6, 1.5, 3), False),
        ((1, 2, 3, 4), (0.8, 1.6, 2.5, 0), False),
    ],
)
def test_thresholds_are_sound_when_they_grow_and_fall_below(
    rises: tuple[float, float, float, float], falls: tuple[float, float, float, float], sound: bool
) -> None:
    assert Thresholds(rises, falls).sound is sound


@pytest.mark.slow
def test_ten_thousand_features_come_back_whole(
    database: Database, admin: Actor, grid: Callable[[int], Document]
) -> None:
    taken(database, admin, grid(5000))
    place = loaded(database)
    assert len(place.zones) + len(place.walkways) == 10_000
