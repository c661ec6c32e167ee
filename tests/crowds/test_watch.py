"""The engines of a process: fed with what is on disk, saved when something changes, whole after a restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.conftest import DISTRICT, NIGHT
from tests.crowds.conftest import head, line, row_of_zones

from anshang.crowds import actions, alarms, store
from anshang.crowds.ingest import Intake, Row
from anshang.crowds.minutes import MinuteKeeper
from anshang.crowds.model import CrowdKind, Level, ZoneState
from anshang.crowds.outlook import Outlooks
from anshang.crowds.telemetry import zone_history_table
from anshang.crowds.watch import Watch, sensor_health
from anshang.foundation import clock
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import StorageFailed
from anshang.foundation.items import ItemsFailed
from anshang.journal import store as journal
from anshang.matters import store as matters
from anshang.people.model import engine_actor, operator_actor
from anshang.places import actions as places

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]


@pytest.fixture
def watch(database: Database, night: MoveOn) -> Watch:
    """A watched district with a counter at every gate and a head counter over z1."""
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=row_of_zones())
        for sensor in (*(line(f"g{n}") for n in range(4)), head("z1")):
            actions.define_sensor(tx, actor=operator_actor(DISTRICT), sensor=sensor)
    watch = Watch(database)
    watch.load(DISTRICT)
    return watch


def tell(database: Database, watch: Watch, people: int, entered: int = 0) -> None:
    """One round of every sensor, now."""
    at = clock.now().isoformat()
    rows = [Row(f"g{n}", at, entered if n < 2 else 0, 0) for n in range(4)]
    receipt = Intake(database, watch.taken, watch.turnstile).take_rows(
        DISTRICT, [*rows, Row("hz1", at, people=people)]
    )
    assert receipt.refused == []


def step(watch: Watch) -> None:
    """What the worker does once a second."""
    watch.step(DISTRICT)
    watch.save_changes(DISTRICT)


def fill(database: Database, watch: Watch, night: MoveOn, rounds: int = 8) -> None:
    """Fill z1 to 3,200 people, 3.2 a square metre, and hold it."""
    tell(database, watch, 3200, 3200)
    step(watch)
    for _ in range(rounds):
        night(timedelta(seconds=10))
        tell(database, watch, 3200)
        step(watch)


def test_a_dense_zone_becomes_a_matter_in_the_queue(database: Database, watch: Watch, night: MoveOn) -> None:
    fill(database, watch, night)
    with database.reading([DISTRICT]) as connection:
        (matter,) = matters.list_waiting(connection, engine_actor(DISTRICT).scope, DISTRICT)
    assert (matter.subject, matter.params["level"], matter.zone_id) == (alarms.SUBJECT_LEVEL, 3, "z1")
    frame = json.loads(watch.full_frame(DISTRICT) or b"{}")
    assert (frame["zones"]["z1"]["level"], frame["zones"]["z1"]["quality"]) == (3, "both")


def test_a_restart_goes_on_where_it_was(database: Database, watch: Watch, night: MoveOn) -> None:
    fill(database, watch, night)
    before = json.loads(watch.full_frame(DISTRICT) or b"{}")
    again = Watch(database)
    again.load(DISTRICT)
    after = json.loads(again.full_frame(DISTRICT) or b"{}")
    for id, zone in before["zones"].items():
        assert abs(after["zones"][id]["people"] - zone["people"]) <= 1
        assert (after["zones"][id]["level"], after["zones"][id]["quality"]) == (
            zone["level"],
            zone["quality"],
        )
    night(timedelta(seconds=10))
    tell(database, again, 3200)
    step(again)
    with database.reading([DISTRICT]) as connection:
        assert len(matters.list_waiting(connection, engine_actor(DISTRICT).scope, DISTRICT)) == 1


def test_an_edit_of_the_sensors_makes_no_rising_level_wait_anew(
    database: Database, watch: Watch, night: MoveOn
) -> None:
    """Level 3 needs 30 s; the sensors are edited after 20."""
    fill(database, watch, night, rounds=2)
    watch.load(DISTRICT)
    for _ in range(2):
        night(timedelta(seconds=10))
        tell(database, watch, 3200)
        step(watch)
    assert json.loads(watch.full_frame(DISTRICT) or b"{}")["zones"]["z1"]["level"] == 3


def test_a_crossing_that_could_not_be_saved_is_saved_later(
    database: Database, watch: Watch, night: MoveOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_district: str) -> None:
        raise StorageFailed("storage.failed", en="full", zh="满")

    monkeypatch.setattr("anshang.foundation.items.PAUSE_S_MIN", 0.0)
    with monkeypatch.context() as broken:
        tell(database, watch, 3500, 3500)
        step(watch)
        night(timedelta(seconds=70))
        tell(database, watch, 3500)
        broken.setattr(database, "transaction", full)
        frame = json.loads(watch.step(DISTRICT))
        assert frame["zones"]["z1"]["level"] == 3, "shown before it is saved"
        with pytest.raises(ItemsFailed) as caught:
            watch.save_changes(DISTRICT)
        assert isinstance(caught.value.first, StorageFailed)
    step(watch)
    with database.reading([DISTRICT]) as connection:
        assert [state.level for state in store.list_zone_states(connection, DISTRICT)] == [Level.ALERT]


def test_counting_goes_on_while_a_save_waits_for_the_database(
    database: Database, watch: Watch, night: MoveOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save once held the lock that every step needs: a slow database froze the numbers."""
    tell(database, watch, 3500, 3500)
    step(watch)
    night(timedelta(seconds=70))
    tell(database, watch, 3500)
    watch.step(DISTRICT)
    waiting, released, stepped = threading.Event(), threading.Event(), threading.Event()
    whole = database.transaction

    def slow(district_id: str) -> AbstractContextManager[Transaction]:
        waiting.set()
        assert released.wait(20)
        return whole(district_id)

    monkeypatch.setattr(database, "transaction", slow)
    saving = threading.Thread(target=watch.save_changes, args=(DISTRICT,))
    saving.start()
    assert waiting.wait(20)
    stepping = threading.Thread(target=lambda: (watch.step(DISTRICT), stepped.set()))
    stepping.start()
    assert stepped.wait(20)
    released.set()
    saving.join(20)
    stepping.join(20)
    with database.reading([DISTRICT]) as connection:
        assert [state.level for state in store.list_zone_states(connection, DISTRICT)] == [Level.ALERT]


