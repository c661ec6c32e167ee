"""The background loops: what cannot be saved keeps nobody's numbers back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from anshang.crowds import actions, store
from anshang.crowds.ingest import Intake, Row
from anshang.crowds.model import Level
from anshang.crowds.outlook import Outlooks
from anshang.crowds.watch import Watch
from anshang.dispatch.dispatcher import Dispatcher
from anshang.drills.playing import Player
from anshang.foundation import clock
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import StorageFailed
from anshang.lookouts.sweep import LookoutSweep
from anshang.partners.doors import DoorBook
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.model import operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from anshang.vault.keys import Keyring
from anshang.web.live import Hub
from anshang.worker import Worker
from tests.crowds.conftest import line, row_of_zones

MoveOn = Callable[[timedelta], None]
BROKEN, WELL = "a", "b"


def prepare(database: Database, district_id: str) -> None:
    """A district with a counter at every gate."""
    document = json.loads(row_of_zones())
    document["anshang"]["district"]["id"] = district_id
    actor = operator_actor(district_id)
    with database.transaction(district_id) as tx:
        places.import_document(tx, actor=actor, document=json.dumps(document).encode())
        for number in range(4):
            sensor = replace(line(f"g{number}"), district_id=district_id)
            actions.define_sensor(tx, actor=actor, sensor=sensor)


def test_a_district_that_cannot_be_saved_shows_its_crowd_and_stops_no_other(
    database: Database, night: MoveOn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for district_id in (BROKEN, WELL):
        prepare(database, district_id)
    watch = Watch(database)
    watch.load_all()
    whereabouts = Whereabouts(database)
    dispatcher = Dispatcher(database, watch, whereabouts)
    settings = Settings(data_folder=tmp_path)
    intake = Intake(database, watch.taken, watch.turnstile)
    keyring = Keyring(tmp_path)
    worker = Worker(
        settings,
        database,
        watch,
        Hub(database),
        whereabouts,
        dispatcher,
        Outlooks(database, watch),
        keyring,
        LookoutSweep(database, keyring, DoorBook(watch)),
        Player(database, intake, watch, keyring),
    )
    whole = database.transaction

    def transaction(district_id: str) -> AbstractContextManager[Transaction]:
        if district_id == BROKEN:
            raise StorageFailed("storage.failed", en="full", zh="满")
        return whole(district_id)

    monkeypatch.setattr(database, "transaction", transaction)
    for entered in (3500, 0):
        at = clock.now().isoformat()
        for district_id in (BROKEN, WELL):
            intake.take_rows(district_id, [Row(f"g{n}", at, 0 if n else entered, 0) for n in range(4)])
        worker.step()
        night(timedelta(seconds=70 if entered else 0))
    worker.step()
    for district_id in (BROKEN, WELL):
        frame = json.loads(watch.full_frame(district_id) or b"{}")
        assert (frame["at"], frame["zones"]["z0"]["level"]) == (clock.now().isoformat(), 3)
    with database.reading([BROKEN, WELL]) as connection:
        assert [state.level for state in store.list_zone_states(connection, WELL)] == [Level.ALERT]
        assert store.list_zone_states(connection, BROKEN) == []