def test_minutes_that_could_not_be_written_are_kept_the_next_time(
    database: Database, watch: Watch, night: MoveOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, watch, night)
    again = Watch(database)
    again.load(DISTRICT)
    keeper = MinuteKeeper(database, again, Outlooks(database, again))

    def full(*_: object) -> None:
        raise StorageFailed("storage.failed", en="full", zh="满")

    with monkeypatch.context() as broken, pytest.raises(StorageFailed):
        broken.setattr(database, "bulk", full)
        keeper.keep(DISTRICT)
    keeper.keep(DISTRICT)
    with database.reading([DISTRICT]) as connection:
        kept = connection.execute(select(zone_history_table.c.at_ms).distinct()).scalars().all()
    assert len(kept) > 1, "those before the restart, too"


def enter(database: Database, watch: Watch, people: int) -> Level | None:
    """That many go into z0, or out of it, where no head counter is; what waits to be confirmed there."""
    at = clock.now().isoformat()
    rows = [Row("g0", at, max(people, 0), max(-people, 0)), *(Row(f"g{n}", at, 0, 0) for n in range(1, 4))]
    receipt = Intake(database, watch.taken, watch.turnstile).take_rows(DISTRICT, rows)
    assert receipt.taken == len(rows)
    step(watch)
    with database.reading([DISTRICT]) as connection:
        return next((s.pending for s in store.list_zone_states(connection, DISTRICT) if s.id == "z0"), None)


def level_of(watch: Watch) -> int:
    return int(json.loads(watch.full_frame(DISTRICT) or b"{}")["zones"]["z0"]["level"])


def decided(database: Database, watch: Watch, verb: Callable[..., ZoneState]) -> None:
    with database.transaction(DISTRICT) as tx:
        state = verb(tx, actor=operator_actor(DISTRICT), zone_id="z0")
    watch.decide(DISTRICT, state)


def test_level_4_waits_for_a_person_each_time_also_after_a_restart(
    database: Database, watch: Watch, night: MoveOn
) -> None:
    assert enter(database, watch, 4500) is Level.SERIOUS
    decided(database, watch, actions.confirm_level)
    night(timedelta(seconds=10))
    assert enter(database, watch, 0) is None
    assert level_of(watch) == 4
    decided(database, watch, actions.lower_level)
    night(timedelta(seconds=10))
    assert enter(database, watch, -2500) is None
    for _ in range(61):
        night(timedelta(seconds=10))
        enter(database, watch, 0)
    assert level_of(watch) == 3
    watch = Watch(database)
    watch.load(DISTRICT)
    night(timedelta(seconds=10))
    assert enter(database, watch, 2500) is Level.SERIOUS
    assert level_of(watch) == 3
    again = Watch(database)
    again.load(DISTRICT)
    decided(database, again, actions.confirm_level)
    night(timedelta(seconds=10))
    assert enter(database, again, 0) is None
    assert level_of(again) == 4
    with database.reading([DISTRICT]) as connection:
        told = [entry.kind for entry in journal.list_after(connection, DISTRICT, 0)]
    assert (told.count(CrowdKind.LEVEL_CONFIRMED), told.count(CrowdKind.LEVEL_LOWERED)) == (2, 1)


def test_a_changed_place_and_a_new_sensor_are_noticed(database: Database, watch: Watch) -> None:
    watch.refresh(DISTRICT)
    before = watch.find(DISTRICT)
    watch.refresh(DISTRICT)
    assert watch.find(DISTRICT) is before
    with database.transaction(DISTRICT) as tx:
        actions.define_sensor(tx, actor=operator_actor(DISTRICT), sensor=head("z2"))
    watch.refresh(DISTRICT)
    after = watch.find(DISTRICT)
    assert after is not None
    assert "hz2" in after.occupancy.sensor_index
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator_actor(DISTRICT), document=row_of_zones(4))
    watch.refresh(DISTRICT)
    final = watch.find(DISTRICT)
    assert final is not None
    assert len(final.place.zones) == 4


def test_the_health_of_a_sensor_is_told(database: Database, watch: Watch, night: MoveOn) -> None:
    engine = watch.find(DISTRICT)
    assert sensor_health(engine, line("g0")) == {"state": "never"}
    assert sensor_health(None, line("g0")) == {}
    tell(database, watch, 0)
    step(watch)
    assert sensor_health(engine, line("g0")) == {"state": "ok", "last_at": NIGHT, "skew_s": None}
    assert engine is not None
    engine.occupancy.disagrees[:] = True  # as a step that is half way may have it
    assert sensor_health(engine, line("g0"))["state"] == "ok", "what the last whole step found"
    engine.occupancy.disagrees[:] = False
    night(timedelta(seconds=60))
    step(watch)
    assert sensor_health(engine, line("g0"))["state"] == "silent"


def test_rows_that_come_while_an_engine_is_built_count_once(database: Database, watch: Watch) -> None:
    """Eight senders never rest while the engine is built anew again and again; nobody is lost or doubled."""
    stop, sent = threading.Event(), [0] * 8
    base = clock.now() - timedelta(hours=2)
    intake = Intake(database, watch.taken, watch.turnstile)

    def send(sender: int) -> None:
        while not stop.is_set():
            at = base + timedelta(milliseconds=sender + 10 * sent[sender])
            receipt = intake.take_rows(DISTRICT, [Row("g0", at.isoformat(), 3, 0)])
            assert receipt.taken == 1
            sent[sender] += 1

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(len(sent))]
    for thread in threads:
        thread.start()
    for _ in range(12):
        watch.load(DISTRICT)
    stop.set()
    for thread in threads:
        thread.join()
    engine = watch.find(DISTRICT)
    assert engine is not None
    engine.settle(clock.now())
    assert all(sent)
    assert engine.occupancy.people[0] == 3 * sum(sent)
